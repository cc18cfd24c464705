"""Hierarchy: children that are carried by their parents, e.g. a turret on a tank."""

from __future__ import annotations

from math import cos, sin

from engine.app import End, Plugin
from engine.ecs import F64, ChildOf, Component, Entity, World, f64
from engine.events import Phase
from engine.scene.transform import Transform


class Offset(Component):
    """Where a child sits in its parent's frame: x ahead, y to the parent's right, angle in radians."""

    x: F64 = f64()
    y: F64 = f64()
    angle: F64 = f64()


hierarchy = Plugin("engine.hierarchy")
"""Include this to have children with an `Offset` carried by their parents at the end of each tick."""


@hierarchy.on(End, phase=Phase.EARLY)
def carry(world: World, end: End) -> None:
    """Place all carried entities, parents before children."""
    carried = [(_depth(entity), entity) for entity in _carried(world)]
    carried.sort(key=lambda item: item[0])
    for _, entity in carried:
        parent = entity.parent
        if parent is not None and Transform in parent:
            _place(entity[Transform], parent[Transform], entity[Offset])


def _carried(world: World) -> list[Entity]:
    return list(world.rows(Entity, having=(Transform, Offset, ChildOf)))


def _depth(entity: Entity) -> int:
    depth = 0
    above = entity.parent
    while above is not None:
        depth += 1
        above = above.parent
    return depth


def _place(child: Transform, parent: Transform, offset: Offset) -> None:
    c, s = cos(parent.angle), sin(parent.angle)
    child.x = parent.x + c * offset.x - s * offset.y
    child.y = parent.y + s * offset.x + c * offset.y
    child.angle = parent.angle + offset.angle
