"""The viewer: through whose eyes the match is seen."""

from __future__ import annotations

from math import cos, sin

from engine.app import Frame, Plugin
from engine.ecs import Entity, Resource, World
from engine.events import Phase
from engine.graphics import Camera, Rect
from engine.scene import Transform
from engine.sound import Listener
from games.ricochet.arena import Arenas
from games.ricochet.components import Controls, Player, Score, Ship
from games.ricochet.events import ArenaOpened, Bounced, Killed, RoundStarted
from games.ricochet.match import Match, Part
from games.ricochet.presentation.looks import GROUND
from games.ricochet.seats import ship_of

STAY = 4.0
"""Seconds the camera of a spectator stays with a ship, at least."""
LEAD = 130.0
"""Units the camera looks ahead to where the watched ship aims."""
MARGIN = 120.0
"""Units of ground shown beyond the border."""


class Viewer(Resource, local=True):
    """Whose screen this is. `seat` is the player's own, or None for a spectator, who watches where things happen."""

    seat: int | None = None
    watched: int = 0
    """The seat the camera is with."""
    since: float = 0.0
    """Seconds it has been with it."""
    hot: int = -1
    """The seat that did something remarkable last, for a spectator's camera."""
    guest: bool = False
    """A server says which seat this is, if any."""
    framed: str = ""
    """The arena the camera is kept in."""


viewer = Plugin("ricochet.viewer")


@viewer.setup
def prepare(world: World) -> None:
    if world.find_resource(Viewer) is None:
        world.insert(Viewer())
    world.resource(Camera).background = GROUND


def be_seated(world: World, seat: int | None) -> None:
    """A server has told whose screen this is."""
    view = world.find_resource(Viewer) or world.insert(Viewer())
    view.seat, view.guest = seat, True
    view.watched = view.watched if seat is None else seat


@viewer.on(ArenaOpened)
def open_arena(world: World, opened: ArenaOpened) -> None:
    _frame_arena(world, opened.arena)


def _frame_arena(world: World, key: str) -> None:
    """Keep the camera inside the arena."""
    world.resource(Viewer).framed = key
    arena = world.resource(Arenas)[key]
    camera = world.resource(Camera)
    camera.bounds = Rect(-MARGIN, -MARGIN, arena.width + 2 * MARGIN, arena.height + 2 * MARGIN)
    camera.look_at(arena.width / 2, arena.height / 2)


@viewer.on(Killed)
def notice_kill(world: World, killed: Killed) -> None:
    if killed.credited:
        world.resource(Viewer).hot = killed.by


@viewer.on(Bounced)
def notice_bounce(world: World, bounced: Bounced) -> None:
    if bounced.bounces >= 2:
        world.resource(Viewer).hot = bounced.owner


@viewer.on(RoundStarted)
def start_with_own(world: World, started: RoundStarted) -> None:
    view = world.resource(Viewer)
    if view.seat is not None:
        view.watched = view.seat


@viewer.on(Frame, phase=Phase.EARLY)
def look(world: World, frame: Frame) -> None:
    """Follow the watched ship, leaning towards where it aims."""
    view = world.resource(Viewer)
    camera = world.resource(Camera)
    arena = world.resource(Match).arena
    if arena and arena != view.framed:  # it was open before this viewer came
        _frame_arena(world, arena)
    view.since += frame.dt
    ship = _choose(world, view)
    if ship is not None and ship.alive:
        if camera.target != ship:
            camera.follow(ship, stiffness=7.0)
        camera.lead = _lead(ship, own=view.watched == view.seat)
    listener = world.resource(Listener)
    listener.x, listener.y = camera.x, camera.y


def _choose(world: World, view: Viewer) -> Entity | None:
    """One's own ship while it flies; a spectator's camera changes at most every few seconds."""
    if view.seat is not None:
        own = ship_of(world, view.seat)
        if own is not None:
            view.watched, view.since = view.seat, 0.0
            return own
        return None
    current = ship_of(world, view.watched)
    if current is not None and (view.since < STAY or view.hot in (-1, view.watched)):
        return current
    for seat in (view.hot, *_leaders(world)):
        ship = ship_of(world, seat) if seat >= 0 else None
        if ship is not None:
            view.watched, view.since = seat, 0.0
            return ship
    return current


def _leaders(world: World) -> list[int]:
    lines = sorted(world.rows(Player, Score), key=lambda line: (-line[1].points, line[0].seat))
    return [player.seat for player, _ in lines]


def _lead(ship: Entity, *, own: bool) -> tuple[float, float]:
    if Controls not in ship or Ship not in ship or Transform not in ship:
        return 0.0, 0.0
    aim = ship[Controls].aim
    reach = LEAD if own else LEAD * 0.5
    return cos(aim) * reach, sin(aim) * reach


def match_over(world: World) -> bool:
    """Whether the podium is shown."""
    return world.resource(Match).part is Part.PODIUM
