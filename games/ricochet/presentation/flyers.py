"""Ships, discs and the ball as they are seen."""

from __future__ import annotations

from math import cos, hypot, sin

from engine.app import Frame, Plugin
from engine.ecs import I32, Added, ChildOf, Component, Entity, World, i32
from engine.graphics import Animation, Color, Particles, Sprite, Text, Trail, strip
from engine.physics import Velocity
from engine.scene import Offset, Transform
from games.ricochet import tuning
from games.ricochet.components import NOBODY, Ball, Boosts, Controls, Dash, Disc, Player, Protection, Shield, Ship
from games.ricochet.presentation.looks import BALL, BRIGHT, Layer, color_of, shape_of
from games.ricochet.presentation.recipes import EMBERS
from games.ricochet.seats import player_in

flyers = Plugin("ricochet.presentation.flyers")

FLAME_AT = -44.0
"""Where the middle of the flame's picture sits behind a ship, so that its nozzle meets the stern."""
BALL_IMAGE_RADIUS = 48.0
FLAME_FPS = 18.0
DISC_FPS = 20.0
TRAIL_WIDTH = 16.0
TRAIL_SECONDS = 0.4
HEART_WIDTH, HEART_SECONDS = 6.0, 0.16
"""The white-hot streak inside a trail."""


class Core(Component, local=True):
    """Tag of the white heart over a tinted picture."""


class Flame(Component, local=True):
    """Tag of the exhaust."""


class Bubble(Component, local=True):
    """Tag of a shield's picture."""


class Ward(Component, local=True):
    """Tag of the ring around who cannot be harmed yet."""


class Tagline(Component, local=True):
    """Tag of the name over a ship, which does not turn with it."""


class Dressed(Component, local=True):
    """What a disc's picture says of it."""

    bounces: I32 = i32(default=0)
    owner: I32 = i32(default=NOBODY)


@flyers.on(Added[Ship])
def draw_ship(world: World, added: Added[Ship]) -> None:
    """A tinted hull, its white heart, a flame, a shield, a ward, a name."""
    ship = added.entity
    seat, team = ship[Ship].seat, ship[Ship].team
    color, image = color_of(seat, team), f"sprites/ships/{shape_of(seat)}"
    ship.add(Sprite(f"{image}.png", layer=Layer.SHIPS, tint=color))
    _hang(world, ship, Sprite(f"{image}_core.png", layer=Layer.SHIPS + 1), Core())
    flame = Sprite("sprites/flame.png#0/4", layer=Layer.FLAMES, tint=color, additive=True)
    frames = Animation(strip("sprites/flame.png", 4), FLAME_FPS)
    _hang(world, ship, flame, Flame(), frames, offset=Offset(FLAME_AT))
    bubble = Sprite("sprites/shield.png", layer=Layer.SHIELDS, tint=color, visible=False)
    _hang(world, ship, bubble, Bubble())
    _hang(world, ship, Sprite("sprites/pad.png", layer=Layer.SHIELDS, tint=color, visible=False), Ward())
    world.spawn(
        Text(_name(world, seat), size=19.0, color=color.mix(Color.WHITE, 0.35).fade(0.85), layer=Layer.NAMES, dy=-46.0),
        Transform(),
        Tagline(),
        ChildOf(ship.id),
        local=True,
    )


def _name(world: World, seat: int) -> str:
    player = player_in(world, seat)
    return player[Player].name if player is not None else ""


def _hang(world: World, parent: Entity, *components: Component, offset: Offset | None = None) -> None:
    world.spawn(*components, offset or Offset(), ChildOf(parent.id), local=True)


@flyers.on(Frame)
def dress_ships(world: World, frame: Frame) -> None:
    """Flame by thrust, shield by energy, a blink while protected or leaping."""
    for ship, controls, shield, dash, protection in world.rows(Entity, Controls, Shield, Dash, Protection):
        thrust = min(1.0, hypot(controls.thrust_x, controls.thrust_y))
        ahead = max(0.2, controls.thrust_x * cos(controls.aim) + controls.thrust_y * sin(controls.aim))
        blink = protection.seconds > 0 and sin(frame.time * 24.0) > 0
        ghost = dash.active > 0 and dash.phasing
        opacity = 0.45 if blink or ghost else 1.0
        sprite = ship.get(Sprite)
        if sprite is None:
            continue
        sprite.opacity = opacity
        for child in ship.children:
            _dress(world, child, ship, thrust * ahead if dash.active <= 0 else 1.6, shield, opacity)
            if Ward in child:
                child[Sprite].visible = protection.seconds > 0


