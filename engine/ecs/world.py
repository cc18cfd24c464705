"""A world: entities in tables, resources, a seeded random source, and the queries over them.

Structural changes (spawn, despawn, add, remove) are immediate outside of `deferred()` and queued inside it, so
code that iterates always sees a fixed set of entities. The loop runs every stage of a tick deferred.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import AbstractContextManager
from itertools import chain, repeat
from typing import Any, Protocol, TypeVar, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.ecs.component import Component
from engine.ecs.entity import INDEX, LOCAL, Entity
from engine.ecs.errors import EcsError, MissingComponentError, MissingResourceError
from engine.ecs.lifecycle import Outlet
from engine.ecs.relation import ChildOf
from engine.ecs.resource import Resource
from engine.ecs.rows import Rows
from engine.ecs.structure import Match, Structure, Types
from engine.ecs.table import Table

A = TypeVar("A", bound="Component | Entity")
B = TypeVar("B", bound="Component | Entity")
C = TypeVar("C", bound="Component | Entity")
D = TypeVar("D", bound="Component | Entity")
E = TypeVar("E", bound="Component | Entity")
K = TypeVar("K", bound=Component)
R = TypeVar("R")


KEPT_HANDLES = 256
"""Of tables with no more entities than this, handles are kept for the next query; more would burden the collector."""


class Participant(Protocol):
    """State that belongs to a world but lives elsewhere, such as a physics space.

    Put one into `World.participants` under a name; it is captured, restored and hashed with the world.
    """

    def capture(self) -> object:
        """A copy of the state. May rebuild the live one, so that going on and going on from the copy are alike."""
        ...

    def restore(self, state: Any) -> None:
        """Go back to a copy; the world's entities are already back."""
        ...

    def digest(self) -> int:
        """A 64-bit hash of the state."""
        ...


class Deferral:
    """The context manager of `World.deferred`; one a world, entered as often as needed."""

    __slots__ = ("_flush", "_queue", "depth")

    def __init__(self, queue: Sized, flush: Callable[[], None]) -> None:
        self._queue = queue
        self._flush = flush
        self.depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *error: object) -> None:
        self.depth -= 1
        if not self.depth and self._queue:
            self._flush()


