"""The match as a whole: how it is played, and how far it is."""

from __future__ import annotations

from enum import Enum

from engine.ecs import Resource
from games.ricochet import tuning


class Mode(Enum):
    """Who is against whom."""

    DEATHMATCH = "deathmatch"
    TEAMS = "teams"


class Part(Enum):
    """The parts of a round."""

    COUNTDOWN = "countdown"
    """Ships are in place and may fly, but not throw."""
    PLAY = "play"
    PODIUM = "podium"
    """The result is shown; nothing counts any more."""


class Match(Resource):
    """Inserted before set-up with what was chosen; the rest is the state of play."""

    people: int = 0
    """Seats for people at the start; the first ones."""
    bots: int = 7
    """Seats for bots at the start. A person who comes later takes one of theirs."""
    name: str = ""
    """What the person in the first seat is called at the start; empty for a name by the seat."""
    mode: Mode = Mode.DEATHMATCH
    round_time: float = tuning.ROUND_TIME
    """Seconds of play in a round."""
    arena: str = ""
    """Key of the arena that stands, or that the first round is played in."""
    round: int = 0
    """Number of the round, from 1."""
    part: Part = Part.PODIUM
    left: float = 0.0
    """Seconds until this part ends."""

    @property
    def playing(self) -> bool:
        """Whether discs are thrown, hulls hurt, and points counted."""
        return self.part is Part.PLAY
