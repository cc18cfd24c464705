"""Slots: where each entity lives. One array entry per index: generation, table and row; a stack of free indices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.ecs.entity import INDEX

FIRST_CAPACITY = 64
PENDING = -1
"""The table of an entity whose spawning is deferred, and of an index that is free."""
LAST_GENERATION = 2**32 - 1


@dataclass(slots=True, frozen=True)
class SlotsState:
    """Which ids have been given out and freed; where entities live follows from the tables."""

    free: list[int]
    generations: NDArray[np.uint32]


def indices_of(ids: NDArray[np.uint64]) -> NDArray[np.intp]:
    """The slot indices in these ids."""
    return (ids & np.uint64(INDEX)).astype(np.intp)


class Slots:
    """Allocates ids. An index is given out again only with a new generation, last freed first.

    Generations count up on release, so that a live entity's generation equals its id's upper half. An index whose
    generations are used up stays at generation 0 and is not given out any more.
    """

    def __init__(self, base: int) -> None:
        self.base = base
        self.floor = 0
        """Indices below are another world's to give out: see `adopt`."""
        self.used = 0
        self.free: list[int] = []
        self._allocate(FIRST_CAPACITY)

    def _allocate(self, capacity: int) -> None:
        self.capacity = capacity
        self.generations: NDArray[np.uint32] = np.ones(capacity, np.uint32)
        self.tables: NDArray[np.int32] = np.full(capacity, PENDING, np.int32)
        self.rows: NDArray[np.int32] = np.zeros(capacity, np.int32)
        # The same memory again: for single entries memoryviews are three times as fast as arrays.
        self.generation: memoryview[int] = self.generations.data
        self.table: memoryview[int] = self.tables.data
        self.row: memoryview[int] = self.rows.data

    def reserve(self, capacity: int) -> None:
        """Make room for `capacity` indices."""
        if capacity <= self.capacity:
            return
        old = self.generations, self.tables, self.rows
        self._allocate(max(capacity, 2 * self.capacity))
        count = len(old[0])
        self.generations[:count], self.tables[:count], self.rows[:count] = old

    def take(self) -> int:
        """A new id, not yet in any table."""
        if self.free:
            index = self.free.pop()
        else:
            index = max(self.used, self.floor)
            if index >= self.capacity:
                self.reserve(index + 1)
            self.used = index + 1
        return self.generation[index] << 32 | self.base | index

    def adopt(self, id: int) -> None:
        """Take an id that another world gave out. Its index must be below `floor`, and nobody's."""
        index = id & INDEX
        self.reserve(index + 1)
        self.used = max(self.used, index + 1)
        self.generation[index] = id >> 32

    def take_many(self, count: int) -> NDArray[np.uint64]:
        """`count` new ids, the same that `take` would give one by one."""
        reused = min(count, len(self.free))
        fresh = count - reused
        self.used = max(self.used, self.floor) if fresh else self.used
        self.reserve(self.used + fresh)
        indices = np.empty(count, np.intp)
        if reused:
            indices[:reused] = self.free[: -reused - 1 : -1]
            del self.free[-reused:]
        indices[reused:] = np.arange(self.used, self.used + fresh)
        self.used += fresh
        generations = self.generations[indices].astype(np.uint64) << np.uint64(32)
        return generations | np.uint64(self.base) | indices.astype(np.uint64)

    def settle(self, ids: NDArray[np.uint64], table: int, rows: slice) -> None:
        """Note that these entities live in the run `rows` of a table."""
        indices = indices_of(ids)
        self.tables[indices] = table
        self.rows[indices] = np.arange(rows.start, rows.stop)

    def current(self, ids: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The indices, sorted and without repetition, of those ids that live in a table."""
        indices = indices_of(ids)
        known = indices < self.used
        if not known.all():
            ids, indices = ids[known], indices[known]
        alive = (self.generations[indices] == ids >> np.uint64(32)) & (self.tables[indices] != PENDING)
        marks = np.zeros(self.used, np.bool_)
        marks[indices[alive]] = True
        return np.flatnonzero(marks)

    def release(self, index: int) -> None:
        """Free one index."""
        generation = (self.generation[index] + 1) & LAST_GENERATION
        self.generation[index] = generation
        self.table[index] = PENDING
        if generation and index >= self.floor:
            self.free.append(index)

    def release_many(self, indices: NDArray[np.intp]) -> None:
        """Free many indices, in this order; none may occur twice."""
        self.tables[indices] = PENDING
        self.generations[indices] += 1
        self.free.extend(indices[(self.generations[indices] != 0) & (indices >= self.floor)].tolist())

    def state(self) -> SlotsState:
        """A copy of what has been given out, for `load`."""
        return SlotsState(self.free.copy(), self.generations[: self.used].copy())

    def load(self, state: SlotsState) -> None:
        """Go back to a copy, with all entities yet to be settled.

        Handles given out since then are stale until their ids are given out again.
        """
        self.used = used = len(state.generations)
        self._allocate(max(self.capacity, used))
        self.free = state.free.copy()
        self.generations[:used] = state.generations
