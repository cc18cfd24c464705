"""Pickups: they appear on their pads in turn, and fly with whoever comes first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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

EVERY = 3
"""Ticks from one look to the next; even at top speed a ship flies less than the radius of a pad meanwhile."""


def pad(spot: PadSpot) -> tuple[Component, ...]:
    """The components of a pad that waits for its first pickup of the round."""
    wait = spot.every * tuning.FIRST_PICKUP
    return Transform(spot.x, spot.y, 0.0), Pad(kinds=spot.kinds, every=spot.every, wait=wait), Scenery()


@pickups.on(Tick)
def tend(world: World, tick: Tick) -> None:
    """Put out what is due, hand over what is reached; a look now and then is enough for that."""
    if tick.number % EVERY:
        return
    ships = [rows[Transform] for rows in world.tables(Ship, Transform)]
    for rows in world.tables(Pad, Transform):
        is_empty = rows[Pad.wait] > 0
        rows[Pad.wait] = np.maximum(rows[Pad.wait] - EVERY * tick.dt, 0)
        for entity in rows.where(is_empty & (rows[Pad.wait] == 0)):
            pad, at = entity[Pad], entity[Transform]
            world.post(PickupAppeared(entity, pad.kinds[pad.turn], at.x, at.y))
        for entity in rows.where(~is_empty & _are_near(rows[Transform], ships)):
            _hand_over(world, entity)


def _are_near(places: NDArray[np.float64], ships: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Which places, given as rows of Transforms, some ship may be at: a look at all of them at once."""
    near = np.zeros(len(places), np.bool_)
    for each in ships:
        apart = np.abs(places[:, None, :2] - each[None, :, :2]).max(axis=2)
        near |= apart.min(axis=1) <= tuning.PAD_RADIUS + tuning.SHIP_RADIUS
    return near


def _hand_over(world: World, entity: Entity) -> None:
    pad, at = entity[Pad], entity[Transform]
    ships = world.resource(Space).within(at.x, at.y, tuning.PAD_RADIUS, Layer.SHIP)
    taker = next((ship for ship in ships if ship.alive), None)  # who has left in this tick may still be in the space
    if taker is None:
        return
    kind = pad.kinds[pad.turn]
    take(taker, kind)
    world.post(PickedUp(taker[Ship].seat, entity, kind, at.x, at.y))
    pad.turn = (pad.turn + 1) % len(pad.kinds)
    pad.wait = pad.every


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
