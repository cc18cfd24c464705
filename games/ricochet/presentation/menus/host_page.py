"""The page on which a room is opened for others."""

from __future__ import annotations

from collections.abc import Callable

from engine.net.session import Hosting, State
from engine.widgets import Button, Label, TextField
from games.ricochet.presentation.menus.menu import Menu
from games.ricochet.presentation.menus.play_page import PREVIEW, match_panel, name_field

HELP = (
    "You play too, and bots leave their seats to who joins. The invite is copied to your clipboard: send it to your "
    "friends. From outside of your network, the port must lead to this machine, over TCP and UDP."
)


def open_host_page(menu: Menu, host: Callable[[], Hosting]) -> None:
    """A match as for oneself, and where others find it."""
    settings, theme = menu.settings, menu.ui.theme
    hosting: Hosting | None = None

    def choose_port(text: str) -> None:
        settings.port = min(0xFFFF, int(text)) if text else type(settings)().port

    def choose_address(text: str) -> None:
        settings.address = text.strip()

    def start() -> None:
        nonlocal hosting
        if hosting is None or hosting.state is State.FAILED:
            hosting = host()

    def go_back() -> None:
        if hosting is None or hosting.state is State.FAILED:
            menu.up()

    def look() -> None:
        if hosting is None:
            return
        failed = hosting.state is State.FAILED
        begin.enabled = failed
        note.text = hosting.words if failed else "opening the room"
        note.color = theme.warning if failed else theme.accent

    begin = Button("OPEN", start, height=56.0, color=theme.focus)
    note = Label(HELP, width=PREVIEW[0], size=theme.small, color=theme.faint)
    port = TextField(
        str(settings.port), limit=5, label="Port", allowed=lambda c: c in "0123456789", on_change=choose_port
    )
    address = TextField(settings.address, limit=100, label="Address", hint="in this network", on_change=choose_address)
    page = match_panel(menu, "HOST", [name_field(menu), address, port], begin, note)
    menu.open(page, focus=begin, each_tick=look, on_back=go_back)
