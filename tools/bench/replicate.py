"""Replication: 200 moving entities to 200 clients over loopback UDP, encrypted.

Things steer, turn, bounce off the borders and are hurt now and then, in a server process of its own; the clients are in
another, each with the engine's own packets: 30 commands a second, repeated until they are known to have arrived, in as
many packets, which ack what came; and 20 snapshots a second back. What is counted is the processor time of the server
process, motion included. Some clients put the snapshots together again, and what they have is compared with what the
server had, by sums over everything; the others ack what they get, as decoding for all is not what is measured.

Places go in 16ths of a unit, angles in 256ths of a turn, speeds in whole units a second, health in whole points.

`python -m tools.bench.replicate` also draws how the figures grow, into docs/media/replication.png.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, tau
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Annotated, Any

import numpy as np

from engine.ecs import I32, Component, World, i32
from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.delivery import Encoded
from engine.net.connection.events import Connected, Disconnected, Received
from engine.net.connection.server import Server
from engine.net.connection.token import issue_token
from engine.net.replication.commands import Inbox, Outbox
from engine.net.replication.replica import Replica
from engine.net.replication.replicator import Replicator
from engine.net.transport.udp import Udp
from engine.net.wire import Protocol, Quantized
from engine.net.wire.system import Checked, Full, Inputs, Prefab, Snapshot
from engine.physics import Velocity
from engine.scene import Transform
from tools.bench.figure import Figure
from tools.bench.wire import bare_share

KEY = bytes(range(32))
ENTITIES, CLIENTS = 200, 200
TICK_RATE = 60
OUT_EVERY = 3
IN_RATE = 30
IN_EVERY = TICK_RATE // IN_RATE
SECONDS = 4.0
SETTLE = 2.0
RUNS = 3
SLICES = 20
REPEATED = 3
"""Times that a command is sent."""
KEPT_UP = 0.95
DECODING = 8
"""Clients that put the snapshots together again."""
CHECK_EVERY = 60
FIELD = 4000.0
TURN_STEP = tau / 256
POSITION_STEP = 1 / 16
SPEED_STEP = 1.0


class Health(Component):
    points: I32 = i32(default=100)


@dataclass(slots=True)
class Steer:
    x: Annotated[float, Quantized(-1.0, 1.0, 1 / 64)]
    y: Annotated[float, Quantized(-1.0, 1.0, 1 / 64)]
    fire: bool


PROTOCOL = (
    Protocol("replicate")
    .component(Transform, {Transform.x: POSITION_STEP, Transform.y: POSITION_STEP, Transform.angle: TURN_STEP})
    .component(Velocity, {Velocity.vx: SPEED_STEP, Velocity.vy: SPEED_STEP}, without=(Velocity.angular,))
    .component(Health)
    .command(Steer)
)


class Motion:
    """Things that fly where they point, steer elsewhere every second or so, bounce, and are hurt."""

    def __init__(self, world: World, count: int, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.world = world
        self.turn = rng.uniform(-2.0, 2.0, count)
        self.thrust = rng.uniform(60.0, 240.0, count)
        for _ in range(count):
            place = Transform(*rng.uniform(0, FIELD, 2).tolist(), rng.uniform(-pi, pi))
            world.spawn(place, Velocity(*rng.uniform(-150, 150, 2).tolist()), Health())

    def step(self, dt: float) -> None:
        rng, count = self.rng, len(self.turn)
        (rows,) = self.world.tables(Transform, Velocity, Health)
        anew = rng.random(count) < dt / 1.0
        self.turn[anew] = rng.uniform(-2.0, 2.0, int(anew.sum()))
        self.thrust[anew] = rng.uniform(60.0, 240.0, int(anew.sum()))
        angle = rows[Transform.angle]
        angle += self.turn * dt
        for place, speed, way in (
            (rows[Transform.x], rows[Velocity.vx], np.cos(angle)),
            (rows[Transform.y], rows[Velocity.vy], np.sin(angle)),
        ):
            speed += (way * self.thrust - speed) * dt
            place += speed * dt
            out = (place < 0) | (place > FIELD)
            if out.any():
                np.clip(place, 0, FIELD, out=place)
                speed[out] *= -1
        hurt = np.flatnonzero(rng.random(count) < 0.2 * dt)
        if len(hurt):
            points = rows[Health.points]
            points[hurt] -= rng.integers(1, 30, len(hurt))
            points[points <= 0] = 100


@dataclass(frozen=True, slots=True)
class Measured:
    share: float
    """Of a core, of the server process."""
    replication: float
    """The part of it in the replicator."""
    rate: float
    """Bytes a second of datagrams to one client."""
    per_update: float
    """Bytes of snapshots an entity update."""
    arrived: float
    """Packets that came, to those that clients were to send: far from 1 if their process did not keep up."""
    compared: int
    """States of clients found to equal the server's."""


