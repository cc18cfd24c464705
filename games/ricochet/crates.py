"""Crates: cover that does not last."""

from __future__ import annotations

from math import hypot

from engine.app import Plugin
from engine.ecs import Component, Entity, World
from engine.physics import Box, Collider, ContactBegan, Material, Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.arena import CrateSpot
from games.ricochet.components import Ball, Crate, Disc, Scenery
from games.ricochet.events import CrateBroken, CrateHit
from games.ricochet.layers import Layer

crates = Plugin("ricochet.crates")


def crate(spot: CrateSpot) -> tuple[Component, ...]:
    """The components of a whole crate."""
    return (
        Transform(spot.x, spot.y, spot.angle),
        Collider(
            Box(spot.size, spot.size),
            material=Material(elasticity=1.0, friction=0.0),
            layer=Layer.CRATE,
            mask=Layer.EVERYTHING,
        ),
        Crate(size=spot.size),
        Scenery(),
    )


@crates.on(ContactBegan[Disc, Crate], priority=1)  # before the disc, which may end there
def by_disc(world: World, contact: ContactBegan[Disc, Crate]) -> None:
    _hit(world, contact.b, 1, contact.a[Disc].owner)


@crates.on(ContactBegan[Ball, Crate])
def by_ball(world: World, contact: ContactBegan[Ball, Crate]) -> None:
    """A fast ball breaks a crate at once."""
    motion = contact.a[Velocity]
    if hypot(motion.vx, motion.vy) + contact.impulse / tuning.BALL_MASS > tuning.BALL_BREAKS_FROM:
        _hit(world, contact.b, contact.b[Crate].points, contact.a[Ball].last)


def _hit(world: World, entity: Entity, points: int, by: int) -> None:
    if not entity.alive:
        return
    crate, at = entity[Crate], entity[Transform]
    crate.points -= points
    if crate.points > 0:
        world.post(CrateHit(entity, crate.points, at.x, at.y))
    else:
        world.post(CrateBroken(entity, by, at.x, at.y, crate.size))
        entity.despawn()
