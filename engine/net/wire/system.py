"""The engine's own messages: what replication sends besides the game's. They follow the game's in the order of types.

What is in a payload is told where it is made, in `engine.net.replication`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.net.wire.schema import Int16, MaxBytes, Quantized, Uint8, Uint16, Uint32

MOST_INPUT = 600
MOST_SNAPSHOT = 14_000
MOST_FULL = 1_000_000
MOST_WORDS = 1_000
"""Bytes of what a server says to its players."""

Early = Annotated[float, Quantized(-128.0, 128.0, 1 / 16, clamp=True)]
"""How long before its tick a command is there, in ticks; negative for one that came after it."""


@dataclass(slots=True)
class Hello:
    """Client → server, first of all: as whom it comes."""

    spectate: bool
    """Only to watch."""
    resume: Annotated[bytes, MaxBytes(16)]
    """What `Welcome` gave before the connection was cut; empty for a newcomer."""


@dataclass(slots=True)
class Welcome:
    """Server → client: who it is here."""

    player: Int16
    """The `player` of its commands; -1 for a spectator."""
    tick: Uint32
    every: Uint8
    """Ticks from one snapshot to the next."""
    resume: Annotated[bytes, MaxBytes(16)]
    """What to say in `Hello` to come back after a cut."""
    options: Annotated[bytes, MaxBytes(4_000)]
    """The match's options as JSON, without where its chance starts."""


@dataclass(slots=True)
class Inputs:
    """Client → server, every tick: commands not known to have arrived, and which snapshots did."""

    payload: Annotated[bytes, MaxBytes(MOST_INPUT)]


@dataclass(slots=True)
class Saw:
    """Client → server, now and then: how far in the past it shows others when it makes a command."""

    behind: Uint16
    """Quarters of a tick, from what is shown to the tick of the command."""


@dataclass(slots=True)
class Pace:
    """Server → client, some five times a second: how early its commands have come since the last one."""

    tick: Uint32
    """The one whose commands were the least early."""
    least: Early
    mean: Early
    most: Early


@dataclass(slots=True)
class Snapshot:
    """Server → client: what changed since a snapshot that the client has."""

    payload: Annotated[bytes, MaxBytes(MOST_SNAPSHOT)]


@dataclass(slots=True)
class Full:
    """Server → client: a snapshot that needs no other, for who is new or has fallen behind."""

    payload: Annotated[bytes, MaxBytes(MOST_FULL)]


@dataclass(slots=True)
class Prefab:
    """Server → client, before its first use: what all entities of one make have in common."""

    payload: Annotated[bytes, MaxBytes(60_000)]


@dataclass(slots=True)
class Happened:
    """Server → client: the events of a tick."""

    tick: Uint32
    payload: Annotated[bytes, MaxBytes(60_000)]


@dataclass(slots=True)
class Changed:
    """Server → client: fields of resources."""

    tick: Uint32
    payload: Annotated[bytes, MaxBytes(60_000)]


@dataclass(slots=True)
class Checked:
    """Server → client: what the snapshot of `tick` should have come to, as one sum a component."""

    tick: Uint32
    payload: Annotated[bytes, MaxBytes(4_000)]


@dataclass(slots=True)
class Notice:
    """Server → client: words from whoever runs the server, for the player to read."""

    words: Annotated[str, MaxBytes(MOST_WORDS)]


@dataclass(slots=True)
class Closing:
    """Server → client, last of all: why the connection is about to be closed."""

    words: Annotated[str, MaxBytes(MOST_WORDS)]
