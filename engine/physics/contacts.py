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
    | batch.ArbiterFields.POINT_A_2
    | batch.ArbiterFields.POINT_B_2
)
# Layout of the floats of one contact: impulse 0:2, energy 2, normal 3:5, A1 5:7, B1 7:9, A2 9:11, B2 11:13.
_WIDTH = 13
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
    places = within.searchsorted(pairs)
    places[places == len(within)] = 0
    return within[places] == pairs


@dataclass(slots=True)
class Touches:
    """Contacts as columns, sorted by pair."""

    pairs: Pairs
    values: NDArray[np.float64]
    """x, y, nx, ny, impulse, energy; shape (pairs, 6)."""


class ContactReader:
    """Reads the contacts of a step, into a buffer it keeps."""

    def __init__(self) -> None:
        self._buffer = batch.Buffer()
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
        ints = ints_of(buffer).reshape(-1, 3)
        solved = ints[:, 2].nonzero()[0]
        ranks = bodies.rank_by_slot[bodies.slots_at(ints[solved, :2])]
        flipped = ranks[:, 0] > ranks[:, 1]
        pairs = ranks.min(axis=1) << 32 | ranks.max(axis=1)
        order = pairs.argsort(kind="stable")
        self._pairs, self._order, self._flipped, self._merged = pairs[order], solved[order], flipped[order], None
        if ghosts or (self._pairs[1:] == self._pairs[:-1]).any():
            self._merged = self._with_ghosts(_merge(self._select(slice(None))), bodies, ghosts)
            self._pairs = self._merged.pairs
        return self._pairs

    def select(self, chosen: NDArray[np.bool_] | slice) -> Touches:
        """The chosen of the pairs last read, with where and how they touch. Good until the next step."""
        if self._merged is not None:
            return Touches(self._merged.pairs[chosen], self._merged.values[chosen])
        return self._select(chosen)

    def _select(self, chosen: NDArray[np.bool_] | slice) -> Touches:
        places = self._order[chosen]
        counts = ints_of(self._buffer).reshape(-1, 3)[places, 2]
        floats = floats_of(self._buffer).reshape(-1, _WIDTH)[places]
        values = np.empty((len(places), 6))
        # A second contact point that is not there reads as zeros.
        points = floats[:, 5:7] + floats[:, 7:9] + floats[:, 9:11] + floats[:, 11:13]
        np.multiply(points, (0.5 / counts)[:, None], out=values[:, 0:2])
        np.multiply(floats[:, 3:5], np.where(self._flipped[chosen], -1.0, 1.0)[:, None], out=values[:, 2:4])
        np.hypot(floats[:, 0], floats[:, 1], out=values[:, 4])
        values[:, 5] = floats[:, 2]
        return Touches(self._pairs[chosen], values)

    def _with_ghosts(self, touches: Touches, bodies: Bodies, ghosts: Ghosts) -> Touches:
        if not ghosts:
            return touches
        slots = np.fromiter(ghosts, np.int64, len(ghosts))
        pairs = bodies.rank_by_slot[slots >> 32] << 32 | bodies.rank_by_slot[slots & _LOW]
        values = np.zeros((len(pairs), 6))
        values[:, :4] = np.array(list(ghosts.values()))[:, 1:]
        new = ~contained(pairs, touches.pairs)
        pairs = np.concatenate((touches.pairs, pairs[new]))
        order = pairs.argsort()
        return Touches(pairs[order], np.concatenate((touches.values, values[new]))[order])


def _merge(touches: Touches) -> Touches:
    """One contact a pair: of several shapes that touch, point and normal of the hardest, impulse and energy of all.

    The solver lists contacts in an order that depends on addresses, so ties and sums are put in order by value.
    """
    values = touches.values
    order = np.lexsort((values[:, 3], values[:, 2], values[:, 1], values[:, 0], -values[:, 4], touches.pairs))
    pairs, values = touches.pairs[order], values[order]
    if not len(pairs):
        return touches
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    merged = values[starts]
    merged[:, 4:] = np.add.reduceat(values[:, 4:], starts, axis=0)
    return Touches(pairs[starts], merged)
