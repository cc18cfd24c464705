"""Slots: where each entity lives. One array entry per index: generation, table and row; a stack of free indices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST_CAPACITY = 64
PENDING = -1
"""The table of an entity whose spawning is deferred."""


class Slots:
    """Allocates ids. An index is given out again only with a new generation, last freed first.

    Generations count up on release, so that a live entity's generation equals its id's upper half.
    """

    def __init__(self, base: int) -> None:
        self.base = base
        self.used = 0
        self.free: list[int] = []
        self._allocate(FIRST_CAPACITY)
        self.generations[:] = 1

    def _allocate(self, capacity: int) -> None:
        self.generations: NDArray[np.uint32] = np.ones(capacity, np.uint32)
        self.tables: NDArray[np.int32] = np.full(capacity, PENDING, np.int32)
        self.rows: NDArray[np.int32] = np.zeros(capacity, np.int32)
        self.generation = memoryview(self.generations)
        self.table = memoryview(self.tables)
        self.row = memoryview(self.rows)

    def reserve(self, capacity: int) -> None:
        if capacity <= len(self.generations):
            return
        old = self.generations, self.tables, self.rows
        self._allocate(max(capacity, 2 * len(self.generations)))
        count = len(old[0])
        self.generations[:count], self.tables[:count], self.rows[:count] = old

    def take(self) -> int:
        """A new id, not yet in any table."""
        if self.free:
            index = self.free.pop()
        else:
            index = self.used
            if index == len(self.generations):
                self.reserve(index + 1)
            self.used = index + 1
        return self.generation[index] << 32 | self.base | index

    def take_many(self, count: int) -> NDArray[np.uint64]:
        """`count` new ids."""
        reused = min(count, len(self.free))
        fresh = count - reused
        self.reserve(self.used + fresh)
        indices = np.empty(count, np.uint64)
        if reused:
            indices[:reused] = self.free[: -reused - 1 : -1]
            del self.free[-reused:]
        indices[reused:] = np.arange(self.used, self.used + fresh)
        self.used += fresh
        return (
            self.generations[indices.astype(np.intp)].astype(np.uint64) << np.uint64(32)
            | np.uint64(self.base)
            | indices
        )

    def release_many(self, indices: NDArray[np.intp]) -> None:
        self.generations[indices] += 1
        self.tables[indices] = PENDING
        self.free.extend(indices.tolist())

    def release(self, index: int) -> None:
        self.generation[index] += 1
        self.table[index] = PENDING
        self.free.append(index)

    def state(self) -> tuple[Any, ...]:
        """A copy of everything, for `load`."""
        used = self.used
        return (
            used,
            self.free.copy(),
            self.generations[:used].copy(),
            self.tables[:used].copy(),
            self.rows[:used].copy(),
        )

    def load(self, state: tuple[Any, ...]) -> None:
        used, free, generations, tables, rows = state
        self._allocate(max(FIRST_CAPACITY, used))
        self.used = used
        self.free = free.copy()
        self.generations[:used], self.tables[:used], self.rows[:used] = generations, tables, rows
