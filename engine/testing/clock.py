"""A clock that stands still until it is told to move."""

from __future__ import annotations


class ManualClock:
    """Give it wherever a clock is asked for: calling it gives the time in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Move on, or back if negative, as a bad clock may. Returns the new time."""
        self.now += seconds
        return self.now

    def __repr__(self) -> str:
        return f"ManualClock({self.now})"
