"""The ball: rolls heavily, hurts at speed, and whoever sent it on its way gets the credit."""

from __future__ import annotations

from math import exp, hypot

from engine.app import Plugin, Tick
from engine.ecs import Component, World
from engine.physics import Body, BodyKind, Circle, Collider, ContactBegan, Material, Space, Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.arena import BallSpot
from games.ricochet.components import Ball, Bumper, Disc, Scenery, Ship, Wall
from games.ricochet.damage import hurt
from games.ricochet.events import BallStruck, Cause
from games.ricochet.layers import Layer

balls = Plugin("ricochet.ball")


def ball(spot: BallSpot) -> tuple[Component, ...]:
    """The components of a ball at rest."""
    return (
        Transform(spot.x, spot.y, 0.0),
        Velocity(0.0, 0.0, 0.0),
        Body(BodyKind.DYNAMIC, mass=tuning.BALL_MASS, fixed_rotation=True),
        Collider(
            Circle(spot.radius),
            material=Material(elasticity=tuning.BALL_ELASTICITY, friction=0.0),
            layer=Layer.BALL,
            mask=Layer.EVERYTHING,
        ),
        Ball(radius=spot.radius),
        Scenery(),
    )


@balls.on(Tick)
def roll(world: World, tick: Tick) -> None:
    """The ball slows down, and never gets so fast that it could pass a wall."""
    kept = exp(-tuning.BALL_DRAG * tick.dt)
    for motion in world.rows(Velocity, having=(Ball,)):
        scale = min(kept, tuning.BALL_TOP_SPEED / max(hypot(motion.vx, motion.vy), 1.0))
        motion.vx *= scale
        motion.vy *= scale


@balls.on(ContactBegan[Disc, Ball])
def drive(world: World, contact: ContactBegan[Disc, Ball]) -> None:
    """A disc drives the ball on, harder than its own weight would."""
    contact.b[Ball].last = contact.a[Disc].owner
    push = tuning.BALL_MASS * tuning.BALL_DRIVE
    world.resource(Space).impulse(contact.b, contact.nx * push, contact.ny * push)
    world.post(BallStruck(contact.x, contact.y, tuning.BALL_DRIVE))


@balls.on(ContactBegan[Ball, Ship])
def run_over(world: World, contact: ContactBegan[Ball, Ship]) -> None:
    """Hurt the ship by how fast the ball came at it; flying into a ball at rest is harmless."""
    if not (contact.a.alive and contact.b.alive):
        return
    ball, motion = contact.a[Ball], contact.a[Velocity]
    towards = motion.vx * contact.nx + motion.vy * contact.ny
    came = towards + contact.impulse / tuning.BALL_MASS
    world.post(BallStruck(contact.x, contact.y, contact.impulse / tuning.SHIP_MASS))
    if came > tuning.BALL_HURTS_FROM:
        damage = (came - tuning.BALL_HURTS_FROM) * tuning.BALL_DAMAGE
        hurt(world, contact.b, damage, by=ball.last, cause=Cause.BALL)
    ball.last = contact.b[Ship].seat


@balls.on(ContactBegan[Ball, Wall])
def off_wall(world: World, contact: ContactBegan[Ball, Wall]) -> None:
    world.post(BallStruck(contact.x, contact.y, contact.impulse / tuning.BALL_MASS))


@balls.on(ContactBegan[Ball, Bumper])
def off_bumper(world: World, contact: ContactBegan[Ball, Bumper]) -> None:
    world.post(BallStruck(contact.x, contact.y, contact.impulse / tuning.BALL_MASS))
