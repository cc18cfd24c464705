"""The components that give an entity a place in the space.

`Transform` + `Collider` is something static; with a `Body` it moves. `Velocity` shows a body's velocity and takes
writes to it; a body without one still moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import isfinite
from typing import Any

from engine.ecs import F32, F64, U8, U32, Component, Flag, Obj, f32, f64, flag, obj, u8, u32
from engine.physics.errors import PhysicsError
from engine.physics.shapes import Circle, Shape

EVERYTHING = 0xFFFF_FFFF
"""The mask that lets all 32 layers through."""


class BodyKind(IntEnum):
    """How a body moves."""

    DYNAMIC = 0
    """By forces, impulses and collisions."""
    KINEMATIC = 1
    """By its velocity alone; it pushes and is not pushed."""
    STATIC = 2
    """Not at all, unless its Transform is written. The kind of a Collider without a Body."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a surface does in a collision. Raises `PhysicsError` if a value is negative or not finite."""

    elasticity: float = 0.0
    """0 keeps no speed, 1 all of it. The product of both sides counts."""
    friction: float = 0.5
    """Coulomb's coefficient. The product of both sides counts."""
    density: float = 1.0
    """Mass per unit of area, for bodies that are not given a mass."""
    surface_vx: float = 0.0
    """Velocity of the surface itself, as of a conveyor belt."""
    surface_vy: float = 0.0

    def __post_init__(self) -> None:
        for name in ("elasticity", "friction", "density"):
            value = getattr(self, name)
            if not isfinite(value) or value < 0:
                raise PhysicsError(f"Material.{name} is {value}; it must be finite and not negative")
        if not (isfinite(self.surface_vx) and isfinite(self.surface_vy)):
            raise PhysicsError(f"Material's surface velocity {self.surface_vx}, {self.surface_vy} is not finite")

    def __deepcopy__(self, memo: object) -> Any:
        return self


class Body(Component):
    """Makes an entity with a Transform move. All fields may be changed at any time."""

    kind: U8 = u8(default=BodyKind.DYNAMIC)
    mass: F32 = f32(default=0.0)
    """0 takes it from the shape's area and its material's density."""
    moment: F32 = f32(default=0.0)
    """Moment of inertia; 0 takes it from the shape and the mass."""
    fixed_rotation: Flag = flag(default=False)
    """Collisions and torques do not turn it."""
    damping: F32 = f32(default=1.0)
    """The part of the velocity that is left after a second; 1 leaves all of it."""
    angular_damping: F32 = f32(default=1.0)
    """The same for the angular velocity."""


class Velocity(Component):
    """Units per second and radians per second, of the body's centre of gravity."""

    vx: F64 = f64()
    vy: F64 = f64()
    angular: F64 = f64()


class Collider(Component):
    """What an entity collides with, as which shape, and how.

    Two colliders meet if each one's `layer` is in the other's `mask`. `layer`, `mask` and `sensor` may be changed
    at any time; `shape` and `material` by adding a new Collider, which replaces the old one.
    """

    shape: Obj[Shape] = obj(default=Circle(1.0))
    material: Obj[Material] = obj(default=Material())
    layer: U32 = u32(default=1)
    mask: U32 = u32(default=EVERYTHING)
    sensor: Flag = flag(default=False)
    """Reports contacts and lets everything pass."""


class OneWay(Component):
    """Makes a collider solid only for what comes against the direction (nx, ny), in the body's own coordinates.

    The default is a platform to jump onto from below: solid from above, y pointing down.
    """

    nx: F64 = f64(default=0.0)
    ny: F64 = f64(default=-1.0)
