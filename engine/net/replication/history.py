"""What a prediction notes at the end of each tick, to compare with the server's word on it, and to go back to.

A note is the bytes of the predicted entities' components, taken table by table: a few copies a tick. What components do
not hold, participants of the world note themselves, if they can (`engine.physics.Space.mark`).
"""

# Whole records and the places of entities are not in the interface of worlds.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from operator import is_
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.ecs import ChildOf, Component, Entity, World
from engine.ecs.entity import INDEX
from engine.ecs.pool import Pool
from engine.ecs.slots import indices_of
from engine.ecs.table import Table

Ids = NDArray[np.uint64]
Places = NDArray[np.intp]
Bytes = NDArray[np.uint8]

MOST = 128
"""Notes kept at most: the server's word comes sooner, or much is wrong."""


@runtime_checkable
class Revertible(Protocol):
    """A participant of a world that can go back without making itself anew."""

    def mark(self) -> object:
        """What to go back to. Cheap."""
        ...

    def revert(self, mark: Any) -> None:
        """Go back; the world's entities already are."""
        ...


@dataclass(slots=True, frozen=True)
class Part:
    """One component of a group's entities."""

    component: Any
    pool: Pool
    matrix: Bytes
    """The live records, shape (capacity, bytes)."""


class Group:
    """Predicted entities of one table, and where in it they are."""

    __slots__ = ("_end", "_places", "_raw", "capacity", "chosen", "ids", "order", "parts", "rows", "table")

    def __init__(self, table: Table, ids: Ids, order: Places, rows: Places) -> None:
        self.table = table
        self.ids = ids
        self.order = order
        """Their places in the cast."""
        self.rows = rows
        self.capacity = table.capacity
        self._raw = ids.tobytes()
        self._places: dict[int, int] | None = None
        self._end = int(rows.max()) + 1
        run = len(rows) and int(rows[-1]) - int(rows[0]) + 1 == len(rows) and bool((np.diff(rows) == 1).all())
        self.chosen: Any = slice(int(rows[0]), int(rows[-1]) + 1) if run else rows
        """`rows` as a slice, if they are one: views instead of copies."""
        self.parts = [
            Part(kind, pool, matrix_of(pool))
            for kind, pool in table.pools.items()
            if pool.present is None and kind is not ChildOf
        ]

    def place(self, id: int) -> int | None:
        """Which of its entities one is; None if it is not among them."""
        if self._places is None:
            self._places = {each: place for place, each in enumerate(self.ids.tolist())}
        return self._places.get(id)

    def holds(self) -> bool:
        """Whether they are still there."""
        table = self.table
        if self.capacity != table.capacity or self._end > table.count:
            return False
        return table.ids[self.chosen].tobytes() == self._raw


def matrix_of(pool: Pool) -> Bytes:
    """A pool's live memory, shape (capacity, bytes of a record)."""
    if not pool.size:
        return np.empty((pool.capacity, 0), np.uint8)
    return np.frombuffer(pool.view, np.uint8).reshape(-1, pool.size)


class Cast:
    """The entities of a world that are predicted, in the order in which they came to be so."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids: Ids = np.empty(0, np.uint64)
        self.version = 0
        """Changes with `ids`."""
        self._order: dict[int, None] = {}
        self._groups: list[Group] = []
        self._grouped = -1

    def __contains__(self, id: int) -> bool:
        return id in self._order

    def __len__(self) -> int:
        return len(self._order)

    def add(self, id: int) -> None:
        """One more, if it is not among them."""
        if id not in self._order:
            self._order[id] = None
            self._changed()

    def discard(self, id: int) -> None:
        """One less, if it is among them."""
        if id in self._order:
            del self._order[id]
            self._changed()

    def _changed(self) -> None:
        self.ids = np.fromiter(self._order, np.uint64, len(self._order))
        self.version += 1

    def groups(self) -> list[Group]:
        """Where they are now. The same list as long as nothing moves. All must be alive."""
        if self._grouped != self.version or not all(group.holds() for group in self._groups):
            self._grouped = self.version
            slots = self.world._shared
            indices = indices_of(self.ids)
            tables, rows = slots.tables[indices], slots.rows[indices]
            places: list[int] = tables.tolist()
            self._groups = [
                Group(self.world._tables[place], self.ids[chosen], chosen, rows[chosen].astype(np.intp))
                for place in dict.fromkeys(places)
                for chosen in [np.flatnonzero(tables == place)]
            ]
        return self._groups


@dataclass(slots=True)
class Moment:
    """The end of a predicted tick."""

    tick: int
    commands: Sequence[object]
    """Those of this tick."""
    view_time: float
    """The server's tick at which others were shown."""
    groups: list[Group]
    records: list[list[Bytes]]
    """By group and part: copies of the records, in the order of the group's ids."""
    cells: list[list[list[tuple[Any, ...]] | None]]
    """By group and part: the object fields."""
    marks: list[tuple[Revertible, object]]

    def components(self, id: int) -> list[Component] | None:
        """The components an entity had, made afresh; None if it was not predicted then."""
        for group, records, cells in zip(self.groups, self.records, self.cells, strict=True):
            places = np.flatnonzero(group.ids == id)
            if len(places):
                place = int(places[0])
                return [
                    component_of(part.component, record[place].tobytes(), None if cell is None else cell[place])
                    for part, record, cell in zip(group.parts, records, cells, strict=True)
                ]
        return None

    def fields(self, group: int, component: Any) -> Any:
        """What is noted of a component of a group's entities, by field name; None if they have none."""
        for part, records in zip(self.groups[group].parts, self.records[group], strict=True):
            if part.component is component and records.size:
                return records.view(component.record)[:, 0]
        return None

    def row(self, id: int, component: type[Component]) -> Any:
        """What is noted of an entity's component, by field name, to be read and changed; None if it has none."""
        for number, group in enumerate(self.groups):
            place = group.place(id)
            if place is not None:
                fields = self.fields(number, component)
                return None if fields is None else fields[place]
        return None

    @property
    def ids(self) -> list[int]:
        """Who was predicted."""
        return [id for group in self.groups for id in group.ids.tolist()]


