"""Keeps one message from filling the log: so many of a kind in a while, then only their number."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

MOST_KINDS = 1000
"""Kinds remembered at a time; more come only from messages that are put together before they are logged."""


@dataclass(slots=True)
class _Window:
    end: float
    passed: int = 0
    held: int = 0


class Limiter:
    """Lets `burst` messages of a kind pass in `window` seconds. Told the time by its callers."""

    def __init__(self, burst: int = 10, window: float = 10.0) -> None:
        self.burst = burst
        self.window = window
        self._windows: dict[Hashable, _Window] = {}
        self._next_end = float("inf")

    def admit(self, kind: Hashable, now: float) -> bool:
        """Whether a message may pass; one that may not is counted."""
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= MOST_KINDS:
                return self._overflow(kind, now)
            window = self._windows[kind] = _Window(now + self.window)
            self._next_end = min(self._next_end, window.end)
        if window.passed < self.burst:
            window.passed += 1
            return True
        window.held += 1
        return False

    def _overflow(self, kind: Hashable, now: float) -> bool:
        """Forget the oldest kind that holds nothing back. If there is none, the message passes: better one too many."""
        for other, window in self._windows.items():
            if not window.held:
                del self._windows[other]
                self._windows[kind] = _Window(now + self.window, passed=1)
                break
        return True

    def ended(self, now: float) -> list[tuple[Hashable, int]]:
        """The kinds whose while is over, with how many were held back, if any were. To be asked before `admit`."""
        if now < self._next_end:
            return []
        over = [kind for kind, window in self._windows.items() if window.end <= now]
        held = [(kind, self._windows.pop(kind).held) for kind in over]
        self._next_end = min((window.end for window in self._windows.values()), default=float("inf"))
        return [(kind, count) for kind, count in held if count]

    def end_all(self) -> list[tuple[Hashable, int]]:
        """As `ended`, as if every while was over."""
        return self.ended(float("inf"))

    @property
    def next_end(self) -> float:
        """When `ended` may have something; infinite if there is nothing to wait for."""
        return self._next_end
