"""What happens in a match, told in the past tense: for scores, sounds, sparks, and the network.

Players are named by seat, places are in world units. Entities are alive while an event that names them is
delivered, and may be gone in the next stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from engine.ecs import Entity
from games.ricochet.components import NOBODY, Pickup, Team

# From outside


@dataclass(slots=True)
class Joined:
    """A person wants to play: in `seat`, which a bot leaves for them or which is free."""

    seat: int
    name: str = ""
    team: Team = Team.NONE
    """The side they ask for, where there are sides; NONE for the smaller one."""


@dataclass(slots=True)
class Left:
    """The person in `seat` has gone."""

    seat: int


@dataclass(slots=True)
class WantedOn:
    """The person in `seat` has seen enough of the podium; when all have, the next round begins."""

    seat: int


# Seats


@dataclass(slots=True)
class SeatTaken:
    """Someone sits here now."""

    seat: int
    name: str
    person: bool


@dataclass(slots=True)
class SeatFreed:
    """Nobody sits here any more."""

    seat: int


# Ships


@dataclass(slots=True)
class Launched:
    """A player has got a new ship."""

    seat: int
    ship: Entity
    x: float
    y: float


@dataclass(slots=True)
class Dashed:
    """A ship leapt from here, in the direction (dx, dy)."""

    seat: int
    x: float
    y: float
    dx: float
    dy: float
    phasing: bool


@dataclass(slots=True)
class ShieldRaised:
    """A shield went up."""

    seat: int
    x: float
    y: float


@dataclass(slots=True)
class ShieldLowered:
    """A shield went down; `spent` if it had to, for lack of energy."""

    seat: int
    spent: bool


class Cause(Enum):
    """What hurts."""

    DISC = "disc"
    BALL = "ball"


@dataclass(slots=True)
class Hurt:
    """A ship lost hull points and still flies, or not: then `Killed` follows."""

    seat: int
    by: int
    """Seat of whoever did it, or NOBODY."""
    damage: float
    hull: float
    """What is left."""
    cause: Cause
    x: float
    y: float


@dataclass(slots=True)
class Killed:
    """A ship is gone."""

    seat: int
    by: int
    """Seat of whoever did it, or NOBODY."""
    bounces: int
    """Bounces of the disc that did it: the more, the finer."""
    cause: Cause
    x: float
    y: float
    vx: float = 0.0
    vy: float = 0.0
    """The ship's last velocity, for its debris."""
    own_goal: bool = False
    """It was the killer's own ship or a team mate's."""

    @property
    def credited(self) -> bool:
        """Whether someone earns points for it."""
        return self.by != NOBODY and not self.own_goal


# Discs


@dataclass(slots=True)
class Thrown:
    """A disc left a ship."""

    seat: int
    disc: Entity
    x: float
    y: float
    angle: float
    overcharged: bool


@dataclass(slots=True)
class ClickedEmpty:
    """A throw with no disc at hand."""

    seat: int


@dataclass(slots=True)
class Reloaded:
    """A disc is back in the magazine."""

    seat: int
    discs: int


class Surface(Enum):
    """What a disc bounces off."""

    WALL = "wall"
    BUMPER = "bumper"
    CRATE = "crate"
    BALL = "ball"


@dataclass(slots=True)
class Bounced:
    """A disc bounced; (nx, ny) points away from what it met."""

    disc: Entity
    owner: int
    bounces: int
    """This one included, so from 1 to 3."""
    surface: Surface
    x: float
    y: float
    nx: float
    ny: float


@dataclass(slots=True)
class Reflected:
    """A shield threw a disc back; it is the reflector's now."""

    seat: int
    before: int
    """Whose it was."""
    disc: Entity
    x: float
    y: float
    nx: float
    ny: float


@dataclass(slots=True)
class Spent:
    """A disc ended without a kill: on the fourth thing it met, or of age."""

    disc: Entity
    owner: int
    x: float
    y: float


# Ball, crates, bumpers, pickups


@dataclass(slots=True)
class BallStruck:
    """The ball met something, `speed` units/s hard along the line of impact."""

    x: float
    y: float
    speed: float


@dataclass(slots=True)
class BumperKicked:
    """A bumper sent a disc on faster."""

    bumper: Entity
    x: float
    y: float


@dataclass(slots=True)
class CrateHit:
    """A crate was hit and still stands."""

    crate: Entity
    points: int
    """Hits it still stands."""
    x: float
    y: float


@dataclass(slots=True)
class CrateBroken:
    """A crate is gone."""

    crate: Entity
    by: int
    """Seat of whoever did it, or NOBODY."""
    x: float
    y: float
    size: float


@dataclass(slots=True)
class PickupAppeared:
    """A pickup lies on a pad."""

    pad: Entity
    kind: Pickup
    x: float
    y: float


@dataclass(slots=True)
class PickedUp:
    """A ship took a pickup."""

    seat: int
    pad: Entity
    kind: Pickup
    x: float
    y: float


# Score and rounds


@dataclass(slots=True)
class Scored:
    """A player's points changed."""

    seat: int
    points: int
    """By how much; below 0 for an own goal."""
    bounces: int
    x: float
    y: float


@dataclass(slots=True)
class ArenaOpened:
    """Another arena stands; everything of the one before is gone."""

    arena: str
    """Its key, see `Arenas`."""


@dataclass(slots=True)
class CountedDown:
    """A full second of the countdown has begun: 3, 2, 1."""

    seconds: int


@dataclass(slots=True)
class RoundStarted:
    """Go."""

    number: int


@dataclass(slots=True)
class RoundEnded:
    """Time is up; the podium is shown."""

    number: int
    ranking: tuple[int, ...]
    """Seats, best first."""
    team: Team
    """The side that won; NONE in a deathmatch or a draw."""
