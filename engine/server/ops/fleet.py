"""The whole server as its pages need it, whether its rooms are in this process or in workers', and its recent past."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, cast

from engine import __version__
from engine.app import Game
from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.server.figures import Note, ProcessFigures, RoomFigures
from engine.server.schema import Config

if TYPE_CHECKING:
    from engine.server.metrics import Metrics

EVERY = 1.0
"""Seconds between samples."""
REMEMBERED = 300
"""Samples."""
PATIENCE = 1.5
"""Seconds that a worker may take to say how it is."""
READY = "ready"


class Worker(Protocol):
    """A process with rooms."""

    number: int
    mark: str

    @property
    def address(self) -> Address | None: ...
    @property
    def figures(self) -> ProcessFigures | None: ...
    async def ask(self, what: str, **said: Any) -> Any: ...


class Door(Protocol):
    """Where people come in."""

    admitted: int
    turned_away: dict[str, int]

    @property
    def banned(self) -> dict[str, float]: ...
    def pardon(self, source: str) -> bool: ...


class Fleet(Protocol):
    """A server; `engine.server.lifecycle.Service` is one."""

    game: Game
    config: Config
    notes: deque[Note]

    @property
    def workers(self) -> Sequence[Worker]: ...
    @property
    def reception(self) -> Door: ...
    @property
    def stage(self) -> Enum: ...
    def figures(self) -> list[ProcessFigures]: ...
    def drain(self, deadline: float | None = None) -> None: ...
    async def ask_room(self, what: str, room: str, **said: Any) -> Any: ...
    async def kick(self, room: str, peer: int, words: str = "", *, ban: float = 0.0) -> bool: ...
    async def say(self, words: str, room: str = "") -> int: ...
    async def close_room(self, room: str, words: str = "") -> bool: ...


class Watch:
    """Looks at a fleet once a second, so that any number of readers cost it one look.

    `clock` gives seconds of any steady clock, `wall` Unix time.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        patience: float = PATIENCE,
    ) -> None:
        self.fleet = fleet
        self.patience = patience
        self.history: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        """Samples, oldest first: Unix time, and figures of all processes together. Times are milliseconds."""
        self.processes: list[ProcessFigures] = []
        self._clock = clock
        self._wall = wall
        self._began = clock()
        self._own: Metrics | None = None

    async def run(self) -> None:
        """Look, for ever."""
        due = self._clock()
        while True:
            await self.look()
            due = max(due + EVERY, self._clock())
            await asyncio.sleep(due - self._clock())

    async def look(self) -> None:
        """Take a sample."""
        samples = [sample for sample in await self._ask_each("sample") if not isinstance(sample, BaseException)]
        self.processes = self.fleet.figures()
        self.history.append({"time": round(self._wall(), 1), **self._together(samples)})

    async def _ask_each(self, what: str) -> list[Any]:
        """What each worker answers, or the error."""

        async def ask(worker: Worker) -> Any:
            async with asyncio.timeout(self.patience):
                return await worker.ask(what)

        return await asyncio.gather(*map(ask, self.fleet.workers), return_exceptions=True)

    def _together(self, samples: Sequence[Mapping[str, float]]) -> dict[str, Any]:
        rooms = self.rooms
        ticks = sum(sample["ticks"] for sample in samples)
        weighted = sum(sample["tick"] * sample["ticks"] for sample in samples)
        return {
            "tick": round(weighted / ticks, 3) if ticks else 0.0,
            **{name: round(max((s[name] for s in samples), default=0.0), 3) for name in ("tick_p99", "late_p99")},
            **{
                name: round(sum(sample[name] for sample in samples), 3)
                for name in ("ticks", "dropped", "in", "out", "events", "cpu")
            },
            "players": sum(room.people for room in rooms),
            "rooms": len(rooms),
        }

    # What there is, as plain values

    @property
    def rooms(self) -> list[RoomFigures]:
        """All rooms there were at the last look."""
        return [room for process in self.processes for room in process.rooms]

    def summary(self) -> dict[str, Any]:
        """The server, its processes and its rooms."""
        fleet = self.fleet
        stage = str(fleet.stage.value)
        rooms = self.rooms
        return {
            "name": fleet.config.server.name,
            "game": fleet.game.name,
            "title": fleet.game.title,
            "version": __version__,
            "stage": stage,
            "ready": stage == READY,
            "seconds": round(self._clock() - self._began, 1),
            "players": sum(room.people for room in rooms),
            "most_players": fleet.config.server.max_players,
            "admitted": fleet.reception.admitted,
            "turned_away": sum(fleet.reception.turned_away.values()),
            "processes": [_process(process) for process in self.processes],
            "missing": [worker.number for worker in fleet.workers if worker.address is None],
            "rooms": [_room(room) for room in rooms],
            "now": self.history[-1] if self.history else None,
        }

    async def health(self) -> list[str]:
        """What is wrong, in words; nothing if all is well."""
        problems: list[str] = []
        workers = self.fleet.workers
        for worker, verdict in zip(workers, await self._ask_each("health"), strict=True):
            who = f"worker {worker.number}: " if len(workers) > 1 else ""
            if isinstance(verdict, TimeoutError):
                problems.append(f"{who}no answer for {self.patience:g} s")
            elif isinstance(verdict, BaseException):
                problems.append(str(verdict))  # a worker's errors name it
            else:
                problems += [f"{who}{problem}" for problem in verdict["problems"]]
        return problems

    async def metrics(self) -> bytes:
        """The text that Prometheus reads. Raises `TickwireError` where what it needs is not installed."""
        try:
            from engine.server.metrics import Metrics, merge
        except ImportError as error:
            raise TickwireError(f"metrics need {error.name}: pip install 'tickwire[server]'") from error
        workers = self.fleet.workers
        local: Any = getattr(workers[0], "process", None) if len(workers) == 1 else None
        if self._own is None:
            self._own = Metrics() if local is None else cast("Metrics", local.inside.metrics)
            watch_door(self._own, self.fleet)
        own = self._own.expose()[0]
        if local is not None:
            return own
        found = await self._ask_each("metrics")
        texts = {str(w.number): t.encode() for w, t in zip(workers, found, strict=True) if isinstance(t, str)}
        return merge({"main": own, **texts})

    def has(self, room: str) -> bool:
        """Whether there was such a room at the last look."""
        return any(each.code == room for each in self.rooms)


