"""What follows what: the menu over a match of bots, a match, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from engine.app import App, Options, Scene
from engine.assets import Assets
from engine.events import OnError
from engine.graphics import Display
from engine.input import BindingsFile, user_bindings
from games.ricochet.game import GAME
from games.ricochet.presentation import backdrop
from games.ricochet.presentation.controls import RicochetControls
from games.ricochet.presentation.menus.main_page import main_page
from games.ricochet.presentation.menus.menu import Menu, menu_scene
from games.ricochet.presentation.settings import Settings, SettingsFile

R = TypeVar("R")

BACKDROP_BOTS = 8


def opening(app: App, options: Options) -> Scene:
    """The menu, to be put on the stack; the match behind it is there already. `options` give where chance starts.

    Where the player's settings and bindings are kept follows from the `BindingsFile` in `app.shared`, if there is one.
    """
    _bring_belongings(app)
    app.push(_backdrop(app, options))
    return _menu(app, options)


def begin(app: App, options: Options) -> None:
    """Start a match instead of all there is."""
    plugins = [*GAME.view(options), *GAME.pilot(options)]
    app.replace(GAME.scene(options, plugins, resources=app.shared, on_error=_policy(app)))


def leave(app: App, options: Options) -> None:
    """Back from a match to the menu."""
    _bring_belongings(app)
    app.replace(_backdrop(app, options))
    app.push(_menu(app, options))


def _menu(app: App, options: Options) -> Scene:
    scene = menu_scene(app, "menu", on_error=_policy(app))
    scene.pauses_below = False
    menu = scene.world.resource(Menu)
    menu.open(main_page(menu, lambda: begin(app, menu.settings.options(options.seed))), title=True)
    return scene


def _backdrop(app: App, options: Options) -> Scene:
    watched = replace(Options(seed=options.seed), bots=BACKDROP_BOTS)
    return GAME.scene(watched, [backdrop], resources=app.shared, on_error=_policy(app))


def _policy(app: App) -> OnError:
    """In a window the show goes on; anywhere else, that is in tests, whoever drives the app wants to know."""
    return OnError.ISOLATE if _shared(app, Display) is not None else OnError.RAISE


def _bring_belongings(app: App) -> None:
    """Have all scenes share what the player has: the pictures and sounds, the settings and the bindings."""
    if _shared(app, Settings) is not None:
        return
    bindings_file = _shared(app, BindingsFile)
    if bindings_file is None:
        bindings_file = BindingsFile(user_bindings("ricochet"))
        app.shared.append(bindings_file)
    controls = RicochetControls()
    bindings_file.load(controls)
    file = SettingsFile.beside(bindings_file)
    settings = file.load()
    app.shared += [controls.bindings, file, settings]
    if _shared(app, Assets) is None:
        app.shared.append(Assets.of("ricochet"))
    display = _shared(app, Display)
    if display is not None and settings.fullscreen and not display.is_fullscreen():
        display.toggle_fullscreen()


def _shared(app: App, kind: type[R]) -> R | None:
    return next((resource for resource in app.shared if isinstance(resource, kind)), None)
