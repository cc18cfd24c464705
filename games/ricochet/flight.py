"""Flight: the pilot's wishes become motion. Ships drift; where they look has nothing to do with where they go."""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign, cos, exp, hypot, isfinite, remainder, sin, tau

from engine.app import Commanded, Plugin, Tick
from engine.ecs import Entity, World
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


# Ships are looked at one by one: of so few, that takes half the time of whole columns.


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
    """Thrust and drag, which a dash knows nothing of."""
    full, kept = tuning.THRUST * tick.dt, exp(-tuning.DRAG * tick.dt)
    for controls, dash, shield, at, motion in world.rows(Controls, Dash, Shield, Transform, Velocity):
        at.angle = controls.aim
        if dash.active > 0:
            speed = tuning.DASH_SPEED if dash.active > tick.dt else tuning.DASH_SPEED * tuning.DASH_EXIT
            motion.vx, motion.vy = dash.x * speed, dash.y * speed
        else:
            thrust = full * tuning.SHIELD_THRUST if shield.raised else full
            motion.vx = (motion.vx + controls.thrust_x * thrust) * kept
            motion.vy = (motion.vy + controls.thrust_y * thrust) * kept


@flight.on(Tick)
def count_down(world: World, tick: Tick) -> None:
    """Dashes end, and can begin again; nobody is protected for ever."""
    for dash, protection, collider in world.rows(Dash, Protection, Collider):
        if dash.cooldown > 0:
            dash.cooldown = max(dash.cooldown - tick.dt, 0.0)
        if dash.active > 0:
            dash.active = max(dash.active - tick.dt, 0.0)
            dash.phasing = dash.phasing and dash.active > 0
            collider.mask = BUT_WALLS if dash.phasing else EVERYTHING
        if protection.seconds > 0:
            protection.seconds = max(protection.seconds - tick.dt, 0.0)
