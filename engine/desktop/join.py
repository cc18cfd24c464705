"""A room of others in a window: says how far it is until there is something to see."""

from __future__ import annotations

from pathlib import Path

from engine.app import App, Game, Options, Plugin, Scene
from engine.desktop.play import SIZE, Stage, assets_of, icon_of
from engine.desktop.window import Window
from engine.ecs import World
from engine.events import OnError
from engine.graphics import Color, DrawOverlay, graphics
from engine.input import Key
from engine.net.session import Joining, State
from engine.net.transport.conditioner import Conditions

waiting = Plugin("desktop.waiting", needs=[graphics])
"""What a window shows before the room."""


class _Waiting:
    """A resource: the joining that is waited for."""

    def __init__(self, joining: Joining | None = None) -> None:
        self.joining = joining


@waiting.on(DrawOverlay)
def say(world: World, overlay: DrawOverlay) -> None:
    canvas, joining = overlay.canvas, world.resource(_Waiting).joining
    words = joining.state.value if joining is not None else State.ASKING.value
    middle = canvas.height / 2
    canvas.text(f"{words}…", canvas.width / 2, middle, size=32, color=Color.WHITE, align="center")
    canvas.text("Esc: give up", canvas.width / 2, middle + 48, size=20, color=Color.WHITE.fade(0.6), align="center")


def join_in_window(
    game: Game,
    invite: str,
    name: str,
    *,
    spectate: bool = False,
    secret: str = "",
    conditions: Conditions | None = None,
    seconds: float | None = None,
    screenshot: Path | None = None,
    fullscreen: bool = False,
    mute: bool = False,
) -> str:
    """Play until the window is closed; returns why it ended otherwise, or nothing.

    Raises `WindowError` where there is no display.
    """
    app = App(rate=60)
    found = _Waiting()
    with Window(game.title, SIZE, fullscreen=fullscreen, icon=icon_of(game)) as window:
        stage = Stage(app, window, assets_of(game), mute=mute)
        app.push(Scene(waiting, name="waiting", resources=[*stage.resources(), found]))
        view = Options()

        def look(now: float) -> None:
            if found.joining is None:
                found.joining = Joining(
                    app,
                    game,
                    invite,
                    name,
                    plugins=[*game.view(view), *game.pilot(view)],
                    spectate=spectate,
                    secret=secret,
                    conditions=conditions,
                    on_error=OnError.ISOLATE,
                )
            elif found.joining.state is State.FAILED:
                app.quit()

        def give_up(key: Key) -> None:
            if key is Key.ESCAPE and (found.joining is None or found.joining.scene is None):
                app.quit()

        stage.run(seconds=seconds, before_present=look, on_key=give_up)
        if screenshot is not None:
            stage.renderer.save(screenshot)
    joining = found.joining
    return joining.words if joining is not None and joining.state is State.FAILED else ""
