"""The arena's pictures: ground, walls, bumpers, crates, pads."""

from __future__ import annotations

from math import sin

from engine.app import Frame, Plugin
from engine.ecs import F32, Added, ChildOf, Component, Entity, Resource, World, f32
from engine.events import Phase
from engine.graphics import Color, Lines, Sprite, Tiling
from engine.scene import Offset
from games.ricochet import tuning
from games.ricochet.arena import Arenas
from games.ricochet.components import Bumper, Crate, Pad, Pickup
from games.ricochet.events import ArenaOpened, BumperKicked, CrateHit, PickedUp, PickupAppeared
from games.ricochet.match import Match
from games.ricochet.presentation.looks import PICKUP_COLORS, PICKUP_IMAGES, Layer

scenery = Plugin("ricochet.presentation.scenery")

BUMPER_IMAGE_RADIUS = 36.0
CRATE_IMAGE_SIDE = 48.0
FULL, EMPTY = 0.95, 0.3
"""Opacity of a pad's ring while something lies there, and while not."""
LIT = 0.18
"""Seconds a bumper stays lit."""


class Backdrop(Component, local=True):
    """Tag of pictures that go when another arena opens."""


class Flash(Component, local=True):
    """Seconds until a lit bumper goes dark."""

    left: F32 = f32(default=LIT)


class Drawn(Resource, local=True):
    """Which arena stands on the screen."""

    arena: str = ""


class PadIcon(Component, local=True):
    """Tag of the pickup's picture over its pad."""


@scenery.setup
def prepare(world: World) -> None:
    world.insert(Drawn())


@scenery.on(ArenaOpened)
def open_arena(world: World, opened: ArenaOpened) -> None:
    draw_arena(world, opened.arena)


@scenery.on(Frame, phase=Phase.EARLY)
def notice_arena(world: World, frame: Frame) -> None:
    """Who comes late has not seen it open."""
    arena = world.resource(Match).arena
    if arena and arena != world.resource(Drawn).arena:
        draw_arena(world, arena)


def draw_arena(world: World, key: str) -> None:
    """Ground and walls; everything else is drawn where it is."""
    world.resource(Drawn).arena = key
    for entity in world.rows(Entity, having=(Backdrop,)):
        entity.despawn()
    arena = world.resource(Arenas)[key]
    world.spawn(Tiling("sprites/grid.png", layer=Layer.GROUND), Backdrop(), local=True)
    color = Color.parse(arena.wall_color)
    for wall in arena.walls:
        closed = wall.points[0] == wall.points[-1]
        points = wall.points[:-1] if closed else wall.points
        body = Lines(points, color.mix(Color.BLACK, 0.86), wall.thickness, closed=closed, layer=Layer.WALLS - 1)
        edge = Lines(points, color, max(3.0, wall.thickness * 0.3), glow=70.0, closed=closed, layer=Layer.WALLS)
        world.spawn(body, Backdrop(), local=True)
        world.spawn(edge, Backdrop(), local=True)


@scenery.on(Added[Bumper])
def draw_bumper(world: World, added: Added[Bumper]) -> None:
    scale = added.entity[Bumper].radius / BUMPER_IMAGE_RADIUS
    added.entity.add(Sprite("sprites/bumper.png", layer=Layer.BUMPERS, scale=scale))


@scenery.on(BumperKicked)
def light(world: World, kicked: BumperKicked) -> None:
    sprite = kicked.bumper.get(Sprite) if kicked.bumper.alive else None
    if sprite is not None:
        sprite.image = "sprites/bumper_lit.png"
        kicked.bumper.add(Flash())


@scenery.on(Frame)
def darken(world: World, frame: Frame) -> None:
    for bumper, flash, sprite in world.rows(Entity, Flash, Sprite):
        flash.left -= frame.dt
        if flash.left <= 0:
            sprite.image = "sprites/bumper.png"
            bumper.remove(Flash)


@scenery.on(Added[Crate])
def draw_crate(world: World, added: Added[Crate]) -> None:
    crate = added.entity[Crate]
    image = "sprites/crate.png" if crate.points >= tuning.CRATE_POINTS else _cracked(crate.points)
    added.entity.add(Sprite(image, layer=Layer.CRATES, scale=crate.size / CRATE_IMAGE_SIDE))


@scenery.on(CrateHit)
def crack(world: World, hit: CrateHit) -> None:
    sprite = hit.crate.get(Sprite) if hit.crate.alive else None
    if sprite is not None:
        sprite.image = _cracked(hit.points)


def _cracked(points: int) -> str:
    return "sprites/crate_cracked.png" if points > 1 else "sprites/crate_broken.png"


@scenery.on(Added[Pad])
def draw_pad(world: World, added: Added[Pad]) -> None:
    pad = added.entity
    state = pad[Pad]
    kind, lies = state.kinds[state.turn], state.wait == 0
    pad.add(Sprite("sprites/pad.png", layer=Layer.PADS, tint=PICKUP_COLORS[kind], opacity=FULL if lies else EMPTY))
    icon = Sprite(PICKUP_IMAGES[kind], layer=Layer.PADS + 1, visible=lies)
    world.spawn(icon, PadIcon(), Offset(), ChildOf(pad.id), local=True)


@scenery.on(PickupAppeared)
def put_out(world: World, appeared: PickupAppeared) -> None:
    _show_pickup(appeared.pad, appeared.kind, visible=True)


@scenery.on(PickedUp)
def take_away(world: World, taken: PickedUp) -> None:
    _show_pickup(taken.pad, None, visible=False)


def _show_pickup(pad: Entity, kind: Pickup | None, *, visible: bool) -> None:
    """Show what lies there, or the ring alone, in the colour of what comes next."""
    if not pad.alive:
        return
    state = pad[Pad]
    kind = state.kinds[state.turn] if kind is None else kind
    ring = pad.get(Sprite)
    if ring is not None:
        ring.tint, ring.opacity = PICKUP_COLORS[kind], FULL if visible else EMPTY
    for child in pad.children:
        icon = child.get(Sprite)
        if icon is not None:
            icon.image, icon.visible = PICKUP_IMAGES[kind], visible


@scenery.on(Frame)
def hover(world: World, frame: Frame) -> None:
    """Pickups breathe, so that they catch the eye."""
    for icon in world.rows(Sprite, having=(PadIcon,)):
        icon.scale = 1.0 + 0.08 * sin(frame.time * 4.0)
