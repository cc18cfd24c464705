"""Driving an app from asyncio: timers, sockets and HTTP share the loop with the ticks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from engine.app.app import App

LONGEST_SLEEP = 0.05
"""Seconds between looks at the app while nothing is due, e.g. when paused."""


async def run(
    app: App,
    *,
    clock: Callable[[], float] = time.perf_counter,
    each: Callable[[float], object] | None = None,
    seconds: float | None = None,
) -> None:
    """Advance `app` at its rate until it is over, or for `seconds` of `clock`.

    `each(now)` is called after every advance: pump, draw, send. An exception from a tick ends the run and is raised.
    """
    started = clock()
    while not app.is_over:
        now = clock()
        if seconds is not None and now - started >= seconds:
            return
        app.advance(now)
        if each is not None:
            each(now)
        await asyncio.sleep(min(LONGEST_SLEEP, app.step.until_due(clock())))
