"""Whole columns of the rows a query found in one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.ecs.column import Column, ObjectColumn
from engine.ecs.component import Component
from engine.ecs.entity import Entity
from engine.ecs.errors import MissingComponentError
from engine.ecs.table import Table

V = TypeVar("V")
D = TypeVar("D", bound=np.generic)


class Rows:
    """The rows of one table that match a query; `rows[Trail.life] -= dt` works on all of them at once.

    Where all rows of the table match, columns are views and cost nothing; where some do (a local component that
    only some rows have), they are gathered, and assignment scatters them back.
    """

    __slots__ = ("_chosen", "_given", "_table", "_world")

    def __init__(self, world: Any, table: Table, chosen: NDArray[np.intp] | None) -> None:
        self._world = world
        self._table = table
        self._chosen: Any = slice(0, table.count) if chosen is None else chosen
        self._given: dict[Any, Any] = {}

    def __len__(self) -> int:
        return self._table.count if isinstance(self._chosen, slice) else len(self._chosen)

    @overload
    def __getitem__(self, column: Column[V, D]) -> NDArray[D]: ...
    @overload
    def __getitem__(self, column: ObjectColumn[V]) -> list[V]: ...
    def __getitem__(self, column: Any) -> Any:
        """The column as an array of shape (rows,), or as a list if it is an object column.

        Raises `MissingComponentError` if the column's component is not in this table.
        """
        full = self._table.columns.get(column)
        if full is None:
            return self._objects(column)
        given = full[self._chosen]
        self._given[column] = given
        return given

    def __setitem__(self, column: Column[V, D], value: ArrayLike) -> None:
        full = self._table.columns.get(column)
        if full is None:
            raise self._missing(column)
        if isinstance(self._chosen, slice) and value is self._given.get(column):
            return  # `rows[c] += v` has already changed the view in place
        full[self._chosen] = value

    def _objects(self, column: Any) -> list[Any]:
        for component, pool in self._table.pools.items():
            if pool.cells is not None and any(vars(component).get(name) is column for name in component.objects):
                cells = pool.cells
                place = column.place
                return [cells[row][place] for row in self.indices.tolist()]
        raise self._missing(column)

    def _missing(self, column: Any) -> MissingComponentError:
        owner = next(
            (c for c in Component.__subclasses__() if any(vars(c).get(name) is column for name in c.specs)), None
        )
        name = f"a column of {owner.__name__}" if owner else f"{column!r}"
        have = ", ".join(sorted(c.__name__ for c in self._table.pools))
        cure = f"; add {owner.__name__} to the query" if owner else "; use Component.field as key"
        return MissingComponentError(f"these rows have no {name}, only columns of {have}{cure}")

    @property
    def indices(self) -> NDArray[np.intp]:
        """The rows' places in their table."""
        return np.arange(self._table.count) if isinstance(self._chosen, slice) else self._chosen

    @property
    def ids(self) -> NDArray[np.uint64]:
        """The entities' ids, shape (rows,)."""
        return self._table.ids[: self._table.count][self._chosen]

    @property
    def entities(self) -> list[Entity]:
        """The entities' handles."""
        world = self._world
        return [Entity(world, id) for id in self.ids.tolist()]

    def __iter__(self) -> Iterator[Entity]:
        return iter(self.entities)