class CountingServer(Server):
    """Counts what leaves."""

    sent = 0

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        datagrams = super().datagrams_to_send(now)
        for datagram, _ in datagrams:
            self.sent += len(datagram)
        return datagrams


def measure(entities: int, clients: int) -> Measured:
    """One run: a server process, a client process, and what they say."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", probe.getsockname()[1])
    context = multiprocessing.get_context("spawn")
    processes: list[Any] = []
    ends: list[Connection] = []
    for run in (_serve, _play):
        ours, theirs = context.Pipe()
        process = context.Process(target=run, args=(address, entities, clients, theirs), daemon=True)
        process.start()
        processes.append(process)
        ends.append(ours)
    try:
        result, sums = ends[0].recv()
        ends[1].send(None)
        seen: list[tuple[int, bytes]] = ends[1].recv()
    finally:
        for process in processes:
            process.terminate()
            process.join()
    wrong = [tick for tick, payload in seen if tick in sums and sums[tick] != payload]
    if wrong:
        raise AssertionError(f"clients had something else than the server at ticks {wrong}")
    compared = sum(tick in sums for tick, _ in seen)
    if not compared:
        raise AssertionError("no client put any snapshot together that could be compared")
    return Measured(*result, compared)


# The server


def _serve(address: Address, entities: int, clients: int, result: Connection) -> None:
    asyncio.run(_serving(address, entities, clients, result))


async def _serving(address: Address, entities: int, clients: int, result: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = CountingServer(PROTOCOL, KEY, [address], loop.time(), epoch=time.time() - loop.time(), max_clients=clients)
    world = World(seed=1)
    motion = Motion(world, entities, seed=1)
    replicator = Replicator(PROTOCOL, world, every=OUT_EVERY, rate=TICK_RATE)
    inboxes: dict[int, Inbox] = {}
    arrived, tick, spent = 0, 0, 0.0
    sums: dict[int, bytes] = {}

    def sink(event: object) -> None:
        nonlocal arrived
        if type(event) is Received:
            message: Any = event.message
            if type(message) is Inputs:
                acks = inboxes[event.peer].receive(message.payload, tick / IN_EVERY)
                arrived += 1
                if acks is not None:
                    if acks[2]:
                        replicator.lost(event.peer)
                    elif acks[0]:
                        replicator.acked(event.peer, acks[0])
        elif isinstance(event, Connected):
            inboxes[event.peer] = Inbox(PROTOCOL, tick // IN_EVERY, rate=IN_RATE)
            replicator.enter(event.peer, len(inboxes))
        elif isinstance(event, Disconnected):
            del inboxes[event.peer]
            replicator.leave(event.peer)

    udp = Udp(server, sink, local=[address])
    udp.open()

    def run_tick() -> None:
        nonlocal tick, spent
        tick += 1
        if tick % IN_EVERY == 0:
            for inbox in inboxes.values():
                inbox.take(tick // IN_EVERY)
        motion.step(1 / TICK_RATE)
        if tick % OUT_EVERY == 0:
            began = time.perf_counter()
            replicator.take(tick)
            if tick % CHECK_EVERY == 0 and (checked := replicator.checked()) is not None:
                sums[tick] = checked.payload
            encoded: dict[int, tuple[object, Encoded]] = {}
            for peer in inboxes:
                for message in replicator.messages(peer):
                    known = encoded.get(id(message))
                    if known is None:
                        known = encoded[id(message)] = message, server.encode(message)
                    server.send_encoded(peer, known[1])
            spent += time.perf_counter() - began
        udp.flush()

    while len(server.peers) < clients:
        run_tick()
        await asyncio.sleep(1 / TICK_RATE)
    due = loop.time()
    before: tuple[Any, ...] = ()
    for number in range(int((SETTLE + SECONDS) * TICK_RATE)):
        if number == int(SETTLE * TICK_RATE):
            gc.collect()
            gc.freeze()  # as a server does once its room stands
            before = loop.time(), time.process_time(), arrived, server.sent, replicator.bytes, replicator.updates, spent
        run_tick()
        due += 1 / TICK_RATE
        await asyncio.sleep(max(0.0, due - loop.time()))
    after = loop.time(), time.process_time(), arrived, server.sent, replicator.bytes, replicator.updates, spent
    elapsed, used, came, sent, bytes_, updates, inside = (now - then for now, then in zip(after, before, strict=True))
    arrived_share = came / elapsed / (clients * IN_RATE)
    measured = used / elapsed, inside / elapsed, sent / elapsed / clients, bytes_ / updates, arrived_share
    result.send((measured, sums))
    udp.close()


# The clients


class Player:
    """One client: the engine's connection, commands and, if it decodes, replica."""

    def __init__(self, number: int, address: Address, loop: asyncio.AbstractEventLoop, *, decodes: bool) -> None:
        token = issue_token(
            protocol_id=PROTOCOL.id, private_key=KEY, client_id=number, servers=[address], now=time.time()
        )
        self.client = Client(PROTOCOL, token, loop.time())
        self.udp = Udp(self.client, self.receive)
        self.replica = Replica(PROTOCOL, TICK_RATE) if decodes else None
        self.newest = 0
        self.seen: list[tuple[int, bytes]] = []

    def receive(self, event: object) -> None:
        message: Any = event.message if type(event) is Received else None
        if not isinstance(message, (Prefab, Full, Snapshot)):
            return
        if self.replica is not None:
            state = self.replica.receive(message)
            self.newest = self.replica.acks()[0]
            if state is not None and state.tick % CHECK_EVERY == 0:
                checked: Checked = state.checked()
                self.seen.append((state.tick, checked.payload))
        elif not isinstance(message, Prefab):
            self.newest = max(self.newest, int.from_bytes(message.payload[1:5], "little"))

    def send(self, outbox: Outbox) -> None:
        wants_full = self.replica is not None and self.replica.wants_full
        self.client.send(outbox.payload((self.newest, 0) if self.newest else (0, 0), wants_full))
        self.udp.flush()


