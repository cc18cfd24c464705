"""Where drawn things are at the moment of an image: interpolated, or hung on a parent that is."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi, tau

import numpy as np
from numpy.typing import NDArray

from engine.ecs import ChildOf, Component, Entity, Rows, World
from engine.ecs.entity import INDEX
from engine.scene import Interpolation, Offset, Transform

Floats = NDArray[np.float64]
Placed = tuple[Rows, Floats, Floats, Floats]


def placed(world: World, component: type[Component], alpha: float) -> Iterator[Placed]:
    """Rows with `component`, table by table, and x, y and angle for each, of shape (rows,).

    A child with an `Offset` but no transform of its own is where its parent is, moved by the offset; so a flame
    stays with its ship exactly: `world.spawn(Sprite("flame.png"), Offset(x=-30), ChildOf(ship.id), local=True)`.
    """
    between = world.resource(Interpolation).between
    for rows in world.tables(component, Transform):
        x, y, angle = between(rows, alpha)
        yield rows, x, y, angle
    for rows in world.tables(component, Offset, ChildOf, without=(Transform,)):
        yield rows, *_at_parents(world, rows, alpha)


def place_of(world: World, entity: Entity, alpha: float) -> tuple[float, float, float] | None:
    """x, y and angle of one entity at `alpha` between the last two ticks; None if it has no transform."""
    here = entity.get(Transform)
    if here is None:
        return None
    x, y, angle = here.x, here.y, here.angle
    past = world.resource(Interpolation).past[1 if entity.local else 0]
    index = entity.id & INDEX
    if alpha >= 1.0 or index >= len(past.ids) or int(past.ids[index]) != entity.id:
        return x, y, angle
    back = 1.0 - alpha
    turn = (angle - float(past.angle[index]) + pi) % tau - pi
    return x - (x - float(past.x[index])) * back, y - (y - float(past.y[index])) * back, angle - turn * back


def _at_parents(world: World, rows: Rows, alpha: float) -> tuple[Floats, Floats, Floats]:
    parents: dict[int, tuple[float, float, float]] = {}
    nowhere = (np.nan, np.nan, 0.0)
    ids = rows[ChildOf.parent].tolist()
    for id in ids:
        if id not in parents:
            parent = world.find(id)
            parents[id] = (place_of(world, parent, alpha) or nowhere) if parent is not None else nowhere
    base: Floats = np.array([parents[id] for id in ids], np.float64)
    angle = base[:, 2]
    cos, sin = np.cos(angle), np.sin(angle)
    dx, dy = rows[Offset.x], rows[Offset.y]
    return (
        base[:, 0] + dx * cos - dy * sin,
        base[:, 1] + dx * sin + dy * cos,
        angle + rows[Offset.angle],
    )
