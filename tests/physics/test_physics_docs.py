"""The examples in docs/physics.md run, and print what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "physics.md"
BLOCK = re.compile(r"```(python|output)\n(.*?)```", re.DOTALL)


def test_the_examples_run_and_print_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, Any] = {"__name__": "example"}
    blocks = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(blocks) > 8
    for place, (kind, text) in enumerate(blocks):
        if kind == "python":
            exec(compile(text, f"{DOCUMENT.name}, block {place}", "exec"), scope)
        else:
            assert capsys.readouterr().out == text
