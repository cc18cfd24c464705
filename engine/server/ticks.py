"""How the ticks of a loop or a room go: how late, how long, how often. Told the time."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import accumulate

BOUNDS = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.006, 0.008, 0.012, 0.0166, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Seconds: the upper bounds of what lateness and duration are counted by; 16.6 ms is a tick at 60 Hz."""
RATE_WINDOW = 5.0
"""Seconds that the rate is an average of."""
_MARK_INTERVAL = 0.5


class Histogram:
    """How many values there were up to each bound, the bound included."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = BOUNDS) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """Values above the bound before and up to this one; the last is of those above all."""
        self.total = 0.0
        """The sum of the values."""

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def copy(self) -> Histogram:
        """The same, to stay as it is now."""
        copied = Histogram(self.bounds)
        copied.counts[:] = self.counts
        copied.total = self.total
        return copied

    def add(self, other: Histogram) -> None:
        """Count what another of the same bounds has counted."""
        self.counts[:] = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def since(self, earlier: Histogram) -> Histogram:
        """What was counted after `earlier` was copied from this."""
        difference = self.copy()
        difference.counts[:] = [now - then for now, then in zip(self.counts, earlier.counts, strict=True)]
        difference.total -= earlier.total
        return difference

    def share_up_to(self, bound: float) -> float:
        """The share of values up to one of the bounds, 0 to 1; 1 if there are none."""
        reached = sum(self.counts[: self.bounds.index(bound) + 1])
        return reached / self.count if self.count else 1.0

    def quantile(self, share: float) -> float:
        """A value that this share of all does not exceed, taking them as even between two bounds; 0 if there are none.

        What is above the last bound counts as that.
        """
        wanted = share * self.count
        lower, before = 0.0, 0
        for upper, reached in zip(self.bounds, accumulate(self.counts), strict=False):
            if reached > before and reached >= wanted:
                return lower + (upper - lower) * max(0.0, wanted - before) / (reached - before)
            lower, before = upper, reached
        return self.bounds[-1] if self.count else 0.0


class Ticks:
    """The ticks of one loop, or of one room.

    `rate` is how many there should be a second; `now` is in seconds of the clock that all its callers use.
    """

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self.count = 0
        self.dropped = 0
        """Ticks given up because the loop fell too far behind; to be kept by whoever runs it."""
        self.last = now
        """When the last tick ended, or before the first: when all this began."""
        self.longest_gap = 0.0
        """The most seconds there were between the ends of two ticks, pauses aside."""
        self.lateness = Histogram()
        """How long after they were due ticks began."""
        self.duration = Histogram()
        self.paused = False
        """Whether there are to be no ticks now, as in a room that nobody is in."""
        self._marks: deque[tuple[float, int]] = deque([(now, 0)])

    def ticked(self, now: float, *, late: float, took: float) -> None:
        """A tick ended at `now`, began `late` seconds after it was due, and took so long."""
        gap = now - self.last
        if gap > self.longest_gap:
            self.longest_gap = gap
        self.count += 1
        self.last = now
        self.lateness.observe(late)
        self.duration.observe(took)
        if now - self._marks[-1][0] >= _MARK_INTERVAL:
            self._marks.append((now, self.count))
            while self._marks[1][0] <= now - RATE_WINDOW:
                self._marks.popleft()

    def pause(self) -> None:
        """There are no ticks until `resume`, and none are missed."""
        self.paused = True

    def resume(self, now: float) -> None:
        """There are ticks again."""
        self.paused = False
        self.last = now
        self._marks.clear()
        self._marks.append((now, self.count))

    def rate_at(self, now: float) -> float:
        """Ticks a second, lately."""
        then, count = next((mark for mark in reversed(self._marks) if mark[0] <= now - RATE_WINDOW), self._marks[0])
        return (self.count - count) / (now - then) if now > then and not self.paused else 0.0

    def silence(self, now: float) -> float:
        """Seconds since the last tick; 0 while paused."""
        return 0.0 if self.paused else max(0.0, now - self.last)


def total(histograms: Sequence[Histogram]) -> Histogram:
    """All that these have counted, of the same bounds."""
    summed = Histogram(histograms[0].bounds if histograms else BOUNDS)
    for histogram in histograms:
        summed.add(histogram)
    return summed


__all__ = ["BOUNDS", "Histogram", "Ticks", "total"]
