"""The graphics plugin: on every frame it moves what is cosmetic and draws the world."""

from __future__ import annotations

from dataclasses import dataclass

from engine.app import Frame, Plugin, Scene
from engine.assets import Assets
from engine.ecs import World
from engine.events import Phase
from engine.graphics.camera import Camera
from engine.graphics.canvas import Canvas
from engine.graphics.drawing import animate, draw_list
from engine.graphics.particles import Particles
from engine.graphics.renderer import Screen
from engine.graphics.trail import Trails
from engine.scene import interpolation


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


graphics = Plugin("engine.graphics", needs=[interpolation])
"""Gives a world its `Camera`, `Particles` and `Trails`, and draws it through its `Screen`, if it has one.

Drawing is late in `Frame`: handlers of `Frame` in the main phase can still place the camera and change sprites.
"""


@graphics.setup
def _prepare(world: World) -> None:
    for kind in (Camera, Particles, Trails):
        if world.find_resource(kind) is None:
            world.insert(kind())


@graphics.on(Frame, phase=Phase.LATE, priority=-1000)
def _show(world: World, frame: Frame) -> None:
    camera = world.resource(Camera)
    screen = world.find_resource(Screen)
    if screen is not None:
        camera.width, camera.height = screen.renderer.size
    animate(world, frame.dt)
    world.resource(Particles).advance(frame.dt)
    world.resource(Trails).advance(world, frame.alpha, frame.dt)
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
