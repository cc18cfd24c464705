"""A prediction against the server's word on the same tick, all columns at once.

Both are brought into one vector of numbers, field by field of each group: the prediction's by copying columns, the
server's by one gather over its cells. References are compared apart, as they may mean a stand-in; so are the few
numbers that only an owner is told of.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import pi
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.ecs.table import Table
from engine.net.replication.history import Group, Moment, matrix_of
from engine.net.replication.layout import MOST_SLOTS, Ints, Layout, is_float
from engine.net.replication.state import State, referred
from engine.net.wire.declaration import Audience, Field
from engine.scene import Transform

Floats = NDArray[np.float64]
Columns = list[list[Any]]
"""By group and part: the records, by field name, in the order of the group's ids."""

STEPS = 2.0
"""By how many steps a number with a fraction may be off."""
CLOSE = 0.5
"""Units by which a place may be off at least."""
HAIR = 1e-6
"""Relative: what single precision makes of a step."""


class Fields:
    """What is compared of the entities of one table, whichever they are."""

    __slots__ = ("_kinds", "_layout", "_public", "private", "references", "shared", "steps", "tolerances", "turning")

    def __init__(self, group: Group, layout: Layout) -> None:
        declared = layout.declared
        self._layout = layout
        self._public = {kind for kind in group.table.components if _is_public(declared.components.get(kind))}
        self._kinds: dict[int, bool] = {}
        self.shared: list[tuple[int, Field, int]] = []
        """Numbers that everybody is told of: part, field, column."""
        self.references: list[tuple[int, Field, int]] = []
        self.private: list[tuple[int, Field]] = []
        for place, part in enumerate(group.parts):
            record = declared.components.get(part.component)
            for field in record.fields if record is not None else ():
                if not _is_public(record):
                    self.private.append((place, field))
                else:
                    chosen = self.references if field.is_ref else self.shared
                    chosen.append((place, field, layout.numbers[field.column]))
        fields = [field for _, field, _ in self.shared]
        self.steps = [field.step if is_float(field) else 1.0 for field in fields]
        self.tolerances = [_tolerance(field) for field in fields]
        self.turning = [
            field.column is Transform.angle or field.name in declared.interpolated.get(field.component, ())
            for field in fields
        ]

    def fit(self, kinds: Iterable[int]) -> bool:
        """Whether the server's entities of these kinds have the same components."""
        return all(self._fits(kind) for kind in kinds)

    def _fits(self, kind: int) -> bool:
        known = self._kinds.get(kind)
        if known is None:
            components = self._layout.declared.components
            told = {each for each in self._layout.by_number(kind).components if _is_public(components[each])}
            known = self._kinds[kind] = told == self._public
        return known


class Stretch(NamedTuple):
    """One field of one group, and its place in the vector, or among the cells of references."""

    group: int
    part: int
    field: Field
    low: int
    high: int


@dataclass(slots=True, frozen=True)
class Difference:
    """A number that is not what the server says."""

    id: int
    """The entity's, in the prediction."""
    field: Field
    told: Any
    """What the server says."""
    by: float | None
    """How much more that is; None for what is counted or refers, not measured."""


