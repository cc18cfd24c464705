"""Where entities were at the end of each of the last ticks, as one block of floats.

Only those that still exist have a column, in order of id; a place is no number (NaN) at ticks at which its entity was
not there, and so is every distance to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan, pi
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.compiled import has
from engine.ecs import digest
from engine.physics.touch import Place

COMPILED = has("engine.physics.kernel")
if TYPE_CHECKING or COMPILED:
    from engine.physics import kernel


@dataclass(frozen=True, slots=True)
class PlacesState:
    """A copy of all places."""

    tick: int
    ids: NDArray[np.uint64]
    ring: NDArray[np.float64]


class Places:
    """The places of a changing set of entities at the last `depth` ticks."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.tick = 0
        """The newest tick noted."""
        self.ids: NDArray[np.uint64] = np.empty(0, np.uint64)
        """The entities as of that tick, sorted."""
        self._ring: NDArray[np.float64] = np.full((depth, 3, 0), nan)
        """x, y and angle; shape (depth, 3, entities). Tick t is in row t % depth."""
        self._order: NDArray[np.intp] = np.empty(0, np.intp)

    def note(self, tick: int, ids: NDArray[np.uint64] | None, places: NDArray[np.float64]) -> None:
        """Note where entities are at the end of `tick`: ids in any order, places of shape (entities, 3).

        No ids stand for the same, in the same order, as at the tick before.
        """
        if ids is not None:
            self._order = ids.argsort()
            self._rearrange(ids[self._order])
        for missed in range(max(self.tick + 1, tick - self.depth), tick):
            self._ring[missed % self.depth] = nan
        self.tick = tick
        places.T.take(self._order, axis=1, out=self._ring[tick % self.depth], mode="clip")

    def _rearrange(self, ids: NDArray[np.uint64]) -> None:
        ring = np.full((self.depth, 3, len(ids)), nan)
        _, before, now = np.intersect1d(self.ids, ids, assume_unique=True, return_indices=True)
        ring[:, :, now] = self._ring[:, :, before]
        self.ids, self._ring = ids, ring

    def around(self, ticks: NDArray[np.intp], columns: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """x and y at whole ticks, none newer than the newest; shape (ticks, 2, columns or entities)."""
        ring = self._ring[:, :2] if columns is None else self._ring[:, :2, columns]
        return ring.take(ticks % self.depth, axis=0)

    def near(
        self,
        ticks: NDArray[np.intp],
        columns: NDArray[np.intp] | None,
        start: NDArray[np.float64],
        end: NDArray[np.float64],
        reach: NDArray[np.float64],
    ) -> list[int]:
        """Which entities may, at whole ticks, come within reach of ways: those that are that near to a circle around.

        Each way has a tick, and a start and an end of x, y and angle. `reach` has shape (ways, columns or entities);
        the answers are places in it.
        """
        if not COMPILED:
            return _near(self.around(ticks, columns), start, end, reach).ravel().nonzero()[0].tolist()
        found = np.empty(reach.size, np.intp)
        count = len(self.ids)
        many = kernel.near(self._ring, count, ticks % self.depth, columns, start, end, reach, found)
        return found[:many].tolist()

    def place(self, id: int, time: float) -> Place | None:
        """Where an entity was at a time in ticks, between two ticks in a straight line and turning the short way.

        None if it was not there, or is not now. Later times than the newest tick count as that, earlier ones than the
        oldest as that.
        """
        column = self._column(id)
        if column is None:
            return None
        time = min(max(time, self.tick - self.depth + 1), self.tick)
        low = int(time // 1)
        x0, y0, angle0 = self._ring[low % self.depth, :, column].tolist()
        x1, y1, angle1 = self._ring[min(low + 1, self.tick) % self.depth, :, column].tolist()
        t = time - low
        turn = (angle1 - angle0 + pi) % (2 * pi) - pi
        place = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t, angle0 + turn * t
        return None if isnan(place[0]) else place

    def has(self, id: int) -> bool:
        """Whether an entity was there at the newest tick."""
        return self._column(id) is not None

    def _column(self, id: int) -> int | None:
        column = int(self.ids.searchsorted(np.uint64(id)))
        return column if column < len(self.ids) and self.ids[column] == id else None

    def capture(self) -> PlacesState:
        """A copy."""
        return PlacesState(self.tick, self.ids, self._ring.copy())

    def restore(self, state: PlacesState) -> None:
        """Go back to a copy."""
        self.tick, self.ids, self._ring = state.tick, state.ids, state.ring.copy()

    def digest(self) -> int:
        """The hash of all places."""
        return digest((self.tick, self.ids, self._ring))


def _near(
    points: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    reach: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """What `Places.near` says, for points as `Places.around` gives them, in the shape of `reach`."""
    half = (end[:, :2] - start[:, :2]) * 0.5
    away = points - (start[:, :2] + half)[:, :, None]
    away *= away
    most = reach + np.hypot(half[:, 0], half[:, 1])[:, None]
    most *= most
    return away[:, 0] + away[:, 1] <= most
