"""What events look like: sparks, rings, shakes, floating points, and the moment a third bounce kills."""

from __future__ import annotations

from math import atan2, ceil, cos, sin

from engine.app import End, Frame, Plugin, Time
from engine.ecs import F32, Component, Entity, World, f32
from engine.graphics import Camera, Color, Particles, Text
from engine.scene import Transform
from games.ricochet.components import Player
from games.ricochet.events import (
    BallStruck,
    Bounced,
    BumperKicked,
    CrateBroken,
    CrateHit,
    Dashed,
    Hurt,
    Killed,
    Launched,
    PickedUp,
    Reflected,
    RoundStarted,
    Scored,
    Spent,
    Thrown,
)
from games.ricochet.presentation import recipes
from games.ricochet.presentation.looks import (
    BRIGHT,
    BUMPER,
    DANGER,
    GOLD,
    PICKUP_COLORS,
    PICKUP_NAMES,
    Layer,
    color_of,
)
from games.ricochet.presentation.viewer import Viewer
from games.ricochet.seats import player_in

effects = Plugin("ricochet.presentation.effects")


RISE = 60.0
"""Units a second."""
FADE_STEPS = 6
"""A glowing text is drawn anew for each strength, so it fades in few steps."""


class Rising(Component, local=True):
    """A text that rises and fades, in simulated time."""

    start: F32 = f32()
    """Where it began, its y."""
    born: F32 = f32()
    seconds: F32 = f32(default=0.9)


def color_in(world: World, seat: int) -> Color:
    """The colour of whoever sits there."""
    player = player_in(world, seat)
    return color_of(seat, player[Player].team if player is not None else 0) if seat >= 0 else BRIGHT


def is_mine(world: World, seat: int) -> bool:
    """Whether this seat is the one that is watched."""
    return seat == world.resource(Viewer).watched


def _shake(world: World, x: float, y: float, amount: float, seconds: float) -> None:
    """Shake, less the farther away."""
    camera = world.resource(Camera)
    near = max(0.0, 1.0 - camera.distance(x, y) / 900.0)
    if near > 0:
        camera.shake(amount * near, seconds)


def _say(world: World, text: str, x: float, y: float, color: int, size: float, seconds: float = 0.9) -> None:
    world.spawn(
        Text(text, size=size, color=color, layer=Layer.NAMES + 1, glow=5.0),
        Transform(x, y),
        Rising(y, world.resource(Time).seconds, seconds),
        local=True,
    )


@effects.on(Thrown)
def muzzle(world: World, thrown: Thrown) -> None:
    world.resource(Particles).burst(
        recipes.MUZZLE, thrown.x, thrown.y, thrown.angle, color=color_in(world, thrown.seat)
    )
    if is_mine(world, thrown.seat):
        world.resource(Camera).kick(-cos(thrown.angle) * 3.0, -sin(thrown.angle) * 3.0)


@effects.on(Bounced)
def spark(world: World, bounced: Bounced) -> None:
    """More with every bounce."""
    particles = world.resource(Particles)
    color = color_in(world, bounced.owner)
    angle = atan2(bounced.ny, bounced.nx)
    particles.burst(recipes.SPARKS, bounced.x, bounced.y, angle, color=color, share=0.6 + 0.45 * bounced.bounces)
    particles.burst(recipes.GLINT, bounced.x, bounced.y, color=color)
    if bounced.bounces >= 3:
        particles.burst(recipes.SMALL_RING, bounced.x, bounced.y, color=color.mix(Color.BLACK, 0.3))


@effects.on(Spent)
def fizzle(world: World, spent: Spent) -> None:
    world.resource(Particles).burst(recipes.SPARKS, spent.x, spent.y, color=color_in(world, spent.owner), share=0.5)


@effects.on(BumperKicked)
def kicked(world: World, kicked: BumperKicked) -> None:
    particles = world.resource(Particles)
    particles.burst(recipes.SMALL_RING, kicked.x, kicked.y, color=BUMPER)
    particles.burst(recipes.SPARKS, kicked.x, kicked.y, color=BUMPER, share=0.7)


@effects.on(Reflected)
def reflected(world: World, reflected: Reflected) -> None:
    particles = world.resource(Particles)
    angle = atan2(reflected.ny, reflected.nx)
    particles.burst(recipes.SPARKS, reflected.x, reflected.y, angle, color=BRIGHT, share=1.6)
    particles.burst(recipes.SMALL_RING, reflected.x, reflected.y, color=color_in(world, reflected.seat))
    if is_mine(world, reflected.seat):
        _shake(world, reflected.x, reflected.y, 6.0, 0.15)


@effects.on(Dashed)
def leap(world: World, dashed: Dashed) -> None:
    particles = world.resource(Particles)
    color = color_in(world, dashed.seat)
    particles.burst(recipes.SPARKS, dashed.x, dashed.y, atan2(-dashed.dy, -dashed.dx), color=color, share=1.4)
    if dashed.phasing:
        particles.burst(recipes.SMALL_RING, dashed.x, dashed.y, color=color)


