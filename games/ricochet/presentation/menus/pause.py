"""The pause: Esc or Start in a match, over the match that stands still, unless others play along."""

from __future__ import annotations

from dataclasses import replace
from textwrap import wrap

from engine.app import App, Options, Plugin, Scene, SceneUncovered
from engine.ecs import Resource, World
from engine.input import FocusLost, Key, KeyPressed, PadButton, PadPressed
from engine.net.session import Hosting, Joining, State
from engine.widgets import Button, Clipboard, Column, Label, Panel, Ui, Widget
from games.ricochet.events import Joined, Left
from games.ricochet.presentation.company import in_company
from games.ricochet.presentation.menus import flow
from games.ricochet.presentation.menus.controls_page import controls_page
from games.ricochet.presentation.menus.menu import Menu, menu_scene
from games.ricochet.presentation.menus.network_page import open_network_page
from games.ricochet.presentation.menus.settings_page import settings_page
from games.ricochet.presentation.settings import Settings
from games.ricochet.presentation.viewer import Viewer
from games.ricochet.seats import seat_for_newcomer

WIDTH = 340.0
INVITE_ROW = 40
"""Letters of an invite in a row."""


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
        ui = world.find_resource(Ui)
        if pressed.key is Key.ESCAPE and not pressed.repeat and (ui is None or not ui.took(pressed)):
            _pause(world, options)

    @plugin.on(PadPressed)
    def by_pad(world: World, pressed: PadPressed) -> None:
        if pressed.button is PadButton.START:
            _pause(world, options)

    @plugin.on(FocusLost)
    def by_looking_away(world: World, lost: FocusLost) -> None:
        if not in_company(world):  # others would not wait
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
    if in_company(world):
        scene.pauses_below = False
        _open_company_page(menu, options)
    else:
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
            width=WIDTH,
        ),
        title="PAUSED",
    )


def _open_company_page(menu: Menu, options: Options) -> None:
    """With others nothing stands still, but there is an invite to give, and a way to watch instead of play."""
    app, theme = menu.app, menu.ui.theme
    hosting, joining = menu.world.find_resource(Hosting), menu.world.find_resource(Joining)
    again: Joining | None = None
    note = Label("The match goes on.", size=theme.small, color=theme.faint, align="center", width=WIDTH)
    buttons: list[Widget] = [
        Button("RESUME", menu.close, height=56.0),
        Button("SETTINGS", lambda: menu.open(settings_page(menu))),
        Button("CONTROLS", lambda: menu.open(controls_page(menu))),
    ]

    def copy() -> None:
        clipboard = menu.world.find_resource(Clipboard)
        if clipboard is not None and hosting is not None:
            clipboard.put(hosting.invite)
            note.text, note.color = "copied", theme.accent

    def change_sides(joining: Joining) -> None:
        nonlocal again
        if again is None or again.state is State.FAILED:
            again = flow.join(app, menu.settings, joining.invite, spectate=not joining.spectate)

    def change_own_side(hosting: Hosting) -> None:
        if _change_own_side(hosting):
            menu.close()
        else:
            note.text, note.color = "no seat is free", theme.warning

    def look() -> None:
        if again is not None:
            failed = again.state is State.FAILED
            note.text = again.words if failed else f"{again.state.value} ..."
            note.color = theme.warning if failed else theme.accent

    if hosting is not None:
        buttons.append(Button("COPY INVITE", copy))
        rows = wrap(hosting.invite, INVITE_ROW)
        buttons.append(Label("\n".join(rows), size=theme.small * 0.8, color=theme.faint, align="center"))
        watching = _seat_of(hosting) is None
        buttons.append(Button("PLAY" if watching else "ONLY WATCH", lambda: change_own_side(hosting)))
    if joining is not None:
        buttons.append(Button("NETWORK", lambda: open_network_page(menu)))
        buttons.append(Button("PLAY" if joining.spectate else "ONLY WATCH", lambda: change_sides(joining)))
    leave = Button("CLOSE THE ROOM" if hosting is not None else "LEAVE MATCH", lambda: flow.leave(app, options))
    page = Panel(Column(*buttons, leave, note, width=WIDTH), title="MENU")
    menu.open(page, on_back=menu.close, each_tick=look)


def _match_of(hosting: Hosting) -> Scene | None:
    return hosting.authority.scene if hosting.authority is not None else None


def _seat_of(hosting: Hosting) -> int | None:
    """Where the host sits."""
    match = _match_of(hosting)
    return match.world.resource(Viewer).seat if match is not None else None


def _change_own_side(hosting: Hosting) -> bool:
    """Have the host leave its seat to a bot, or take one. Returns whether there was one."""
    match = _match_of(hosting)
    if match is None:
        return False
    view = match.world.resource(Viewer)
    if view.seat is not None:
        match.receive(Left(view.seat))
        view.seat = None
        return True
    view.seat = seat_for_newcomer(match.world)
    if view.seat is not None:
        match.receive(Joined(view.seat, match.world.resource(Settings).name))
    return view.seat is not None
