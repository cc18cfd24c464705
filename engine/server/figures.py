"""What can be read of a running server: plain values, the same whether a room is in this process or in a worker's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(slots=True)
class PlayerFigures:
    """One connection in a room."""

    peer: int
    player: int
    """Its number in the game; -1 for who only watches, or is not seated yet."""
    name: str
    address: str
    """IP address and port."""
    ping: float
    """Round trip, in milliseconds."""
    jitter: float
    """Milliseconds."""
    loss: float
    """Share of packets, 0 to 1."""
    bytes_in: int
    bytes_out: int
    backlog: int
    """Bytes that it has not acked."""
    seconds: float
    """Since it connected."""


@dataclass(slots=True)
class RoomFigures:
    """One room."""

    code: str
    worker: int
    """The process it is in, from 0."""
    state: str
    listed: bool
    seats: int
    reserved: int
    """Places promised to people who have not connected yet."""
    players: list[PlayerFigures]
    tick: int
    status: str
    """What the game says of it."""
    seconds: float
    """Since it was opened."""
    ticks: int
    """How many were run, of which `dropped` besides were not."""
    dropped: int
    cost: float
    """Milliseconds a tick takes, lately."""
    share: float
    """Of a core, that its ticks take lately."""
    late: float
    """Milliseconds after it was due that a tick began, 99 of 100 in the last ten seconds."""
    rate: float
    """Ticks a second, lately."""
    bytes_in: int
    """Of all connections it ever had."""
    bytes_out: int
    failures: int
    """Handlers that raised."""

    @property
    def people(self) -> int:
        """How many play, rather than watch."""
        return sum(player.player >= 0 for player in self.players)


@dataclass(slots=True)
class Note:
    """Something that happened, for whoever watches over the server."""

    number: int
    """Counts up, by process."""
    time: float
    """Unix time."""
    kind: str
    """A word: opened, closed, joined, left, refused, failed, crashed, behind, drained, worker, ..."""
    words: str
    room: str = ""
    worker: int = 0
    peer: int = 0


@dataclass(slots=True)
class ProcessFigures:
    """One process with rooms."""

    worker: int
    pid: int
    port: int
    alive: bool
    seconds: float
    """Since it started."""
    cpu: float
    """Share of a core, lately."""
    memory: int
    """Bytes of its resident set; 0 where that is not known."""
    bytes_in: int
    bytes_out: int
    unsent: int
    """Datagrams that the system did not take."""
    ignored: dict[str, int]
    """Datagrams that got no answer, by why."""
    ticks: int
    late: float
    """Milliseconds after it was due that a tick began, 99 of 100 in the last ten seconds, over all rooms."""
    dropped: int
    failures: int
    crashes: int
    """Rooms that were closed by an error."""
    reservations: int
    """Places ever given."""
    expired: int
    """Of these, those that nobody came for."""
    refused: int
    """Wishes that could not be met."""
    standstills: int
    """Times the process did not run for a second or more."""
    people: int = 0
    """Who plays in its rooms, or is expected there."""
    rooms: list[RoomFigures] = field(default_factory=list[RoomFigures])
    notes: list[Note] = field(default_factory=list[Note])
    """The last ones, oldest first."""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Back from `plain`, as the same build wrote it."""
        fields = dict(plain)
        fields["rooms"] = [_room(room) for room in fields["rooms"]]
        fields["notes"] = [Note(**note) for note in fields["notes"]]
        return cls(**fields)


def _room(plain: Mapping[str, Any]) -> RoomFigures:
    fields = dict(plain)
    fields["players"] = [PlayerFigures(**player) for player in fields["players"]]
    return RoomFigures(**fields)
