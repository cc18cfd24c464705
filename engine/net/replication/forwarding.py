"""Events of a prediction, each told once, however often its tick is simulated.

An event is known again by what it says, numbers with a fraction aside, and by its place among those that say the same
in its tick. A correction may move it by a tick or two: it is still the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from engine.ecs import Entity, World
from engine.net.wire.declaration import Told

NEAR = 3
"""Ticks by which an event may move and be the same."""
NEAR_WITH_ENTITY = 5
"""The same for one that names entities, which few others are like."""

Sign = tuple[Any, ...]
"""What an event says, numbers with a fraction aside."""
Identity = Callable[[int], "int | None"]
"""What an entity of the prediction is known as for good; None for one that is nobody's business."""


@dataclasses.dataclass(slots=True, eq=False)
class Entry:
    """An event that was told, or is about to be."""

    tick: int
    sign: Sign
    event: Any
    told: Told
    entities: dict[str, int]
    """By field: what its entities are known as."""
    certain: bool = True
    """Whether it happened in the latest simulation of its tick."""
    sent: bool = False

    @property
    def near(self) -> int:
        """Ticks by which it may move."""
        return NEAR_WITH_ENTITY if self.entities else NEAR


class Forwarding:
    """Which events of `player`'s prediction are told, and when."""

    def __init__(self, player: int) -> None:
        self.player = player
        self.entries: list[Entry] = []
        self.withdrawn: list[Entry] = []
        """Told, but did not happen after all."""
        self._noted: list[tuple[Told, Any]] = []
        self._claimed: set[int] = set()
        self._put_back = -NEAR_WITH_ENTITY

    def note(self, told: Told, event: object) -> None:
        """An event was posted in the tick being simulated."""
        if not told.mine or getattr(event, told.mine) == self.player:
            self._noted.append((told, event))

    def settle(self, tick: int, identity: Identity) -> None:
        """The tick is over: know its events again, or for the first time."""
        noted, self._noted = self._noted, []
        for told, event in noted:
            entities = {name: identity(getattr(event, name).id) for name in told.entities}
            known = {name: key for name, key in entities.items() if key is not None}
            if len(known) < len(entities):
                continue
            sign = _sign(told, event, known)
            entry = self._find(sign, tick)
            if entry is None:
                entry = Entry(tick, sign, event, told, known)
                self.entries.append(entry)
            elif not entry.sent:
                entry.event = event
            entry.tick, entry.certain = tick, True
            self._claimed.add(id(entry))

    def _find(self, sign: Sign, tick: int) -> Entry | None:
        """The one that has not been found in this simulation and is nearest, if it may have moved that far."""
        found: Entry | None = None
        for entry in self.entries:
            if entry.sign != sign or id(entry) in self._claimed:
                continue
            away = abs(entry.tick - tick)
            may_have_moved = not entry.certain or self._put_back - entry.near < entry.tick <= self._put_back
            if away <= (entry.near if may_have_moved else 0) and (found is None or away < abs(found.tick - tick)):
                found = entry
        return found

    def rewind(self, tick: int) -> None:
        """All after `tick` is simulated again. What happened shortly before it may come again, too."""
        self._claimed.clear()
        self._put_back = tick
        for entry in self.entries:
            if entry.tick > tick:
                entry.certain = False

    def advance(self, tick: int, confirmed: int) -> None:
        """`tick` has been simulated, and all up to `confirmed` is as it was: give up what is long past.

        What was put back and did not happen again may have happened before that, a little sooner than predicted; or
        not at all, if it was too long after.
        """
        kept: list[Entry] = []
        for entry in self.entries:
            missed = not entry.certain and entry.tick <= tick - entry.near
            if missed and entry.sent and entry.tick > self._put_back + entry.near:
                self.withdrawn.append(entry)
            elif entry.tick > confirmed - entry.near if entry.sent else not missed:
                kept.append(entry)
                continue
            self._claimed.discard(id(entry))
        self.entries = kept

    def withdraw(self, key: int, after: int = -1) -> None:
        """What is known by `key` never was, or not after a tick: nor was what names it."""
        for entry in [each for each in self.entries if each.tick > after and key in each.entities.values()]:
            self.entries.remove(entry)
            self._claimed.discard(id(entry))
            if entry.sent:
                self.withdrawn.append(entry)

    def take(self, world: World, shown: Callable[[int], int | None]) -> list[object]:
        """What is to be told now, with entities of `world`."""
        taken: list[object] = []
        for entry in self.entries:
            if not entry.sent and entry.certain:
                event = mapped(entry, world, shown)
                if event is not None:
                    taken.append(event)
                entry.sent = True
        return taken


def mapped(entry: Entry, world: World, shown: Callable[[int], int | None]) -> object | None:
    """The event with the entities that stand for its own; None if one was never shown."""
    entities: dict[str, Entity] = {}
    for name, key in entry.entities.items():
        id = shown(key)
        if id is None:
            return None
        entities[name] = Entity(world, id)
    return dataclasses.replace(entry.event, **entities) if entities else entry.event


def _sign(told: Told, event: Any, entities: dict[str, int]) -> Sign:
    values: list[Any] = [told.event]
    for field in dataclasses.fields(event):
        value: Any = entities.get(field.name, getattr(event, field.name))
        if not _is_measured(value):
            values.append(value)
    return tuple(values)


def _is_measured(value: Any) -> bool:
    """Whether a value may differ a little when its tick is simulated again."""
    if isinstance(value, tuple):
        return any(map(_is_measured, cast("tuple[Any, ...]", value)))
    return isinstance(value, float | np.floating)
