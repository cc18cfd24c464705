"""Whole columns of the rows a query found in one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.ecs.column import Column, ObjectColumn
from engine.ecs.component import Component, ComponentType
from engine.ecs.entity import Entity
from engine.ecs.errors import ComponentError, MissingComponentError
from engine.ecs.table import Table

if TYPE_CHECKING:
    from engine.ecs.world import World

V = TypeVar("V")
D = TypeVar("D", bound=np.generic)


class Rows:
    """The rows of one table that match a query; `rows[Trail.life] -= dt` works on all of them at once.

    Where all rows of the table match, columns are views and cost nothing; where some do (a local component that
    only some rows have), they are gathered, and assignment scatters them back. Like a row, it is good until
    entities next come or go.
    """

    __slots__ = ("_chosen", "_count", "_given", "_table", "_world")

    def __init__(self, world: World, table: Table, chosen: NDArray[np.intp] | bool) -> None:
        self._world = world
        self._table = table
        self._chosen: Any = slice(0, table.count) if isinstance(chosen, bool) else chosen
        self._count = table.count if isinstance(chosen, bool) else len(chosen)
        self._given: dict[Any, Any] = {}

    def __len__(self) -> int:
        """How many rows there are."""
        return self._count

    @overload
    def __getitem__(self, key: Column[V, D]) -> NDArray[D]: ...
    @overload
    def __getitem__(self, key: ObjectColumn[V]) -> list[V]: ...
    @overload
    def __getitem__(self, key: type[Component]) -> NDArray[Any]: ...
    def __getitem__(self, key: Any) -> Any:
        """The column as an array of shape (rows,), or as a list if it is an object column.

        For a component whose fields are all of one numeric type, the component itself is a key too: it gives a
        matrix of shape (rows, fields), so that `rows[Position] += rows[Velocity] * dt` moves all axes at once, and
        twice as fast as one after the other.

        Raises `MissingComponentError` if the component is not in this table, `ComponentError` if the fields of a
        component given as key are of several types.
        """
        full = self._table.columns.get(key)
        if full is None:
            if (pool := self._table.object_pools.get(key)) is not None and pool.cells is not None:
                cells, place = pool.cells, key.place
                return [cells[row][place] for row in self.indices.tolist()]
            raise self._wrong_key(key)
        given = full[self._chosen]
        self._given[key] = given
        return given

    @overload
    def __setitem__(self, key: Column[V, D], value: ArrayLike) -> None: ...
    @overload
    def __setitem__(self, key: ObjectColumn[V], value: Sequence[V]) -> None: ...
    @overload
    def __setitem__(self, key: type[Component], value: ArrayLike) -> None: ...
    def __setitem__(self, key: Any, value: Any) -> None:
        """Assign a column: one number for all rows or an array of shape (rows,); a sequence for an object column."""
        full = self._table.columns.get(key)
        if full is None:
            self._set_objects(key, value)
        elif not (type(self._chosen) is slice and value is self._given.get(key)):
            full[self._chosen] = value  # else `rows[c] += v` has already changed the view in place

    def _set_objects(self, key: Any, value: Sequence[Any]) -> None:
        pool = self._table.object_pools.get(key)
        if pool is None or pool.cells is None:
            raise self._wrong_key(key)
        if len(value) != self._count:
            raise ValueError(f"{key!r} got {len(value)} values for {self._count} rows")
        for row, item in zip(self.indices.tolist(), value, strict=True):
            pool.cells[row][key.place] = item

    def _wrong_key(self, key: Any) -> Exception:
        pools: dict[Any, Any] = self._table.pools
        have = ", ".join(sorted(component.__name__ for component in pools)) or "no component"
        if isinstance(key, ComponentType):
            if key in pools:
                return ComponentError(
                    f"{key} makes no matrix, its fields being not all of one numeric type; take columns"
                )
            return MissingComponentError(f"these rows have no {key}, only {have}; add {key} to the query")
        for owner in Component.__subclasses__():
            for name in owner.specs:
                if vars(owner).get(name) is key:
                    owned = f"{owner.__name__}.{name}"
                    return MissingComponentError(
                        f"these rows have no {owned}, only columns of {have}; add {owner.__name__} to the query"
                    )
        return MissingComponentError(f"{key!r} is no column; use a component's field as key, such as Hull.points")

    @property
    def indices(self) -> NDArray[np.intp]:
        """The rows' places in their table, shape (rows,)."""
        return np.arange(self._count) if type(self._chosen) is slice else self._chosen

    @property
    def revision(self) -> int:
        """A number that stays while the same entities are in the same rows of their table, and never comes again."""
        return self._table.revision

    @property
    def ids(self) -> NDArray[np.uint64]:
        """A copy of the entities' ids, shape (rows,)."""
        return self._table.ids[self._chosen].copy()

    @property
    def entities(self) -> list[Entity]:
        """The entities' handles."""
        world = self._world
        return [Entity(world, id) for id in self.ids.tolist()]

    def where(self, mask: NDArray[np.bool_]) -> list[Entity]:
        """The handles of those for which `mask`, of shape (rows,), is true: quick if they are few.

        Raises `IndexError` if `mask` has another shape.
        """
        chosen = mask.nonzero()[0]
        if not len(chosen):
            return []
        world = self._world
        return [Entity(world, id) for id in self._table.ids[self._chosen][chosen].tolist()]

    def __iter__(self) -> Iterator[Entity]:
        """The entities' handles, one after the other."""
        return iter(self.entities)
