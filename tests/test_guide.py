"""The examples in docs/guide.md run, and print what they say."""

import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

GUIDE = Path(__file__).parent.parent / "docs" / "guide.md"
BLOCK = re.compile(r"```(python|output)\n(.*?)```", re.DOTALL)


def test_the_guide_runs_and_prints_what_it_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    module = types.ModuleType("guide_example")
    monkeypatch.setitem(sys.modules, "guide_example", module)
    scope: dict[str, Any] = module.__dict__
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    assert len(blocks) > 20
    printed = ""
    for place, (kind, text) in enumerate(blocks):
        if kind == "python":
            exec(compile(text, f"{GUIDE.name}, block {place}", "exec"), scope)
            printed = capsys.readouterr().out
        else:
            assert printed == text, f"block {place}"
