"""A world: entities in tables, resources, a seeded random source, and the queries over them.

Structural changes (spawn, despawn, add, remove) are immediate outside of `deferred()` and queued inside it, so
code that iterates always sees a fixed set of entities. The loop runs every stage of a tick deferred.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Any, Protocol, TypeVar, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.ecs.component import Component, ComponentType
from engine.ecs.entity import INDEX, LOCAL, Entity
from engine.ecs.errors import EcsError, MissingComponentError, MissingResourceError, StaleEntityError
from engine.ecs.lifecycle import Added, Despawned, Outlet, Removed, Silence, Spawned
from engine.ecs.relation import ChildOf
from engine.ecs.resource import Resource
from engine.ecs.rows import Rows
from engine.ecs.slots import PENDING, Slots
from engine.ecs.table import Pool, Table, selection

A = TypeVar("A", bound="Component | Entity")
B = TypeVar("B", bound="Component | Entity")
C = TypeVar("C", bound="Component | Entity")
D = TypeVar("D", bound="Component | Entity")
E = TypeVar("E", bound="Component | Entity")
K = TypeVar("K", bound=Component)
R = TypeVar("R")

Types = tuple[type[Component], ...]


class Participant(Protocol):
    """State that belongs to a world but lives elsewhere, such as a physics space.

    `capture` may rebuild the live state so that the run that goes on and the run restored later start alike.
    """

    def capture(self) -> object: ...
    def restore(self, state: Any) -> None: ...
    def digest(self) -> int: ...


class World:
    """Everything that is simulated. `seed` starts `rng`, the only randomness simulation code may use."""

    def __init__(self, *, seed: int = 0, outlet: Outlet | None = None) -> None:
        self.rng = random.Random(seed)
        """The simulation's random source; part of the state. Cosmetics bring their own."""
        self.outlet: Outlet = outlet or Silence()
        self.post = self.outlet.post
        self.post_as = self.outlet.post_as
        self.participants: dict[str, Participant] = {}
        self._tables: list[Table] = []
        self._by_archetype: dict[tuple[frozenset[type[Component]], bool], Table] = {}
        self._plans: dict[tuple[bool, tuple[type, ...]], _Plan] = {}
        self._shared = Slots(0)
        self._local = Slots(LOCAL)
        self._resources: dict[type, object] = {}
        self._children: dict[int, list[int]] = {}
        self._depth = 0
        self._queue: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._pending: dict[int, dict[type, Component]] = {}
        self._doomed: set[int] = set()
        self._heard = -1
        self._hears_spawned = False
        self._hears_despawned = False

    # Spawning and despawning

    def spawn(self, *components: Component, local: bool = False) -> Entity:
        """A new entity with these components; inside a stage it joins queries when the stage ends.

        `local` entities belong to this machine: their ids come from a range of their own, and they are neither
        hashed nor snapshotted nor replicated. Raises `EcsError` if two components have the same type.
        """
        plan = self._plans.get((local, tuple(map(type, components)))) or self._plan(components, local)
        slots = plan.slots
        id = slots.take()
        if self._depth:
            self._pending[id] = {type(component): component for component in components}
            self._queue.append((self._spawn_pending, (id, components, plan)))
        else:
            self._place(id, components, plan)
        return Entity(self, id)

    def spawn_many(
        self, count: int, *components: Component, values: Mapping[Any, ArrayLike] | None = None
    ) -> NDArray[np.uint64]:
        """`count` entities at once, each a copy of `components`, with whole columns from `values`.

        Returns their ids, shape (count,). Immediate: raises `EcsError` inside a stage.
        """
        self._refuse_deferred("spawn_many")
        plan = self._plans.get((False, tuple(map(type, components)))) or self._plan(components, False)
        table = plan.table
        ids = plan.slots.take_many(count)
        rows = table.append_many(ids)
        indices = (ids & np.uint64(INDEX)).astype(np.intp)
        plan.slots.tables[indices] = table.place
        plan.slots.rows[indices] = np.arange(rows.start, rows.stop)
        for component in components:
            pool = table.local_pool(type(component)) if component.local else table.pools[type(component)]
            if component.columns:
                pool.records[rows] = np.frombuffer(bytearray(component), component.record)[0]
            if pool.cells is not None:
                for row in range(rows.start, rows.stop):
                    pool.put_cells(row, list(component._cells))  # type: ignore[attr-defined]
            if pool.present is not None:
                pool.present[rows] = True
        for column, value in (values or {}).items():
            full = table.columns.get(column)
            if full is None:
                raise MissingComponentError(
                    f"spawn_many got values for {column!r}, which is no numeric column of its components "
                    f"{', '.join(type(c).__name__ for c in components)}"
                )
            full[rows] = value
        self._hear()
        if self._hears_spawned or plan.added or ChildOf in table.pools:
            for id in ids.tolist():
                self._announce(id, plan)
        return ids

    def despawn(self, entity: Entity) -> None:
        """Despawn an entity and its children; inside a stage, when the stage ends. Twice in a stage is once.

        Raises `StaleEntityError` if it is already gone.
        """
        self._slots_of(entity)
        if self._depth:
            if entity.id not in self._doomed:
                self._doom(entity.id)
                self._queue.append((self._remove_entity, (entity.id,)))
        else:
            self._remove_entity(entity.id)

    def despawn_many(self, ids: NDArray[np.uint64]) -> None:
        """Despawn many entities at once; ids already gone are passed over. The rows that stay keep their order."""
        self._hear()
        if self._depth or self._hears_despawned or self._removals_heard() or self._children:
            for id in ids.tolist():
                if self._is_current(id):
                    self.despawn(Entity(self, id))
            return
        for slots, chosen in (
            (self._shared, (ids & np.uint64(LOCAL)) == 0),
            (self._local, (ids & np.uint64(LOCAL)) != 0),
        ):
            some = ids if chosen.all() else ids[chosen]
            if not len(some):
                continue
            indices = (some & np.uint64(INDEX)).astype(np.intp)
            current = slots.generations[indices] == (some >> np.uint64(32))
            current &= slots.tables[indices] != PENDING
            indices = np.unique(indices[current])
            places = slots.tables[indices]
            for place in np.unique(places).tolist():
                table = self._tables[place]
                kept = np.ones(table.count, np.bool_)
                kept[slots.rows[indices[places == place]]] = False
                table.keep(kept)
                stayed = (table.ids[: table.count] & np.uint64(INDEX)).astype(np.intp)
                slots.rows[stayed] = np.arange(table.count)
            slots.release_many(indices)

    # Components of one entity

    def row(self, entity: Entity, component: type[K]) -> K:
        """The entity's row of `component`; see `Entity.__getitem__`."""
        id = entity.id
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        if slots.generation[index] != id >> 32:
            raise self._stale(id)
        place = slots.table[index]
        if place < 0:
            if id not in self._pending:
                raise self._stale(id)
            try:
                return cast(K, self._pending[id][component])
            except KeyError:
                raise self._missing(entity, component) from None
        row = slots.row[index]
        pool = self._tables[place].pools.get(component)
        if pool is None or (pool.present is not None and not pool.present[row]):
            raise self._missing(entity, component)
        return pool.row(row)

    def has(self, entity: Entity, component: type[Component]) -> bool:
        """Whether the entity has `component`. Raises `StaleEntityError` if it is gone."""
        slots = self._slots_of(entity)
        place = slots.table[entity.id & INDEX]
        if place < 0:
            return component in self._pending[entity.id]
        pool = self._tables[place].pools.get(component)
        return pool is not None and (pool.present is None or bool(pool.present[slots.row[entity.id & INDEX]]))

    def components(self, entity: Entity) -> list[Component]:
        """All the entity's rows."""
        slots = self._slots_of(entity)
        place = slots.table[entity.id & INDEX]
        if place < 0:
            return list(self._pending[entity.id].values())
        row = slots.row[entity.id & INDEX]
        pools = self._tables[place].pools.values()
        return [pool.row(row) for pool in pools if pool.present is None or pool.present[row]]

    def add(self, entity: Entity, component: Component) -> None:
        """Add a component or overwrite the one of its type; inside a stage, when the stage ends."""
        self._slots_of(entity)
        if self._depth:
            self._queue.append((self._add_now, (entity.id, component)))
        else:
            self._add_now(entity.id, component)

    def remove(self, entity: Entity, component: type[Component]) -> None:
        """Remove a component; inside a stage, when the stage ends. Raises `MissingComponentError` if there is none."""
        if not self.has(entity, component):
            raise self._missing(entity, component)
        if self._depth:
            self._queue.append((self._remove_now, (entity.id, component)))
        else:
            self._remove_now(entity.id, component)

    # Handles

    def entity(self, id: int) -> Entity:
        """The handle of an id, e.g. from a `Ref` column. Raises `StaleEntityError` if that entity is gone."""
        if not self._is_current(id):
            raise self._stale(id)
        return Entity(self, id)

    def find(self, id: int) -> Entity | None:
        """The handle of an id, or None if that entity is gone (or the id is 0)."""
        return Entity(self, id) if self._is_current(id) else None

    def is_alive(self, entity: Entity) -> bool:
        """Whether the entity exists and has not been told to despawn."""
        return self._is_current(entity.id) and entity.id not in self._doomed

    def __len__(self) -> int:
        return sum(table.count for table in self._tables)

    def __iter__(self) -> Iterator[Entity]:
        """All entities, table by table."""
        for table in self._tables:
            for id in table.ids[: table.count].tolist():
                yield Entity(self, id)

    # Queries

    def tables(self, *components: type[Component], without: tuple[type[Component], ...] = ()) -> Iterator[Rows]:
        """The rows that have all of `components` and none of `without`, one `Rows` a table that has any."""
        for table in self._tables:
            chosen = selection(table, components, without)
            if chosen is not None:
                yield Rows(self, table, None if chosen is True else cast("NDArray[np.intp]", chosen))

    @overload
    def rows(self, a: type[A], /, *, having: Types = ..., without: Types = ...) -> Iterator[A]: ...
    @overload
    def rows(
        self, a: type[A], b: type[B], /, *, having: Types = ..., without: Types = ...
    ) -> Iterator[tuple[A, B]]: ...
    @overload
    def rows(
        self, a: type[A], b: type[B], c: type[C], /, *, having: Types = ..., without: Types = ...
    ) -> Iterator[tuple[A, B, C]]: ...
    @overload
    def rows(
        self, a: type[A], b: type[B], c: type[C], d: type[D], /, *, having: Types = ..., without: Types = ...
    ) -> Iterator[tuple[A, B, C, D]]: ...
    @overload
    def rows(
        self,
        a: type[A],
        b: type[B],
        c: type[C],
        d: type[D],
        e: type[E],
        /,
        *,
        having: Types = ...,
        without: Types = ...,
    ) -> Iterator[tuple[A, B, C, D, E]]: ...
    def rows(self, *wanted: Any, having: Types = (), without: Types = ()) -> Iterator[Any]:
        """Row by row: `for entity, hull in world.rows(Entity, Hull)`; one type alone gives its rows bare.

        `having` must be there too but is not given. Structural changes made while iterating wait for the end.
        """
        found = self._found(wanted, having, without)
        return found if self._depth else self._held(found)

    def only(self, *wanted: Any, having: Types = (), without: Types = ()) -> Any:
        """The one match of a query. Raises `EcsError` if there is none or more than one."""
        matches = list(self.rows(*wanted, having=having, without=without))
        if len(matches) != 1:
            names = ", ".join(component.__name__ for component in (*wanted, *having))
            raise EcsError(f"expected exactly one entity with {names}, found {len(matches)}")
        return matches[0]

    def count(self, *components: type[Component], without: Types = ()) -> int:
        """How many entities have all of `components`."""
        return sum(len(rows) for rows in self.tables(*components, without=without))

    def _found(self, wanted: tuple[Any, ...], having: Types, without: Types) -> Iterator[Any]:
        needed = (*(component for component in wanted if component is not Entity), *having)
        parts: list[Iterator[Any]] = []
        for table in self._tables:
            chosen = selection(table, needed, without)
            if chosen is None:
                continue
            lists = [self._row_list(table, component, chosen) for component in wanted]
            parts.append(zip(*lists, strict=True) if len(lists) > 1 else iter(lists[0]))
        return parts[0] if len(parts) == 1 else chain.from_iterable(parts)

    def _row_list(self, table: Table, component: Any, chosen: Any) -> list[Any]:
        if component is Entity:
            ids = table.ids[: table.count]
            return list(map(Entity, repeat(self), (ids if chosen is True else ids[chosen]).tolist()))
        rows = table.pools[component].all_rows(table.count)
        return rows if chosen is True else [rows[row] for row in chosen.tolist()]

    def _held(self, found: Iterator[Any]) -> Iterator[Any]:
        with self.deferred():
            yield from found

    # Resources

    def insert(self, resource: R) -> R:
        """Put a resource in; it is found by its type. Replaces one of the same type."""
        self._resources[type(resource)] = resource
        return resource

    def resource(self, kind: type[R]) -> R:
        """The resource of that type. Raises `MissingResourceError` if there is none."""
        try:
            return cast(R, self._resources[kind])
        except KeyError:
            raise MissingResourceError(
                f"the world has no resource {kind.__name__}; insert one with world.insert({kind.__name__}(...)), "
                "usually in a plugin's setup"
            ) from None

    def find_resource(self, kind: type[R]) -> R | None:
        """The resource of that type, or None."""
        return cast("R | None", self._resources.get(kind))

    def resources(self) -> list[object]:
        """All resources, in order of insertion."""
        return list(self._resources.values())

    @property
    def state_resources(self) -> list[Resource]:
        """The resources that are simulation state, in order of insertion."""
        return [r for r in self._resources.values() if isinstance(r, Resource) and not type(r).local]

    # Parents and children

    def attach(self, child: Entity, parent: Entity) -> None:
        """Make `child` a child of `parent`; it goes when its parent goes. Raises `EcsError` on a cycle."""
        above: Entity | None = parent
        while above is not None:
            if above.id == child.id:
                raise EcsError(f"{child} cannot be attached to {parent}, which is itself or already below it")
            above = self.parent(above)
        self.add(child, ChildOf(parent.id))

    def parent(self, entity: Entity) -> Entity | None:
        """The entity this one is attached to."""
        return self.find(self.row(entity, ChildOf).parent) if self.has(entity, ChildOf) else None

    def children(self, entity: Entity) -> list[Entity]:
        """The entities attached to this one, in order of attachment."""
        return [Entity(self, id) for id in self._children.get(entity.id, ())]

    # Deferral

    @property
    def is_deferred(self) -> bool:
        """Whether structural changes are being queued."""
        return self._depth > 0

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Queue structural changes until the outermost such block ends, then make them in the order they were asked."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.flush()

    def flush(self) -> None:
        """Make the queued structural changes now. Raises `EcsError` while a `deferred()` block is open."""
        self._refuse_deferred("flush")
        queue = self._queue
        if queue:
            self._queue = []
            for operation, arguments in queue:
                operation(*arguments)
            self._doomed.clear()

    # Below: the structural changes themselves

    def _plan(self, components: tuple[Component, ...], local: bool) -> _Plan:
        types = tuple(type(component) for component in components)
        for kind in types:
            if not isinstance(kind, ComponentType):
                raise EcsError(f"spawn takes components, not {kind.__name__}; derive the class from Component")
        if len(set(types)) != len(types):
            twice = next(kind for kind in types if types.count(kind) > 1)
            raise EcsError(f"an entity has one component of a type, but two {twice.__name__} were given to spawn")
        shared: tuple[Any, ...] = tuple(kind for kind in types if not kind.local)
        table = self._table(frozenset(shared), shared, local)
        plan = _Plan(table, self._local if local else self._shared, cast("tuple[type[Component], ...]", types))
        self._plans[local, types] = plan
        self._heard = -1
        return plan

    def _table(self, archetype: frozenset[type[Component]], order: Types, local: bool) -> Table:
        table = self._by_archetype.get((archetype, local))
        if table is None:
            table = Table(len(self._tables), order, local=local)
            self._by_archetype[archetype, local] = table
            self._tables.append(table)
        return table

    def _place(self, id: int, components: tuple[Component, ...], plan: _Plan) -> None:
        table = plan.table
        row = table.append(id)
        slots = plan.slots
        index = id & INDEX
        slots.table[index] = table.place
        slots.row[index] = row
        for pool, component in zip(plan.pools, components, strict=True):
            if pool.cells is None and pool.present is None:
                pool.structs[row] = component
            else:
                pool.put(row, component)
        if self.outlet.version != self._heard:
            self._hear()
        if self._hears_spawned or plan.announces:
            self._announce(id, plan)

    def _spawn_pending(self, id: int, components: tuple[Component, ...], plan: _Plan) -> None:
        if self._pending.pop(id, None) is not None:
            self._place(id, components, plan)

    def _announce(self, id: int, plan: _Plan) -> None:
        entity = Entity(self, id)
        if ChildOf in plan.types:
            self._children.setdefault(self.row(entity, ChildOf).parent, []).append(id)
        if self._hears_spawned:
            self.post(Spawned(entity))
        for kind in plan.added:
            self._post_added(entity, kind)

    def _post_added(self, entity: Entity, kind: type[Component]) -> None:
        key: Any = Added
        if self.outlet.listens(key[kind]):
            self.post_as(key[kind], Added[Any](entity))

    def _post_removed(self, entity: Entity, kind: type[Component], value: Component) -> None:
        key: Any = Removed
        self.post_as(key[kind], Removed[Any](entity, value))

    def _hear(self) -> None:
        """Ask the outlet anew what it wants to be told, if that may have changed."""
        if self.outlet.version == self._heard:
            return
        self._heard = self.outlet.version
        self._hears_spawned = self.outlet.listens(Spawned)
        self._hears_despawned = self.outlet.listens(Despawned)
        added: Any = Added
        for plan in self._plans.values():
            plan.added = tuple(kind for kind in plan.types if self.outlet.listens(added[kind]))
            plan.announces = bool(plan.added) or ChildOf in plan.types

    def _removals_heard(self) -> bool:
        removed: Any = Removed
        return any(self.outlet.listens(removed[kind]) for table in self._tables for kind in table.pools)

    def _doom(self, id: int) -> None:
        self._doomed.add(id)
        for child in self._children.get(id, ()):
            self._doom(child)

    def _remove_entity(self, id: int) -> None:
        if not self._is_current(id):
            return
        if id in self._children:
            for child in self._children[id].copy():
                self._remove_entity(child)
            self._children.pop(id, None)
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        table = self._tables[slots.table[index]]
        row = slots.row[index]
        if ChildOf in table.pools:
            self._unlink(id, table.pools[ChildOf].row(row).parent)
        if self.outlet.version:
            self._tell_removal(Entity(self, id), table, row)
        moved = table.remove(row)
        if moved:
            slots.row[moved & INDEX] = row
        slots.release(index)

    def _tell_removal(self, entity: Entity, table: Table, row: int) -> None:
        removed: Any = Removed
        for kind, pool in table.pools.items():
            if (pool.present is None or pool.present[row]) and self.outlet.listens(removed[kind]):
                self._post_removed(entity, kind, pool.row(row).copy())
        if self.outlet.listens(Despawned):
            self.post(Despawned(entity))

    def _unlink(self, child: int, parent: int) -> None:
        siblings = self._children.get(parent)
        if siblings and child in siblings:
            siblings.remove(child)
            if not siblings:
                del self._children[parent]

    def _add_now(self, id: int, component: Component) -> None:
        if not self._is_current(id):
            return
        entity = Entity(self, id)
        kind = type(component)
        slots = self._local if id & LOCAL else self._shared
        table = self._tables[slots.table[id & INDEX]]
        row = slots.row[id & INDEX]
        had = self.has(entity, kind)
        if kind is ChildOf:
            if had:
                self._unlink(id, table.pools[ChildOf].row(row).parent)
            self._children.setdefault(cast(ChildOf, component).parent, []).append(id)
        if kind.local:
            pool = table.local_pool(kind)
        elif had:
            pool = table.pools[kind]
        else:
            order = (*table.components, kind)
            table, row = self._migrate(id, self._table(frozenset(order), order, bool(id & LOCAL)))
            pool = table.pools[kind]
        pool.put(row, component)
        if not had:
            self._post_added(entity, kind)

    def _remove_now(self, id: int, kind: type[Component]) -> None:
        if not self._is_current(id) or not self.has(Entity(self, id), kind):
            return
        slots = self._local if id & LOCAL else self._shared
        table = self._tables[slots.table[id & INDEX]]
        row = slots.row[id & INDEX]
        pool = table.pools[kind]
        value = pool.row(row).copy()
        if kind is ChildOf:
            self._unlink(id, value.parent)
        if pool.present is not None:
            pool.present[row] = False
        else:
            order = tuple(component for component in table.components if component is not kind)
            self._migrate(id, self._table(frozenset(order), order, bool(id & LOCAL)))
        removed: Any = Removed
        if self.outlet.listens(removed[kind]):
            self._post_removed(Entity(self, id), kind, value)

    def _migrate(self, id: int, target: Table) -> tuple[Table, int]:
        """Move an entity to another table, with all the components that both have, and its local ones."""
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        source = self._tables[slots.table[index]]
        row = slots.row[index]
        new_row = target.append(id)
        for kind, pool in source.pools.items():
            if pool.present is not None:
                if pool.present[row]:
                    target.local_pool(kind).put(new_row, pool.row(row))
            elif kind in target.pools:
                target.pools[kind].put(new_row, pool.row(row))
        moved = source.remove(row)
        if moved:
            slots.row[moved & INDEX] = row
        slots.table[index] = target.place
        slots.row[index] = new_row
        return target, new_row

    # Checks and messages

    def _is_current(self, id: int) -> bool:
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        if index >= slots.used or slots.generation[index] != id >> 32:
            return False
        return slots.table[index] >= 0 or id in self._pending

    def _slots_of(self, entity: Entity) -> Slots:
        if not self._is_current(entity.id):
            raise self._stale(entity.id)
        return self._local if entity.id & LOCAL else self._shared

    def _refuse_deferred(self, operation: str) -> None:
        if self._depth:
            raise EcsError(
                f"{operation} changes the world at once and cannot run inside a stage or while iterating; "
                "call it in a plugin's setup or between ticks"
            )

    def _stale(self, id: int) -> StaleEntityError:
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        now = slots.generation[index] if index < slots.used else 0
        return StaleEntityError(
            f"{Entity(self, id)} is gone (its index is now at generation {now}); "
            "check entity.alive first, or drop the handle on Despawned"
        )

    def _missing(self, entity: Entity, component: type[Component]) -> MissingComponentError:
        have = ", ".join(sorted(type(row).__name__ for row in self.components(entity))) or "none"
        return MissingComponentError(
            f"{entity} has no {component.__name__}; it has {have}. Add it with entity.add({component.__name__}(...)), "
            f"or ask entity.get({component.__name__})"
        )


class _Plan:
    """How to place entities spawned with one sequence of component types."""

    __slots__ = ("added", "announces", "pools", "slots", "table", "types")

    def __init__(self, table: Table, slots: Slots, types: Types) -> None:
        self.table = table
        self.slots = slots
        self.types = types
        self.pools: tuple[Pool, ...] = tuple(
            table.local_pool(kind) if kind.local else table.pools[kind] for kind in types
        )
        self.added: Types = ()
        self.announces = ChildOf in types