def watch_door(metrics: Metrics, fleet: Fleet) -> None:
    """The metrics of the way in."""
    door = fleet.reception
    metrics.counter("admitted", "Players that were given a way in.", lambda: door.admitted)
    metrics.counter("turned_away", "Players that were not let in.", lambda: door.turned_away, label="reason")
    metrics.gauge("banned_addresses", "Addresses that nobody is let in from.", lambda: len(door.banned))
    metrics.gauge("ready", "Whether people are let in.", lambda: float(fleet.stage.value == READY))
    metrics.gauge(
        "workers_missing", "Workers that are not there.", lambda: sum(w.address is None for w in fleet.workers)
    )


def _process(figures: ProcessFigures) -> dict[str, Any]:
    return {
        "worker": figures.worker,
        "pid": figures.pid,
        "port": figures.port,
        "alive": figures.alive,
        "seconds": round(figures.seconds, 1),
        "cpu": round(figures.cpu, 3),
        "memory": figures.memory,
        "bytes_in": figures.bytes_in,
        "bytes_out": figures.bytes_out,
        "late": round(figures.late, 2),
        "dropped": figures.dropped,
        "failures": figures.failures,
        "crashes": figures.crashes,
        "refused": figures.refused,
        "standstills": figures.standstills,
    }


def _room(room: RoomFigures) -> dict[str, Any]:
    pings = sorted(player.ping for player in room.players)
    return {
        "code": room.code,
        "worker": room.worker,
        "state": room.state,
        "listed": room.listed,
        "seats": room.seats,
        "people": room.people,
        "watching": len(room.players) - room.people,
        "reserved": room.reserved,
        "status": room.status[:120],
        "seconds": round(room.seconds, 1),
        "tick": room.tick,
        "cost": round(room.cost, 3),
        "share": round(room.share, 4),
        "late": round(room.late, 2),
        "rate": round(room.rate, 1),
        "dropped": room.dropped,
        "failures": room.failures,
        "bytes_in": room.bytes_in,
        "bytes_out": room.bytes_out,
        "ping": round(pings[len(pings) // 2], 1) if pings else None,
    }


__all__ = ["Door", "Fleet", "Watch", "Worker", "watch_door"]
