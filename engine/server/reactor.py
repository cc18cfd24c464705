"""The event loop of a server: uvloop's where that is installed, asyncio's own otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, as `asyncio.run`."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop; None for asyncio's own.

    Its `time` may stand still while a callback runs: what is timed goes by `time.monotonic`.
    """
    try:
        uvloop: Any = import_module("uvloop")  # not on every system, so nothing here may name its types
    except ImportError:
        return None
    return uvloop.new_event_loop
