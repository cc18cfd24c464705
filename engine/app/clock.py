"""The fixed step: turns real time, told from outside, into a number of ticks and an alpha."""

from __future__ import annotations

from math import ceil, isfinite

from engine.app.errors import AppError

MAX_CATCH_UP = 5
"""Ticks caught up at most in one advance, or that many times `speed`. More would take longer than they make up for."""


class FixedStep:
    """Accumulates real time and pays it out in ticks of `1 / rate` seconds."""

    def __init__(self, rate: float = 60.0, *, max_catch_up: int = MAX_CATCH_UP) -> None:
        if not (rate > 0 and isfinite(rate)):
            raise AppError(f"a rate of {rate!r} ticks a second makes no sense; give a positive number, e.g. 60")
        self.rate = rate
        self.dt = 1.0 / rate
        self.max_catch_up = max_catch_up
        self.dropped = 0
        """Ticks of real time that were given up because the loop fell too far behind."""
        self.paused = False
        self.waiting = 0
        """Of the ticks due at the last advance: how many have not run, the one that is running included."""
        self._speed = 1.0
        self._steps = 0
        self._now: float | None = None
        self._accumulated = 0.0

    @property
    def speed(self) -> float:
        """Simulated seconds per real second: 0.25 is slow motion, 2 is double time."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if not 0 < speed <= 100:
            raise AppError(f"speed must be above 0 and at most 100, not {speed!r}; to stand still, pause")
        self._speed = speed

    def step(self, ticks: int = 1) -> None:
        """While paused: run this many ticks at the next advance."""
        self._steps += ticks

    def advance(self, now: float) -> int:
        """Take the time, in seconds of any steady clock; returns how many ticks are due.

        A clock that goes back counts as one that stood still. Raises `AppError` if `now` is not finite.
        """
        if not isfinite(now):
            raise AppError(f"the clock says {now!r}; give a time in seconds")
        passed = 0.0 if self._now is None else max(0.0, now - self._now)
        self._now = now
        steps, self._steps = self._steps, 0
        if self.paused:
            return steps
        self._accumulated += passed * self._speed
        due = int(self._accumulated * self.rate + 1e-9)
        self._accumulated = max(0.0, self._accumulated - due * self.dt)
        cap = ceil(self.max_catch_up * max(1.0, self._speed))
        if due > cap:
            self.dropped += due - cap
            due = cap
        return due + steps

    @property
    def alpha(self) -> float:
        """How far the present lies beyond the last tick, in ticks, from 0 to 1."""
        return min(1.0, self._accumulated * self.rate)

    def until_due(self, now: float) -> float:
        """Real seconds from `now` until a tick is due; 0 if one is, infinite while paused."""
        if self._steps or self._now is None:
            return 0.0
        if self.paused:
            return float("inf")
        return max(0.0, self._now + (self.dt - self._accumulated) / self._speed - now)
