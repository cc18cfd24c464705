"""Rollback: ten ticks run again with a crowd of 100 bodies, because the server says otherwise of one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import pymunk
from pymunk import batch

from engine.app import Commanded, Plugin, Scene
from engine.ecs import I32, Component, World, i32
from engine.net.replication.mirror import Mirror
from engine.net.replication.prediction import Prediction
from engine.net.replication.replica import Replica
from engine.net.replication.replicator import Replicator
from engine.net.wire.protocol import Protocol
from engine.net.wire.schema import Float32
from engine.net.wire.system import Full, Prefab, Snapshot
from engine.physics import Body, Box, Circle, Collider, ContactBegan, Material, PhysicsSettings, Space, Velocity
from engine.physics import physics as physics_plugin
from engine.physics.columns import ints_of
from engine.scene import Transform
from tools.bench.figure import Figure

BODIES = 100
SIDE = 205.0
SIZE = 11.0
"""Radius of the circles, and nearly half the width of the boxes: with this they are packed."""
SPEED = 50.0
SURFACE = Material(elasticity=0.2, friction=0.5)
DT = 1 / 60
TICKS = 10
WARM_UP = 200
ROUNDS = 150
ITERATIONS = 10
FLOOR = 1 << 16


class Thing(Component):
    """One of the crowd; the player's is the first."""

    seat: I32 = i32(default=-1)


@dataclass(slots=True)
class Shove:
    """What the player wants."""

    vx: Float32 = 0.0
    vy: Float32 = 0.0


def rollback() -> Iterator[Figure]:
    """A correction ten ticks back and the ten ticks again, against ten steps of bare pymunk with the same crowd.

    All 100 bodies are predicted, touch each other, and are put back. The player's commands reach the server otherwise
    than predicted, so that each of its states corrects. The best of many turns counts.
    """
    correct, contacts = _prediction()
    space = _bare_space()
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        ours.append(correct())
        start = perf_counter()
        for _ in range(TICKS):
            space.step(DT)
        bare.append(perf_counter() - start)
    touching = contacts()
    if abs(touching - _contacts(space)) > 0.15 * touching:
        raise RuntimeError(f"the two do not do the same work: {touching} contacts, {_contacts(space)} in bare pymunk")
    yield Figure("rollback", min(ours) * 1e3, "ms", "ten bare pymunk steps", min(bare) * 1e3, "<= 1.5")


