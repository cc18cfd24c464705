"""Plans: how to place entities spawned with one sequence of component types, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.ecs.component import Component
from engine.ecs.entity import INDEX
from engine.ecs.pool import Pool
from engine.ecs.relation import ChildOf
from engine.ecs.slots import Slots
from engine.ecs.table import REVISIONS, Table


class Plan:
    """The table, its pools in the order the components are given, and the code that places one entity."""

    __slots__ = ("added", "links", "place", "pools", "slots", "table", "tells", "types")

    def __init__(self, table: Table, slots: Slots, types: tuple[type[Component], ...]) -> None:
        self.table = table
        self.slots = slots
        self.types = types
        self.pools: tuple[Pool, ...] = tuple(
            table.local_pool(kind) if kind.local else table.pools[kind] for kind in types
        )
        self.place: Callable[..., None] = _placing(table, slots, self.pools)
        """`place(id, *components)` takes the table's next row for the entity and writes its records."""
        self.links = types.index(ChildOf) if ChildOf in types else None
        """Which component tells the parent, if any does."""
        self.tells = False
        """Whether anybody wants to hear of such an entity."""
        self.added: tuple[Any, ...] = ()
        """The `Added` keys that are listened to."""

    def parent(self, components: tuple[Any, ...]) -> int:
        """The parent's id in components of these types, 0 for none."""
        return 0 if self.links is None else components[self.links].parent


def _placing(table: Table, slots: Slots, pools: tuple[Pool, ...]) -> Callable[..., None]:
    """Write the placing function out for these pools: unrolled it takes two thirds of the time of a loop over them."""
    scope: dict[str, Any] = {"table": table, "slots": slots, "revisions": REVISIONS}
    lines = [
        "row = table.count",
        "if row == table.capacity:",
        "    table.reserve(row + 1)",
        "table.count = row + 1",
        "table.revision = next(revisions)",
        "table.id_view[row] = id",
        f"index = id & {INDEX}",
        "slots.table[index] = table.place",
        "slots.row[index] = row",
    ]
    for number, pool in enumerate(pools):
        scope[f"pool{number}"] = pool
        if pool.flat:
            lines.append(f"at = row * {pool.size}")
            lines.append(f"pool{number}.view[at : at + {pool.size}] = bytes(component{number})")
        else:
            lines.append(f"pool{number}.put(row, component{number})")
    names = ", ".join(scope)
    given = "".join(f", component{number}" for number in range(len(pools)))
    body = "".join(f"        {line}\n" for line in lines)
    source = f"def bind({names}):\n    def place(id{given}):\n{body}    return place\n"
    made: dict[str, Any] = {}
    exec(compile(source, "<spawn plan>", "exec"), made)
    return made["bind"](**scope)
