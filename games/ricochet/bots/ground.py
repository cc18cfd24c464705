"""Ground: where a ship can fly in an arena, and the way from anywhere to anywhere. Follows from the map alone.

The arena is a grid of square cells. A way is found once for each area one may want to go to: the distance to it
from every cell, by Dijkstra's algorithm, and from each cell the next one that is nearer.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from games.ricochet import tuning
from games.ricochet.arena import Arena

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
NEIGHBOURS = (
    (1, 0, 1.0),
    (0, 1, 1.0),
    (-1, 0, 1.0),
    (0, -1, 1.0),
    (1, 1, 1.42),
    (-1, 1, 1.42),
    (-1, -1, 1.42),
    (1, -1, 1.42),
)


class Ground:
    """The grid of one arena. Cells are numbered row by row."""

    def __init__(self, arena: Arena) -> None:
        self.columns = int(arena.width // CELL) + 1
        self.lines = int(arena.height // CELL) + 1
        x, y = np.meshgrid(_middles(self.columns), _middles(self.lines))
        self.x, self.y = x.ravel(), y.ravel()
        room = _room(arena, self.x, self.y)
        self._cost: list[float] = np.where(room < ROOMY, 2.5, 1.0).tolist()
        open_cells = (room > TIGHT).tolist()
        spawn = arena.spawns[0]
        self.free = self._reached(int(spawn.y // CELL) * self.columns + int(spawn.x // CELL), open_cells)
        self._nearest = self._nearest_free()
        self._ways: dict[int, list[int]] = {}

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
        return all(self.is_free(x + (to_x - x) * i / steps, y + (to_y - y) * i / steps) for i in range(1, steps + 1))

    def towards(self, x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
        """A point to fly straight to from (x, y), on the way to (to_x, to_y)."""
        if abs(to_x - x) + abs(to_y - y) < NEAR and self.is_clear(x, y, to_x, to_y):
            return to_x, to_y
        goal = self.cell((to_x // AREA + 0.5) * AREA, (to_y // AREA + 0.5) * AREA)
        way = self._ways.get(goal) or self._find(goal)
        here = self.cell(x, y)
        best = way[here]
        cell = best
        for _ in range(AHEAD):
            cell = way[cell]
            if not self.is_clear(x, y, self.x[cell], self.y[cell]):
                break
            best = cell
        return float(self.x[best]), float(self.y[best])

    def _neighbours(self, cell: int, free: list[bool]) -> list[tuple[int, float]]:
        line, column = divmod(cell, self.columns)
        found: list[tuple[int, float]] = []
        for dx, dy, far in NEIGHBOURS:
            if 0 <= column + dx < self.columns and 0 <= line + dy < self.lines:
                other = cell + dy * self.columns + dx
                # No cutting of corners: a diagonal needs both cells beside it.
                if free[other] and free[cell + dx] and free[cell + dy * self.columns]:
                    found.append((other, far))
        return found

    def _reached(self, start: int, free: list[bool]) -> list[bool]:
        """The free cells that can be reached from `start`; so what lies outside the border is not free."""
        self._next_to = [self._neighbours(cell, free) if free[cell] else [] for cell in range(len(free))]
        reached = [False] * len(free)
        frontier = [start]
        while frontier:
            cell = frontier.pop()
            if not reached[cell]:
                reached[cell] = True
                frontier.extend(other for other, _ in self._next_to[cell])
        return reached

    def _nearest_free(self) -> list[int]:
        free = np.flatnonzero(self.free)
        dx = self.x[:, None] - self.x[free][None, :]
        dy = self.y[:, None] - self.y[free][None, :]
        return free[np.argmin(dx * dx + dy * dy, axis=1)].tolist()

    def _find(self, goal: int) -> list[int]:
        """For every cell the next one on the way to `goal`; cells from which there is none name themselves."""
        way = list(range(len(self.free)))
        distance = [float("inf")] * len(self.free)
        distance[goal] = 0.0
        frontier = [(0.0, goal)]
        while frontier:
            far, cell = heappop(frontier)
            if far > distance[cell]:
                continue
            for other, step in self._next_to[cell]:
                there = far + step * self._cost[other]
                if there < distance[other]:
                    distance[other] = there
                    way[other] = cell
                    heappush(frontier, (there, other))
        self._ways[goal] = way
        return way


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
