"""The pages on which a match is put together: to play alone, and to host for others."""

from __future__ import annotations

from collections.abc import Callable

from engine.widgets import Button, Choice, Column, Label, Panel, Picture, Row, Slider, Space, TextField, Widget
from games.ricochet import tuning
from games.ricochet.arena import load_arenas
from games.ricochet.bots import LEVELS
from games.ricochet.match import Mode
from games.ricochet.presentation.menus.menu import Menu
from games.ricochet.seats import LONGEST_NAME

PREVIEW = (448.0, 252.0)
ABOUT = {
    Mode.DEATHMATCH: "Everyone against everyone. Bank your shots: each bounce scores more.",
    Mode.TEAMS: "Two sides. Your own discs kill your mates as well, so mind the angles.",
}


def open_play_page(menu: Menu, start: Callable[[], object]) -> None:
    """Name, arena, mode, opponents, and what the arena looks like; two presses of Enter play on as last time."""
    begin = Button("START", start, height=56.0, color=menu.ui.theme.focus)
    menu.open(match_panel(menu, "PLAY", [name_field(menu)], begin), focus=begin)


def match_panel(menu: Menu, title: str, more: list[Widget], begin: Button, *below: Widget) -> Panel:
    """The choice of a match, with `more` widgets under it, and what is said `below` the arena's picture."""
    settings = menu.settings
    arenas = {arena.key: arena for arena in load_arenas()}
    chosen = arenas.get(settings.arena) or next(iter(arenas.values()))
    mode = Mode(settings.mode or Mode.DEATHMATCH)
    preview = Picture(f"maps/{chosen.key}.png", *PREVIEW, framed=True)
    about = Label(ABOUT[mode], width=PREVIEW[0], size=menu.ui.theme.small, color=menu.ui.theme.faint)

    def choose_arena(key: str) -> None:
        settings.arena = key
        preview.image = f"maps/{key}.png"

    def choose_mode(mode: Mode) -> None:
        settings.mode = mode.value
        about.text = ABOUT[mode]

    def choose_level(level: str) -> None:
        settings.level = level

    def choose_bots(bots: float) -> None:
        settings.bots = round(bots)

    left = Column(
        Choice(list(arenas), chosen.key, label="Arena", shown=lambda key: arenas[key].name, on_change=choose_arena),
        Choice(list(Mode), mode, label="Mode", shown=_mode_name, on_change=choose_mode),
        Slider(
            1,
            tuning.MAX_SEATS - 1,
            settings.bots,
            step=1,
            label="Bots",
            shown=lambda n: f"{n:.0f}",
            on_change=choose_bots,
        ),
        Choice(list(LEVELS), settings.level, label="Level", shown=str.capitalize, on_change=choose_level),
        *more,
        Space(),
        begin,
        Button("BACK", menu.back),
    )
    right = Column(preview, about, *below, Space(), width=PREVIEW[0])
    return Panel(Row(left, right, weights=(1, 0), spacing=28.0), title=title, width=1020.0)


def name_field(menu: Menu) -> TextField:
    """What the pilot is called."""

    def rename(name: str) -> None:
        menu.settings.name = name

    return TextField(
        menu.settings.name,
        limit=LONGEST_NAME,
        label="Pilot",
        hint="your name",
        allowed=str.isprintable,
        on_change=rename,
    )


def _mode_name(mode: Mode) -> str:
    return mode.value.capitalize()
