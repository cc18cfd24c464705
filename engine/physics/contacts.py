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
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pymunk
from numpy.typing import NDArray
from pymunk import batch

from engine.physics import direct
from engine.physics.bodies import Bodies
from engine.physics.columns import bytes_of, floats_of, ints_of

if TYPE_CHECKING or direct.CALLS is not None:
    from engine.physics import kernel

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
# Layout of the floats of one contact: impulse 0:2, energy 2, normal 3:5, point on A 5:7, on B 7:9. The solver sums
# energy as (1 - e) / (1 + e) * impulse² / mass (cpArbiterTotalKE), which is twice what was lost.
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
    pairs = first.astype(np.int64, copy=False) << 32 | second
    pairs.sort()
    return pairs


def without(pairs: Pairs, others: Pairs) -> Pairs:
    """Those of the sorted `pairs` that are not among the sorted `others`."""
    if direct.CALLS is not None:
        found = np.empty(len(pairs), np.int64)
        return found[: kernel.without(pairs, others, found)]
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


@dataclass(slots=True)
class _Listing:
    """The solver's list of contacts, as far as they are solved: columns sorted by pair, which may repeat."""

    pairs: Pairs
    places: NDArray[np.intp]
    """In the solver's list."""
    flipped: NDArray[np.bool_]
    """Whether the solver has the entity with the higher id first."""
    counts: NDArray[np.uintp]
    """How many points they touch in."""

    def of(self, wanted: Pairs) -> _Listing:
        """Those of the wanted pairs."""
        chosen = contained(self.pairs, wanted)
        return _Listing(self.pairs[chosen], self.places[chosen], self.flipped[chosen], self.counts[chosen])


class ContactReader:
    """Reads the contacts of a step, into buffers it keeps; good for one space and its bodies.

    With `calls`, the addresses of the solver's functions, it has the kernel do so.
    """

    def __init__(self, space: pymunk.Space, calls: bytes | None) -> None:
        self._calls = calls
        self._space = direct.address_of(space) if calls is not None else 0
        self._room: Pairs = np.empty(_FEW, np.int64)
        """Where the kernel puts pairs,"""
        self._fresh: tuple[Pairs, NDArray[np.float64]] = np.empty(_FEW, np.int64), np.empty((_FEW, 6))
        """those that were not there before, and how they touch;"""
        self._fresh_count = 0
        """and how many these are, 0 if none are known."""
        self._buffer = batch.Buffer()
        self._second_points = batch.Buffer()
        self._seen: tuple[bytes, int, list[int]] = b"", -1, []
        """The solver's list as last read, of which version of the bodies, and the ghosts."""
        self._pairs: Pairs = np.empty(0, np.int64)
        self._listing: _Listing | None = None
        """Of the last reading, if it was of many contacts, and of how they touch."""

    def read(self, space: pymunk.Space, bodies: Bodies, ghosts: Ghosts, before: Pairs) -> Pairs:
        """All pairs that touch now, sorted, each once. The same array as the last time, if nothing has changed.

        How those touch that did not `before` will be asked for.
        """
        if self._calls is not None:
            return self._read_directly(self._calls, bodies, ghosts, before)
        # Where there are many some nearly always begin, so that how they touch is wanted, too.
        self._fill(space, _WHO if self._is_few else _WHO | _HOW)
        seen = bytes_of(self._buffer), bodies.version, list(ghosts)
        if seen != self._seen:
            was_few = self._is_few
            self._seen, self._listing = seen, None
            if self._is_few:
                found = {*ghosts, *(pair for pair, _, count in _each(seen[0], bodies) if count)}
                self._pairs = np.array(sorted(found), np.int64)
            else:
                listing = _listed(self._buffer, bodies)
                self._listing = None if was_few else listing
                self._pairs = _distinct(listing.pairs, ghosts)
        return self._pairs

    def _read_directly(self, calls: bytes, bodies: Bodies, ghosts: Ghosts, before: Pairs) -> Pairs:
        table = bodies.table
        count, fresh = kernel.contacts(calls, self._space, table, self._room, before, *self._fresh)
        if count > len(self._room) or fresh > len(self._fresh[0]):
            self._room = np.empty(2 * count, np.int64)
            self._fresh = np.empty(2 * count, np.int64), np.empty((2 * count, 6))
            count, fresh = kernel.contacts(calls, self._space, table, self._room, before, *self._fresh)
        self._fresh_count = fresh
        if count > kernel.SORTED:
            self._room[:count].sort()
        if ghosts:
            count = kernel.distinct(self._room, count, b"")
            pairs = _distinct(self._room[: max(count, 0)], ghosts)
            if not np.array_equal(pairs, self._pairs):
                self._pairs = pairs.copy()
        elif (count := kernel.distinct(self._room, count, self._pairs)) >= 0:
            self._pairs = self._room[:count].copy()
        return self._pairs

    @property
    def _is_few(self) -> bool:
        return len(self._seen[0]) <= _FEW * _INTS

    def _fill(self, space: pymunk.Space, fields: batch.ArbiterFields) -> None:
        self._buffer.clear()
        batch.get_space_arbiters(space, fields, self._buffer)

    def touches_of(self, space: pymunk.Space, bodies: Bodies, ghosts: Ghosts, wanted: Pairs) -> Touches:
        """Where and how some of the pairs touch that were just read."""
        if self._calls is not None and not (ghosts and any(pair in ghosts for pair in wanted.tolist())):
            if len(wanted) == self._fresh_count and (fresh := self._fresh_touches(wanted)) is not None:
                return fresh
            values = np.empty((6, len(wanted)))
            if kernel.touches(self._calls, self._space, bodies.table, wanted, values):
                return Touches(wanted, values)
        listing = self._listing
        if listing is None:
            self._fill(space, _WHO | _HOW)
            if (
                self._calls is None
                and self._is_few
                and not ghosts
                and (few := self._few_touches(bodies, wanted)) is not None
            ):
                return few
            listing = _listed(self._buffer, bodies)
        found = self._values(space, listing.of(wanted))
        return (
            _with_ghosts(found, {pair: ghost for pair, ghost in ghosts.items() if pair in wanted}) if ghosts else found
        )

    def _fresh_touches(self, wanted: Pairs) -> Touches | None:
        """How the pairs touch that were not there before; None if these are not the wanted ones, each once."""
        pairs, values = self._fresh[0][: self._fresh_count], self._fresh[1][: self._fresh_count]
        if self._fresh_count > kernel.SORTED:
            order = pairs.argsort()
            pairs, values = pairs[order], values[order]
        return Touches(wanted, values.T.copy()) if pairs.tobytes() == wanted.tobytes() else None

    def touches(self, space: pymunk.Space, bodies: Bodies, ghosts: Ghosts) -> Touches:
        """Where and how all pairs touch that do now, which may be some time after the step."""
        self._seen, self._listing = (b"", -1, []), None
        self._fill(space, _WHO | _HOW)
        return _with_ghosts(self._values(space, _listed(self._buffer, bodies)), ghosts)

    def _few_touches(self, bodies: Bodies, wanted: Pairs) -> Touches | None:
        """What `_values` gives, for pairs each of which touches in one point alone; None if some do not."""
        floats = floats_of(self._buffer).reshape(-1, _WIDTH)
        found: dict[int, tuple[float, ...]] = dict.fromkeys(wanted.tolist(), ())
        for place, (pair, flipped, count) in enumerate(_each(bytes_of(self._buffer), bodies)):
            if count and pair in found:
                if found[pair] or count > 1:
                    return None
                jx, jy, energy, nx, ny, ax, ay, bx, by = floats[place].tolist()
                sign = -1.0 if flipped else 1.0
                impulse = float(np.hypot(jx, jy))
                found[pair] = ((ax + bx) * 0.5, (ay + by) * 0.5, nx * sign, ny * sign, impulse, energy * 0.5)
        return Touches(wanted, np.array(list(found.values())).T)

    def _values(self, space: pymunk.Space, listing: _Listing) -> Touches:
        """The contacts of a listing, one a pair."""
        floats = floats_of(self._buffer).reshape(-1, _WIDTH)[listing.places].T
        values = np.empty((6, len(listing.places)))
        np.add(floats[5:7], floats[7:9], out=values[0:2])
        values[0:2] *= 0.5
        values[2:4] = floats[3:5]
        np.negative(values[2:4], out=values[2:4], where=listing.flipped)
        np.hypot(floats[0], floats[1], out=values[4])
        np.multiply(floats[2], 0.5, out=values[5])
        two = (listing.counts == 2).nonzero()[0]
        if len(two):
            buffer = self._second_points
            buffer.clear()
            batch.get_space_arbiters(space, _SECOND_POINT, buffer)
            second = floats_of(buffer).reshape(-1, 4)[listing.places[two]]
            values[0:2, two] = values[0:2, two] * 0.5 + (second[:, 0:2] + second[:, 2:4]).T * 0.25
        pairs = listing.pairs
        return _merge(Touches(pairs, values)) if (pairs[1:] == pairs[:-1]).any() else Touches(pairs, values)


