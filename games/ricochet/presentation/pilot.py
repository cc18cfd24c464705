"""The pilot: keys, mouse and pad become one `Fly` a tick."""

from __future__ import annotations

from collections.abc import Iterable
from math import atan2, cos, hypot, sin

from engine.app import Commanded, Frame, Plugin, SceneCovered, SceneEntered, SceneLeft, SceneUncovered, Tick
from engine.ecs import World
from engine.graphics import Camera, Display
from engine.input import BindingsFile, Device
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.commands import Fly
from games.ricochet.match import Match, Part
from games.ricochet.presentation.base import base
from games.ricochet.presentation.company import go_on
from games.ricochet.presentation.controls import RicochetControls, controls
from games.ricochet.presentation.hud import Feed, hud
from games.ricochet.presentation.settings import SettingsFile
from games.ricochet.presentation.viewer import Viewer, viewer
from games.ricochet.seats import ship_of

PAD_CROSSHAIR = 190.0
"""Units from the ship at which the crosshair of a pad stands."""

PODIUM_LOOK = 1.0
"""Seconds the podium stays at least, for whoever still dashes about."""


class Aim:
    """Where the pilot last aimed, in radians: a resource of the pilot's own."""

    def __init__(self) -> None:
        self.angle = 0.0


pilot = Plugin("ricochet.pilot", needs=[controls, base, viewer, hud])


@pilot.setup
def prepare(world: World) -> None:
    if world.find_resource(SettingsFile) is None:
        file = world.insert(SettingsFile.beside(world.resource(BindingsFile)))
        world.insert(file.load())
    world.insert(Aim())
    view = world.resource(Viewer)
    if not view.guest:
        view.seat = 0


@pilot.commands()
def fly(world: World) -> Iterable[Commanded[Fly]]:
    """This tick's intent. Buttons pressed and let go between two ticks still count for one."""
    wanted = world.resource(RicochetControls)
    seat = world.resource(Viewer).seat
    if seat is None:
        return
    x, y = wanted.thrust.value
    yield Commanded(
        seat,
        Fly(
            x,
            y,
            _aim(world, wanted, seat),
            fire=wanted.fire.held or wanted.fire.pressed,
            dash=wanted.dash.held or wanted.dash.pressed,
            shield=wanted.shield.held or wanted.shield.pressed,
        ),
    )


def _aim(world: World, wanted: RicochetControls, seat: int) -> float:
    """Towards the pointer, or where the right stick points; a stick at rest keeps the last direction."""
    aim = world.resource(Aim)
    if wanted.device is Device.PAD:
        x, y = wanted.aim.value
        if hypot(x, y) > 0.3:
            aim.angle = atan2(y, x)
        elif hypot(*wanted.thrust.value) > 0.3:
            aim.angle = atan2(wanted.thrust.value[1], wanted.thrust.value[0])
        return aim.angle
    ship = ship_of(world, seat)
    if ship is not None and Transform in ship:
        at = ship[Transform]
        x, y = world.resource(Camera).screen_to_world(*wanted.pointer)
        if (x, y) != (at.x, at.y):
            aim.angle = atan2(y - at.y, x - at.x)
    return aim.angle


@pilot.on(Tick)
def leave_podium(world: World, tick: Tick) -> None:
    """The dash, once the podium has been seen."""
    match, seat = world.resource(Match), world.resource(Viewer).seat
    seen = match.part is Part.PODIUM and match.left < tuning.PODIUM_TIME - PODIUM_LOOK
    if seen and seat is not None and world.resource(RicochetControls).dash.pressed:
        go_on(world, seat)


@pilot.on(Frame)
def show_aim(world: World, frame: Frame) -> None:
    """Crosshair and scoreboard as the player holds them."""
    wanted = world.resource(RicochetControls)
    feed = world.resource(Feed)
    feed.scoreboard = wanted.scores.held
    if wanted.device is not Device.PAD:
        feed.crosshair = wanted.pointer
        return
    ship = ship_of(world, world.resource(Viewer).seat or 0)
    if ship is not None and Transform in ship:
        at, angle = ship[Transform], world.resource(Aim).angle
        feed.crosshair = world.resource(Camera).world_to_screen(
            at.x + cos(angle) * PAD_CROSSHAIR, at.y + sin(angle) * PAD_CROSSHAIR
        )


def _hide_pointer(world: World, event: object) -> None:
    """The crosshair takes its place."""
    _show_pointer(world, visible=False)


def _bring_pointer(world: World, event: object) -> None:
    _show_pointer(world, visible=True)


def _show_pointer(world: World, *, visible: bool) -> None:
    display = world.find_resource(Display)
    if display is not None:
        display.show_pointer(visible)


pilot.on(SceneEntered)(_hide_pointer)
pilot.on(SceneUncovered)(_hide_pointer)
pilot.on(SceneCovered)(_bring_pointer)
pilot.on(SceneLeft)(_bring_pointer)
