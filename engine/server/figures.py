"""What can be read of a running server: plain values, the same whether a room is in this process or in a worker's."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

BUCKETS = (
    *(0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012),
    *(0.0167, 0.025, 0.0333, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
"""Upper bounds in seconds, included, for how long a tick took or how late it was; one more has all above."""


@dataclass(slots=True)
class Histogram:
    """How often durations fell into each of `BUCKETS`, and above."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0
    """The sum of all, in seconds."""

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """Their mean, in seconds; 0 if there are none."""
        return self.total / max(1, self.count)

    def quantile(self, share: float) -> float:
        """The bound that `share` of them are within, in seconds; 0 if there are none."""
        wanted, seen = share * self.count, 0
        for bound, count in zip((*BUCKETS, math.inf), self.counts, strict=True):
            seen += count
            if seen >= wanted:
                return bound if seen else 0.0
        return 0.0

    def add(self, other: Histogram) -> None:
        """Count all that the other one has."""
        self.counts = [mine + more for mine, more in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def since(self, before: Histogram) -> Histogram:
        """What came on top of an earlier copy of it."""
        counts = [now - then for now, then in zip(self.counts, before.counts, strict=True)]
        return Histogram(counts, self.total - before.total)

    def copy(self) -> Histogram:
        """As it is now."""
        return Histogram(self.counts[:], self.total)


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
    durations: Histogram
    lateness: Histogram
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
    lateness: Histogram
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
        fields["lateness"] = Histogram(**fields["lateness"])
        fields["rooms"] = [_room(room) for room in fields["rooms"]]
        fields["notes"] = [Note(**note) for note in fields["notes"]]
        return cls(**fields)


def _room(plain: Mapping[str, Any]) -> RoomFigures:
    fields = dict(plain)
    fields["players"] = [PlayerFigures(**player) for player in fields["players"]]
    fields["durations"], fields["lateness"] = Histogram(**fields["durations"]), Histogram(**fields["lateness"])
    return RoomFigures(**fields)


def sum_of(histograms: Sequence[Histogram]) -> Histogram:
    """All of them in one."""
    found = Histogram()
    for each in histograms:
        found.add(each)
    return found
