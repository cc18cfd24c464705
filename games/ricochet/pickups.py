"""Pickups: they appear on their pads in turn, and fly with whoever comes first."""

from __future__ import annotations

from engine.app import Plugin, Tick
from engine.ecs import Component, Entity, World
from engine.physics import Space
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.arena import PadSpot
from games.ricochet.components import Boosts, Dash, Hull, Pad, Pickup, Scenery, Ship
from games.ricochet.events import PickedUp, PickupAppeared
from games.ricochet.layers import Layer

pickups = Plugin("ricochet.pickups")


def pad(spot: PadSpot) -> tuple[Component, ...]:
    """The components of a pad that waits for its first pickup of the round."""
    wait = spot.every * tuning.FIRST_PICKUP
    return Transform(spot.x, spot.y, 0.0), Pad(kinds=spot.kinds, every=spot.every, wait=wait), Scenery()


@pickups.on(Tick)
def tend(world: World, tick: Tick) -> None:
    """Put out what is due, hand over what is reached."""
    space = world.resource(Space)
    for entity, pad, at in world.rows(Entity, Pad, Transform):
        if pad.wait > 0:
            pad.wait = max(0.0, pad.wait - tick.dt)
            if pad.wait == 0:
                world.post(PickupAppeared(entity, pad.kinds[pad.turn], at.x, at.y))
        elif taker := _nearest_ship(space, at):
            kind = pad.kinds[pad.turn]
            take(taker, kind)
            world.post(PickedUp(taker[Ship].seat, entity, kind, at.x, at.y))
            pad.turn = (pad.turn + 1) % len(pad.kinds)
            pad.wait = pad.every


def _nearest_ship(space: Space, at: Transform) -> Entity | None:
    """The ship that reaches the pad; one whose pilot has left in this tick may still be in the space."""
    ships = space.within(at.x, at.y, tuning.PAD_RADIUS, Layer.SHIP)
    return next((ship for ship in ships if ship.alive), None)


def take(ship: Entity, kind: Pickup) -> None:
    """Give a ship what a pickup holds."""
    boosts = ship[Boosts]
    if kind is Pickup.TRIPLE:
        boosts.triple = tuning.TRIPLE_THROWS
    elif kind is Pickup.OVERCHARGE:
        boosts.overcharge = tuning.OVERCHARGE_TIME
    elif kind is Pickup.REPAIR:
        ship[Hull].points = tuning.HULL
    elif kind is Pickup.DASH:
        boosts.phases = tuning.PHASE_DASHES
        ship[Dash].cooldown = 0
