"""Throwing: three discs at hand, which come back one by one."""

from __future__ import annotations

from math import cos, sin

import numpy as np

from engine.app import Plugin, Tick
from engine.ecs import Entity, World
from engine.physics import Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.components import Boosts, Controls, Magazine, Protection, Shield, Ship
from games.ricochet.discs import disc
from games.ricochet.events import ClickedEmpty, Reloaded, Thrown
from games.ricochet.match import Match

throwing = Plugin("ricochet.throwing")


@throwing.on(Tick)
def refill(world: World, tick: Tick) -> None:
    """Bring discs back, all magazines at once."""
    for rows in world.tables(Ship, Magazine, Boosts):
        rows[Magazine.pause] = np.maximum(rows[Magazine.pause] - tick.dt, 0)
        rows[Boosts.overcharge] = np.maximum(rows[Boosts.overcharge] - tick.dt, 0)
        missing = rows[Magazine.discs] < tuning.MAGAZINE
        rows[Magazine.refill] = np.where(missing, rows[Magazine.refill] - tick.dt, tuning.REFILL)
        for ship in rows.where(rows[Magazine.refill] <= 0):
            magazine = ship[Magazine]
            magazine.discs += 1
            magazine.refill += tuning.REFILL
            world.post(Reloaded(ship[Ship].seat, magazine.discs))


@throwing.on(Tick)
def throw(world: World, tick: Tick) -> None:
    """Throw for everyone who pulls the trigger and can; nobody can from behind a raised shield."""
    if not world.resource(Match).playing:
        return
    for rows in world.tables(Ship, Controls, Magazine, Shield):
        rows[Magazine.dry] &= rows[Controls.fire]
        for ship in rows.where(rows[Controls.fire]):
            magazine = ship[Magazine]
            if magazine.discs > 0 and magazine.pause <= 0 and not ship[Shield].raised:
                _throw(world, ship, ship[Controls].aim, magazine)
            elif magazine.discs == 0 and not magazine.dry:
                magazine.dry = True
                world.post(ClickedEmpty(ship[Ship].seat))


def _throw(world: World, ship: Entity, aim: float, magazine: Magazine) -> None:
    boosts, motion, at = ship[Boosts], ship[Velocity], ship[Transform]
    magazine.discs -= 1
    magazine.pause = tuning.THROW_PAUSE
    ship[Protection].seconds = 0
    spread = (-tuning.TRIPLE_SPREAD, 0.0, tuning.TRIPLE_SPREAD) if boosts.triple else (0.0,)
    boosts.triple = max(0, boosts.triple - 1)
    motion.vx -= cos(aim) * tuning.RECOIL
    motion.vy -= sin(aim) * tuning.RECOIL
    for turn in spread:
        thrown = world.spawn(*disc(ship, aim + turn))
        overcharged = boosts.overcharge > 0
        world.post(Thrown(ship[Ship].seat, thrown, at.x, at.y, aim + turn, overcharged))