class Comparison:
    """How groups line up with the entities of a shape: good for all notes of the groups and states of the shape."""

    def __init__(
        self, groups: list[Group], servers: Mapping[int, int], state: State, known: dict[Table, Fields]
    ) -> None:
        """`servers` has the server's id of each entity that the prediction knows by another. All are in the state.

        `known` keeps the fields of tables, for the next one.
        """
        self.groups = groups
        self.shape = shape = state.shape
        self.servers = [[servers.get(id, id) for id in group.ids.tolist()] for group in groups]
        self.stretches: list[Stretch] = []
        self.references: list[Stretch] = []
        self.private: list[Stretch] = []
        self.alike = True
        """Whether all have the components they have at the server."""
        keys: list[Ints] = [_NONE]
        references: list[Ints] = [_NONE]
        counts: list[int] = []
        steps: list[float] = []
        tolerances: list[float] = []
        turning: list[bool] = []
        low = low_of_references = 0
        for number, group in enumerate(groups):
            fields = known.get(group.table)
            if fields is None:
                fields = known[group.table] = Fields(group, state.layout)
            count = len(group.ids)
            places = np.array([shape.places[id] for id in self.servers[number]], np.intp)
            slots = shape.slots[places]
            self.alike = self.alike and fields.fit(dict.fromkeys(shape.kinds[places].tolist()))
            for part, field, column in fields.shared:
                self.stretches.append(Stretch(number, part, field, low, low + count))
                keys.append(slots + column * MOST_SLOTS)
                low += count
            counts += [count] * len(fields.shared)
            steps += fields.steps
            tolerances += fields.tolerances
            turning += fields.turning
            for part, field, column in fields.references:
                end = low_of_references + count
                self.references.append(Stretch(number, part, field, low_of_references, end))
                references.append(slots + column * MOST_SLOTS)
                low_of_references = end
            self.private += [Stretch(number, part, field, 0, 0) for part, field in fields.private]
        self._told: tuple[State, Floats] | None = None
        """What was asked for last."""
        self._known: tuple[Columns, State, tuple[Floats, Floats, NDArray[np.bool_]]] | None = None
        self._cells, _ = shape.find(np.concatenate(keys))
        self._cells_of_references, _ = shape.find(np.concatenate(references))
        self._steps = np.repeat(np.array(steps), counts)
        self._tolerances = np.repeat(np.array(tolerances), counts)
        self._turning = np.flatnonzero(np.repeat(np.array(turning, np.bool_), counts))

    def told(self, state: State) -> Floats:
        """The server's vector; not to be changed."""
        if self._told is None or self._told[0] is not state:
            self._told = state, np.multiply(state.cells[self._cells], self._steps, dtype=np.float64)
        return self._told[1]

    def ours(self, columns: Columns) -> Floats:
        """The prediction's vector."""
        values = np.empty(len(self._cells))
        for each in self.stretches:
            values[each.low : each.high] = columns[each.group][each.part][each.field.name]
        return values

    def _compared(self, columns: Columns, state: State) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Both vectors of a note, and where they are apart; known as long as the same is asked about."""
        known = self._known
        if known is None or known[0] is not columns or known[1] is not state:
            ours, told = self.ours(columns), self.told(state)
            known = self._known = columns, state, (ours, told, self.apart(ours, told))
        return known[2]

    def apart(self, ours: Floats, told: Floats) -> NDArray[np.bool_]:
        """Which numbers are farther apart than they may be."""
        off = ours - told
        if len(self._turning):
            off[self._turning] = (off[self._turning] + pi) % (2 * pi) - pi
        np.abs(off, out=off)
        return ~(off <= self._tolerances + HAIR * np.abs(told))

    def agrees(self, columns: Columns, state: State, aliases: Mapping[int, int]) -> bool:
        """Whether a note is what the server says."""
        if not self.alike or self._compared(columns, state)[2].any():
            return False
        for each in self.references:
            ours = columns[each.group][each.part][each.field.name]
            if (ours != self._referred(each, state, aliases)).any():
                return False
        for each in self.private:
            ours = columns[each.group][each.part][each.field.name]
            near = _tolerance(each.field)
            for value, told in zip(ours.tolist(), self._private(each, state), strict=True):
                if told is not None and not abs(value - told) <= near + HAIR * abs(told):
                    return False
        return True

    def differences(
        self, columns: Columns, state: State, aliases: Mapping[int, int], most: int
    ) -> list[Difference] | None:
        """All numbers that are not what the server says, where both have the same components. None if over `most`."""
        found: list[Difference] = []
        ours, told, wrong = self._compared(columns, state)
        off = told - ours
        if np.count_nonzero(wrong) > most:
            return None
        off[self._turning] = (off[self._turning] + pi) % (2 * pi) - pi
        lows = [each.low for each in self.stretches]
        for place in np.flatnonzero(wrong).tolist():
            each = self.stretches[bisect_right(lows, place) - 1]
            id, value = int(self.groups[each.group].ids[place - each.low]), float(told[place])
            measured = is_float(each.field)
            found.append(
                Difference(id, each.field, value if measured else int(value), float(off[place]) if measured else None)
            )
        for each in self.references:
            mine, theirs = columns[each.group][each.part][each.field.name], self._referred(each, state, aliases)
            wrong, ids = mine != theirs, self.groups[each.group].ids
            pairs = zip(ids[wrong].tolist(), theirs[wrong].tolist(), strict=True)
            found += [Difference(id, each.field, one, None) for id, one in pairs]
        for each in self.private:
            mine = columns[each.group][each.part][each.field.name]
            near = _tolerance(each.field)
            pairs = zip(self.groups[each.group].ids.tolist(), mine.tolist(), self._private(each, state), strict=True)
            for id, value, one in pairs:
                if one is not None and not abs(value - one) <= near + HAIR * abs(one):
                    found.append(Difference(id, each.field, one, one - value if is_float(each.field) else None))
        return found

    def distances(self, columns: Columns, state: State) -> dict[int, float]:
        """How far from its place each is, in units, by the prediction's id."""
        away: dict[int, float] = {}
        ours, told, _ = self._compared(columns, state)
        for number, group in enumerate(self.groups):
            square = np.zeros(len(group.ids))
            for each in self.stretches:
                if each.group == number and each.field.column in (Transform.x, Transform.y):
                    square += (ours[each.low : each.high] - told[each.low : each.high]) ** 2
            away.update(zip(group.ids.tolist(), np.sqrt(square).tolist(), strict=True))
        return away

    def write(self, columns: Columns, state: State, aliases: Mapping[int, int], fresh: set[int]) -> None:
        """Put what the server says over live columns where they are too far apart, and wherever they are `fresh`."""
        told = self.told(state)
        wrong = self.apart(self.ours(columns), told)
        news = [np.array([id in fresh for id in group.ids.tolist()]) if fresh else None for group in self.groups]
        for each in self.stretches:
            chosen, new = wrong[each.low : each.high], news[each.group]
            chosen = chosen | new if new is not None else chosen
            if chosen.any():
                _put(
                    columns[each.group][each.part],
                    each.field,
                    self.groups[each.group],
                    chosen,
                    told[each.low : each.high],
                )
        for each in self.references:
            every = np.ones(each.high - each.low, np.bool_)
            values = self._referred(each, state, aliases)
            _put(columns[each.group][each.part], each.field, self.groups[each.group], every, values)
        for each in self.private:
            values = self._private(each, state)
            chosen = np.array([value is not None for value in values], np.bool_)
            filled = np.array([0 if value is None else value for value in values])
            _put(columns[each.group][each.part], each.field, self.groups[each.group], chosen, filled)

    def _referred(self, each: Stretch, state: State, aliases: Mapping[int, int]) -> NDArray[np.uint64]:
        ids = referred(state.shape, state.cells[self._cells_of_references[each.low : each.high]])
        if aliases:
            ids = np.array([aliases.get(id, id) for id in ids.tolist()], np.uint64)
        return ids

    def _private(self, each: Stretch, state: State) -> Sequence[Any]:
        ids, values = state.column(each.field.column)
        known = dict(zip(ids.tolist(), values.tolist(), strict=True))
        return [known.get(id) for id in self.servers[each.group]]


