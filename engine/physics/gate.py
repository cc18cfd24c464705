"""What happens inside a step, before a contact is solved: filters, one-way platforms, and contacts never solved.

Python is called only for pairs of collision classes that need it. A class stands for what a collider is in this
respect (sensor, immovable, one-way, which side of which filter); the solver's collision type is its number.
Callbacks never raise, as the solver would swallow the error: it is kept until the step is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, hypot, sin
from typing import Any, TypeAlias

import pymunk

from engine.ecs import Component, Entity, World
from engine.physics.bodies import Bodies, SlotBody
from engine.physics.components import OneWay
from engine.physics.contacts import Ghosts
from engine.physics.errors import PhysicsError

Filter: TypeAlias = Callable[[World, Entity, Entity], bool]
Components: TypeAlias = tuple[type[Component], ...]

ONE_WAY_COSINE = 0.5
"""A one-way collider holds what comes within 60° of its direction."""


@dataclass(frozen=True, slots=True)
class _Class:
    sensor: bool
    immovable: bool
    one_way: bool
    first_of: tuple[int, ...]
    """Indices of the filters whose first side this may be."""
    second_of: tuple[int, ...]


class Gate:
    """Decides which contacts are let through, once a contact, and counts those that are not solved."""

    def __init__(self, world: World, bodies: Bodies) -> None:
        self.world = world
        self.bodies = bodies
        self.filters: list[tuple[type[Component], type[Component], Filter]] = []
        self.ghosts: Ghosts = {}
        self.decided: dict[int, list[int]] = {}
        """By pair that a filter was asked about: whether it is refused, and how many of its shapes touch."""
        self.carried: dict[int, int] = {}
        """Decisions from before the space was rebuilt, good for the first step after."""
        self.has_asked = False
        """Whether a filter, which is code of the game, has been called since this was last set to False."""
        self.errors: list[Exception] = []
        self.interrupt: BaseException | None = None
        """What is no error but must stop the program, such as Ctrl-C; raised once the step is over."""
        self._classes: dict[_Class, int] = {}

    def refuse(self, a: type[Component], b: type[Component], refuses: Filter) -> None:
        """Register a filter."""
        for kind in (a, b):
            if kind.local:
                raise PhysicsError(
                    f"a filter cannot go by {kind.__name__}, which is local; simulations would differ by it"
                )
        self.filters.append((a, b, refuses))

    def class_of(self, components: Components, sensor: bool, immovable: bool, space: pymunk.Space) -> int:
        """The collision type of a collider."""
        found = _Class(
            sensor,
            immovable,
            OneWay in components,
            tuple(i for i, (a, _, _) in enumerate(self.filters) if a in components),
            tuple(i for i, (_, b, _) in enumerate(self.filters) if b in components),
        )
        number = self._classes.get(found)
        if number is None:
            number = self._classes[found] = len(self._classes) + 1
            for other in self._classes:
                self._watch(space, other, found)
        return number

    def watch_all(self, space: pymunk.Space) -> None:
        """Put the callbacks into a fresh space."""
        classes = list(self._classes)
        for place, b in enumerate(classes):
            for a in classes[: place + 1]:
                self._watch(space, a, b)

    def _watch(self, space: pymunk.Space, a: _Class, b: _Class) -> None:
        ghostly = a.sensor or b.sensor or (a.immovable and b.immovable)
        filtered = {*a.first_of} & {*b.second_of} or {*a.second_of} & {*b.first_of}
        if ghostly or filtered or a.one_way or b.one_way:
            space.on_collision(
                self._classes[a], self._classes[b], begin=self._begin, separate=self._separate, data=ghostly
            )

    def forget(self, slot: int) -> None:
        """Drop all that is noted about a slot whose entity is gone."""
        for table in (self.ghosts, self.decided):
            for pair in [pair for pair in table if slot in (pair >> 32, pair & 0xFFFF_FFFF)]:
                del table[pair]

    def _pair(self, a: int, b: int) -> int:
        """Two slots as one number, that of the entity with the lower id first."""
        ids = self.bodies.ids
        return a << 32 | b if ids[a] < ids[b] else b << 32 | a

    # Inside a step

    def _begin(self, arbiter: pymunk.Arbiter, space: pymunk.Space, ghostly: Any) -> None:
        try:
            a, b = (shape.body for shape in arbiter.shapes)
            assert isinstance(a, SlotBody)
            assert isinstance(b, SlotBody)
            pair = self._pair(a.slot, b.slot)
            decision = self.decided.get(pair)
            if decision is None:
                refused = self.carried.pop(pair, None)
                if refused is None:
                    refused = self._refuses(arbiter, a, b)
                if refused is not None:
                    decision = self.decided[pair] = [int(refused), 0]
            if decision is not None:
                decision[1] += 1
                if decision[0]:
                    arbiter.process_collision = False
                    return
            if ghostly:
                self._count_ghost(arbiter, pair, flipped=pair >> 32 != a.slot)
        except Exception as error:
            self.errors.append(error)
        except BaseException as interrupt:  # Ctrl-C: the solver would swallow it
            self.interrupt = interrupt

    def _separate(self, arbiter: pymunk.Arbiter, space: pymunk.Space, ghostly: Any) -> None:
        try:
            a, b = (shape.body for shape in arbiter.shapes)
            assert isinstance(a, SlotBody)
            assert isinstance(b, SlotBody)
            pair = self._pair(a.slot, b.slot)
            decision = self.decided.get(pair)
            if decision is not None:
                decision[1] -= 1
                if decision[1] <= 0:
                    del self.decided[pair]
                if decision[0]:
                    return
            ghost = self.ghosts.get(pair)
            if ghost is not None:
                ghost[0] -= 1
                if ghost[0] <= 0:
                    del self.ghosts[pair]
        except Exception as error:
            self.errors.append(error)
        except BaseException as interrupt:  # Ctrl-C: the solver would swallow it
            self.interrupt = interrupt

    def _count_ghost(self, arbiter: pymunk.Arbiter, pair: int, *, flipped: bool) -> None:
        ghost = self.ghosts.get(pair)
        if ghost is None:
            contact = arbiter.contact_point_set
            points = [point for found in contact.points for point in (found.point_a, found.point_b)]
            x = sum(point.x for point in points) / len(points)
            y = sum(point.y for point in points) / len(points)
            sign = -1.0 if flipped else 1.0
            ghost = self.ghosts[pair] = [0, x, y, contact.normal.x * sign, contact.normal.y * sign]
        ghost[0] += 1

    def _refuses(self, arbiter: pymunk.Arbiter, a: SlotBody, b: SlotBody) -> bool | None:
        """The decision about a new contact: None if nobody has a say, so that it is not noted."""
        first, second = self.bodies.handles[a.slot], self.bodies.handles[b.slot]
        assert first is not None
        assert second is not None
        asked = False
        for platform, other_way in ((first, False), (second, True)):
            direction = platform.get(OneWay)
            if direction is not None:
                asked = True
                if self._is_passed(arbiter, direction, b if other_way else a, -1.0 if other_way else 1.0):
                    return True
        answer = self._decide(first, second, None)
        return False if answer is None and asked else answer

    def refuses(self, a: Entity, b: Entity, besides: Filter | None) -> bool:
        """Whether a filter other than `besides` refuses a contact."""
        return bool(self._decide(a, b, besides))

    def _decide(self, first: Entity, second: Entity, besides: Filter | None) -> bool | None:
        """What the filters say: None if none is asked."""
        answer: bool | None = None
        for kind_a, kind_b, refuses in self.filters:
            if refuses == besides:
                continue
            if kind_a in first and kind_b in second:
                answer = self._ask(refuses, first, second)
            elif kind_a in second and kind_b in first:
                answer = self._ask(refuses, second, first)
            if answer:
                return True
        return answer

    def _ask(self, refuses: Filter, a: Entity, b: Entity) -> bool:
        self.has_asked = True
        try:
            return bool(refuses(self.world, a, b))
        except Exception as error:
            error.add_note(f"in a filter of physics, asked about {a} and {b}; the contact was let through")
            self.errors.append(error)
            return False

    def _is_passed(self, arbiter: pymunk.Arbiter, direction: OneWay, platform: SlotBody, sign: float) -> bool:
        c, s = cos(platform.angle), sin(platform.angle)
        x, y = direction.nx * c - direction.ny * s, direction.nx * s + direction.ny * c
        normal = arbiter.normal
        return sign * (normal.x * x + normal.y * y) < ONE_WAY_COSINE * hypot(x, y)
