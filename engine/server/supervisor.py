"""Tells the service supervisor, such as systemd, when the server is ready, how it goes, and that it is alive.

    Service(..., extensions=[supervised])

What is told, by the names of ``sd_notify(3)``: ``READY=1`` when people can come in; ``STATUS=`` in a line for people;
``STOPPING=1`` when it drains, with ``EXTEND_TIMEOUT_USEC=`` for as long as that may take, so that a drain may outlast
the unit's ``TimeoutStopSec=``; and ``WATCHDOG=1`` while ticks go on, if the unit has ``WatchdogSec=``.

The watchdog is for what does not come back by itself. The server is alive as long as one of its processes is well: one
that is not takes only its own rooms with it, and a restart would take all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from engine.net.transport.notify import Notifier
from engine.server.figures import ProcessFigures

log = logging.getLogger("tickwire.server")

STATUS_EVERY = 10.0
"""Seconds between status lines."""
PATIENCE = 1.5
"""Seconds that a process may take to say how it is."""
FAREWELLS = 10.0
"""Seconds that the end may take once rounds are over: last words, saves, and workers that end."""
READY, DRAINING, CLOSED = "ready", "draining", "closed"


class Worker(Protocol):
    """A process with rooms."""

    async def ask(self, what: str, **said: Any) -> Any: ...


class Server(Protocol):
    """What is supervised; `engine.server.lifecycle.Service` is one."""

    on_stage: list[Any]

    @property
    def stage(self) -> Enum: ...
    @property
    def workers(self) -> Sequence[Worker]: ...
    @property
    def seconds_to_drain(self) -> float: ...
    def figures(self) -> list[ProcessFigures]: ...


def watchdog_interval(environment: Mapping[str, str], pid: int) -> float | None:
    """Seconds between signs of life that the supervisor wants: half of what it waits. None if it wants none."""
    try:
        wanted = int(environment["WATCHDOG_USEC"])
        meant = int(environment.get("WATCHDOG_PID", pid))
    except (KeyError, ValueError):
        return None
    return wanted / 2e6 if wanted > 0 and meant == pid else None


@contextlib.asynccontextmanager
async def supervised(server: Server) -> AsyncGenerator[None]:
    """Tell the supervisor that the environment names, while inside. Without one, does nothing."""
    tell = Notifier.of(os.environ)
    if tell is None:
        yield
        return
    reports = Reports(server, tell)
    server.on_stage.append(reports.entered)
    interval = watchdog_interval(os.environ, os.getpid())
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(reports.say_status())]
    if interval is not None:
        tasks.append(loop.create_task(reports.show_life(interval)))
    try:
        yield
    finally:
        server.on_stage.remove(reports.entered)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tell.close()


class Reports:
    """What is told of one server."""

    def __init__(self, server: Server, tell: Notifier) -> None:
        self._server = server
        self._tell = tell
        self._well = True

    def entered(self, stage: Enum) -> None:
        """It has come to another stage."""
        if stage.value == READY:
            self._tell("READY=1", self.status())
        elif stage.value == DRAINING:
            most = int(1e6 * (self._server.seconds_to_drain + FAREWELLS))
            self._tell("STOPPING=1", self.status(), f"EXTEND_TIMEOUT_USEC={most}")

    def status(self) -> str:
        """How it is, in a line for people."""
        rooms = [room for process in self._server.figures() for room in process.rooms]
        people = sum(room.people for room in rooms)
        return f"STATUS={self._server.stage.value}, players: {people}, rooms: {len(rooms)}"

    async def say_status(self) -> None:
        """Say it again and again."""
        while True:
            self._tell(self.status())
            await asyncio.sleep(STATUS_EVERY)

    async def show_life(self, interval: float) -> None:
        """Give a sign of life each `interval` seconds, as long as any process is well."""
        while True:
            problems = await self.problems()
            if not problems:
                self._tell("WATCHDOG=1")
            elif self._well:
                log.error("no sign of life for the supervisor: %s", "; ".join(problems))
            self._well = not problems
            await asyncio.sleep(interval)

    async def problems(self) -> list[str]:
        """Why none of the processes is well; nothing if one is."""

        async def ask(worker: Worker) -> list[str]:
            try:
                async with asyncio.timeout(PATIENCE):
                    return (await worker.ask("health"))["problems"]
            except Exception as error:
                return [str(error) or type(error).__name__]

        found = await asyncio.gather(*map(ask, self._server.workers))
        return [problem for problems in found for problem in problems] if all(found) else []
