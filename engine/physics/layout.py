"""Blocks: the rows of one table that physics looks after, with what was last seen, to tell what the game wrote.

A block keeps a copy of everything the game may change. Comparing it with the live columns, bit by bit and whole
tables at once, finds the few rows that need attention, without events and without a look at each entity.
"""

# Whole records, object cells and a look at all tables at once are not in the interface of worlds and rows.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

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


_SEEN: dict[type[Component], Any] = {Transform: np.float64, Velocity: np.float64, Body: np.uint8, Collider: np.uint8}
"""What is compared with what was last seen of it, and as what: numbers, or bytes with the gaps between fields."""
_SIZES: dict[type[Component], int] = {kind: np.dtype(kind.record).itemsize for kind in _SEEN}


def _bytes_of(row: int, kind: type[Component]) -> slice:
    size = _SIZES[kind]
    return slice(row * size, row * size + size)


class Kept(NamedTuple):
    """What was last seen of an entity, on its way from one row to another: records, bit by bit, and object cells."""

    records: dict[type[Component], bytearray]
    cells: Any


class Block:
    """The physics entities of one table, in the order of its rows."""

    def __init__(self, world: World, table: Table) -> None:
        self.world = world
        self.table = table
        self.capacity = table.capacity
        """Of the table and of this; with another, a block is made anew."""
        self.revision = ABSENT
        """Of the table's rows, when this followed them."""
        self.components: Components = table.components
        self.archetype = ABSENT
        self.has_body = Body in self.components
        self.has_collider = Collider in self.components
        self.has_velocity = Velocity in self.components
        self._ids: list[int] = []
        self._kept: dict[type[Component], bytearray] = {}
        """What was last seen; byte arrays compare with a table's memory at once and without a copy."""
        self._live: dict[type[Component], memoryview[int]] = {}
        """The table's own memory of the same."""
        self._all: dict[type[Component], NDArray[Any]] = {}
        """`_kept` as arrays."""
        for kind, dtype in _SEEN.items():
            if kind is Velocity or kind in self.components:
                self._kept[kind] = bytearray(self.capacity * _SIZES[kind])
                self._all[kind] = np.frombuffer(self._kept[kind], dtype).reshape(self.capacity, -1)
        self._all_slots: NDArray[np.intp] = np.full(self.capacity, ABSENT, np.intp)
        self.kept_cells: list[Any] = []
        self.kept_revision = ABSENT
        """The revision of the cells that were found to be the kept ones."""
        self._lay(0)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._ids)

    def _lay(self, count: int) -> None:
        self.rows = Rows(self.world, self.table, True)
        """The live columns. They stay where they are as long as nothing comes or goes."""
        self.ids: NDArray[np.uint64] = self.table.ids[:count].copy()
        self.slots = self._all_slots[:count]
        self.places: NDArray[np.float64] = self._all[Transform][:count]
        """x, y, angle as last synced, shape (rows, 3)."""
        self.velocities: NDArray[np.float64] = self._all[Velocity][:count]
        """vx, vy, angular as last synced, shape (rows, 3)."""
        pools = self.table.pools
        live = {kind: pools[kind].view[: count * pools[kind].size] for kind in self._kept if kind in pools}
        self._live = live
        kept = self._kept[Transform], self._kept[Velocity]
        self.buffers = self.slots.data, live[Transform], kept[0], live.get(Velocity), kept[1]
        """Slots, places and velocities for the kernel."""
        self._fixed = [(self._kept[kind].startswith, live[kind]) for kind in (Body, Collider) if kind in live]
        """What says of a component that hardly ever changes whether it has not, and what to ask it about."""

    # Rows that come and go

    def follow(self, bodies: Bodies) -> tuple[list[int], list[int]]:
        """Have the rows that the table has now.

        Returns the ids whose row was taken from them, of which what was last seen is left with their slots, and the
        rows that have another entity than before, which are to be given theirs with `move_in`.
        """
        before, now = self._ids, self.table.ids[: self.table.count].tolist()
        changed = [row for row, (old, new) in enumerate(zip(before, now, strict=False)) if old != new]
        vacated = [*changed, *range(len(now), len(before))]
        self._vacate(vacated, bodies)
        changed += range(len(before), len(now))
        self._ids = now
        del self.kept_cells[len(now) :]
        self.kept_cells += [None] * (len(now) - len(self.kept_cells))
        self.revision = self.table.revision
        self._lay(len(now))
        return [before[row] for row in vacated], changed

    def vacate(self, bodies: Bodies) -> list[int]:
        """Leave what was last seen with the slots, for other blocks. Returns the ids."""
        self._vacate(range(len(self._ids)), bodies)
        return self._ids

    def _vacate(self, rows: Iterable[int], bodies: Bodies) -> None:
        for row in rows:
            records = {kind: kept[_bytes_of(row, kind)] for kind, kept in self._kept.items()}
            bodies.kept[int(self.slots[row])] = Kept(records, self.kept_cells[row])

    def move_in(self, row: int, slot: int, kept: Kept | None) -> None:
        """Give a row to the entity in a slot, with what was last seen of it, if anything was."""
        self.slots[row] = slot
        if kept is None:
            return
        self.kept_cells[row] = kept.cells
        for kind, record in kept.records.items():
            if kind in self._kept:
                self._kept[kind][_bytes_of(row, kind)] = record

    def rows_alive(self) -> list[int]:
        """The rows that are still those of their entities, as they may not be after a tick."""
        ids = self.table.ids[: min(len(self.ids), self.table.count)]
        return np.flatnonzero(ids == self.ids[: len(ids)]).tolist()

    # What was seen

    def see(self, row: int) -> None:
        """Note the row's Body and Collider as seen."""
        if self.has_body:
            self._see(row, Body)
        if self.has_collider:
            self._see(row, Collider)
            self.kept_cells[row] = self._cells()[row]

    def _see(self, row: int, kind: type[Component]) -> None:
        self._kept[kind][_bytes_of(row, kind)] = self._live[kind][_bytes_of(row, kind)]

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

    @property
    def is_moved(self) -> bool:
        """Whether the game has written a Transform."""
        return not self._is_still(Transform)

    @property
    def is_driven(self) -> bool:
        """Whether the game has written a Velocity."""
        return self.has_velocity and not self._is_still(Velocity)

    def keep_places(self) -> None:
        """Take all Transforms for seen."""
        self._keep(Transform)

    def keep_velocities(self) -> None:
        """Take all Velocities for seen."""
        self._keep(Velocity)

    def _is_still(self, kind: type[Component]) -> bool:
        """Whether the records are the kept ones, bit by bit."""
        return self._kept[kind].startswith(self._live[kind])

    def _keep(self, kind: type[Component]) -> None:
        live = self._live[kind]
        self._kept[kind][: len(live)] = live

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

    @property
    def is_changed(self) -> bool:
        """Whether the game may have changed a Body or a Collider."""
        for is_still, live in self._fixed:
            if not is_still(live):
                return True
        return self.has_collider and self.table.pools[Collider].revision != self.kept_revision

    def changed_rows(self) -> dict[int, bool]:
        """Rows whose Body or Collider the game has changed, and whether the body must be made anew for it."""
        changed: dict[int, bool] = {}
        if self.has_body:
            self._compare(Body, changed)
        if self.has_collider:
            self._compare(Collider, changed)
            revision = self.table.pools[Collider].revision
            if revision != self.kept_revision:
                self.kept_revision = revision
                replaced = zip(self._cells(), self.kept_cells, strict=True)
                changed.update((row, True) for row, (now, then) in enumerate(replaced) if now is not then)
        for row in changed:
            self.see(row)
        return changed

    def _compare(self, component: type[Component], changed: dict[int, bool]) -> None:
        if self._is_still(component):
            return
        records = self._records(component)
        before = self._all[component].view(records.dtype)[: len(records), 0]
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
