"""The short version of tools/fuzz_wire.py."""

import importlib.util
import logging
import sys
from pathlib import Path
from types import ModuleType

import pytest


def load() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "fuzz_wire.py"
    spec = importlib.util.spec_from_file_location("fuzz_wire", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz_wire = load()


@pytest.mark.parametrize("parser", list(fuzz_wire.PARSERS))
def test_hostile_input_is_refused_and_leaves_nothing(parser: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    result = fuzz_wire.fuzz(parser, 1000, seed=2)
    assert result.failure is None
    assert result.taken
