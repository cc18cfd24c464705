"""The server's side of a room: it seats who comes, feeds their commands to the rules, and tells what becomes of it.

    authority = Authority(multiplayer, server, options, clock)
    scene = game.scene(options, [authority.plugin])
    authority.receive(event)           # every event of the room's peers
    scene.run_tick()                   # commands in, snapshots out

The rules notice nothing of it: people sit down by the same external events, and fly by the same commands, as at one
machine; so a recording of the room replays like any other.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from engine.app import Commanded, End, Options, Plugin, Scene
from engine.ecs import World
from engine.events import Phase
from engine.net.connection.delivery import Encoded
from engine.net.connection.events import Connected, Disconnected, Event, Reason, Received
from engine.net.connection.routing import routing
from engine.net.connection.server import Server
from engine.net.multiplayer import SPECTATOR, Multiplayer
from engine.net.replication.commands import Inbox
from engine.net.replication.hosted import hosted
from engine.net.replication.replicator import Replicator
from engine.net.replication.rewind import SawBehind
from engine.net.replication.seats import HELD, Seat, Seats
from engine.net.replication.telling import MOST_EVENTS, EventCodec, ResourceWatch
from engine.net.wire.errors import EncodeError
from engine.net.wire.system import Changed, Happened, Hello, Inputs, Saw, Welcome

log = logging.getLogger("tickwire.net")

CHECK_EVERY = 120
"""Ticks from one comparison of clients with the server to the next."""
SLACK = 18.0
"""Ticks that a client may claim to show others later than its round trip alone explains: its buffer."""


@dataclass(slots=True)
class Newcomer:
    """Somebody who said hello and waits for a seat."""

    peer: int
    spectate: bool
    resume: bytes


class Authority:
    """One room's players and what they are told. A resource of the room's world."""

    def __init__(
        self,
        multiplayer: Multiplayer,
        server: Server,
        options: Options,
        clock: Callable[[], float],
        *,
        held: float = HELD,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.multiplayer = multiplayer
        self.server = server
        self.options = options
        self.seats = Seats(entropy, held)
        self.peers: dict[int, str] = {}
        """The room's connections, and what their people want to be called."""
        self.inboxes: dict[int, Inbox] = {}
        """By player."""
        self._clock = clock
        self._tick_at = clock()
        self._newcomers: deque[Newcomer] = deque()
        self._entered: dict[int, int] = {}  # peers that are sent snapshots, and their players
        self._spectators: dict[int, Inbox] = {}
        self._behind: dict[int, int] = {}  # in quarters of a tick
        self._told: list[object] = []
        self._codec = EventCodec(multiplayer.protocol.declarations)
        self._resources = ResourceWatch(multiplayer.protocol.declarations)
        self._scene: Scene | None = None
        self._replicator: Replicator | None = None
        self.plugin = self._make_plugin()
        """What the room's scene is to be made with."""

    @property
    def scene(self) -> Scene:
        """The room. There once a scene was made with `plugin`."""
        assert self._scene is not None, "make a scene with the plugin of this authority first"
        return self._scene

    @property
    def replicator(self) -> Replicator:
        """What makes the snapshots."""
        assert self._replicator is not None, "make a scene with the plugin of this authority first"
        return self._replicator

    @property
    def players(self) -> dict[int, str]:
        """The players that came over the network, and their names."""
        return {player: seat.name for player, seat in self.seats.by_player.items()}

    def player_of(self, peer: int) -> int:
        """The player behind a connection, or `SPECTATOR`."""
        return self._entered.get(peer, SPECTATOR)

    # From the network

    def receive(self, event: Event) -> None:
        """Take in what one of the room's peers did. Nothing a peer sends makes this raise."""
        if type(event) is Received:
            message: object = event.message
            if type(message) is Inputs:
                self._inputs(event.peer, message)
            elif isinstance(message, Hello):
                if event.peer in self.peers and event.peer not in self._entered:
                    self._newcomers.append(Newcomer(event.peer, message.spectate, message.resume))
            elif isinstance(message, Saw):
                self._saw(event.peer, message.behind)
            else:
                self.scene.receive(event)
        elif isinstance(event, Connected):
            self.peers[event.peer] = event.user
            self.scene.receive(event)
        elif isinstance(event, Disconnected):
            self._gone(event)

    def _inputs(self, peer: int, message: Inputs) -> None:
        player = self._entered.get(peer)
        if player is None:
            return
        inbox = self._inbox(peer, player)
        acks = inbox.receive(message.payload, self.tick_time)
        if acks is not None:
            newest, _, wants_full = acks
            if wants_full:
                self.replicator.lost(peer)
            elif newest:
                self.replicator.acked(peer, newest)

    def _inbox(self, peer: int, player: int) -> Inbox:
        """A player's; spectators have one too, for the acks and the clock."""
        inbox = self.inboxes.get(player) or self._spectators.get(peer)
        if inbox is None:
            inbox = self._spectators[peer] = self._new_inbox()
        return inbox

    def _new_inbox(self) -> Inbox:
        return Inbox(self.multiplayer.protocol, self.scene.tick, rate=1 / self.scene.time.dt)

    @property
    def tick_time(self) -> float:
        """The server's tick with its fraction."""
        time = self.scene.time
        late = (self._clock() - self._tick_at) / time.dt
        return time.tick + (0.0 if late < 0.0 else late if late < 2.0 else 2.0)

    def _saw(self, peer: int, quarters: int) -> None:
        """Believe what a client says of its view as far as the round trip, which we measure, explains it."""
        player = self._entered.get(peer, SPECTATOR)
        known = self.server.peers.get(peer)
        if player == SPECTATOR or known is None:
            return
        least = known.delivery.estimate.minimum / self.scene.time.dt
        most = known.delivery.estimate.rtt / self.scene.time.dt + SLACK
        behind = round(min(max(quarters / 4, least), most) * 4)
        if self._behind.get(player) != behind:
            self._behind[player] = behind
            self.scene.receive(SawBehind(player, behind / 4))

    def _gone(self, event: Disconnected) -> None:
        self.peers.pop(event.peer, None)
        self._spectators.pop(event.peer, None)
        if self._entered.pop(event.peer, None) is not None:
            self.replicator.leave(event.peer)
        seat = self.seats.of_peer(event.peer)
        if seat is not None:
            if event.reason in (Reason.TIMED_OUT, Reason.TOO_SLOW):
                self.seats.cut(seat, self._clock())
            else:
                self._free(seat)
        self.scene.receive(event)

    def _free(self, seat: Seat) -> None:
        self.seats.free(seat)
        self.inboxes.pop(seat.player, None)
        self._behind.pop(seat.player, None)
        self.scene.receive(SawBehind(seat.player, 0.0))
        self.scene.receive(self.multiplayer.left(seat.player))

    def kick(self, player: int) -> None:
        """Throw a player out; the seat is free at once."""
        seat = self.seats.by_player.get(player)
        if seat is not None:
            peer = seat.peer
            self._free(seat)
            if peer is not None:
                self.server.disconnect(peer)

    # In the tick

    def _make_plugin(self) -> Plugin:
        plugin = Plugin("net.authority", needs=[routing, *hosted(self.multiplayer), *self.multiplayer.room])
        plugin.setup(self._prepare)
        plugin.commands()(self._commands)
        for told in self._codec.told:
            plugin.on(told.event, phase=Phase.LATE, priority=-1000)(self._note)
        plugin.on(End, phase=Phase.LATE, priority=-900)(self._tell)
        return plugin

    def _prepare(self, world: World) -> None:
        world.insert(self)
        self._scene = world.resource(Scene)
        multiplayer = self.multiplayer
        self._replicator = Replicator(
            multiplayer.protocol,
            world,
            every=multiplayer.every,
            rate=1 / self._scene.time.dt,
            budget=multiplayer.budget,
        )

    def _commands(self, world: World) -> Iterable[Commanded[Any]]:
        tick = self.scene.tick
        self._tick_at = self._clock()
        for player, inbox in self.inboxes.items():
            for command in inbox.take(tick):
                yield Commanded(player, command)

    def _note(self, world: World, event: object) -> None:
        self._told.append(event)

    def _tell(self, world: World, end: End) -> None:
        """After the tick: seat the next newcomer, and tell everyone what they are to know."""
        self._expire()
        self._seat_next(world)
        server, entered = self.server, self._entered
        tick = end.number
        if self._told:
            told, self._told = self._told[:MOST_EVENTS], self._told[MOST_EVENTS:]
            if entered:  # nobody is shown it before the next snapshot
                self._send_all(self._happened(tick, told), may_wait=True)
        if tick % self.multiplayer.every:
            return
        changes = self._resources.changes(world, tick, end.dt)
        if changes is not None:
            self._send_all(Changed(tick, changes))
        replicator = self.replicator
        replicator.take(tick)
        encoded: dict[int, tuple[object, Encoded]] = {}
        for peer in list(entered):
            for message in replicator.messages(peer):
                known = encoded.get(id(message))
                if known is None:
                    known = encoded[id(message)] = (message, server.encode(message))
                server.send_encoded(peer, known[1])
        for peer, player in list(entered.items()):
            pace = self._inbox(peer, player).pace()
            if pace is not None:
                server.send(peer, pace)
        self._send_sums(tick)

    def _send_sums(self, tick: int) -> None:
        """Where not all are told the same, each gets its own, and not all in the same tick."""
        every = self.multiplayer.every
        turn, turns = tick // every, max(1, CHECK_EVERY // every)
        if not self.replicator.is_partial:
            checked = self.replicator.checked() if turn % turns == 0 else None
            if checked is not None:
                self._send_all(checked)
            return
        for peer in self._entered:
            checked = self.replicator.checked(peer) if (turn + peer) % turns == 0 else None
            if checked is not None:
                self.server.send(peer, checked)

    def _happened(self, tick: int, events: list[object]) -> Happened:
        try:
            return Happened(tick, self._codec.write(events))
        except EncodeError as error:
            log.error("an event of tick %d cannot be told to clients: %s", tick, error)
            return Happened(tick, self._codec.write([event for event in events if self._fits(event)]))

    def _fits(self, event: object) -> bool:
        try:
            self._codec.write([event])
        except EncodeError:
            return False
        return True

    def _send_all(self, message: object, *, may_wait: bool = False) -> None:
        if self._entered:
            encoded = self.server.encode(message)
            for peer in list(self._entered):
                self.server.send_encoded(peer, encoded, may_wait=may_wait)

    def _expire(self) -> None:
        for seat in self.seats.expired(self._clock()):
            self._free(seat)

    def _seat_next(self, world: World) -> None:
        """One a tick: the next must see that the seat is taken."""
        if not self._newcomers:
            return
        new = self._newcomers.popleft()
        name = self.peers.get(new.peer)
        if name is None or new.peer in self._entered:
            return
        seat = None
        if new.resume:
            seat = self._resume(new)
        if seat is None and not new.spectate:
            player = self._free_number() if self.multiplayer.seat is None else self.multiplayer.seat(world)
            if player is not None:
                seat = self.seats.give(player, name, new.peer)
                self.inboxes[player] = self._new_inbox()
                self.scene.receive(self.multiplayer.joined(player, name))
        self._welcome(world, new.peer, seat)

    def _free_number(self) -> int:
        return next(number for number in range(len(self.seats.by_player) + 1) if number not in self.seats.by_player)

    def _resume(self, new: Newcomer) -> Seat | None:
        old = next((s.peer for s in self.seats.by_player.values() if s.secret == new.resume), None)
        seat = self.seats.resume(new.resume, new.peer)
        if seat is not None:
            self.inboxes[seat.player] = self._new_inbox()
            if old is not None:  # the server has not noticed the cut yet
                self.server.disconnect(old)
        return seat

    def _welcome(self, world: World, peer: int, seat: Seat | None) -> None:
        player = seat.player if seat is not None else SPECTATOR
        self._entered[peer] = player
        header = json.dumps(replace(self.options, seed=0).to_header(), separators=(",", ":")).encode()
        secret = seat.secret if seat is not None else b""
        tick = self.scene.tick
        self.server.send(peer, Welcome(player, tick, self.multiplayer.every, secret, header))
        self.server.send(peer, Changed(tick, self._resources.everything(world)))
        self.replicator.enter(peer, player)
