"""Flight: the pilot's wishes become motion. Ships drift; where they look has nothing to do with where they go."""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign, cos, exp, hypot, isfinite, remainder, sin, tau

import numpy as np
from numpy.typing import NDArray

from engine.app import Commanded, Plugin, Tick
from engine.ecs import Entity, Rows, World
from engine.physics import Collider, Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.commands import Fly
from games.ricochet.components import Boosts, Controls, Dash, Protection, Shield, Ship
from games.ricochet.events import Dashed
from games.ricochet.layers import Layer

flight = Plugin("ricochet.flight")

EVERYTHING, BUT_WALLS = int(Layer.EVERYTHING), int(Layer.EVERYTHING & ~Layer.WALL)
"""What a ship meets, and what a phasing one still does."""
LARGEST = 1e6
"""No number of a command is larger."""


@flight.on_batch(Commanded[Fly])
def steer(world: World, commands: Sequence[Commanded[Fly]]) -> None:
    """Note what the pilots want, made safe: the last command of a tick counts, and sending more gains nothing."""
    flown = {ship.seat: controls for ship, controls in world.rows(Ship, Controls)}
    for commanded in commands:
        controls = flown.get(commanded.player)
        if controls is None:
            continue
        fly = commanded.command
        x, y = _number(fly.thrust_x), _number(fly.thrust_y)
        length = max(1.0, hypot(x, y))
        controls.thrust_x, controls.thrust_y = x / length, y / length
        controls.aim = remainder(_number(fly.aim), tau)
        controls.fire, controls.dash, controls.shield = bool(fly.fire), bool(fly.dash), bool(fly.shield)


def _number(value: float) -> float:
    if -LARGEST <= value <= LARGEST:
        return value
    return 0.0 if not isfinite(value) else copysign(LARGEST, value)


@flight.on(Tick)
def dash(world: World, tick: Tick) -> None:
    """Start the dashes that are asked for and possible."""
    for rows in world.tables(Ship, Controls, Dash):
        for ship in rows.where(rows[Controls.dash] & (rows[Dash.cooldown] <= 0)):
            _leap(world, ship, ship[Controls], ship[Dash])


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
    full, kept = tuning.THRUST * tick.dt, exp(-tuning.DRAG * tick.dt)
    for rows in world.tables(Ship, Controls, Dash, Shield, Transform, Velocity, Collider):
        thrust = np.where(rows[Shield.raised], full * tuning.SHIELD_THRUST, full)
        rows[Velocity.vx] = (rows[Velocity.vx] + rows[Controls.thrust_x] * thrust) * kept
        rows[Velocity.vy] = (rows[Velocity.vy] + rows[Controls.thrust_y] * thrust) * kept
        rows[Transform.angle] = rows[Controls.aim]
        rows[Dash.cooldown] = np.maximum(rows[Dash.cooldown] - tick.dt, 0)
        dashing = rows[Dash.active] > 0
        if dashing.any():
            _go_on_dashing(rows, dashing, tick.dt)
    for rows in world.tables(Protection):
        rows[Protection.seconds] = np.maximum(rows[Protection.seconds] - tick.dt, 0)


def _go_on_dashing(rows: Rows, dashing: NDArray[np.bool_], dt: float) -> None:
    ending = dashing & (rows[Dash.active] <= dt)
    speed = np.where(ending, tuning.DASH_SPEED * tuning.DASH_EXIT, tuning.DASH_SPEED)
    rows[Velocity.vx] = np.where(dashing, rows[Dash.x] * speed, rows[Velocity.vx])
    rows[Velocity.vy] = np.where(dashing, rows[Dash.y] * speed, rows[Velocity.vy])
    rows[Dash.active] = np.maximum(rows[Dash.active] - dt, 0)
    rows[Dash.phasing] &= rows[Dash.active] > 0
    rows[Collider.mask] = np.where(rows[Dash.phasing], BUT_WALLS, EVERYTHING)
