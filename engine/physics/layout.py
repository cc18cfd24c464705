"""Blocks: the rows of one table that physics looks after, with what was last seen, to tell what the game wrote.

A block keeps a copy of everything the game may change. Comparing it with the live columns, bit by bit and whole
tables at once, finds the few rows that need attention, without events and without a look at each entity.
"""

# Whole records, object cells and a look at all tables at once are not in the interface of worlds and rows.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.ecs import Component, Rows, World
from engine.ecs.table import Table
from engine.physics.bodies import ABSENT, Bodies
from engine.physics.components import Body, Collider, Velocity
from engine.scene import Transform

Components: TypeAlias = tuple[type[Component], ...]

_NONE: NDArray[np.intp] = np.empty(0, np.intp)
_LIGHT = {"damping", "angular_damping", "layer", "mask"}
"""Fields of Body and Collider that can change without making the body anew."""


class Block:
    """The physics entities of one table, in the order of its rows."""

    def __init__(self, world: World, table: Table) -> None:
        self.rows = Rows(world, table, True)
        """The live columns. They stay where they are as long as nothing comes or goes."""
        self.table = table
        self.revision = table.revision
        """Of the rows this is good for."""
        self.components: Components = self.table.components
        self.archetype = ABSENT
        self.ids: NDArray[np.uint64] = self.rows.ids
        self.has_body = Body in self.components
        self.has_collider = Collider in self.components
        self.has_velocity = Velocity in self.components
        self.slots: NDArray[np.intp] = _NONE
        self.places: NDArray[np.float64] = np.empty((0, 3))
        """x, y, angle as last synced, shape (rows, 3)."""
        self.velocities: NDArray[np.float64] = np.empty((0, 3))
        """vx, vy, angular as last synced, shape (rows, 3)."""
        self.kept_bodies: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        """The bytes of each row's Body as last seen, and with them the gaps between fields."""
        self.kept_colliders: NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self._kept: dict[type[Component], bytearray] = {}
        """What the four arrays above lie over; byte arrays compare with a table's memory at once and without a copy."""
        self._live: dict[type[Component], Any] = {}
        """The table's own memory of the same."""
        self.kept_cells: list[Any] = []
        self.kept_revision = ABSENT
        """The revision of the cells that were found to be the kept ones."""

    def rows_alive(self) -> list[int]:
        """The rows that are still those of their entities, as they may not be after a tick."""
        ids = self.table.ids[: min(len(self.ids), self.table.count)]
        return np.flatnonzero(ids == self.ids[: len(ids)]).tolist()

    def store(self, bodies: Bodies) -> None:
        """Leave what was last seen with the slots, for another block to load."""
        bodies.place[self.slots] = self.places
        bodies.velocity[self.slots] = self.velocities
        if self.has_body:
            bodies.body[self.slots] = self.kept_bodies
        if self.has_collider:
            bodies.collider[self.slots] = self.kept_colliders
            for slot, cells in zip(self.slots.tolist(), self.kept_cells, strict=True):
                bodies.cells[slot] = cells

    def load(self, bodies: Bodies) -> None:
        """Take what was last seen from the slots."""
        self.places = self._over_memory(Transform, bodies.place[self.slots])
        self.velocities = self._over_memory(Velocity, bodies.velocity[self.slots])
        if self.has_body:
            self.kept_bodies = self._over_memory(Body, bodies.body[self.slots])
        if self.has_collider:
            self.kept_colliders = self._over_memory(Collider, bodies.collider[self.slots])
            slots = self.slots.tolist()
            self.kept_cells = list(itemgetter(*slots)(bodies.cells)) if len(slots) > 1 else [bodies.cells[slots[0]]]

    def _over_memory(self, component: type[Component], values: NDArray[Any]) -> NDArray[Any]:
        kept = self._kept[component] = bytearray(values.tobytes())
        pool = self.table.pools.get(component)
        if pool is not None:
            self._live[component] = pool.view[: len(kept)]
        return np.frombuffer(kept, values.dtype).reshape(values.shape)

    def see(self, row: int) -> None:
        """Note the row's Body and Collider as seen."""
        if self.has_body:
            self.kept_bodies[row] = self._bytes(Body)[row]
        if self.has_collider:
            self.kept_colliders[row] = self._bytes(Collider)[row]
            self.kept_cells[row] = self._cells()[row]

    def _records(self, component: type[Component]) -> NDArray[Any]:
        return self.table.pools[component].records[: len(self.ids)]

    def _bytes(self, component: type[Component]) -> NDArray[np.uint8]:
        pool = self.table.pools[component]
        return np.frombuffer(pool.view, np.uint8, len(self.ids) * pool.size).reshape(-1, pool.size)

    def _cells(self) -> list[Any]:
        cells = self.table.pools[Collider].cells
        assert cells is not None
        return cells[: len(self.ids)]

    def body(self, row: int) -> tuple[Any, ...] | None:
        """The fields of a row's Body, in order."""
        return self._records(Body)[row].item() if self.has_body else None

    def collider(self, row: int) -> tuple[Any, ...] | None:
        """The fields of a row's Collider, in order: shape, material, layer, mask, sensor."""
        return (*self._cells()[row], *self._records(Collider)[row].item()) if self.has_collider else None

    @property
    def is_moved(self) -> bool:
        """Whether the game has written a Transform."""
        return self._kept[Transform] != self._live[Transform]

    @property
    def is_driven(self) -> bool:
        """Whether the game has written a Velocity."""
        return self.has_velocity and self._kept[Velocity] != self._live[Velocity]

    def keep_places(self) -> None:
        """Take all Transforms for seen."""
        self._kept[Transform][:] = self._live[Transform]

    def keep_velocities(self) -> None:
        """Take all Velocities for seen."""
        self._kept[Velocity][:] = self._live[Velocity]

    def write(self, values: NDArray[np.float64]) -> None:
        """Write x, y, angle, vx, vy, angular into the columns, shape (rows, 6), and take them for seen."""
        self.rows[Transform] = values[:, :3]
        self.keep_places()
        if self.has_velocity:
            self.rows[Velocity] = values[:, 3:]
            self.keep_velocities()
        else:
            self.velocities[:] = values[:, 3:]

    def moved_rows(self) -> NDArray[np.intp]:
        """Rows whose Transform the game has written."""
        return _differing(self.rows[Transform], self.places) if self.is_moved else _NONE

    def driven_rows(self) -> NDArray[np.intp]:
        """Rows whose Velocity the game has written."""
        return _differing(self.rows[Velocity], self.velocities) if self.is_driven else _NONE

    def changed_rows(self) -> dict[int, bool]:
        """Rows whose Body or Collider the game has changed, and whether the body must be made anew for it."""
        changed: dict[int, bool] = {}
        if self.has_body:
            self._compare(Body, self.kept_bodies, changed)
        if self.has_collider:
            self._compare(Collider, self.kept_colliders, changed)
            revision = self.table.pools[Collider].revision
            if revision != self.kept_revision:
                self.kept_revision = revision
                replaced = zip(self._cells(), self.kept_cells, strict=True)
                changed.update((row, True) for row, (now, then) in enumerate(replaced) if now is not then)
        for row in changed:
            self.see(row)
        return changed

    def _compare(self, component: type[Component], kept: NDArray[np.uint8], changed: dict[int, bool]) -> None:
        if self._kept[component] == self._live[component]:
            return
        records = self._records(component)
        before = kept.view(records.dtype)[:, 0]
        for name in records.dtype.names or ():
            now, then = records[name], before[name]
            differs = (now != then) & ((now == now) | (then == then))  # what is no number equals itself here
            for row in np.flatnonzero(differs).tolist():
                changed[row] = changed.get(row, False) or name not in _LIGHT


def _differing(now: NDArray[np.float64], kept: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows that differ in any bit, so that what is no number equals itself."""
    return np.flatnonzero((now.view(np.int64) != kept.view(np.int64)).any(axis=1))


def watched_tables(world: World) -> list[Table]:
    """The tables physics looks after. Local entities are none of its business: simulations would differ by them."""
    tables = world.archetypes()
    return [t for t in tables if Transform in t.components and (Collider in t.components or Body in t.components)]


def rows_with_any(world: World, kinds: Iterable[type[Component]]) -> Iterator[tuple[type[Component], Rows]]:
    """The shared rows that have one of `kinds`, for each that they have: one look at a table for all of them."""
    wanted = frozenset(kinds)
    for table in world._tables:
        if table.count and not table.local and not wanted.isdisjoint(table.components):
            for kind in table.components:
                if kind in wanted:
                    yield kind, Rows(world, table, True)
