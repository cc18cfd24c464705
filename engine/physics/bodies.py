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
        self.version = 0
        """Changes whenever a body is put in or taken out."""
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
        self.reach: NDArray[np.float64] = np.zeros(64)
        """How far the shape goes from the entity's place."""
        self.place: NDArray[np.float64] = np.zeros((64, 3))
        """While the layout is rearranged: x, y, angle as last synced."""
        self.velocity: NDArray[np.float64] = np.zeros((64, 3))
        """While the layout is rearranged: vx, vy, angular as last synced."""
        self.body: NDArray[np.uint8] = np.zeros((64, np.dtype(Body.record).itemsize), np.uint8)
        """While the layout is rearranged: the Body as last seen."""
        self.collider: NDArray[np.uint8] = np.zeros((64, np.dtype(Collider.record).itemsize), np.uint8)
        """While the layout is rearranged: the Collider as last seen."""
        self.cells: list[Any] = []
        """While the layout is rearranged: the Collider's object cells as last seen."""
        self._free: list[int] = []
        self._entities: NDArray[np.uint64] | None = None
        self._slot_by_rank: NDArray[np.intp] = np.empty(0, np.intp)
        self._rank_by_slot: NDArray[np.int64] = np.empty(0, np.int64)
        self._addresses: NDArray[np.uintp] | None = None
        self._slot_by_address: NDArray[np.intp] = np.empty(0, np.intp)
        self._rank_by_address: NDArray[np.int64] | None = None

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
        self._entities = None
        return slot

    def release(self, slot: int) -> None:
        """Give a slot back."""
        del self.slot_of[int(self.entity[slot])]
        self.handles[slot] = None
        self.entity[slot] = 0
        self._free.append(slot)
        self._entities = None

    def put(self, slot: int, body: SlotBody | None, shapes: list[pymunk.Shape]) -> None:
        """Set what the solver has for a slot."""
        if body is not None:
            body.slot = slot
        self.live[slot] = body
        self.shapes[slot] = shapes
        self.address[slot] = 0 if body is None else body.id
        self._addresses = None
        self.version += 1

    def _grow(self) -> None:
        for name in ("entity", "address", "archetype", "damping", "reach", "place", "velocity", "body", "collider"):
            old: NDArray[Any] = getattr(self, name)
            new = np.zeros((2 * len(old), *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    @property
    def entities(self) -> NDArray[np.uint64]:
        """The ids of all entities that have a slot, sorted. The place of one among them is its rank."""
        return self._rank()

    def _rank(self) -> NDArray[np.uint64]:
        if self._entities is None:
            taken = np.flatnonzero(self.entity)
            self._slot_by_rank = taken[np.argsort(self.entity[taken])]
            self._rank_by_slot = np.full(len(self.live), ABSENT, np.int64)
            self._rank_by_slot[self._slot_by_rank] = np.arange(len(taken))
            self._entities = self.entity[self._slot_by_rank]
            self._rank_by_address = None
        return self._entities

    @property
    def slot_by_rank(self) -> NDArray[np.intp]:
        """The slots of the entities in order of id."""
        self._rank()
        return self._slot_by_rank

    @property
    def rank_by_slot(self) -> NDArray[np.int64]:
        """The ranks of the slots, `ABSENT` for free ones."""
        self._rank()
        return self._rank_by_slot

    def slots_of(self, entities: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The slots of entities, `ABSENT` for those that have none; same shape."""
        return _look_up(self.entities, self.slot_by_rank, entities)

    def slots_at(self, addresses: NDArray[np.uintp]) -> NDArray[np.intp]:
        """The slots of bodies by the solver's ids, `ABSENT` for those it made itself; same shape."""
        return _look_up(self._by_address(), self._slot_by_address, addresses)

    def ranks_at(self, addresses: NDArray[np.uintp]) -> NDArray[np.int64]:
        """The ranks of the entities of bodies that are all known, by the solver's ids; same shape."""
        keys = self._by_address()
        if self._rank_by_address is None:
            self._rank_by_address = self.rank_by_slot[self._slot_by_address]
        return self._rank_by_address[keys.searchsorted(addresses)]

    def _by_address(self) -> NDArray[np.uintp]:
        if self._addresses is None:
            taken = np.flatnonzero(self.address)
            self._slot_by_address = taken[np.argsort(self.address[taken])]
            self._addresses = self.address[self._slot_by_address]
            self._rank_by_address = None
        return self._addresses


def _look_up(keys: NDArray[Any], slots: NDArray[np.intp], wanted: NDArray[Any]) -> NDArray[np.intp]:
    if not len(keys):
        return np.full(wanted.shape, ABSENT, np.intp)
    places = keys.searchsorted(wanted)
    found = slots.take(places, mode="clip")
    found[keys.take(places, mode="clip") != wanted] = ABSENT
    return found
