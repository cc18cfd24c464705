"""Which part of the state a client is told of: what is near what it owns, and as much of it as its budget takes.

Where not everything fits, each entity gathers priority: the more, the farther the client's idea of it is off and the
nearer it is. Those with the most are told and begin anew, so that everything has its turn. Of the others the client
goes on with what it has, by the same rule as the server, which therefore knows the client's whole state at any time.
"""

from __future__ import annotations

from math import inf

import numpy as np

from engine.net.replication.layout import Bools, Floats, Ids, Ints, Layout, Shape
from engine.net.replication.packing import fold
from engine.net.replication.state import State, predicted
from engine.net.wire.errors import SchemaError
from engine.net.wire.system import MOST_SNAPSHOT
from engine.scene import Transform

FAREWELL = 1.15
"""What is known stays known until it is this many radii away, so that nothing comes and goes at the edge."""
SPAWN_BITS = 48
"""About what the head of a new entity takes."""
FRESH = 4.0
"""How much more a new entity counts than a change of as many bits."""
NEAR = 1 / 3
"""The part of the median distance at which a thing weighs half of what it would close by."""
ALMOST = 0.05
"""The weight of a thing however far away it is."""
ROOM = 0.7 * MOST_SNAPSHOT
"""Bytes that a snapshot is planned to have at most, however large the budget: plans are not exact."""
MOST_SUBSETS = 64


class Places:
    """Where the entities of a state are."""

    def __init__(self, state: State) -> None:
        layout, shape = state.layout, state.shape
        self.x, self.y = np.zeros(len(shape.slots)), np.zeros(len(shape.slots))
        self.placed = np.zeros(len(shape.slots), np.bool_)
        """Which have a place at all."""
        column = layout.numbers.get(Transform.x)
        if column is not None:
            which = shape.entities[shape.starts[column] : shape.starts[column + 1]]
            self.placed[which] = True
            self.x[which] = state.values(column)
        column = layout.numbers.get(Transform.y)
        if column is not None:
            self.y[shape.entities[shape.starts[column] : shape.starts[column + 1]]] = state.values(column)


class Subsets:
    """Parts of shapes, each made once for all clients that know of the same entities."""

    def __init__(self) -> None:
        self._whole: Shape | None = None
        self._made: dict[bytes, tuple[Shape, Ints]] = {}

    def of(self, state: State, chosen: Bools) -> tuple[Shape, Ints]:
        """The shape of the chosen entities, and which cells of the whole it has."""
        whole = state.shape
        if whole is not self._whole or len(self._made) > MOST_SUBSETS:
            self._whole = whole
            self._made.clear()
        key = chosen.tobytes()
        made = self._made.get(key)
        if made is None:
            part = whole.part(chosen)
            made = self._made[key] = part, np.flatnonzero(chosen[whole.entities])
        return made


