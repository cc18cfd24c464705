"""One measured figure and what it is held against, both from the same run."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is ours over theirs; for times, 2.0 means twice as slow, and 0.02 fifty times as fast.

    `reach` is written like `<= 2.0` and holds the ratio, or like `>= 50 faster`: theirs over ours.
    """

    name: str
    value: float
    unit: str
    against: str | None = None
    against_value: float | None = None
    reach: str | None = None
    scenario: str | None = None
    """Of several in which the same is measured; shown side by side."""

    @property
    def ratio(self) -> float | None:
        return None if self.against_value is None else self.value / self.against_value

    @property
    def ok(self) -> bool | None:
        """Whether the reach is met; None where there is nothing to reach."""
        if self.reach is None:
            return None
        sign, limit, *faster = self.reach.split()
        measured = self.value if self.ratio is None else self.ratio
        if faster:
            return 1.0 / measured >= float(limit)
        return measured <= float(limit) if sign == "<=" else measured >= float(limit)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "scenario": self.scenario,
            "value": self.value,
            "unit": self.unit,
            "against": self.against,
            "against_value": self.against_value,
            "ratio": self.ratio,
            "reach": self.reach,
            "ok": self.ok,
        }


def rival(contenders: dict[str, Callable[[], object]], *, rounds: int = 15, number: int = 1) -> dict[str, float]:
    """The best seconds a call of each contender, taken turn about so that all see the same machine."""
    best = dict.fromkeys(contenders, float("inf"))
    for run in contenders.values():
        run()
    for _ in range(rounds):
        for name, run in contenders.items():
            gc.collect()
            start = time.perf_counter()
            for _ in range(number):
                run()
            best[name] = min(best[name], (time.perf_counter() - start) / number)
    return best
