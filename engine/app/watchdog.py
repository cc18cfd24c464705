"""The watchdog: names the handler that overran its tick, while it still does.

It costs the loop two assignments a tick. A thread of its own looks at the loop's stack when a tick takes longer
than its budget, and finds the function the dispatcher called.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from engine.events import dispatcher as dispatcher_module

log = logging.getLogger("tickwire.app")


@dataclass(slots=True)
class Overrun:
    """A tick has been running for longer than its budget."""

    tick: int
    seconds: float
    handler: str
    """The handler that was running, and where it is defined."""
    at: str
    """`file:line` it was at when looked at."""

    def __str__(self) -> str:
        return f"tick {self.tick} has been running for {self.seconds:.3f} s, in {self.handler}, now at {self.at}"


class Watchdog:
    """Watches one loop. `clock` gives seconds; `budget` is how long a tick may take.

    `start` runs the checks on a daemon thread; without it, call `check` yourself.
    """

    def __init__(
        self, budget: float, clock: Callable[[], float], report: Callable[[Overrun], None] | None = None
    ) -> None:
        self.budget = budget
        self.clock = clock
        self.report = report or _log_overrun
        self.overruns = 0
        self._running: tuple[int, float, int] | None = None
        self._reported = -1
        self._stop = threading.Event()

    def tick_started(self, tick: int) -> None:
        self._running = (tick, self.clock(), threading.get_ident())

    def tick_ended(self) -> None:
        self._running = None

    def check(self) -> Overrun | None:
        """Look once; reports an overrunning tick the first time it is seen."""
        running = self._running
        if running is None:
            return None
        tick, started, thread = running
        seconds = self.clock() - started
        if seconds <= self.budget or tick == self._reported:
            return None
        frame = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage]
        if frame is None or self._running is not running:
            return None
        self._reported = tick
        self.overruns += 1
        overrun = Overrun(tick, seconds, _handler(frame), f"{frame.f_code.co_filename}:{frame.f_lineno}")
        self.report(overrun)
        return overrun

    def start(self) -> None:
        """Check from a thread, four times a budget, until `stop`."""
        threading.Thread(target=self._watch, name="tickwire-watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(self.budget / 4):
            self.check()


def _handler(frame: FrameType) -> str:
    """The innermost function on the stack that was called by the dispatcher."""
    inner: FrameType | None = frame
    while inner is not None:
        outer = inner.f_back
        if outer is not None and outer.f_code.co_filename == dispatcher_module.__file__:
            code = inner.f_code
            if code.co_filename != dispatcher_module.__file__:
                return f"{code.co_qualname} ({code.co_filename}:{code.co_firstlineno})"
        inner = outer
    return "no handler"


def _log_overrun(overrun: Overrun) -> None:
    log.warning("%s", overrun)
