"""What one process tells of itself to whoever runs the server. Adds to what can be asked of a `Process`.

All of it goes through `Process.answer`, as plain values, so it is the same from a worker, over its pipe:

    sample              figures of the time since the last sample; to be asked by one asker, about once a second
    health              whether ticks go on
    metrics             the text that Prometheus reads
    detail(room)        players, score table
    look(room, ...)     how the room looks; see `Picture`
    events(after, ...)  what happened, as text; see `Stream`
    wind_down(room, deadline)
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from engine import __version__
from engine.errors import TickwireError
from engine.net.multiplayer import multiplayer_of
from engine.server.health import Health
from engine.server.ops.picture import Picture
from engine.server.room import Room, RoomState
from engine.server.rooms import Rooms

if TYPE_CHECKING:
    from engine.server.metrics import Metrics
    from engine.server.process import Process

FRESH = 0.05
"""Seconds in which all who look at a room are given the same picture."""
MOST_STANDINGS = 64


class Inside:
    """One process, seen from within. `health` is its own; others may add checks."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.health = Health(time.monotonic)
        self.health.watch("rooms", process.rooms.ticks)
        self._metrics: Metrics | None = None
        self._pictures: WeakKeyDictionary[Room, tuple[float, tuple[Any, ...], dict[str, Any], Picture]] = (
            WeakKeyDictionary()
        )
        self._before = _Marks(process)
        process.verbs |= {
            "sample": lambda said: self.sample(),
            "health": lambda said: self.health.verdict().plain(),
            "metrics": lambda said: self.metrics.expose()[0].decode(),
            "detail": lambda said: self.detail(said["room"]),
            "look": lambda said: self.look(said["room"], said["epoch"], said["shapes"], said["stills"]),
            "events": lambda said: self.events(said["after"], said.get("rooms")),
            "wind_down": lambda said: self.wind_down(said["room"], said["deadline"]),
        }

    @property
    def metrics(self) -> Metrics:
        """All that Prometheus is told of this process; others may add to it.

        Raises `TickwireError` where what it needs is not installed.
        """
        if self._metrics is None:
            self._metrics = self._make_metrics()
        return self._metrics

    def _make_metrics(self) -> Metrics:
        try:
            from engine.server.metrics import Metrics, watch_network, watch_ticks
        except ImportError as error:
            raise TickwireError(f"metrics need {error.name}: pip install 'tickwire[server]'") from error
        process = self.process
        metrics = Metrics({"version": __version__, "game": process.rooms.game.name})
        watch_ticks(metrics, lambda: [process.rooms.ticks], time.monotonic)
        watch_network(metrics, lambda: process.server, lambda: process.udp)
        watch_rooms(metrics, process.rooms)
        return metrics

    def sample(self) -> dict[str, float]:
        """What has been since the last sample: rates a second, times in milliseconds."""
        before, self._before = self._before, _Marks(self.process)
        return self._before.since(before)

    def detail(self, code: str) -> dict[str, Any] | None:
        """A room, its players and its score table; None if there is no such room."""
        room = self.process.rooms.by_code.get(code)
        if room is None:
            return None
        try:
            standings = [[each.name, *each.columns] for each in room.game.standings(room.scene.world)]
        except Exception as error:  # the game's own
            standings = [[f"({error!r})"]]
        return {
            **asdict(room.figures(worker=self.process.worker)),
            "headings": list(room.game.headings),
            "standings": standings[:MOST_STANDINGS],
            "watching": [number for number, member in room.members.items() if member.watches],
        }

    def look(self, code: str, epoch: int, shapes: int, stills: int) -> dict[str, Any] | None:
        """How a room looks; see `Picture.look`. None if there is no such room."""
        room = self.process.rooms.by_code.get(code)
        if room is None:
            return None
        now, known = time.monotonic(), (epoch, shapes, stills)
        kept = self._pictures.get(room)
        if kept is not None and kept[1] == known and now - kept[0] < FRESH:
            return kept[2]
        picture = kept[3] if kept is not None else Picture(multiplayer_of(room.game).protocol.declarations)
        found = picture.look(room.scene.world, room.scene.tick, epoch=epoch, shapes=shapes, stills=stills)
        self._pictures[room] = (now, known, found, picture)
        return found

    def events(self, after: int, rooms: list[str] | None) -> list[dict[str, Any]]:
        """What was seen after this number; attends to these rooms, or all, for some seconds more."""
        stream = self.process.rooms.stream
        stream.attend(rooms)
        return [asdict(seen) for seen in stream.after(after)]

    def wind_down(self, code: str, deadline: float) -> bool:
        """Let nobody into a room any more, and end it when its round is over; whether there is such a room."""
        room = self.process.rooms.by_code.get(code)
        if room is None:
            return False
        close_at = time.monotonic() + deadline
        room.close_at = close_at if room.close_at is None else min(room.close_at, close_at)
        room.state = RoomState.CLOSING
        return True


class _Marks:
    """Totals of a process at one moment."""

    def __init__(self, process: Process) -> None:
        rooms = process.rooms
        self.at = time.monotonic()
        self.cpu = time.process_time()
        self.ticks = rooms.ticks.count
        self.dropped = rooms.ticks.dropped
        self.lateness = rooms.ticks.lateness.copy()
        self.duration = rooms.ticks.duration.copy()
        self.bytes_in = process.udp.bytes_in
        self.bytes_out = process.udp.bytes_out
        self.events = rooms.stream.total

    def since(self, before: _Marks) -> dict[str, float]:
        seconds = max(1e-6, self.at - before.at)
        duration = self.duration.since(before.duration)
        return {
            "ticks": (self.ticks - before.ticks) / seconds,
            "dropped": self.dropped - before.dropped,
            "tick": 1000 * duration.total / max(1, duration.count),
            "tick_p99": 1000 * duration.quantile(0.99),
            "late_p99": 1000 * self.lateness.since(before.lateness).quantile(0.99),
            "in": (self.bytes_in - before.bytes_in) / seconds,
            "out": (self.bytes_out - before.bytes_out) / seconds,
            "events": (self.events - before.events) / seconds,
            "cpu": (self.cpu - before.cpu) / seconds,
        }


def watch_rooms(metrics: Metrics, rooms: Rooms) -> None:
    """The metrics of rooms, of who is in them, and of what happens there."""

    def states() -> dict[str, int]:
        found = {state.value: 0 for state in RoomState if state is not RoomState.CLOSED}
        for room in rooms.by_code.values():
            found[room.state.value] = found.get(room.state.value, 0) + 1
        return found

    def people() -> dict[str, int]:
        watching = sum(room.watching for room in rooms.by_code.values())
        return {
            "playing": sum(room.players for room in rooms.by_code.values()),
            "watching": watching,
            "expected": sum(room.promised + room.promised_to_watch for room in rooms.by_code.values()),
        }

    metrics.gauge("rooms", "Rooms there are, by state.", states, label="state")
    metrics.gauge("players", "People in rooms, or expected there.", people, label="part")
    metrics.counter("places", "Places that were promised to players.", lambda: rooms.given)
    metrics.counter("places_expired", "Places that nobody came for.", lambda: rooms.expired)
    metrics.counter("refusals", "Players for whom there was no place.", lambda: rooms.refused)
    metrics.counter("handler_errors", "Event handlers that raised.", lambda: rooms.failures)
    metrics.counter("room_crashes", "Rooms that were closed by an error.", lambda: rooms.crashes)
    metrics.counter("standstills", "Times the process did not run for a second or more.", lambda: rooms.standstills)
    metrics.counter("events", "Events delivered in rooms, by type.", lambda: rooms.stream.counts, label="event")
