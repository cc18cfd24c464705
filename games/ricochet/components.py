"""What things in the arena are. Where they are is a `Transform`, how they move a `Velocity`."""

from __future__ import annotations

from enum import IntEnum

from engine.ecs import F32, I32, Component, Flag, Obj, Ref, f32, flag, i32, obj, ref
from games.ricochet import tuning

NOBODY = -1
"""A seat that is none: the killer of whoever was crushed by the ball."""


class Team(IntEnum):
    """Whose side a player is on; in a deathmatch everyone's is NONE."""

    NONE = 0
    A = 1
    B = 2


class Pickup(IntEnum):
    """What lies on a pad."""

    TRIPLE = 0
    OVERCHARGE = 1
    REPAIR = 2
    DASH = 3


# Players: they last the whole match, their ships come and go


class Player(Component):
    """Someone in the match, a person or a bot."""

    seat: I32 = i32()
    """Their number, from 0: the `player` of their commands, and their shape and colour."""
    team: I32 = i32(default=0)
    ship: Ref = ref(default=0)
    """The ship they fly, 0 while they have none."""
    respawn: F32 = f32(default=0.0)
    """Seconds until they get a new one."""
    name: Obj[str] = obj(default="")


class Person(Component):
    """Tag of players whose commands come from outside; the others are bots."""


class Ready(Component):
    """Tag of people who have seen enough of the podium."""


class Score(Component):
    """What a player has done in this round."""

    points: I32 = i32(default=0)
    kills: I32 = i32(default=0)
    deaths: I32 = i32(default=0)
    suicides: I32 = i32(default=0)
    ricochets: I32 = i32(default=0)
    """Kills by a disc that had bounced."""
    best: I32 = i32(default=0)
    """Most bounces of a disc that killed."""


# Ships


class Ship(Component):
    """A drone in flight."""

    seat: I32 = i32()
    team: I32 = i32(default=0)
    player: Ref = ref(default=0)


class Controls(Component):
    """What its pilot wants: the last `Fly`, made safe."""

    thrust_x: F32 = f32(default=0.0)
    thrust_y: F32 = f32(default=0.0)
    aim: F32 = f32(default=0.0)
    fire: Flag = flag(default=False)
    dash: Flag = flag(default=False)
    shield: Flag = flag(default=False)


class Hull(Component):
    """How much a ship can take."""

    points: F32 = f32(default=tuning.HULL)


class Magazine(Component):
    """The discs at hand."""

    discs: I32 = i32(default=tuning.MAGAZINE)
    refill: F32 = f32(default=0.0)
    """Seconds until the next one is back; counts only while some are missing."""
    pause: F32 = f32(default=0.0)
    """Seconds until the next throw is possible."""
    dry: Flag = flag(default=False)
    """The trigger was pulled on an empty magazine and has not been let go since."""


class Dash(Component):
    """The sudden leap."""

    active: F32 = f32(default=0.0)
    """Seconds it still lasts; no disc harms the ship meanwhile."""
    cooldown: F32 = f32(default=0.0)
    """Seconds until the next one is possible."""
    x: F32 = f32(default=0.0)
    y: F32 = f32(default=0.0)
    """Its direction, of length 1."""
    phasing: Flag = flag(default=False)
    """It passes through walls, all but the border."""


class Shield(Component):
    """The bubble that reflects discs."""

    energy: F32 = f32(default=tuning.SHIELD_ENERGY)
    """Seconds it can be held up."""
    raised: Flag = flag(default=False)


class Protection(Component):
    """Cannot be harmed for a while after the start."""

    seconds: F32 = f32(default=0.0)


class Boosts(Component):
    """What pickups have left with a ship."""

    triple: I32 = i32(default=0)
    """Throws that send three discs."""
    overcharge: F32 = f32(default=0.0)
    """Seconds of overcharged discs."""
    phases: I32 = i32(default=0)
    """Dashes through walls."""


# What flies about


class Disc(Component):
    """A thrown disc."""

    owner: I32 = i32(default=NOBODY)
    """The seat that gets the credit: the thrower, or who reflected it last."""
    team: I32 = i32(default=Team.NONE)
    """The owner's side, whose ships it passes through; not the owner's own ship, though."""
    ship: Ref = ref(default=0)
    """The ship it must leave before it can hit it."""
    away: Flag = flag(default=False)
    """It has left that ship."""
    bounces: I32 = i32(default=0)
    speed: F32 = f32(default=tuning.DISC_SPEED)
    """The speed it keeps, units/s; bumpers raise it."""
    life: F32 = f32(default=tuning.DISC_LIFE)
    """Seconds left."""
    overcharged: Flag = flag(default=False)


class Ball(Component):
    """The heavy ball."""

    radius: F32 = f32()
    last: I32 = i32(default=NOBODY)
    """The seat that touched it last, by ship or disc: it gets the credit."""


# What stands about


class Scenery(Component):
    """Tag of everything that belongs to the arena and goes with it."""


class Wall(Component):
    """A chain of wall pieces."""

    border: Flag = flag(default=False)
    """It encloses the arena; not even a phasing dash passes it."""


class Bumper(Component):
    """Kicks discs faster."""

    radius: F32 = f32()
    kick: F32 = f32(default=1.0)
    """A disc leaves with this many times the speed it came with."""


class Crate(Component):
    """Breaks after some hits."""

    size: F32 = f32()
    points: I32 = i32(default=tuning.CRATE_POINTS)


class Pad(Component):
    """Where pickups appear."""

    kinds: Obj[tuple[Pickup, ...]] = obj(default=())
    """They come in turn."""
    turn: I32 = i32(default=0)
    """Place in `kinds` of the one that lies here, or comes next."""
    every: F32 = f32(default=0.0)
    """Seconds from the taking of one to the next."""
    wait: F32 = f32(default=0.0)
    """Seconds until the next one appears; 0 while one lies here."""
