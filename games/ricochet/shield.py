"""The shield: throws discs back, and they are yours then. It drains while it is up."""

from __future__ import annotations

from math import hypot

import numpy as np

from engine.app import Plugin, Tick
from engine.ecs import Entity, World
from engine.physics import Space, Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.components import Controls, Disc, Shield, Ship
from games.ricochet.events import Reflected, ShieldLowered, ShieldRaised
from games.ricochet.layers import Layer

shields = Plugin("ricochet.shields")


@shields.on(Tick)
def drain(world: World, tick: Tick) -> None:
    """Energy of all shields at once: down while raised, up while lowered."""
    for rows in world.tables(Shield):
        change = np.where(rows[Shield.raised], -tick.dt, tick.dt * tuning.SHIELD_RECHARGE)
        rows[Shield.energy] = np.minimum(np.maximum(rows[Shield.energy] + change, 0), tuning.SHIELD_ENERGY)


@shields.on(Tick)
def switch(world: World, tick: Tick) -> None:
    """Raise and lower as the pilots want, as far as the energy goes."""
    for rows in world.tables(Ship, Controls, Shield, Transform):
        is_up, is_wanted, energy = rows[Shield.raised], rows[Controls.shield], rows[Shield.energy]
        falls = is_up & (~is_wanted | (energy <= 0))
        rises = is_wanted & ~is_up & (energy >= tuning.SHIELD_MINIMUM)
        for ship in rows.where(falls | rises):
            shield, seat, at = ship[Shield], ship[Ship].seat, ship[Transform]
            shield.raised = not shield.raised
            if shield.raised:
                world.post(ShieldRaised(seat, at.x, at.y))
            else:
                world.post(ShieldLowered(seat, spent=shield.energy <= 0))


@shields.on(Tick)
def guard(world: World, tick: Tick) -> None:
    """Throw back what comes into a raised shield, before it comes to the hull."""
    space = world.resource(Space)
    for rows in world.tables(Shield, Transform):
        for ship in rows.where(rows[Shield.raised]):
            at = ship[Transform]
            for disc in space.within(at.x, at.y, tuning.SHIELD_RADIUS, Layer.DISC):
                reflect(world, ship, disc)


def reflect(world: World, ship: Entity, disc: Entity, *, touched: bool = False) -> bool:
    """Throw `disc` back if the ship's shield is up. Returns whether it is up.

    A disc on its way out is left alone, unless it has `touched` the hull: it was too fast for `guard` and bounced off.
    """
    shield, flying = ship[Shield], disc[Disc]
    if not shield.raised:
        return False
    if flying.ship == ship.id and not flying.away:
        return True
    at, there, motion = ship[Transform], disc[Transform], disc[Velocity]
    nx, ny = there.x - at.x, there.y - at.y
    distance = hypot(nx, ny) or 1.0
    nx, ny = nx / distance, ny / distance
    into = motion.vx * nx + motion.vy * ny
    if into >= 0 and not touched:
        return True
    motion.vx -= 2 * min(into, 0.0) * nx
    motion.vy -= 2 * min(into, 0.0) * ny
    before, seat = flying.owner, ship[Ship].seat
    flying.owner, flying.team, flying.ship, flying.away = seat, ship[Ship].team, ship.id, False
    flying.life = tuning.DISC_LIFE
    shield.energy = max(0.0, shield.energy - tuning.SHIELD_REFLECT_COST)
    world.post(Reflected(seat, before, disc, there.x, there.y, nx, ny))
    return True
