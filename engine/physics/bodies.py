"""The solver's bodies by slot: a small number per entity that stays the same while the entity is in the layout.

An entity holds a slot from when it has the components until it loses them; the body in the slot may be missing
(its values were rejected, or it is in quarantine) and may be replaced (its mass or shape changed). The solver's own
ids of bodies are addresses, so nothing may depend on their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pymunk
from numpy.typing import NDArray

from engine.ecs import Entity
from engine.physics import direct

if TYPE_CHECKING or direct.CALLS is not None:
    from engine.physics import kernel

ABSENT = -1
FEW = 128
"""Up to this many are looked up one by one, without making an index first."""


class SlotBody(pymunk.Body):
    """A body that knows its slot."""

    slot: int = ABSENT
    if not TYPE_CHECKING:
        __setattr__ = object.__setattr__  # the base class has one of its own, which takes time and does nothing


class Bodies:
    """Parallel columns over slots."""

    def __init__(self) -> None:
        self.version = 0
        """Changes whenever a body is put in or taken out."""
        self.slot_of: dict[int, int] = {}
        """Slot by entity id."""
        self.handles: list[Entity | None] = []
        self.ids: list[int] = []
        """Entity id by slot, 0 where free; as `entity`, for looking at one by one."""
        self.live: list[SlotBody | None] = []
        self.shapes: list[list[pymunk.Shape]] = []
        self.entity: NDArray[np.uint64] = np.zeros(64, np.uint64)
        """Entity id by slot, 0 where free."""
        self.address: NDArray[np.uintp] = np.zeros(64, np.uintp)
        """The solver's id of the body by slot, 0 where there is none."""
        self.pointer: NDArray[np.uintp] = np.zeros(64, np.uintp)
        """Where the solver has the body by slot, 0 where there is none; for the kernel, and all 0 without one."""
        self.is_static: NDArray[np.bool_] = np.zeros(64, np.bool_)
        self.is_round: NDArray[np.bool_] = np.zeros(64, np.bool_)
        """Whether turning the body moves nothing of it."""
        self.archetype: NDArray[np.int32] = np.zeros(64, np.int32)
        """Which set of components the entity has, as a number of `Simulation.archetypes`."""
        self.damping: NDArray[np.float64] = np.ones((64, 2))
        """Linear and angular."""
        self.reach: NDArray[np.float64] = np.zeros(64)
        """How far the shape goes from the entity's place."""
        self.kept: dict[int, Any] = {}
        """While rows are rearranged: by slot, what was last seen of the entities whose rows are others'."""
        self._free: list[int] = []
        self._census: NDArray[np.uint64] | None = None
        self._slot_at: dict[int, int] = {}
        self._addresses: NDArray[np.uintp] | None = None
        self._slot_by_address: NDArray[np.intp] = np.empty(0, np.intp)
        self._table: tuple[int, kernel.Table] | None = None

    def take(self, entity: Entity) -> int:
        """A slot for an entity that has none."""
        if self._free:
            slot = self._free.pop()
        else:
            slot = len(self.live)
            self.live.append(None)
            self.shapes.append([])
            self.handles.append(None)
            self.ids.append(0)
            if slot == len(self.entity):
                self._grow()
        self.slot_of[entity.id] = slot
        self.handles[slot] = entity
        self.entity[slot] = self.ids[slot] = entity.id
        self.damping[slot] = 1.0
        self._census = None
        return slot

    def release(self, slot: int) -> None:
        """Give a slot back."""
        del self.slot_of[self.ids[slot]]
        self.handles[slot] = None
        self.entity[slot] = self.ids[slot] = 0
        self._free.append(slot)
        self._census = None

    def put(self, slot: int, body: SlotBody | None, shapes: list[pymunk.Shape]) -> None:
        """Set what the solver has for a slot."""
        if body is not None:
            body.slot = slot
        self.live[slot] = body
        self.shapes[slot] = shapes
        self._slot_at.pop(int(self.address[slot]), None)
        self.address[slot] = self.pointer[slot] = 0
        if body is not None:
            self.address[slot] = body.id
            if direct.CALLS is not None:
                self.pointer[slot] = direct.address_of(body)
            self._slot_at[body.id] = slot
            self.is_static[slot] = body.body_type == pymunk.Body.STATIC
        self._addresses = None
        self.version += 1

    def _grow(self) -> None:
        for name in ("entity", "address", "pointer", "is_static", "is_round", "archetype", "damping", "reach"):
            old: NDArray[Any] = getattr(self, name)
            new = np.zeros((2 * len(old), *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    @property
    def census(self) -> NDArray[np.uint64]:
        """A copy of `entity`, to be shared; a new one is made after an entity has taken or released a slot."""
        if self._census is None:
            self._census = self.entity.copy()
        return self._census

    def slots_of(self, entities: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The slots of entities, `ABSENT` for those that have none; shape (entities,)."""
        slot_of = self.slot_of.get
        return np.array([slot_of(id, ABSENT) for id in entities.tolist()], np.intp)

    @property
    def slot_at(self) -> Mapping[int, int]:
        """Slot by the solver's id of the body in it. Quicker than `slots_at` for a few."""
        return self._slot_at

    @property
    def table(self) -> kernel.Table:
        """Slots by `pointer`, for the kernel."""
        if self._table is None or self._table[0] != self.version:
            size = 1 << (2 * len(self.live)).bit_length()
            keys, slots = np.zeros(size, np.uintp), np.zeros(size, np.int64)
            kernel.index(self.pointer, keys, slots)
            self._table = self.version, (keys.data, slots.data, self.entity.data)
        return self._table[1]

    def slots_at(self, addresses: NDArray[np.uintp]) -> NDArray[np.intp]:
        """The slots of bodies by the solver's ids, `ABSENT` for those it made itself; same shape."""
        if addresses.size <= FEW:
            slot_at = self._slot_at.get
            return np.array([slot_at(a, ABSENT) for a in addresses.ravel().tolist()], np.intp).reshape(addresses.shape)
        if self._addresses is None:
            taken = np.flatnonzero(self.address)
            self._slot_by_address = taken[np.argsort(self.address[taken])]
            self._addresses = self.address[self._slot_by_address]
        keys, slots = self._addresses, self._slot_by_address
        if not len(keys):
            return np.full(addresses.shape, ABSENT, np.intp)
        places = keys.searchsorted(addresses)
        found = slots.take(places, mode="clip")
        found[keys.take(places, mode="clip") != addresses] = ABSENT
        return found
