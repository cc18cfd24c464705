"""Throwing: three discs at hand, which come back one by one."""

from __future__ import annotations

from math import cos, sin

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
    """Bring discs back."""
    for ship, magazine, boosts in world.rows(Ship, Magazine, Boosts):
        if magazine.pause > 0:
            magazine.pause = max(magazine.pause - tick.dt, 0.0)
        if boosts.overcharge > 0:
            boosts.overcharge = max(boosts.overcharge - tick.dt, 0.0)
        if magazine.discs >= tuning.MAGAZINE:
            magazine.refill = tuning.REFILL
            continue
        magazine.refill -= tick.dt
        if magazine.refill <= 0:
            magazine.discs += 1
            magazine.refill += tuning.REFILL
            world.post(Reloaded(ship.seat, magazine.discs))


@throwing.on(Tick)
def throw(world: World, tick: Tick) -> None:
    """Throw for everyone who pulls the trigger and can; nobody can from behind a raised shield."""
    if not world.resource(Match).playing:
        return
    for ship, controls, magazine, shield in world.rows(Entity, Controls, Magazine, Shield):
        if not controls.fire:
            magazine.dry = False
        elif magazine.discs > 0 and magazine.pause <= 0 and not shield.raised:
            _throw(world, ship, controls.aim, magazine)
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
