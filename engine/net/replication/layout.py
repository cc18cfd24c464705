"""Where every replicated number stands: columns of fields, and the shape that the entities of a moment give them.

All that is told of a moment's entities is one vector of whole numbers, its **cells**, column by column, and within a
column in the order of the entities' slots. A slot is a small number an entity has as long as it lives. Who has which
cells is the **shape**; it changes only when entities come, go or change their components, so that from one moment to
the next two vectors mostly line up as they are. Both sides make the same shapes.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from itertools import accumulate, count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.compiled import has
from engine.ecs import Component
from engine.net.wire.declaration import FLOATS, Audience, Field
from engine.net.wire.errors import SchemaError
from engine.net.wire.protocol import Protocol
from engine.physics import Velocity
from engine.scene import Transform

if TYPE_CHECKING or has("engine.net.replication.kernel"):
    from engine.net.replication import kernel

COMPILED = has("engine.net.replication.kernel")
"""Whether the kernel does what is written here in numpy, too."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ids = NDArray[np.uint64]

MOST_SLOTS = 1 << 16
"""Entities replicated at a time; their indices in the world are below, too (see `World.mirror`)."""

RATES: dict[Any, Any] = {
    Transform.x: Velocity.vx,
    Transform.y: Velocity.vy,
    Transform.angle: Velocity.angular,
}
"""Columns that go on by another one's value a second, so that what is sent is how far they did not."""

CODES = {"f4": 0, "f8": 1, "b1": 2, "u1": 2, "i4": 3, "u4": 4, "i8": 5, "u8": 6}
"""What the kernel calls the types of columns,"""
REFERENCE = 7
"""and one of which the slots of ids are wanted."""

MOST_LINKS = 64
"""Shapes that a shape remembers its link from."""