class Interest:
    """One client's. `allowance` is how many bytes a snapshot may take, on average."""

    def __init__(self, layout: Layout, subsets: Subsets, allowance: float | None) -> None:
        declared = layout.declared
        if declared.radius is not None and Transform.x not in layout.numbers:
            raise SchemaError("near() goes by Transform, which is not replicated; declare it with .component()")
        self._layout = layout
        self._subsets = subsets
        self._radius = declared.radius
        self._always = declared.always
        self._allowance = allowance
        self._credit = allowance or 0.0
        self._ratio = 1.0  # bytes that changes really take, to those expected
        self._expected = 0.0
        self._eyes: tuple[Floats, Floats] | None = None  # where its things are, or were last
        self._priority: Floats = np.zeros(0)  # by slot
        self._serials: Ints = np.zeros(0, np.int64)  # by slot: whose priority it is

    def choose(self, base: State | None, now: State, places: Places, owned: Ids) -> State:
        """The state the client is to have, if it has `base` and the world is like `now`."""
        mine = np.isin(now.shape.ids, owned)
        seen = mine & places.placed
        if seen.any():
            self._eyes = places.x[seen], places.y[seen]
        away = self._away(places)
        chosen = self._near(base, now, places, away) | mine
        if self._allowance is None or base is None:
            return self._part(now, chosen)
        return self._fit(base, now, chosen, away, mine)

    def affords(self, bytes: int) -> bool:
        """Whether it has room for everything there is, as it takes so many bytes."""
        self._expected = 0.0
        return self._radius is None and (self._allowance is None or bytes <= min(self._credit, MOST_SNAPSHOT))

    def refill(self) -> None:
        """The time for a snapshot has come."""
        if self._allowance is not None:
            self._credit = min(self._credit + self._allowance, 2.0 * self._allowance)

    def spent(self, bytes: int) -> None:
        """What the snapshot took in the end."""
        if self._allowance is not None:
            self._credit = max(self._credit - bytes, -2.0 * self._allowance)
            if self._expected > 16:
                self._ratio += 0.1 * (min(max(bytes / self._expected, 0.25), 4.0) - self._ratio)

    def _away(self, places: Places) -> Floats | None:
        """How far each entity is from the nearest thing the client owns; None if it never owned a thing."""
        if self._eyes is None:
            return None
        x, y = self._eyes
        square = (places.x[:, None] - x) ** 2 + (places.y[:, None] - y) ** 2
        return np.where(places.placed, np.sqrt(square.min(axis=1)), 0.0)

    def _near(self, base: State | None, now: State, places: Places, away: Floats | None) -> Bools:
        shape = now.shape
        if self._radius is None or away is None:
            return np.ones(len(shape.slots), np.bool_)
        near = away <= self._radius
        if base is not None:
            near |= (away <= self._radius * FAREWELL) & np.isin(shape.serials, base.shape.serials)
        for kind in self._always:
            near |= now.has(kind)
        return near

    def _part(self, now: State, chosen: Bools) -> State:
        if chosen.all():
            return now
        shape, cells = self._subsets.of(now, chosen)
        return State(now.tick, shape, now.cells[cells], {}, now.parts)

    def _fit(self, base: State, now: State, near: Bools, away: Floats | None, mine: Bools) -> State:
        target = self._part(now, near)
        shape, places = target.shape, np.flatnonzero(near)
        link = shape.link(base.shape)
        expected = predicted(base.shape, base.cells, target.tick - base.tick)[link.sources]
        changes = target.cells.copy()
        changes[link.kept] -= expected
        bits = np.bincount(shape.entities, _lengths(changes), minlength=len(shape.slots)).astype(np.float64)
        spawned = ~link.stays
        cost: Floats = bits + spawned * SPAWN_BITS + (bits > 0).astype(np.float64)
        self._expected = float(cost.sum()) / 8
        room = min(self._credit, ROOM) / self._ratio
        if self._expected <= room:
            self._priority[:] = 0.0
            return target
        gain: Floats = cost * np.where(spawned, FRESH, 1.0).astype(np.float64)
        if away is not None:
            distance = away[places]
            middle = float(np.median(distance[distance > 0])) if (distance > 0).any() else 1.0
            gain *= np.maximum(1.0 / (1.0 + (distance / (middle * NEAR)) ** 2), ALMOST)
        gathered = self._gather(shape, gain)
        gathered[mine[places]] = inf  # what one owns is always told
        order = np.argsort(-gathered, kind="stable")
        taken = order[(cost[order].cumsum() <= room * 8) & (cost[order] > 0)]
        told = np.zeros(len(shape.slots), np.bool_)
        told[taken] = True
        told |= (cost == 0) | mine[places]
        self._expected = float(cost[told].sum()) / 8
        self._priority[shape.slots[told]] = 0.0
        return self._leave_out(now, target, places, told, link.kept, expected, spawned)

    def _leave_out(
        self, now: State, target: State, places: Ints, told: Bools, kept: Ints, expected: Ints, spawned: Bools
    ) -> State:
        """The target without what is not told: new ones are still unknown, the others go on as expected."""
        cells = target.cells.copy()
        waits = ~told[target.shape.entities[kept]]
        cells[kept[waits]] = expected[waits]
        unknown = spawned & ~told
        if not unknown.any():
            return State(now.tick, target.shape, cells, {}, now.parts, partial=True)
        known = np.zeros(len(now.shape.slots), np.bool_)
        known[places[~unknown]] = True
        shape, _ = self._subsets.of(now, known)
        left = ~unknown[target.shape.entities]
        return State(now.tick, shape, cells[left], {}, now.parts, partial=True)

    def _gather(self, shape: Shape, gain: Floats) -> Floats:
        """Add to the priorities; what has another serial now begins with none."""
        slots = shape.slots
        if len(slots) and slots[-1] >= len(self._priority):
            size = 2 * int(slots[-1]) + 2
            self._priority = np.concatenate((self._priority, np.zeros(size - len(self._priority))))
            self._serials = np.concatenate((self._serials, np.zeros(size - len(self._serials), np.int64)))
        fresh = self._serials[slots] != shape.serials
        self._serials[slots] = shape.serials
        self._priority[slots[fresh]] = 0.0
        self._priority[slots] += gain
        return self._priority[slots]


def _lengths(changes: Ints) -> Floats:
    """Bits that changes take, about: their length, and one that tells it."""
    lengths = np.frexp(fold(changes).astype(np.float64))[1]
    return lengths + (lengths > 0).astype(np.float64)