def _each(raw: bytes, bodies: Bodies) -> Iterator[tuple[int, bool, int]]:
    """Pair, whether the solver has it the other way round, and number of points, for each contact in its list."""
    numbers = memoryview(raw).cast("P").tolist()
    slot_at, ids = bodies.slot_at, bodies.ids
    for a, b, count in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        first, second = slot_at[a], slot_at[b]
        flipped = ids[first] > ids[second]
        yield (second << 32 | first if flipped else first << 32 | second), flipped, count


def _listed(buffer: batch.Buffer, bodies: Bodies) -> _Listing:
    """What `_each` gives, as columns; quicker for many."""
    ints = ints_of(buffer).reshape(-1, 3)
    solved = ints[:, 2].nonzero()[0]
    ints = ints[solved]
    slots = bodies.slots_at(ints[:, :2]).astype(np.int64, copy=False)
    first, second = slots[:, 0], slots[:, 1]
    flipped = bodies.entity[first] > bodies.entity[second]
    pairs = np.where(flipped, second << 32 | first, first << 32 | second)
    order = pairs.argsort()
    return _Listing(pairs[order], solved[order], flipped[order], ints[order, 2])


def _distinct(pairs: Pairs, ghosts: Ghosts) -> Pairs:
    """Sorted pairs and those of the ghosts, sorted, each once."""
    if ghosts:
        pairs = np.sort(np.concatenate((pairs, np.fromiter(ghosts, np.int64, len(ghosts)))))
    again = pairs[1:] == pairs[:-1]
    return pairs[np.concatenate(([True], ~again))] if again.any() else pairs


def _with_ghosts(touches: Touches, ghosts: Ghosts) -> Touches:
    if not ghosts:
        return touches
    pairs = np.fromiter(ghosts, np.int64, len(ghosts))
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
    x, y, nx, ny, impulse, _ = touches.values
    order = np.lexsort((ny, nx, y, x, -impulse, touches.pairs))
    pairs, values = touches.pairs[order], touches.values[:, order]
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    merged = values[:, starts]
    merged[4:] = np.add.reduceat(values[4:], starts, axis=1)
    return Touches(pairs[starts], merged)
