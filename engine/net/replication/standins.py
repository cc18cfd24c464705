"""Stand-ins: entities that a client's prediction brought about before the server told of them.

A stand-in is shown under an id of its own until it ends. In the prediction it may come to be again and again, each time
under another id; it is known again by what it is, whose, when it was spawned, and its place among those alike. When the
server's entity arrives, that one is known by the stand-in from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import hypot, remainder, tau
from typing import TypeAlias

from engine.ecs import Component, Entity
from engine.net.wire.declaration import Declarations

Place: TypeAlias = tuple[float, float, float]
"""x, y, angle."""

NEAR = 5
"""Ticks by which the server may spawn it sooner or later than predicted, as commands come late."""
TURN = 50.0
"""Units that a radian counts, where several were spawned in one tick and the nearest is looked for."""


@dataclass(slots=True, eq=False)
class StandIn:
    """One predicted spawning."""

    key: int
    """What it is known as for good: the first id it had in the prediction."""
    kind: type[Component]
    tick: int
    order: int
    """Its place among those of its kind spawned in that tick."""
    id: int
    """Its id in the prediction: the present one, or the last it had."""
    server: int = 0
    """The server's entity, once known."""
    loose: bool = False
    """Not in the prediction at present, as the tick it was spawned in is to be simulated again."""


class StandIns:
    """The stand-ins of one player's prediction."""

    def __init__(self) -> None:
        self.by_id: dict[int, StandIn] = {}
        self.by_server: dict[int, StandIn] = {}

    def __iter__(self) -> Iterator[StandIn]:
        return iter(list(self.by_id.values()))

    def spawned(self, kind: type[Component], tick: int, id: int) -> StandIn:
        """The prediction has spawned something: perhaps one that is known already, again."""
        order = sum(1 for each in self.by_id.values() if not each.loose and each.tick == tick and each.kind is kind)
        loose = [each for each in self.by_id.values() if each.loose and each.kind is kind]
        near = [each for each in loose if abs(each.tick - tick) <= NEAR]
        if near:
            found = min(near, key=lambda each: (abs(each.tick - tick), abs(each.order - order), each.key))
            del self.by_id[found.id]
            found.tick, found.order, found.id, found.loose = tick, order, id, False
        else:
            found = StandIn(id, kind, tick, order, id)
        self.by_id[id] = found
        return found

    def moved(self, standin: StandIn, id: int) -> None:
        """It has another id in the prediction now."""
        del self.by_id[standin.id]
        standin.id = id
        self.by_id[id] = standin

    def known(self, standin: StandIn, server: int) -> None:
        """The server's entity has arrived."""
        standin.server = server
        self.by_server[server] = standin

    def forget(self, standin: StandIn) -> None:
        """It is gone for good."""
        self.by_id.pop(standin.id, None)
        if standin.server:
            self.by_server.pop(standin.server, None)

    def match(self, arrived: list[Arrival], places: Mapping[int, Place]) -> list[tuple[StandIn, int]]:
        """Find the stand-ins of entities the server tells of for the first time: near in time, then near in place.

        `places` are those of stand-ins at the tick told of, by id, as far as known.
        """
        pairs: list[tuple[int, float, int, int, StandIn, Arrival]] = []
        for standin in self.by_id.values():
            if standin.server:
                continue
            for arrival in arrived:
                late = abs(standin.tick - arrival.birth)
                if arrival.kind is standin.kind and late <= NEAR:
                    pairs.append(
                        (
                            late,
                            _distance(places.get(standin.id), arrival.place),
                            standin.order,
                            arrival.id,
                            standin,
                            arrival,
                        )
                    )
        pairs.sort(key=lambda pair: pair[:4])
        matched: list[tuple[StandIn, int]] = []
        taken: set[int] = set()
        for *_, standin, arrival in pairs:
            if not standin.server and arrival.id not in taken:
                taken.add(arrival.id)
                self.known(standin, arrival.id)
                matched.append((standin, arrival.id))
        return matched


@dataclass(slots=True, frozen=True)
class Arrival:
    """An entity of the player's that the server tells of for the first time."""

    id: int
    kind: type[Component]
    birth: int
    """The tick at which the server spawned it."""
    place: Place | None
    """Where it was at the tick told of."""


def _distance(a: Place | None, b: Place | None) -> float:
    if a is None or b is None:
        return 0.0
    return hypot(a[0] - b[0], a[1] - b[1]) + TURN * abs(remainder(a[2] - b[2], tau))


def spawning_kind(entity: Entity, declared: Declarations) -> type[Component] | None:
    """The component by which an entity may be brought about by a prediction."""
    for kind, each in declared.predicted.items():
        if each.spawns and kind in entity:
            return kind
    return None


def owner_of(entity: Entity, declared: Declarations) -> int | None:
    """The player an entity belongs to; None if none of its components tells."""
    for kind, name in declared.owners.items():
        component = entity.get(kind)
        if component is not None:
            return int(getattr(component, name))
    return None
