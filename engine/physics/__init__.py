"""Rigid bodies: what moves, what meets, and what can be asked about it. The sole importer of pymunk."""

from engine.physics.components import EVERYTHING, Body, BodyKind, Collider, Material, OneWay, Velocity
from engine.physics.debug import DebugKind, DebugLine, debug_lines
from engine.physics.errors import PhysicsError
from engine.physics.events import ContactBegan, ContactEnded, FilterFailed, Quarantined, Rejected
from engine.physics.joints import Motor, PinJoint, PivotJoint, RotaryLimit, SlideJoint, Spring
from engine.physics.plugin import physics
from engine.physics.queries import Hit
from engine.physics.settings import PhysicsSettings
from engine.physics.shapes import Box, Chain, Circle, Compound, Polygon, Segment, Shape
from engine.physics.space import Space

__all__ = [
    "EVERYTHING",
    "Body",
    "BodyKind",
    "Box",
    "Chain",
    "Circle",
    "Collider",
    "Compound",
    "ContactBegan",
    "ContactEnded",
    "DebugKind",
    "DebugLine",
    "FilterFailed",
    "Hit",
    "Material",
    "Motor",
    "OneWay",
    "PhysicsError",
    "PhysicsSettings",
    "PinJoint",
    "PivotJoint",
    "Polygon",
    "Quarantined",
    "Rejected",
    "RotaryLimit",
    "Segment",
    "Shape",
    "SlideJoint",
    "Space",
    "Spring",
    "Velocity",
    "debug_lines",
    "physics",
]
