"""Errors of a prediction that are put right in the present, without running ticks again.

What flies on straight and meets nothing is off, some ticks later, by what it was off then, and by what its velocity was
off times the ticks; a number that no rule touched in these ticks is off by the same. So most of what a server tells
otherwise, such as a disc that somebody threw, one that hit somebody, a score, can be brought up to the present by
arithmetic. The notes of the ticks since are changed alike, so the server's next words show whether that was right; what
does not settle, and what meets anything on its way, is simulated.

What a player steers itself is simulated whenever it moves otherwise than predicted: it is what one looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.app import Time
from engine.ecs import ChildOf, Component, Entity, World
from engine.ecs.entity import INDEX
from engine.net.replication.comparison import Difference
from engine.net.replication.history import Cast, Group, Moment, with_one, without
from engine.net.replication.layout import MOST_SLOTS
from engine.net.replication.standins import owner_of, spawning_kind
from engine.net.wire.declaration import Declarations
from engine.physics import Collider, Space, Velocity
from engine.physics.touch import reach
from engine.scene import Transform

Floats = NDArray[np.float64]

SLIGHT = 2.0
"""Units that something may be moved by without a look at what it meets: it meets the same then."""
STRAIGHT = 1.0, 0.05
"""Units, and parts of its way, that something may be off the straight line and have met nothing."""
MARGIN = 2.0
"""Units by which two have to miss each other."""
MOST = 8
"""Entities put right one by one at most: more are sooner done by running ticks again."""
PATIENCE = 10
"""Words of the server in a row that may each move one entity; then it is simulated."""

_MOTION: dict[Any, tuple[int, bool]] = {
    Transform.x: (0, False),
    Transform.y: (1, False),
    Transform.angle: (2, False),
    Velocity.vx: (0, True),
    Velocity.vy: (1, True),
    Velocity.angular: (2, True),
}
"""The axis of a field that moves, and whether it is a rate."""
_PLACE = "x", "y", "angle"
_SPEED = "vx", "vy", "angular"


@dataclass(slots=True)
class _Push:
    """How one entity is moved."""

    id: int
    place: list[float]
    """x, y, angle at the first moment,"""
    rate: list[float]
    """what that becomes more with each second,"""
    known: bool = True
    """and whether its velocity is so already."""


@dataclass(slots=True)
class _Changes:
    """What is to be done about entities that both sides have."""

    pushes: list[_Push]
    values: list[Difference]
    """What becomes other than it was,"""
    anew: set[int]
    """and who went otherwise since, and begins again from then."""


class Amending:
    """Looks at what differs, and changes the notes and the present, if that is enough."""

    def __init__(self, world: World, declared: Declarations, player: int, cast: Cast) -> None:
        self._world = world
        self._declared = declared
        self._player = player
        self._cast = cast
        self._dt = world.resource(Time).dt
        self._turns: dict[int, int] = {}  # by id: in how many states in a row it was changed

    @property
    def _space(self) -> Space | None:
        return self._world.find_resource(Space)

    def amend(
        self,
        window: list[Moment],
        servers: Mapping[int, int],
        differ: Callable[[list[Moment]], Sequence[Difference] | None],
        drop: Callable[[int], object],
        tell: Callable[[int], Sequence[Component]],
        adopt: Callable[[int, Sequence[Component]], object],
        may_return: Callable[[Moment, Set[int]], bool],
    ) -> tuple[list[Moment], int] | None:
        """Bring what the server says of the first moment up to the last, the present. None if that takes simulation.

        `servers` has the server's ids by those of the prediction, of all it is to have. `differ` compares the first of
        some moments, `drop` ends an entity, `tell` says what the server's was like then, and `adopt` has it so.
        Returns the moments, and how many of them hold: the ticks after these are to be run again, as something was met
        there. `may_return` says whether one can, all but some entities being what they are.
        """
        noted = window[0].ids
        gone = [id for id in noted if id not in servers]
        if not all(self._may_go(id, window) for id in gone):
            return None
        window = without(window, set(gone)) if gone else window
        differences = differ(window)
        if differences is None:
            return None
        changes = self._changes(differences, window)
        if changes is None:
            return None
        anew = sorted({*(servers.keys() - set(noted)), *changes.anew})
        window = without(window, changes.anew) if changes.anew else window
        entering: list[tuple[_Push, Sequence[Component]]] = []
        hold = len(window)
        for id in anew:
            told = tell(id)
            if self._world.find(id) is None:
                if servers[id] != id:
                    return None
                adopt(id, told)  # and if its ticks are run again after all, it is there already
            newcomer = self._newcomer(id, told, window)
            if newcomer is None:
                return None
            hold = max(1, min(hold, newcomer[1]))  # the first is what the server says
            entering.append((newcomer[0], told))
        if hold < len(window) and not may_return(window[hold - 1], {*anew, *gone}):
            return None
        for id in gone:
            drop(id)
        for push, told in entering:
            adopt(push.id, told)
            window = with_one(window, self._world, push.id)
            self._push(push, window)
        for push in changes.pushes:
            self._push(push, window)
        for difference in changes.values:
            self._put(difference, window)
        return window, hold

    # Whether it is enough

    def _may_go(self, id: int, window: list[Moment]) -> bool:
        """Whether an entity may vanish with nothing else to follow: what it met since would be otherwise."""
        entity = self._world.find(id)
        if id & INDEX >= MOST_SLOTS or entity is None:
            return entity is None
        return Velocity in entity and self._clear_of_cast(entity, _path(id, window), window) == len(window)

    def _changes(self, differences: Sequence[Difference], window: list[Moment]) -> _Changes | None:
        """What is to be done about entities that both have; None if they have to be simulated."""
        changed = list(dict.fromkeys(each.id for each in differences))
        if len(changed) > MOST:
            return None
        moving: dict[int, _Push] = {}
        values: list[Difference] = []
        anew: set[int] = set()
        for each in differences:
            axis = _MOTION.get(each.field.column)
            if axis is not None:
                push = moving.setdefault(each.id, _Push(each.id, [0.0] * 3, [0.0] * 3, known=False))
                (push.rate if axis[1] else push.place)[axis[0]] = each.by or 0.0
            elif self._may_be_put(each, window):
                values.append(each)
            else:
                anew.add(each.id)
        steered = [id for id in changed if (entity := self._world.find(id)) is not None and self._is_steered(entity)]
        for id in steered:
            if id in anew or (id in moving and not self._may_be_moved(moving[id], window)):
                return None
        self._turns = {id: self._turns.get(id, 0) + 1 for id in changed}
        anew.update(id for id, turns in self._turns.items() if turns > PATIENCE)
        anew.update(id for id, push in moving.items() if not self._may_be_moved(push, window))
        return _Changes(
            [push for id, push in moving.items() if id not in anew],
            [each for each in values if each.id not in anew],
            anew,
        )

    def _is_steered(self, entity: Entity) -> bool:
        """Whether it is what the player moves by commands."""
        own = owner_of(entity, self._declared) == self._player
        return own and Velocity in entity and spawning_kind(entity, self._declared) is None

    def _may_be_put(self, each: Difference, window: list[Moment]) -> bool:
        """Whether a number changes by itself, as times do, or not at all; not by the player's commands."""
        entity = self._world.find(each.id)
        if each.by is not None and not (entity is not None and self._is_steered(entity)):
            return True
        rows = [moment.row(each.id, each.field.component) for moment in window]
        return all(row is not None and row[each.field.name] == rows[0][each.field.name] for row in rows)

    def _may_be_moved(self, push: _Push, window: list[Moment]) -> bool:
        """Whether an entity is as far off now as it was then, and by what its velocity was off."""
        entity, path = self._world.find(push.id), _path(push.id, window)
        moved = self._pushed(push, path)
        steered = entity is not None and self._is_steered(entity)
        if hypot(*(moved - path)[-1]) <= SLIGHT:
            return not steered or not (push.place[2] or push.rate[2])
        if entity is None or steered:
            return False
        speed = window[0].row(push.id, Velocity)
        velocity = (0.0, 0.0) if speed is None else (float(speed["vx"]), float(speed["vy"]))
        straight = path[0] + np.array(velocity) * ((len(path) - 1) * self._dt)
        off = hypot(*(straight - path[-1]))
        is_straight = off <= STRAIGHT[0] + STRAIGHT[1] * hypot(*(path[-1] - path[0]))
        return is_straight and self._clear(entity, moved, window) == len(window)

    def _newcomer(self, id: int, told: Sequence[Component], window: list[Moment]) -> tuple[_Push, int] | None:
        """How an entity that was so then comes up to the present, and through how many moments; None if at no rate."""
        entity, space = self._world.entity(id), self._space
        if space is None or space.settings.gravity != (0.0, 0.0) or self._is_steered(entity) or ChildOf in entity:
            return None
        at = next((each for each in told if isinstance(each, Transform)), None)
        motion = next((each for each in told if isinstance(each, Velocity)), None)
        if at is None or motion is None or self._turns.get(id, 0) > PATIENCE:
            return None
        push = _Push(id, [0.0] * 3, [motion.vx, motion.vy, motion.angular])
        path = np.full((len(window), 2), (at.x, at.y))
        return push, self._clear(entity, self._pushed(push, path), window)

    def _pushed(self, push: _Push, path: Floats) -> Floats:
        """A path after the push."""
        times = np.arange(len(path))[:, None] * self._dt
        return path + np.array(push.place[:2]) + times * np.array(push.rate[:2])

    def _clear(self, entity: Entity, path: Floats, window: list[Moment]) -> int:
        """Through how many moments of a straight path an entity meets nothing for sure."""
        collider, space = entity.get(Collider), self._space
        if collider is None or space is None:
            return len(path)
        clear = self._clear_of_cast(entity, path, window)
        (x0, y0), (x1, y1) = path[0].tolist(), path[-1].tolist()
        radius, layer, mask = reach(collider.shape), collider.layer, collider.mask
        for hit in space.raycast_all(x0, y0, x1, y1, radius=radius, mask=mask, ignore=[entity], sensors=True):
            before = int(hit.fraction * (len(path) - 1))
            if before >= clear:
                break
            other = self._world.find(hit.entity.id)  # the space may still have what is gone
            if other is None or other.id in self._cast or not other[Collider].mask & layer:
                continue
            if not space.refuses(entity, other):
                return before
        return clear

    def _clear_of_cast(self, entity: Entity, path: Floats, window: list[Moment]) -> int:
        """Through how many moments an entity comes near none that is predicted, but those it passes through."""
        collider, space = entity.get(Collider), self._space
        if collider is None or space is None:
            return len(path)
        layer, mask, near = collider.layer, collider.mask, reach(collider.shape) + MARGIN
        met: dict[int, int] = {}
        for before, ((x, y), moment) in enumerate(zip(path.tolist(), window, strict=True)):
            for number, group in enumerate(moment.groups):
                if not _may_meet(group, layer, mask):
                    continue
                place = moment.fields(number, Transform)
                if place is not None:
                    away = np.hypot(place["x"] - x, place["y"] - y)
                    for id in group.ids[away < space.reach(group.ids) + near].tolist():
                        met.setdefault(id, before)
        for id, before in met.items():
            other = self._world.find(id)
            if id != entity.id and (other is None or not space.refuses(entity, other)):
                return max(0, before - 1)
        return len(path)

    # Doing it

    def _push(self, push: _Push, window: list[Moment]) -> None:
        """Move an entity in the notes and in the present."""
        for number, moment in enumerate(window):
            place, speed = moment.row(push.id, Transform), moment.row(push.id, Velocity)
            _add(place, _PLACE, [by + number * self._dt * rate for by, rate in zip(push.place, push.rate, strict=True)])
            if not push.known:
                _add(speed, _SPEED, push.rate)
        entity = self._world.find(push.id)
        if entity is None:
            return
        late = (len(window) - 1) * self._dt
        at = entity[Transform]
        at.x += push.place[0] + late * push.rate[0]
        at.y += push.place[1] + late * push.rate[1]
        at.angle += push.place[2] + late * push.rate[2]
        if not push.known:
            motion = entity[Velocity]
            motion.vx, motion.vy = motion.vx + push.rate[0], motion.vy + push.rate[1]
            motion.angular += push.rate[2]

    def _put(self, each: Difference, window: list[Moment]) -> None:
        """Change a number in the notes and in the present."""
        name, entity = each.field.name, self._world.find(each.id)
        if entity is not None:
            row = self._world.row(entity, each.field.component)
            setattr(row, name, each.told if each.by is None else getattr(row, name) + each.by)
        for moment in window:
            noted = moment.row(each.id, each.field.component)
            if noted is not None:
                noted[name] = each.told if each.by is None else noted[name] + each.by


def _path(id: int, window: list[Moment]) -> Floats:
    """Where an entity was at each moment, shape (moments, 2); from its end on, where it ended."""
    path = np.empty((len(window), 2))
    last = 0.0, 0.0
    for number, moment in enumerate(window):
        row = moment.row(id, Transform)
        last = last if row is None else (float(row["x"]), float(row["y"]))
        path[number] = last
    return path


def _add(row: Any, names: Sequence[str], by: Sequence[float]) -> None:
    if row is not None:
        for name, each in zip(names, by, strict=True):
            if each:
                row[name] += each


def _may_meet(group: Group, layer: int, mask: int) -> bool:
    """Whether anybody in a group's table collides with what has this layer and mask."""
    table = group.table
    if Collider not in table.pools:
        return False
    layers, masks = table.columns[Collider.layer][: table.count], table.columns[Collider.mask][: table.count]
    return bool((((layers & mask) != 0) & ((masks & layer) != 0)).any())
