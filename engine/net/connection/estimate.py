"""What is known of the way to a peer: round trip time, jitter, loss. Times are seconds."""

from __future__ import annotations

import math

INITIAL_TIMEOUT = 0.5
"""Seconds to wait for the first ack of all."""
ACK_DELAY = 0.02
"""Seconds a receiver may hold back the ack of a packet with reliable parts, hoping for something to send it with."""
IDLE_ACK_DELAY = 0.1
"""The same for a packet without: its ack can wait for the next snapshot or command, which saves a packet each time."""
GRANULARITY = 0.01
"""No timer is finer than this, since packets go out in ticks."""
_MIN_WINDOW = 10.0
_LOSS_GAIN = 1 / 64


class Estimate:
    """Round trip time smoothed after RFC 6298 (gain 1/8, deviation 1/4), its recent minimum, and the share lost."""

    __slots__ = ("_minimum", "_minimum_since", "_previous_minimum", "deviation", "loss", "rtt", "samples")

    def __init__(self) -> None:
        self.rtt = 0.0
        """Smoothed round trip time; 0 before the first sample."""
        self.deviation = 0.0
        """Smoothed mean deviation of the round trip time: the jitter."""
        self.loss = 0.0
        """The share of recent packets that were lost, 0 to 1."""
        self.samples = 0
        self._minimum = math.inf
        self._previous_minimum = math.inf
        self._minimum_since = 0.0

    @property
    def minimum(self) -> float:
        """The least round trip time of the last 10 to 20 seconds; 0 before the first sample."""
        least = min(self._minimum, self._previous_minimum)
        return least if least < math.inf else self.rtt

    def sample(self, rtt: float, now: float) -> None:
        """A packet was acked `rtt` after it was sent."""
        if self.samples == 0:
            self.rtt, self.deviation = rtt, rtt / 2
            self._minimum_since = now
        else:
            self.deviation += (abs(self.rtt - rtt) - self.deviation) / 4
            self.rtt += (rtt - self.rtt) / 8
        self.samples += 1
        if now - self._minimum_since > _MIN_WINDOW:
            self._previous_minimum, self._minimum = self._minimum, rtt
            self._minimum_since = now
        elif rtt < self._minimum:
            self._minimum = rtt

    def outcome(self, lost: bool) -> None:
        """A packet was acked, or given up."""
        self.loss += (lost - self.loss) * _LOSS_GAIN

    @property
    def reorder_delay(self) -> float:
        """How much later than a packet sent after it a packet may be acked before it is taken for lost.

        RFC 9002 has 9/8 of the round trip time; the deviation is added for links that reorder.
        """
        return max(self.rtt * 9 / 8, self.rtt + 2 * self.deviation) + GRANULARITY

    @property
    def timeout(self) -> float:
        """How long to wait for any ack: the retransmission timeout of RFC 6298 plus what an ack may be held back."""
        if not self.samples:
            return INITIAL_TIMEOUT
        return self.rtt + max(4 * self.deviation, GRANULARITY) + IDLE_ACK_DELAY
