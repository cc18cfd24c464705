"""What people and their machines tell each other besides the match: talk, pings, and that one wants to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.net.wire import Int8, MaxBytes, MaxItems, Uint16
from games.ricochet import tuning

LONGEST_TALK = 100
"""Letters of a line of talk."""


@dataclass(slots=True)
class Say:
    """Client → server: a line of talk."""

    text: Annotated[str, MaxBytes(4 * LONGEST_TALK)]


@dataclass(slots=True)
class Chat:
    """Server → clients: who said what."""

    seat: Int8
    """NOBODY for a spectator."""
    name: Annotated[str, MaxBytes(80)]
    text: Annotated[str, MaxBytes(4 * LONGEST_TALK)]


@dataclass(slots=True)
class GoOn:
    """Client → server: I have seen the podium."""


@dataclass(slots=True)
class Ping:
    """How far away a player is."""

    seat: Int8
    milliseconds: Uint16


@dataclass(slots=True)
class Pings:
    """Server → clients, once a second: everybody who plays over the network."""

    pings: Annotated[list[Ping], MaxItems(tuning.MAX_SEATS)]
