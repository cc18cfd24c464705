"""Discs: they bounce three times, kill what flies, and end on the fourth thing they meet."""

from __future__ import annotations

from math import cos, hypot, sin

from engine.app import Plugin, Tick
from engine.ecs import Component, Entity, World
from engine.physics import Body, BodyKind, Circle, Collider, ContactBegan, Material, Space, Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.components import Ball, Boosts, Bumper, Crate, Disc, Ship, Team, Wall
from games.ricochet.damage import hurt, is_untouchable
from games.ricochet.events import Bounced, BumperKicked, Cause, Spent, Surface
from games.ricochet.layers import Layer
from games.ricochet.shield import reflect

discs = Plugin("ricochet.discs")

CLEAR = tuning.SHIP_RADIUS + tuning.DISC_RADIUS + 2.0
"""How far from its thrower's middle a disc has left it, units."""


def disc(ship: Entity, angle: float) -> tuple[Component, ...]:
    """The components of a disc that `ship` throws in direction `angle`.

    It starts in the ship's middle, which is never inside a wall, and is harmless to that ship until it has left it.
    """
    at, overcharged = ship[Transform], ship[Boosts].overcharge > 0
    speed = tuning.DISC_SPEED * (tuning.OVERCHARGE_SPEED if overcharged else 1.0)
    return (
        Transform(at.x, at.y, angle),
        Velocity(cos(angle) * speed, sin(angle) * speed, 0.0),
        Body(BodyKind.DYNAMIC, mass=tuning.DISC_MASS, fixed_rotation=True),
        Collider(
            Circle(tuning.DISC_RADIUS),
            material=Material(elasticity=1.0, friction=0.0),
            layer=Layer.DISC,
            mask=Layer.EVERYTHING & ~Layer.DISC,
        ),
        Disc(owner=ship[Ship].seat, team=ship[Ship].team, ship=ship.id, speed=speed, overcharged=overcharged),
    )


@discs.setup
def let_through(world: World) -> None:
    """Whom a disc flies through: its thrower until it has left, team mates, and ships that cannot be harmed."""

    @world.resource(Space).refuse(Disc, Ship)
    def passes(world: World, disc: Entity, ship: Entity) -> bool:  # pyright: ignore[reportUnusedFunction]
        flying, flown = disc[Disc], ship[Ship]
        if flying.owner == flown.seat:
            return is_untouchable(ship) or (flying.ship == ship.id and not flying.away)
        return is_untouchable(ship) or (flying.team == flown.team != Team.NONE)


@discs.on(Tick)
def fly(world: World, tick: Tick) -> None:
    """Keep every disc at its speed, whatever it met, and let the old ones go."""
    for entity, disc, at, motion in world.rows(Entity, Disc, Transform, Velocity):
        scale = disc.speed / max(hypot(motion.vx, motion.vy), 1.0)
        motion.vx *= scale
        motion.vy *= scale
        disc.life -= tick.dt
        if not disc.away:
            disc.away = _has_left(world, disc, at)
        if disc.life <= 0:
            _end(world, entity)


def _has_left(world: World, disc: Disc, at: Transform) -> bool:
    ship = world.find(disc.ship)
    if ship is None:
        return True
    there = ship[Transform]
    return (at.x - there.x) ** 2 + (at.y - there.y) ** 2 > CLEAR**2


@discs.on(ContactBegan[Disc, Wall])
def off_wall(world: World, contact: ContactBegan[Disc, Wall]) -> None:
    bounce(world, contact.a, Surface.WALL, contact.x, contact.y, -contact.nx, -contact.ny)


@discs.on(ContactBegan[Disc, Ball])
def off_ball(world: World, contact: ContactBegan[Disc, Ball]) -> None:
    bounce(world, contact.a, Surface.BALL, contact.x, contact.y, -contact.nx, -contact.ny)


@discs.on(ContactBegan[Disc, Crate])
def off_crate(world: World, contact: ContactBegan[Disc, Crate]) -> None:
    bounce(world, contact.a, Surface.CRATE, contact.x, contact.y, -contact.nx, -contact.ny)


@discs.on(ContactBegan[Disc, Bumper])
def off_bumper(world: World, contact: ContactBegan[Disc, Bumper]) -> None:
    disc = contact.a[Disc]
    disc.speed = min(disc.speed * contact.b[Bumper].kick, tuning.DISC_TOP_SPEED)
    world.post(BumperKicked(contact.b, contact.x, contact.y))
    bounce(world, contact.a, Surface.BUMPER, contact.x, contact.y, -contact.nx, -contact.ny)


def bounce(world: World, entity: Entity, surface: Surface, x: float, y: float, nx: float, ny: float) -> None:
    """Count a bounce at (x, y), or end the disc that has none left. (nx, ny) points to where the disc came from."""
    if not entity.alive:
        return
    disc = entity[Disc]
    if disc.bounces >= tuning.MAX_BOUNCES:
        _end(world, entity)
        return
    disc.bounces += 1
    world.post(Bounced(entity, disc.owner, disc.bounces, surface, x, y, nx, ny))


@discs.on(ContactBegan[Disc, Ship])
def hit(world: World, contact: ContactBegan[Disc, Ship]) -> None:
    """A direct hit hurts, one off a wall kills; a shield that is up throws the disc back."""
    entity, ship = contact.a, contact.b
    if not (entity.alive and ship.alive):
        return
    if reflect(world, ship, entity, touched=(-contact.nx, -contact.ny)):
        return
    disc = entity[Disc]
    damage = tuning.BANKED_DAMAGE if disc.bounces or disc.overcharged else tuning.DIRECT_DAMAGE
    hurt(world, ship, damage, by=disc.owner, cause=Cause.DISC, bounces=disc.bounces)
    entity.despawn()


def _end(world: World, entity: Entity) -> None:
    at = entity[Transform]
    world.post(Spent(entity, entity[Disc].owner, at.x, at.y))
    entity.despawn()
