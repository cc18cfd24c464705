"""Where bots can fly, and the ways they know."""

from __future__ import annotations

from heapq import heappop, heappush
from math import hypot

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from games.ricochet.arena import Arena, load_arenas
from games.ricochet.bots.ground import CELL, Ground
from games.ricochet.bots.ways import STEPS, find_ways

LINES, COLUMNS = 6, 7


def steps_from(cell: int, free: NDArray[np.bool_]) -> dict[int, float]:
    """The cells beside a free one that can be stepped to, and how far they are."""
    line, column = divmod(cell, COLUMNS)
    beside: dict[int, float] = {}
    for dx, dy, far in STEPS:
        if 0 <= line + dy < LINES and 0 <= column + dx < COLUMNS:
            around = (line + dy, column + dx), (line, column + dx), (line + dy, column)
            if free[line, column] and all(free[place] for place in around):
                beside[cell + dy * COLUMNS + dx] = far
    return beside


def shortest(goal: int, free: NDArray[np.bool_], cost: NDArray[np.float32]) -> dict[int, float]:
    """The length of the way to the goal from each cell that has one."""
    found: dict[int, float] = {}
    frontier = [(0.0, goal)]
    while frontier:
        far, cell = heappop(frontier)
        if cell not in found:
            found[cell] = far
            for other, step in steps_from(cell, free).items():
                heappush(frontier, (far + step * float(cost.flat[other]), other))
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 1, 2]), min_size=LINES * COLUMNS, max_size=LINES * COLUMNS),
    st.lists(st.integers(0, LINES * COLUMNS - 1), min_size=1, max_size=4),
)
def test_ways_lead_to_their_goals_and_none_is_shorter(cells: list[int], goals: list[int]) -> None:
    grid = np.array(cells).reshape(LINES, COLUMNS)
    free, cost = grid > 0, np.where(grid == 2, np.float32(2.5), np.float32(1.0))
    ways = find_ways(free, cost, goals)
    for place, goal in enumerate(goals):
        lengths = shortest(goal, free, cost)
        for cell in range(LINES * COLUMNS):
            at, length = cell, 0.0
            while (after := int(ways[at, place])) != at:
                length += steps_from(at, free)[after] * float(cost.flat[at])
                at = after
            assert at == (goal if cell in lengths else cell)
            assert length == pytest.approx(lengths.get(cell, 0.0), rel=1e-5)


@pytest.mark.parametrize("arena", load_arenas(), ids=lambda arena: arena.key)
def test_whoever_flies_where_the_ground_says_gets_everywhere(arena: Arena) -> None:
    ground = Ground(arena)
    for goal in (*arena.pads, *arena.spawns):
        x, y = arena.spawns[0].x, arena.spawns[0].y
        for _ in range(400):
            to_x, to_y = ground.towards(x, y, goal.x, goal.y)
            away = hypot(to_x - x, to_y - y)
            part = min(1.0, CELL / away) if away else 1.0
            x, y = x + (to_x - x) * part, y + (to_y - y) * part
        assert hypot(goal.x - x, goal.y - y) < 1.0


def test_ground_without_room_leads_to_the_nearest_that_has_some() -> None:
    arena = load_arenas()[0]
    ground = Ground(arena)
    assert not ground.is_free(-50.0, -50.0)
    to_x, to_y = ground.towards(arena.spawns[0].x, arena.spawns[0].y, -1e6, -1e6)
    assert ground.is_free(to_x, to_y)
    outside = ground.cell(-50.0, -50.0)
    assert ground.is_free(ground.x[outside], ground.y[outside])
