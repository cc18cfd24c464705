"""The first page."""

from __future__ import annotations

from collections.abc import Callable

from engine.widgets import Anchor, Button, Column, Widget
from games.ricochet.presentation.menus.controls_page import controls_page
from games.ricochet.presentation.menus.menu import Menu
from games.ricochet.presentation.menus.play_page import open_play_page
from games.ricochet.presentation.menus.settings_page import settings_page

WIDTH = 340.0
BELOW = 150.0
"""Room below the buttons."""


def main_page(menu: Menu, start: Callable[[], object]) -> Widget:
    """PLAY, SETTINGS, CONTROLS, QUIT."""
    page = Column(
        Button("PLAY", lambda: open_play_page(menu, start), height=56.0),
        Button("SETTINGS", lambda: menu.open(settings_page(menu))),
        Button("CONTROLS", lambda: menu.open(controls_page(menu))),
        Button("QUIT", menu.app.quit),
        width=WIDTH,
    )
    page.anchor, page.margin = Anchor.BOTTOM, BELOW
    return page
