"""Who touches whom, as sorted columns: read from the solver after each step and compared with the step before.

A pair is one number: rank of the entity with the lower id << 32 | rank of the other, where the rank of an entity is
its place among all by id. So pairs in order of number are in order of ids.

Contacts that are solved stand in the solver's list with contact points. Those of sensors, and between two bodies of
infinite mass, stand there without any, like contacts of the recent past; so they are counted by callbacks instead
(`engine.physics.gate`) and handed in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pymunk
from numpy.typing import NDArray
from pymunk import batch

from engine.physics.bodies import Bodies
from engine.physics.columns import floats_of, ints_of

Pairs: TypeAlias = NDArray[np.int64]
Ghosts: TypeAlias = dict[int, list[float]]
"""Contacts that are not solved, by pair of slots: how many shapes touch, x, y, nx, ny."""

_INTS = batch.ArbiterFields.BODY_A_ID | batch.ArbiterFields.BODY_B_ID | batch.ArbiterFields.CONTACT_COUNT
_FLOATS = (
    batch.ArbiterFields.TOTAL_IMPULSE
    | batch.ArbiterFields.TOTAL_KE
    | batch.ArbiterFields.NORMAL
    | batch.ArbiterFields.POINT_A_1
    | batch.ArbiterFields.POINT_B_1
)
# Layout of the floats of one contact: impulse 0:2, energy 2, normal 3:5, point on A 5:7, on B 7:9.
_WIDTH = 9
_SECOND_POINT = batch.ArbiterFields.POINT_A_2 | batch.ArbiterFields.POINT_B_2
_LOW = 0xFFFF_FFFF


def firsts(pairs: Pairs) -> NDArray[np.int64]:
    """The ranks of the entities with the lower ids."""
    return pairs >> 32


def seconds(pairs: Pairs) -> NDArray[np.int64]:
    """The ranks of the entities with the higher ids."""
    return pairs & _LOW


def contained(pairs: Pairs, within: Pairs) -> NDArray[np.bool_]:
    """Which of `pairs` are among the sorted `within`."""
    if not len(within):
        return np.zeros(len(pairs), np.bool_)
    return within.take(within.searchsorted(pairs), mode="clip") == pairs


@dataclass(slots=True)
class Touches:
    """Contacts as columns, sorted by pair."""

    pairs: Pairs
    values: NDArray[np.float64]
    """x, y, nx, ny, impulse, energy; shape (6, pairs)."""


class ContactReader:
    """Reads the contacts of a step, into a buffer it keeps."""

    def __init__(self) -> None:
        self._buffer = batch.Buffer()
        self._second_points = batch.Buffer()
        self._ints: NDArray[np.uintp] = np.empty((0, 3), np.uintp)
        """The integers in the buffer: body, body, number of contact points."""
        self._pairs: Pairs = np.empty(0, np.int64)
        self._order: NDArray[np.intp] = np.empty(0, np.intp)
        """The place of each pair in the solver's list."""
        self._flipped: NDArray[np.bool_] = np.empty(0, np.bool_)
        """Whether the solver has the entity with the higher id first."""
        self._merged: Touches | None = None
        """All values, where several shapes of a pair touch or some contacts are not solved."""

    def read(self, space: pymunk.Space, bodies: Bodies, ghosts: Ghosts) -> Pairs:
        """All pairs that touch now, sorted."""
        buffer = self._buffer
        buffer.clear()
        batch.get_space_arbiters(space, _INTS | _FLOATS, buffer)
        self._ints = ints = ints_of(buffer).reshape(-1, 3)
        solved = ints[:, 2].nonzero()[0]
        ranks = bodies.ranks_at(ints[solved, :2])
        first, second = ranks[:, 0], ranks[:, 1]
        pairs = np.minimum(first, second) << 32 | np.maximum(first, second)
        order = pairs.argsort()
        self._pairs = pairs = pairs[order]
        self._order, self._flipped, self._merged = solved[order], (first > second)[order], None
        if ghosts or (pairs[1:] == pairs[:-1]).any():
            self._merged = _with_ghosts(_merge(self._select(space, slice(None))), bodies, ghosts)
            self._pairs = self._merged.pairs
        return self._pairs

    def select(self, space: pymunk.Space, chosen: NDArray[np.bool_] | slice) -> Touches:
        """The chosen of the pairs last read, with where and how they touch. Good until the next step."""
        if self._merged is not None:
            return Touches(self._merged.pairs[chosen], self._merged.values[:, chosen])
        return self._select(space, chosen)

    def _select(self, space: pymunk.Space, chosen: NDArray[np.bool_] | slice) -> Touches:
        places = self._order[chosen]
        floats = floats_of(self._buffer).reshape(-1, _WIDTH)[places].T
        values = np.empty((6, len(places)))
        np.add(floats[5:7], floats[7:9], out=values[0:2])
        values[0:2] *= 0.5
        values[2:4] = floats[3:5]
        np.negative(values[2:4], out=values[2:4], where=self._flipped[chosen])
        np.hypot(floats[0], floats[1], out=values[4])
        values[5] = floats[2]
        two = (self._ints[places, 2] == 2).nonzero()[0]
        if len(two):
            self._add_second_points(space, places[two], values, two)
        return Touches(self._pairs[chosen], values)

    def _add_second_points(
        self, space: pymunk.Space, places: NDArray[np.intp], values: NDArray[np.float64], columns: NDArray[np.intp]
    ) -> None:
        buffer = self._second_points
        buffer.clear()
        batch.get_space_arbiters(space, _SECOND_POINT, buffer)
        second = floats_of(buffer).reshape(-1, 4)[places]
        values[0:2, columns] = values[0:2, columns] * 0.5 + (second[:, 0:2] + second[:, 2:4]).T * 0.25


def _with_ghosts(touches: Touches, bodies: Bodies, ghosts: Ghosts) -> Touches:
    if not ghosts:
        return touches
    slots = np.fromiter(ghosts, np.int64, len(ghosts))
    first, second = bodies.rank_by_slot[slots >> 32], bodies.rank_by_slot[slots & _LOW]
    pairs = first << 32 | second
    values = np.zeros((6, len(pairs)))
    values[:4] = np.array(list(ghosts.values())).T[1:]
    new = ~contained(pairs, touches.pairs)
    pairs = np.concatenate((touches.pairs, pairs[new]))
    order = pairs.argsort()
    return Touches(pairs[order], np.concatenate((touches.values, values[:, new]), axis=1)[:, order])


def _merge(touches: Touches) -> Touches:
    """One contact a pair: of several shapes that touch, point and normal of the hardest, impulse and energy of all.

    The solver lists contacts in an order that depends on addresses, so ties and sums are put in order by value.
    """
    if not len(touches.pairs):
        return touches
    x, y, nx, ny, impulse, _ = touches.values
    order = np.lexsort((ny, nx, y, x, -impulse, touches.pairs))
    pairs, values = touches.pairs[order], touches.values[:, order]
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    merged = values[:, starts]
    merged[4:] = np.add.reduceat(values[4:], starts, axis=1)
    return Touches(pairs[starts], merged)
