"""Tables: all entities with the same set of components, side by side.

Each component of a table has a pool of records; row i of every pool belongs to entity ids[i]. Removing a row moves
the last one into its place, so rows stay dense. Local components do not take part in the table's identity; they
have pools with a presence mask, so that a sprite more or less never moves a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ecs.component import Component, fields_agree
from engine.ecs.pool import Pool

FIRST_CAPACITY = 16
REVISIONS = count(1)


class Table:
    """Entities that have exactly the components `components` (local ones not counted)."""

    def __init__(self, place: int, components: tuple[type[Component], ...], *, local: bool) -> None:
        self.place = place
        self.components = components
        self.local = local
        self.count = 0
        self.revision = next(REVISIONS)
        """Another number whenever an entity comes to or leaves a row; no two tables ever have the same."""
        self.capacity = FIRST_CAPACITY
        self.handles: tuple[int, list[Any]] = 0, []
        """The entities' handles, if somebody wants to have them kept, and the revision they are good for."""
        self.tells_removal = False
        """Whether anybody wants to hear of rows that go."""
        self.ids: NDArray[np.uint64] = np.zeros(FIRST_CAPACITY, np.uint64)
        self.id_view: memoryview[int] = self.ids.data
        self.pools: dict[type[Component], Pool] = {
            component: Pool(component, FIRST_CAPACITY, masked=False) for component in components
        }
        self.columns: dict[Any, NDArray[Any]] = {}
        """Full-capacity views by column key, and by component where its records make one matrix."""
        self.object_pools: dict[Any, Pool] = {}
        """The pools of object columns, by column key."""
        self._index_columns()

    def _index_columns(self) -> None:
        self.columns = {}
        self.object_pools = {}
        for component, pool in self.pools.items():
            for name in component.columns:
                self.columns[vars(component)[name]] = pool.records[name]
            for name in component.objects:
                self.object_pools[vars(component)[name]] = pool
            if fields_agree(component):
                first = pool.records.dtype[0]
                self.columns[component] = pool.records.view(first).reshape(-1, len(component.columns))

    def reserve(self, capacity: int) -> None:
        """Make room for `capacity` rows."""
        if capacity <= self.capacity:
            return
        while self.capacity < capacity:
            self.capacity *= 2
        ids = np.zeros(self.capacity, np.uint64)
        ids[: self.count] = self.ids[: self.count]
        self.ids = ids
        self.id_view = ids.data
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
        self.revision = next(REVISIONS)
        return row

    def append_many(self, ids: NDArray[np.uint64]) -> slice:
        """Take the next rows for many entities."""
        start, stop = self.count, self.count + len(ids)
        self.reserve(stop)
        self.ids[start:stop] = ids
        self.count = stop
        self.revision = next(REVISIONS)
        return slice(start, stop)

    def remove(self, row: int) -> int:
        """Free `row`; returns the id of the entity that moved into it, or 0."""
        last = self.count - 1
        self.count = last
        self.revision = next(REVISIONS)
        if row == last:
            for pool in self.pools.values():
                if pool.rows or not pool.flat:
                    pool.remove(row, last)
            return 0
        for pool in self.pools.values():
            if pool.rows or not pool.flat:
                pool.remove(row, last)
            else:
                size, view = pool.size, pool.view
                source, target = last * size, row * size
                view[target : target + size] = view[source : source + size]
        moved = self.id_view[last]
        self.id_view[row] = moved
        return moved

    def keep(self, kept: NDArray[np.intp]) -> None:
        """Keep only the rows whose indices are in `kept`, which is sorted."""
        stay = len(kept)
        self.ids[:stay] = self.ids[kept]
        for pool in self.pools.values():
            pool.keep(kept, self.count)
        self.count = stay
        self.revision = next(REVISIONS)

    def empty(self) -> None:
        """Remove all rows."""
        self.keep(np.empty(0, np.intp))
        for pool in self.pools.values():
            pool.forget_rows()

    def matching(
        self, wanted: Sequence[type[Component]], without: Sequence[type[Component]]
    ) -> NDArray[np.intp] | bool | None:
        """Which rows have all `wanted` and none of `without`: True for all, None for none, else their indices."""
        if self.count == 0:
            return None
        mask: NDArray[np.bool_] | None = None
        for component in wanted:
            pool = self.pools.get(component)
            if pool is None:
                return None
            if pool.present is not None:
                present = pool.present[: self.count]
                mask = present if mask is None else mask & present
        for component in without:
            pool = self.pools.get(component)
            if pool is None:
                continue
            if pool.present is None:
                return None
            absent = ~pool.present[: self.count]
            mask = absent if mask is None else mask & absent
        if mask is None or mask.all():
            return True
        rows = np.flatnonzero(mask)
        return rows if len(rows) else None
