"""Render interpolation: where things are between two ticks, without a component and without per-entity work.

At the beginning of each tick all transforms are copied into arrays indexed by entity index, next to the ids they
belong to. An entity whose id is not the one noted there is new, or was snapped: it is shown where it is.
"""

from __future__ import annotations

from math import pi

import numpy as np
from numpy.typing import NDArray

from engine.app import Begin, Plugin
from engine.ecs import Entity, Resource, Rows, World
from engine.ecs.entity import INDEX, LOCAL
from engine.events import Phase
from engine.scene.transform import Transform

Floats = NDArray[np.float64]

interpolation = Plugin("engine.interpolation")
"""Include this where things are drawn; a headless run does not need it."""


class Interpolation(Resource, local=True):
    """The transforms before the running tick. `past[0]` is of shared entities, `past[1]` of local ones."""

    def __init__(self) -> None:
        self.past = (_Past(), _Past())

    def note(self, world: World) -> None:
        """Take all transforms as they are now for the past."""
        for rows in world.tables(Transform):
            ids = rows.ids
            self._of(ids).note(ids, rows[Transform.x], rows[Transform.y], rows[Transform.angle])

    def snap(self, entity: Entity) -> None:
        """Show the entity where it is, without a passage from where it was; call it after a teleport."""
        past = self.past[1 if entity.local else 0]
        index = entity.id & INDEX
        if index < len(past.ids):
            past.ids[index] = 0

    def between(self, rows: Rows, alpha: float) -> tuple[Floats, Floats, Floats]:
        """x, y and angle of the rows at `alpha` between the last two ticks, each of shape (rows,)."""
        now = rows[Transform.x], rows[Transform.y], rows[Transform.angle]
        if alpha >= 1.0:
            return now
        ids = rows.ids
        return self._of(ids).between(ids, now, alpha)

    def _of(self, ids: NDArray[np.uint64]) -> _Past:
        return self.past[1 if len(ids) and int(ids[0]) & LOCAL else 0]


class _Past:
    def __init__(self) -> None:
        self.ids = np.zeros(64, np.uint64)
        self.x, self.y, self.angle = np.zeros(64), np.zeros(64), np.zeros(64)

    def note(self, ids: NDArray[np.uint64], x: Floats, y: Floats, angle: Floats) -> None:
        places = (ids & np.uint64(INDEX)).astype(np.intp)
        need = int(places.max()) + 1
        if need > len(self.ids):
            size = max(need, 2 * len(self.ids))
            for name in ("ids", "x", "y", "angle"):
                old = getattr(self, name)
                new = np.zeros(size, old.dtype)
                new[: len(old)] = old
                setattr(self, name, new)
        self.ids[places], self.x[places], self.y[places], self.angle[places] = ids, x, y, angle

    def between(
        self, ids: NDArray[np.uint64], now: tuple[Floats, Floats, Floats], alpha: float
    ) -> tuple[Floats, Floats, Floats]:
        places = (ids & np.uint64(INDEX)).astype(np.intp)
        known = places < len(self.ids)
        places[~known] = 0
        known &= self.ids[places] == ids
        back = 1.0 - alpha if known.all() else np.where(known, 1.0 - alpha, 0.0)
        x, y, angle = now
        turn = angle - self.angle[places]
        if turn.any():  # most things never turn, and a remainder is slow
            turn = (turn + pi) % (2 * pi) - pi
        return x - (x - self.x[places]) * back, y - (y - self.y[places]) * back, angle - turn * back


@interpolation.setup
def _prepare(world: World) -> None:
    world.insert(Interpolation())


@interpolation.on(Begin, phase=Phase.EARLY, priority=1000)
def _note(world: World, begin: Begin) -> None:
    world.resource(Interpolation).note(world)
