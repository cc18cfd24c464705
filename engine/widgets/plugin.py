"""The widgets plugin: gives a world its `Ui`, feeds it with the world's input and draws it over everything else."""

from __future__ import annotations

from typing import Any

from engine.app import End, Frame, Plugin, SceneCovered, SceneEntered
from engine.ecs import World
from engine.events import Phase
from engine.graphics import DrawOverlay, Screen, graphics
from engine.input import INPUT_EVENTS
from engine.sound import sound
from engine.widgets.clipboard import Clipboard
from engine.widgets.ui import Ui

widgets = Plugin("engine.widgets", needs=[graphics, sound])
"""Gives a world its `Ui`, unless there is one, such as one with a theme of the game's own.

Input reaches the widgets early: what is pressed there has been told before the handlers of the main phase see the
same event, and what these show does not react to it any more.
"""


@widgets.setup
def _prepare(world: World) -> None:
    ui = world.find_resource(Ui) or world.insert(Ui())
    ui.post = world.post
    _connect(world, ui)


@widgets.on(SceneEntered, phase=Phase.EARLY)
def _enter(world: World, event: SceneEntered) -> None:
    _connect(world, world.resource(Ui))  # the app has given the scene what all its scenes share


def _connect(world: World, ui: Ui) -> None:
    screen = world.find_resource(Screen)
    if screen is not None:
        ui.resize(*screen.renderer.size)
    ui.clipboard = world.find_resource(Clipboard) or ui.clipboard


def _feed(world: World, event: Any) -> None:
    world.resource(Ui).handle(event)


for _event in INPUT_EVENTS:
    widgets.on(_event, phase=Phase.EARLY)(_feed)


@widgets.on(SceneCovered)
def _cover(world: World, event: SceneCovered) -> None:
    world.resource(Ui).release_all()  # the releases go to the scene above


@widgets.on(End)
def _tick(world: World, stage: End) -> None:
    world.resource(Ui).tick()


@widgets.on(Frame, phase=Phase.EARLY)
def _advance(world: World, frame: Frame) -> None:
    world.resource(Ui).advance(frame.dt)


@widgets.on(DrawOverlay, phase=Phase.LATE)
def _draw(world: World, event: DrawOverlay) -> None:
    world.resource(Ui).draw(event.canvas)
