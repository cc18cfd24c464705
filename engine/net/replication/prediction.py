"""Prediction: a client runs the rules ahead of its server, and again from where the server proves them wrong.

The rules run in a scene of their own that nobody sees. In its world, predicted entities are simulated; all others are
put, before each tick, where this player saw them then, so that what hits what is what was on the screen. The server's
word on a tick is compared with what was predicted for it. If they differ, the predicted entities are put back to that
tick, and all ticks since are run again with the same commands. `present` copies the outcome into the world shown.
"""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Sequence, Set
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.app import Commanded, Scene, Time
from engine.app.command import CommandSource
from engine.ecs import ChildOf, Component, Despawned, EcsError, Entity, Resource, Spawned, World
from engine.ecs.entity import INDEX, LOCAL
from engine.ecs.table import Table
from engine.net.replication.amending import Amending
from engine.net.replication.comparison import Columns, Comparison, Difference, Fields, live_columns, noted_columns
from engine.net.replication.forwarding import Forwarding, mapped
from engine.net.replication.history import MOST, Cast, Moment, Revertible, note, put_back, shape_like
from engine.net.replication.layout import MOST_SLOTS, Shape
from engine.net.replication.mirror import Mirror
from engine.net.replication.presenting import Presenting
from engine.net.replication.replica import Replica
from engine.net.replication.smoothing import Smoothing
from engine.net.replication.standins import Arrival, Place, StandIns, owner_of, spawning_kind
from engine.net.replication.state import State
from engine.net.wire.declaration import Told
from engine.net.wire.protocol import Protocol
from engine.physics import Space, Velocity
from engine.scene import Transform

log = logging.getLogger("tickwire.net")

MOST_AGAIN = 60
"""Ticks run again at most; a client that is further ahead starts from the server's word as if it were newer."""
MOST_ERRORS = 1_000
"""Corrections of which the size is kept."""
REMEMBERED = 240
"""Ticks for which one remembers who was predicted: others are shown in the past, where those may still be."""
MOST_AMENDED = 64
"""Numbers that a few entities may differ by."""
GRACE = 2
"""Ticks for which a stand-in that was not spawned again is waited for."""


