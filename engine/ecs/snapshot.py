"""Snapshots of a whole world, and its state hash.

Local entities and local components are left alone by both. A snapshot is a copy in memory: restoring it does not
use it up, and it holds no reference into the live world.
"""

# Part of the world in a file of its own, so it may read the world's private fields.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.ecs.component import Component
from engine.ecs.digest import canonical, digest
from engine.ecs.entity import INDEX, LOCAL
from engine.ecs.errors import SnapshotError
from engine.ecs.lifecycle import Restored
from engine.ecs.resource import Resource
from engine.ecs.slots import SlotsState, indices_of
from engine.ecs.table import Table
from engine.ecs.world import World

ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes})
"""Types whose values need no copying."""


@dataclass(slots=True, frozen=True)
class _TableState:
    components: tuple[type[Component], ...]
    ids: NDArray[np.uint64]
    buffers: list[bytes]
    cells: list[list[list[Any]]]


@dataclass(slots=True, frozen=True)
class Snapshot:
    """A copy of a world's shared state; see `capture` and `restore`."""

    tables: list[_TableState]
    slots: SlotsState
    children: dict[int, list[int]]
    resources: list[Resource]
    rng: Any
    participants: dict[str, object]


class _Here:
    """Stands in a snapshot for the world, so that handles restored are handles of the world restored into."""


_HERE = _Here()


def capture(world: World) -> Snapshot:
    """Copy the world's shared state. Participants may rebuild themselves, so that going on equals restoring.

    Raises `SnapshotError` inside a stage or while iterating, as changes are then still queued.
    """
    _refuse_deferred(world, "taken")
    participants = {name: participant.capture() for name, participant in world.participants.items()}
    memo: dict[int, Any] = {id(world): _HERE}
    return Snapshot(
        [_capture_table(table, memo) for table in _shared_tables(world)],
        world._shared.state(),
        dict(_shared_children(world)),
        [copy.deepcopy(resource, memo) for resource in world.state_resources],
        world.rng.getstate(),
        participants,
    )


def restore(world: World, snapshot: Snapshot) -> None:
    """Put the world back to a snapshot taken of it, or of a world built alike. Posts `Restored` and no `Spawned`.

    Entities that exist in both keep their local components. Local children of entities that are gone are despawned.
    Resources keep their identity where their type is known to the world: their fields are set. Raises
    `SnapshotError` inside a stage or while iterating, or if the participants are others.
    """
    _refuse_deferred(world, "restored")
    if other := sorted(snapshot.participants.keys() ^ world.participants.keys()):
        raise SnapshotError(
            f"only one of the snapshot and the world has {', '.join(other)} as participants; use the same plugins"
        )
    memo: dict[int, Any] = {id(_HERE): world}
    kept = _local_components(world)
    tables = _tables_of(world, snapshot)
    for table in _shared_tables(world):
        table.empty()
    _put_first(world, tables)
    world._shared.load(snapshot.slots)
    for table, state in zip(tables, snapshot.tables, strict=True):
        _restore_table(table, state, memo)
        world._shared.settle(state.ids, table.place, slice(0, table.count))
    for entity, components in kept:
        if world._is_current(entity):
            slot = entity & INDEX
            table = world._tables[world._shared.table[slot]]
            for component in components:
                table.local_pool(type(component)).put(world._shared.row[slot], component)
    _restore_children(world, snapshot.children)
    _restore_resources(world, copy.deepcopy(snapshot.resources, memo))
    world.rng.setstate(snapshot.rng)
    for name, state in snapshot.participants.items():
        world.participants[name].restore(state)
    if world.outlet.listens(Restored):
        world.post(Restored())


def component_hashes(world: World) -> dict[str, int]:
    """A 64-bit digest per shared component, state resource, participant, `entities` and `rng`, in order of name.

    Raises `TypeError`, naming the component or resource, if a value has no canonical form.
    """
    parts: dict[Any, list[Any]] = {}
    hashes: dict[Any, int] = {}
    for table in _shared_tables(world):
        if not table.count:
            continue
        ids = table.ids[: table.count].tobytes()
        parts.setdefault("entities", []).append(ids)
        for component in table.components:
            pool = table.pools[component]
            feed = parts.setdefault(component, [])
            feed.append(ids)
            feed.append(pool.view[: table.count * pool.size])
            if pool.cells is not None:
                feed.append(_canonical(component, pool.cells[: table.count]))
    for key, feed in parts.items():
        hashes[key] = _hash(b"".join(feed))
    for resource in world.state_resources:
        hashes[type(resource)] = _hash(_canonical(type(resource), sorted(vars(resource).items())))
    hashes["rng"] = _rng_digest(world.rng)
    for name, participant in world.participants.items():
        hashes[name] = participant.digest()
    return _named(hashes)


def state_hash(world: World) -> int:
    """The 64-bit hash of the world's shared state: equal worlds have equal hashes, in every process of one build."""
    return combine(component_hashes(world))


