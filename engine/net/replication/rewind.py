"""Lag compensation: the server judges hits by what the shooter saw, a bounded time ago.

A player sees others where they were some ticks ago. So what is declared with `Protocol.rewind(a, b)`, contacts of an
`a` that a player owns with a `b` of somebody else, is not left to the solver: it is tested against where `b` was when
that player saw it, and posted as the `ContactBegan` and `ContactEnded` that physics would post. What rays and circles
of the player's find is asked of `Rewind` in the same way. See "Who is right" in docs/netcode.md.

In a tick: as the space is about to step, places are noted from which `a` will move; after the step, the ways they went
are tested; at the end of the tick the places of all `b` join the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor, hypot, inf, isfinite
from operator import is_
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.app import End, Physics, Plugin, Time
from engine.ecs import Component, Entity, World, digest
from engine.ecs.column import Column
from engine.ecs.table import Table
from engine.events import Phase
from engine.net.replication.places import Place, Places, PlacesState
from engine.net.wire.declaration import REWIND_CAP, Declarations, Judged
from engine.net.wire.errors import SchemaError
from engine.net.wire.protocol import Protocol
from engine.physics import EVERYTHING, Body, BodyKind, Collider, ContactBegan, Hit, Space, Velocity, physics
from engine.physics.simulation import Gone
from engine.physics.touch import Touch, cast, distance, touch
from engine.scene import Transform

PRESENT = 0.5
"""Who sees others less than this many ticks late sees the present."""
_Targets: TypeAlias = tuple[NDArray[np.intp] | None, NDArray[np.uint64]]
_Sources: TypeAlias = list[tuple[Table, Column[int, np.int64]]]
_NOBODY = np.empty(0, np.uint64)
_NOWHERE = np.empty((0, 3))
ROOM = 0.5
"""By what part of both radii a way may miss a `b` at the nearest whole tick and be looked at closely, as `b` moves."""


@dataclass(slots=True)
class SawBehind:
    """How many ticks in the past a player now sees others when giving a command: an external event of the server."""

    player: int
    ticks: float
    """0 for who sees the present."""


@dataclass(frozen=True, slots=True)
class _Met:
    """A judged contact that goes on."""

    refused: bool
    """A filter of the game lets the two pass, until they part."""
    components_a: tuple[type[Component], ...]
    components_b: tuple[type[Component], ...]


@dataclass(frozen=True, slots=True)
class RewindState:
    """What a snapshot of the world keeps."""

    places: PlacesState
    behind: dict[int, float]
    met: dict[tuple[int, int], _Met]


@dataclass(slots=True)
class _Ways:
    """What is to be judged of one declared pair, as columns over its `a`."""

    number: int
    """Of the pair."""
    found_for: object
    """While this is the same, all but the last two is."""
    chosen: list[int] | slice
    """Which `a` have an owner who sees the past; the columns below are of these."""
    owners: list[int]
    ids: NDArray[np.uint64]
    behind: list[float]
    """How many ticks ago their owners saw the others."""
    back: NDArray[np.intp]
    """The same rounded, and negative."""
    tables: list[Table]
    """Where all `a` are."""
    start: NDArray[np.float64]
    """Before the step: x, y and angle; shape (ways, 3)."""


class Rewind:
    """The world as its players saw it. A resource of the server's world, and part of its state."""

    def __init__(self, world: World, declarations: Declarations) -> None:
        self._world = world
        self._owners = declarations.owners
        self._judged = declarations.judged
        self._dt = world.resource(Time).dt
        caps = [pair.cap for pair in self._judged] + ([] if declarations.cap is None else [declarations.cap])
        self.cap = max(caps, default=REWIND_CAP)
        """Seconds that questions look back at most."""
        self.behind: dict[int, float] = {}
        """Ticks by player, as the last `SawBehind` said; who is not in it sees the present."""
        self._places = Places(ceil(self.cap / self._dt) + 2)
        self._noted = _noted(declarations)
        self._targets: list[_Targets] = []
        """By judged pair."""
        self._sources: list[_Sources] = []
        """By judged pair, as of `_looked`."""
        self._looked = -1
        self._tables: list[Table] = []
        """Where what is noted is found, as of `_layout`."""
        self._layout = -1
        self._revisions: list[int] = []
        """Those of the tables, for which the columns were found."""
        self._heard = 0
        """How many times a player has told of a view."""
        self._known: dict[int, _Ways] = {}
        """Those of the last ticks, by number of the pair."""
        self._ways: list[_Ways] = []
        """While the space steps."""
        self._reached: dict[int, tuple[tuple[Any, ...], Any]] = {}
        """By judged pair: for whom it was asked how far they reach, and the answer."""
        self._met: dict[tuple[int, int], _Met] = {}
        """By ids of `a` and `b`."""

    # What a player saw

    def time(self, player: int) -> float:
        """The tick, with its fraction, that `player` saw others at who gave the command that counts in this tick."""
        return self._now - min(self.behind.get(player, 0.0), self.cap / self._dt)

    def place(self, player: int, entity: Entity) -> Place | None:
        """Where `player` saw an entity: x, y, angle. None if it was not there then; its own are where they are."""
        if not self._is_late(player, entity):
            at = entity.get(Transform)
            return None if at is None else (at.x, at.y, at.angle)
        return self._places.place(entity.id, self.time(player))

    def raycast(
        self,
        player: int,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        radius: float = 0.0,
        mask: int = EVERYTHING,
        ignore: Iterable[Entity] = (),
        sensors: bool = False,
    ) -> Hit | None:
        """The first thing on the way, as `Space.raycast` says, with others where `player` saw them.

        What clients are shown in the past is met where it was then, if it still exists; the rest where it is.
        """
        space = self._world.resource(Space)
        ignored = list(ignore)
        if not self._is_behind(player):
            return space.raycast(x0, y0, x1, y1, radius=radius, mask=mask, ignore=ignored, sensors=sensors)
        now = space.raycast_all(x0, y0, x1, y1, radius=radius, mask=mask, ignore=ignored, sensors=sensors)
        first = next((hit for hit in now if not self._is_late(player, hit.entity)), None)
        for entity, collider, at in self._past(player, (x0, y0), (x1, y1), radius, mask, sensors):
            if entity in ignored:
                continue
            met = cast(collider.shape, at, (x0, y0), (x1, y1), radius)
            if met is not None and (first is None or (met.fraction, entity.id) < (first.fraction, first.entity.id)):
                first = Hit(entity, met.x, met.y, -met.nx, -met.ny, met.fraction)
        return first

    def within(
        self, player: int, x: float, y: float, radius: float, mask: int = EVERYTHING, *, sensors: bool = False
    ) -> list[Entity]:
        """The entities no farther than `radius` from a point, as `Space.within` says, where `player` saw them."""
        found = self._world.resource(Space).within(x, y, radius, mask, sensors=sensors)
        if not self._is_behind(player):
            return found
        ranked: list[tuple[float, int, Entity]] = []
        for entity in found:
            at = entity.get(Transform)
            collider = entity.get(Collider)
            if at is not None and collider is not None and not self._is_late(player, entity):
                away = distance(collider.shape, (at.x, at.y, at.angle), x, y)
                ranked.append((away, entity.id, entity))
        for entity, collider, at in self._past(player, (x, y), (x, y), radius, mask, sensors):
            away = distance(collider.shape, at, x, y)
            if away <= radius:
                ranked.append((away, entity.id, entity))
        return [entity for _, _, entity in sorted(ranked, key=lambda each: each[:2])]

    def _past(
        self, player: int, start: tuple[float, float], end: tuple[float, float], radius: float, mask: int, sensors: bool
    ) -> Iterator[tuple[Entity, Collider, Place]]:
        """What may lie on the way, other than what `player` saw in the present."""
        places, time = self._places, self.time(player)
        if not len(places.ids):
            return
        reach = self._world.resource(Space).reach(places.ids) * (1.0 + ROOM) + radius
        x, y = places.around(np.array([min(int(time + 0.5), places.tick)]))[0]
        near = _near_way(x, y, start, end, reach)
        for id in places.ids[near].tolist():
            entity = self._world.find(id)
            if entity is None or not entity.alive or self._owner(entity) == player:
                continue
            collider = entity.get(Collider)
            at = places.place(id, time)
            if collider is None or at is None or not (collider.layer & mask and collider.mask):
                continue
            if sensors or not collider.sensor:
                yield entity, collider, at

    @property
    def _now(self) -> int:
        return self._world.resource(Time).tick

    def _is_behind(self, player: int) -> bool:
        return player in self.behind

    def _is_late(self, player: int, entity: Entity) -> bool:
        """Whether `player` sees an entity in the past."""
        return self._is_behind(player) and self._places.has(entity.id) and self._owner(entity) != player

    def _owner(self, entity: Entity) -> int | None:
        for kind, name in self._owners.items():
            row = entity.get(kind)
            if row is not None:
                return int(getattr(row, name))
        return None

    # In the tick

    def saw(self, event: SawBehind) -> None:
        """Take in how late a player sees others from now on."""
        self._heard += 1
        if isfinite(event.ticks) and event.ticks > PRESENT:
            self.behind[event.player] = event.ticks
        else:
            self.behind.pop(event.player, None)

    def leaves_to_us(self, world: World, a: Entity, b: Entity) -> bool:
        """The filter of physics: whether a judged contact is none of the solver's."""
        owner = self._owner(a)
        return owner is not None and self._is_behind(owner) and self._owner(b) != owner

    def about_to_move(self) -> None:
        """Note where what is to be judged stands before the step."""
        self._ways = []
        if self.behind and len(self._places.ids):
            self._ways = [ways for pair in range(len(self._judged)) if (ways := self._ways_of(pair)) is not None]

    def has_moved(self) -> None:
        """Judge the ways gone in the step, and post the contacts that began and ended."""
        found: dict[tuple[int, int], Touch] = {}
        for ways in self._ways:
            self._judge(ways, found)
        self._ways = []
        if found or self._met:
            self._tell(found)

    def note(self, tick: int) -> None:
        """Note where everything is that is shown in the past, at the end of a tick."""
        world = self._world
        if world.layout != self._layout:
            self._layout = world.layout
            self._tables = self._find_tables()
            self._revisions = []
        tables = self._tables
        revisions = [table.revision for table in tables]
        changed = revisions != self._revisions
        if changed:
            self._revisions = revisions
            ids = np.concatenate([_NOBODY, *(table.ids[: table.count] for table in tables)])
        else:
            ids = None
        self._places.note(
            tick, ids, np.concatenate([_NOWHERE, *(table.columns[Transform][: table.count] for table in tables)])
        )
        if changed:
            self._targets = [self._targets_of(pair) for pair in self._judged]

    def _find_tables(self) -> list[Table]:
        return [
            table
            for kinds, without in self._noted
            for table in self._world.archetypes()
            if table.pools.keys() >= {*kinds} and table.pools.keys().isdisjoint(without)
        ]

    def _targets_of(self, pair: Judged) -> _Targets:
        """Which columns of the history have the `b` of a judged pair, None for all of them; and their ids."""
        ids = self._places.ids
        targets = [rows.ids for rows in self._world.tables(pair.b, Transform, Collider)]
        having = np.isin(ids, np.concatenate([_NOBODY, *targets]))
        if having.all():
            return None, ids
        columns = having.nonzero()[0]
        return columns, ids[columns]

    def _sources_of(self, pair: Judged) -> _Sources:
        """The tables that may have an `a` of a judged pair, and the columns that tell their owners."""
        sources: _Sources = []
        known: list[type[Component]] = []
        for kind in (pair.a,) if pair.a in self._owners else self._owners:
            wanted = {pair.a, Transform, Collider, kind}
            for table in self._world.archetypes():
                if table.pools.keys() >= wanted and table.pools.keys().isdisjoint(known):
                    sources.append((table, vars(kind)[self._owners[kind]]))
            known.append(kind)
        return sources

    def _ways_of(self, number: int) -> _Ways | None:
        """The `a` of a judged pair whose owners see the past, as they stand before the step; None if there are none."""
        if self._looked != self._world.layout:
            self._looked = self._world.layout
            self._sources = [self._sources_of(pair) for pair in self._judged]
        tables: list[Table] = []
        owners: list[int] = []
        for table, column in self._sources[number]:
            if table.count:
                tables.append(table)
                owners += table.columns[column][: table.count].tolist()
        if not owners:
            return None
        found_for = [each.revision for each in tables], owners, self._heard
        ways = self._known.get(number)
        if ways is None or ways.found_for != found_for:
            chosen = [row for row, owner in enumerate(owners) if owner in self.behind]
            rows = chosen if len(chosen) < len(owners) else slice(None)
            owners = [owners[row] for row in chosen]
            most = self._judged[number].cap / self._dt
            behind = [min(self.behind[owner], most) for owner in owners]
            back = np.array([floor(0.5 - ticks) for ticks in behind], np.intp)
            ids = np.concatenate([each.ids[: each.count] for each in tables])[rows]
            ways = self._known[number] = _Ways(number, found_for, rows, owners, ids, behind, back, tables, _NOWHERE)
        if not ways.owners:
            return None
        ways.start = _places_in(tables)[ways.chosen]
        return ways

    def _judge(self, ways: _Ways, found: dict[tuple[int, int], Touch]) -> None:
        """Find what touches, of one judged pair; broadly for all at once, then exactly for the few that are near."""
        places, start, now = self._places, ways.start, self._now
        end = _places_in(ways.tables)[ways.chosen]
        columns, others = self._targets[ways.number]
        reach_a, reach_b, reach = self._reach(ways.number, ways.ids, others)
        ticks = np.minimum(ways.back + now, places.tick)
        for flat in places.near(ticks, columns, start, end, reach):
            row, col = divmod(flat, len(others))
            pair, time = (int(ways.ids[row]), int(others[col])), now - ways.behind[row]
            at = places.place(pair[1], time)
            if at is None or pair in found:
                continue
            x0, y0, _ = places.place(pair[1], time - 1) or at
            x, y, angle = start[row].tolist()
            way: tuple[Place, Place] = (x + at[0] - x0, y + at[1] - y0, angle), tuple(end[row].tolist())
            if _passes(at, *way, float(reach_a[row] + reach_b[col])):
                met = self._touch(self._judged[ways.number], pair, ways.owners[row], way, at)
                if met is not None:
                    found[pair] = met

    def _reach(
        self, number: int, ids: NDArray[np.uint64], others: NDArray[np.uint64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """How far the shapes of these and those go, and both together with `ROOM`, shape (ids, others).

        Asked for again only if bodies or entities are others.
        """
        space = self._world.resource(Space)
        bodies = space.simulation.bodies
        key = bodies, bodies.version, ids, others
        known = self._reached.get(number)
        if known is None or not all(map(is_, known[0], key)):
            a, b = space.reach(ids), space.reach(others)
            known = self._reached[number] = key, (a, b, (a[:, None] + b) * (1.0 + ROOM))
        return known[1]

    def _touch(
        self, judged: Judged, pair: tuple[int, int], owner: int, way: tuple[Place, Place], at: Place
    ) -> Touch | None:
        """Whether a pair touches: on the whole way that `a` went past `b` in this tick, or at its end if it did before.

        `b` stands still for it, at the place it had in the end; what it moved itself is taken off the way's start.
        """
        a, b = self._world.find(pair[0]), self._world.find(pair[1])
        if a is None or b is None or a == b or self._owner(b) == owner:
            return None
        if not (a.alive and b.alive and judged.b in b):
            return None
        collider_a, collider_b = a.get(Collider), b.get(Collider)
        if collider_a is None or collider_b is None:
            return None
        if not (collider_a.layer & collider_b.mask and collider_b.layer & collider_a.mask):
            return None
        known = pair in self._met
        start, end = way
        met = touch(collider_a.shape, end if known else start, end, collider_b.shape, at)
        if met is None or known:
            return met
        return None if self._world.resource(Space).touches(a, b) else met  # it began while its owner saw the present

    def _tell(self, found: dict[tuple[int, int], Touch]) -> None:
        """Post what is new among the contacts found, and what ended."""
        world, space = self._world, self._world.resource(Space)
        ended = [
            Gone(*_in_order(pair, self._met[pair]))
            for pair in sorted(self._met)
            if pair not in found and not self._met[pair].refused
        ]
        began: list[ContactBegan[Any, Any]] = []
        met: dict[tuple[int, int], _Met] = {}
        for pair in sorted(found):
            known = self._met.get(pair)
            if known is None:
                a, b = world.entity(pair[0]), world.entity(pair[1])
                refused = space.refuses(a, b, besides=self.leaves_to_us)
                kinds = [tuple(map(type, world.components(entity))) for entity in (a, b)]
                known = _Met(refused, kinds[0], kinds[1])
                if not refused:
                    began.append(_contact(space, a, b, found[pair]))
            met[pair] = known
        self._met = met
        space.tell(began, ended)

    # Participant of snapshots

    def capture(self) -> RewindState:
        """A copy of the history, of what players saw last, and of the contacts that go on."""
        return RewindState(self._places.capture(), dict(self.behind), dict(self._met))

    def restore(self, state: RewindState) -> None:
        """Go back to a copy."""
        self._places.restore(state.places)
        self.behind, self._met = dict(state.behind), dict(state.met)
        self._layout = -1
        self._known.clear()
        self._looked = -1
        self._targets = [self._targets_of(pair) for pair in self._judged]

    def digest(self) -> int:
        """The hash of it all."""
        met = [(pair, self._met[pair].refused) for pair in sorted(self._met)]
        return digest((self._places.digest(), sorted(self.behind.items()), met))


def rewinding(protocol: Protocol) -> Plugin:
    """The plugin that puts a `Rewind` into a server's world and keeps it. Raises `SchemaError` for a pair nobody owns.

    It needs physics if contacts are judged. Players see the present until a `SawBehind` says otherwise.
    """
    declarations = protocol.declarations
    _check(declarations)
    plugin = Plugin("engine.net.rewinding", needs=[physics] if declarations.judged else [])

    @plugin.setup
    def build(world: World) -> None:  # pyright: ignore[reportUnusedFunction]
        rewind = world.insert(Rewind(world, declarations))
        world.participants["rewind"] = rewind
        for pair in declarations.judged:
            world.resource(Space).refuse(pair.a, pair.b)(rewind.leaves_to_us)

    @plugin.on(SawBehind)
    def see(world: World, event: SawBehind) -> None:  # pyright: ignore[reportUnusedFunction]
        world.resource(Rewind).saw(event)

    if declarations.judged:

        @plugin.on(Physics, phase=Phase.EARLY, priority=-500)
        def before(world: World, stage: Physics) -> None:  # pyright: ignore[reportUnusedFunction]
            world.resource(Rewind).about_to_move()

        @plugin.on(Physics, phase=Phase.LATE, priority=500)
        def after(world: World, stage: Physics) -> None:  # pyright: ignore[reportUnusedFunction]
            world.resource(Rewind).has_moved()

    @plugin.on(End, phase=Phase.LATE, priority=-800)
    def note(world: World, end: End) -> None:  # pyright: ignore[reportUnusedFunction]
        world.resource(Rewind).note(end.number)

    return plugin


def _check(declarations: Declarations) -> None:
    if declarations.cap is not None and not 0 < declarations.cap < inf:
        raise SchemaError(f".rewind() cannot reach back {declarations.cap!r} seconds; give a positive number")
    for pair in declarations.judged:
        names = f"{pair.a.__name__}, {pair.b.__name__}"
        if not declarations.owners:
            raise SchemaError(
                f".rewind({names}) goes by what the owner of {pair.a.__name__} saw, and nothing has one; "
                f"declare it with .owner({pair.a.__name__}.player)"
            )
        if pair.a is pair.b:
            raise SchemaError(f".rewind({names}): one side shoots and the other is hit; give two components")
        if not 0 < pair.cap < inf:
            raise SchemaError(f".rewind({names}) cannot reach back {pair.cap!r} seconds; give a positive number")


def _noted(
    declarations: Declarations,
) -> list[tuple[tuple[type[Component], ...], tuple[type[Component], ...]]]:
    """What clients are shown in the past: queries with components and those to be without, that share no entity."""
    queries: list[tuple[tuple[type[Component], ...], tuple[type[Component], ...]]] = []
    known: list[type[Component]] = []
    for kind in dict.fromkeys(pair.b for pair in declarations.judged):
        queries.append(((kind, Transform, Collider), tuple(known)))
        known.append(kind)
    if Transform in declarations.interpolated:
        ahead = [kind for kind, predicted in declarations.predicted.items() if predicted.all]
        queries.append(((Transform, Collider, Body), (*known, *ahead)))
    return queries


def _places_in(tables: list[Table]) -> NDArray[np.float64]:
    """x, y and angle of all rows; shape (rows, 3)."""
    return np.concatenate([table.columns[Transform][: table.count] for table in tables])


def _near_way(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: tuple[float, float],
    end: tuple[float, float],
    reach: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which points come within `reach` of one way, however long."""
    sx, sy = end[0] - start[0], end[1] - start[1]
    dx, dy = x - start[0], y - start[1]
    part = ((dx * sx + dy * sy) / ((sx * sx + sy * sy) or 1.0)).clip(0.0, 1.0)
    return np.hypot(dx - part * sx, dy - part * sy) <= reach


def _passes(at: Place, start: Place, end: Place, reach: float) -> bool:
    """Whether a straight way comes within `reach` of a point."""
    sx, sy, dx, dy = end[0] - start[0], end[1] - start[1], at[0] - start[0], at[1] - start[1]
    part = max(0.0, min(1.0, (dx * sx + dy * sy) / ((sx * sx + sy * sy) or 1.0)))
    return hypot(dx - part * sx, dy - part * sy) <= reach


def _in_order(pair: tuple[int, int], met: _Met) -> Any:
    a, b = pair
    return (a, b, met.components_a, met.components_b) if a < b else (b, a, met.components_b, met.components_a)


def _contact(space: Space, a: Entity, b: Entity, met: Touch) -> ContactBegan[Any, Any]:
    """The event of a contact that is not solved, with the impulse and energy of a collision without spin."""
    impulse = energy = 0.0
    collider_a, collider_b = a[Collider], b[Collider]
    if not (collider_a.sensor or collider_b.sensor):
        yielding = _yielding(space, a) + _yielding(space, b)
        (avx, avy), (bvx, bvy) = _velocity(a), _velocity(b)
        speed = (avx - bvx) * met.nx + (avy - bvy) * met.ny
        if yielding > 0 and speed > 0:
            kept = collider_a.material.elasticity * collider_b.material.elasticity
            impulse = (1 + kept) * speed / yielding
            energy = 0.5 * max(0.0, 1 - kept * kept) * speed * speed / yielding
    return ContactBegan(a, b, met.x, met.y, met.nx, met.ny, impulse, energy)


def _yielding(space: Space, entity: Entity) -> float:
    """The inverse of the mass; 0 for what nothing can push."""
    body = entity.get(Body)
    return 1 / space.mass(entity) if body is not None and body.kind == BodyKind.DYNAMIC else 0.0


def _velocity(entity: Entity) -> tuple[float, float]:
    velocity = entity.get(Velocity)
    return (0.0, 0.0) if velocity is None else (velocity.vx, velocity.vy)
