"""Wrong handlers are type errors: `typing_of_handlers.py` passes pyright strict, expected errors and all."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="pyright comes with the dev extra")
def test_handlers_are_typed_by_their_event() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "pyright", str(HERE / "typing_of_handlers.py")],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
