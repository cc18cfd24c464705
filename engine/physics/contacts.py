"""Who touches whom, as sorted columns: read from the solver after each step and compared with the step before.

A pair is one number: slot of the entity with the lower id << 32 | slot of the other. Slots stay while entities do, so
pairs can be compared from step to step; events are put in order of ids when they are made.

Contacts that are solved stand in the solver's list with contact points. Those of sensors, and between two bodies of
infinite mass, stand there without any, like contacts of the recent past; so they are counted by callbacks instead
(`engine.physics.gate`) and handed in here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pymunk
from numpy.typing import NDArray
from pymunk import batch

from engine.physics.bodies import Bodies
from engine.physics.columns import bytes_of, floats_of, ints_of

Pairs: TypeAlias = NDArray[np.int64]
Ghosts: TypeAlias = dict[int, list[float]]
"""Contacts that are not solved, by pair: how many shapes touch, x, y, nx, ny."""

_WHO = batch.ArbiterFields.BODY_A_ID | batch.ArbiterFields.BODY_B_ID | batch.ArbiterFields.CONTACT_COUNT
_HOW = (
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

_FEW = 32
"""Up to so many contacts, looking at them one by one takes less time than looking at them all at once."""
_INTS = 3 * np.dtype(np.uintp).itemsize
"""Bytes of the integers of one contact: both bodies, and how many points."""


def firsts(pairs: Pairs) -> NDArray[np.int64]:
    """The slots of the entities with the lower ids."""
    return pairs >> 32


def seconds(pairs: Pairs) -> NDArray[np.int64]:
    """The slots of the entities with the higher ids."""
    return pairs & _LOW


def paired(first: NDArray[np.intp], second: NDArray[np.intp]) -> Pairs:
    """The pairs of slots, sorted."""
    pairs = first << 32 | second
    pairs.sort()
    return pairs


def without(pairs: Pairs, others: Pairs) -> Pairs:
    """Those of the sorted `pairs` that are not among the sorted `others`."""
    if len(pairs) + len(others) > _FEW:
        return pairs[~contained(pairs, others)]
    among = set(others.tolist())
    return np.array([pair for pair in pairs.tolist() if pair not in among], np.int64)


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
    """Reads the contacts of a step, into buffers it keeps; good for one space and its bodies."""

    def __init__(self) -> None:
        self._who = batch.Buffer()
        self._how = batch.Buffer()
        self._second_points = batch.Buffer()
        self._seen: tuple[bytes, int, list[int]] = b"", -1, []
        """The solver's list as last read, of which version of the bodies, and the ghosts."""
        self._pairs: Pairs = np.empty(0, np.int64)

    def read(self, space: pymunk.Space, bodies: Bodies, ghosts: Ghosts) -> Pairs:
        """All pairs that touch now, sorted, each once. The same array as the last time, if nothing has changed."""
        buffer = self._who
        buffer.clear()
        batch.get_space_arbiters(space, _WHO, buffer)
        seen = bytes_of(buffer), bodies.version, list(ghosts)
        if seen != self._seen:
            self._seen = seen
            is_few = len(seen[0]) <= _FEW * _INTS
            self._pairs = _few_pairs(seen[0], bodies, ghosts) if is_few else _pairs(buffer, bodies, ghosts)
        return self._pairs

    def touches(self, space: pymunk.Space, bodies: Bodies, ghosts: Ghosts, wanted: Pairs | None = None) -> Touches:
        """Where and how the wanted pairs touch; all that do, if None."""
        buffer = self._how
        buffer.clear()
        batch.get_space_arbiters(space, _WHO | _HOW, buffer)
        if wanted is not None and len(wanted) <= _FEW and not ghosts:
            few = self._few_touches(bodies, wanted)
            if few is not None:
                return few
        ints = ints_of(buffer).reshape(-1, 3)
        slots = bodies.slots_at(ints[:, :2])
        pairs, flipped = _in_order(slots, bodies)
        is_wanted = ints[:, 2] != 0
        if wanted is not None:
            is_wanted &= contained(pairs, wanted)
        places = is_wanted.nonzero()[0]
        places = places[pairs[places].argsort()]
        found = Touches(pairs[places], self._values(space, ints[places, 2], places, flipped[places]))
        if (found.pairs[1:] == found.pairs[:-1]).any():
            found = _merge(found)
        return _with_ghosts(found, ghosts, wanted)

    def _few_touches(self, bodies: Bodies, wanted: Pairs) -> Touches | None:
        """The same for pairs of which each touches in one point alone; None if some do not."""
        floats = floats_of(self._how).reshape(-1, _WIDTH)
        found: dict[int, tuple[float, ...]] = dict.fromkeys(wanted.tolist(), ())
        for place, (pair, flipped, count) in enumerate(_each(bytes_of(self._how), bodies)):
            if count and pair in found:
                if found[pair] or count > 1:
                    return None
                jx, jy, energy, nx, ny, ax, ay, bx, by = floats[place].tolist()
                sign = -1.0 if flipped else 1.0
                impulse = float(np.hypot(jx, jy))
                found[pair] = ((ax + bx) * 0.5, (ay + by) * 0.5, nx * sign, ny * sign, impulse, energy)
        return Touches(wanted, np.array(list(found.values())).T)

    def _values(
        self, space: pymunk.Space, counts: NDArray[np.uintp], places: NDArray[np.intp], flipped: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """The values of the contacts that stand at these places of the solver's list."""
        floats = floats_of(self._how).reshape(-1, _WIDTH)[places].T
        values = np.empty((6, len(places)))
        np.add(floats[5:7], floats[7:9], out=values[0:2])
        values[0:2] *= 0.5
        values[2:4] = floats[3:5]
        np.negative(values[2:4], out=values[2:4], where=flipped)
        np.hypot(floats[0], floats[1], out=values[4])
        values[5] = floats[2]
        two = (counts == 2).nonzero()[0]
        if len(two):
            buffer = self._second_points
            buffer.clear()
            batch.get_space_arbiters(space, _SECOND_POINT, buffer)
            second = floats_of(buffer).reshape(-1, 4)[places[two]]
            values[0:2, two] = values[0:2, two] * 0.5 + (second[:, 0:2] + second[:, 2:4]).T * 0.25
        return values


def _in_order(slots: NDArray[np.intp], bodies: Bodies) -> tuple[Pairs, NDArray[np.bool_]]:
    """The pairs of slots, shape (pairs, 2), and which of them the solver has the other way round."""
    first, second = slots[:, 0], slots[:, 1]
    flipped = bodies.entity[first] > bodies.entity[second]
    return np.where(flipped, second << 32 | first, first << 32 | second), flipped


def _few_pairs(raw: bytes, bodies: Bodies, ghosts: Ghosts) -> Pairs:
    """What `_pairs` gives, without the many steps that pay off for many."""
    found = set(ghosts)
    found.update(pair for pair, _, count in _each(raw, bodies) if count)
    return np.array(sorted(found), np.int64)


def _each(raw: bytes, bodies: Bodies) -> Iterator[tuple[int, bool, int]]:
    """Pair, whether the solver has it the other way round, and number of points, for each contact in a list."""
    numbers = memoryview(raw).cast("P").tolist()
    slot_at, ids = bodies.slot_at, bodies.ids
    for a, b, count in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        first, second = slot_at[a], slot_at[b]
        flipped = ids[first] > ids[second]
        yield (second << 32 | first if flipped else first << 32 | second), flipped, count


def _pairs(buffer: batch.Buffer, bodies: Bodies, ghosts: Ghosts) -> Pairs:
    ints = ints_of(buffer).reshape(-1, 3)
    pairs, _ = _in_order(bodies.slots_at(ints[ints[:, 2].nonzero()[0], :2]), bodies)
    if ghosts:
        pairs = np.concatenate((pairs, np.fromiter(ghosts, np.int64, len(ghosts))))
    pairs.sort()
    again = pairs[1:] == pairs[:-1]
    return pairs[np.concatenate(([True], ~again))] if again.any() else pairs


def _with_ghosts(touches: Touches, ghosts: Ghosts, wanted: Pairs | None) -> Touches:
    if not ghosts:
        return touches
    pairs = np.fromiter(ghosts, np.int64, len(ghosts))
    values = np.zeros((6, len(pairs)))
    values[:4] = np.array(list(ghosts.values())).T[1:]
    new = ~contained(pairs, touches.pairs)
    if wanted is not None:
        new &= contained(pairs, wanted)
    pairs = np.concatenate((touches.pairs, pairs[new]))
    order = pairs.argsort()
    return Touches(pairs[order], np.concatenate((touches.values, values[:, new]), axis=1)[:, order])


def _merge(touches: Touches) -> Touches:
    """One contact a pair: of several shapes that touch, point and normal of the hardest, impulse and energy of all.

    The solver lists contacts in an order that depends on addresses, so ties and sums are put in order by value.
    """
    x, y, nx, ny, impulse, _ = touches.values
    order = np.lexsort((ny, nx, y, x, -impulse, touches.pairs))
    pairs, values = touches.pairs[order], touches.values[:, order]
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    merged = values[:, starts]
    merged[4:] = np.add.reduceat(values[4:], starts, axis=1)
    return Touches(pairs[starts], merged)
