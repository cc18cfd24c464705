"""`tickwire join`: enter a room in a window."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.app import AppError
from engine.cli.games import load_game
from engine.net.transport.presets import PRESETS


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """What was asked for on the command line."""

    invite: str
    game: str
    name: str
    spectate: bool
    secret: str
    preset: str
    seconds: float | None
    screenshot: Path | None
    fullscreen: bool
    mute: bool


def run_join(asked: JoinOptions) -> int:
    """Play until the window is closed or the room is; returns the exit code."""
    from engine.desktop.join import join_in_window

    if asked.preset and asked.preset not in PRESETS:
        raise AppError(f"there is no network {asked.preset!r}; choose one of {', '.join(PRESETS)}")
    words = join_in_window(
        load_game(asked.game),
        asked.invite,
        asked.name or _user(),
        spectate=asked.spectate,
        secret=asked.secret,
        conditions=PRESETS.get(asked.preset),
        seconds=asked.seconds,
        screenshot=asked.screenshot,
        fullscreen=asked.fullscreen,
        mute=asked.mute,
    )
    if words:
        print(f"tickwire: {words}", file=sys.stderr)
    return int(bool(words))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return ""