def _places() -> list[tuple[float, float, float, float]]:
    """x, y, vx, vy."""
    rng = random.Random(1)
    across = int(BODIES**0.5)
    spacing = 2 * SIZE
    return [
        (
            (i % across - across / 2 + 0.5) * spacing,
            (i // across - across / 2 + 0.5) * spacing,
            rng.uniform(-SPEED, SPEED),
            rng.uniform(-SPEED, SPEED),
        )
        for i in range(BODIES)
    ]


def _walls() -> list[tuple[float, float, float, float]]:
    """Centre and size."""
    far, long = SIDE / 2 + 50, SIDE + 200
    return [(-far, 0, 100, long), (far, 0, 100, long), (0, -far, long, 100), (0, far, long, 100)]


def _prediction() -> tuple[Callable[[], float], Callable[[], int]]:
    rules = Plugin("bench.rollback", needs=[physics_plugin])

    @rules.on(Commanded[Shove])
    def shove(world: World, commanded: Commanded[Shove]) -> None:
        for thing, velocity in world.rows(Thing, Velocity):
            if thing.seat == commanded.player:
                velocity.vx, velocity.vy = commanded.command.vx, commanded.command.vy
                break

    @rules.on(ContactBegan[Thing, Thing])
    def met(world: World, contact: ContactBegan[Thing, Thing]) -> None:
        pass

    protocol = _protocol()
    resources = [PhysicsSettings(iterations=ITERATIONS)]
    server = Scene(rules, resources=resources)
    for number, (x, y, vx, vy) in enumerate(_places()):
        shape = Circle(SIZE) if number % 2 else Box(2 * SIZE - 1, 2 * SIZE - 1)
        server.world.spawn(
            Transform(x, y), Velocity(vx, vy), Body(mass=1.0), Collider(shape, SURFACE), Thing(0 if not number else -1)
        )
    for x, y, width, height in _walls():
        server.world.spawn(Transform(x, y), Collider(Box(width, height), SURFACE))
    replicator, replica = Replicator(protocol, server.world, every=1), Replica(protocol)
    replicator.enter(0, 0)
    ahead = Scene(rules, resources=resources)
    ahead.world.mirror(FLOOR)
    prediction = Prediction(protocol, ahead, 0, replica, Mirror(protocol, ahead.world, replica))
    rng = random.Random(2)

    def tick() -> float:
        """A tick of server and client; how long the client's correction took."""
        wish = Shove(rng.uniform(-SPEED, SPEED), rng.uniform(-SPEED, SPEED))
        server.dispatcher.post_as(Commanded[Shove], Commanded(0, wish))
        server.run_tick()
        replicator.take(server.tick)
        for message in replicator.messages(0):
            assert isinstance(message, Prefab | Full | Snapshot)
            state = replica.receive(message)
            if state is not None:
                replicator.acked(0, state.tick)
        assert replica.newest is not None
        start = perf_counter()
        prediction.reconcile(replica.newest)
        taken = perf_counter() - start
        wish = Shove(rng.uniform(-SPEED, SPEED), rng.uniform(-SPEED, SPEED))
        prediction.advance(server.tick + TICKS + 1, [wish], float(server.tick))
        return taken

    def correct() -> float:
        again = prediction.resimulated
        taken = tick()
        while prediction.resimulated != again + TICKS:
            again = prediction.resimulated
            taken = tick()
        return taken

    for _ in range(WARM_UP):
        tick()
    return correct, lambda: len(ahead.world.resource(Space).simulation.touching)


def _protocol() -> Protocol:
    protocol = (
        Protocol("bench")
        .component(Transform, {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: 1 / 512})
        .component(Velocity, {Velocity.vx: 1 / 8, Velocity.vy: 1 / 8, Velocity.angular: 1 / 64})
        .component(Body, constant=True)
        .component(Collider, constant=True)
        .component(Thing)
        .owner(Thing.seat)
        .predict(Thing, all=True)
        .interpolate(Transform, turning=(Transform.angle,))
        .interpolate(Velocity)
        .command(Shove)
    )
    assert protocol.id
    return protocol


def _bare_space() -> pymunk.Space:
    space = pymunk.Space()
    space.iterations = ITERATIONS
    bodies: list[pymunk.Body] = []
    for number, (x, y, vx, vy) in enumerate(_places()):
        body = pymunk.Body(1.0, pymunk.moment_for_circle(1.0, 0.0, SIZE))
        body.position = x, y
        body.velocity = vx, vy
        width = 2 * SIZE - 1
        shape = pymunk.Circle(body, SIZE) if number % 2 else pymunk.Poly.create_box(body, (width, width))
        shape.elasticity, shape.friction = SURFACE.elasticity, SURFACE.friction
        space.add(body, shape)
        bodies.append(body)
    for x, y, width, height in _walls():
        body = pymunk.Body(body_type=pymunk.Body.STATIC)
        body.position = x, y
        box = pymunk.Poly.create_box(body, (width, height))
        box.elasticity, box.friction = SURFACE.elasticity, SURFACE.friction
        space.add(body, box)
    rng = random.Random(2)

    for _ in range(WARM_UP):
        bodies[0].velocity = rng.uniform(-SPEED, SPEED), rng.uniform(-SPEED, SPEED)
        space.step(DT)
    return space


def _contacts(space: pymunk.Space) -> int:
    """Pairs that touch."""
    buffer = batch.Buffer()
    batch.get_space_arbiters(space, batch.ArbiterFields.CONTACT_COUNT, buffer)
    return int(np.count_nonzero(ints_of(buffer)))
