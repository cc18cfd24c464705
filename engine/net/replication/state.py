"""The replicated state at a tick: a shape and its cells."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.compiled import has
from engine.ecs import Component
from engine.net.replication.layout import MOST_SLOTS, Bools, Ids, Ints, Layout, Shape, is_float
from engine.net.replication.prefabs import Prefab
from engine.net.wire.declaration import Audience, Field
from engine.net.wire.errors import SchemaError
from engine.net.wire.system import Checked

if TYPE_CHECKING or has("engine.net.replication.kernel"):
    from engine.net.replication import kernel

COMPILED = has("engine.net.replication.kernel")
"""Whether the kernel does what is written here in numpy, too."""

SUM_BYTES = 4


class State:
    """Everything replicated at one tick, as everyone or one client is told of it. Not to be changed once made."""

    __slots__ = ("cells", "partial", "parts", "private", "shape", "shown", "tick")

    def __init__(
        self,
        tick: int,
        shape: Shape,
        cells: Ints,
        private: dict[int, tuple[int, ...]],
        parts: Mapping[int, Prefab],
        *,
        partial: bool = False,
    ) -> None:
        self.tick = tick
        self.shape = shape
        self.cells = cells
        """Whole numbers of steps; what belongs where is told by the shape. Both sides have the same."""
        self.shown = cells
        """The cells with the best a client knows of what this snapshot did not tell of."""
        self.private = private
        """By id: the numbers of `Kind.private` of entities that the client owns."""
        self.parts = parts
        """Prefabs by number."""
        self.partial = partial
        """Whether some entities were left out for want of room, and just go on."""

    @property
    def layout(self) -> Layout:
        return self.shape.layout

    @property
    def ids(self) -> Ids:
        """The ids of all entities, in the order of their slots. Not to be changed."""
        return self.shape.ids

    @property
    def births(self) -> Ints:
        """By entity, as `ids`: the tick at which it was first there."""
        return self.shape.births

    def birth(self, id: int) -> int:
        """The tick at which an entity was first there. Raises `KeyError` if it is not in this state."""
        return int(self.shape.births[self.shape.places[id]])

    def __contains__(self, id: int) -> bool:
        """Whether an entity is in this state."""
        return id in self.shape.places

    def has(self, component: type[Component]) -> Bools:
        """By entity, as `ids`: whether it has a component, and this client is told of it."""
        shape = self.shape
        declared = self.layout.declared.components.get(component)
        if declared is None:
            raise SchemaError(f"{component.__name__} is not replicated; declare it with .component()")
        if not len(shape.kinds):
            return np.zeros(0, np.bool_)
        mask = self.layout.kinds_with(component)[shape.kinds]
        if declared.audience is Audience.OWNER:
            mask &= np.array([id in self.private for id in shape.ids.tolist()], np.bool_)
        return mask

    def column(self, key: Any) -> tuple[Ids, NDArray[Any]]:
        """The ids of those that have a column, and its values: in the column's unit, references as ids.

        Raises `SchemaError` if it is not replicated.
        """
        number = self.layout.numbers.get(key)
        if number is None:
            return self._private(key)
        shape = self.shape
        low, high = shape.starts[number], shape.starts[number + 1]
        return shape.ids[shape.entities[low:high]], self.values(number)

    def values(self, number: int) -> NDArray[Any]:
        """The values of the column of that number, in the order of the slots of those that have it."""
        shape, layout = self.shape, self.layout
        cells = self.shown[shape.starts[number] : shape.starts[number + 1]]
        if number < layout.floats:
            return cells * layout.columns[number].step
        if number >= layout.refs:
            return referred(shape, cells)
        return cells.astype(layout.dtypes[number])

    def components(self, id: int) -> list[Component]:
        """The components of an entity, made afresh. Raises `KeyError` if it is not in this state."""
        shape, layout = self.shape, self.layout
        place = shape.places[id]
        prefab = self.parts[int(shape.prefabs[place])]
        made = {kind: part.copy() for kind, part in prefab.parts.items()}
        numbers = prefab.kind.columns
        cells, _ = shape.find(np.array(numbers, np.int64) * MOST_SLOTS + shape.slots[place])
        for number, cell in zip(numbers, self.shown[cells].tolist(), strict=True):
            field = layout.columns[number].field
            if number >= layout.refs:
                cell = int(shape.by_slot[cell]) if 0 <= cell < len(shape.by_slot) else 0
            setattr(made[field.component], field.name, cell * field.step if number < layout.floats else cell)
        told = self.private.get(id, ())
        for field, cell in zip(prefab.kind.private, told, strict=False):
            setattr(made[field.component], field.name, plain(field, cell, shape))
        if not told:
            for kind in prefab.kind.components:
                if layout.declared.components[kind].audience is Audience.OWNER:
                    del made[kind]
        return list(made.values())

    def _private(self, key: Any) -> tuple[Ids, NDArray[Any]]:
        wanted = self.layout.private.get(key)
        if wanted is None:
            raise SchemaError(f"{key!r} is not replicated; declare its component with .component()")
        ids: list[int] = []
        cells: list[int] = []
        for id, told in self.private.items():
            kind = self.layout.kinds[int(self.shape.kinds[self.shape.places[id]])]
            if wanted in kind.private:
                ids.append(id)
                cells.append(told[kind.private.index(wanted)])
        found = np.array(cells, np.int64)
        if wanted.is_ref:
            return np.array(ids, np.uint64), referred(self.shape, found)
        return np.array(ids, np.uint64), found * wanted.step if is_float(wanted) else found.astype(dtype_of(wanted))

    def sums(self) -> list[int]:
        """One sum a declared component: who has it, and all its numbers that everyone is told."""
        layout, shape = self.layout, self.shape
        sums: list[int] = []
        for component in layout.components:
            have = shape.slots[layout.kinds_with(component)[shape.kinds]] if len(shape.kinds) else shape.slots
            sums.append(zlib.crc32(have.astype("<i8").tobytes()))
        of = {component: place for place, component in enumerate(layout.components)}
        for column in layout.columns:
            low, high = shape.starts[column.number], shape.starts[column.number + 1]
            place = of[column.field.component]
            sums[place] = zlib.crc32(self.cells[low:high].astype("<i8").tobytes(), sums[place])
        return sums

    def checked(self) -> Checked:
        """The sums, for the other side to compare with its own."""
        return Checked(self.tick, b"".join(each.to_bytes(SUM_BYTES, "little") for each in self.sums()))

    def check(self, checked: Checked) -> str | None:
        """The first component that differs from what the server has, by name; None if none does.

        Raises `ValueError` for the sums of another tick.
        """
        if checked.tick != self.tick:
            raise ValueError(f"these are the sums of tick {checked.tick}, not of {self.tick}")
        ours = self.checked().payload
        if len(checked.payload) != len(ours):
            return "the declarations"
        for place, component in enumerate(self.layout.components):
            part = slice(place * SUM_BYTES, (place + 1) * SUM_BYTES)
            if checked.payload[part] != ours[part]:
                return component.__name__
        return None


def predicted(shape: Shape, cells: Ints, ticks: int, later: Ints | None = None) -> Ints:
    """The cells that many ticks later, if everything goes on by its rates. Exact, hence the same on both sides.

    Where the rates are known that things have by then, from the `later` cells, they go by the mean of both.
    """
    if not ticks or not len(shape.rated):
        return cells
    if COMPILED:
        found = np.empty(len(cells), np.int64)
        going = shape.rated, shape.rates, shape.factors
        kernel.predict(cells, cells if later is None else later, *going, ticks / 2, found)
        return found
    rates = cells[shape.rates] + (cells if later is None else later)[shape.rates]
    cells = cells.copy()
    cells[shape.rated] += np.rint(rates * (shape.factors * (ticks / 2))).astype(np.int64)
    return cells


def referred(shape: Shape, cells: Ints) -> Ids:
    """The ids that reference cells mean; 0 for nobody, and for whom this client does not know."""
    valid = (cells >= 0) & (cells < len(shape.by_slot))
    return shape.by_slot[np.where(valid, cells, 0)]


def plain(field: Field, cell: int, shape: Shape) -> Any:
    """The value of one cell."""
    if field.is_ref:
        return int(shape.by_slot[cell]) if 0 <= cell < len(shape.by_slot) else 0
    return cell * field.step if is_float(field) else cell


def dtype_of(field: Field) -> Any:
    """The numpy type of a field's column."""
    return np.dtype(field.component.specs[field.name].ctype)


def nothing(layout: Layout) -> State:
    """The state before anything is known."""
    return State(0, layout.nothing, np.zeros(0, np.int64), {}, {})
