"""What follows what: the menu over a match of bots, a match, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from engine.app import App, Options, Scene
from engine.assets import Assets
from engine.events import OnError
from engine.graphics import Display
from engine.input import BindingsFile, user_bindings
from engine.net.session import Hosting, Joining
from games.ricochet.game import GAME
from games.ricochet.presentation import backdrop
from games.ricochet.presentation.controls import RicochetControls
from games.ricochet.presentation.menus.main_page import main_page
from games.ricochet.presentation.menus.menu import Menu, menu_scene
from games.ricochet.presentation.menus.trial import Trial
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


def host(app: App, settings: Settings, seed: int) -> Hosting:
    """Begin to open a room for others, which then takes the place of all there is; the invite is copied."""
    options = settings.options(seed)
    return Hosting(
        app,
        GAME,
        options,
        plugins=[*GAME.view(options), *GAME.pilot(options)],
        port=settings.port,
        public=settings.address or None,
        on_error=_policy(app),
    )


def join(app: App, settings: Settings, invite: str, *, spectate: bool = False) -> Joining:
    """Begin to join a room, which then takes the place of all there is."""
    options = Options()
    return Joining(
        app,
        GAME,
        invite,
        settings.name,
        plugins=[*GAME.view(options), *GAME.pilot(options)],
        spectate=spectate,
        conditions=settings.conditions(),
        on_error=_policy(app),
    )


def try_network(app: App, settings: Settings, seed: int) -> Trial:
    """Begin to play with bots as if they were far away."""
    options = replace(settings.options(seed), humans=0, name="")
    return Trial(options, lambda invite: join(app, settings, invite), app.step.rate)


def leave(app: App, options: Options) -> None:
    """Back from a match to the menu."""
    _bring_belongings(app)
    app.step.speed = 1.0
    app.replace(_backdrop(app, options))
    app.push(_menu(app, options))


def _menu(app: App, options: Options) -> Scene:
    scene = menu_scene(app, "menu", on_error=_policy(app))
    scene.pauses_below = False
    menu = scene.world.resource(Menu)
    settings = menu.settings
    page = main_page(
        menu,
        start=lambda: begin(app, settings.options(options.seed)),
        host=lambda: host(app, settings, options.seed),
        join=lambda invite, spectate: join(app, settings, invite, spectate=spectate),
        try_network=lambda: try_network(app, settings, options.seed),
    )
    menu.open(page, title=True)
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
