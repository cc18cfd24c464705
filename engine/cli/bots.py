"""`tickwire bots`: honest clients that load a server, and measure what its players would feel."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from engine.cli.games import load_game
from engine.net.connection.invite import Invite
from engine.net.robots import Progress, play_robots
from engine.net.transport.conditioner import Conditions
from engine.server.reactor import run


@dataclass(frozen=True, slots=True)
class BotOptions:
    """What was asked for on the command line."""

    invite: str
    game: str
    clients: int
    seconds: float
    latency: float
    jitter: float
    loss: float
    predicting: int
    as_json: bool


def run_bots(asked: BotOptions) -> int:
    """Let them play, print the report; returns the exit code. Raises `InviteError` if there is no such invite."""
    Invite.parse(asked.invite)
    conditions = None
    if asked.latency or asked.jitter or asked.loss:
        half = 1 / 2000  # of a round trip in milliseconds, in seconds
        conditions = Conditions(asked.latency * half, min(asked.jitter, asked.latency) * half, asked.loss / 100)
    game = load_game(asked.game)
    report = run(
        play_robots(
            game,
            asked.invite,
            asked.clients,
            asked.seconds,
            predicting=asked.predicting,
            conditions=conditions,
            tell=_tell if sys.stderr.isatty() else None,
        )
    )
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    print(json.dumps(report.plain()) if asked.as_json else "\n".join(report.lines()))
    return int(report.connected < report.wanted)


def _tell(progress: Progress) -> None:
    """Show on the terminal how far they are."""
    print(
        f"\r\x1b[K{progress.connected} of {progress.wanted} in, {progress.playing} playing, {progress.left:.0f} s left",
        end="",
        file=sys.stderr,
        flush=True,
    )
