"""The structure of a world: which entities there are, of which components. Every change here is made at once.

`World` stands on this and adds handles, queries, and the deferral of changes to the end of a stage. In what follows
an id is an entity's 64-bit id; nothing here may depend on who listens, or a run with listeners would differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.ma  # pyright: ignore[reportUnusedImport] - np.isin would load it when first called, within a tick
from numpy.typing import NDArray

from engine.ecs.component import Component, ComponentType
from engine.ecs.entity import INDEX, LOCAL, Entity
from engine.ecs.errors import EcsError, StaleEntityError
from engine.ecs.lifecycle import Added, Despawned, Outlet, Removed, Silence, Spawned
from engine.ecs.plan import Plan
from engine.ecs.pool import Pool
from engine.ecs.relation import ChildOf
from engine.ecs.slots import Slots, indices_of
from engine.ecs.table import Table

Types = tuple[type[Component], ...]


@dataclass(slots=True, frozen=True)
class Match:
    """The tables that have the shared components a query asks for, and none that it excludes."""

    tables: list[Table]
    needed: Types
    without: Types
    is_whole: bool
    """Whether all their rows are found; not if the query goes by local components, which single rows may have."""

    def rows_of(self, table: Table) -> NDArray[np.intp] | bool | None:
        """Which rows of one of the tables are found, as `Table.matching` says."""
        return (table.count > 0 or None) if self.is_whole else table.matching(self.needed, self.without)


class Structure:
    """Entities in tables, their links, and what is told about them."""

    def __init__(self, outlet: Outlet | None) -> None:
        self.outlet: Outlet = Silence() if outlet is None else outlet
        self._tables: list[Table] = []
        self._by_archetype: dict[tuple[frozenset[type[Component]], bool], Table] = {}
        self._matches: dict[tuple[tuple[Any, ...], Types, Types], Match] = {}
        """The tables a query goes through, by its arguments."""
        self.layout = 0
        """Changes whenever tables come, go or change places."""
        self._plans: dict[tuple[type, ...], Plan] = {}
        self._local_plans: dict[tuple[type, ...], Plan] = {}
        self._shared = Slots(0)
        self._local = Slots(LOCAL)
        self._pending: dict[int, dict[type, Component]] = {}
        self._children: dict[int, list[int]] = {}
        self._heard = -1
        self._hears_spawned = False
        self._hears_despawned = False

    # Where an entity is

    def _is_current(self, id: int) -> bool:
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        if index >= slots.used or slots.generation[index] != id >> 32:
            return False
        return slots.table[index] >= 0 or id in self._pending

    def _stale(self, id: int) -> StaleEntityError:
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        if index >= slots.used:
            now = "does not exist in this world"
        else:
            now = f"is gone (its index is now at generation {slots.generation[index]})"
        return StaleEntityError(f"{self._handle(id)} {now}; check entity.alive first, or drop the handle on Despawned")

    def _handle(self, id: int) -> Entity:
        return Entity(cast(Any, self), id)

    # Tables and plans

    def _table(self, components: Types, local: bool) -> Table:
        key = frozenset(components), local
        table = self._by_archetype.get(key)
        if table is None:
            # By name, so that the order does not depend on the way by which an entity came to these components.
            order = sorted(components, key=lambda kind: (kind.__module__, kind.__qualname__))
            table = Table(len(self._tables), tuple(order), local=local)
            self._by_archetype[key] = table
            self._tables.append(table)
            self._laid_out()
        return table

    def _laid_out(self) -> None:
        """There are other tables than before, or in another order."""
        self.layout += 1
        self._matches.clear()
        self._heard = -1

    def _match(self, wanted: tuple[Any, ...], having: Types, without: Types) -> Match:
        """What a query goes through; looked for once, as queries are made again every tick."""
        key = wanted, tuple(having), tuple(without)
        found = self._matches.get(key)
        if found is None:
            needed: Types = (*(kind for kind in wanted if kind is not Entity), *key[1])
            shared = {kind for kind in needed if not kind.local}
            excluded = {kind for kind in without if not kind.local}
            tables = [t for t in self._tables if shared.issubset(t.components) and excluded.isdisjoint(t.components)]
            is_whole = not any(kind.local for kind in (*needed, *without))
            found = self._matches[key] = Match(tables, needed, key[2], is_whole)
        return found

    def _plan(self, components: tuple[Component, ...], local: bool) -> Plan:
        types: tuple[type[Component], ...] = tuple(map(type, components))
        plans = self._local_plans if local else self._plans
        plan = plans.get(types)
        if plan is None:
            self._check_types(components)
            table = self._table(tuple(kind for kind in types if not kind.local), local)
            plan = plans[types] = Plan(table, self._local if local else self._shared, types)
            self._heard = -1
        return plan

    def _check_types(self, components: tuple[Component, ...]) -> None:
        types: list[Any] = []
        for component in components:
            value: Any = component
            kind = cast(Any, type(component))
            if isinstance(value, ComponentType):  # a stale row raises here
                raise EcsError(f"a component is given as an instance: write {value.__name__}(), not {value.__name__}")
            if not isinstance(kind, ComponentType) or kind is Component:
                raise EcsError(f"{value!r} is no component; derive its class from Component")
            if kind in types:
                raise EcsError(f"an entity has one component of a type, but two {kind.__name__} were given")
            types.append(kind)

    # Entities come

    def _place(self, id: int, components: tuple[Component, ...], plan: Plan) -> None:
        plan.place(id, *components)
        if plan.tells or plan.links is not None or self.outlet.version != self._heard:
            self._tell_and_link(id, components, plan)

    def _tell_and_link(self, id: int, components: tuple[Component, ...], plan: Plan) -> None:
        if self.outlet.version != self._heard:
            self._hear()
        if plan.tells:
            self._tell_spawned(id, plan)
        if plan.links is not None:
            self._link(id, plan.parent(components))

    def _place_pending(self, id: int) -> None:
        components = tuple(self._pending.pop(id).values())
        self._place(id, components, self._plan(components, bool(id & LOCAL)))
        for component in components:
            stale = type(component).stale
            if stale is not None:
                component.__class__ = stale  # a row handed out while the entity was pending is no longer its row

    def _place_many(
        self, count: int, components: tuple[Component, ...], plan: Plan
    ) -> tuple[NDArray[np.uint64], slice]:
        table = plan.table
        ids = plan.slots.take_many(count)
        rows = table.append_many(ids)
        plan.slots.settle(ids, table.place, rows)
        for pool, component in zip(plan.pools, components, strict=True):
            pool.put_many(rows, component)
        return ids, rows

    # Entities go

    def _remove_entity(self, id: int) -> None:
        if not self._is_current(id):
            return
        family = self._with_descendants([id])
        for member in family:
            self._children.pop(member, None)
        for member in family:
            self._remove_alone(member, self._local if member & LOCAL else self._shared, member & INDEX)

    def _with_descendants(self, ids: list[int]) -> list[int]:
        """These ids and all below them, children before their parents."""
        found: list[int] = []
        stack = ids[::-1]
        while stack:
            id = stack.pop()
            found.append(id)
            stack.extend(self._children.get(id, ()))
        return found[::-1]

    def _remove_alone(self, id: int, slots: Slots, index: int) -> None:
        row = slots.row[index]
        table = self._tables[slots.table[index]]
        if self.outlet.version != self._heard:
            self._hear()
        if table.tells_removal:
            self._tell_removal(id, table, row)
        if ChildOf in table.pools:
            self._unlink(id, table.pools[ChildOf].row(row).parent)
        moved = table.remove(row)
        if moved:
            slots.row[moved & INDEX] = row
        slots.release(index)

    def _remove_many(self, ids: NDArray[np.uint64]) -> None:
        """Remove many at once, with all below them; ids that are gone are passed over. Rows left keep their order."""
        if self.outlet.version != self._heard:
            self._hear()
        if self._children and np.isin(ids, np.fromiter(self._children, np.uint64)).any():
            alive = [id for id in ids.tolist() if self._is_current(id)]
            family = self._with_descendants(alive)
            for member in family:
                self._children.pop(member, None)
            ids = np.array(family, np.uint64)
        self._remove_set(self._shared, ids[(ids & np.uint64(LOCAL)) == 0])
        self._remove_set(self._local, ids[(ids & np.uint64(LOCAL)) != 0])

    def _remove_set(self, slots: Slots, ids: NDArray[np.uint64]) -> None:
        indices = slots.current(ids)
        places = slots.tables[indices]
        for place in np.flatnonzero(np.bincount(places)).tolist() if len(places) else ():
            table = self._tables[place]
            stays = np.ones(table.count, np.bool_)
            gone = slots.rows[indices[places == place]]
            stays[gone] = False
            if table.tells_removal or ChildOf in table.pools:
                for row in np.flatnonzero(~stays).tolist():
                    id = table.id_view[row]
                    if table.tells_removal:
                        self._tell_removal(id, table, row)
                    if ChildOf in table.pools:
                        self._unlink(id, table.pools[ChildOf].row(row).parent)
            table.keep(np.flatnonzero(stays))
            slots.rows[indices_of(table.ids[: table.count])] = np.arange(table.count)
        slots.release_many(indices)

    # Components come and go

    def _add_now(self, id: int, component: Component) -> None:
        if not self._is_current(id):
            return
        kind = type(component)
        slots = self._local if id & LOCAL else self._shared
        table = self._tables[slots.table[id & INDEX]]
        row = slots.row[id & INDEX]
        pool = table.pools.get(kind)
        had = pool is not None and (pool.present is None or bool(pool.present[row]))
        if pool is None:
            if kind.local:
                pool = table.local_pool(kind)
                self._heard = -1
            else:
                table, row = self._migrate(id, self._table((*table.components, kind), bool(id & LOCAL)))
                pool = table.pools[kind]
        if had and kind is ChildOf:
            self._unlink(id, pool.row(row).parent)
        pool.put(row, component)
        if not had:
            self._tell_added(id, kind)
        if kind is ChildOf:
            self._link(id, cast(ChildOf, component).parent)

    def _remove_now(self, id: int, kind: type[Component]) -> None:
        if not self._is_current(id):
            return
        slots = self._local if id & LOCAL else self._shared
        table = self._tables[slots.table[id & INDEX]]
        row = slots.row[id & INDEX]
        pool = table.pools.get(kind)
        if pool is None or (pool.present is not None and not pool.present[row]):
            return
        if kind is ChildOf:
            self._unlink(id, pool.row(row).parent)
        self._tell_removed(id, kind, pool, row)
        if pool.present is not None:
            pool.clear(row)
        else:
            remaining = tuple(component for component in table.components if component is not kind)
            self._migrate(id, self._table(remaining, bool(id & LOCAL)))

    def _migrate(self, id: int, target: Table) -> tuple[Table, int]:
        """Move an entity to another table, with all the components that both have, and its local ones."""
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        source = self._tables[slots.table[index]]
        row = slots.row[index]
        new_row = target.append(id)
        for kind, pool in source.pools.items():
            if pool.present is None:
                if kind in target.pools:
                    target.pools[kind].take(new_row, pool, row)
            elif pool.present[row]:
                if kind not in target.pools:
                    self._heard = -1
                target.local_pool(kind).take(new_row, pool, row)
        moved = source.remove(row)
        if moved:
            slots.row[moved & INDEX] = row
        slots.table[index] = target.place
        slots.row[index] = new_row
        return target, new_row

    # Parents and children. `_children` mirrors the ChildOf column the other way round, in order of attachment.

    def _link(self, child: int, parent: int) -> None:
        if parent and not self._is_current(parent):
            self._remove_entity(child)  # the parent went earlier in the same stage, and a child goes with its parent
        elif parent:
            self._children.setdefault(parent, []).append(child)

    def _unlink(self, child: int, parent: int) -> None:
        siblings = self._children.get(parent)
        if siblings and child in siblings:
            siblings.remove(child)
            if not siblings:
                del self._children[parent]

    # What is told

    def _hear(self) -> None:
        """Ask the outlet anew what it wants to be told."""
        outlet = self.outlet
        added: Any = Added
        removed: Any = Removed
        self._heard = outlet.version
        self._hears_spawned = outlet.listens(Spawned)
        self._hears_despawned = outlet.listens(Despawned)
        for plan in (*self._plans.values(), *self._local_plans.values()):
            plan.added = tuple(added[kind] for kind in plan.types if outlet.listens(added[kind]))
            plan.tells = self._hears_spawned or bool(plan.added)
        for table in self._tables:
            table.tells_removal = self._hears_despawned or any(outlet.listens(removed[kind]) for kind in table.pools)

    def _tell_spawned(self, id: int, plan: Plan) -> None:
        entity = self._handle(id)
        if self._hears_spawned:
            self.outlet.post(Spawned(entity))
        for key in plan.added:
            self.outlet.post_as(key, Added[Any](entity))

    def _tell_added(self, id: int, kind: type[Component]) -> None:
        added: Any = Added
        if self.outlet.listens(added[kind]):
            self.outlet.post_as(added[kind], Added[Any](self._handle(id)))

    def _tell_removed(self, id: int, kind: type[Component], pool: Pool, row: int) -> None:
        removed: Any = Removed
        if self.outlet.listens(removed[kind]):
            self.outlet.post_as(removed[kind], Removed[Any](self._handle(id), pool.row(row).copy()))

    def _tell_removal(self, id: int, table: Table, row: int) -> None:
        for kind, pool in table.pools.items():
            if pool.present is None or pool.present[row]:
                self._tell_removed(id, kind, pool, row)
        if self._hears_despawned:
            self.outlet.post(Despawned(self._handle(id)))
