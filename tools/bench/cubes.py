"""A pile of 900 boxes pushed about by a roller, 60 snapshots a second to one client: how many bits a second that takes.

Boxes are 16 units wide; places go in eighths of a unit, angles in 128ths of a turn, velocities not at all. The boxes
all lie on and against each other, so hardly one of them ever rests for good: the solver lets the pile creep. The
network is the virtual one, so the figure is the same on every machine; datagrams are counted whole, without IP and UDP.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import tau
from typing import Any

from engine.app import Plugin, Scene, Tick
from engine.ecs import Component, Entity, World
from engine.net.connection.events import Received
from engine.net.connection.server import Server
from engine.net.replication.replica import Replica
from engine.net.replication.replicator import Replicator
from engine.net.transport.conditioner import Conditions
from engine.net.wire import Protocol
from engine.net.wire.system import Full, Inputs, Prefab, Snapshot
from engine.physics import Body, Box, Circle, Collider, Material, PhysicsSettings, Velocity, physics
from engine.scene import Transform
from engine.testing.network import VirtualNetwork
from tools.bench.figure import Figure

BOXES = 900
COLUMNS = 45
SIZE = 16.0
FLOOR = 1600.0
ROLLER = 60.0
SPEED = 250.0
RATE = 60
SETTLE = 2.0
SECONDS = 15.0
ROUND_TRIP = 0.1


class Roller(Component):
    pass


PROTOCOL = (
    Protocol("cubes")
    .component(Transform, {Transform.x: 1 / 8, Transform.y: 1 / 8, Transform.angle: tau / 128})
    .component(Collider, constant=True)
    .component(Body, constant=True)
    .component(Roller)
    .hidden(Velocity)
)


def make_scene() -> Scene:
    """The pile, dropped, and the roller that ploughs through it from one wall to the other."""
    rules = Plugin("cubes", needs=[physics])
    heading = [1.0]

    @rules.setup
    def build(world: World) -> None:
        rough = Material(friction=0.6)
        world.spawn(Transform(FLOOR / 2, 20.0), Collider(Box(FLOOR, 40.0), rough))
        for x in (-20.0, FLOOR + 20.0):
            world.spawn(Transform(x, -500.0), Collider(Box(40.0, 1200.0), rough))
        for number in range(BOXES):
            row, column = divmod(number, COLUMNS)
            place = Transform(200.0 + column * (SIZE + 2) + row % 2 * 5, -10.0 - row * (SIZE + 2))
            world.spawn(place, Velocity(), Body(), Collider(Box(SIZE, SIZE), rough))
        roller = Collider(Circle(ROLLER), Material(friction=0.9))
        world.spawn(Transform(80.0, -ROLLER), Velocity(), Body(mass=30_000.0), roller, Roller())

    @rules.on(Tick)
    def drive(world: World, tick: Tick) -> None:
        place, motion = next((world.row(e, Transform), world.row(e, Velocity)) for e, _ in world.rows(Entity, Roller))
        if not 100.0 < place.x < FLOOR - 100.0:
            heading[0] = 1.0 if place.x < FLOOR / 2 else -1.0
        motion.vx += (heading[0] * SPEED - motion.vx) * min(1.0, tick.dt * 4)

    return Scene(rules, resources=[PhysicsSettings(gravity=(0, 600), sleep_after=0.5, sleep_speed=8.0)])


def rate(round_trip: float) -> float:
    """Bits a second from the server to the client."""
    scene = make_scene()
    replicator = Replicator(PROTOCOL, scene.world, every=1, rate=RATE)
    replica = Replica(PROTOCOL, RATE)
    sent = [0]
    with VirtualNetwork(PROTOCOL, seed=1, conditions=Conditions(latency=round_trip / 2)) as network:
        _count(network.server, sent)
        client = network.join()
        network.run(0.5)
        (peer,) = network.server.peers
        replicator.enter(peer, 0)
        taken = [0, 0]

        def tick() -> None:
            for event in network.events[taken[0] :]:
                if isinstance(event, Received) and isinstance(event.message, Inputs):
                    replicator.acked(peer, int.from_bytes(event.message.payload, "little"))
            taken[0] = len(network.events)
            for event in client.events[taken[1] :]:
                if isinstance(event, Received) and isinstance(event.message, (Prefab, Full, Snapshot)):
                    replica.receive(event.message)
            taken[1] = len(client.events)
            client.client.send(Inputs(replica.acks()[0].to_bytes(4, "little")))
            scene.run_tick()
            replicator.take(scene.tick)
            for message in replicator.messages(peer):
                network.server.send(peer, message)

        network.run(SETTLE, tick)
        before = sent[0]
        network.run(SECONDS, tick)
        bits = (sent[0] - before) * 8 / SECONDS
    if replica.newest is None or replica.malformed or scene.tick - replica.newest.tick > RATE * (round_trip + 0.1):
        raise AssertionError("the client did not get what was sent")
    _compare(scene.world, replica)
    return bits


def _count(server: Server, sent: list[int]) -> None:
    ask = server.datagrams_to_send

    def datagrams_to_send(now: float) -> list[Any]:
        datagrams = ask(now)
        sent[0] += sum(len(datagram) for datagram, _ in datagrams)
        return datagrams

    server.datagrams_to_send = datagrams_to_send  # type: ignore[method-assign]


def _compare(world: World, replica: Replica) -> None:
    """The client has everything where it was a round trip ago: not a roller's width from where it is now."""
    state = replica.newest
    assert state is not None
    for id, x in zip(*(each.tolist() for each in state.column(Transform.x)), strict=True):
        if abs(world.row(world.entity(id), Transform).x - x) > 2 * ROLLER:
            raise AssertionError("a box is not where the server has it")


def cubes() -> Iterator[Figure]:
    """901 cubes at 60 Hz to one client: with acks that are there at once, and a tenth of a second away."""
    yield Figure("cubes", rate(0.0) / 1000, "kbit/s", reach="<= 256")
    yield Figure("cubes-100ms", rate(ROUND_TRIP) / 1000, "kbit/s")
