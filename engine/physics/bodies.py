"""The solver's bodies by slot: a small number per entity that stays the same while the entity is in the layout.

An entity holds a slot from when it has the components until it loses them; the body in the slot may be missing
(its values were rejected, or it is in quarantine) and may be replaced (its mass or shape changed). The solver's own
ids of bodies are addresses, so nothing may depend on their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymunk
from numpy.typing import NDArray

from engine.ecs import Entity
from engine.physics.components import Body, Collider

ABSENT = -1


class SlotBody(pymunk.Body):
    """A body that knows its slot."""

    slot: int = ABSENT


class Bodies:
    """Parallel columns over slots."""

    def __init__(self) -> None:
        self.slot_of: dict[int, int] = {}
        """Slot by entity id."""
        self.handles: list[Entity | None] = []
        self.live: list[SlotBody | None] = []
        self.shapes: list[list[pymunk.Shape]] = []
        self.entity: NDArray[np.uint64] = np.zeros(64, np.uint64)
        """Entity id by slot, 0 where free."""
        self.address: NDArray[np.uintp] = np.zeros(64, np.uintp)
        """The solver's id of the body by slot, 0 where there is none."""
        self.archetype: NDArray[np.int32] = np.zeros(64, np.int32)
        """Which set of components the entity has, as a number of `Simulation.archetypes`."""
        self.damping: NDArray[np.float64] = np.ones((64, 2))
        """Linear and angular."""
        self.state: NDArray[np.float64] = np.zeros((64, 6))
        """While the layout is rearranged: x, y, angle, vx, vy, angular as last synced."""
        self.body: NDArray[Any] = np.zeros(64, Body.record)
        """While the layout is rearranged: the Body as last seen."""
        self.collider: NDArray[Any] = np.zeros(64, Collider.record)
        """While the layout is rearranged: the Collider as last seen."""
        self.cells: list[Any] = []
        """While the layout is rearranged: the Collider's object cells as last seen."""
        self._free: list[int] = []
        self._entities_sorted: NDArray[np.uint64] | None = None
        self._slots_by_entity: NDArray[np.intp] = np.empty(0, np.intp)
        self._addresses_sorted: NDArray[np.uintp] | None = None
        self._slots_by_address: NDArray[np.intp] = np.empty(0, np.intp)

    def take(self, entity: Entity) -> int:
        """A slot for an entity that has none."""
        if self._free:
            slot = self._free.pop()
        else:
            slot = len(self.live)
            self.live.append(None)
            self.shapes.append([])
            self.handles.append(None)
            self.cells.append(None)
            if slot == len(self.entity):
                self._grow()
        self.slot_of[entity.id] = slot
        self.handles[slot] = entity
        self.entity[slot] = entity.id
        self.damping[slot] = 1.0
        self._entities_sorted = None
        return slot

    def release(self, slot: int) -> None:
        """Give a slot back."""
        del self.slot_of[int(self.entity[slot])]
        self.handles[slot] = None
        self.entity[slot] = 0
        self._free.append(slot)
        self._entities_sorted = None

    def put(self, slot: int, body: SlotBody | None, shapes: list[pymunk.Shape]) -> None:
        """Set what the solver has for a slot."""
        if body is not None:
            body.slot = slot
        self.live[slot] = body
        self.shapes[slot] = shapes
        self.address[slot] = 0 if body is None else body.id
        self._addresses_sorted = None

    def _grow(self) -> None:
        for name in ("entity", "address", "archetype", "damping", "state", "body", "collider"):
            old: NDArray[Any] = getattr(self, name)
            new = np.zeros((2 * len(old), *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    @property
    def entities(self) -> NDArray[np.uint64]:
        """The ids of all entities that have a slot, sorted."""
        if self._entities_sorted is None:
            taken = np.flatnonzero(self.entity)
            order = np.argsort(self.entity[taken])
            self._slots_by_entity = taken[order]
            self._entities_sorted = self.entity[self._slots_by_entity]
        return self._entities_sorted

    def slots_of(self, entities: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The slots of entities, `ABSENT` for those that have none; same shape."""
        return _look_up(self.entities, lambda: self._slots_by_entity, entities)

    def slots_at(self, addresses: NDArray[np.uintp]) -> NDArray[np.intp]:
        """The slots of bodies by the solver's ids, `ABSENT` for those it made itself; same shape."""
        if self._addresses_sorted is None:
            taken = np.flatnonzero(self.address)
            order = np.argsort(self.address[taken])
            self._slots_by_address = taken[order]
            self._addresses_sorted = self.address[self._slots_by_address]
        return _look_up(self._addresses_sorted, lambda: self._slots_by_address, addresses)


def _look_up(keys: NDArray[Any], slots: Any, wanted: NDArray[Any]) -> NDArray[np.intp]:
    if not len(keys):
        return np.full(wanted.shape, ABSENT, np.intp)
    places = np.searchsorted(keys, wanted)
    places[places == len(keys)] = 0
    found = slots()[places]
    found[keys[places] != wanted] = ABSENT
    return found
