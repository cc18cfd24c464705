"""Tables: all entities with the same set of components, side by side.

Each component of a table has a pool: one buffer of packed records. Row i of every pool belongs to entity ids[i].
Removing a row moves the last one into its place, so rows stay dense. Local components do not take part in the
table's identity; they have pools with a presence mask, so that a sprite more or less never moves a row.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ecs.component import Component

FIRST_CAPACITY = 16


class Pool:
    """The records of one component in one table."""

    __slots__ = ("buffer", "capacity", "cells", "component", "present", "records", "rows", "structs")

    def __init__(self, component: type[Component], capacity: int, *, masked: bool) -> None:
        self.component: Any = component
        self.capacity = 0
        self.buffer = bytearray()
        self.structs: Any = None
        self.records: NDArray[Any] = np.empty(0)
        self.cells: list[list[Any]] | None = [] if component.objects else None
        self.rows: list[Any] = []
        self.present: NDArray[np.bool_] | None = np.zeros(capacity, np.bool_) if masked else None
        self.grow(capacity)

    def grow(self, capacity: int) -> None:
        component = self.component
        size = ctypes.sizeof(component)
        buffer = bytearray(capacity * size)
        buffer[: len(self.buffer)] = self.buffer
        self.buffer = buffer
        self.structs = (component * capacity).from_buffer(buffer)
        if component.record is not None:
            self.records = np.frombuffer(buffer, component.record)
        if self.present is not None:
            present = np.zeros(capacity, np.bool_)
            present[: len(self.present)] = self.present
            self.present = present
        if self.cells is not None:
            self.cells.extend([] for _ in range(capacity - len(self.cells)))
        self.rows = []
        self.capacity = capacity

    def put(self, row: int, value: Component) -> None:
        """Overwrite record `row` with a detached component."""
        self.structs[row] = value
        if self.cells is not None:
            self.put_cells(row, list(value._cells))  # type: ignore[attr-defined]
        if self.present is not None:
            self.present[row] = True

    def put_cells(self, row: int, cells: list[Any]) -> None:
        assert self.cells is not None
        self.cells[row] = cells
        if row < len(self.rows):
            self.rows[row]._cells = cells

    def move(self, source: int, target: int) -> None:
        if self.present is not None:
            self.present[target] = self.present[source]
        self.structs[target] = self.structs[source]
        if self.cells is not None:
            self.put_cells(target, self.cells[source])

    def row(self, row: int) -> Any:
        """The component laid over record `row`."""
        return self.rows[row] if row < len(self.rows) else self._lay(row)

    def _lay(self, row: int) -> Any:
        component = self.component
        size = ctypes.sizeof(component)
        view = component.from_buffer(self.buffer, row * size) if size else component()
        if self.cells is not None:
            view._cells = self.cells[row]
        return view

    def all_rows(self, count: int) -> list[Any]:
        """The first `count` records as components, laid once and kept until the buffer grows."""
        rows = self.rows
        if len(rows) < count:
            rows.extend(self._lay(row) for row in range(len(rows), min(self.capacity, max(count, 2 * len(rows)))))
        return rows[:count] if len(rows) > count else rows.copy()


class Table:
    """Entities that have exactly the components `components` (local ones not counted)."""

    def __init__(self, place: int, components: tuple[type[Component], ...], *, local: bool) -> None:
        self.place = place
        self.components = components
        self.local = local
        self.count = 0
        self.capacity = FIRST_CAPACITY
        self.ids: NDArray[np.uint64] = np.zeros(FIRST_CAPACITY, np.uint64)
        self.id_view = memoryview(self.ids)
        self.pools: dict[type[Component], Pool] = {
            component: Pool(component, FIRST_CAPACITY, masked=False) for component in components
        }
        self.shared_pools = tuple(self.pools.values())
        self.columns: dict[Any, NDArray[Any]] = {}
        self._index_columns()

    def _index_columns(self) -> None:
        """Rebuild the map from column key to full-capacity view."""
        self.columns = {
            getattr(component, name): pool.records[name]
            for component, pool in self.pools.items()
            for name in component.columns
        }

    def reserve(self, capacity: int) -> None:
        if capacity <= self.capacity:
            return
        while self.capacity < capacity:
            self.capacity *= 2
        ids = np.zeros(self.capacity, np.uint64)
        ids[: self.count] = self.ids[: self.count]
        self.ids = ids
        self.id_view = memoryview(ids)
        for pool in self.pools.values():
            pool.grow(self.capacity)
        self._index_columns()

    def local_pool(self, component: type[Component]) -> Pool:
        """The masked pool of a local component, made on first use."""
        pool = self.pools.get(component)
        if pool is None:
            pool = self.pools[component] = Pool(component, self.capacity, masked=True)
            self._index_columns()
        return pool

    def append(self, id: int) -> int:
        """Take the next row for entity `id`; its records are yet to be put."""
        row = self.count
        if row == self.capacity:
            self.reserve(row + 1)
        self.id_view[row] = id
        self.count = row + 1
        return row

    def append_many(self, ids: NDArray[np.uint64]) -> slice:
        start, stop = self.count, self.count + len(ids)
        self.reserve(stop)
        self.ids[start:stop] = ids
        self.count = stop
        return slice(start, stop)

    def remove(self, row: int) -> int:
        """Free `row`; returns the id of the entity that moved into it, or 0."""
        last = self.count - 1
        self.count = last
        moved = 0
        if row != last:
            moved = self.id_view[last]
            self.id_view[row] = moved
            for pool in self.pools.values():
                pool.move(last, row)
        for pool in self.pools.values():
            if pool.present is not None:
                pool.present[last] = False
            if pool.cells is not None:
                pool.put_cells(last, [])
        return moved

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Keep only the rows where `kept`, in their order; `kept` has `count` items."""
        count = int(np.count_nonzero(kept))
        if count:
            rows = np.flatnonzero(kept)
            self.ids[:count] = self.ids[rows]
            for pool in self.pools.values():
                if pool.component.columns:
                    pool.records[:count] = pool.records[rows]
                if pool.cells is not None:
                    for target, source in enumerate(rows.tolist()):
                        pool.put_cells(target, pool.cells[source])
                if pool.present is not None:
                    pool.present[:count] = pool.present[rows]
        for pool in self.pools.values():
            if pool.present is not None:
                pool.present[count:] = False
            if pool.cells is not None:
                for row in range(count, self.count):
                    pool.put_cells(row, [])
        self.count = count


def selection(
    table: Table, wanted: Sequence[type[Component]], without: Sequence[type[Component]]
) -> NDArray[np.intp] | bool | None:
    """Which rows of `table` have all `wanted` and none of `without`: True for all, None for none, else indices."""
    if table.count == 0:
        return None
    mask: NDArray[np.bool_] | None = None
    for component in wanted:
        pool = table.pools.get(component)
        if pool is None:
            return None
        if pool.present is not None:
            present = pool.present[: table.count]
            mask = present if mask is None else mask & present
    for component in without:
        pool = table.pools.get(component)
        if pool is None:
            continue
        if pool.present is None:
            return None
        absent = ~pool.present[: table.count]
        mask = absent if mask is None else mask & absent
    if mask is None or mask.all():
        return True
    rows = np.flatnonzero(mask)
    return rows if len(rows) else None