def _dress(world: World, child: Entity, ship: Entity, thrust: float, shield: Shield, opacity: float) -> None:
    sprite = child.get(Sprite)
    if sprite is None:
        if Tagline in child:
            at, mine, text = ship[Transform], child[Transform], child[Text]
            mine.x, mine.y = at.x, at.y
            if not text.text:  # a guest may hear of a ship before its player
                text.text = _name(world, ship[Ship].seat)
        return
    if Flame in child:
        sprite.visible = thrust > 0.05
        sprite.scale = 0.55 + 0.6 * min(1.5, thrust)
    elif Bubble in child:
        sprite.visible = bool(shield.raised)
        sprite.opacity = 0.5 + 0.5 * min(1.0, shield.energy / tuning.SHIELD_ENERGY)
    elif Core in child:
        sprite.opacity = opacity


@flyers.on(Added[Disc])
def draw_disc(world: World, added: Added[Disc]) -> None:
    disc = added.entity
    state = disc[Disc]
    color, scale = _disc_look(state)
    disc.add(Sprite("sprites/disc_0.png#0/6", layer=Layer.DISCS, tint=color, scale=scale))
    disc.add(Animation(strip("sprites/disc_0.png", 6), DISC_FPS))
    heart = Trail(color=color.mix(Color.WHITE, 0.65), width=HEART_WIDTH, seconds=HEART_SECONDS, layer=Layer.TRAILS)
    _hang(world, disc, Sprite("sprites/disc_0_core.png", layer=Layer.DISCS + 1, scale=scale), Core(), heart)
    disc.add(Trail(color=color, width=TRAIL_WIDTH, seconds=TRAIL_SECONDS, layer=Layer.TRAILS))
    disc.add(Dressed(owner=state.owner))


@flyers.on(Frame)
def dress_discs(world: World, frame: Frame) -> None:
    """The pips count its bounces, its trail grows with its danger, and its colour is that of who threw it last."""
    for entity, disc, dressed, sprite, trail in world.rows(Entity, Disc, Dressed, Sprite, Trail):
        if disc.bounces != dressed.bounces:
            dressed.bounces = disc.bounces
            _count_pips(entity, min(3, disc.bounces), trail)
        if disc.owner != dressed.owner:
            dressed.owner = disc.owner
            sprite.tint = trail.color = _disc_look(disc)[0]


def _count_pips(disc: Entity, bounces: int, trail: Trail) -> None:
    disc[Animation].frames = strip(f"sprites/disc_{bounces}.png", 6)
    trail.width = TRAIL_WIDTH + 5.0 * bounces
    trail.seconds = TRAIL_SECONDS + 0.1 * bounces
    for child in disc.children:
        if Core in child:
            child[Sprite].image = f"sprites/disc_{bounces}_core.png"


def _disc_look(disc: Disc) -> tuple[Color, float]:
    """Its owner's colour, whiter and bigger if overcharged."""
    color = color_of(disc.owner, disc.team)
    return (color.mix(Color.WHITE, 0.55), 1.35) if disc.overcharged else (color, 1.1)


@flyers.on(Added[Ball])
def draw_ball(world: World, added: Added[Ball]) -> None:
    ball = added.entity
    scale = ball[Ball].radius / BALL_IMAGE_RADIUS
    ball.add(Sprite("sprites/ball.png", layer=Layer.BALL, scale=scale))
    ball.add(Trail(color=BALL, width=ball[Ball].radius * 1.5, seconds=0.5, layer=Layer.TRAILS, opacity=0.0))


@flyers.on(Frame)
def heat(world: World, frame: Frame) -> None:
    """The ball glows the faster it is; overcharged and leaping ships shed light."""
    for velocity, trail in world.rows(Velocity, Trail, having=(Ball,)):
        speed = hypot(velocity.vx, velocity.vy)
        trail.opacity = min(0.6, max(0.0, (speed - 120.0) / tuning.BALL_HURTS_FROM))
    particles = world.resource(Particles)
    for at, boosts, dash, ship in world.rows(Transform, Boosts, Dash, Ship):
        share = 0.0
        if boosts.overcharge > 0:
            share = frame.dt * 30.0
        if dash.active > 0:
            share = frame.dt * 200.0
        if share:
            color = BRIGHT if boosts.overcharge > 0 else color_of(ship.seat, ship.team)
            particles.burst(EMBERS, at.x, at.y, color=color, share=max(share, 0.05))