@effects.on(Launched)
def arrive(world: World, launched: Launched) -> None:
    particles = world.resource(Particles)
    color = color_in(world, launched.seat)
    particles.burst(recipes.GLITTER, launched.x, launched.y, color=color)
    particles.burst(recipes.SMALL_RING, launched.x, launched.y, color=color)


@effects.on(Hurt)
def hurt(world: World, hurt: Hurt) -> None:
    world.resource(Particles).burst(recipes.SPARKS, hurt.x, hurt.y, color=DANGER)
    if is_mine(world, hurt.seat):
        world.resource(Camera).shake(8.0, 0.22)


@effects.on(Killed)
def burst(world: World, killed: Killed) -> None:
    """The ship bursts in its colour; the finer the shot, the bigger the show."""
    particles = world.resource(Particles)
    color = color_in(world, killed.seat)
    staged = killed.credited and killed.bounces >= 3
    particles.burst(recipes.DEBRIS, killed.x, killed.y, color=color, velocity=(killed.vx * 0.4, killed.vy * 0.4))
    particles.burst(recipes.FLASH, killed.x, killed.y, color=color.mix(Color.WHITE, 0.5))
    particles.burst(recipes.RING, killed.x, killed.y, color=color.mix(Color.BLACK, 0.45))
    _shake(world, killed.x, killed.y, 16.0 if staged else 9.0, 0.5 if staged else 0.3)
    if staged:
        killer = color_in(world, killed.by)
        particles.burst(recipes.DEBRIS, killed.x, killed.y, color=GOLD)
        particles.burst(recipes.RING, killed.x, killed.y, color=killer.mix(Color.BLACK, 0.3))
        particles.burst(recipes.WIDE_RING, killed.x, killed.y, color=GOLD.mix(Color.BLACK, 0.4))
        if not is_mine(world, killed.by):  # one's own is said across the whole screen
            _say(world, "RICOCHET!", killed.x, killed.y - 70.0, GOLD, 44.0, 1.5)
    elif killed.credited and killed.bounces:
        _say(world, "BANK SHOT" if killed.bounces == 1 else "DOUBLE BANK", killed.x, killed.y - 60.0, BRIGHT, 24.0)


@effects.on(Scored)
def points(world: World, scored: Scored) -> None:
    if is_mine(world, scored.seat):
        sign = "+" if scored.points >= 0 else "−"
        color = BRIGHT if scored.points >= 0 else DANGER
        _say(world, f"{sign}{abs(scored.points)}", scored.x, scored.y - 30.0, color, 26.0)


@effects.on(CrateHit)
def chip(world: World, hit: CrateHit) -> None:
    world.resource(Particles).burst(recipes.SPLINTERS, hit.x, hit.y, share=0.35)


@effects.on(CrateBroken)
def splinter(world: World, broken: CrateBroken) -> None:
    world.resource(Particles).burst(recipes.SPLINTERS, broken.x, broken.y)
    _shake(world, broken.x, broken.y, 4.0, 0.15)


@effects.on(BallStruck)
def thud(world: World, struck: BallStruck) -> None:
    if struck.speed > 120.0:
        _shake(world, struck.x, struck.y, min(10.0, struck.speed / 60.0), 0.2)
        world.resource(Particles).burst(recipes.SPARKS, struck.x, struck.y, share=min(1.5, struck.speed / 300.0))


@effects.on(PickedUp)
def glitter(world: World, taken: PickedUp) -> None:
    world.resource(Particles).burst(recipes.GLITTER, taken.x, taken.y, color=PICKUP_COLORS[taken.kind])
    if is_mine(world, taken.seat):
        _say(world, PICKUP_NAMES[taken.kind], taken.x, taken.y - 50.0, PICKUP_COLORS[taken.kind], 24.0, 1.2)


@effects.on(RoundStarted)
def jolt(world: World, started: RoundStarted) -> None:
    world.resource(Camera).shake(5.0, 0.25)


@effects.on(End)
def forget(world: World, stage: End) -> None:
    """Texts go when their time is over, also while nobody looks."""
    now = world.resource(Time).seconds
    for entity, rising in world.rows(Entity, Rising):
        if now >= rising.born + rising.seconds:
            entity.despawn()


@effects.on(Frame)
def rise(world: World, frame: Frame) -> None:
    time = world.resource(Time)
    now = time.seconds - time.dt * (1.0 - frame.alpha)
    for rising, text, at in world.rows(Rising, Text, Transform):
        age = max(0.0, now - rising.born)
        at.y = rising.start - RISE * age
        fade = ceil(FADE_STEPS * min(1.0, max(0.0, (rising.seconds - age) / 0.4))) / FADE_STEPS
        text.color = text.color & 0xFFFFFF00 | round(255 * fade)
