"""Snapshots of a whole world, and its state hash.

Local entities and local components are left alone by both. A snapshot is a copy in memory: restoring it does not
use it up, and it holds no reference into the live world.
"""

# Part of the world in a file of its own, so it may read the world's private fields.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.ecs.component import Component
from engine.ecs.digest import digest, feed_value
from engine.ecs.entity import INDEX, LOCAL, Entity
from engine.ecs.errors import SnapshotError
from engine.ecs.lifecycle import Restored
from engine.ecs.resource import Resource
from engine.ecs.table import Table
from engine.ecs.world import World


@dataclass(slots=True)
class _TableState:
    components: tuple[type[Component], ...]
    ids: NDArray[np.uint64]
    buffers: dict[type[Component], bytes]
    cells: dict[type[Component], list[list[Any]]]


@dataclass(slots=True)
class Snapshot:
    """A copy of a world's shared state; see `capture` and `restore`."""

    tables: list[_TableState]
    slots: tuple[Any, ...]
    children: dict[int, list[int]]
    resources: list[Resource]
    rng: Any
    participants: dict[str, object]


def capture(world: World) -> Snapshot:
    """Copy the world's shared state. Participants may rebuild themselves, so that going on equals restoring.

    Raises `SnapshotError` inside a stage, where changes are still queued.
    """
    if world.is_deferred:
        raise SnapshotError("a snapshot is taken between ticks; this one was asked for inside a stage")
    participants = {name: participant.capture() for name, participant in world.participants.items()}
    return Snapshot(
        [_capture_table(world, table) for table in _shared_tables(world)],
        world._shared.state(),
        copy.deepcopy(_shared_children(world)),
        copy.deepcopy(world.state_resources, _handles_stay(world)),
        world.rng.getstate(),
        participants,
    )


def restore(world: World, snapshot: Snapshot) -> None:
    """Put the world back to a snapshot taken of it, or of a world built alike. Posts `Restored`.

    Entities that exist in both keep their local components. Resources keep their identity where their type is
    known to the world: their fields are set. Raises `SnapshotError` inside a stage or if a participant is missing.
    """
    if world.is_deferred:
        raise SnapshotError("a snapshot is restored between ticks; this was asked for inside a stage")
    if missing := [name for name in snapshot.participants if name not in world.participants]:
        raise SnapshotError(
            f"the snapshot holds the state of {', '.join(missing)}, which this world lacks; use the same plugins"
        )
    kept = _local_components(world)
    order = [(frozenset(state.components), state.components) for state in snapshot.tables]
    tables = [world._table(archetype, components, False) for archetype, components in order]
    _reorder(world, tables)
    for table in _shared_tables(world):
        table.keep(np.zeros(table.count, np.bool_))
    world._shared.load(snapshot.slots)
    for table, state in zip(tables, snapshot.tables, strict=True):
        _restore_table(world, table, state)
    children = world._children
    for parent in list(_shared_children(world)):
        del children[parent]
    children.update(copy.deepcopy(snapshot.children))
    for saved in copy.deepcopy(snapshot.resources, _handles_stay(world)):
        live = world.find_resource(type(saved))
        if live is None:
            world.insert(saved)
        else:
            vars(live).update(vars(saved))
    known = {type(saved) for saved in snapshot.resources}
    for resource in world.state_resources:
        if type(resource) not in known:
            world._resources.pop(type(resource))
    world.rng.setstate(snapshot.rng)
    for id, components in kept.items():
        entity = world.find(id)
        for component in components if entity else ():
            world.add(cast(Entity, entity), component)
    for name, state in snapshot.participants.items():
        world.participants[name].restore(state)
    if world.outlet.listens(Restored):
        world.post(Restored())


