"""The graphics plugin: on every frame it moves what is cosmetic and draws the world."""

from __future__ import annotations

from dataclasses import dataclass

from engine.app import Frame, Plugin, Scene, Time
from engine.assets import Assets
from engine.ecs import Resource, World
from engine.events import Phase
from engine.graphics.camera import Camera
from engine.graphics.canvas import Canvas
from engine.graphics.drawing import animate, draw_list
from engine.graphics.particles import Particles
from engine.graphics.renderer import Screen
from engine.graphics.trail import Trails
from engine.scene import interpolation

LONGEST = 0.25
"""Seconds that animations, particles and trails are moved on by at most from one image to the next."""


@dataclass(slots=True)
class DrawWorld:
    """Draw over the world's sprites in world coordinates, such as debug views."""

    canvas: Canvas
    frame: Frame


@dataclass(slots=True)
class DrawOverlay:
    """Draw over everything of this scene in virtual screen coordinates, such as a HUD."""

    canvas: Canvas
    frame: Frame


class Shown(Resource, local=True):
    """Up to when the world's cosmetics have been moved on: they live in its time, so they pause and slow with it."""

    seconds: float = 0.0

    def advance(self, time: Time, alpha: float) -> float:
        """The simulated seconds that have passed since the last image, at most `LONGEST`."""
        now = (time.tick - 1 + alpha) * time.dt
        passed = min(max(0.0, now - self.seconds), LONGEST)
        self.seconds = now
        return passed


graphics = Plugin("engine.graphics", needs=[interpolation])
"""Gives a world its `Camera`, `Particles` and `Trails`, and draws it through its `Screen`, if it has one.

Drawing is late in `Frame`: handlers of `Frame` in the main phase can still place the camera and change sprites.
"""


@graphics.setup
def _prepare(world: World) -> None:
    for kind in (Camera, Particles, Trails, Shown):
        if world.find_resource(kind) is None:
            world.insert(kind())


@graphics.on(Frame, phase=Phase.LATE, priority=-1000)
def _show(world: World, frame: Frame) -> None:
    camera = world.resource(Camera)
    screen = world.find_resource(Screen)
    if screen is not None:
        camera.width, camera.height = screen.renderer.size
    passed = world.resource(Shown).advance(world.resource(Time), frame.alpha)
    animate(world, passed)
    world.resource(Particles).advance(passed)
    world.resource(Trails).advance(world, frame.alpha, passed)
    camera.update(world, frame.alpha, frame.dt)
    if screen is not None:
        _draw(world, frame, camera, screen)


def _draw(world: World, frame: Frame, camera: Camera, screen: Screen) -> None:
    renderer = screen.renderer
    assets = world.find_resource(Assets)
    if assets is not None:
        renderer.use(assets)
    if renderer.is_blank and camera.background is not None:
        renderer.fill(camera.background)
    view = camera.shown
    for _, _, draw in draw_list(world, view, renderer, frame.alpha):
        draw()
    dispatcher = world.resource(Scene).dispatcher
    if dispatcher.listens(DrawWorld):
        dispatcher.trigger(DrawWorld(renderer.canvas(view), frame))
    if dispatcher.listens(DrawOverlay):
        dispatcher.trigger(DrawOverlay(renderer.canvas(), frame))
