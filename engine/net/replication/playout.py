"""When to show what: snapshots are shown late enough that the next one is nearly always there.

Write `offset` for the newest snapshot's tick less the ticks that passed on this machine's clock. It jumps up with each
snapshot and falls in between, and showing the time that passed plus a constant c underruns exactly while the offset is
below c. So c is a low quantile of the offset over time. Latency, the interval, jitter and losses are all in there, and
the server's clock is not needed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from itertools import islice

WINDOW = 20.0
"""Seconds that the quantile is taken over."""
TOLERATED = 0.0015
"""The share of time in which the next snapshot may be missing, of the past window; in the one to come it is more."""
SILENCE = 0.4
"""Seconds without a snapshot, or four intervals if these are longer, that no delay is to make up for."""
CHANGE = 0.1
"""How far the speed of what is shown may be from that of the server."""
HOPELESS = 1.0
"""Seconds that what is shown may be off; beyond, it jumps ahead."""
_SLACK = 0.25  # ticks that the offset may be below the aim without a look at once
_SECONDS = 0.5  # in which an error is halved, more or less
_INTERVAL = 0.5  # seconds from one look at the quantile to the next, at most


class Playout:
    """What server tick to show at what time. `dt` is a tick in seconds, `every` the ticks between snapshots."""

    def __init__(self, dt: float = 1 / 60, *, every: int = 2) -> None:
        self.frames = 0
        """Times asked for so far."""
        self.underruns = 0
        """How many of those lay beyond the newest snapshot."""
        self.speed = 1.0
        """What is shown runs at this many times the server's speed."""
        self._rate = 1 / dt
        self._every = every
        self._silence = max(SILENCE * self._rate, 4 * every)  # ticks
        self._newest = 0
        self._newest_at = 0.0
        self._lows: deque[tuple[float, float, float]] = deque()
        """For each time between two snapshots: when it ended, its length in ticks, the offset when last looked at."""
        self._ordered: list[float] = []  # the offsets of those
        self._length = 0.0  # of all those
        self._highs: deque[tuple[float, float]] = deque()
        """When a snapshot came, and the offset then: those that no later one was above."""
        self._aim = 0.0
        self._look_at = 0.0
        self._now: float | None = None
        self._shown = 0.0

    def arrived(self, tick: int, now: float) -> None:
        """The snapshot of `tick` has been applied."""
        rate = self._rate
        high = tick - now * rate
        if not self._highs:
            self._shown = self._begin(tick, now)
            self._now = now
        elif tick <= self._newest:
            return
        else:
            passed = (now - self._newest_at) * rate
            # Soon after the last look at the latest: while this side stands still, nothing is shown, nor missed.
            looked = min(now, (self._now or now) + 2 / rate)
            if passed < self._silence and looked > self._newest_at:
                low = self._newest - looked * rate
                self._add(now, passed, low)
                if low < self._aim - _SLACK:
                    self._look_at = now
                while self._lows[0][0] < now - WINDOW:
                    _, length, low = self._lows.popleft()
                    self._length -= length
                    del self._ordered[bisect_left(self._ordered, low)]
        self._newest, self._newest_at = tick, now
        while self._highs and self._highs[-1][1] <= high:
            self._highs.pop()
        self._highs.append((now, high))
        while self._highs[0][0] < now - WINDOW:
            self._highs.popleft()

    def _begin(self, tick: int, now: float) -> float:
        """Nothing is known yet: assume that a snapshot was late by its whole interval once, and show that."""
        low = tick - 2.5 * self._every
        self._aim = low - now * self._rate
        self._add(now, self._every, self._aim)
        self._look_at = now + _INTERVAL
        return low

    def _add(self, ended: float, length: float, low: float) -> None:
        self._lows.append((ended, length, low))
        self._length += length
        insort(self._ordered, low)

    def _look(self) -> None:
        """Find the offset below which is the tolerated share of time: let water into a terrain of slopes."""
        lows = self._ordered
        left = TOLERATED * self._length
        level = lows[0]
        for slopes, low in enumerate(islice(lows, 1, None), 1):
            if slopes * (low - level) >= left:
                level += left / slopes
                break
            left -= slopes * (low - level)
            level = low
        self._aim = level

    def at(self, now: float) -> float:
        """The server's time to show at `now`, in ticks; never less than at an earlier `now`, which may be asked again.

        To be asked once a frame or tick; that of a moment before the last one is told without being counted.
        """
        last = self._now
        if last is None:
            return 0.0
        if now <= last:
            return self._shown + (now - last) * self._rate * self.speed
        if now >= self._look_at:
            self._look()
            self._look_at = now + _INTERVAL
        rate = self._rate
        passed = (now - last) * rate
        shown = self._shown
        error = self._aim + last * rate - shown
        if error > HOPELESS * rate:
            shown += error
            error = 0.0
        if (now - self._newest_at) * rate > 2 * self._every:  # at least one is lost: make the rest last longer
            self.speed = 1 - CHANGE
        else:
            self.speed = 1 + min(CHANGE, max(-CHANGE, error / (_SECONDS * rate)))
        # Not even a snap goes beyond what is known, so that after a silence there is no way back to go.
        self._shown = max(self._shown, min(shown + passed * self.speed, self._newest + HOPELESS * rate))
        self._now = now
        self.frames += 1
        self.underruns += self._shown > self._newest
        return self._shown

    @property
    def delay(self) -> float:
        """How far what is shown is behind what could be, had every snapshot come as fast as the fastest; in seconds."""
        if self._now is None:
            return 0.0
        return (self._highs[0][1] + self._now * self._rate - self._shown) / self._rate
