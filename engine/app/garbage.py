"""Garbage: what has come to stay is set aside from collections, so that no tick or image waits for a long one.

A full collection looks at everything there is, modules and pictures too, which takes as long as one or two images. Even
one of what is young can: where as much is freed as is made, it is due seldom, and finds what has piled up since.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from math import inf


def set_aside() -> None:
    """Collect now, and spare what is left from collections until the next call, or `take_back`.

    For when a match or a menu has just been set up: it takes some hundredths of a second.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def take_back() -> None:
    """Let collections see everything again."""
    gc.unfreeze()


STEP = 0.02
"""Seconds from one step to the next: what was made since takes a tenth of a millisecond to look at."""


class Sweeper:
    """Collects in small steps, for a loop that has no time for large ones; for the whole process, as all in here.

    What a step leaves is set aside, so that the next looks only at what is new. What became garbage later is found by a
    full collection, every `full` seconds, or as soon as there is time.
    """

    def __init__(self, clock: Callable[[], float], *, full: float = inf) -> None:
        self.steps = 0
        self.fulls = 0
        self._clock = clock
        self._every = full
        self._swept = self._full = clock()
        self._new = False

    def sweep(self, *, idle: bool = False) -> None:
        """Take a step, if one is due. `idle` says that nobody would notice a long one now."""
        now = self._clock()
        if self._new and (idle or now - self._full >= self._every):
            set_aside()
            self.fulls += 1
            self._full, self._new = now, False
        elif not idle and now - self._swept >= STEP:
            gc.collect(0)
            gc.freeze()
            self.steps += 1
            self._swept, self._new = now, True
