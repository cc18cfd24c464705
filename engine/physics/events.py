"""What physics tells: contacts between entities, and trouble with single ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.ecs import Component, Entity

A = TypeVar("A", bound=Component)
B = TypeVar("B", bound=Component)


@dataclass(slots=True)
class ContactBegan(Generic[A, B]):
    """Two entities have started to touch. Posted once a pair, however many shapes of theirs meet.

    As a handler's key, `ContactBegan[Disc, Hull]` takes the contacts between an entity with a Disc and one with a
    Hull, and `a` is the one with the Disc. A bare `ContactBegan` takes all, and `a` is the entity with the lower id.
    """

    a: Entity
    b: Entity
    x: float
    """Where they touch, in world units: the middle of the contact points."""
    y: float
    nx: float
    """Unit vector along which they push each other apart, from a to b."""
    ny: float
    impulse: float
    """How hard: the impulse of the first step, mass times speed. 0 if one is a sensor."""
    energy: float
    """The kinetic energy lost in the first step."""


@dataclass(slots=True)
class ContactEnded(Generic[A, B]):
    """Two entities no longer touch: they parted, or one of them is gone. Ask `contact.a.alive` before using it."""

    a: Entity
    b: Entity


@dataclass(slots=True)
class Quarantined:
    """A body's position or velocity became infinite or no number in a step, so it was taken out of the space.

    Its columns keep their last finite values. It is put back when the game writes its Transform or Velocity.
    """

    entity: Entity


@dataclass(slots=True)
class Rejected:
    """The game gave an entity a value physics cannot take. The plugin raises it as a `PhysicsError`.

    A bad value written over a good one is undone; an entity spawned with one stays out of the space until the value
    is changed.
    """

    entity: Entity
    reason: str


@dataclass(slots=True)
class FilterFailed:
    """A filter given to `Space.refuse` raised. The plugin raises the error once the step is over."""

    error: Exception
