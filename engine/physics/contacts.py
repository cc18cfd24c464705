"""Who touches whom, as sorted columns: read from the solver after each step and compared with the step before.

A pair is one number, the slots of its two bodies: slot of the entity with the lower id << 32 | the other slot.
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

from engine.physics.bodies import ABSENT, Bodies

Pairs: TypeAlias = NDArray[np.int64]
Ghosts: TypeAlias = dict[int, list[float]]
"""Contacts that are not solved, by pair: how many shapes touch, x, y, nx, ny."""

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


@dataclass(slots=True)
class Touches:
    """Contacts as columns, sorted by pair."""

    pairs: Pairs
    values: NDArray[np.float64]
    """x, y, nx, ny, impulse, energy; shape (pairs, 6)."""


def first_slots(pairs: Pairs) -> NDArray[np.int64]:
    """The slots of the entities with the lower ids."""
    return pairs >> 32


def second_slots(pairs: Pairs) -> NDArray[np.int64]:
    """The slots of the entities with the higher ids."""
    return pairs & 0xFFFF_FFFF


def pair_of(bodies: Bodies, a: int, b: int) -> int:
    """The pair of two slots."""
    return a << 32 | b if bodies.entity[a] < bodies.entity[b] else b << 32 | a


def contained(pairs: Pairs, within: Pairs) -> NDArray[np.bool_]:
    """Which of `pairs` are among the sorted `within`."""
    if not len(within):
        return np.zeros(len(pairs), np.bool_)
    places = np.searchsorted(within, pairs)
    places[places == len(within)] = 0
    return within[places] == pairs


class ContactReader:
    """Reads the contacts of a step, into a buffer it keeps."""

    def __init__(self) -> None:
        self._buffer = batch.Buffer()

    def read(self, space: pymunk.Space, bodies: Bodies, ghosts: Ghosts) -> Touches:
        """All pairs that touch now."""
        buffer = self._buffer
        buffer.clear()
        batch.get_space_arbiters(space, _INTS | _FLOATS, buffer)
        ints = np.frombuffer(buffer.int_buf(), np.uintp).reshape(-1, 3)
        floats = np.frombuffer(buffer.float_buf(), np.float64).reshape(-1, _WIDTH)
        solved = np.flatnonzero(ints[:, 2])
        ints, floats = ints[solved], floats[solved]
        slots = bodies.slots_at(ints[:, :2])
        first, second = slots[:, 0], slots[:, 1]
        flipped = bodies.entity[first] > bodies.entity[second]
        pairs = np.where(flipped, second << 32 | first, first << 32 | second)
        order = np.argsort(pairs, kind="stable")
        touches = Touches(pairs[order], _values(floats, ints[:, 2], flipped)[order])
        if np.any(slots == ABSENT):
            touches = _select(touches, ~np.any(slots == ABSENT, axis=1)[order])
        if len(touches.pairs) > 1 and np.any(touches.pairs[1:] == touches.pairs[:-1]):
            touches = _merge(touches)
        if ghosts:
            touches = _with_ghosts(touches, ghosts)
        return touches


def _values(floats: NDArray[np.float64], counts: NDArray[np.uintp], flipped: NDArray[np.bool_]) -> NDArray[np.float64]:
    values = np.empty((len(floats), 6))
    values[:, 0:2] = (floats[:, 5:7] + floats[:, 7:9]) * 0.5
    two = np.flatnonzero(counts == 2)
    if len(two):
        values[two, 0:2] = (floats[two, 5:7] + floats[two, 7:9] + floats[two, 9:11] + floats[two, 11:13]) * 0.25
    values[:, 2:4] = floats[:, 3:5]
    values[flipped, 2:4] *= -1.0
    values[:, 4] = np.hypot(floats[:, 0], floats[:, 1])
    values[:, 5] = floats[:, 2]
    return values


def _select(touches: Touches, chosen: NDArray[np.bool_]) -> Touches:
    return Touches(touches.pairs[chosen], touches.values[chosen])


def _merge(touches: Touches) -> Touches:
    """One contact a pair: of several shapes that touch, point and normal of the hardest, impulse and energy of all.

    The solver lists contacts in an order that depends on addresses, so ties and sums are put in order by value.
    """
    values = touches.values
    order = np.lexsort((values[:, 3], values[:, 2], values[:, 1], values[:, 0], -values[:, 4], touches.pairs))
    pairs, values = touches.pairs[order], values[order]
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    merged = values[starts]
    merged[:, 4:] = np.add.reduceat(values[:, 4:], starts, axis=0)
    return Touches(pairs[starts], merged)


def _with_ghosts(touches: Touches, ghosts: Ghosts) -> Touches:
    pairs = np.fromiter(ghosts, np.int64, len(ghosts))
    values = np.zeros((len(pairs), 6))
    values[:, :4] = np.array(list(ghosts.values()))[:, 1:]
    new = ~contained(pairs, touches.pairs)
    pairs = np.concatenate((touches.pairs, pairs[new]))
    order = np.argsort(pairs)
    return Touches(pairs[order], np.concatenate((touches.values, values[new]))[order])