class Prediction:
    """What `player` will see of the entities declared with `Protocol.predict`, ahead of the server.

    `scene` has the rules both sides share, and a world that mirrors the server's; `mirror` writes into that world.
    An error that a rule raises while ticks are run comes out of `advance` and `reconcile`, unless the scene isolates
    errors; either way the prediction goes on with the next tick.
    """

    def __init__(self, protocol: Protocol, scene: Scene, player: int, replica: Replica, mirror: Mirror) -> None:
        self.protocol = protocol
        self.scene = scene
        self.player = player
        self.replica = replica
        self.mirror = mirror
        self.events: list[object] = []
        """What happened in the prediction and is to be told in the world shown. The reader empties it."""
        self.withdrawn: list[object] = []
        """Events that were told and, after a correction, had not happened after all. The reader empties it."""
        self.shown: set[int] = set()
        """The server's ids of what is predicted, and was of late: for the mirror of the world shown to leave alone."""
        self.distrusts = False
        """Whether to go back at every state, even if it agrees: a test of rules, as the outcome must be the same."""
        self.corrections = 0
        """How often the prediction was put back."""
        self.amended = 0
        """How often it was put right without running ticks again."""
        self.error = 0.0
        """Units by which the player's own entity was off at the last correction."""
        self.errors: deque[float] = deque(maxlen=MOST_ERRORS)
        """The same, of the last corrections."""
        self.resimulated = 0
        """Ticks run again."""
        self.visible = 0.0
        """Units by which corrections moved what is shown of the player's own entity in the last tick."""
        self._declared = protocol.declarations
        self._world = world = scene.world
        self._cast = Cast(world)
        self._revertible = [each for each in world.participants.values() if isinstance(each, Revertible)]
        self._spawns: dict[int, bool] = {}  # by id in the prediction: whether it may end before the server says so
        self._standins = StandIns()
        self._seen: dict[int, int] = {}  # by the server's id: the last tick at which it was one of the predicted
        self._over: dict[int, int] = {}  # by id, others that are gone at the server: since when that is known
        self._last: Shape | None = None
        self._seed = scene.seed
        self._moments: dict[int, Moment] = {}
        self._confirmed = -1
        self._commands: Sequence[object] = ()
        self._born: list[int] = []
        self._gone: list[int] = []
        self._forwarding = Forwarding(player)
        self._smoothing = Smoothing()
        self._presenting = Presenting(protocol, player, self._cast, self._smoothing)
        self._amending = Amending(world, self._declared, player, self._cast)
        self._births: dict[int, int] = {}  # by key: the tick at which the server spawned what is new to the prediction
        self._known: tuple[int, list[int]] = (-1, [])
        self._own: tuple[int, list[int]] = (-1, [])
        self._comparisons: dict[tuple[int, int], Comparison] = {}
        self._fields: dict[Table, Fields] = {}
        self._noted: tuple[Moment, Columns] | None = None
        self._spawning = [kind for kind, each in self._declared.predicted.items() if each.spawns]
        self._listen()

    @property
    def aliases(self) -> dict[int, int]:
        """By the server's id: what stands for an entity in the world shown."""
        return self._presenting.aliases

    def _listen(self) -> None:
        dispatcher = self.scene.dispatcher
        dispatcher.subscribe(Spawned, lambda world, spawned: self._born.append(spawned.entity.id))
        dispatcher.subscribe(Despawned, lambda world, despawned: self._gone.append(despawned.entity.id))
        for kind, told in self._declared.events.items():
            if told.mine or told.predicted:
                dispatcher.subscribe(kind, partial(self._note_event, told))
        space = self._world.find_resource(Space)
        if space is not None:
            for pair in self._declared.judged:
                space.refuse(pair.a, pair.b)(self._is_others_affair)
        source = CommandSource(lambda world: [Commanded(self.player, each) for each in self._commands], False)
        self.scene._sources.insert(0, source)  # pyright: ignore[reportPrivateUsage]

    def _note_event(self, told: Told, world: World, event: object) -> None:
        self._forwarding.note(told, event)

    def _is_others_affair(self, world: World, a: Entity, b: Entity) -> bool:
        """Whether two meet by what somebody else saw, which the server alone knows: until it tells, they pass."""
        return owner_of(a, self._declared) not in (self.player, None) and owner_of(b, self._declared) != self.player

    # Running

    def advance(self, tick: int, commands: Sequence[object], view_time: float) -> None:
        """Run the tick with these commands, others standing where they were at the server's tick `view_time`.

        A tick that does not follow the last one is a jump of the client's clock: what it left out is run without
        commands, what it goes back over is forgotten.
        """
        behind = tick - 1 - self.scene.tick
        if behind < 0:
            self._step_back(tick - 1)
        elif behind > MOST_AGAIN:
            self.scene.time.tick = tick - 1
        for missing in range(self.scene.tick + 1, tick):
            self._run(missing, (), view_time)
        self._run(tick, tuple(commands), view_time)

    def _step_back(self, tick: int) -> None:
        moment = self._moments.get(tick)
        for later in [each for each in self._moments if each > tick]:
            del self._moments[later]
        if moment is not None:
            for standin in self._standins:
                if standin.id in self._cast and standin.tick > tick and not standin.server:
                    standin.loose = True
                    self._let_go(standin.id)
                    self._world.entity(standin.id).despawn()
            put_back(self._cast, moment)
            self._revert(moment)
            self._forwarding.rewind(tick)
        self.scene.time.tick = tick

    def _run(self, tick: int, commands: Sequence[object], view_time: float) -> None:
        # The step moves the others on by a tick, to where they are shown.
        self.mirror.rewrite(view_time - 1.0, self.shown | self._over.keys() if self._over else self.shown)
        self._commands = commands
        self._world.rng.seed(self._seed ^ tick)  # so that a tick draws the same whenever it is run
        try:
            self.scene.run_tick()
        finally:
            self._finish(tick)
            self._take_note(tick, commands, view_time)

    def _take_note(self, tick: int, commands: Sequence[object], view_time: float) -> None:
        self._moments[tick] = note(self._cast, self._revertible, tick, commands, view_time)
        while len(self._moments) > MOST:
            del self._moments[min(self._moments)]

    def _finish(self, tick: int) -> None:
        """Look at who came and went in the tick, then at what happened."""
        gone, self._gone = self._gone, []
        for id in gone:
            if id in self._cast:
                if self._world.find(id) is None:
                    self._lose(id, tick)
            elif id & INDEX < MOST_SLOTS and id not in self.shown and id not in self._over:
                self.mirror.look_anew()
        born, self._born = self._born, []
        for id in born:
            entity = self._world.find(id)
            if id & LOCAL or id & INDEX < MOST_SLOTS or entity is None or id in self._cast:
                continue
            kind = spawning_kind(entity, self._declared)
            if kind is None or owner_of(entity, self._declared) not in (self.player, None):
                entity.despawn()  # for the server to bring about
                continue
            self._standins.spawned(kind, tick, id)
            self._take_in(id, spawns=True)
        self._forwarding.settle(tick, self._identity)
        for standin in self._standins:
            if standin.loose and tick - standin.tick > GRACE:
                self._standins.forget(standin)
                self._forwarding.withdraw(standin.key)
            elif not standin.server and tick - standin.tick > MOST:
                self._standins.forget(standin)
        self._forwarding.advance(tick, self._confirmed)

    def _lose(self, id: int, tick: int) -> None:
        """The prediction has ended an entity: it may, or it has the entity as it was before."""
        before = self._moments.get(tick - 1)
        components = None if self._spawns[id] or before is None else before.components(id)
        self._let_go(id)
        if components is not None:
            self._adopt(id, components)

    def _take_in(self, id: int, *, spawns: bool) -> None:
        self._cast.add(id)
        self._spawns[id] = spawns

    def _let_go(self, id: int) -> None:
        self._cast.discard(id)
        self._spawns.pop(id, None)

    def _adopt(self, id: int, components: Sequence[Component]) -> None:
        """Have the server's entity in the prediction. Another one with its index is of the past, and goes."""
        try:
            self._world.adopt(id, *components)
        except EcsError:
            for other in self._world:
                if other.id & (LOCAL | INDEX) == id & INDEX:
                    self._seen[other.id] = self._confirmed
                    self.shown.add(other.id)
                    self._let_go(other.id)
                    other.despawn()
            self._world.adopt(id, *components)
        self._take_in(id, spawns=spawning_kind(self._world.entity(id), self._declared) is not None)

    def _identity(self, id: int) -> int | None:
        """What an entity is known as for good: a stand-in by its key, the server's by its id."""
        standin = self._standins.by_id.get(id)
        if standin is not None:
            return standin.key
        return None if id & INDEX >= MOST_SLOTS else id

    # The server's word

    def reconcile(self, state: State) -> None:
        """Compare the prediction of the state's tick with it; if they differ, go back and run on from there."""
        tick = state.tick
        if tick <= self._confirmed:
            return
        wanted = self._wanted(state)
        moment = self._moments.get(tick)
        self._welcome(state, wanted, moment)
        here = map(self._here, wanted) if self._standins.by_server else wanted
        servers = dict(zip(here, wanted, strict=True))
        self._confirmed = tick
        self._keep_up(state)
        if (
            moment is None
            or self.distrusts
            or not (self._agrees(moment, state, servers) or self._amend(state, servers))
        ):
            self._correct(state, servers, moment)
        self._noted = None
        for old in [each for each in self._moments if each < tick]:
            del self._moments[old]
        self._forget(state)

    def _wanted(self, state: State) -> list[int]:
        """The server's ids of what is to be predicted."""
        ids = state.ids
        chosen = np.zeros(len(ids), np.bool_)
        own: NDArray[np.bool_] | None = None
        for kind, each in self._declared.predicted.items():
            having = state.has(kind)
            if not each.all:
                own = self._owned(state) if own is None else own
                having = having & own
            chosen |= having
        return ids[chosen].tolist()

    def _owned(self, state: State) -> NDArray[np.bool_]:
        own = np.zeros(len(state.ids), np.bool_)
        if self.player >= 0:
            for kind, name in self._declared.owners.items():
                having = np.flatnonzero(state.has(kind))
                _, values = state.column(vars(kind)[name])
                own[having[values == self.player]] = True
        return own

    def _here(self, server: int) -> int:
        """The id in the prediction of the server's entity."""
        standin = self._standins.by_server.get(server)
        return server if standin is None else standin.id

    def _welcome(self, state: State, wanted: list[int], moment: Moment | None) -> None:
        """Match what the server tells of for the first time with what was predicted of it."""
        new = [id for id in wanted if id not in self._seen]
        for id in wanted:
            self._seen[id] = state.tick
        self.shown.update(new)
        if self._moments:  # else there is no telling what is new
            self._births.update((id, state.birth(id)) for id in new)
        if not new or all(each.server for each in self._standins):
            return
        own = dict(zip(state.ids.tolist(), self._owned(state).tolist(), strict=True))
        arrivals: list[Arrival] = []
        for id in new:
            for kind in self._spawning:
                if own[id] and state.has(kind)[state.shape.places[id]]:
                    arrivals.append(Arrival(id, kind, state.birth(id), _place_told(state, id)))
                    break
        places = _places_noted(moment) if moment is not None else {}
        for standin, server in self._standins.match(arrivals, places):
            self.mirror.aliases[server] = standin.id
            self._presenting.known(standin.key, server)

    def _keep_up(self, state: State) -> None:
        """Others that stand still come and go at once: at the server, what is shown a moment longer hits nothing."""
        before, self._last = self._last, state.shape
        if before is None or before is state.shape:
            return
        now, then = set(state.ids.tolist()), set(before.ids.tolist())
        for id in sorted(then - now - self._seen.keys()):
            self._over[id] = state.tick
            entity = self._world.find(id)
            if entity is not None:
                entity.despawn()
        for id in sorted(now - then - self._seen.keys()):
            components = state.components(id)
            kinds = {type(component) for component in components}
            if Transform in kinds and ChildOf not in kinds and Velocity not in kinds and self._world.find(id) is None:
                try:
                    self._world.adopt(id, *components)
                except EcsError:  # something of the past has its index: it comes when that has gone
                    continue

    def _agrees(self, moment: Moment, state: State, servers: dict[int, int]) -> bool:
        if set(moment.ids) != servers.keys():
            return False
        comparison = self._comparison(moment.groups, servers, state)
        return comparison.agrees(self._noted_columns(moment), state, self.mirror.aliases)

    def _noted_columns(self, moment: Moment) -> Columns:
        """The columns of a note, which a correction asks for several times."""
        if self._noted is None or self._noted[0] is not moment:
            self._noted = moment, noted_columns(moment)
        return self._noted[1]

    def _amend(self, state: State, servers: dict[int, int]) -> bool:
        """Put the notes since then and the present right without running ticks again, if that will do."""
        window = [self._moments.get(tick) for tick in range(state.tick, self.scene.tick + 1)]
        known = [moment for moment in window if moment is not None]
        if len(known) < max(1, len(window)):
            return False

        def differ(window: list[Moment]) -> Sequence[Difference] | None:
            comparison = self._comparison(window[0].groups, servers, state)
            if not comparison.alike:
                return None
            columns = self._noted_columns(window[0])
            return comparison.differences(columns, state, self.mirror.aliases, MOST_AMENDED)

        def drop(id: int) -> None:
            self._let_go(id)
            entity = self._world.find(id)
            if entity is not None:
                entity.despawn()
            self._forwarding.withdraw(id, state.tick)

        def adopt(id: int, told: Sequence[Component]) -> None:
            entity = self._world.find(id)
            if entity is None:
                self._adopt(id, told)
                return
            for component in told:
                row = self._world.row(entity, type(component))
                for field in self._declared.components[type(component)].fields:
                    setattr(row, field.name, getattr(component, field.name))

        keys, before = self._keys(), self._places()
        amended = self._amending.amend(
            known, servers, differ, drop, lambda id: self._told(state, servers[id]), adopt, self._may_return
        )
        if amended is None:
            return False
        self.amended += 1
        moments, hold = amended
        self._moments.update((moment.tick, moment) for moment in moments)
        if hold < len(moments):
            self._return(moments[hold - 1], keys, before)
        else:
            self._glide(keys, before)
        return True

    def _may_return(self, moment: Moment, besides: Set[int]) -> bool:
        """Whether who is there now, and was not then, or the other way round, can be brought back to that."""
        noted, present = set(moment.ids), set(self._cast.ids.tolist())
        for id in present - noted - besides:
            standin = self._standins.by_id.get(id)
            if standin is None or standin.server:
                return False
        return all(id & INDEX < MOST_SLOTS and self._world.find(id) is None for id in noted - present - besides)

    def _return(self, moment: Moment, keys: list[int], before: NDArray[np.float64]) -> None:
        """Go back to a moment and run the ticks since then again."""
        self.corrections += 1
        noted = set(moment.ids)
        for standin in self._standins:
            standin.loose = standin.loose or (not standin.server and standin.tick > moment.tick)
        for id in [id for id in self._cast.ids.tolist() if id not in noted]:
            self._standins.by_id[id].loose = True
            self._let_go(id)
            self._world.entity(id).despawn()
        for id in [id for id in moment.ids if id not in self._cast]:
            self._adopt(id, moment.components(id) or ())
        put_back(self._cast, moment)
        present = self.scene.tick
        again = [self._moments.get(tick) for tick in range(moment.tick + 1, present + 1)]
        self._run_again(moment, moment.tick, again, keys, before)

    def _comparison(self, groups: list[Any], servers: dict[int, int], state: State) -> Comparison:
        key = id(groups), state.shape.number
        found = self._comparisons.get(key)
        if found is None or found.groups is not groups:
            if len(self._comparisons) > 16:
                self._comparisons.clear()
            found = self._comparisons[key] = Comparison(groups, servers, state, self._fields)
        return found

    def _forget(self, state: State) -> None:
        for standin in self._standins:
            if standin.server and standin.server not in state and standin.id not in self._cast:
                self._standins.forget(standin)
                self._presenting.forget(standin.key)
        old = state.tick - REMEMBERED
        for id in [id for id, last in self._over.items() if last < old]:
            del self._over[id]
        for id in [id for id, last in self._seen.items() if last < old]:
            del self._seen[id]
            self.shown.discard(id)
            self.mirror.aliases.pop(id, None)
            self.aliases.pop(id, None)
        left = [id for id, last in self._seen.items() if last != state.tick and id in self.shown and id in state]
        self.shown.difference_update(left)  # still there, but no longer this player's: the mirrors have it now

    # Going back

    def _correct(self, state: State, servers: dict[int, int], moment: Moment | None) -> None:
        """Put the predicted entities to what the server says of its tick, and run all ticks since again."""
        present = max(self.scene.tick, state.tick)
        start = max(state.tick, present - MOST_AGAIN)
        if self._moments:
            self.corrections += 1
            self._note_error(state, servers, moment)
        keys, before = self._keys(), self._places()
        again = [self._moments.get(tick) for tick in range(start + 1, present + 1)]
        then = self._moments.get(start)
        self._remove_others(state, servers, start)
        self._place(state, servers, moment)
        self._run_again(moment, start, again, keys, before, then)

    def _run_again(
        self,
        moment: Moment | None,
        start: int,
        again: list[Moment | None],
        keys: list[int],
        before: NDArray[np.float64],
        then: Moment | None = None,
    ) -> None:
        """Run the ticks after `start` once more, the entities being as they were then."""
        resources = _resources_of(self._world)
        self._forwarding.rewind(start)
        self.scene.time.tick = start
        if moment is not None:
            self._revert(moment)
        then = then or moment
        view_time = then.view_time if then is not None else float(start)
        self._take_note(start, then.commands if then is not None else (), view_time)
        failed: Exception | None = None
        for tick, noted in enumerate(again, start + 1):
            self.resimulated += 1
            view_time = noted.view_time if noted is not None else view_time
            try:
                self._run(tick, noted.commands if noted is not None else (), view_time)
            except Exception as error:
                failed = failed or error
        _put_resources_back(resources)
        self._glide(keys, before)
        if failed is not None:
            raise failed

    def _remove_others(self, state: State, servers: dict[int, int], tick: int) -> None:
        """Who is predicted now, and is not at the server at that tick, goes; what is spawned later comes again."""
        for standin in self._standins:
            if not standin.server and (standin.tick > tick or standin.id in self._cast):
                standin.loose = True
        for id in self._cast.ids.tolist():
            if id not in servers:
                self._let_go(id)
                entity = self._world.find(id)
                if entity is not None and id not in state:
                    entity.despawn()

    def _place(self, state: State, servers: dict[int, int], moment: Moment | None) -> None:
        """Have the server's entities, as they were noted, and over that what the server says of them."""
        noted = set(moment.ids) if moment is not None else set[int]()
        fresh = servers.keys() - noted
        for here, server in [each for each in servers.items() if each[0] not in self._cast]:
            if self._world.find(here) is not None:  # one of the others, so far
                self._take_in(here, spawns=spawning_kind(self._world.entity(here), self._declared) is not None)
                continue
            components = moment.components(here) if moment is not None and here in noted else None
            if here != server:  # the stand-in has ended here, and not there
                self._stand_down(here, server)
                del servers[here]
                servers[server] = server
                fresh.discard(here)
            self._adopt(server, components or self._told(state, server))
        if moment is not None:
            put_back(self._cast, moment)
        comparison = self._comparison(self._cast.groups(), servers, state)
        if not comparison.alike:
            self._shape(state, servers)
            comparison = self._comparison(self._cast.groups(), servers, state)
        comparison.write(live_columns(comparison.groups), state, self.mirror.aliases, fresh)

    def _stand_down(self, here: int, server: int) -> None:
        """The server's entity comes back into the prediction, under its own id."""
        standin = self._standins.by_server[server]
        self._standins.moved(standin, server)
        standin.loose = False
        self.mirror.aliases.pop(server, None)

    def _told(self, state: State, server: int) -> list[Component]:
        """What the server says an entity is made of, with this side's ids."""
        components = state.components(server)
        aliases = self.mirror.aliases
        for component in components if aliases else ():
            for field in self._declared.components[type(component)].fields:
                if field.is_ref:
                    id: int = getattr(component, field.name)
                    setattr(component, field.name, aliases.get(id, id))
        return components

    def _shape(self, state: State, servers: dict[int, int]) -> None:
        """Give entities those of the declared components that they have at the server, and no others."""
        for here, server in servers.items():
            entity = self._world.entity(here)
            told = self._told(state, server)
            kinds = {type(component) for component in told}
            have = {type(component): component for component in self._world.components(entity)}
            if kinds != have.keys() & self._declared.components.keys():
                kept = [own.copy() for kind, own in have.items() if kind not in self._declared.components]
                shape_like(entity, [*kept, *(have.get(type(each), each).copy() for each in told)])

    def _revert(self, moment: Moment) -> None:
        for participant, mark in moment.marks:
            participant.revert(mark)

    def _note_error(self, state: State, servers: dict[int, int], moment: Moment | None) -> None:
        if moment is None:
            return
        noted = set(moment.ids)
        both = {id: server for id, server in servers.items() if id in noted}
        if len(both) == len(noted):
            away = self._comparison(moment.groups, both, state).distances(self._noted_columns(moment), state)
            self.error = max((away[id] for id in both if not self._spawns.get(id, True)), default=0.0)
            self.errors.append(self.error)

    # What is shown

    def _keys(self) -> list[int]:
        """What the cast is known as, in its order."""
        version = self._cast.version
        if self._known[0] != version:
            self._known = version, [self._identity(id) or id for id in self._cast.ids.tolist()]
        return self._known[1]

    def _places(self) -> NDArray[np.float64]:
        """Where the cast is, in its order: x, y, angle."""
        places = np.zeros((len(self._cast), 3))
        for group in self._cast.groups():
            columns = group.table.columns
            if Transform.x in columns:
                for axis, key in enumerate((Transform.x, Transform.y, Transform.angle)):
                    places[group.order, axis] = columns[key][group.chosen]
        return places

    def _glide(self, keys: list[int], before: NDArray[np.float64]) -> None:
        """Let what is shown go on from where it was."""
        now, after = self._keys(), self._places()
        if now != keys:
            places = {key: place for place, key in enumerate(keys)}
            known = np.array([places.get(key, -1) for key in now], np.intp)
            old = after.copy()
            old[known >= 0] = before[known[known >= 0]]
            before = old
        self._smoothing.corrected(now, before, after)

    def present(self, shown: World, left: Sequence[int] = ()) -> None:
        """Copy the predicted entities into the world shown, once a tick, and gather what is to be told there.

        `left` are those that the mirror of that world had, and was to leave alone. Between ticks or inside a stage of
        that world. What hangs on its entities, and their local components, stay.
        """
        for entry in self._forwarding.withdrawn:
            event = mapped(entry, shown, self._presenting.shown_id)
            if event is not None:
                self.withdrawn.append(event)
        self._forwarding.withdrawn.clear()
        keys = self._keys()
        self._smoothing.align(keys)
        moved = self._smoothing.advance(self.scene.time.dt)
        self.visible = max((float(moved[place]) for place in self._own_places()), default=0.0)
        waited_for = {each.key for each in self._standins if each.loose}
        self._presenting.present(shown, keys, waited_for, self._births, self.scene.tick)
        self._births.clear()
        if left:
            self._presenting.clear(shown, left)
        self.events += self._forwarding.take(shown, self._presenting.shown_id)

    def succeed(self, before: Prediction, shown: World) -> None:
        """Take over from another prediction what it shows."""
        self._presenting.succeed(before._presenting, shown)

    def _own_places(self) -> list[int]:
        """The places in the cast of what the player is, not of what they brought about."""
        version = self._cast.version
        if self._own[0] != version:
            places: list[int] = []
            for place, id in enumerate(self._cast.ids.tolist()):
                entity = self._world.find(id)
                is_own = entity is not None and owner_of(entity, self._declared) == self.player
                if is_own and not self._spawns[id]:
                    places.append(place)
            self._own = version, places
        return self._own[1]


def _place_told(state: State, id: int) -> Place | None:
    for component in state.components(id):
        if isinstance(component, Transform):
            return component.x, component.y, component.angle
    return None


def _places_noted(moment: Moment) -> dict[int, Place]:
    places: dict[int, Place] = {}
    for group, columns in zip(moment.groups, noted_columns(moment), strict=True):
        for part, column in zip(group.parts, columns, strict=True):
            if part.component is Transform:
                axes = (column["x"].tolist(), column["y"].tolist(), column["angle"].tolist())
                places.update(zip(group.ids.tolist(), zip(*axes, strict=True), strict=True))
    return places


def _resources_of(world: World) -> list[tuple[Resource, dict[str, object]]]:
    """The state of resources. Ticks run again use the present one, and leave it: the server tells of resources."""
    return [
        (resource, {name: _copied(value) for name, value in vars(resource).items()})
        for resource in world.state_resources
        if not isinstance(resource, Time)
    ]


def _copied(value: object) -> object:
    return copy.copy(value) if isinstance(value, list | dict | set) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _put_resources_back(resources: list[tuple[Resource, dict[str, object]]]) -> None:
    for resource, values in resources:
        vars(resource).update(values)
