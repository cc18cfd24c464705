"""What a game says about being played by many: its protocol, who sits where, and what a client simulates itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from engine.app import AppError, Game, Options, Plugin
from engine.ecs import World
from engine.net.wire.protocol import Protocol

if TYPE_CHECKING:
    from engine.net.replication.state import State

E = TypeVar("E")

SPECTATOR = -1
"""The player number of who only watches."""


@dataclass(slots=True)
class Came:
    """From outside: somebody sits down to play."""

    player: int
    name: str = ""


@dataclass(slots=True)
class Went:
    """From outside: somebody has left."""

    player: int


@dataclass(slots=True)
class Me:
    """A resource of a client's shown world: who plays at this machine."""

    player: int
    """The number in one's commands, or `SPECTATOR`."""


@dataclass(slots=True)
class Withdrawn(Generic[E]):
    """`Withdrawn[Thrown]`, in a client's shown world: its prediction told of an event that did not happen after all.

    What was begun for it and still goes on, such as a long sound, can be ended.
    """

    event: E


def _sit(world: World, player: int) -> None:
    world.insert(Me(player))


@dataclass(slots=True)
class Multiplayer:
    """The part of a `Game` that the network needs; give it as `Game.multiplayer`."""

    protocol: Protocol
    prediction: Callable[[Options], Sequence[Plugin]] | None = None
    """The rules that a client runs ahead of the server: those both sides share, without what only a server decides.
    All of the game's, if not given."""
    resources: Callable[[Options], Sequence[object]] | None = None
    """What both worlds of a client need besides: settings, maps. The game's own, if not given."""
    seat: Callable[[World], int | None] | None = None
    """Where a person who comes now would sit, asked on the server; None if there is no room. The lowest number that
    nobody has, if not given."""
    joined: Callable[[int, str], object] = Came
    """The event from outside that seats a person: `joined(player, name)`."""
    left: Callable[[int], object] = Went
    """The event from outside that frees a seat."""
    room: Sequence[Plugin] = ()
    """What the scene with the authority has besides, such as handlers of the game's own messages."""
    seated: Callable[[World, int], object] = _sit
    """Told to a client's shown world when it learns its player number, or `SPECTATOR`."""
    may_close: Callable[[World], bool] | None = None
    """Whether a server that is about to end can close the room now without spoiling a round, asked after a tick. Any
    moment is as good as another, if not given."""
    save: Callable[[World], Any] | None = None
    """What of a room is to survive a restart of its server, as plain JSON values; nothing, if not given. Who was there
    is not: they come anew."""
    load: Callable[[World, Any], object] | None = None
    """Given such values again, before the first tick of the room that takes its place."""
    every: int = 2
    """Ticks from one snapshot to the next."""
    budget: float | None = None
    """Bytes of snapshots a second and client; None for as many as it takes."""
    autopilot: Callable[[State, int, Random, int], Any] | None = None
    """A command for `tickwire bots`: `autopilot(state, player, rng, tick)`, from what a client is told alone. It
    is asked in every tick, or every few: between them the command is held. The same object is the same command."""


def multiplayer_of(game: Game) -> Multiplayer:
    """What a game says about it. Raises `AppError` if it is for one machine only."""
    found = game.multiplayer
    if not isinstance(found, Multiplayer):
        raise AppError(
            f"{game.title} cannot be played over a network: its GAME has no multiplayer=Multiplayer(protocol, ...)"
        )
    return found
