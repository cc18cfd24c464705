"""How much may be sent to a peer: a token bucket whose rate backs off when packets get lost or start to queue up.

Once a round trip, the packets accounted for meanwhile decide:

- more than `LOSS_LIMIT` of them lost: the rate falls to `LOSS_BACK_OFF` of itself. Up to that, radio links lose packets
  whatever the rate.
- the fastest of them took longer than the fastest of the last seconds by `QUEUE_LIMIT`: a queue is building up
  somewhere and does not drain, so the rate falls to `QUEUE_BACK_OFF` of itself.
- otherwise, where the rate was what held packets back, it grows: doubling until the first back-off, then by
  `GROWTH`.
"""

from __future__ import annotations

import math

from engine.net.connection.estimate import Estimate

LOSS_LIMIT = 0.15
LOSS_BACK_OFF = 0.8
QUEUE_LIMIT = 0.05
"""Seconds; or a quarter of the least round trip time, where that is more."""
QUEUE_BACK_OFF = 0.85
GROWTH = 1.1
LEAST_PACKETS = 20
"""Fewer say too little about loss."""
ROUND = 0.1
"""Seconds a round lasts at least."""
BURST = 0.05
"""Seconds' worth of the rate that may be saved up while nothing is sent."""
LEAST_BURST = 4096.0
"""Bytes that may be saved up however low the rate."""


class Budget:
    """Bytes that may be sent now, and the rate at which they come back, in bytes a second."""

    __slots__ = (
        "_acked",
        "_fastest",
        "_held_back",
        "_lost",
        "_starting",
        "_updated",
        "bytes",
        "ceiling",
        "floor",
        "rate",
        "round_until",
    )

    def __init__(self, floor: float, start: float, ceiling: float) -> None:
        self.floor = floor
        self.ceiling = ceiling
        self.rate = start
        self.bytes = LEAST_BURST
        """What may be sent now, as of the last `refill`."""
        self._updated = -math.inf
        self._starting = True
        self._held_back = False
        self.round_until = 0.0
        """When `adapt` has something to decide."""
        self._acked = 0
        self._lost = 0
        self._fastest = math.inf

    def refill(self, now: float) -> None:
        """Credit the time since the last call."""
        if now > self._updated:
            most = self.rate * BURST
            if most < LEAST_BURST:
                most = LEAST_BURST
            credited = self.bytes + (now - self._updated) * self.rate
            self.bytes = credited if credited < most else most
            self._updated = now

    @property
    def ready(self) -> bool:
        """Whether one more packet may go out. The last one may overdraw: its successors wait the longer."""
        return self.bytes > 0

    def spend(self, size: int) -> None:
        """Account for a datagram of `size` bytes."""
        self.bytes -= size

    def wait(self) -> float:
        """Note that something had to wait, and say until when."""
        self._held_back = True
        return self._updated + (-self.bytes + 1) / self.rate

    def acked(self, rtt: float) -> None:
        """A packet arrived, and was acked `rtt` seconds after it was sent."""
        self._acked += 1
        if rtt < self._fastest:
            self._fastest = rtt

    def lost(self) -> None:
        """A packet was given up."""
        self._lost += 1

    def adapt(self, estimate: Estimate, now: float) -> None:
        """At the end of a round, decide on the rate of the next."""
        if now < self.round_until:
            return
        total = self._acked + self._lost
        queueing = self._fastest - estimate.minimum > max(QUEUE_LIMIT, estimate.minimum / 4)
        if self._acked and queueing:
            self._back_off(QUEUE_BACK_OFF)
        elif total >= LEAST_PACKETS and self._lost > LOSS_LIMIT * total:
            self._back_off(LOSS_BACK_OFF)
        elif self._held_back and self._acked:
            self.rate = min(self.ceiling, self.rate * (2.0 if self._starting else GROWTH))
        elif total < LEAST_PACKETS and self._lost:
            self.round_until = now + ROUND  # too few to judge by: go on counting
            return
        self.round_until = now + max(ROUND, estimate.rtt)
        self._acked = self._lost = 0
        self._fastest = math.inf
        self._held_back = False

    def _back_off(self, factor: float) -> None:
        self._starting = False
        self.rate = max(self.floor, self.rate * factor)
