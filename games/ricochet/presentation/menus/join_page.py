"""The page on which an invite is followed."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import TickwireError
from engine.net.connection.invite import Invite
from engine.net.session import Joining, State
from engine.widgets import Button, Column, Label, ListBox, Panel, Row, TextField, Toggle
from games.ricochet.presentation.menus.menu import Menu
from games.ricochet.presentation.menus.network_page import open_network_page
from games.ricochet.presentation.menus.play_page import name_field

WIDTH = 820.0
HELP = "Paste the invite that your host has sent you; it begins with tickwire://"

Join = Callable[[str, bool], Joining]
"""Begins to join by an invite, perhaps only to watch."""


def open_join_page(menu: Menu, join: Join) -> None:
    """An invite, one's name, and where one has been before."""
    settings, ui, theme = menu.settings, menu.ui, menu.ui.theme
    joining: Joining | None = None
    watch = False

    def under_way() -> bool:
        return joining is not None and joining.state is not State.FAILED

    def choose(text: str) -> None:
        invite.value = text
        start()

    def paste() -> None:
        invite.value = ui.clipboard.get().strip()

    def only_watch(on: bool) -> None:
        nonlocal watch
        watch = on

    def start() -> None:
        nonlocal joining
        if under_way():
            return
        try:
            chosen = str(Invite.parse(invite.value))
        except TickwireError as error:
            _say(note, str(error) if invite.value.strip() else HELP, theme.warning)
            return
        settings.remember(chosen)
        joining = join(chosen, watch)

    def give_up() -> None:
        nonlocal joining
        if joining is not None and under_way():
            joining.cancel()
            _say(note, HELP, theme.faint)
            joining = None
        else:
            menu.up()

    def look() -> None:
        go.enabled, leave.text = not under_way(), "CANCEL" if under_way() else "BACK"
        if joining is not None:
            failed = joining.state is State.FAILED
            _say(
                note,
                joining.words if failed else f"{joining.state.value} ...",
                theme.warning if failed else theme.accent,
            )

    invite = TextField(
        settings.invites[0] if settings.invites else "", limit=300, hint="tickwire://...", on_submit=lambda _: start()
    )
    note = Label(HELP, width=WIDTH - 2 * theme.inset, size=theme.small, color=theme.faint)
    before = ListBox(settings.invites, rows=3, chosen=None, shown=_place, empty="nowhere yet", on_submit=choose)
    go = Button("JOIN", start, height=56.0, color=theme.focus)
    leave = Button("BACK", give_up)
    page = Panel(
        Column(
            Row(invite, Button("PASTE", paste), weights=(1, 0)),
            note,
            Row(name_field(menu), Toggle("Only watch", watch, only_watch)),
            Label("Where you have been", size=theme.small, color=theme.faint),
            before,
            go,
            Row(Button("NETWORK", lambda: open_network_page(menu)), leave),
        ),
        title="JOIN",
        width=WIDTH,
    )
    menu.open(page, focus=go if settings.invites else invite, each_tick=look, on_back=give_up)


def _say(note: Label, text: str, color: int) -> None:
    note.text, note.color = text, color


def _place(invite: str) -> str:
    try:
        return Invite.parse(invite).authority
    except TickwireError:
        return invite[:40]
