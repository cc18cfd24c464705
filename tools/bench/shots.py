"""Shots that hit on the shooter's screen, and how many of them the server counts: a game of rays over four networks.

Targets of radius 20 dart about at 300 units/s and turn when they like. Two shooters aim at the middle of a target as
their screens show it, a little off as people do, and fire in every fifth tick. The same shots judged in the server's
present are there for comparison. Networks and clocks are simulated; the same seed gives the same figures.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Annotated

from engine.app import Commanded, Game, Options, Plugin, Tick
from engine.ecs import I32, Component, Entity, World, i32
from engine.net import Came, Multiplayer, Protocol
from engine.net.replication.rewind import Rewind
from engine.net.transport.conditioner import Conditions
from engine.net.transport.presets import PRESETS
from engine.net.wire.schema import Float32, Range
from engine.physics import Body, BodyKind, Circle, Collider, Space, Velocity, physics
from engine.scene import Transform
from engine.testing.netplay import Netplay, NetplayClient
from tools.bench.figure import Figure

SECONDS = 40.0
TARGETS = 12
RADIUS, SPEED, REACH = 20.0, 300.0, 40.0
SIZE = 900.0
EVERY = 5
"""Ticks from a shot to the next."""
ENOUGH = {"mobile": 98.0}
"""Per cent of the shots."""


class Target(Component):
    number: I32 = i32()


class Shooter(Component):
    player: I32 = i32()


@dataclass(slots=True)
class Shoot:
    """A ray, `shot` the how manieth; 0 for none. Held in the ticks until the next one."""

    shot: Annotated[int, Range(0, 0xFFFF)]
    at: Annotated[int, Range(0, 0xFF)]
    x0: Float32
    y0: Float32
    x1: Float32
    y1: Float32


@dataclass(slots=True)
class Judged:
    """A resource of the server's world: by player the shots that came, those that counted, and what hit the present."""

    came: dict[int, int]
    counted: int = 0
    present: int = 0


rules = Plugin("shots", needs=[physics])


@rules.setup
def build(world: World) -> None:
    world.insert(Judged({}))
    for number in range(TARGETS):
        place = Transform(world.rng.uniform(0.0, SIZE), world.rng.uniform(0.0, SIZE))
        ghost = Collider(Circle(RADIUS), layer=2, mask=1)
        world.spawn(Target(number), place, Velocity(), Body(BodyKind.KINEMATIC), ghost)


@rules.on(Came)
def come(world: World, came: Came) -> None:
    world.spawn(Shooter(came.player), Transform(-100.0 - 50.0 * came.player))


@rules.on(Tick)
def dart(world: World, tick: Tick) -> None:
    for at, velocity, _ in world.rows(Transform, Velocity, Target):
        outside = not (0.0 <= at.x <= SIZE and 0.0 <= at.y <= SIZE)
        if outside or world.rng.random() < 0.03:
            turn = world.rng.uniform(0.0, 2 * pi)
            velocity.vx, velocity.vy = SPEED * cos(turn), SPEED * sin(turn)
        if outside:
            at.x, at.y = min(max(at.x, 0.0), SIZE), min(max(at.y, 0.0), SIZE)


@rules.on(Commanded[Shoot])
def shoot(world: World, wanted: Commanded[Shoot]) -> None:
    command, rewind = wanted.command, world.find_resource(Rewind)
    judged = world.resource(Judged)
    if rewind is None or command.shot <= judged.came.get(wanted.player, 0):
        return
    judged.came[wanted.player] = command.shot
    others = [entity for entity, target in world.rows(Entity, Target) if target.number != command.at]
    way = command.x0, command.y0, command.x1, command.y1
    judged.counted += rewind.raycast(wanted.player, *way, ignore=others) is not None
    judged.present += world.resource(Space).raycast(*way, ignore=others) is not None


PROTOCOL = (
    Protocol("shots", "1")
    .component(Target)
    .component(Shooter)
    .component(Transform, {Transform.x: 1 / 32, Transform.y: 1 / 32}, without=(Transform.angle,))
    .component(Velocity, {Velocity.vx: 1 / 8, Velocity.vy: 1 / 8}, without=(Velocity.angular,))
    .component(Body, constant=True)
    .component(Collider, constant=True)
    .owner(Shooter.player)
    .predict(Shooter)
    .interpolate(Transform)
    .command(Shoot)
)
GAME = Game("shots", "Shots", 1, lambda options: [rules], multiplayer=Multiplayer(PROTOCOL))


class Marksman:
    """Fires at what a client shows."""

    def __init__(self, client: NetplayClient, seed: int) -> None:
        self.client = client
        self.rng = random.Random(seed)
        self.shots = 0
        self._wanted: list[object] = []
        client.wants = self.wants

    def wants(self, tick: int) -> list[object]:
        targets = [(target.number, at.x, at.y) for target, at in self.client.world.rows(Target, Transform)]
        if tick % EVERY or not targets:
            return self._wanted
        number, x, y = self.rng.choice(targets)
        turn = self.rng.uniform(0.0, 2 * pi)
        off = max(-RADIUS, min(RADIUS, self.rng.gauss(0.0, 0.4 * RADIUS)))
        dx, dy = cos(turn), sin(turn)
        x0, y0 = x - dy * off - dx * REACH, y + dx * off - dy * REACH
        self.shots += 1
        self._wanted = [Shoot(self.shots, number, x0, y0, x0 + 2 * REACH * dx, y0 + 2 * REACH * dy)]
        return self._wanted


def play(conditions: Conditions, seed: int = 3) -> tuple[int, Judged]:
    """How many shots were fired, and what became of them."""
    with Netplay(GAME, Options(seed=seed, bots=0), seed=seed, conditions=conditions) as match:
        clients = [match.join("Ana"), match.join("Ben")]
        match.run_until(lambda: all(client.playing for client in clients))
        match.run(3.0)
        marksmen = [Marksman(client, seed + number) for number, client in enumerate(clients)]
        match.run(SECONDS)
        for client in clients:
            client.wants = lambda tick: []
        match.run(1.0)
        return sum(marksman.shots for marksman in marksmen), match.world.resource(Judged)


def shots() -> Iterator[Figure]:
    """All networks."""
    for name, conditions in PRESETS.items():
        fired, judged = play(conditions)
        reach = f">= {ENOUGH[name]}" if name in ENOUGH else None
        yield Figure("shots that hit on the screen", fired, "", scenario=name)
        yield Figure("shots that counted", 100 * judged.counted / fired, "%", reach=reach, scenario=name)
        yield Figure("shots that would, in the present", 100 * judged.present / fired, "%", scenario=name)
