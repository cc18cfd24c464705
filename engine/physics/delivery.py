"""From touching pairs to events: matched against what is subscribed, and posted in order of entity ids."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.ecs import Component, Entity, World
from engine.events import Dispatcher
from engine.physics.contacts import firsts, seconds
from engine.physics.events import ContactBegan, ContactEnded
from engine.physics.layout import Components
from engine.physics.simulation import Gone, Simulation

Slots: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Of the first and of the second entities of pairs."""

_BEGAN: Any = ContactBegan
_ENDED: Any = ContactEnded

FEW = 16
"""Up to so many contacts, making events one by one is quicker than column by column."""


@dataclass(slots=True)
class _Key:
    """One subscribed event type; `sides` is None for the bare one."""

    event: Any
    sides: tuple[type[Component], type[Component]] | None


@dataclass(slots=True)
class _Taker:
    """A key that takes the contacts of two sets of components."""

    rank: int
    """Among the keys."""
    key: _Key
    turned: bool
    """Whether the second entity is its `a`."""


class _Audience:
    """The keys of all that began, or of all that ended; and who of them takes what."""

    def __init__(self) -> None:
        self.keys: list[_Key] = []
        self._takers: dict[tuple[int, int], list[_Taker]] = {}
        self._archetypes: object = None
        """What the numbers in `_takers` stand for."""

    def takers(self, simulation: Simulation, a: int, b: int) -> list[_Taker]:
        """Who takes the contact of the entities in two slots, in order of subscription."""
        if simulation.archetypes is not self._archetypes:
            self._archetypes = simulation.archetypes
            self._takers.clear()
        archetype = simulation.bodies.archetype
        kinds = int(archetype[a]), int(archetype[b])
        found = self._takers.get(kinds)
        if found is None:
            found = self._find(simulation, kinds)
        handles = simulation.bodies.handles
        return found if found is not None else _takers(self.keys, *(_components(handles[slot]) for slot in (a, b)))

    def _find(self, simulation: Simulation, kinds: tuple[int, int]) -> list[_Taker] | None:
        """For all entities of these archetypes; None if single ones differ, by their local components."""
        if any(side.local for key in self.keys for side in key.sides or ()):
            return None
        found = _takers(self.keys, *(simulation.archetypes[kind] for kind in kinds))
        self._takers[kinds] = found
        return found


def _takers(keys: list[_Key], components_a: Container[type], components_b: Container[type]) -> list[_Taker]:
    found: list[_Taker] = []
    for rank, key in enumerate(keys):
        if key.sides is None or (key.sides[0] in components_a and key.sides[1] in components_b):
            found.append(_Taker(rank, key, turned=False))
        elif key.sides[0] in components_b and key.sides[1] in components_a:
            found.append(_Taker(rank, key, turned=True))
    return found


