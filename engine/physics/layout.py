"""Blocks: the rows of one table that physics looks after, with what was last seen, to tell what the game wrote.

A block keeps a copy of everything the game may change. Comparing it with the live columns, bit by bit and whole
tables at once, finds the few rows that need attention, without events and without a look at each entity.
"""

# The records and object cells of a table are not in the interface of Rows.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterator
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

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        """The live columns."""
        self.table: Table = rows._table
        self.components: Components = self.table.components
        self.archetype = ABSENT
        self.ids: NDArray[np.uint64] = rows.ids
        self.has_body = Body in self.components
        self.has_collider = Collider in self.components
        self.has_velocity = Velocity in self.components
        self.slots: NDArray[np.intp] = _NONE
        self.order: NDArray[np.intp] = _NONE
        """The place of each row's body in the solver's list of bodies, `ABSENT` without one."""
        self.is_full = False
        """Whether every row has a body."""
        self.places: NDArray[np.float64] = np.empty((0, 3))
        """x, y, angle as last synced, shape (rows, 3)."""
        self.velocities: NDArray[np.float64] = np.empty((0, 3))
        """vx, vy, angular as last synced, shape (rows, 3)."""
        self.kept_bodies: NDArray[Any] = np.empty(0)
        self.kept_colliders: NDArray[Any] = np.empty(0)
        self.kept_bytes: dict[type[Component], bytes] = {}
        """The bytes of the kept records: whole tables of them compare fastest."""
        self.kept_cells: list[Any] = []
        self.kept_revision = ABSENT
        """The revision of the cells that were found to be the kept ones."""

    def holds(self, rows: Rows) -> bool:
        """Whether `rows` are the same entities in the same order; then they are taken for the live columns."""
        table: Table = rows._table
        if table is not self.table or table.count != len(self.ids):
            return False
        if not (table.ids[: table.count] == self.ids).all():
            return False
        self.rows = rows
        return True

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
        self.kept_bytes.clear()
        self.places = bodies.place[self.slots]
        self.velocities = bodies.velocity[self.slots]
        if self.has_body:
            self.kept_bodies = bodies.body[self.slots]
        if self.has_collider:
            self.kept_colliders = bodies.collider[self.slots]
            slots = self.slots.tolist()
            self.kept_cells = list(itemgetter(*slots)(bodies.cells)) if len(slots) > 1 else [bodies.cells[slots[0]]]

    def see(self, row: int) -> None:
        """Note the row's Body and Collider as seen."""
        self.kept_bytes.clear()
        if self.has_body:
            self.kept_bodies[row] = self._records(Body)[row]
        if self.has_collider:
            self.kept_colliders[row] = self._records(Collider)[row]
            self.kept_cells[row] = self._cells()[row]

    def _records(self, component: type[Component]) -> NDArray[Any]:
        return self.table.pools[component].records[: len(self.ids)]

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

    def moved_rows(self) -> NDArray[np.intp]:
        """Rows whose Transform the game has written."""
        return _differing(self.rows[Transform], self.places)

    def driven_rows(self) -> NDArray[np.intp]:
        """Rows whose Velocity the game has written."""
        return _differing(self.rows[Velocity], self.velocities) if self.has_velocity else _NONE

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

    def _compare(self, component: type[Component], kept: NDArray[Any], changed: dict[int, bool]) -> None:
        if component not in self.kept_bytes:
            self.kept_bytes[component] = kept.tobytes()
        pool = self.table.pools[component]
        if pool.view[: len(self.ids) * pool.size].tobytes() == self.kept_bytes[component]:
            return
        now = self._records(component)
        for name in now.dtype.names or ():
            for row in np.flatnonzero(now[name] != kept[name]).tolist():
                changed[row] = changed.get(row, False) or name not in _LIGHT


def _differing(now: NDArray[np.float64], kept: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows that differ in any bit, so that what is no number equals itself."""
    if not (now != kept).any():
        return _NONE
    return np.flatnonzero((now.view(np.int64) != kept.view(np.int64)).any(axis=1))


def found_rows(world: World) -> Iterator[Rows]:
    """The rows physics looks after. Local entities are none of its business: simulations would differ by them."""
    for rows in world.tables(Transform, Collider):
        if not rows._table.local:
            yield rows
    for rows in world.tables(Transform, Body, without=(Collider,)):
        if not rows._table.local:
            yield rows