def combine(hashes: dict[str, int]) -> int:
    """The state hash that belongs to these component hashes."""
    return digest(hashes)


def _hash(raw: bytes) -> int:
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "little")


def _canonical(owner: type, value: object) -> bytes:
    try:
        return canonical(value)
    except TypeError as error:
        raise TypeError(f"{owner.__name__} cannot be hashed: {error}") from None


def _named(hashes: dict[Any, int]) -> dict[str, int]:
    """By plain name where that is unique, else with the module: a component and a resource may be called alike."""
    plain = [_name(key) for key in hashes]
    named = {
        name if plain.count(name) == 1 or isinstance(key, str) else f"{key.__module__}.{key.__qualname__}": value
        for (key, value), name in zip(hashes.items(), plain, strict=True)
    }
    return dict(sorted(named.items()))


def _name(key: Any) -> str:
    return key if isinstance(key, str) else key.__name__


def _rng_digest(rng: random.Random) -> int:
    version, words, gauss = rng.getstate()
    return _hash(struct.pack(f"<{len(words)}I", *words) + canonical((version, gauss)))


def _refuse_deferred(world: World, verb: str) -> None:
    if world.is_deferred:
        raise SnapshotError(
            f"a snapshot is {verb} between ticks; this one was asked for inside a stage, or while a query was iterated"
        )


def _shared_tables(world: World) -> list[Table]:
    return [table for table in world._tables if not table.local]


def _shared_children(world: World) -> Iterator[tuple[int, list[int]]]:
    for parent, below in world._children.items():
        shared = [child for child in below if not child & LOCAL]
        if shared:
            yield parent, shared


def _capture_table(table: Table, memo: dict[int, Any]) -> _TableState:
    pools = [table.pools[component] for component in table.components]
    return _TableState(
        table.components,
        table.ids[: table.count].copy(),
        [bytes(pool.view[: table.count * pool.size]) for pool in pools],
        [_copied(pool.cells[: table.count] if pool.cells is not None else [], memo) for pool in pools],
    )


def _copied(rows: list[list[Any]], memo: dict[int, Any]) -> list[list[Any]]:
    """A deep copy of the object cells of many rows; most hold strings and numbers, which need none."""
    return [[cell if _is_constant(cell) else copy.deepcopy(cell, memo) for cell in cells] for cells in rows]


def _is_constant(value: object) -> bool:
    if type(value) is tuple:
        return ATOMS.issuperset(map(type, cast("tuple[object, ...]", value)))
    return type(value) in ATOMS or isinstance(value, Enum)


def _restore_table(table: Table, state: _TableState, memo: dict[int, Any]) -> None:
    table.append_many(state.ids)
    for component, buffer, cells in zip(state.components, state.buffers, state.cells, strict=True):
        pool = table.pools[component]
        pool.view[: len(buffer)] = buffer
        for row, copied in enumerate(_copied(cells, memo)):
            pool.put_cells(row, copied)


def _tables_of(world: World, snapshot: Snapshot) -> list[Table]:
    return [world._table(state.components, False) for state in snapshot.tables]


def _put_first(world: World, first: list[Table]) -> None:
    """Put the snapshot's tables first, in its order: the order of tables is the order of queries.

    Tables that came to exist only after the snapshot are dropped, as they would come to exist again later.
    """
    for table in _shared_tables(world):
        if table not in first:
            del world._by_archetype[frozenset(table.components), False]
    world._tables = [*first, *(table for table in world._tables if table.local)]
    world._plans.clear()
    world._laid_out()
    for place, table in enumerate(world._tables):
        table.place = place
        if table.local:
            world._local.tables[indices_of(table.ids[: table.count])] = place


def _local_components(world: World) -> list[tuple[int, list[Component]]]:
    """The local components of shared entities, to be put back after the tables are refilled."""
    kept: dict[int, list[Component]] = {}
    for table in _shared_tables(world):
        for pool in table.pools.values():
            if pool.present is not None:
                for row in np.flatnonzero(pool.present[: table.count]).tolist():
                    kept.setdefault(table.id_view[row], []).append(pool.row(row).copy())
    return list(kept.items())


def _restore_children(world: World, children: dict[int, list[int]]) -> None:
    before = world._children
    world._children = {parent: below.copy() for parent, below in children.items()}
    orphans: list[int] = []
    for parent, below in before.items():
        local = [child for child in below if child & LOCAL]
        if local and world._is_current(parent):
            world._children.setdefault(parent, []).extend(local)
        else:
            orphans.extend(local)
    for orphan in orphans:
        world._remove_entity(orphan)


def _restore_resources(world: World, resources: list[Resource]) -> None:
    known = {type(resource) for resource in resources}
    for resource in world.state_resources:
        if type(resource) not in known:
            del world._resources[type(resource)]
    for saved in resources:
        live = world.find_resource(type(saved))
        if live is None:
            world.insert(saved)
        else:
            vars(live).clear()
            vars(live).update(vars(saved))
