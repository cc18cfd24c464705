"""The shield: throws discs back, and they are yours then. It drains while it is up."""

from __future__ import annotations

from math import hypot

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
def switch(world: World, tick: Tick) -> None:
    """Raise and lower as the pilots want, as far as the energy goes: up costs some, down brings it back."""
    for ship, controls, shield, at in world.rows(Ship, Controls, Shield, Transform):
        if shield.raised:
            shield.energy = max(shield.energy - tick.dt, 0.0)
            if not controls.shield or shield.energy == 0:
                shield.raised = False
                world.post(ShieldLowered(ship.seat, spent=shield.energy == 0))
        else:
            if shield.energy < tuning.SHIELD_ENERGY:
                shield.energy = min(shield.energy + tick.dt * tuning.SHIELD_RECHARGE, tuning.SHIELD_ENERGY)
            if controls.shield and shield.energy >= tuning.SHIELD_MINIMUM:
                shield.raised = True
                world.post(ShieldRaised(ship.seat, at.x, at.y))


@shields.on(Tick)
def guard(world: World, tick: Tick) -> None:
    """Throw back what comes into a raised shield, before it comes to the hull."""
    space = world.resource(Space)
    for ship, shield, at in world.rows(Entity, Shield, Transform):
        if shield.raised:
            for disc in space.within(at.x, at.y, tuning.SHIELD_RADIUS, Layer.DISC):
                reflect(world, ship, disc)


def reflect(world: World, ship: Entity, disc: Entity, *, touched: tuple[float, float] | None = None) -> bool:
    """Throw `disc` back if the ship's shield is up. Returns whether it is up.

    A disc on its way out is left alone, unless it has `touched` the hull, with that normal: it was too fast for
    `guard`, or its thrower saw the ship where it was, and it may be past where the ship is.
    """
    shield, flying = ship[Shield], disc[Disc]
    if not shield.raised:
        return False
    if flying.ship == ship.id and not flying.away:
        return True
    at, there, motion = ship[Transform], disc[Transform], disc[Velocity]
    if touched is None:
        nx, ny = there.x - at.x, there.y - at.y
        distance = hypot(nx, ny) or 1.0
        nx, ny = nx / distance, ny / distance
    else:
        nx, ny = touched
    into = motion.vx * nx + motion.vy * ny
    if into >= 0 and touched is None:
        return True
    motion.vx -= 2 * min(into, 0.0) * nx
    motion.vy -= 2 * min(into, 0.0) * ny
    before, seat = flying.owner, ship[Ship].seat
    flying.owner, flying.team, flying.ship, flying.away = seat, ship[Ship].team, ship.id, False
    flying.life = tuning.DISC_LIFE
    shield.energy = max(0.0, shield.energy - tuning.SHIELD_REFLECT_COST)
    world.post(Reflected(seat, before, disc, there.x, there.y, nx, ny))
    return True