class World(Structure):
    """Everything that is simulated. `seed` starts `rng`, the only randomness simulation code may use."""

    def __init__(self, *, seed: int = 0, outlet: Outlet | None = None) -> None:
        super().__init__(outlet)
        self.rng = random.Random(seed)
        """The simulation's random source; part of the state. Cosmetics bring their own."""
        self.post = self.outlet.post
        """Queue an event in the dispatcher this world belongs to."""
        self.post_as = self.outlet.post_as
        """Queue an event under an explicit key."""
        self.participants: dict[str, Participant] = {}
        """State that lives elsewhere, by name."""
        self._resources: dict[type, object] = {}
        self._queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._deferral = Deferral(self._queue, self.flush)
        self._doomed: set[int] = set()
        self._new_parents: dict[int, int] = {}

    # Spawning and despawning

    def spawn(self, *components: Component, local: bool = False) -> Entity:
        """A new entity with copies of these components; inside a stage it joins queries when the stage ends.

        `local` entities belong to this machine: their ids come from a range of their own, and they are neither
        hashed nor snapshotted nor replicated. Raises `EcsError` if two components have the same type, and
        `StaleEntityError` if there is a `ChildOf` whose parent is gone.
        """
        plan = (self._local_plans if local else self._plans).get(tuple(map(type, components)))
        if plan is None:
            plan = self._plan(components, local)
        if plan.links is not None:
            self._check_parent(plan.parent(components), local)
        id = plan.slots.take()
        if self._deferral.depth:
            self._pending[id] = {kind: component.copy() for kind, component in zip(plan.types, components, strict=True)}
            self._queue.append((self._place_pending, (id,)))
            return Entity(self, id)
        plan.place(id, *components)
        if plan.tells or plan.links is not None or self.outlet.version != self._heard:
            self._tell_and_link(id, components, plan)
        return Entity(self, id)

    def spawn_many(
        self, count: int, *components: Component, values: Mapping[Any, ArrayLike] | None = None
    ) -> NDArray[np.uint64]:
        """`count` entities at once, each with copies of `components`, and with whole columns from `values`.

        `values` maps numeric columns to numbers or arrays of shape (count,). Returns the ids, shape (count,).
        Immediate: raises `EcsError` inside a stage; also if two components have the same type. Raises
        `MissingComponentError` for a column of another component, `ValueError` for an array of another shape.
        """
        self._refuse_deferred("spawn_many")
        if count < 0:
            raise ValueError(f"spawn_many cannot spawn {count} entities")
        plan = self._plan(components, False)
        columns: dict[Any, NDArray[Any]] = {}
        for column, value in (values or {}).items():
            full = plan.table.columns.get(column)
            if full is None or full.ndim != 1 or not self._belongs(column, plan.types):
                raise MissingComponentError(
                    f"spawn_many got values for {column!r}, which is no numeric column of its components "
                    f"{', '.join(kind.__name__ for kind in plan.types) or '(none)'}"
                )
            if column is ChildOf.parent:
                raise EcsError("spawn_many gives all entities one parent: ChildOf(parent.id); use attach for others")
            columns[column] = np.broadcast_to(np.asarray(value).astype(full.dtype), (count,))
        parent = plan.parent(components)
        self._check_parent(parent, False)
        ids, rows = self._place_many(count, components, plan)
        for column, value in columns.items():
            plan.table.columns[column][rows] = value
        if self.outlet.version != self._heard:
            self._hear()
        if plan.tells:
            for id in ids.tolist():
                self._tell_spawned(id, plan)
        if parent:
            self._children.setdefault(parent, []).extend(ids.tolist())
        return ids

    def mirror(self, below: int) -> None:
        """Leave all ids with an index under `below` to another world, whose entities this one is to `adopt`.

        Raises `EcsError` if there are shared entities.
        """
        if any(table.count for table in self._tables if not table.local) or self._pending:
            raise EcsError("this world has entities of its own; despawn them before it mirrors another")
        self._shared.floor = below
        self._shared.free.clear()

    def adopt(self, id: int, *components: Component) -> Entity:
        """A new entity under the id it has in the world that this one mirrors; otherwise as `spawn`.

        Raises `EcsError` if the id is not one of those left to that world by `mirror`, or its index is in use.
        """
        index = id & INDEX
        slots = self._shared
        if id & LOCAL or not id >> 32 or index >= slots.floor:
            raise EcsError(f"id {id:#x} cannot be adopted: only those left to another world with mirror() can")
        if index < slots.used and (slots.table[index] >= 0 or slots.generation[index] << 32 | index in self._pending):
            raise EcsError(f"id {id:#x} cannot be adopted: {self._handle(slots.generation[index] << 32 | index)} lives")
        plan = self._plan(components, False)
        if plan.links is not None:
            self._check_parent(plan.parent(components), False)
        slots.adopt(id)
        if self._deferral.depth:
            self._pending[id] = {kind: component.copy() for kind, component in zip(plan.types, components, strict=True)}
            self._queue.append((self._place_pending, (id,)))
        else:
            self._place(id, components, plan)
        return Entity(self, id)

    def despawn(self, entity: Entity) -> None:
        """Despawn an entity and its children; inside a stage, when the stage ends. Twice in a stage is once.

        Raises `StaleEntityError` if it is already gone.
        """
        id = entity.id
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        if index >= slots.used or slots.generation[index] != id >> 32 or entity.world is not self:
            raise self._stale_handle(entity)
        if self._deferral.depth:
            if id not in self._doomed:
                self._doomed.update(self._with_descendants([id]))
                self._queue.append((self._remove_entity, (id,)))
        elif id in self._children:
            self._remove_entity(id)
        else:
            self._remove_alone(id, slots, index)

    def despawn_many(self, ids: NDArray[np.uint64]) -> None:
        """Despawn many entities and their children at once; inside a stage, when the stage ends.

        Ids already gone are passed over. The rows that stay keep their order, but row objects got before may lie
        over other entities now, and nothing tells.
        """
        ids = np.array(ids, np.uint64).reshape(-1)
        if self._deferral.depth:
            self._doomed.update(self._with_descendants([id for id in ids.tolist() if self._is_current(id)]))
            self._queue.append((self._remove_many, (ids,)))
        else:
            self._remove_many(ids)

    # Components of one entity

    def row(self, entity: Entity, component: type[K]) -> K:
        """The entity's row of `component`; see `Entity.__getitem__`."""
        id = entity.id
        slots = self._local if id & LOCAL else self._shared
        index = id & INDEX
        if index >= slots.used or slots.generation[index] != id >> 32:
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
        id = entity.id
        if not self._is_current(id):
            raise self._stale(id)
        if id in self._pending:
            return component in self._pending[id]
        slots = self._local if id & LOCAL else self._shared
        pool = self._tables[slots.table[id & INDEX]].pools.get(component)
        return pool is not None and (pool.present is None or bool(pool.present[slots.row[id & INDEX]]))

    def components(self, entity: Entity) -> list[Component]:
        """All the entity's rows. Raises `StaleEntityError` if it is gone."""
        id = entity.id
        if not self._is_current(id):
            raise self._stale(id)
        if id in self._pending:
            return list(self._pending[id].values())
        slots = self._local if id & LOCAL else self._shared
        row = slots.row[id & INDEX]
        pools = self._tables[slots.table[id & INDEX]].pools.values()
        return [pool.row(row) for pool in pools if pool.present is None or pool.present[row]]

    def add(self, entity: Entity, component: Component) -> None:
        """Add a copy of a component or overwrite the one of its type; inside a stage, when the stage ends.

        To an entity spawned in the same stage it is added at once. Raises `StaleEntityError` if the entity is gone.
        """
        id = entity.id
        if not self._is_current(id) or entity.world is not self:
            raise self._stale_handle(entity)
        kind = type(component)
        if (kind,) not in self._plans:
            self._check_types((component,))
        if kind is ChildOf:
            self._check_link(id, cast(ChildOf, component).parent)
        if id in self._pending:
            self._pending[id][kind] = component.copy()
        elif self._deferral.depth:
            if kind is ChildOf:
                self._new_parents[id] = cast(ChildOf, component).parent
            self._queue.append((self._add_now, (id, component.copy())))
        else:
            self._add_now(id, component)

    def remove(self, entity: Entity, component: type[Component]) -> None:
        """Remove a component; inside a stage, when the stage ends. Raises `MissingComponentError` if there is none."""
        if entity.world is not self:
            raise self._stale_handle(entity)
        if not self.has(entity, component):
            raise self._missing(entity, component)
        id = entity.id
        if id in self._pending:
            del self._pending[id][component]
        elif self._deferral.depth:
            if component is ChildOf:
                self._new_parents[id] = 0
            self._queue.append((self._remove_now, (id, component)))
        else:
            self._remove_now(id, component)

    # Handles

    def entity(self, id: int) -> Entity:
        """The handle of an id, e.g. from a `Ref` column. Raises `StaleEntityError` if that entity is gone."""
        id = int(id)
        if not self._is_current(id):
            raise self._stale(id)
        return Entity(self, id)

    def find(self, id: int) -> Entity | None:
        """The handle of an id, or None if that entity is gone (or the id is 0)."""
        id = int(id)
        return Entity(self, id) if self._is_current(id) else None

    def is_alive(self, entity: Entity) -> bool:
        """Whether the entity exists and has not been told to despawn."""
        return self._is_current(entity.id) and entity.id not in self._doomed

    def __len__(self) -> int:
        """How many entities there are; those spawned in a stage count when it ends."""
        return sum(table.count for table in self._tables)

    def __bool__(self) -> bool:
        """True, also of an empty world."""
        return True

    def __iter__(self) -> Iterator[Entity]:
        """All entities, table by table."""
        return self.rows(Entity)

    # Queries

    def tables(self, *components: type[Component], without: Types = ()) -> Iterator[Rows]:
        """The rows that have all of `components` and none of `without`, one `Rows` a table that has any.

        Structural changes made while iterating wait for the end.
        """
        with self._deferral:
            match = self._match(components, (), without)
            for table in match.tables:
                chosen = match.rows_of(table)
                if chosen is not None:
                    yield Rows(self, table, chosen)

    def archetypes(self) -> list[Table]:
        """The tables of shared entities themselves, for what copies whole columns at once, such as replication.

        Column values may be written; who is in which row is the world's own.
        """
        return [table for table in self._tables if not table.local]

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
        if not wanted:
            raise EcsError("rows() takes at least one type: a component, or Entity")
        match = self._match(wanted, having, without)
        if self._deferral.depth and match.is_whole and len(match.tables) == 1:  # the usual query, in a stage
            return self._zipped(match.tables[0], wanted, True)
        return chain.from_iterable(self._found(match, wanted))

    @overload
    def only(self, a: type[A], /, *, having: Types = ..., without: Types = ...) -> A: ...
    @overload
    def only(self, a: type[A], b: type[B], /, *, having: Types = ..., without: Types = ...) -> tuple[A, B]: ...
    @overload
    def only(
        self, a: type[A], b: type[B], c: type[C], /, *, having: Types = ..., without: Types = ...
    ) -> tuple[A, B, C]: ...
    def only(self, *wanted: Any, having: Types = (), without: Types = ()) -> Any:
        """The one match of a query. Raises `EcsError` if there is none or more than one."""
        query: Any = self.rows
        matches: list[Any] = list(query(*wanted, having=having, without=without))
        if len(matches) != 1:
            names = ", ".join(kind.__name__ for kind in (*wanted, *having))
            lacking = f" and without {', '.join(kind.__name__ for kind in without)}" if without else ""
            raise EcsError(f"expected exactly one entity with {names}{lacking}, found {len(matches)}")
        return matches[0]

    def count(self, *components: type[Component], without: Types = ()) -> int:
        """How many entities have all of `components` and none of `without`."""
        return sum(len(rows) for rows in self.tables(*components, without=without))

    def _found(self, match: Match, wanted: tuple[Any, ...]) -> Iterator[Iterator[Any]]:
        """The matches, one iterator a table. Deferral lasts until the last is drawn or the whole is dropped."""
        with self._deferral:
            for table in match.tables:
                chosen = match.rows_of(table)
                if chosen is not None:
                    yield self._zipped(table, wanted, chosen)

    def _zipped(self, table: Table, wanted: tuple[Any, ...], chosen: NDArray[np.intp] | bool) -> Iterator[Any]:
        lists = [self._row_list(table, kind, chosen) for kind in wanted]
        return zip(*lists, strict=True) if len(lists) > 1 else iter(lists[0])

    def _row_list(self, table: Table, kind: Any, chosen: NDArray[np.intp] | bool) -> list[Any]:
        if kind is Entity:
            ids = table.ids[: table.count]
            if not isinstance(chosen, bool):
                return list(map(Entity, repeat(self), ids[chosen].tolist()))
            revision, handles = table.handles
            if revision != table.revision:
                handles = list(map(Entity, repeat(self), ids.tolist()))
                if len(handles) <= KEPT_HANDLES:
                    table.handles = table.revision, handles
            return handles
        pool = table.pools[kind]
        return pool.first_rows(table.count) if isinstance(chosen, bool) else [pool.row(row) for row in chosen.tolist()]

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
        """Make `child` a child of `parent`; it goes when its parent goes. Inside a stage, when the stage ends.

        Raises `EcsError` on a cycle, or if a shared entity would get a local parent; `StaleEntityError` if one of
        them is gone.
        """
        self.add(child, ChildOf(parent.id))

    def parent(self, entity: Entity) -> Entity | None:
        """The entity this one is attached to."""
        return self.find(self.row(entity, ChildOf).parent) if self.has(entity, ChildOf) else None

    def children(self, entity: Entity) -> list[Entity]:
        """The entities attached to this one, in order of attachment."""
        if not self._is_current(entity.id):
            raise self._stale(entity.id)
        return [Entity(self, id) for id in self._children.get(entity.id, ())]

    def _check_parent(self, parent: int, local: bool) -> None:
        if parent and not self._is_current(parent):
            raise self._stale(parent)
        if parent & LOCAL and not local:
            raise EcsError(
                f"{Entity(self, parent)} cannot be the parent of a shared entity, which must be the same on every "
                "machine; spawn the child with local=True"
            )

    def _check_link(self, child: int, parent: int) -> None:
        self._check_parent(parent, bool(child & LOCAL))
        above = parent
        while above:
            if above == child:
                raise EcsError(
                    f"{Entity(self, child)} cannot be attached to {Entity(self, parent)}, "
                    "which is itself or already below it"
                )
            above = self._parent_id(above)

    def _parent_id(self, id: int) -> int:
        """The id of the parent as it will be at the end of the stage."""
        if id in self._new_parents:
            return self._new_parents[id]
        entity = self.find(id)
        return self.row(entity, ChildOf).parent if entity and self.has(entity, ChildOf) else 0

    # Deferral

    @property
    def is_deferred(self) -> bool:
        """Whether structural changes are being queued."""
        return self._deferral.depth > 0

    def deferred(self) -> AbstractContextManager[None]:
        """Queue structural changes until the outermost such block ends, then make them in the order they were asked."""
        return self._deferral

    def flush(self) -> None:
        """Make the queued structural changes now. Raises `EcsError` while a `deferred()` block is open."""
        self._refuse_deferred("flush")
        queue = self._queue
        while queue:
            operation, arguments = queue.popleft()
            operation(*arguments)
        self._doomed.clear()
        self._new_parents.clear()

    def _refuse_deferred(self, operation: str) -> None:
        if self._deferral.depth:
            raise EcsError(
                f"{operation} changes the world at once and cannot run inside a stage or while iterating; "
                "call it in a plugin's setup or between ticks"
            )

    # Messages

    def _belongs(self, column: Any, types: Types) -> bool:
        return any(vars(kind).get(name) is column for kind in types for name in kind.columns)

    def _stale_handle(self, entity: Entity) -> EcsError:
        if entity.world is not self:
            return EcsError(f"{entity} is of another world; use handles in the world that gave them")
        return self._stale(entity.id)

    def _missing(self, entity: Entity, component: type[Component]) -> MissingComponentError:
        have = ", ".join(sorted(type(row).__name__ for row in self.components(entity))) or "none"
        return MissingComponentError(
            f"{entity} has no {component.__name__}; it has {have}. Add it with entity.add({component.__name__}(...)), "
            f"or ask entity.get({component.__name__})"
        )
