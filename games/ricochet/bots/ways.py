"""Ways: from every cell of a grid the next one on the shortest way to each of many goals, all found at once.

Distances are carried over the grid line by line, down, up, right and left, for all goals at a time, until no sweep
shortens one; so the work is done by whole arrays (the fast sweeping method: Zhao, "A fast sweeping method for Eikonal
equations", 2005, here with the steps of a grid instead of the equation).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STEPS = (
    (1, 0, 1.0),
    (0, 1, 1.0),
    (-1, 0, 1.0),
    (0, -1, 1.0),
    (1, 1, 1.42),
    (-1, 1, 1.42),
    (-1, -1, 1.42),
    (1, -1, 1.42),
)
"""Columns and lines moved in a step, and its length in cells."""


def find_ways(free: NDArray[np.bool_], cost: Floats, goals: list[int]) -> NDArray[np.int32]:
    """The next cell from each cell to each goal, shape (cells, goals); cells are numbered row by row.

    `free` and `cost` are of shape (lines, columns); a step costs its length times the cost of the cell it leaves.
    Goals, and cells from which there is no way, name themselves.
    """
    lines, columns = free.shape
    steps = _Steps(free, cost)
    # With a rim of cells that no way leads through, so that every cell has eight neighbours.
    distance = np.full((lines + 2, columns + 2, len(goals)), np.inf, np.float32)
    goal_lines, goal_columns = np.divmod(np.array(goals), columns)
    distance[goal_lines + 1, goal_columns + 1, np.arange(len(goals))] = 0.0
    before = np.full_like(distance, -1.0)  # as no distance is, so that there is a first sweep
    while not np.array_equal(before, distance):
        before[:] = distance
        for line in range(1, lines + 1):
            steps.relax_line(distance, line, -1)
        for line in range(lines, 0, -1):
            steps.relax_line(distance, line, 1)
        for column in range(1, columns + 1):
            steps.relax_column(distance, column, -1)
        for column in range(columns, 0, -1):
            steps.relax_column(distance, column, 1)
    return steps.next_cells(distance)


class _Steps:
    """What each step out of each cell costs, infinite where it cannot be made; shape (lines + 2, columns + 2, 1)."""

    def __init__(self, free: NDArray[np.bool_], cost: Floats) -> None:
        self.lines, self.columns = free.shape
        rimmed = np.pad(free, 1)
        self.cost: dict[tuple[int, int], Floats] = {}
        for dx, dy, far in STEPS:
            # No cutting of corners: a diagonal needs both cells beside it.
            can = free & self._beside(rimmed, dx, dy) & self._beside(rimmed, dx, 0) & self._beside(rimmed, 0, dy)
            made = np.where(can, np.float32(far) * cost, np.float32(np.inf))
            self.cost[dx, dy] = np.pad(made, 1, constant_values=np.inf)[:, :, None]

    def _beside(self, rimmed: NDArray[np.bool_], dx: int, dy: int) -> NDArray[np.bool_]:
        return rimmed[1 + dy : 1 + dy + self.lines, 1 + dx : 1 + dx + self.columns]

    def relax_line(self, distance: Floats, line: int, dy: int) -> None:
        """Shorten the ways that lead over the line `dy` lines on."""
        here = distance[line, 1:-1]
        for dx in (-1, 0, 1):
            by = distance[line + dy, 1 + dx : 1 + dx + self.columns] + self.cost[dx, dy][line, 1:-1]
            np.minimum(here, by, out=here)

    def relax_column(self, distance: Floats, column: int, dx: int) -> None:
        """Shorten the ways that lead over the column `dx` columns on."""
        here = distance[1:-1, column]
        for dy in (-1, 0, 1):
            by = distance[1 + dy : 1 + dy + self.lines, column + dx] + self.cost[dx, dy][1:-1, column]
            np.minimum(here, by, out=here)

    def next_cells(self, distance: Floats) -> NDArray[np.int32]:
        """For each cell and goal the neighbour over which the way is as short as it is known to be."""
        lines, columns = self.lines, self.columns
        here = distance[1:-1, 1:-1]
        chosen = np.repeat(np.arange(lines * columns, dtype=np.int32), here.shape[2]).reshape(here.shape)
        leaves = np.isfinite(here) & (here > 0)
        for dx, dy, _ in reversed(STEPS):  # of several that are as short, the first of STEPS is taken
            by = distance[1 + dy : 1 + dy + lines, 1 + dx : 1 + dx + columns] + self.cost[dx, dy][1:-1, 1:-1]
            moved = np.arange(lines * columns, dtype=np.int32).reshape(lines, columns, 1) + (dy * columns + dx)
            chosen = np.where(leaves & (by == here), moved, chosen)
        return chosen.reshape(lines * columns, -1)
