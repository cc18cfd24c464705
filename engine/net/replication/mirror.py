"""A world that shows what a replica knows: the same entities, under the same ids, a moment in the past.

At a time between two snapshots the entities are those of the earlier one, and what is declared so is interpolated
towards the later one. Columns are written whole, and only where something changed.
"""

# Rows of many entities are found through the world's slots, which its interface has one by one only.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Set
from math import pi, tau
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.ecs import ChildOf, Component, EcsError, Entity, World
from engine.ecs.entity import INDEX
from engine.ecs.table import Table
from engine.net.replication.layout import MOST_SLOTS, Floats, Ids, Ints, Shape
from engine.net.replication.replica import Replica
from engine.net.replication.state import State, plain, referred
from engine.net.wire.protocol import Protocol

EXTRAPOLATION = 6.0
"""Ticks beyond the newest snapshot that things go on by their rates; then they stand still."""

MOST_SHAPES = 16
"""Shapes that a plan remembers its cells of: as many as a prediction goes back over."""

_NOBODY: frozenset[int] = frozenset()
Values: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
_Make: TypeAlias = tuple[int, int, bool]
"""What an entity is: its serial, its slot, and whether its private numbers are known."""


class _Stretch:
    """One column of one table, and its part of the vectors of a plan."""

    __slots__ = ("high", "key", "low", "moves", "number", "rows", "table", "target")

    def __init__(self, table: Table, key: Any, number: int, rows: Any, low: int, high: int, moves: bool) -> None:
        self.table = table
        self.key = key
        self.number = number
        self.rows = rows
        """Which rows, as a slice where they are one."""
        self.low = low
        self.high = high
        self.moves = moves
        """Whether anything in the table is interpolated."""
        column: NDArray[Any] = table.columns[key]
        self.target: NDArray[Any] | None = column[rows] if isinstance(rows, slice) else None
        """The rows' values themselves, where that can be; they stay where they are as long as nobody comes or goes."""

    def put(self, values: NDArray[Any]) -> None:
        """Write the column."""
        if self.target is not None:
            self.target[:] = values[self.low : self.high]
        else:
            self.table.columns[self.key][self.rows] = values[self.low : self.high]


class _Part:
    """Columns of one sort, and which cells of the shape they are written from, one column after the other."""

    __slots__ = ("cells", "keys", "last", "lows", "steps", "stretches")

    def __init__(self, stretches: list[_Stretch], keys: Ints, cells: Ints, steps: Floats) -> None:
        self.stretches = stretches
        self.keys = keys
        """Column and slot, as a shape finds them,"""
        self.cells = cells
        """and the cells they are in the present shape."""
        self.steps = steps
        self.lows: Ints = np.array([stretch.low for stretch in stretches], np.int64)
        self.last: NDArray[Any] | None = None
        """What was written last."""

    def write(self, values: NDArray[Any]) -> None:
        """Write the columns in which anything differs from what was written last."""
        last, self.last = self.last, values
        if last is values:
            return
        if last is None:
            self.write_all(values, moving_only=False)
        elif len(values):
            for place in np.flatnonzero(np.logical_or.reduceat(values != last, self.lows)).tolist():
                self.stretches[place].put(values)

    def write_all(self, values: NDArray[Any], *, moving_only: bool) -> None:
        """Write all columns, or those of tables in which something is interpolated."""
        for stretch in self.stretches:
            if stretch.moves or not moving_only:
                stretch.put(values)


class _Plan:
    """Which rows of the world come from which cells; good until one of its tables changes, or who is to be there."""

    __slots__ = ("complete", "found", "is_for_all", "links", "moving", "others", "shape", "tables", "told", "turning")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.tables: list[tuple[Table, int]] = []
        """And the revision that is known of each."""
        self.complete = True
        """Whether all entities have rows; those spawned in this stage have none yet."""
        self.is_for_all = True
        """Whether other shapes with the same entities have the same cells."""
        self.moving: _Part
        """What is interpolated,"""
        self.others: tuple[_Part, _Part, _Part]
        """and what is not: floats, whole numbers, references."""
        self.turning: Ints = _NONE
        """Which of the moving values are angles."""
        self.links: dict[int, tuple[Ints, Ints, Ints]] = {}
        """By number of a later shape: which of the moving values are in it, as which cells; and which are not."""
        self.found: dict[int, tuple[list[Ints], dict[int, tuple[Ints, Ints, Ints]]]] = {}
        """By number of a shape with the same entities: the cells of the parts, and its `links`."""
        self.told: tuple[State, Values] | None = None
        """What the `others` are in the last state looked at."""

    def holds(self) -> bool:
        """Whether everything is where it was."""
        return self.complete and all(table.revision == revision for table, revision in self.tables)

    def take(self, shape: Shape) -> bool:
        """Go by another shape, which has what is to be there as well. Whether that can be."""
        if shape is self.shape or not self.is_for_all:
            return shape is self.shape
        parts = [self.moving, *self.others]
        known = self.found.get(shape.number)
        if known is None:
            cells: list[Ints] = []
            for part in parts:
                where, there = shape.find(part.keys)
                if not there.all():
                    return False
                cells.append(where)
            if len(self.found) >= MOST_SHAPES:
                self.found.clear()
            known = self.found[shape.number] = cells, {}
        self.shape = shape
        for part, cells_of in zip(parts, known[0], strict=True):
            part.cells = cells_of
        self.links = known[1]
        return True


