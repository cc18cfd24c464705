"""The autopilot of `tickwire bots`: plays from what a client is told alone, cheaply enough for hundreds in one process.

It is no opponent, only honest traffic: it flies about, looks at the nearest enemy, throws, and now and then leaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from random import Random
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from engine.scene import Transform
from games.ricochet.commands import Fly
from games.ricochet.components import Ship, Team

if TYPE_CHECKING:
    from engine.net.replication.state import State

THOUGHT = 12
"""Ticks between two thoughts."""
ERROR = 0.12
"""Standard deviation of the aim, radians."""
RANGE = 420.0
"""The distance it keeps from an enemy, units."""
THROWING, LEAPING, SHIELDING, TURNING = 0.3, 0.06, 0.05, 0.15
"""Chances, at each thought."""


MOST_SEEN = 64
"""States whose ships are known; pilots of one room see the same ones."""

Ships = dict[int, tuple[float, float, int]]
"""Place and side by seat."""


@dataclass(slots=True)
class Sight:
    """The ships of a state, which is held so that no other one gets its `id`."""

    state: State
    ships: Ships


@dataclass(slots=True)
class Held:
    """What one pilot holds between two thoughts."""

    fly: Fly
    thought: int
    """The tick of the last one."""
    side: float
    """Which way it circles: 1 or -1."""


class Autopilot:
    """Flies any number of ships, each known by its own source of chance."""

    def __init__(self) -> None:
        self._held: WeakKeyDictionary[Random, Held] = WeakKeyDictionary()
        self._seen: dict[int, Sight] = {}

    def __call__(self, state: State, player: int, rng: Random, tick: int) -> Fly:
        held = self._held.get(rng)
        if held is None:  # they take turns at thinking
            held = self._held[rng] = Held(Fly(), tick - rng.randrange(THOUGHT), rng.choice((-1.0, 1.0)))
        if not 0 <= tick - held.thought < THOUGHT:
            held.thought = tick
            held.fly = _think(self._ships(state), player, rng, held)
        elif held.fly.fire or held.fly.dash:  # buttons are tapped
            held.fly = Fly(held.fly.thrust_x, held.fly.thrust_y, held.fly.aim, shield=held.fly.shield)
        return held.fly

    def _ships(self, state: State) -> Ships:
        """What `ships_of` finds, once for all pilots whose states share their cells."""
        seen = self._seen.get(id(state.shown))
        if seen is None:
            seen = self._seen[id(state.shown)] = Sight(state, ships_of(state))
            if len(self._seen) > MOST_SEEN:
                del self._seen[next(iter(self._seen))]
        return seen.ships


def _think(ships: Ships, player: int, rng: Random, held: Held) -> Fly:
    if rng.random() < TURNING:
        held.side = -held.side
    own = ships.get(player)
    if own is None:
        return Fly(aim=held.fly.aim)
    x, y, team = own
    enemies = [
        (hypot(ex - x, ey - y), ex, ey)
        for seat, (ex, ey, side) in ships.items()
        if seat != player and (team == Team.NONE or side != team)
    ]
    if not enemies:
        heading = rng.uniform(-pi, pi)
        return Fly(cos(heading), sin(heading), held.fly.aim)
    distance, enemy_x, enemy_y = min(enemies)
    there = atan2(enemy_y - y, enemy_x - x)
    heading = there + held.side * (pi / 2 if distance < RANGE else pi / 5) + rng.gauss(0.0, 0.3)
    return Fly(
        cos(heading),
        sin(heading),
        (there + rng.gauss(0.0, ERROR) + pi) % (2 * pi) - pi,
        fire=rng.random() < THROWING,
        dash=rng.random() < LEAPING,
        shield=rng.random() < SHIELDING,
    )


def ships_of(state: State) -> Ships:
    """Place and side of every ship, by seat."""
    ids, seats = state.column(Ship.seat)
    placed, x = state.column(Transform.x)
    of = {id: place for place, id in enumerate(placed.tolist())}
    places = [of[id] for id in ids.tolist()]
    columns = x[places], state.column(Transform.y)[1][places], state.column(Ship.team)[1]
    return dict(zip(seats.tolist(), zip(*(column.tolist() for column in columns), strict=True), strict=True))
