"""Sight: what there is to be seen in this tick, gathered once for all bots, and what one of them sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import hypot

from engine.ecs import Entity, World
from engine.physics import Space, Velocity
from engine.scene import Transform
from games.ricochet.components import (
    NOBODY,
    Ball,
    Boosts,
    Dash,
    Disc,
    Magazine,
    Pad,
    Protection,
    Shield,
    Ship,
    Team,
)
from games.ricochet.layers import Layer
from games.ricochet.match import Match

VIEW_X, VIEW_Y = 640.0, 360.0
"""What a player has on the screen: this far to each side, units."""


@dataclass(slots=True)
class Seen:
    """A ship, a disc or the ball, as anybody can see it."""

    entity: Entity
    x: float
    y: float
    vx: float
    vy: float
    seat: int = NOBODY
    team: int = Team.NONE
    safe: bool = False
    """A ship that blinks: it cannot be harmed."""


@dataclass(slots=True)
class SeenPad:
    """Where pickups appear."""

    x: float
    y: float
    full: bool
    """Whether one lies there."""


@dataclass(slots=True)
class Self:
    """A bot's own ship, of which it knows what its player would."""

    entity: Entity
    ship: Ship
    at: Transform
    motion: Velocity
    magazine: Magazine
    dash: Dash
    shield: Shield
    boosts: Boosts

    @classmethod
    def of(cls, ship: Entity) -> Self:
        return cls(
            ship,
            ship[Ship],
            ship[Transform],
            ship[Velocity],
            ship[Magazine],
            ship[Dash],
            ship[Shield],
            ship[Boosts],
        )

    def has_on_screen(self, x: float, y: float) -> bool:
        """Whether its player would have (x, y) on the screen."""
        return abs(x - self.at.x) < VIEW_X and abs(y - self.at.y) < VIEW_Y

    def distance(self, x: float, y: float) -> float:
        return hypot(x - self.at.x, y - self.at.y)


@dataclass(slots=True)
class Sight:
    """Everything that flies in the open; the methods tell what one bot sees of it."""

    space: Space
    playing: bool
    ships: list[Seen] = field(default_factory=list[Seen])
    missiles: list[Seen] = field(default_factory=list[Seen])
    """Discs and the ball."""
    pads: list[SeenPad] = field(default_factory=list[SeenPad])

    @classmethod
    def take(cls, world: World) -> Sight:
        """Look at the world."""
        sight = cls(world.resource(Space), world.resource(Match).playing)
        for entity, ship, at, motion, protection in world.rows(Entity, Ship, Transform, Velocity, Protection):
            safe = protection.seconds > 0
            sight.ships.append(Seen(entity, at.x, at.y, motion.vx, motion.vy, ship.seat, ship.team, safe))
        for kind in (Disc, Ball):
            for entity, at, motion in world.rows(Entity, Transform, Velocity, having=(kind,)):
                sight.missiles.append(Seen(entity, at.x, at.y, motion.vx, motion.vy))
        for pad, at in world.rows(Pad, Transform):
            sight.pads.append(SeenPad(at.x, at.y, pad.wait == 0))
        return sight

    def is_open(self, me: Self, x: float, y: float) -> bool:
        """Whether nothing solid lies between a bot and (x, y)."""
        return self.space.raycast(me.at.x, me.at.y, x, y, mask=Layer.SOLID) is None

    def enemies(self, me: Self, favourite: int) -> list[Seen]:
        """The enemies on the bot's screen, nearest first, with a weakness for the one it is after already."""

        def distance(seen: Seen) -> float:
            return me.distance(seen.x, seen.y) * (0.6 if seen.entity.id == favourite else 1.0)

        shown = [seen for seen in self._all_enemies(me) if me.has_on_screen(seen.x, seen.y)]
        return sorted(shown, key=distance)

    def arrow(self, me: Self) -> Seen | None:
        """The nearest enemy, to whom an arrow at the edge of a player's screen points."""
        return min(self._all_enemies(me), key=lambda seen: me.distance(seen.x, seen.y), default=None)

    def _all_enemies(self, me: Self) -> Iterator[Seen]:
        mine = me.ship
        for seen in self.ships:
            if seen.seat != mine.seat and (mine.team == Team.NONE or seen.team != mine.team):
                yield seen
