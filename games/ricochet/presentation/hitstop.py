"""Hit-stop: the world nearly stands still for an instant when one's disc kills, or someone else's kills oneself."""

from __future__ import annotations

from engine.app import App, Frame, Plugin, SceneCovered, SceneLeft
from engine.ecs import Resource, World
from games.ricochet.events import Killed
from games.ricochet.presentation.company import in_company
from games.ricochet.presentation.settings import Settings
from games.ricochet.presentation.viewer import Viewer

hitstop = Plugin("ricochet.presentation.hitstop")

STAGED_STOP = 0.26
"""Real seconds it lasts for a third-bounce kill; the sound explodes when the world goes on."""
KILL_STOP = 0.06
SLOW = 0.08
"""Speed of the world meanwhile."""


class HitStop(Resource, local=True):
    """How long the world still stands, in real seconds."""

    left: float = 0.0


@hitstop.setup
def prepare(world: World) -> None:
    world.insert(HitStop())


@hitstop.on(Killed)
def stop(world: World, killed: Killed) -> None:
    """Only for who plays here, alone: spectators, replays and matches with others go on at their own speed."""
    seat = world.resource(Viewer).seat
    if seat is None or seat not in (killed.by, killed.seat) or not world.resource(Settings).hit_stop:
        return
    if in_company(world):
        return
    staged = killed.credited and killed.bounces >= 3
    _set(world, max(world.resource(HitStop).left, STAGED_STOP if staged else KILL_STOP))


@hitstop.on(Frame)
def hold(world: World, frame: Frame) -> None:
    left = world.resource(HitStop).left
    if left:
        _set(world, max(0.0, left - frame.dt))


@hitstop.on(SceneCovered)
def covered(world: World, event: SceneCovered) -> None:
    _set(world, 0.0)


@hitstop.on(SceneLeft)
def left(world: World, event: SceneLeft) -> None:
    _set(world, 0.0)


def _set(world: World, seconds: float) -> None:
    stop, app = world.resource(HitStop), world.find_resource(App)
    if app is not None and (seconds or stop.left):
        app.step.speed = SLOW if seconds else 1.0
        stop.left = seconds
