"""Hurting and killing: the one way a ship loses hull points."""

from __future__ import annotations

from engine.ecs import Entity, World
from engine.physics import Velocity
from engine.scene import Transform
from games.ricochet.components import NOBODY, Dash, Hull, Player, Protection, Ship, Team
from games.ricochet.events import Cause, Hurt, Killed
from games.ricochet.match import Match
from games.ricochet.seats import player_in


def is_untouchable(ship: Entity) -> bool:
    """Whether nothing can harm the ship now: just launched, or in the middle of a dash."""
    return ship[Protection].seconds > 0 or ship[Dash].active > 0


def hurt(world: World, ship: Entity, damage: float, *, by: int, cause: Cause, bounces: int = 0) -> None:
    """Take `damage` hull points from a ship; at 0 it is gone."""
    if not ship.alive or is_untouchable(ship) or not world.resource(Match).playing:
        return
    hull = ship[Hull]
    hull.points = max(0.0, hull.points - damage)
    seat, at = ship[Ship].seat, ship[Transform]
    world.post(Hurt(seat, by, damage, hull.points, cause, at.x, at.y))
    if hull.points == 0:
        motion = ship[Velocity]
        own_goal = _is_own_side(world, ship[Ship], by)
        world.post(Killed(seat, by, bounces, cause, at.x, at.y, motion.vx, motion.vy, own_goal))
        ship.despawn()


def _is_own_side(world: World, ship: Ship, by: int) -> bool:
    if by in (ship.seat, NOBODY):
        return by == ship.seat
    killer = player_in(world, by)
    return killer is not None and ship.team != Team.NONE and killer[Player].team == ship.team
