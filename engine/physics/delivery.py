"""From touching pairs to events: matched against what is subscribed, and posted in order of entity ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ecs import Component, Entity, World
from engine.events import Dispatcher
from engine.physics.contacts import first_slots, second_slots
from engine.physics.events import ContactBegan, ContactEnded
from engine.physics.layout import Components
from engine.physics.simulation import Simulation


@dataclass(slots=True)
class _Key:
    """One subscribed event type; `sides` is None for the bare one."""

    event: Any
    sides: tuple[type[Component], type[Component]] | None


class Delivery:
    """Posts a simulation's contacts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._version = -1
        self._began: list[_Key] = []
        self._ended: list[_Key] = []

    def post(self, simulation: Simulation) -> None:
        """Post what began and ended in the last step, and forget what had ended before it."""
        self._look_up_keys()
        if self._began:
            for touches in simulation.began:
                if len(touches.pairs):
                    self._post_began(simulation, touches.pairs, touches.values)
        if self._ended:
            self._post_ended(simulation)
        simulation.gone.clear()

    def _look_up_keys(self) -> None:
        outlet = self.world.outlet
        if outlet.version == self._version:
            return
        self._version = outlet.version
        self._began, self._ended = [], []
        for key in outlet.keys() if isinstance(outlet, Dispatcher) else ():
            origin: Any = getattr(key, "__origin__", key)
            keys = self._began if origin is ContactBegan else self._ended if origin is ContactEnded else None
            if keys is not None:
                keys.append(_Key(key, getattr(key, "__args__", None)))

    # Began

    def _post_began(self, simulation: Simulation, pairs: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        slots = np.stack((first_slots(pairs), second_slots(pairs)), axis=1)
        ids = simulation.bodies.entity[slots]
        order = np.lexsort((ids[:, 1], ids[:, 0]))
        slots, values = slots[order], values[order]
        if len(self._began) == 1:
            key = self._began[0]
            chosen, flipped = self._matching(simulation, slots, key)
            self._post_all(key, self._make(simulation, slots, values, chosen, flipped))
            return
        found: list[tuple[int, int, _Key, Any]] = []
        for rank, key in enumerate(self._began):
            chosen, flipped = self._matching(simulation, slots, key)
            events = self._make(simulation, slots, values, chosen, flipped)
            found.extend(zip(chosen.tolist(), repeat(rank), repeat(key), events, strict=False))
        found.sort(key=lambda item: item[:2])
        for _, _, key, event in found:
            self._post_all(key, (event,))

    def _make(
        self,
        simulation: Simulation,
        slots: NDArray[np.int64],
        values: NDArray[np.float64],
        chosen: NDArray[np.intp],
        flipped: NDArray[np.bool_] | None,
    ) -> list[ContactBegan[Any, Any]]:
        slots, values = slots[chosen], values[chosen]
        if flipped is not None and flipped.any():
            slots[flipped] = slots[flipped, ::-1]
            values[flipped, 2:4] *= -1.0
        handles = simulation.bodies.handles.__getitem__
        a, b = (map(handles, column.tolist()) for column in slots.T)
        made: Any = map(ContactBegan, a, b, *values.T.tolist())
        return list(made)

    def _matching(
        self, simulation: Simulation, slots: NDArray[np.int64], key: _Key
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_] | None]:
        """The contacts a key takes, and which of these must be turned round for it."""
        if key.sides is None:
            return np.arange(len(slots)), None
        has_a, has_b = (self._having(simulation, slots, side) for side in key.sides)
        straight = has_a[:, 0] & has_b[:, 1]
        turned = has_a[:, 1] & has_b[:, 0] & ~straight
        chosen = np.flatnonzero(straight | turned)
        return chosen, turned[chosen]

    def _having(self, simulation: Simulation, slots: NDArray[np.int64], side: type[Component]) -> NDArray[np.bool_]:
        if side.local:
            handles = simulation.bodies.handles
            return np.array([[side in handles[slot] for slot in pair] for pair in slots.tolist()])  # pyright: ignore[reportOperatorIssue]
        having = np.array([side in components for components in simulation.archetypes])
        return having[simulation.bodies.archetype[slots]]

    # Ended

    def _post_ended(self, simulation: Simulation) -> None:
        bodies = simulation.bodies
        found: list[tuple[int, int, Components, Components]] = [
            (gone.a, gone.b, gone.components_a, gone.components_b) for gone in simulation.gone
        ]
        for pairs in simulation.ended:
            if len(pairs):
                a, b = first_slots(pairs), second_slots(pairs)
                kinds_a, kinds_b = (
                    [simulation.archetypes[number] for number in bodies.archetype[slots].tolist()] for slots in (a, b)
                )
                found.extend(zip(bodies.entity[a].tolist(), bodies.entity[b].tolist(), kinds_a, kinds_b, strict=True))
        found.sort(key=lambda item: item[:2])
        world = self.world
        for id_a, id_b, kinds_a, kinds_b in found:
            for key in self._ended:
                a, b = Entity(world, id_a), Entity(world, id_b)
                if key.sides is not None:
                    side_a, side_b = key.sides
                    if not (_has(a, kinds_a, side_a) and _has(b, kinds_b, side_b)):
                        if not (_has(b, kinds_b, side_a) and _has(a, kinds_a, side_b)):
                            continue
                        a, b = b, a
                self._post_all(key, (ContactEnded[Any, Any](a, b),))

    def _post_all(self, key: _Key, events: Iterable[object]) -> None:
        if key.sides is None:
            post = self.world.post
            for event in events:
                post(event)
        else:
            post_as, event_type = self.world.post_as, key.event
            for event in events:
                post_as(event_type, event)


def _has(entity: Entity, components: Components, side: type[Component]) -> bool:
    """Whether an entity has, or last had, a component."""
    if side.local:
        return entity.alive and side in entity
    return side in components
