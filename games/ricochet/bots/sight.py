"""Sight: what there is to be seen in this tick, gathered once for all bots, and what one of them sees of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.ecs import Entity, World
from engine.physics import Space, Velocity
from engine.scene import Transform
from games.ricochet.components import (
    Ball,
    Boosts,
    Dash,
    Disc,
    Hull,
    Magazine,
    Pad,
    Pickup,
    Protection,
    Shield,
    Ship,
    Team,
)
from games.ricochet.layers import Layer
from games.ricochet.match import Match

VIEW_X, VIEW_Y = 800.0, 450.0
"""What a player has on the screen: this far to each side, units."""


@dataclass(slots=True)
class Seen:
    """A ship, a disc or the ball, as anybody can see it."""

    entity: Entity
    x: float
    y: float
    vx: float
    vy: float
    seat: int = -1
    team: int = 0
    safe: bool = False
    """A ship that blinks: it cannot be harmed."""


@dataclass(slots=True)
class Self:
    """A bot's own ship, of which it knows what its player would."""

    entity: Entity
    ship: Ship
    at: Transform
    motion: Velocity
    hull: Hull
    magazine: Magazine
    dash: Dash
    shield: Shield
    boosts: Boosts

    @classmethod
    def of(cls, ship: Entity) -> Self:
        parts = (Ship, Transform, Velocity, Hull, Magazine, Dash, Shield, Boosts)
        return cls(ship, *(ship[part] for part in parts))  # type: ignore[arg-type]


@dataclass(slots=True)
class Sight:
    """Everything in the open, of which `around` gives a bot its part."""

    world: World
    space: Space
    playing: bool
    ships: list[Seen] = field(default_factory=list[Seen])
    missiles: list[Seen] = field(default_factory=list[Seen])
    """Discs and the ball."""
    pads: list[tuple[float, float, Pickup | None]] = field(default_factory=list[tuple[float, float, Pickup | None]])
    """Where pickups appear, and the one that lies there."""

    @classmethod
    def take(cls, world: World) -> Sight:
        sight = cls(world, world.resource(Space), world.resource(Match).playing)
        for entity, ship, at, motion, protection in world.rows(Entity, Ship, Transform, Velocity, Protection):
            safe = protection.seconds > 0
            sight.ships.append(Seen(entity, at.x, at.y, motion.vx, motion.vy, ship.seat, ship.team, safe))
        for kind in (Disc, Ball):
            for entity, at, motion in world.rows(Entity, Transform, Velocity, having=(kind,)):
                sight.missiles.append(Seen(entity, at.x, at.y, motion.vx, motion.vy))
        for pad, at in world.rows(Pad, Transform):
            sight.pads.append((at.x, at.y, pad.kinds[pad.turn] if pad.wait == 0 else None))
        return sight

    def is_open(self, me: Self, x: float, y: float) -> bool:
        """Whether nothing solid lies between a bot and (x, y)."""
        return self.space.raycast(me.at.x, me.at.y, x, y, mask=Layer.SOLID) is None

    def enemies(self, me: Self, favourite: int) -> list[Seen]:
        """The enemies on the bot's screen, nearest first, with a weakness for the one it is after already."""

        def distance(seen: Seen) -> float:
            far = abs(seen.x - me.at.x) + abs(seen.y - me.at.y)
            return far * 0.6 if seen.entity.id == favourite else far

        found = [
            seen
            for seen in self.ships
            if seen.seat != me.ship.seat
            and (me.ship.team == Team.NONE or seen.team != me.ship.team)
            and on_screen(me, seen.x, seen.y)
        ]
        return sorted(found, key=distance)


def on_screen(me: Self, x: float, y: float) -> bool:
    """Whether (x, y) is on the screen of the bot's player."""
    return abs(x - me.at.x) < VIEW_X and abs(y - me.at.y) < VIEW_Y
