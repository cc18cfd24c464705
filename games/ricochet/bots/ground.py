"""Ground: where a ship can fly in an arena, and the way from anywhere to anywhere. Follows from the map alone.

The arena is a grid of square cells, and of wider squares, the areas, to each of which the ways are known.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from games.ricochet import tuning
from games.ricochet.arena import Arena
from games.ricochet.bots.ways import find_ways

Floats = NDArray[np.float64]

CELL = 50.0
"""Side of a cell, units."""
TIGHT = tuning.SHIP_RADIUS + 8.0
"""A cell is blocked if its middle is nearer to something solid than this, units."""
ROOMY = 70.0
"""Cells with less room than this are flown through only if it saves a lot, units."""
AREA = 150.0
"""Ways are found to the middles of squares of this side, so that there are not too many to find, units."""
NEAR = 2 * AREA
"""What is nearer than this is flown to straight if the way is clear, units."""
AHEAD = 5
"""Cells a pilot looks ahead on the way."""


class Ground:
    """The grid of one arena. Cells are numbered row by row."""

    def __init__(self, arena: Arena) -> None:
        self.columns = int(arena.width // CELL) + 1
        self.lines = int(arena.height // CELL) + 1
        x, y = np.meshgrid(_middles(self.columns), _middles(self.lines))
        self.x: list[float] = x.ravel().tolist()
        self.y: list[float] = y.ravel().tolist()
        room = _room(arena, x.ravel(), y.ravel()).reshape(x.shape)
        spawn = arena.spawns[0]
        free = _reached(room > TIGHT, int(spawn.y // CELL), int(spawn.x // CELL))
        self.free: list[bool] = free.ravel().tolist()
        self._nearest = _nearest(free, x, y)
        self._areas_across, self._areas_down = ceil(arena.width / AREA), ceil(arena.height / AREA)
        middles = [
            self.cell((across + 0.5) * AREA, (down + 0.5) * AREA)
            for down in range(self._areas_down)
            for across in range(self._areas_across)
        ]
        cost = np.where(room < ROOMY, np.float32(2.5), np.float32(1.0))
        self._next = find_ways(free, cost, middles)
        """The next cell on the way from a cell to an area, shape (cells, areas)."""

    def cell(self, x: float, y: float) -> int:
        """The free cell at (x, y), or the one nearest to it."""
        column = min(max(int(x // CELL), 0), self.columns - 1)
        line = min(max(int(y // CELL), 0), self.lines - 1)
        return self._nearest[line * self.columns + column]

    def is_free(self, x: float, y: float) -> bool:
        """Whether a ship has room at (x, y)."""
        column, line = int(x // CELL), int(y // CELL)
        return 0 <= column < self.columns and 0 <= line < self.lines and self.free[line * self.columns + column]

    def is_clear(self, x: float, y: float, to_x: float, to_y: float) -> bool:
        """Whether a ship can fly straight from one point to the other."""
        steps = int(max(abs(to_x - x), abs(to_y - y)) / (CELL / 2)) + 1
        dx, dy = (to_x - x) / steps, (to_y - y) / steps
        for step in range(1, steps + 1):  # noqa: SIM110 (a generator would take twice as long)
            if not self.is_free(x + dx * step, y + dy * step):
                return False
        return True

    def towards(self, x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
        """A point to fly straight to from (x, y), on the way to (to_x, to_y)."""
        if abs(to_x - x) + abs(to_y - y) < NEAR and self.is_clear(x, y, to_x, to_y):
            return to_x, to_y
        way = self._next[:, self._area(to_x, to_y)].item
        here = self.cell(x, y)
        best = way(here)
        cell = best
        for _ in range(AHEAD):
            cell = way(cell)
            if not self.is_clear(x, y, self.x[cell], self.y[cell]):
                break
            best = cell
        return self.x[best], self.y[best]

    def _area(self, x: float, y: float) -> int:
        across = min(max(int(x // AREA), 0), self._areas_across - 1)
        down = min(max(int(y // AREA), 0), self._areas_down - 1)
        return down * self._areas_across + across


def _middles(count: int) -> Floats:
    return (np.arange(count, dtype=np.float64) + 0.5) * CELL


def _room(arena: Arena, x: Floats, y: Floats) -> Floats:
    """The distance from each point to the nearest solid thing, shape (points,)."""
    room = np.full(len(x), np.inf)
    for wall in arena.walls:
        for (ax, ay), (bx, by) in pairwise(wall.points):
            ex, ey = bx - ax, by - ay
            along = np.clip(((x - ax) * ex + (y - ay) * ey) / max(ex * ex + ey * ey, 1e-9), 0, 1)
            room = np.minimum(room, np.hypot(x - ax - along * ex, y - ay - along * ey) - wall.thickness / 2)
    for bumper in arena.bumpers:
        room = np.minimum(room, np.hypot(x - bumper.x, y - bumper.y) - bumper.radius)
    for crate in arena.crates:
        room = np.minimum(room, np.hypot(x - crate.x, y - crate.y) - crate.size * 0.6)
    return room


def _reached(roomy: NDArray[np.bool_], line: int, column: int) -> NDArray[np.bool_]:
    """This cell, and what can be reached from it over roomy ones; so what lies outside the border is not free."""
    reached = np.zeros_like(roomy)
    before = ~reached
    reached[line, column] = True
    while not np.array_equal(before, reached):
        before = reached
        rim = np.pad(reached, 1)
        beside = rim[:-2, 1:-1] | rim[2:, 1:-1] | rim[1:-1, :-2] | rim[1:-1, 2:]
        reached = reached | (roomy & beside)
    return reached


def _nearest(free: NDArray[np.bool_], x: Floats, y: Floats) -> list[int]:
    """For each cell the free one that is nearest."""
    nearest = np.arange(free.size)
    there = np.flatnonzero(free)
    for cell in np.flatnonzero(~free).tolist():
        away = np.square(x[free] - x.flat[cell]) + np.square(y[free] - y.flat[cell])
        nearest[cell] = there[np.argmin(away)]
    return nearest.tolist()
