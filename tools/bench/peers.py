"""Other libraries to measure against; optional, installed by `pip install 'tickwire[bench]'`."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def peer(name: str) -> Any:
    """The module, or None with a word to the user."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed and left out; pip install 'tickwire[bench]' brings it", file=sys.stderr)
        return None
