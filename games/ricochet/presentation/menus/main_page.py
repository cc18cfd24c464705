"""The first page."""

from __future__ import annotations

from collections.abc import Callable

from engine.net.session import Hosting
from engine.widgets import Anchor, Button, Column, Row, Widget
from games.ricochet.presentation.menus.controls_page import controls_page
from games.ricochet.presentation.menus.host_page import open_host_page
from games.ricochet.presentation.menus.join_page import Join, open_join_page
from games.ricochet.presentation.menus.menu import Menu
from games.ricochet.presentation.menus.network_page import open_network_page
from games.ricochet.presentation.menus.play_page import open_play_page
from games.ricochet.presentation.menus.settings_page import settings_page
from games.ricochet.presentation.menus.trial import Trial

WIDTH = 400.0
BELOW = 96.0
"""Room below the buttons."""


def main_page(
    menu: Menu,
    start: Callable[[], object],
    host: Callable[[], Hosting],
    join: Join,
    try_network: Callable[[], Trial],
) -> Widget:
    """Alone, with others, and how it all is."""
    page = Column(
        Button("PLAY", lambda: open_play_page(menu, start), height=56.0),
        Row(
            Button("HOST", lambda: open_host_page(menu, host)),
            Button("JOIN", lambda: open_join_page(menu, join)),
        ),
        Button("SETTINGS", lambda: menu.open(settings_page(menu))),
        Button("CONTROLS", lambda: menu.open(controls_page(menu))),
        Button("NETWORK", lambda: open_network_page(menu, try_network)),
        Button("QUIT", menu.app.quit),
        width=WIDTH,
    )
    page.anchor, page.margin = Anchor.BOTTOM, BELOW
    return page
