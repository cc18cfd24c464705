"""Kernels: inner loops that are there a second time, compiled.

A kernel is a `kernel.pyx` beside the module that says the same in numpy, and gives the same bits. It is built during
the installation where a C compiler is at hand; where none was, or `TICKWIRE_COMPILED=off` is set, everything runs
without. Kernels hold no state, and take arrays and numbers; in them is what a profile showed, and nothing else.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec

WANTED = os.environ.get("TICKWIRE_COMPILED", "on").lower() not in ("off", "0", "no", "false")
"""Whether kernels may be used."""


@cache
def has(kernel: str) -> bool:
    """Whether a kernel, named as `engine.physics.kernel`, was built and may be used."""
    return WANTED and find_spec(kernel) is not None
