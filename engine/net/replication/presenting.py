"""What is predicted, copied into the world that is shown.

There the server's entities have the server's ids, and stand-ins ids of their own, which they keep when the server's
entity is known: `aliases` leads from that one's id to theirs. Only shared components are copied, record by record; what
presentation hangs on an entity stays, whatever is corrected.
"""

# Whole records and the places of entities are not in the interface of worlds.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ecs import ChildOf, Component, EcsError, Entity, World
from engine.ecs.entity import INDEX
from engine.ecs.slots import indices_of
from engine.net.replication.history import Cast, Group, matrix_of
from engine.net.replication.layout import MOST_SLOTS
from engine.net.replication.smoothing import NEWBORN_HALF, Smoothing
from engine.net.replication.standins import owner_of, spawning_kind
from engine.net.wire.protocol import Protocol
from engine.scene import Transform

YOUNG = 60
"""Ticks since the server spawned something, up to which it is shown to come from whom it came from."""


class Presenting:
    """Keeps the shown entities of a prediction as the prediction is."""

    def __init__(self, protocol: Protocol, player: int, cast: Cast, smoothing: Smoothing) -> None:
        self.aliases: dict[int, int] = {}
        """By the server's id: the id of what stands for it in the world shown."""
        self._declared = protocol.declarations
        self._player = player
        self._cast = cast
        self._smoothing = smoothing
        self._shown: dict[int, int] = {}  # by key
        self._servers: dict[int, int] = {}  # the server's id of stand-ins, by key
        self._references: dict[type[Component], list[str]] = {}

    def known(self, key: int, server: int) -> None:
        """The server's entity for which a stand-in stands has arrived."""
        self._servers[key] = server
        if key in self._shown:
            self.aliases[server] = self._shown[key]

    def forget(self, key: int) -> None:
        """A stand-in and the entity it stood for are gone. If it is shown, it goes with the next call."""
        if key not in self._shown:
            self._servers.pop(key, None)

    def shown_id(self, key: int) -> int | None:
        """The id in the world shown of what is known by `key`; None if it never was there."""
        id = self._shown.get(key)
        return id if id is not None or key & INDEX >= MOST_SLOTS else key

    def present(
        self, world: World, keys: Sequence[int], waited_for: set[int], births: Mapping[int, int], tick: int
    ) -> None:
        """Make the shown entities those of the cast, known by `keys`."""
        self._remove(world, {*keys, *waited_for})
        for place, key in enumerate(keys):
            if self._shown.get(key) is None or world.find(self._shown[key]) is None:
                self._appear(world, place, key, births.get(key), tick)
        ids = np.array([self._shown.get(key, 0) for key in keys], np.uint64)
        for group in self._cast.groups():
            self._copy(world, group, ids[group.order])

    def _remove(self, world: World, stay: set[int]) -> None:
        for key in [key for key in self._shown if key not in stay]:
            server = self._servers.pop(key, None)
            if server is not None:
                self.aliases.pop(server, None)
            _take_out(world, self._shown.pop(key))

    def clear(self, world: World, left: Sequence[int]) -> None:
        """Of what the mirror has left to the prediction, take out what that does not show: it was of the past."""
        shown = set(self._shown.values())
        for id in left:
            if id not in shown:
                _take_out(world, id)

    def succeed(self, before: Presenting, world: World) -> None:
        """Take over from a prediction that has ended: what it showed under ids of this side goes at once.

        What has the server's goes with the next call of `present`, unless it is predicted here, too.
        """
        for id in before._shown.values():
            if id & INDEX < MOST_SLOTS:
                self._shown[id] = id
            else:
                _take_out(world, id)

    # Appearing

    def _appear(self, world: World, place: int, key: int, birth: int | None, tick: int) -> None:
        """Show what has not been shown yet, or is not any more."""
        source = Entity(self._cast.world, int(self._cast.ids[place]))
        there = world.find(key) if key & INDEX < MOST_SLOTS else None
        if there is not None:  # it was shown as one of the others
            self._shown[key] = there.id
            self._take_over(there, source, place)
            return
        components = [part.copy() for part in self._cast.world.components(source) if _is_copied(type(part))]
        for component in components:
            self._translate(component)
        self._start(world, source, place, birth, tick)
        for component in components:
            if isinstance(component, Transform):
                x, y, angle = self._smoothing.offsets[place].tolist()
                component.x, component.y, component.angle = component.x + x, component.y + y, component.angle + angle
        if key & INDEX < MOST_SLOTS:
            try:
                self._shown[key] = world.adopt(key, *components).id
                return
            except EcsError:  # an entity of the past, which others still are, has the index
                self._servers[key] = key
        entity = world.spawn(*components)
        self._shown[key] = entity.id
        if key in self._servers:
            self.aliases[self._servers[key]] = entity.id

    def _take_over(self, there: Entity, source: Entity, place: int) -> None:
        at, now = there.get(Transform), source.get(Transform)
        if at is not None and now is not None:
            self._smoothing.begin(place, at.x - now.x, at.y - now.y, at.angle - now.angle)

    def _start(self, world: World, source: Entity, place: int, birth: int | None, tick: int) -> None:
        """What is new starts where it is shown to come from: its owner, who may be shown in the past."""
        at = source.get(Transform)
        owner = owner_of(source, self._declared)
        if at is None or owner is None or spawning_kind(source, self._declared) is None:
            return
        if owner == self._player:
            x, y = self._own_offset()
            self._smoothing.begin(place, x, y)
        elif birth is not None and tick - birth <= YOUNG:
            thrower = self._thrower(world, owner)
            if thrower is not None:
                self._smoothing.begin(place, thrower[0] - at.x, thrower[1] - at.y, half=NEWBORN_HALF)

    def _own_offset(self) -> tuple[float, float]:
        for place, id in enumerate(self._cast.ids.tolist()):
            entity = Entity(self._cast.world, id)
            if spawning_kind(entity, self._declared) is None and owner_of(entity, self._declared) == self._player:
                return float(self._smoothing.offsets[place, 0]), float(self._smoothing.offsets[place, 1])
        return 0.0, 0.0

    def _thrower(self, world: World, owner: int) -> tuple[float, float] | None:
        """Where an owner is shown: the first of what they have that is not itself brought about."""
        spawned = tuple(kind for kind, each in self._declared.predicted.items() if each.spawns)
        for kind, name in self._declared.owners.items():
            if kind not in spawned:
                for rows in world.tables(kind, Transform, without=spawned):
                    columns: Any = rows
                    found = np.flatnonzero(columns[vars(kind)[name]] == owner)
                    if len(found):
                        return float(rows[Transform.x][found[0]]), float(rows[Transform.y][found[0]])
        return None

    def _translate(self, component: Component) -> None:
        """Make a component's references those of the world shown."""
        for name in self._references_of(type(component)):
            setattr(component, name, self._there(getattr(component, name)))

    def _references_of(self, kind: type[Component]) -> list[str]:
        names = self._references.get(kind)
        if names is None:
            record = self._declared.components.get(kind)
            names = [field.name for field in record.fields if field.is_ref] if record is not None else []
            self._references[kind] = names
        return names

    def _there(self, id: int) -> int:
        return self._shown.get(id) or self.aliases.get(id, id)

    # Staying

    def _copy(self, world: World, group: Group, ids: NDArray[np.uint64]) -> None:
        """Copy a group's records to where its entities are in the world shown."""
        slots = world._shared
        indices = indices_of(ids)
        tables: NDArray[np.int32] = np.where(ids == 0, -1, slots.tables[np.minimum(indices, slots.capacity - 1)])
        places: list[int] = tables.tolist()
        for place in dict.fromkeys(places):
            if place < 0:  # they come at the end of the stage, with all they need
                continue
            table = world._tables[place]
            all_here = places.count(place) == len(places)
            here: Any = slice(None) if all_here else np.flatnonzero(tables == place)
            rows = slots.rows[indices[here]]
            source: Any = group.chosen if all_here else group.rows[here]
            for part in group.parts:
                pool = table.pools.get(part.component)
                if pool is None:
                    for id, row in zip(ids[here].tolist(), group.rows[here].tolist(), strict=True):
                        world.add(world.entity(id), part.pool.row(row).copy())
                    continue
                if pool.size:
                    matrix_of(pool)[rows] = part.matrix[source]
                if pool.cells is not None and part.pool.cells is not None:
                    for row, own in zip(rows.tolist(), group.rows[here].tolist(), strict=True):
                        if pool.cells[row] != part.pool.cells[own]:
                            pool.put_cells(row, list(part.pool.cells[own]))
                for name in self._references_of(part.component):
                    column = pool.records[name]
                    column[rows] = np.array([self._there(id) for id in column[rows].tolist()], np.uint64)
            for kind in table.components:
                if kind in self._declared.components and kind not in group.table.pools:
                    for id in ids[here].tolist():
                        world.remove(world.entity(id), kind)
            if Transform in table.pools:
                columns, offsets = table.columns, self._smoothing.offsets[group.order[here]]
                if offsets.any():
                    for axis, key in enumerate((Transform.x, Transform.y, Transform.angle)):
                        columns[key][rows] += offsets[:, axis]


def _take_out(world: World, id: int) -> None:
    """Despawn an entity, if it is still there."""
    entity = world.find(id)
    if entity is not None and entity.alive:
        entity.despawn()


def _is_copied(kind: type[Component]) -> bool:
    return not kind.local and kind is not ChildOf