def _play(address: Address, entities: int, clients: int, result: Connection) -> None:
    async def whole() -> None:
        loop = asyncio.get_running_loop()
        players = [Player(number, address, loop, decodes=number < DECODING) for number in range(clients)]
        outbox, rng = Outbox(PROTOCOL), Random(1)  # they all steer alike
        due, tick = loop.time(), 0
        while not result.poll():
            tick += 1
            outbox.note(tick, [Steer(rng.randint(-64, 64) / 64, rng.randint(-64, 64) / 64, rng.random() < 0.1)])
            outbox.heard(tick - REPEATED)
            for first in range(SLICES):
                for number in range(first, clients, SLICES):
                    players[number].send(outbox)
                due += 1 / IN_RATE / SLICES
                await asyncio.sleep(max(0.0, due - loop.time()))
        result.send([each for player in players for each in player.seen])

    asyncio.run(whole())


def measure_well(entities: int, clients: int, runs: int = 1) -> Measured:
    """The best of some runs in which the clients kept up."""
    good: list[Measured] = []
    for _ in range(3 * runs + 5):
        run = measure(entities, clients)
        if KEPT_UP < run.arrived < 2 - KEPT_UP:
            good.append(run)
            if len(good) == runs:
                break
        else:
            print(f"replicate: a run in which {run.arrived:.0%} of the packets came does not count", file=sys.stderr)
    if not good:
        raise RuntimeError("this machine is too busy: clients could never send what they were to")
    return min(good, key=lambda run: run.share)


def replicate() -> Iterator[Figure]:
    """200 entities to 200 clients: the server's share of a core, what a client gets, and what an update takes."""
    runs = [(bare_share(), measure_well(ENTITIES, CLIENTS)) for _ in range(RUNS)]
    best = min((run for _, run in runs), key=lambda run: run.share)
    yield Figure("replicate", best.share, "of a core", reach="<= 0.21")
    bare = min(share for share, _ in runs)
    yield Figure("replicate-packets", best.share, "of a core", "the same packets, bare", bare)
    yield Figure("replicate-snapshots", best.replication, "of a core")
    yield Figure("replicate-client", best.rate / 1000, "kB/s")
    yield Figure("replicate-update", best.per_update, "bytes", reach="<= 3.5")


def _draw(path: Path) -> None:
    """How the figures grow, with the clients and with the entities."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    by_clients = {clients: measure_well(ENTITIES, clients) for clients in (50, 200, 400)}
    by_entities = {entities: measure_well(entities, CLIENTS) for entities in (50, 200, 1000)}
    figure, axes = pyplot.subplots(2, 3, figsize=(11, 6), constrained_layout=True)
    for row, (runs, label) in enumerate(
        ((by_clients, f"clients, {ENTITIES} entities"), (by_entities, f"entities, {CLIENTS} clients"))
    ):
        for axis, name, values in (
            (axes[row][0], "server, % of a core", [run.share * 100 for run in runs.values()]),
            (axes[row][1], "kB/s to each client", [run.rate / 1000 for run in runs.values()]),
            (axes[row][2], "bytes an entity update", [run.per_update for run in runs.values()]),
        ):
            axis.plot(list(runs), values, marker="o", color="#1f6f8b")
            for x, y in zip(runs, values, strict=True):
                axis.annotate(f"{y:.3g}", (x, y), textcoords="offset points", xytext=(0, 6), ha="center", fontsize=9)
            axis.set_xlabel(label)
            axis.set_ylabel(name)
            axis.set_xlim(0, max(runs) * 1.08)
            axis.set_ylim(0, max(values) * 1.2)
            axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Snapshots at 20 Hz, commands at 30 Hz, encrypted UDP on loopback, Python", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    for name, runs in (("clients", by_clients), ("entities", by_entities)):
        for number, run in runs.items():
            print(f"{number:5} {name}: {run}")


if __name__ == "__main__":
    _draw(Path(__file__).parents[2] / "docs" / "media" / "replication.png")