def component_hashes(world: World) -> dict[str, int]:
    """A 64-bit digest per shared component, state resource, participant, `entities` and `rng`, in a fixed order."""
    states: dict[str, Any] = {}

    def feed(name: str) -> Callable[[bytes], object]:
        if name not in states:
            states[name] = blake2b(digest_size=8)
        return states[name].update

    for table in _shared_tables(world):
        if not table.count:
            continue
        ids = table.ids[: table.count].tobytes()
        feed("entities")(ids)
        for component in table.components:
            pool = table.pools[component]
            update = feed(component.__name__)
            update(ids)
            if component.record is not None:
                update(memoryview(pool.buffer)[: table.count * component.record.itemsize])
            for cells in (pool.cells or ())[: table.count]:
                feed_value(update, cells)
    hashes = {name: int.from_bytes(state.digest(), "little") for name, state in sorted(states.items())}
    for resource in world.state_resources:
        hashes[type(resource).__name__] = digest(resource)
    hashes["rng"] = _rng_digest(world.rng)
    for name, participant in world.participants.items():
        hashes[name] = participant.digest()
    return hashes


def state_hash(world: World) -> int:
    """The 64-bit hash of the world's shared state: equal worlds have equal hashes, in every process of one build."""
    return combine(component_hashes(world))


def combine(hashes: dict[str, int]) -> int:
    """The state hash that belongs to these component hashes."""
    return digest(hashes)


def _rng_digest(rng: random.Random) -> int:
    version, words, gauss = rng.getstate()
    state = blake2b(np.array(words, np.uint32).tobytes(), digest_size=8)
    feed_value(state.update, (version, gauss))
    return int.from_bytes(state.digest(), "little")


def _handles_stay(world: World) -> dict[int, Any]:
    """A deepcopy memo under which entity handles go on pointing at this world."""
    return {id(world): world}


def _shared_tables(world: World) -> list[Table]:
    return [table for table in world._tables if not table.local]


def _shared_children(world: World) -> dict[int, list[int]]:
    everyone = world._children
    return {parent: [c for c in below if not c & LOCAL] for parent, below in everyone.items() if not parent & LOCAL}


def _capture_table(world: World, table: Table) -> _TableState:
    buffers: dict[type[Component], bytes] = {}
    cells: dict[type[Component], list[list[Any]]] = {}
    for component in table.components:
        pool = table.pools[component]
        size = component.record.itemsize if component.record is not None else 0
        buffers[component] = bytes(memoryview(pool.buffer)[: table.count * size])
        if pool.cells is not None:
            cells[component] = copy.deepcopy(pool.cells[: table.count], _handles_stay(world))
    return _TableState(table.components, table.ids[: table.count].copy(), buffers, cells)


def _restore_table(world: World, table: Table, state: _TableState) -> None:
    rows = table.append_many(state.ids)
    for component in table.components:
        pool = table.pools[component]
        buffer = state.buffers[component]
        pool.buffer[: len(buffer)] = buffer
        if component in state.cells:
            for row, cells in enumerate(copy.deepcopy(state.cells[component], _handles_stay(world))):
                pool.put_cells(row, cells)
    slots = world._shared
    indices = (state.ids & np.uint64(INDEX)).astype(np.intp)
    slots.tables[indices] = table.place
    slots.rows[indices] = np.arange(rows.start, rows.stop)


def _reorder(world: World, first: list[Table]) -> None:
    """Put the snapshot's tables first, in its order: the order of tables is the order of queries.

    Tables that came to exist only after the snapshot are dropped, as they would come to exist again later.
    """
    tables = world._tables
    later = [table for table in tables if not table.local and table not in first]
    locals_ = [table for table in tables if table.local]
    for table in later:
        del world._by_archetype[frozenset(table.components), False]
    world._plans.clear()
    world._heard = -1
    world._tables = [*first, *locals_]
    for place, table in enumerate(world._tables):
        table.place = place
        slots = world._local if table.local else world._shared
        slots.tables[(table.ids[: table.count] & np.uint64(INDEX)).astype(np.intp)] = place


def _local_components(world: World) -> dict[int, list[Component]]:
    """The local components of shared entities, to be put back after the tables are replaced."""
    kept: dict[int, list[Component]] = {}
    for table in _shared_tables(world):
        for pool in table.pools.values():
            if pool.present is not None:
                for row in np.flatnonzero(pool.present[: table.count]).tolist():
                    kept.setdefault(table.id_view[row], []).append(pool.row(row).copy())
    return kept