_NUMBERS = count()


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A field that crosses the wire, and its number."""

    number: int
    field: Field
    rate: int
    """The number of the column that this one goes on by; -1 for none."""
    factor: float
    """Steps of this column a tick, for one step of that one."""

    @property
    def step(self) -> float:
        return self.field.step


@dataclass(slots=True, eq=False)
class Kind:
    """Entities with the same declared components."""

    number: int
    mask: int
    """Bit i for `Layout.components[i]`."""
    components: tuple[type[Component], ...]
    columns: tuple[int, ...]
    """The numbers of those columns that everyone is told of."""
    private: tuple[Field, ...]
    """The fields that their owner is told of."""


class Layout:
    """The columns of a protocol, and the kinds of entities met so far. `rate` is ticks a second."""

    def __init__(self, protocol: Protocol, rate: float = 60.0) -> None:
        declared = protocol.declarations
        self.protocol = protocol
        self.rate = rate
        self.components = tuple(declared.components)
        """Bit by bit, what an entity can have."""
        self.declared = declared
        public: list[Field] = []
        self.private: dict[Any, Field] = {}
        """By column key: the fields that only owners are told of."""
        for each in declared.components.values():
            if each.audience is Audience.EVERYONE:
                public += each.fields
            elif each.constant:
                raise SchemaError(f"{each.component.__name__} is told to its owner only, so it cannot be constant")
            else:
                self.private |= {field.column: field for field in each.fields}
        # Floats first, references last: then each sort is one slice of the cells.
        public.sort(key=lambda field: (field.is_ref, not is_float(field)))
        numbers = {field.column: number for number, field in enumerate(public)}
        self.columns = tuple(self._column(number, field, numbers) for number, field in enumerate(public))
        self.numbers = numbers
        """Column number by column key."""
        self.floats = sum(is_float(field) for field in public)
        """The columns below are of floats."""
        self.refs = sum(not field.is_ref for field in public)
        """The columns from here on are of references."""
        self.steps = np.array([column.step for column in self.columns])
        self.dtypes = [np.dtype(field.component.specs[field.name].ctype) for field in public]
        """By column: the numpy type it has in a world."""
        self.codes = np.array([code_of(field) for field in public], np.uint8)
        """By column: what the kernel calls that type."""
        self.rated = tuple(column for column in self.columns if column.rate >= 0)
        self.kinds: list[Kind] = []
        """Those met so far, by number; each side has its own numbers."""
        self._by_mask: dict[int, Kind] = {}
        self.has: Bools = np.zeros((len(self.columns), 0), np.bool_)
        """Which columns each kind has, shape (columns, kinds)."""
        self._widths: Ints = np.zeros(0, np.int64)  # by kind: how many columns it has
        self.going: Ints = np.array([(column.number, column.rate) for column in self.rated], np.int64).reshape(-1, 2)
        """Which columns go by which others."""
        self.factors = np.array([column.factor for column in self.rated], np.float64)
        self.nothing = Shape(self, _NOTHING, np.zeros(0, np.uint64), _NOTHING, _NOTHING, _NOTHING, _NOTHING)
        """The shape of a world without entities."""

    def _column(self, number: int, field: Field, numbers: dict[Any, int]) -> Column:
        by = RATES.get(field.column)
        if by is None or by not in numbers:
            return Column(number, field, -1, 0.0)
        step = self.declared.components[Velocity].fields
        of = next(each for each in step if each.column is by)
        return Column(number, field, numbers[by], of.step / field.step / self.rate)

    def kind(self, mask: int) -> Kind:
        """The kind of entities with these components."""
        kind = self._by_mask.get(mask)
        if kind is None:
            components = tuple(each for bit, each in enumerate(self.components) if mask >> bit & 1)
            columns = tuple(c.number for c in self.columns if c.field.component in components)
            private = [self.declared.components[c] for c in components]
            fields = tuple(f for each in private if each.audience is Audience.OWNER for f in each.fields)
            kind = self._by_mask[mask] = Kind(len(self.kinds), mask, components, columns, fields)
            self.kinds.append(kind)
            has = np.zeros((len(self.columns), 1), np.bool_)
            has[list(columns)] = True
            self.has = np.concatenate((self.has, has), axis=1)
            self._widths = np.append(self._widths, len(columns))
        return kind

    def by_number(self, number: int) -> Kind:
        """The kind of that number."""
        return self.kinds[number]

    def mask(self, components: Any) -> int:
        """The bits of those components that are declared."""
        return sum(1 << bit for bit, each in enumerate(self.components) if each in components)

    def columns_of(self, kinds: Ints) -> Bools:
        """Which columns entities of these kinds have, shape (columns, entities)."""
        return self.has[:, kinds]

    def size(self, kinds: Ints) -> int:
        """How many columns entities of these kinds have together."""
        return int(self._widths[kinds].sum())

    def kinds_with(self, component: type[Component]) -> Bools:
        """Which of the kinds, by number, have a component."""
        return np.array([component in kind.components for kind in self.kinds], np.bool_)


def is_float(field: Field) -> bool:
    """Whether a field is measured, not counted."""
    return field.component.specs[field.name].ctype in FLOATS


def code_of(field: Field) -> int:
    """What the kernel calls the type of a field."""
    return CODES[np.dtype(field.component.specs[field.name].ctype).str[1:]]


def wraps(field: Field) -> bool:
    """Whether a field's values reach over those of int64, and are kept modulo 2**64."""
    return field.component.specs[field.name].ctype is ctypes.c_uint64


