"""A bad network on purpose: what a link does to datagrams, decided by a seed and the time it is given.

It knows no socket and no clock, so the same link serves virtual time and real sockets.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from heapq import heappop, heappush

from engine.net.connection.address import Address

UDP_BYTES = 28
"""What IPv4 and UDP add to a datagram; the rate limit counts it."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What happens to datagrams on their way in one direction. Times are seconds; shares are from 0 to 1.

    Loss in bursts is the Gilbert-Elliott model: before each datagram the link goes bad with probability `burst`, and
    from bad to good again with `1 / burst_length`; while it is bad, `burst_loss` of the datagrams are lost.
    """

    latency: float = 0.0
    jitter: float = 0.0
    """Each datagram takes `latency` plus or minus up to this, independently: so it also reorders."""
    loss: float = 0.0
    burst: float = 0.0
    burst_length: float = 5.0
    burst_loss: float = 1.0
    duplicate: float = 0.0
    reorder: float = 0.0
    """The share that is held for `reorder_delay`, and overtaken."""
    reorder_delay: float = 0.05
    corrupt: float = 0.0
    """The share in which some bits are flipped."""
    rate: float | None = None
    """Bytes a second; what comes faster waits in a queue of `queue` bytes, and beyond that is lost."""
    queue: int = 64_000

    def __post_init__(self) -> None:
        shares = ("loss", "burst", "burst_loss", "duplicate", "reorder", "corrupt")
        for share in shares:
            if not 0.0 <= getattr(self, share) <= 1.0:
                raise ValueError(f"{share} is a share from 0 to 1, not {getattr(self, share)}")
        if self.latency < 0 or self.jitter < 0 or self.reorder_delay < 0 or self.burst_length < 1:
            raise ValueError(f"{self}: times must not be negative, nor burst_length less than 1")
        if self.rate is not None and self.rate <= 0:
            raise ValueError(f"rate is in bytes a second, above 0, or None; not {self.rate}")


PERFECT = Conditions()


class Link:
    """One direction of a way, or of all ways through one socket; each datagram keeps the address it is labelled with.

    `conditions` may be changed at any time; what is under way is not affected.
    """

    def __init__(self, conditions: Conditions, seed: int | str) -> None:
        self.conditions = conditions
        self.sent = 0
        self.lost = 0
        self._rng = random.Random(seed)
        self._bad = False
        self._free_at = 0.0  # when the rate limit lets the next datagram pass
        self._under_way: list[tuple[float, int, bytes, Address]] = []
        self._serial = 0

    def send(self, datagram: bytes, address: Address, now: float) -> None:
        """Put a datagram on its way, or lose it."""
        self.sent += 1
        conditions, rng = self.conditions, self._rng
        if conditions.burst:
            self._bad = rng.random() >= 1 / conditions.burst_length if self._bad else rng.random() < conditions.burst
            if self._bad and rng.random() < conditions.burst_loss:
                self.lost += 1
                return
        if conditions.loss and rng.random() < conditions.loss:
            self.lost += 1
            return
        if conditions.rate is not None:
            waiting = max(0.0, self._free_at - now)
            if waiting * conditions.rate > conditions.queue:
                self.lost += 1
                return
            self._free_at = now + waiting + (len(datagram) + UDP_BYTES) / conditions.rate
            now = self._free_at
        if conditions.corrupt and rng.random() < conditions.corrupt:
            datagram = self._flip(datagram)
        self._put(datagram, address, now)
        if conditions.duplicate and rng.random() < conditions.duplicate:
            self._put(datagram, address, now)

    def _put(self, datagram: bytes, address: Address, now: float) -> None:
        conditions, rng = self.conditions, self._rng
        due = now + conditions.latency
        if conditions.jitter:
            due = max(now, due + rng.uniform(-conditions.jitter, conditions.jitter))
        if conditions.reorder and rng.random() < conditions.reorder:
            due += conditions.reorder_delay
        self._serial += 1
        heappush(self._under_way, (due, self._serial, datagram, address))

    def _flip(self, datagram: bytes) -> bytes:
        flipped = bytearray(datagram)
        for _ in range(self._rng.randint(1, 8)):
            if flipped:
                flipped[self._rng.randrange(len(flipped))] ^= 1 << self._rng.randrange(8)
        return bytes(flipped)

    def arrivals(self, now: float) -> list[tuple[bytes, Address]]:
        """The datagrams that have arrived by `now`, in order of arrival; each is handed over once."""
        arrived: list[tuple[bytes, Address]] = []
        while self._under_way and self._under_way[0][0] <= now:
            arrived.append(heappop(self._under_way)[2:])
        return arrived

    def next_timer(self) -> float | None:
        """When the next datagram arrives; None while none is under way."""
        return self._under_way[0][0] if self._under_way else None
