"""What a game says about being played by many: its protocol, who sits where, and what a client simulates itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from engine.app import AppError, Game, Options, Plugin
from engine.ecs import World
from engine.net.wire.protocol import Protocol

if TYPE_CHECKING:
    from engine.net.replication.state import State

SPECTATOR = -1
"""The player number of who only watches."""


def _nothing(world: World, player: int) -> None:
    """A client scene need not do anything about its seat."""


@dataclass(slots=True)
class Multiplayer:
    """The part of a `Game` that the network needs; give it as `Game.multiplayer`."""

    protocol: Protocol
    prediction: Callable[[Options], Sequence[Plugin]]
    """The rules that a client runs ahead of the server: those both sides share, without what only a server decides."""
    resources: Callable[[Options], Sequence[object]]
    """What both worlds of a client need besides: settings, maps."""
    seat: Callable[[World], int | None]
    """Where a person who comes now would sit, asked on the server; None if there is no room."""
    joined: Callable[[int, str], object]
    """The event from outside that seats a person: `joined(player, name)`."""
    left: Callable[[int], object]
    """The event from outside that frees a seat."""
    seated: Callable[[World, int], object] = _nothing
    """Told to a client's shown world when it learns its player number, or `SPECTATOR`."""
    every: int = 2
    """Ticks from one snapshot to the next."""
    budget: float | None = None
    """Bytes of snapshots a second and client; None for as many as it takes."""
    autopilot: Callable[[State, int, Random, int], Any] | None = None
    """A command for `tickwire bots`: `autopilot(state, player, rng, tick)`, from what a client is told alone."""


def multiplayer_of(game: Game) -> Multiplayer:
    """What a game says about it. Raises `AppError` if it is for one machine only."""
    found = game.multiplayer
    if not isinstance(found, Multiplayer):
        raise AppError(
            f"{game.title} cannot be played over a network: its GAME has no multiplayer=Multiplayer(protocol, ...)"
        )
    return found