class Shape:
    """Which entities there are and which cells are theirs. Not to be changed once made.

    All arrays over entities are in the order of slots. `serials` tell entities apart that had the same slot one after
    the other, or the same entity before and after its components changed; each side has its own.
    """

    __slots__ = (
        "_links",
        "_names",
        "_places",
        "births",
        "by_slot",
        "columns",
        "counts",
        "entities",
        "factors",
        "ids",
        "keys",
        "kinds",
        "layout",
        "number",
        "prefabs",
        "rated",
        "rates",
        "serials",
        "size",
        "slots",
        "starts",
    )

    def __init__(
        self, layout: Layout, slots: Ints, ids: Ids, kinds: Ints, prefabs: Ints, births: Ints, serials: Ints
    ) -> None:
        self.layout = layout
        self.slots = slots
        self.ids = ids
        self.kinds = kinds
        self.prefabs = prefabs
        self.births = births
        """The tick at which each was first there."""
        self.serials = serials
        self.columns: Ints
        """By cell: its column,"""
        self.entities: Ints
        """and the place of its entity in the arrays over entities."""
        self.keys: Ints
        """By cell, ascending: its column and slot."""
        self.size: int
        self.counts: Ints
        """How many cells a column has."""
        self.starts: list[int]
        """The first cell of each column, and the end of the last."""
        self.rated: Ints
        """Which cells go by rates,"""
        self.rates: Ints
        """the cells of these rates,"""
        self.factors: Floats
        """and by what a tick, as `Column.factor`."""
        if COMPILED:
            self._arrange_compiled()
        else:
            self._arrange()
        self.by_slot: Ids = np.zeros(int(slots[-1]) + 2 if len(slots) else 1, np.uint64)
        """The id at slot + 1, so that a reference to nobody, which is 0, finds the id 0."""
        self.by_slot[slots + 1] = ids
        self.number = next(_NUMBERS)
        self._links: dict[int, Link] = {}  # by number: holding shapes would keep all that ever were
        self._names: frozenset[int] | None = None
        self._places: dict[int, int] | None = None

    def _arrange(self) -> None:
        """Find which cells there are."""
        layout = self.layout
        self.columns, self.entities = layout.columns_of(self.kinds).nonzero()
        self.keys = self.columns * MOST_SLOTS + self.slots[self.entities]
        self.size = len(self.columns)
        self.counts = np.bincount(self.columns, minlength=len(layout.columns))
        self.starts = [0, *self.counts.cumsum().tolist()]
        rated, rates, factors = [_NOTHING], [_NOTHING], [np.zeros(0)]
        for column in layout.rated:
            low, high = self.starts[column.number], self.starts[column.number + 1]
            cells, found = self.find(self.keys[low:high] + (column.rate - column.number) * MOST_SLOTS)
            rated.append(found.nonzero()[0] + low)
            rates.append(cells[found])
            factors.append(np.full(len(rates[-1]), column.factor))
        self.rated, self.rates, self.factors = np.concatenate(rated), np.concatenate(rates), np.concatenate(factors)

    def _arrange_compiled(self) -> None:
        """As `_arrange`."""
        layout, kinds = self.layout, self.kinds
        self.size = size = layout.size(kinds)
        self.counts = np.empty(len(layout.columns), np.int64)
        self.columns, self.entities, self.keys = np.empty((3, size), np.int64)
        most = len(layout.rated) * len(kinds)
        rated, rates = np.empty((2, most), np.int64)
        factors = np.empty(most)
        going = kernel.arrange(
            layout.has,
            kinds,
            self.slots,
            layout.going,
            layout.factors,
            self.columns,
            self.entities,
            self.keys,
            self.counts,
            rated,
            rates,
            factors,
        )
        self.rated, self.rates, self.factors = rated[:going], rates[:going], factors[:going]
        self.starts = [0, *accumulate(self.counts.tolist())]

    def find(self, keys: Ints) -> tuple[Ints, Bools]:
        """The cells with these keys, and which there are; of the others the cell means nothing."""
        if not self.size:
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
        cells = np.minimum(self.keys.searchsorted(keys), self.size - 1)
        return cells, self.keys[cells] == keys

    def part(self, chosen: Bools) -> Shape:
        """The shape of some of the entities."""
        return Shape(
            self.layout,
            self.slots[chosen],
            self.ids[chosen],
            self.kinds[chosen],
            self.prefabs[chosen],
            self.births[chosen],
            self.serials[chosen],
        )

    @property
    def names(self) -> frozenset[int]:
        """The numbers of all prefabs in use."""
        if self._names is None:
            self._names = frozenset(self.prefabs.tolist())
        return self._names

    @property
    def places(self) -> dict[int, int]:
        """The place in the arrays over entities, by id."""
        if self._places is None:
            self._places = dict(zip(self.ids.tolist(), range(len(self.ids)), strict=True))
        return self._places

    def link(self, before: Shape) -> Link:
        """What became of the cells of an earlier shape."""
        link = self._links.get(before.number)
        if link is None:
            if len(self._links) >= MOST_LINKS:
                self._links.clear()
            link = self._links[before.number] = Link(before, self, _same(before, self))
        return link

    def equals(self, other: Shape) -> bool:
        """Whether it has the same entities in the same slots."""
        return np.array_equal(self.serials, other.serials) and np.array_equal(self.slots, other.slots)


