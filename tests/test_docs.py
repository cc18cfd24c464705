"""The examples in the documents run, and print what they say."""

import re
import sys
import types
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"```(python|output)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(("name", "least"), [("guide", 20), ("physics", 8), ("netcode", 5)])
def test_the_examples_run_and_print_what_they_say(
    name: str, least: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    document = DOCS / f"{name}.md"
    module = types.ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    blocks = BLOCK.findall(document.read_text(encoding="utf-8"))
    assert len(blocks) > least
    for place, (kind, text) in enumerate(blocks):
        if kind == "python":
            exec(compile(text, f"{document.name}, block {place}", "exec"), module.__dict__)
        else:
            assert capsys.readouterr().out == text, f"block {place}"