def component_of(kind: Any, record: bytes, cells: tuple[Any, ...] | None) -> Component:
    """A component from its bytes and object fields."""
    made: Any = kind.from_buffer_copy(record) if record else kind.__new__(kind)
    if cells is not None:
        made._cells = list(cells)
    return made


def note(
    cast: Cast, participants: Sequence[Revertible], tick: int, commands: Sequence[object], view_time: float
) -> Moment:
    """Take down the cast as it is."""
    groups = cast.groups()
    return Moment(
        tick,
        commands,
        view_time,
        groups,
        [[part.matrix[group.chosen].copy() for part in group.parts] for group in groups],
        [[_cells_of(part.pool, group) for part in group.parts] for group in groups],
        [(each, each.mark()) for each in participants],
    )


def without(moments: Sequence[Moment], ids: Set[int]) -> list[Moment]:
    """The notes as if some had not been there. Those of the same groups stay of the same."""
    made: dict[int, tuple[list[Group], list[tuple[int, Places | None]]]] = {}
    fewer: list[Moment] = []
    for moment in moments:
        if id(moment.groups) not in made:
            groups: list[Group] = []
            stay: list[tuple[int, Places | None]] = []
            for number, group in enumerate(moment.groups):
                kept = np.flatnonzero([each not in ids for each in group.ids.tolist()])
                if len(kept) == len(group.ids):
                    groups.append(group)
                    stay.append((number, None))
                elif len(kept):
                    groups.append(Group(group.table, group.ids[kept], group.order[kept], group.rows[kept]))
                    stay.append((number, kept))
            made[id(moment.groups)] = groups, stay
        groups, stay = made[id(moment.groups)]
        records = [
            moment.records[number] if kept is None else [each[kept] for each in moment.records[number]]
            for number, kept in stay
        ]
        cells: list[list[list[tuple[Any, ...]] | None]] = [
            [each if each is None or kept is None else [each[place] for place in kept.tolist()] for each in noted]
            for number, kept in stay
            for noted in [moment.cells[number]]
        ]
        fewer.append(replace(moment, groups=groups, records=records, cells=cells))
    return fewer


def with_one(moments: Sequence[Moment], world: World, id_: int) -> list[Moment]:
    """The notes as if one more had been there, as it is now."""
    slots, index = world._shared, id_ & INDEX
    none = np.zeros(1, np.intp)
    one = Group(world._tables[int(slots.tables[index])], np.array([id_], np.uint64), none, none + slots.rows[index])
    made: dict[int, list[Group]] = {}
    more: list[Moment] = []
    for moment in moments:
        groups = made.setdefault(id(moment.groups), [*moment.groups, one])
        records = [*moment.records, [part.matrix[one.chosen].copy() for part in one.parts]]
        cells = [*moment.cells, [_cells_of(part.pool, one) for part in one.parts]]
        more.append(replace(moment, groups=groups, records=records, cells=cells))
    return more


def _cells_of(pool: Pool, group: Group) -> list[tuple[Any, ...]] | None:
    if pool.cells is None:
        return None
    chosen = group.chosen
    return list(
        map(tuple, pool.cells[chosen] if isinstance(chosen, slice) else map(pool.cells.__getitem__, group.rows))
    )


def put_back(cast: Cast, moment: Moment) -> None:
    """Give those of the cast that were predicted then the components they had. Entities that are gone stay gone."""
    world = cast.world
    slots = world._shared
    chosen: Any
    for number, group in enumerate(moment.groups):
        indices = indices_of(group.ids)
        alive = slots.generations[indices] == group.ids >> np.uint64(32)
        placed = alive & (slots.tables[indices] == group.table.place)
        chosen = slice(None) if placed.all() else np.flatnonzero(placed)
        rows = slots.rows[indices[chosen]]
        for part, records, cells in zip(group.parts, moment.records[number], moment.cells[number], strict=True):
            pool = group.table.pools[part.component]
            matrix_of(pool)[rows] = records[chosen]
            if cells is not None and pool.cells is not None:
                kept: list[tuple[Any, ...]] = (
                    cells if type(chosen) is slice else [cells[place] for place in chosen.tolist()]
                )
                places: list[int] = rows.tolist()
                live: list[list[Any]] = [pool.cells[row] for row in places]
                if all(map(is_, chain.from_iterable(live), chain.from_iterable(kept))):
                    continue
                for row, now, noted in zip(places, live, kept, strict=True):
                    if not all(map(is_, now, noted)):
                        pool.put_cells(row, list(noted))
        for id in group.ids[alive & ~placed & (slots.tables[indices] >= 0)].tolist():
            shape_like(world.entity(id), moment.components(id) or ())


def shape_like(entity: Entity, components: Iterable[Component]) -> None:
    """Make an entity have these components, with their values, and no other shared ones; links stay."""
    wanted = {type(component): component for component in components}
    for kind in [type(component) for component in entity.world.components(entity)]:  # rows go stale with the first
        if not kind.local and kind is not ChildOf and kind not in wanted:
            entity.remove(kind)
    for component in wanted.values():
        entity.add(component)
