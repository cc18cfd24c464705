"""Commands: a player's intent for one tick, the same on server, predicting client, replay and bot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from engine.ecs import World

C = TypeVar("C")


@dataclass(slots=True)
class Commanded(Generic[C]):
    """`Commanded[Fly]`: what `player` wants in this tick. Posted under the type of its command."""

    player: int
    command: C


@dataclass(slots=True)
class CommandSource:
    """Where commands come from each tick."""

    sample: Callable[[World], Iterable[Commanded[Any]]]
    simulated: bool
    """Made by the simulation itself (a bot), so a replay makes it again instead of reading it."""
