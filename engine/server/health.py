"""Whether the server does its work: the answer of ``/healthz``, bad when ticks stop and good when they go on.

Where ticks and pages share a loop, a handler that blocks holds up the answer, too; whoever asks takes silence for bad.
`verdict` may also be called from another thread, such as one that tells a service supervisor that all is well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.server.ticks import Ticks

PATIENCE = 2.0
"""Seconds without a tick that are no reason to worry."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How things are."""

    problems: tuple[str, ...]
    """What is wrong, in words."""
    ticks: int
    """Of all that is watched, so that whoever asks twice sees them move."""
    silence: float
    """The most seconds since a tick of anything that should tick."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def status(self) -> int:
        """The status of an HTTP response."""
        return 200 if self.ok else 503

    def plain(self) -> dict[str, object]:
        """As JSON would have it."""
        return {
            "ok": self.ok,
            "problems": list(self.problems),
            "ticks": self.ticks,
            "seconds_since_tick": round(self.silence, 3),
        }


class Health:
    """Watches ticks, and whatever else is given a check. `clock` is that of the ticks."""

    def __init__(self, clock: Callable[[], float], *, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._clock = clock
        self._ticks: dict[str, Ticks] = {}
        self._checks: dict[str, Callable[[], str]] = {}

    def watch(self, name: str, ticks: Ticks) -> None:
        """Expect these ticks to go on, unless paused, under a name for people, such as ``room k3f9``."""
        self._ticks[name] = ticks

    def check(self, name: str, problem: Callable[[], str]) -> None:
        """Ask `problem` what is wrong, each time; it returns "" for nothing."""
        self._checks[name] = problem

    def forget(self, name: str) -> None:
        """Watch no longer what was given under this name, if anything was."""
        self._ticks.pop(name, None)
        self._checks.pop(name, None)

    def verdict(self) -> Verdict:
        """How things are now."""
        now = self._clock()
        problems: list[str] = []
        count, most = 0, 0.0
        for name, ticks in list(self._ticks.items()):
            silence = ticks.silence(now)
            count += ticks.count
            most = max(most, silence)
            if silence > self.patience:
                problems.append(f"{name}: no tick for {silence:.1f} s, after {ticks.count}")
        for name, check in list(self._checks.items()):
            try:
                problem = check()
            except Exception as error:
                problem = f"could not be checked: {error!r}"
            if problem:
                problems.append(f"{name}: {problem}")
        return Verdict(tuple(problems), count, most)
