"""What a debug view of a space shows, as lines in world units. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from math import cos, sin
from typing import Any

from engine.ecs import World
from engine.physics.bodies import SlotBody
from engine.physics.components import BodyKind
from engine.physics.layout import Block
from engine.physics.shapes import Point, outlines
from engine.physics.simulation import Simulation
from engine.physics.space import Space
from engine.scene import Transform

NORMAL_LENGTH = 10.0
VELOCITY_SECONDS = 0.1
"""A velocity is drawn as the way made in this time."""


class DebugKind(Enum):
    """What a line stands for."""

    STATIC = "static"
    KINEMATIC = "kinematic"
    DYNAMIC = "dynamic"
    SLEEPING = "sleeping"
    SENSOR = "sensor"
    ABSENT = "absent"
    """An entity whose values were rejected, or that is in quarantine."""
    CONTACT = "contact"
    """From a contact point along its normal."""
    JOINT = "joint"
    VELOCITY = "velocity"


@dataclass(slots=True)
class DebugLine:
    """A line through `points`, joined to its start if `closed`."""

    kind: DebugKind
    points: list[Point]
    closed: bool = False


def debug_lines(world: World) -> Iterator[DebugLine]:
    """Outlines of all colliders, velocities of bodies, contacts of the last step, and joints."""
    simulation = world.resource(Space).simulation
    for block in simulation.blocks:
        for row in block.rows_alive():
            yield from _entity_lines(simulation, block, row)
    if simulation.is_stepped:
        touches = simulation.reader.touches(simulation.space, simulation.bodies, simulation.gate.ghosts)
        for x, y, nx, ny, *_ in touches.values.T.tolist():
            yield DebugLine(DebugKind.CONTACT, [(x, y), (x + nx * NORMAL_LENGTH, y + ny * NORMAL_LENGTH)])
    for made in simulation.joints.made.values():
        constraint: Any = made.constraint
        ends = [
            body.local_to_world(getattr(constraint, anchor, (0.0, 0.0)))
            for body, anchor in ((made.a, "anchor_a"), (made.b, "anchor_b"))
        ]
        yield DebugLine(DebugKind.JOINT, [(end.x, end.y) for end in ends])


def _entity_lines(simulation: Simulation, block: Block, row: int) -> Iterator[DebugLine]:
    collider = block.collider(row)
    x, y, angle = block.rows[Transform][row].tolist()
    body = simulation.bodies.live[int(block.slots[row])]
    kind = _kind(block, row, body)
    c, s = cos(angle), sin(angle)
    for points, closed in outlines(collider[0]) if collider is not None else ():
        placed = [(x + px * c - py * s, y + px * s + py * c) for px, py in points]
        yield DebugLine(DebugKind.SENSOR if collider is not None and collider[4] else kind, placed, closed)
    vx, vy, _ = block.velocities[row].tolist()
    if body is not None and (vx or vy) and kind is not DebugKind.STATIC:
        yield DebugLine(DebugKind.VELOCITY, [(x, y), (x + vx * VELOCITY_SECONDS, y + vy * VELOCITY_SECONDS)])


def _kind(block: Block, row: int, body: SlotBody | None) -> DebugKind:
    if body is None:
        return DebugKind.ABSENT
    found = block.body(row)
    kind = BodyKind.STATIC if found is None else found[0]
    if kind == BodyKind.DYNAMIC:
        return DebugKind.SLEEPING if body.is_sleeping else DebugKind.DYNAMIC
    return DebugKind.KINEMATIC if kind == BodyKind.KINEMATIC else DebugKind.STATIC