class Link:
    """From one shape to a later one: what stayed, what is new, what is gone."""

    __slots__ = (
        "counts",
        "entities",
        "fresh",
        "fresh_counts",
        "gone",
        "kept",
        "places",
        "size",
        "sources",
        "spawned",
        "stays",
    )

    def __init__(self, before: Shape, after: Shape, stays: Bools) -> None:
        self.stays = stays
        """By entity of the later shape: whether it was there before."""
        self.spawned: Ints
        """The places of the others."""
        self.gone: Ints
        """Slots that nobody has any more; one that another entity has now is not among them."""
        self.kept: Ints
        """The later cells that were there before,"""
        self.sources: Ints
        """and which earlier cells they are: who stays has the same columns, and all are in the order of slots."""
        self.fresh: Ints
        """The later cells that are new."""
        self.places: Ints
        """By kept cell: the place of its entity among those that stay."""
        self.fresh_counts: Ints
        """By column: how many cells are new."""
        self.size = after.size
        if COMPILED:
            self._line_up_compiled(before, after)
        else:
            self._line_up(before, after)
        self.entities = len(stays) - len(self.spawned)
        """How many entities stay."""
        self.counts = after.counts - self.fresh_counts

    def _line_up(self, before: Shape, after: Shape) -> None:
        stays = self.stays
        self.spawned = (~stays).nonzero()[0]
        stayed = np.zeros(len(before.slots), np.bool_)
        stayed[before.slots.searchsorted(after.slots[stays])] = True
        self.gone = _lacking(before.slots[~stayed], after.slots[self.spawned])
        kept = stays[after.entities]
        self.kept = kept.nonzero()[0]
        self.sources = stayed[before.entities].nonzero()[0]
        self.fresh = (~kept).nonzero()[0]
        self.places = (stays.cumsum() - 1)[after.entities[self.kept]]
        self.fresh_counts = np.bincount(after.columns[self.fresh], minlength=len(after.counts))

    def _line_up_compiled(self, before: Shape, after: Shape) -> None:
        """As `_line_up`."""
        kept, places, fresh = np.empty((3, after.size), np.int64)
        spawned, gone = np.empty(len(after.slots), np.int64), np.empty(len(before.slots), np.int64)
        sources = np.empty(before.size, np.int64)
        self.fresh_counts = np.empty(len(after.counts), np.int64)
        born, left, holds, found = kernel.link(
            before.slots,
            before.entities,
            after.slots,
            after.entities,
            after.columns,
            self.stays,
            spawned,
            gone,
            kept,
            places,
            sources,
            fresh,
            self.fresh_counts,
        )
        self.spawned, self.gone, self.kept, self.places = spawned[:born], gone[:left], kept[:holds], places[:holds]
        self.sources, self.fresh = sources[:found], fresh[: after.size - holds]

    def carry(self, cells: Ints) -> Ints:
        """Cells of the earlier shape in the order of the later one; those of who came are zero."""
        carried = np.zeros(self.size, np.int64)
        carried[self.kept] = cells[self.sources]
        return carried


_NOTHING: Ints = np.zeros(0, np.int64)


def _lacking(slots: Ints, others: Ints) -> Ints:
    """Those of some slots that are not among others, which are in order."""
    if not len(slots) or not len(others):
        return slots
    return slots[others[np.minimum(others.searchsorted(slots), len(others) - 1)] != slots]


def _same(before: Shape, after: Shape) -> Bools:
    """By entity of the later shape: whether it was in the earlier one, the same, in the same slot."""
    if COMPILED:
        stays = np.empty(len(after.slots), np.bool_)
        kernel.staying(before.slots, before.serials, after.slots, after.serials, stays)
        return stays
    if not len(before.slots):
        return np.zeros(len(after.slots), np.bool_)
    places = np.minimum(before.slots.searchsorted(after.slots), len(before.slots) - 1)
    return (before.slots[places] == after.slots) & (before.serials[places] == after.serials)
