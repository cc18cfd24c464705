"""Errors of a prediction, shown little by little.

What is shown of an entity is where it is predicted, plus an offset. A correction moves the prediction and, against it,
the offset, so that nothing jumps; then the offset halves and halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALF = 0.06
"""Seconds in which an error shown halves."""
NEWBORN_HALF = 0.03
"""The same for what appears where it was thrown, and hurries to where it is: a tenth is left after 0.1 s."""
SNAP = 150.0
"""Units from which on an error is not glossed over."""
NOTHING = 1e-3
"""Units below which an offset is none."""


class Smoothing:
    """The offsets of entities known by keys, as x, y, angle."""

    def __init__(self) -> None:
        self.keys: Sequence[int] = ()
        self.offsets: Floats = np.zeros((0, 3))
        self._halves: Floats = np.zeros(0)
        self._snaps: NDArray[np.bool_] = np.zeros(0, np.bool_)

    def align(self, keys: Sequence[int]) -> None:
        """Bring the rows into the order of `keys`; who is not among them is forgotten, who is new has no offset."""
        if keys is self.keys or keys == self.keys:
            return
        before = {key: place for place, key in enumerate(self.keys)}
        places = np.array([before.get(key, -1) for key in keys], np.intp)
        known = places >= 0
        offsets, halves, snaps = np.zeros((len(keys), 3)), np.full(len(keys), HALF), np.zeros(len(keys), np.bool_)
        offsets[known], halves[known] = self.offsets[places[known]], self._halves[places[known]]
        snaps[known] = self._snaps[places[known]]
        self.keys, self.offsets, self._halves, self._snaps = list(keys), offsets, halves, snaps

    def corrected(self, keys: Sequence[int], before: Floats, after: Floats) -> None:
        """The prediction of these, in the order of the rows, was moved; each of shape (keys, 3)."""
        self.align(keys)
        moved = before - after
        moved[:, 2] = _short(moved[:, 2])
        self.offsets += moved
        far = np.hypot(self.offsets[:, 0], self.offsets[:, 1]) > SNAP
        self._snaps |= far & (self._halves == HALF)

    def begin(self, place: int, x: float, y: float, angle: float = 0.0, *, half: float = HALF) -> None:
        """What is in this row is shown that far off at first, however far that is."""
        self.offsets[place] = x, y, angle
        self._halves[place] = half
        self._snaps[place] = False

    def advance(self, dt: float) -> Floats:
        """Let the offsets shrink for `dt` seconds. Returns how far each moved what is shown, in units."""
        offsets = self.offsets
        if not offsets.any():
            return np.zeros(len(offsets))
        before = offsets[:, :2].copy()
        offsets *= (0.5 ** (dt / self._halves))[:, None]
        offsets[self._snaps] = 0.0
        gone = np.abs(offsets).max(axis=1) < NOTHING
        offsets[gone] = 0.0
        self._halves[gone] = HALF
        self._snaps[:] = False
        moved = before - offsets[:, :2]
        return np.hypot(moved[:, 0], moved[:, 1])


def _short(angle: Floats) -> Floats:
    """Angles, the short way round."""
    return (angle + pi) % (2 * pi) - pi