class LiveColumns:
    """Live records of a group's part, which are gathered to be read and scattered to be written."""

    __slots__ = ("_chosen", "_records")

    def __init__(self, records: NDArray[Any], chosen: Any) -> None:
        self._records = records
        self._chosen = chosen

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._records[name][self._chosen]

    def put(self, name: str, rows: NDArray[np.intp], values: NDArray[Any]) -> None:
        """Write rows of the table."""
        self._records[name][rows] = values


def noted_columns(moment: Moment) -> Columns:
    """The columns of a note."""
    return [
        [
            record.view(part.component.record)[:, 0] if record.size else {}
            for part, record in zip(group.parts, records, strict=True)
        ]
        for group, records in zip(moment.groups, moment.records, strict=True)
    ]


def live_columns(groups: list[Group]) -> Columns:
    """The columns of a world, as they are now."""
    return [
        [
            LiveColumns(matrix_of(part.pool).view(part.component.record)[:, 0], group.chosen) if part.pool.size else {}
            for part in group.parts
        ]
        for group in groups
    ]


def _put(columns: LiveColumns, field: Field, group: Group, chosen: NDArray[np.bool_], values: NDArray[Any]) -> None:
    columns.put(field.name, group.rows[chosen], values[chosen])


_NONE: Ints = np.zeros(0, np.int64)


def _is_public(record: Any) -> bool:
    return record is not None and record.audience is Audience.EVERYONE


def _tolerance(field: Field) -> float:
    if not is_float(field):
        return 0.0
    return max(STEPS * field.step, CLOSE) if field.column in (Transform.x, Transform.y) else STEPS * field.step
