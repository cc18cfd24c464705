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

from engine.app.errors import AppError

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
        if not budget > 0:
            raise AppError(f"a watchdog's budget is a time in seconds, not {budget!r}")
        self.budget = budget
        self.clock = clock
        self.report = report or _log_overrun
        self.overruns = 0
        self._running: tuple[int, float, int] | None = None
        self._reported: tuple[int, float, int] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

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
        if seconds <= self.budget or running is self._reported:
            return None
        frame = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage]
        if frame is None or self._running is not running:
            return None
        self._reported = running
        self.overruns += 1
        overrun = Overrun(tick, seconds, _handler(frame), f"{frame.f_code.co_filename}:{frame.f_lineno}")
        self.report(overrun)
        return overrun

    def start(self) -> None:
        """Check from a thread, four times a budget, until `stop`. Starting twice is harmless."""
        if self._thread is None:
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._watch, args=(self._stop,), name="tickwire-watchdog", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread, if there is one; it can be started again."""
        thread, self._thread = self._thread, None
        self._stop.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(self.budget / 4):
            try:
                self.check()
            except Exception:
                log.exception("the watchdog could not report an overrun")


def _handler(frame: FrameType) -> str:
    """The innermost function on the stack that was called by the dispatcher, or asked for commands by the scene."""
    inner: FrameType | None = frame
    while inner is not None:
        outer = inner.f_back
        if outer is not None and _is_caller(outer) and not _is_caller(inner):
            code = inner.f_code
            return f"{code.co_qualname} ({code.co_filename}:{code.co_firstlineno})"
        inner = outer
    return "no handler"


def _is_caller(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name == "engine.app.scene" or name.startswith("engine.events.")


def _log_overrun(overrun: Overrun) -> None:
    log.warning("%s", overrun)