class Mirror:
    """Makes the entities of a world those of a replica. The world is to leave their ids to it: `World.mirror`.

    `aliases` has the id an entity is shown under, by the server's id, where that is another; such an entity is there
    already, and taken over.
    """

    def __init__(
        self, protocol: Protocol, world: World, replica: Replica, *, extrapolation: float = EXTRAPOLATION
    ) -> None:
        self.world = world
        self.replica = replica
        self.extrapolation = extrapolation
        self.aliases: dict[int, int] = {}
        self.left: list[int] = []
        """Ids shown here until the last call, which was to leave them alone: they are somebody else's now."""
        self.extrapolated = 0
        """Calls that showed a time after the newest snapshot."""
        self._layout = layout = replica.layout
        self._aliased: dict[int, int] = {}
        self._but: frozenset[int] = _NOBODY
        self._shown: dict[int, tuple[int, _Make]] = {}  # by the server's id: the id shown, and as what
        self._there: dict[int, _Make] = {}  # who of the state is to be shown
        self._left: dict[int, int] = {}
        """By number of a shape of which the same are there: how many of its entities are left alone."""
        self._lacks = False  # somebody is not there who should be
        self._state: State | None = None
        self._plan: _Plan | None = None
        self._turning: set[int] = set()
        self._interpolated: set[type[Component]] = set(protocol.declarations.interpolated)
        # By column: 0 for what is interpolated, 1 for other floats, 2 for whole numbers, 3 for references.
        self._sorts = [
            1 if number < layout.floats else 2 if number < layout.refs else 3 for number in range(len(layout.columns))
        ]
        for kind, angles in protocol.declarations.interpolated.items():
            for column in layout.columns[: layout.floats]:
                if column.field.component is kind:
                    self._sorts[column.number] = 0
                    if column.field.name in angles:
                        self._turning.add(column.number)

    def shown(self, id: int) -> int:
        """The id under which the server's entity is shown."""
        return self.aliases.get(id, id)

    def show(self, time: float, but: Set[int] = _NOBODY) -> None:
        """Make the entities those at a server tick, all but those in `but`, which are left as they are.

        `but` has ids of the server or of this world. Inside a stage entities come and go at its end.
        """
        self._bring(time, but, False)

    def rewrite(self, time: float, but: Set[int] = _NOBODY) -> None:
        """As `show`, over what the world's own rules made of it: all columns of what moves are written."""
        self._bring(time, but, True)

    def look_anew(self) -> None:
        """The world's own rules may have ended entities: the next call brings them back."""
        self._state = None

    def _bring(self, time: float, but: Set[int], anew: bool) -> None:
        self.left.clear()
        state, later = self.replica.at(time)
        if state is None:
            if later is None:
                return
            state, later = later, None
        before = self._state
        others = before is None or (state is not before and state.private.keys() != before.private.keys())
        if others or self._lacks or but != self._but or self.aliases != self._aliased:
            self._left.clear()
        if state.shape.number not in self._left:
            self._arrange(state, but)
        plan = self._plan
        if plan is None or not plan.holds() or not plan.take(state.shape):
            plan = self._plan = self._make_plan(state)
            before = None
        if anew or state is not before:
            for part, values in zip(plan.others, self._values(plan, state), strict=True):
                if not part.stretches:
                    continue
                part.write(values)
                if anew:
                    part.write_all(values, moving_only=True)
        if state is not before:
            self._write_private(state)
        self._state = state
        if plan.moving.stretches:
            self._move(plan, state, later, time)

    # Who is there

    def _arrange(self, state: State, but: Set[int]) -> None:
        world, aliases, shape = self.world, self.aliases, state.shape
        makes = zip(shape.ids.tolist(), shape.serials.tolist(), shape.slots.tolist(), strict=True)
        there = {
            id: (serial, slot, id in state.private)
            for id, serial, slot in makes
            if id not in but and aliases.get(id, id) not in but
        }
        is_same = self._state is not None and not self._lacks and there == self._there and aliases == self._aliased
        self._but, self._aliased, self._there = frozenset(but), dict(aliases), there
        if not is_same or len(self._left) >= MOST_SHAPES:
            self._left.clear()
        self._left[shape.number] = len(shape.slots) - len(there)
        if is_same:
            return
        self._lacks = False
        self._plan = None
        for id, (shown, _) in list(self._shown.items()):
            if id in there and aliases.get(id, id) == shown:
                continue
            del self._shown[id]
            entity = world.find(shown)
            if entity is None:
                continue
            if id in but or shown in but:
                self.left.append(shown)
            else:
                entity.despawn()
        late: list[tuple[int, _Make]] = []
        for id, make in there.items():
            held = self._shown.get(id)
            if held is None or world.find(held[0]) is None:
                late.append((id, make))
            elif held[1] != make:
                self._reshape(world.entity(held[0]), self._components(state, id))
                self._shown[id] = held[0], make
        while late:  # parents before their children
            waiting = [each for each in late if not self._appear(state, *each)]
            if len(waiting) == len(late):
                break
            late = waiting

    def _appear(self, state: State, id: int, make: _Make) -> bool:
        """Spawn an entity, or take over who stands in for it. False if its parent is not there."""
        world, shown = self.world, self.shown(id)
        components = self._components(state, id)
        entity = world.find(shown)
        if entity is not None:
            self._reshape(entity, components)
        else:
            for component in components:
                if isinstance(component, ChildOf) and component.parent and world.find(component.parent) is None:
                    return False
            try:
                world.adopt(id, *components)
            except EcsError:  # its index is still somebody else's, who goes when the stage ends
                return False
            shown = id
        self._shown[id] = shown, make
        return True

    def _components(self, state: State, id: int) -> list[Component]:
        components = state.components(id)
        if self.aliases:
            for component in components:
                for name in component.columns:
                    value = getattr(component, name)
                    if value in self.aliases and type(component).specs[name].ctype is _REF:
                        setattr(component, name, self.aliases[value])
        return components

    def _reshape(self, entity: Entity, components: list[Component]) -> None:
        """Give an entity these components and no other declared ones; values of those it has follow by columns."""
        declared = self._layout.declared.components
        wanted = {type(component) for component in components}
        for kind in declared:
            if kind not in wanted and kind in entity:
                entity.remove(kind)
        for component in components:
            kind = type(component)
            if kind not in entity or ((declared[kind].constant or kind.objects) and entity[kind] != component):
                entity.add(component)

    # Where they are

    def _make_plan(self, state: State) -> _Plan:
        shape, layout, world = state.shape, self._layout, self.world
        plan = _Plan(shape)
        servers = list(self._shown)
        servers = [id for id in servers if id in shape.places]
        plan.complete = len(servers) == len(self._shown)
        slots = shape.slots[[shape.places[id] for id in servers]]
        ids: Ids = np.array([self._shown[id][0] for id in servers], np.uint64)
        indices = (ids & np.uint64(INDEX)).astype(np.int64)
        used = world._shared
        if len(indices) and indices.max() >= used.used:
            fit = indices < used.used
            ids, indices, slots, plan.complete = ids[fit], indices[fit], slots[fit], False
        current = used.generations[indices] == ids >> np.uint64(32)
        self._lacks = len(servers) < len(shape.slots) - self._left[shape.number] or not current.all()
        tables: Ints = np.where(current, used.tables[indices], -1)
        rows = used.rows[indices]
        if (tables < 0).any():
            plan.complete = False
        sorts: tuple[list[tuple[Table, int, Any, Ints, Ints, bool]], ...] = ([], [], [], [])
        for place in np.unique(tables[tables >= 0]).tolist():
            table: Table = world._tables[int(place)]
            plan.tables.append((table, table.revision))
            of = np.flatnonzero(tables == place)
            of = of[rows[of].argsort()]
            numbers = [c.number for c in layout.columns if c.field.component in table.pools]
            keys = np.array(numbers, np.int64)[:, None] * MOST_SLOTS + slots[of]
            cells, found = (each.reshape(keys.shape) for each in shape.find(keys.ravel()))
            all_rows = rows[of].astype(np.int64)
            run = _as_slice(all_rows)
            moves = not self._interpolated.isdisjoint(table.pools)
            is_all = bool(found.all())
            for number, key, each, there in zip(numbers, keys, cells, found, strict=True):
                chosen = run
                if not is_all and not there.all():  # some are still to get another shape, when the stage ends
                    key, each, chosen = key[there], each[there], all_rows[there]
                    plan.is_for_all = False
                if len(each):
                    sorts[self._sorts[number]].append((table, number, chosen, key, each, moves))
        plan.moving, *others = (self._part(sort) for sort in sorts)
        plan.others = others[0], others[1], others[2]
        turning = [each for each in plan.moving.stretches if each.number in self._turning]
        plan.turning = np.concatenate([_NONE, *(np.arange(each.low, each.high) for each in turning)])
        return plan

    def _part(self, columns: list[tuple[Table, int, Any, Ints, Ints, bool]]) -> _Part:
        layout = self._layout
        low = 0
        stretches: list[_Stretch] = []
        for table, number, rows, _, cells, moves in columns:
            high = low + len(cells)
            stretches.append(_Stretch(table, layout.columns[number].field.column, number, rows, low, high, moves))
            low = high
        keys = np.concatenate([_NONE, *(keys for _, _, _, keys, _, _ in columns)])
        cells = np.concatenate([_NONE, *(cells for _, _, _, _, cells, _ in columns)])
        return _Part(stretches, keys, cells, layout.steps[keys // MOST_SLOTS])

    # What they are like

    def _values(self, plan: _Plan, state: State) -> Values:
        """What is not interpolated, as the columns hold it."""
        if plan.told is not None and plan.told[0] is state:
            return plan.told[1]
        floats, whole, refs = plan.others
        ids = referred(state.shape, state.shown[refs.cells]) if refs.stretches else _NO_IDS
        if self.aliases and len(ids):
            for id, shown in self.aliases.items():
                ids[ids == np.uint64(id)] = shown
        for stretch in refs.stretches:
            if stretch.key is _PARENT:
                self._attach(stretch, ids[stretch.low : stretch.high])
        plan.told = state, (state.shown[floats.cells] * floats.steps, state.shown[whole.cells], ids)
        return plan.told[1]

    def _attach(self, stretch: _Stretch, parents: Ids) -> None:
        """A parent written straight into the column would not be noticed."""
        table, world = stretch.table, self.world
        have = table.columns[_PARENT][stretch.rows]
        for place in np.flatnonzero(have != parents).tolist():
            parent = int(parents[place])
            if not parent or world.find(parent) is not None:
                world.entity(int(table.ids[stretch.rows][place])).add(ChildOf(parent))
            else:
                parents[place] = have[place]

    def _write_private(self, state: State) -> None:
        for id, told in state.private.items():
            held = self._shown.get(id)
            if held is None:
                continue
            entity = self.world.find(held[0])
            kind = self._layout.kinds[int(state.shape.kinds[state.shape.places[id]])]
            for field, cell in zip(kind.private, told, strict=True):
                row = entity.get(field.component) if entity is not None else None
                if row is not None:
                    setattr(row, field.name, plain(field, cell, state.shape))

    def _move(self, plan: _Plan, state: State, later: State | None, time: float) -> None:
        ahead = max(0.0, time - state.tick)
        values = state.shown[plan.moving.cells] * plan.moving.steps
        if later is None:
            self.extrapolated += ahead > 0
            ahead = min(ahead, self.extrapolation)
            if ahead:
                self._go_on(plan, state, values, ahead, None)
        elif ahead:
            link = plan.links.get(later.shape.number)
            if link is None:
                link = plan.links[later.shape.number] = self._link(plan, later.shape)
            here, cells, alone = link
            aim = later.shown[cells] * plan.moving.steps[here]
            aim -= values[here]
            if len(plan.turning):
                turning = plan.turning if len(here) == len(values) else np.flatnonzero(np.isin(here, plan.turning))
                aim[turning] = (aim[turning] + pi) % tau - pi
            aim *= ahead / (later.tick - state.tick)
            if len(alone):
                values[here] += aim
                self._go_on(plan, state, values, min(ahead, self.extrapolation), alone)
            else:
                values += aim
        plan.moving.write_all(values, moving_only=False)

    def _go_on(self, plan: _Plan, state: State, values: Floats, ticks: float, only: Ints | None) -> None:
        """Move what has a rate on by it."""
        shape = plan.shape
        moved = np.zeros(shape.size)
        moved[shape.rated] = state.shown[shape.rates] * (shape.factors * ticks)
        steps = moved[plan.moving.cells] * plan.moving.steps
        if only is None:
            values += steps
        else:
            values[only] += steps[only]

    def _link(self, plan: _Plan, later: Shape) -> tuple[Ints, Ints, Ints]:
        shape = plan.shape
        if later is shape:
            return np.arange(len(plan.moving.cells)), plan.moving.cells, _NONE
        link = later.link(shape)
        cells = np.full(shape.size, -1)
        cells[link.sources] = link.kept
        cells = cells[plan.moving.cells]
        here = np.flatnonzero(cells >= 0)
        return here, cells[here], np.flatnonzero(cells < 0)


def _as_slice(rows: Ints) -> Any:
    """Sorted rows as a slice, if they are one."""
    if len(rows) and int(rows[-1]) - int(rows[0]) + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


_NONE: Ints = np.zeros(0, np.int64)
_NO_IDS: Ids = np.zeros(0, np.uint64)
_PARENT: Any = ChildOf.parent
_REF = ChildOf.specs["parent"].ctype
