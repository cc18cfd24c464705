"""Joints: components that hold two entities together. They are removed when either entity is gone.

Put one on an entity of its own or on one of the two: `world.spawn(PinJoint(crane.id, hook.id))`. Entity 0 stands for
the fixed world. Anchors are in each body's own coordinates, in the world's for entity 0. At least one of the two must
have a dynamic body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, isnan
from typing import Any

import pymunk
from pymunk import constraints

from engine.ecs import F64, Component, Entity, Flag, Ref, World, f64, flag, ref
from engine.ecs.table import Table
from engine.physics.bodies import Bodies, SlotBody
from engine.physics.events import Rejected
from engine.physics.layout import rows_with_any

MEASURE = -1.0
"""A distance that is measured when the joint is made, and then stands in the component."""


class PinJoint(Component):
    """Keeps two anchors at a distance, like a rod."""

    a: Ref = ref()
    b: Ref = ref()
    ax: F64 = f64()
    ay: F64 = f64()
    bx: F64 = f64()
    by: F64 = f64()
    distance: F64 = f64(default=MEASURE)
    """Negative: as it is when the joint is made."""
    max_force: F64 = f64(default=inf)
    collide: Flag = flag(default=True)
    """Whether the two still collide with each other."""


class PivotJoint(Component):
    """Holds two anchors together, like an axle."""

    a: Ref = ref()
    b: Ref = ref()
    ax: F64 = f64()
    ay: F64 = f64()
    bx: F64 = f64()
    by: F64 = f64()
    max_force: F64 = f64(default=inf)
    collide: Flag = flag(default=True)


class SlideJoint(Component):
    """Keeps the distance of two anchors between two limits, like a rope."""

    a: Ref = ref()
    b: Ref = ref()
    ax: F64 = f64()
    ay: F64 = f64()
    bx: F64 = f64()
    by: F64 = f64()
    shortest: F64 = f64()
    longest: F64 = f64(default=MEASURE)
    """Negative: as far as they are when the joint is made."""
    max_force: F64 = f64(default=inf)
    collide: Flag = flag(default=True)


class Spring(Component):
    """Pulls two anchors towards a distance: force = stiffness × stretch, damped."""

    a: Ref = ref()
    b: Ref = ref()
    ax: F64 = f64()
    ay: F64 = f64()
    bx: F64 = f64()
    by: F64 = f64()
    length: F64 = f64(default=MEASURE)
    """At rest. Negative: as it is when the joint is made."""
    stiffness: F64 = f64(default=100.0)
    damping: F64 = f64(default=1.0)
    max_force: F64 = f64(default=inf)
    collide: Flag = flag(default=True)


class Motor(Component):
    """Keeps the second entity turning against the first, at `rate` radians per second, as far as its force reaches."""

    a: Ref = ref()
    b: Ref = ref()
    rate: F64 = f64()
    max_force: F64 = f64(default=inf)
    collide: Flag = flag(default=True)


class RotaryLimit(Component):
    """Keeps the angle of the second entity against the first between two limits, in radians."""

    a: Ref = ref()
    b: Ref = ref()
    least: F64 = f64()
    most: F64 = f64()
    max_force: F64 = f64(default=inf)
    collide: Flag = flag(default=True)


def _pin(j: Any, a: pymunk.Body, b: pymunk.Body) -> constraints.Constraint:
    made = constraints.PinJoint(a, b, (j.ax, j.ay), (j.bx, j.by))
    if j.distance < 0:
        j.distance = made.distance
    made.distance = j.distance
    return made


def _pivot(j: Any, a: pymunk.Body, b: pymunk.Body) -> constraints.Constraint:
    return constraints.PivotJoint(a, b, (j.ax, j.ay), (j.bx, j.by))


def _slide(j: Any, a: pymunk.Body, b: pymunk.Body) -> constraints.Constraint:
    if j.longest < 0:
        j.longest = _distance(j, a, b)
    return constraints.SlideJoint(a, b, (j.ax, j.ay), (j.bx, j.by), j.shortest, j.longest)


def _spring(j: Any, a: pymunk.Body, b: pymunk.Body) -> constraints.Constraint:
    if j.length < 0:
        j.length = _distance(j, a, b)
    return constraints.DampedSpring(a, b, (j.ax, j.ay), (j.bx, j.by), j.length, j.stiffness, j.damping)


def _motor(j: Any, a: pymunk.Body, b: pymunk.Body) -> constraints.Constraint:
    return constraints.SimpleMotor(a, b, j.rate)


def _limit(j: Any, a: pymunk.Body, b: pymunk.Body) -> constraints.Constraint:
    return constraints.RotaryLimitJoint(a, b, j.least, j.most)


def _distance(j: Any, a: pymunk.Body, b: pymunk.Body) -> float:
    return (b.local_to_world((j.bx, j.by)) - a.local_to_world((j.ax, j.ay))).length


_MAKERS: dict[type[Component], Callable[[Any, pymunk.Body, pymunk.Body], constraints.Constraint]] = {
    PinJoint: _pin,
    PivotJoint: _pivot,
    SlideJoint: _slide,
    Spring: _spring,
    Motor: _motor,
    RotaryLimit: _limit,
}


_KINDS = frozenset(_MAKERS)


@dataclass(slots=True)
class _Made:
    constraint: constraints.Constraint
    record: bytes
    """The component as it was when the joint was made."""
    a: SlotBody | pymunk.Body
    b: SlotBody | pymunk.Body


class Joints:
    """The solver's constraints, kept in step with the joint components."""

    def __init__(self, world: World, bodies: Bodies) -> None:
        self.world = world
        self.bodies = bodies
        self.space: pymunk.Space
        """Set by the simulation."""
        self.made: dict[tuple[type[Component], int], _Made] = {}
        self._rejected: dict[tuple[type[Component], int], bytes] = {}
        self._layout = -1
        """Of the world, when `_tables` were found."""
        self._tables: list[Table] = []
        """Those that have joints, if anything is in them."""

    def renewed(self, bodies: Bodies) -> Joints:
        """Joints for a space made anew; they are all made at its first `sync`."""
        joints = Joints(self.world, bodies)
        joints._rejected = self._rejected
        return joints

    def detach(self, body: pymunk.Body) -> None:
        """Remove the constraints on a body that is being taken out; they are made anew if it comes back."""
        for key in [key for key, made in self.made.items() if made.a is body or made.b is body]:
            self._remove(key)

    def sync(self) -> None:
        """Make, change and remove constraints so that there is one for each joint component whose bodies exist."""
        if self._layout != self.world.layout:
            self._layout = self.world.layout
            self._tables = [table for table in self.world.archetypes() if not _KINDS.isdisjoint(table.components)]
        if not self.made and not self._rejected and not any(table.count for table in self._tables):
            return
        found: dict[tuple[type[Component], int], Any] = {}
        for kind, rows in rows_with_any(self.world, _MAKERS):
            for entity in rows.entities:
                found[kind, entity.id] = entity[kind]
        for key in [key for key in self.made if key not in found]:
            self._remove(key)
        for key in [key for key in self._rejected if key not in found]:
            del self._rejected[key]
        for key in sorted(found, key=lambda key: (key[1], key[0].__name__)):
            self._sync_one(key, found[key])

    def _sync_one(self, key: tuple[type[Component], int], joint: Any) -> None:
        kind, id = key
        if any(end and not self._is_there(end) for end in (joint.a, joint.b)):
            self._remove(key)
            self.world.remove(Entity(self.world, id), kind)
            return
        record = bytes(joint)
        a, b = self._body(joint.a), self._body(joint.b)
        made = self.made.get(key)
        if made is not None and made.record == record and made.a is a and made.b is b:
            return
        self._remove(key)
        if a is None or b is None or self._rejected.get(key) == record:
            return
        wrong = _what_is_wrong(joint, a, b)
        if wrong:
            self._rejected[key] = record
            entity = Entity(self.world, id)
            self.world.post(Rejected(entity, f"{entity} has a {kind.__name__} that cannot hold: {wrong}"))
            return
        constraint = _MAKERS[kind](joint, a, b)
        constraint.max_force = joint.max_force
        constraint.collide_bodies = joint.collide
        self.space.add(constraint)
        self.made[key] = _Made(constraint, bytes(joint), a, b)

    def _is_there(self, id: int) -> bool:
        entity = self.world.find(id)
        return entity is not None and entity.alive

    def _body(self, id: int) -> pymunk.Body | None:
        if not id:
            return self.space.static_body
        slot = self.bodies.slot_of.get(id)
        return None if slot is None else self.bodies.live[slot]

    def _remove(self, key: tuple[type[Component], int]) -> None:
        made = self.made.pop(key, None)
        if made is not None:
            self.space.remove(made.constraint)
            # by which it refers to itself, as bodies do: see `Simulation`
            made.constraint._data_handle = None  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def _what_is_wrong(joint: Any, a: pymunk.Body, b: pymunk.Body) -> str:
    for name, value in joint.values().items():
        if isinstance(value, float) and (isnan(value) or not (isfinite(value) or name == "max_force")):
            return f"{name} is {value}; write a finite number"
    if a is b:
        return "both ends are the same entity; it needs two"
    if pymunk.Body.DYNAMIC not in (a.body_type, b.body_type):
        return "neither end has a dynamic body; give one of them Body(BodyKind.DYNAMIC)"
    return ""
