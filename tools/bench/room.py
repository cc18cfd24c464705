"""What a room of 16 costs its server, part by part: Ricochet on a virtual network, without sockets and other processes.

The clients are honest ones, steered by the game's autopilot, and run in the same process; only the server's own work is
timed, by the calls into it and by handler. Sockets come on top: one `sendto` or `recvfrom` a datagram. As the clients
crowd the processor's caches, a server of its own takes less: the parts are to be compared with each other, and with
those of another version on the same quiet machine.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from random import Random
from time import perf_counter
from typing import Any

from engine.app import FixedStep, Options
from engine.events.subscription import Call, Subscription
from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.events import Connected
from engine.net.connection.server import Server
from engine.net.connection.token import issue_token
from engine.net.multiplayer import multiplayer_of
from engine.net.replication.participant import Participant
from engine.net.transport.loopback import Loopback
from engine.net.transport.presets import PRESETS
from engine.server.rooms import Plan, Rooms
from games.ricochet.game import GAME
from tools.bench.figure import Figure

PLAYERS = 16
SETTLE, MEASURE = 6.0, 10.0
"""Simulated seconds."""
RATE = 60.0
STEPS = 8
"""Looks at the network in a tick."""
FLUSH_EVERY = 0.005
NETWORKS = {
    "lan": ("lan",),
    "home": ("home",),
    "mixed": ("lan", "home", "home", "wifi", "wifi", "mobile"),
}
KEY = bytes(range(32))
WHERE = Address("10.0.0.1", 7777)
CODE = "test"
PARTS = ("datagrams in", "messages in", "rules", "rewind", "snapshots and events", "datagrams out")


class Clock:
    """Seconds of processor time by part; what is timed inside another part counts there only."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        self._inside = 0.0

    def time(self, part: str, call: Callable[..., Any], *arguments: Any) -> Any:
        before, self._inside = self._inside, 0.0
        began = perf_counter()
        try:
            return call(*arguments)
        finally:
            took = perf_counter() - began
            self.spent[part] += took - self._inside
            self._inside = before + took

    def around(self, subscription: Subscription, call: Call) -> Call:
        """A tracer for dispatchers: the network's own handlers apart from the rules."""
        module = getattr(subscription.handler, "__module__", "")
        part = {"engine.net.replication.rewind": "rewind", "engine.net.replication.authority": "snapshots and events"}
        if module not in part:
            return call
        return lambda context, event: self.time(part[module], call, context, event)


class Clocked(Server):
    """A server whose work is timed, and which sends no oftener than its sockets would have it."""

    clock: Clock
    sent = 0
    flushed = 0.0
    flush = False

    def receive_datagram(self, datagram: bytes, source: tuple[str, int], now: float) -> None:
        self.clock.time("datagrams in", super().receive_datagram, datagram, source, now)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        if not self.flush and now < self.flushed + FLUSH_EVERY:
            return []
        self.flush, self.flushed = False, now
        datagrams = self.clock.time("datagrams out", super().datagrams_to_send, now)
        self.sent += sum(len(datagram) for datagram, _ in datagrams)
        return datagrams


class Player:
    """A client with the whole netcode, steered by the autopilot; it shows and predicts nothing."""

    def __init__(self, number: int, client: Client) -> None:
        self.client = client
        self.participant = Participant(multiplayer_of(GAME), rate=RATE)
        self._rng = Random(number)
        self._step = FixedStep(RATE)
        self._tick = 0
        self._off = number / PLAYERS / RATE

    def advance(self, now: float) -> None:
        participant = self.participant
        while (event := self.client.next_event()) is not None:
            if isinstance(event, Connected):
                participant.connected(self.client.send, self.client.estimate)
            participant.receive(event, now)
        if not participant.ready:
            return
        now -= self._off
        if not self._tick:
            self._tick = participant.first_tick(now)
        due = self._step.advance(now)
        self._step.speed = participant.lead.steer(now, self._tick + due + self._step.alpha)
        self._tick += participant.lead.jump
        for _ in range(due):
            self._tick += 1
            shown = participant.playout.at(now)
            participant.happened.clear()
            participant.changed.clear()
            state, autopilot = participant.latest, multiplayer_of(GAME).autopilot
            assert state is not None
            assert autopilot is not None
            command: object = autopilot(state, participant.player, self._rng, self._tick)
            participant.command(self._tick, [command], shown)


def measure(presets: tuple[str, ...]) -> tuple[dict[str, float], float, float]:
    """Microseconds a tick by part; bytes a second to a client; bytes of snapshots an entity update."""
    protocol = multiplayer_of(GAME).protocol
    now = 0.0
    server = Clocked(protocol, KEY, [WHERE], now, epoch=0.0)
    clock = server.clock = Clock()
    plan = Plan(Options(seed=3, humans=1, bots=0), seeded=True, seats=PLAYERS)
    rooms = Rooms(GAME, server, lambda: now, plan, entropy=Random(1).randbytes)
    room = rooms.open(code=CODE)
    room.scene.dispatcher.tracer = clock
    loopback = Loopback(server, WHERE)
    players: list[Player] = []
    ticks, updates, sent, spent = 0, (0, 0), 0, dict(clock.spent)
    replicator = room.authority.replicator
    for step in range(round((SETTLE + MEASURE) * RATE * STEPS)):
        now = step / RATE / STEPS
        if now >= SETTLE and not ticks:
            gc.collect()
            ticks, updates = rooms.ticks.count, (replicator.bytes, replicator.updates)
            sent, spent = server.sent, dict(clock.spent)
        if len(players) < PLAYERS and step % (STEPS * 10) == 0:
            number = len(players)
            token = issue_token(
                protocol_id=protocol.id,
                private_key=KEY,
                client_id=number,
                servers=[WHERE],
                now=now,
                user=f"{CODE}|player {number}".encode(),
            )
            client = Client(protocol, token, now)
            loopback.join(client, PRESETS[presets[number % len(presets)]], number)
            players.append(Player(number, client))
        loopback.receive(now)
        while (event := server.next_event()) is not None:
            clock.time("messages in", rooms.receive, event)
        before = rooms.ticks.count
        clock.time("rules", rooms.advance)
        server.flush = rooms.ticks.count > before
        for player in players:
            player.advance(now)
        loopback.send(now)
    if room.players != PLAYERS:
        raise RuntimeError(f"{room.players} of {PLAYERS} players are left in the room")
    ticks = rooms.ticks.count - ticks
    cost = {part: 1e6 * (clock.spent[part] - spent[part]) / ticks for part in PARTS}
    bytes_, told = replicator.bytes - updates[0], replicator.updates - updates[1]
    return cost, (server.sent - sent) / MEASURE / PLAYERS, bytes_ / told


def room() -> Iterator[Figure]:
    """A room's tick on each network, part by part."""
    for name, presets in NETWORKS.items():
        cost, rate, per_update = measure(presets)
        for part, value in cost.items():
            yield Figure(f"room: {part}", value, "µs a tick", scenario=name)
        network = sum(value for part, value in cost.items() if part != "rules")
        yield Figure("room: network", 100 * network * RATE / 1e6 / PLAYERS, "% of a core a player", scenario=name)
        yield Figure("room: to a client", rate / 1000, "kB/s", scenario=name)
        yield Figure("room: entity update", per_update, "bytes", scenario=name)
