"""The pause: Esc or Start in a match, over the match that stands still."""

from __future__ import annotations

from dataclasses import replace

from engine.app import App, Options, Plugin, SceneUncovered
from engine.ecs import Resource, World
from engine.input import FocusLost, Key, KeyPressed, PadButton, PadPressed
from engine.widgets import Button, Column, Panel, Widget
from games.ricochet.presentation.menus import flow
from games.ricochet.presentation.menus.controls_page import controls_page
from games.ricochet.presentation.menus.menu import Menu, menu_scene
from games.ricochet.presentation.menus.settings_page import settings_page


class Pause(Resource, local=True):
    """Whether one is on its way or there already: Esc and a lost window in one tick make one pause."""

    asked: bool = False


def pausing(options: Options) -> Plugin:
    """What lets a player pause, leave, or start again a match that was made from these options."""
    plugin = Plugin("ricochet.pausing")

    @plugin.setup
    def prepare(world: World) -> None:
        world.insert(Pause())

    @plugin.on(KeyPressed)
    def by_key(world: World, pressed: KeyPressed) -> None:
        if pressed.key is Key.ESCAPE and not pressed.repeat:
            _pause(world, options)

    @plugin.on(PadPressed)
    def by_pad(world: World, pressed: PadPressed) -> None:
        if pressed.button is PadButton.START:
            _pause(world, options)

    @plugin.on(FocusLost)
    def by_looking_away(world: World, lost: FocusLost) -> None:
        _pause(world, options)

    @plugin.on(SceneUncovered)
    def over(world: World, event: SceneUncovered) -> None:
        world.resource(Pause).asked = False

    return plugin


resuming = Plugin("ricochet.resuming")


@resuming.on(PadPressed)
def resume(world: World, pressed: PadPressed) -> None:
    """Start ends the pause that it began, from whatever page."""
    if pressed.button is PadButton.START:
        world.resource(Menu).close()


def _pause(world: World, options: Options) -> None:
    app = world.find_resource(App)
    pause = world.resource(Pause)
    if app is None or pause.asked:
        return
    pause.asked = True
    scene = menu_scene(app, "pause", resuming, over=world, on_error=app.scene.dispatcher.on_error)
    menu = scene.world.resource(Menu)
    menu.open(_pause_page(menu, options), on_back=menu.close)
    app.push(scene)


def _pause_page(menu: Menu, options: Options) -> Widget:
    app = menu.app
    another = replace(options, seed=options.seed + 1)
    return Panel(
        Column(
            Button("RESUME", menu.close, height=56.0),
            Button("SETTINGS", lambda: menu.open(settings_page(menu))),
            Button("CONTROLS", lambda: menu.open(controls_page(menu))),
            Button("RESTART", lambda: flow.begin(app, another)),
            Button("LEAVE MATCH", lambda: flow.leave(app, another)),
            width=340.0,
        ),
        title="PAUSED",
    )
