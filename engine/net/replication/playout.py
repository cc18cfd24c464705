"""When to show what: snapshots are shown late enough that the next one is nearly always there.

Write `offset` for the newest snapshot's tick less the ticks that passed on this machine's clock. It jumps up with each
snapshot and falls in between, and showing the time that passed plus a constant c underruns exactly while the offset is
below c. So c is a low quantile of the offset over time. Latency, the interval, jitter and losses are all in there, and
the server's clock is not needed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from heapq import merge
from math import inf

WINDOW = 20.0
"""Seconds that the quantile is taken over,"""
RECENT = 20.0
"""of which these, if they are much calmer than those before, are all that counts: the network got better."""
TOLERATED = 0.0015
"""The share of time in which the next snapshot may be missing, of the past window; in the one to come it is more."""
SILENCE = 0.4
"""Seconds without a snapshot, or four intervals if these are longer, that no delay is to make up for."""
CHANGE = 0.1
"""How far the speed of what is shown may be from that of the server."""
HOPELESS = 1.0
"""Seconds that what is shown may be behind; beyond, it jumps ahead."""
BEYOND = 0.5
"""Seconds beyond the newest snapshot where what is shown waits for the next."""
STOOD = 0.25
"""Seconds that a silence has to shift things by: the server stood still, or what is shown has to jump."""
ENOUGH = 8
"""Snapshots after a standstill that tell what the delay is since."""
_SLACK = 0.25  # ticks that the offset may be below the aim without a look at once
_SECONDS = 0.5  # in which an error is halved, more or less
_INTERVAL = 0.5  # seconds from one look at the quantile to the next, at most


class _Lows:
    """The offsets at which each wait for a snapshot was looked at last, over some stretch of time."""

    __slots__ = ("length", "ordered", "waits")

    def __init__(self) -> None:
        self.waits: deque[tuple[float, float, float]] = deque()
        """When each ended, its length in ticks, and the offset; the oldest first."""
        self.ordered: list[float] = []
        """The offsets."""
        self.length = 0.0
        """Of all, in ticks."""

    def add(self, ended: float, length: float, low: float) -> None:
        self.waits.append((ended, length, low))
        self.length += length
        insort(self.ordered, low)

    def pass_on(self, until: float, to: _Lows | None) -> None:
        """Give away those that ended before some time."""
        while self.waits and self.waits[0][0] < until:
            ended, length, low = self.waits.popleft()
            self.length -= length
            del self.ordered[bisect_left(self.ordered, low)]
            if to is not None:
                to.add(ended, length, low)

    @property
    def middle(self) -> float:
        """Their median."""
        return self.ordered[len(self.ordered) // 2]

    @property
    def spread(self) -> float:
        """From the first decile to the last."""
        tenth = len(self.ordered) // 10
        return self.ordered[-1 - tenth] - self.ordered[tenth]


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
        self._recent = _Lows()
        self._before = _Lows()
        self._highs: deque[tuple[float, float]] = deque()
        """When a snapshot came, and the offset then: those that no later one was above."""
        self._aim = 0.0
        self._look_at = 0.0
        self._now: float | None = None
        self._shown = 0.0
        self._since = 0.0  # the last standstill
        self._calm = -inf  # when all was last found to be much calmer than before
        self._lost = False  # a silence is just over, in which what was sent was lost
        self._standing = False  # what is shown waits, as the server did

    def arrived(self, tick: int, now: float) -> None:
        """The snapshot of `tick` has been applied."""
        rate = self._rate
        if not self._highs:
            self._shown = self._begin(tick, now)
            self._now = self._since = now
        elif tick <= self._newest:
            return
        else:
            passed = (now - self._newest_at) * rate
            # Soon after the last look at the latest: while this side stands still, nothing is shown, nor missed.
            looked = min(now, (self._now or now) + 2 / rate)
            if passed >= self._silence:
                self._heard_again(passed - (tick - self._newest), now)
            elif looked > self._newest_at:
                low = self._newest - looked * rate
                self._recent.add(now, passed, low)
                if low < self._aim - _SLACK:
                    self._look_at = now
                self._recent.pass_on(now - RECENT, self._before if now > self._calm + RECENT else None)
                self._before.pass_on(now - WINDOW, None)
        high = tick - now * rate
        self._newest, self._newest_at = tick, now
        while self._highs and self._highs[-1][1] <= high:
            self._highs.pop()
        self._highs.append((now, high))
        while self._highs[0][0] < now - RECENT:
            self._highs.popleft()

    def _begin(self, tick: int, now: float) -> float:
        """Nothing is known yet: assume that a snapshot was late by its whole interval once, and show that."""
        low = tick - 2.5 * self._every
        self._aim = low - now * self._rate
        self._recent.add(now - WINDOW + RECENT, self._every, self._aim)
        self._look_at = now + _INTERVAL
        return low

    def _heard_again(self, stood: float, now: float) -> None:
        """A silence is over. If the server stood still, so does what is shown until it is right again."""
        self._standing = stood > STOOD * self._rate
        self._lost = not self._standing
        if self._standing:
            waits = [*self._before.waits, *self._recent.waits]
            self._recent, self._before = _Lows(), _Lows()
            for ended, length, low in waits:
                self._before.add(ended, length, low - stood)
            self._aim -= stood
            self._highs.clear()
            self._since = now

    def _look(self, now: float) -> None:
        """Find the offset below which is the tolerated share of time: let water into a terrain of slopes."""
        recent, before = self._recent, self._before
        shift = 0.0
        if len(recent.ordered) >= ENOUGH and len(before.ordered) >= ENOUGH:
            if now >= self._since + RECENT and recent.spread < before.spread / 2 - _SLACK:
                before = self._before = _Lows()
                self._calm = now
            else:  # clocks drift, ways change, servers stand still: what was then would be so today
                shift = recent.middle - before.middle
        left = TOLERATED * (recent.length + before.length)
        level, slopes = 0.0, 0
        for low in merge((low + shift for low in before.ordered), recent.ordered):
            if slopes and slopes * (low - level) >= left:
                level += left / slopes
                break
            left -= slopes * (low - level)
            level, slopes = low, slopes + 1
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
            self._look(now)
            self._look_at = now + _INTERVAL
        rate = self._rate
        passed = (now - last) * rate
        shown = self._shown
        error = self._aim + last * rate - shown
        if error > (STOOD if self._lost else HOPELESS) * rate:
            shown += error
            error = 0.0
        self._lost = False
        self._standing = self._standing and error < -_SLACK
        if self._standing:
            self.speed = 0.0
        elif (now - self._newest_at) * rate > 2 * self._every:  # at least one is lost: make the rest last longer
            self.speed = 1 - CHANGE
        else:
            self.speed = 1 + min(CHANGE, max(-CHANGE, error / (_SECONDS * rate)))
        # Not even a snap goes far beyond what is known, so that after a silence there is little way back to go.
        self._shown = max(self._shown, min(shown + passed * self.speed, self._newest + BEYOND * rate))
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