class Delivery:
    """Posts a simulation's contacts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._version = -1
        self._began = _Audience()
        self._ended = _Audience()

    def post(self, simulation: Simulation) -> None:
        """Post what began and ended in the last step, and forget what had ended before it."""
        self._look_up_keys()
        if self._began.keys:
            for touches in simulation.began:
                self._post_pairs(simulation, self._began, touches.pairs, touches.values)
        if self._ended.keys:
            for number, pairs in enumerate(simulation.ended):
                self._post_pairs(simulation, self._ended, pairs, None, () if number else simulation.gone)
        simulation.gone.clear()

    def tell(self, began: Iterable[ContactBegan[Any, Any]], ended: Iterable[Gone]) -> None:
        """Post contacts that were found by other means than a step: in order of ids, then of subscription."""
        self._look_up_keys()
        for contact in sorted(map(_in_order, began), key=lambda contact: (contact.a.id, contact.b.id)):
            for key in self._began.keys:
                if key.sides is None or (_has(contact.a, key.sides[0]) and _has(contact.b, key.sides[1])):
                    self._post_all(key, (contact,))
                elif _has(contact.b, key.sides[0]) and _has(contact.a, key.sides[1]):
                    self._post_all(key, (_turned(contact),))
        for gone in sorted(ended, key=lambda gone: (gone.a, gone.b)):
            for key in self._ended.keys:
                if (event := self._ended_by_loss(gone, key)) is not None:
                    self._post_all(key, (event,))

    def _look_up_keys(self) -> None:
        outlet = self.world.outlet
        if outlet.version == self._version:
            return
        self._version = outlet.version
        self._began, self._ended = _Audience(), _Audience()
        for key in outlet.keys() if isinstance(outlet, Dispatcher) else ():
            origin: Any = getattr(key, "__origin__", key)
            keys = self._began if origin is ContactBegan else self._ended if origin is ContactEnded else None
            if keys is not None:
                keys.keys.append(_Key(key, getattr(key, "__args__", None)))

    def _post_pairs(
        self,
        simulation: Simulation,
        audience: _Audience,
        pairs: NDArray[np.int64],
        values: NDArray[np.float64] | None,
        gone: Sequence[Gone] = (),
    ) -> None:
        """Post one event a pair and matching key, in order of ids, then of subscription."""
        if not len(pairs) and not gone:
            return
        keys = audience.keys
        if len(keys) > 1 or gone or len(pairs) <= FEW:
            self._post_one_by_one(simulation, audience, pairs, values, gone)
            return
        slots = firsts(pairs), seconds(pairs)
        order = np.lexsort([simulation.bodies.entity[side] for side in reversed(slots)])
        slots = slots[0][order], slots[1][order]
        values = None if values is None else values[:, order]
        chosen, flipped = self._matching(simulation, slots, keys[0])
        self._post_all(keys[0], self._make(simulation, slots, values, chosen, flipped))

    def _post_one_by_one(
        self,
        simulation: Simulation,
        audience: _Audience,
        pairs: NDArray[np.int64],
        values: NDArray[np.float64] | None,
        gone: Sequence[Gone],
    ) -> None:
        ids, handles = simulation.bodies.ids, simulation.bodies.handles
        found: list[tuple[int, int, int, _Key, object]] = []
        rows: Iterable[Sequence[float]] = repeat(()) if values is None else values.T.tolist()
        numbers: list[int] = pairs.tolist()
        for pair, row in zip(numbers, rows, strict=False):
            a, b = pair >> 32, pair & 0xFFFF_FFFF
            for taker in audience.takers(simulation, a, b):
                event = _event(handles[a], handles[b], row, turned=taker.turned)
                found.append((ids[a], ids[b], taker.rank, taker.key, event))
        found += [
            (pair.a, pair.b, rank, key, event)
            for rank, key in enumerate(audience.keys)
            for pair in gone
            if (event := self._ended_by_loss(pair, key))
        ]
        found.sort(key=itemgetter(0, 1, 2))
        for _, _, _, key, event in found:
            self._post_all(key, (event,))

    def _make(
        self,
        simulation: Simulation,
        slots: Slots,
        values: NDArray[np.float64] | None,
        chosen: NDArray[np.intp] | None,
        flipped: NDArray[np.bool_] | None,
    ) -> Iterable[object]:
        """The events of the chosen contacts; None stands for all, and for none flipped."""
        first, second = slots
        if chosen is not None:
            first, second = first[chosen], second[chosen]
            values = None if values is None else values[:, chosen]
        if flipped is not None and flipped.any():
            first, second = np.where(flipped, second, first), np.where(flipped, first, second)
            if values is not None:
                values[2:4, flipped] *= -1.0
        handles = simulation.bodies.handles.__getitem__
        a, b = map(handles, first.tolist()), map(handles, second.tolist())
        return map(_ENDED, a, b) if values is None else map(_BEGAN, a, b, *values.tolist())

    def _matching(
        self, simulation: Simulation, slots: Slots, key: _Key
    ) -> tuple[NDArray[np.intp] | None, NDArray[np.bool_] | None]:
        """The contacts a key takes, and which of these must be turned round for it; None for all, and for none."""
        if key.sides is None:
            return None, None
        has_a, has_b = (self._having(simulation, slots, side) for side in key.sides)
        straight = has_a[0] & has_b[1]
        turned = has_a[1] & has_b[0] & ~straight
        chosen = np.flatnonzero(straight | turned)
        return chosen, turned[chosen]

    def _having(self, simulation: Simulation, slots: Slots, side: type[Component]) -> list[NDArray[np.bool_]]:
        """Which of the first and of the second entities have a component."""
        if side.local:
            handles = simulation.bodies.handles
            columns: list[list[int]] = [column.tolist() for column in slots]
            return [np.array([_has(handles[slot], side) for slot in column], np.bool_) for column in columns]
        having = np.array([side in components for components in simulation.archetypes])
        return [having[simulation.bodies.archetype[column]] for column in slots]

    def _ended_by_loss(self, gone: Gone, key: _Key) -> ContactEnded[Any, Any] | None:
        a, b = Entity(self.world, gone.a), Entity(self.world, gone.b)
        if key.sides is not None:
            side_a, side_b = key.sides
            if not (_had(a, gone.components_a, side_a) and _had(b, gone.components_b, side_b)):
                if not (_had(b, gone.components_b, side_a) and _had(a, gone.components_a, side_b)):
                    return None
                a, b = b, a
        return ContactEnded(a, b)

    def _post_all(self, key: _Key, events: Iterable[object]) -> None:
        if key.sides is None:
            deque(map(self.world.post, events), maxlen=0)
        else:
            post_as, event_type = self.world.post_as, key.event
            for event in events:
                post_as(event_type, event)


def _event(a: Any, b: Any, values: Sequence[float], *, turned: bool) -> object:
    """What began, as these values say; or what ended, if there are none."""
    if not values:
        return _ENDED(b, a) if turned else _ENDED(a, b)
    x, y, nx, ny, impulse, energy = values
    return _BEGAN(b, a, x, y, -nx, -ny, impulse, energy) if turned else _BEGAN(a, b, *values)


def _components(entity: Entity | None) -> list[type]:
    return [] if entity is None else list(map(type, entity.world.components(entity)))


def _in_order(contact: ContactBegan[Any, Any]) -> ContactBegan[Any, Any]:
    return contact if contact.a.id < contact.b.id else _turned(contact)


def _turned(contact: ContactBegan[Any, Any]) -> ContactBegan[Any, Any]:
    return replace(contact, a=contact.b, b=contact.a, nx=-contact.nx, ny=-contact.ny)


def _has(entity: Entity | None, side: type[Component]) -> bool:
    return entity is not None and side in entity


def _had(entity: Entity, components: Components, side: type[Component]) -> bool:
    """Whether an entity that left the space had a component then; a local one it must still have."""
    return entity.alive and side in entity if side.local else side in components
