"""Flight: the pilot's wishes become motion. Ships drift; where they look has nothing to do with where they go."""

from __future__ import annotations

from math import cos, exp, hypot, isfinite, remainder, sin, tau

import numpy as np

from engine.app import Commanded, Plugin, Tick
from engine.ecs import Entity, World
from engine.physics import Collider, Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.commands import Fly
from games.ricochet.components import Boosts, Controls, Dash, Protection, Shield, Ship
from games.ricochet.events import Dashed
from games.ricochet.layers import Layer
from games.ricochet.seats import ship_of

flight = Plugin("ricochet.flight")

EVERYTHING, BUT_WALLS = int(Layer.EVERYTHING), int(Layer.EVERYTHING & ~Layer.WALL)
"""What a ship meets, and what a phasing one still does."""


@flight.on(Commanded[Fly])
def steer(world: World, commanded: Commanded[Fly]) -> None:
    """Note what the pilot wants, made safe: the last command of a tick counts, and sending more gains nothing."""
    ship = ship_of(world, commanded.player)
    if ship is None:
        return
    fly, controls = commanded.command, ship[Controls]
    x, y = _number(fly.thrust_x), _number(fly.thrust_y)
    length = max(1.0, hypot(x, y))
    controls.thrust_x, controls.thrust_y = x / length, y / length
    controls.aim = remainder(_number(fly.aim), tau)
    controls.fire, controls.dash, controls.shield = bool(fly.fire), bool(fly.dash), bool(fly.shield)


def _number(value: float) -> float:
    return min(1e6, max(-1e6, value)) if isfinite(value) else 0.0


@flight.on(Tick)
def dash(world: World, tick: Tick) -> None:
    """Start the dashes that are asked for and possible."""
    for ship, controls, dash in world.rows(Entity, Controls, Dash):
        if controls.dash and dash.cooldown <= 0:
            _leap(world, ship, controls, dash)


def _leap(world: World, ship: Entity, controls: Controls, dash: Dash) -> None:
    boosts, motion, at = ship[Boosts], ship[Velocity], ship[Transform]
    dash.x, dash.y = _direction(controls, motion)
    dash.active = tuning.DASH_TIME
    dash.phasing = boosts.phases > 0
    dash.cooldown = tuning.PHASE_COOLDOWN if dash.phasing else tuning.DASH_COOLDOWN
    boosts.phases = max(0, boosts.phases - 1)
    world.post(Dashed(ship[Ship].seat, at.x, at.y, dash.x, dash.y, bool(dash.phasing)))


def _direction(controls: Controls, motion: Velocity) -> tuple[float, float]:
    """Where the stick points; without it where the ship flies; at rest where it looks."""
    for x, y, least in ((controls.thrust_x, controls.thrust_y, 0.2), (motion.vx, motion.vy, 20.0)):
        if (length := hypot(x, y)) > least:
            return x / length, y / length
    return cos(controls.aim), sin(controls.aim)


@flight.on(Tick)
def move(world: World, tick: Tick) -> None:
    """Thrust, drag and dashes of all ships at once."""
    kept = exp(-tuning.DRAG * tick.dt)
    for rows in world.tables(Ship, Controls, Dash, Shield, Transform, Velocity, Collider):
        thrust = np.where(rows[Shield.raised], tuning.SHIELD_THRUST, 1.0) * (tuning.THRUST * tick.dt)
        vx = (rows[Velocity.vx] + rows[Controls.thrust_x] * thrust) * kept
        vy = (rows[Velocity.vy] + rows[Controls.thrust_y] * thrust) * kept
        dashing = rows[Dash.active] > 0
        ending = dashing & (rows[Dash.active] <= tick.dt)
        speed = np.where(ending, tuning.DASH_SPEED * tuning.DASH_EXIT, tuning.DASH_SPEED)
        rows[Velocity.vx] = np.where(dashing, rows[Dash.x] * speed, vx)
        rows[Velocity.vy] = np.where(dashing, rows[Dash.y] * speed, vy)
        rows[Transform.angle] = rows[Controls.aim]
        rows[Dash.active] = np.maximum(rows[Dash.active] - tick.dt, 0)
        rows[Dash.cooldown] = np.maximum(rows[Dash.cooldown] - tick.dt, 0)
        rows[Dash.phasing] &= rows[Dash.active] > 0
        rows[Collider.mask] = np.where(rows[Dash.phasing], BUT_WALLS, EVERYTHING)
    for rows in world.tables(Protection):
        rows[Protection.seconds] = np.maximum(rows[Protection.seconds] - tick.dt, 0)
