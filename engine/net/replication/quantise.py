"""From the world to a state: all columns at once, as whole numbers of their steps."""

from __future__ import annotations

from collections.abc import Set
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.compiled import has
from engine.ecs import World
from engine.ecs.entity import INDEX
from engine.ecs.table import Table
from engine.net.replication.layout import (
    MOST_SLOTS,
    REFERENCE,
    Bools,
    Floats,
    Ids,
    Ints,
    Kind,
    Layout,
    Shape,
    code_of,
    is_float,
)
from engine.net.replication.prefabs import Makes, Prefab
from engine.net.replication.state import State, nothing, predicted
from engine.net.wire.declaration import Field
from engine.net.wire.errors import SchemaError

if TYPE_CHECKING or has("engine.net.replication.kernel"):
    from engine.net.replication import kernel

COMPILED = has("engine.net.replication.kernel")
"""Whether the kernel does what is written here in numpy, too."""

FURTHEST = float(1 << 46)
"""Steps from zero that floats are kept to: so many are exact, and leave room for differences."""

HOLD = 0.75
"""Steps that a float may be off what is told of it, so that hardly any change need not be told."""

_INDEX = np.uint64(INDEX)
_NONE: Ints = np.zeros(0, np.int64)


class _Source:
    """One table of the world, and where its columns go: floats, other numbers and references each by themselves."""

    __slots__ = (
        "_keys",
        "_parts",
        "arrays",
        "cells",
        "codes",
        "columns",
        "keys",
        "kind",
        "private",
        "raw",
        "revision",
        "slots",
        "steps",
        "table",
        "views",
    )

    def __init__(self, table: Table, kind: Kind, layout: Layout) -> None:
        self.table = table
        self.kind = kind
        numbers: Ints = np.array(kind.columns, np.int64)
        floats, whole = numbers.searchsorted((layout.floats, layout.refs)).tolist()
        self._parts = slice(floats), slice(floats, whole), slice(whole, None)
        self._keys = numbers[:, None] * MOST_SLOTS
        self.keys = [layout.columns[number].field.column for number in kind.columns]
        """The keys of its columns that everyone is told of,"""
        self.private = [field.column for field in kind.private]
        """and of those that their owner is told of; their types and steps for the kernel."""
        self.codes = np.array([REFERENCE if field.is_ref else code_of(field) for field in kind.private], np.uint8)
        self.steps = np.array([field.step for field in kind.private], np.float64)
        self.raw = b""
        """The ids of its entities when they were last looked at."""
        self.revision = -1
        """The table's, then."""
        self.slots: Ints = np.zeros(0, np.int64)
        """By row: the slot of its entity."""
        self.columns: dict[Any, NDArray[Any]] | None = None
        """The table's, when `look` was called last; None if that has to be done again."""
        self.arrays: list[NDArray[Any]] = []
        """Its columns, for the kernel."""
        self.views: list[list[NDArray[Any]]] = []
        """By sort: its columns."""
        self.cells: list[Ints] = []
        """By sort: the keys of their cells, as `Shape.keys`."""

    def look(self) -> None:
        """Find the columns, and the keys, of the entities that are there now."""
        count = self.table.count
        columns = self.columns = self.table.columns
        views = [columns[key][:count] for key in self.keys]
        keys = self._keys + self.slots
        self.views = [views[part] for part in self._parts]
        self.cells = [keys[part].ravel() for part in self._parts]


class _Gathered:
    """Columns of one sort, of all tables, and the order that makes them cells."""

    __slots__ = ("_columns", "_order", "_type")

    def __init__(self, sources: list[_Source], sort: int, type: type[Any]) -> None:
        self._columns = [column for source in sources for column in source.views[sort]]
        self._order = np.concatenate([_NONE, *(source.cells[sort] for source in sources)]).argsort()
        self._type = type

    def gather(self) -> NDArray[Any]:
        """Their values as they are now, in the order of cells."""
        if not self._columns:
            return np.zeros(0, self._type)
        return np.concatenate(self._columns, dtype=self._type, casting="unsafe")[self._order]


