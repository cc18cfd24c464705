"""What a player is told of the connection: that it comes back, that it is lost, and where the invite is."""

from __future__ import annotations

from engine.app import App, End, Options, Plugin, SceneEntered
from engine.ecs import Resource, World
from engine.events import Phase
from engine.graphics import DrawOverlay
from engine.net.session import Hosting, Joining, State
from engine.widgets import Button, Clipboard, Column, Label, Panel, Widget
from games.ricochet.presentation.looks import BRIGHT, CALM, GOLD
from games.ricochet.presentation.menus import flow
from games.ricochet.presentation.menus.menu import Menu, menu_scene
from games.ricochet.presentation.talking import note, talking

connection = Plugin("ricochet.connection", needs=[talking])

WIDTH = 560.0


class Bereft(Resource, local=True):
    """Whether the player has been told that it is over."""

    told: bool = False


@connection.setup
def prepare(world: World) -> None:
    world.insert(Bereft())


@connection.on(SceneEntered)
def explain(world: World, entered: SceneEntered) -> None:
    """To a host: the way for others to come is on the clipboard. To a guest: that this is not the room from before."""
    hosting, joining = world.find_resource(Hosting), world.find_resource(Joining)
    if hosting is not None:
        copy_invite(world, hosting)
    if joining is not None and joining.moved:
        note(world, "Your room is gone, with all that was in it. This is another one.", GOLD)


def copy_invite(world: World, hosting: Hosting) -> None:
    """Put the invite where it can be pasted from, and say so."""
    clipboard = world.find_resource(Clipboard)
    if clipboard is not None:
        clipboard.put(hosting.invite)
    note(world, "Your invite is on the clipboard. Send it to your friends.", GOLD)


@connection.on(End)
def mourn(world: World, end: End) -> None:
    """What is over is said once, with a way on."""
    joining, app = world.find_resource(Joining), world.find_resource(App)
    bereft = world.resource(Bereft)
    if joining is None or app is None or bereft.told or joining.state is not State.FAILED:
        return
    bereft.told = True
    scene = menu_scene(app, "lost", over=world, on_error=app.scene.dispatcher.on_error)
    scene.pauses_below = False
    menu = scene.world.resource(Menu)
    menu.open(_lost_page(menu, joining), on_back=lambda: flow.leave(app, Options()))
    app.push(scene)


def _lost_page(menu: Menu, joining: Joining) -> Widget:
    theme, app = menu.ui.theme, menu.app
    again: Joining | None = None
    words = Label(joining.words, size=theme.small, color=theme.warning, align="center", width=WIDTH - 2 * theme.inset)

    def join_again() -> None:
        nonlocal again
        if again is None or again.state is State.FAILED:
            again = flow.join(app, menu.settings, joining.invite, spectate=joining.spectate)

    return Panel(
        Column(
            words,
            Button("JOIN AGAIN", join_again, height=56.0),
            Button("LEAVE", lambda: flow.leave(app, Options())),
        ),
        title="CONNECTION LOST",
        width=WIDTH,
    )


@connection.on(DrawOverlay, phase=Phase.LATE)
def draw(world: World, overlay: DrawOverlay) -> None:
    """While it may come back, the match stands dimmed."""
    joining, canvas = world.find_resource(Joining), overlay.canvas
    if joining is None or joining.state is not State.RESUMING:
        return
    middle, y = canvas.width / 2, canvas.height / 2 - 60
    dots = "." * (1 + int(overlay.frame.time * 2.0) % 3)
    canvas.rect(0, 0, canvas.width, canvas.height, fill=0x02040A90)
    canvas.rect(middle - 300, y, 600, 112, fill=0x070B14E6, color=GOLD.fade(0.6), line=1.5, radius=14)
    canvas.text("connection lost", middle, y + 18, size=38, color=BRIGHT, align="center")
    canvas.text(f"coming back {dots}", middle, y + 62, size=26, color=GOLD, align="center")
    canvas.text(joining.words, middle, y + 122, size=18, color=CALM, align="center")
