"""`tickwire serve`: rooms without a window, for as many as there are seats."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from engine.cli.games import load_game
from engine.cli.worker import COMMAND
from engine.net.transport.conditioner import Conditions
from engine.server import config as configuration
from engine.server.lifecycle import Service
from engine.server.logs import open_logs
from engine.server.ops.opening import pages_of
from engine.server.reactor import run
from engine.server.schema import SETTINGS, Config
from engine.server.supervisor import supervised


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What was asked for on the command line."""

    settings: Mapping[str, object]
    """By dotted name; those that were not given are None."""
    config: Path | None = None
    check: bool = False
    seed: int | None = None
    seconds: float | None = None
    record: Path | None = None
    conditions: Conditions | None = None


def setting_options() -> list[click.Option]:
    """An option for every setting that has one."""
    found: list[click.Option] = []
    for known in SETTINGS.values():
        if known.option and known.name != "rooms.game":  # that one is the argument
            shown = known.example().strip('"') or "none"
            name = known.name.replace(".", "_")
            found.append(click.Option([known.option, name], metavar="VALUE", help=f"{known.about}  [{shown}]"))
    return found


def settings_from(given: Mapping[str, object]) -> dict[str, object]:
    """The values of `setting_options`, by dotted name."""
    return {name: given.get(name.replace(".", "_")) for name in SETTINGS}


def run_serve(asked: ServeOptions) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code."""

    def read() -> Config:
        return configuration.load(asked.config, environment=os.environ, options=asked.settings)

    config = read()
    game = load_game(config.rooms.game)
    if asked.check:
        for warning in Service(game, config).check():
            print(f"warning: {warning}", file=sys.stderr)
        print(configuration.describe(config))
        return 0
    with open_logs(level=config.log.level, format=config.log.format, secrets=config.secrets()):
        service = Service(
            game,
            config,
            word=config.rooms.game,
            command=COMMAND,
            read=read,
            seed=asked.seed,
            record=asked.record,
            conditions=asked.conditions,
            extensions=[pages_of(lambda words: print(words, flush=True)), supervised],
            announce=lambda invite: _announce(game.title, invite),
        )
        return run(service.run(asked.seconds))


def _announce(title: str, invite: str) -> None:
    print(f"{title}: give this to those who are to join", flush=True)
    print(invite, flush=True)