class _Lines:
    """All columns of all tables, and which cells their numbers become: for the kernel."""

    __slots__ = ("cells", "columns", "kinds", "rows")

    def __init__(self, kinds: Ints, rows: Ints, shape: Shape, order: Ints) -> None:
        """Of tables of entities of these kinds, with so many rows; `order` is the place of each entity of the shape
        among all rows."""
        layout = shape.layout
        self.kinds = kinds
        self.rows = rows
        self.cells: Ints = np.empty(shape.size, np.int64)
        kernel.destine(len(layout.columns), layout.has, kinds, rows, order, shape.columns, shape.entities, self.cells)
        self.columns: list[NDArray[Any]] = []

    def look(self, sources: list[_Source]) -> None:
        """Find where the columns are now."""
        self.columns = []
        for source in sources:
            if source.columns is not source.table.columns:
                columns = source.columns = source.table.columns
                source.arrays = [columns[key] for key in source.keys]
            self.columns += source.arrays


class Quantiser:
    """Gives every replicated entity of a world a slot, and takes states."""

    def __init__(self, layout: Layout, world: World) -> None:
        self.layout = layout
        self.world = world
        self.prefabs: dict[int, Prefab] = {}
        """By number; one stays as long as it may be told of."""
        self._makes = Makes(layout)
        self._names: dict[tuple[Any, ...], int] = {}  # prefab numbers by what entities of one make have in common
        self._next_prefab = 0
        self._sources: dict[Table, _Source | None] = {}
        self._shape = layout.nothing
        self._state = nothing(layout)
        self._owned: dict[int, list[int]] | None = None
        self._privates: dict[int, dict[int, tuple[int, ...]]] | None = None
        self._order: Ints = _NONE  # by entity of the shape: its place among the rows of all tables
        self._lines: _Lines | None = None
        self._gather_from([])
        self._free: list[int] = []
        self._used = 0
        self._slot_of: Ints = np.full(64, -1)  # by index in the world
        self._next_serial = 1
        self._inverse = 1.0 / layout.steps[: layout.floats]
        self._multiples = np.zeros(0)

    def take(self, tick: int) -> State:
        """The state of the world now. Raises `SchemaError` for what is neither declared nor hidden."""
        changed = False
        sources: list[_Source] = []
        for table in self.world.archetypes():
            source = self._sources.get(table)
            if source is None:
                if not table.count or table in self._sources:
                    continue
                source = self._sources[table] = self._source(table)
                if source is None:
                    continue
            if table.revision != source.revision:
                source.revision = table.revision
                raw = table.ids[: table.count].tobytes()
                if raw != source.raw:
                    source.raw = raw
                    if not COMPILED:
                        source.columns = None
                    changed = True
            if table.count:
                sources.append(source)
        if changed or len(self._shape.slots) != sum(source.table.count for source in sources):
            fresh = self._reshape(sources, tick)
            self._gather_from(sources)
        else:
            fresh = []
            if any(source.columns is not source.table.columns for source in sources):
                self._gather_from(sources)
        state = self._state = State(tick, self._shape, self._fill(tick), {}, self.prefabs)
        self._owned = self._privates = None
        if fresh:
            self._intern(fresh, state)
        return state

    def _source(self, table: Table) -> _Source | None:
        declared, hidden = self.layout.declared.components, self.layout.declared.hidden
        for component in table.components:
            if component not in declared and component not in hidden:
                name = component.__name__
                raise SchemaError(
                    f"an entity has {name}, of which the protocol says nothing: replicate it with .component({name}), "
                    f"or keep it from clients with .hidden({name})"
                )
        mask = self.layout.mask(table.components)
        return _Source(table, self.layout.kind(mask), self.layout) if mask else None

    # Who is there

    def _reshape(self, sources: list[_Source], tick: int) -> list[int]:
        """Make the shape of those who are there now; returns the ids of the new ones."""
        old = self._shape
        ids = np.concatenate([np.zeros(0, np.uint64), *(source.table.ids[: source.table.count] for source in sources)])
        numbers = np.array([source.kind.number for source in sources], np.int64)
        counts = np.array([source.table.count for source in sources], np.int64)
        kinds = numbers.repeat(counts)
        top = int(ids.astype(np.uint32).max(initial=0))
        if top >= MOST_SLOTS:
            raise SchemaError(f"an entity with index {top}: at most {MOST_SLOTS:,} can be there in a replicated world")
        if top >= len(self._slot_of):
            grown = np.full(min(MOST_SLOTS, 2 * top + 2), -1)
            grown[: len(self._slot_of)] = self._slot_of
            self._slot_of = grown
        told, known, stays, gone = (self._match_compiled if COMPILED else self._match)(ids, kinds, tick)
        slots, prefabs, _, serials = told
        self._free_slots(old, gone)
        new = (~stays).nonzero()[0]
        serials[new] = np.arange(self._next_serial, self._next_serial + len(new))
        self._next_serial += len(new)
        for place in (~known).nonzero()[0].tolist():
            slots[place] = self._slot()
        for place in new.tolist():
            prefabs[place] = self._name(int(ids[place]), self.layout.by_number(int(kinds[place])))
        self._shape = (self._settle_compiled if COMPILED else self._settle)(told, ids, kinds)
        if COMPILED:
            self._lines = _Lines(numbers, counts, self._shape, self._order)
        at = 0
        for source in sources:
            source.slots = slots[at : at + source.table.count]
            at += source.table.count
        self._multiples = self._inverse.repeat(self._shape.counts[: self.layout.floats])
        return ids[new].tolist()

    def _settle(self, told: Ints, ids: Ids, kinds: Ints) -> Shape:
        """The shape of what `_match` told, new slots, prefabs and serials included."""
        slots, prefabs, births, serials = told
        self._slot_of[(ids & _INDEX).astype(np.int64)] = slots
        order = self._order = slots.argsort()
        return Shape(self.layout, slots[order], ids[order], kinds[order], prefabs[order], births[order], serials[order])

    def _settle_compiled(self, told: Ints, ids: Ids, kinds: Ints) -> Shape:
        """As `_settle`."""
        sorted_ids, order = np.empty(len(ids), np.uint64), np.empty(len(ids), np.int64)
        settled = np.empty((5, len(ids)), np.int64)
        kernel.settle(told, ids, kinds, self._slot_of, order, sorted_ids, settled)
        self._order = order
        slots, prefabs, births, serials, kinds = settled
        return Shape(self.layout, slots, sorted_ids, kinds, prefabs, births, serials)

    def _match(self, ids: Ids, kinds: Ints, tick: int) -> tuple[Ints, Bools, Bools, Bools]:
        """Where each was in the last shape: rows of slots, prefabs, births and serials; whether it was there, and as
        the same kind; and which of the last shape are gone."""
        old = self._shape
        told: Ints = np.zeros((4, len(ids)), np.int64)
        told[0] = slots = self._slot_of[(ids & _INDEX).astype(np.int64)]
        told[2] = tick
        gone = np.ones(len(old.slots), np.bool_)
        if not len(old.slots):
            return told, np.zeros(len(ids), np.bool_), np.zeros(len(ids), np.bool_), gone
        at = old.slots.searchsorted(slots)
        at[at == len(old.slots)] = 0
        known: Bools = (slots >= 0) & (old.slots[at] == slots) & (old.ids[at] == ids)
        stays = known & (old.kinds[at] == kinds)
        gone[at[known]] = False
        told[2, known] = old.births[at[known]]
        told[1, stays], told[3, stays] = old.prefabs[at[stays]], old.serials[at[stays]]
        return told, known, stays, gone

    def _match_compiled(self, ids: Ids, kinds: Ints, tick: int) -> tuple[Ints, Bools, Bools, Bools]:
        """As `_match`."""
        old = self._shape
        told: Ints = np.empty((4, len(ids)), np.int64)
        known, stays = np.empty((2, len(ids)), np.bool_)
        gone = np.empty(len(old.slots), np.bool_)
        before = old.slots, old.ids, old.kinds, old.prefabs, old.births, old.serials
        kernel.match(ids, kinds, tick, self._slot_of, *before, told, known, stays, gone)
        return told, known, stays, gone

    def _free_slots(self, old: Shape, gone: Bools) -> None:
        for slot, id in zip(old.slots[gone].tolist(), old.ids[gone].tolist(), strict=True):
            if self._slot_of[id & INDEX] == slot:
                self._slot_of[id & INDEX] = -1
            heappush(self._free, slot)

    def _slot(self) -> int:
        if self._free:
            return heappop(self._free)
        self._used += 1
        return self._used - 1

    def _name(self, id: int, kind: Kind) -> int:
        key = self._makes.key(self.world, id, kind)
        try:
            number = self._names.get(key)
        except TypeError:  # an object that has no hash; its text tells it apart as well
            key = (kind.mask, repr(key))
            number = self._names.get(key)
        if number is None:
            number = self._names[key] = self._next_prefab
            self._next_prefab += 1
        return number

    def _intern(self, fresh: list[int], state: State) -> None:
        """Make the prefabs that the new entities are the first of."""
        shape = state.shape
        for id in fresh:
            place = shape.places[id]
            number = int(shape.prefabs[place])
            if number not in self.prefabs:
                kind = self.layout.kinds[int(shape.kinds[place])]
                first = np.zeros(len(self.layout.columns), np.int64)
                columns = np.array(kind.columns, np.int64)
                cells, _ = shape.find(columns * MOST_SLOTS + shape.slots[place])
                first[columns] = state.cells[cells]
                self.prefabs[number] = self._makes.intern(self.world, id, kind, number, first)

    def forget(self, numbers: Set[int]) -> None:
        """Drop prefabs. What is made like them later gets a new one."""
        for number in numbers:
            del self.prefabs[number]
        self._names = {key: number for key, number in self._names.items() if number not in numbers}

    # What they are like

    def _gather_from(self, sources: list[_Source]) -> None:
        """Note which columns the cells are made from."""
        if self._lines is not None:
            self._lines.look(sources)
            return
        for source in sources:
            if source.columns is not source.table.columns:
                source.look()
        self._floats = _Gathered(sources, 0, np.float64)
        self._whole = _Gathered(sources, 1, np.int64)
        self._refs = _Gathered(sources, 2, np.uint64)

    def _fill(self, tick: int) -> Ints:
        layout, shape, lines = self.layout, self._shape, self._lines
        if lines is not None:
            return self._fill_compiled(lines, tick)
        measured = self._floats.gather()
        measured *= self._multiples
        if len(measured) and not np.abs(measured).max() < FURTHEST:
            measured = np.nan_to_num(measured, nan=0.0).clip(-FURTHEST, FURTHEST)
        cells = np.empty(shape.size, np.int64)
        cells[shape.starts[layout.floats] : shape.starts[layout.refs]] = self._whole.gather()
        cells[shape.starts[layout.refs] :] = self._slots_of(self._refs.gather())
        self._round(measured, cells, tick)
        return cells

    def _fill_compiled(self, lines: _Lines, tick: int) -> Ints:
        """As `_fill`."""
        shape, before = self._shape, self._state
        link = None if before.shape is shape else shape.link(before.shape)
        cells = np.empty(shape.size, np.int64)
        kernel.take(
            lines.columns,
            self.layout.codes,
            self.layout.has,
            lines.kinds,
            lines.rows,
            lines.cells,
            self._multiples,
            shape.starts[self.layout.refs],
            before.cells,
            *((False, _NONE, _NONE, _NONE) if link is None else (True, link.kept, link.sources, link.fresh)),
            shape.rated,
            shape.rates,
            shape.factors,
            (tick - before.tick) / 2,
            self._slot_of,
            shape.by_slot,
            cells,
        )
        return cells

    def _round(self, measured: Floats, cells: Ints, tick: int) -> None:
        """Round to whole steps; but what wavers between two stays, and what goes by its rate goes on, while near."""
        shape, before = self._shape, self._state
        split = len(measured)
        nearest = np.rint(measured)
        link = None if before.shape is shape else shape.link(before.shape)
        held = before.cells if link is None else link.carry(before.cells)
        cells[:split] = np.where(np.abs(measured - held[:split]) < HOLD, held[:split], nearest)
        if len(shape.rated):
            rated = shape.rated
            expected = predicted(shape, held, tick - before.tick, cells)[rated]
            cells[rated] = np.where(np.abs(measured[rated] - expected) < HOLD, expected, nearest[rated])
        if link is not None:
            fresh = link.fresh[: int(link.fresh_counts[: self.layout.floats].sum())]
            cells[fresh] = nearest[fresh]

    def _slots_of(self, ids: Ids) -> Ints:
        """The slot of each id, plus one; 0 for none, and for one that is not replicated."""
        indices = (ids & _INDEX).astype(np.int64)
        indices[indices >= len(self._slot_of)] = 0
        slots = self._slot_of[indices] + 1
        slots[self._shape.by_slot[np.minimum(slots, len(self._shape.by_slot) - 1)] != ids] = 0
        return slots

    def owned(self, player: int) -> Ids:
        """The ids of what a player owns, by the owner columns."""
        return np.array(self._owners().get(player, ()), np.uint64)

    def _owners(self) -> dict[int, list[int]]:
        """By player: the ids of their things."""
        if self._owned is None:
            self._owned = {}
            for component, name in self.layout.declared.owners.items():
                key: Any = vars(component)[name]
                for rows in self.world.tables(component):
                    columns: Any = rows
                    players: list[int] = columns[key].tolist()
                    for id, player in zip(rows.ids.tolist(), players, strict=True):
                        self._owned.setdefault(player, []).append(id)
        return self._owned

    def private(self, player: int, shape: Shape) -> dict[int, tuple[int, ...]]:
        """By id: what only its owner is told of what a player owns, if it is in a shape."""
        if self._privates is None:
            self._privates = self._take_privates()
        told = self._privates.get(player)
        if told and shape is self._shape:
            return told
        return {id: cells for id, cells in told.items() if id in shape.places} if told else {}

    def _take_privates(self) -> dict[int, dict[int, tuple[int, ...]]]:
        """By player and id: what only owners are told."""
        told: dict[int, dict[int, tuple[int, ...]]] = {}
        for source in self._sources.values():
            if source is None or not source.kind.private or not source.table.count:
                continue
            count, columns = source.table.count, source.table.columns
            ids = source.table.ids[:count].tolist()
            rows = list(zip(ids, self._private_rows(source, count), strict=True))
            for component, name in self.layout.declared.owners.items():
                players = columns.get(vars(component)[name])
                if players is not None:
                    for player, (id, numbers) in zip(players[:count].tolist(), rows, strict=True):
                        told.setdefault(player, {})[id] = numbers
        return told

    def _private_rows(self, source: _Source, count: int) -> list[tuple[int, ...]]:
        """By row: the cells that only the owner is told of."""
        columns = source.table.columns
        if COMPILED:
            chosen = [columns[key] for key in source.private]
            return kernel.take_rows(chosen, source.codes, source.steps, count, self._slot_of, self._shape.by_slot)
        cells = [self._private_cells(field, columns[field.column][:count]) for field in source.kind.private]
        return list(zip(*cells, strict=True))

    def _private_cells(self, field: Field, column: NDArray[Any]) -> list[int]:
        if field.is_ref:
            return self._slots_of(column).tolist()
        if is_float(field):
            return [_steps(value / field.step) for value in column.tolist()]
        return column.astype(np.int64).tolist()


def _steps(measured: float) -> int:
    return round(min(max(measured, -FURTHEST), FURTHEST)) if measured == measured else 0
