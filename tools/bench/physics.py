"""Physics: 3,000 circles in a box, their columns synced and every contact delivered to a handler."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np
import pymunk

from engine.app import Plugin, Scene
from engine.ecs import World
from engine.physics import (
    Body,
    Box,
    Circle,
    Collider,
    ContactBegan,
    ContactEnded,
    Material,
    PhysicsSettings,
    Velocity,
)
from engine.physics import physics as physics_plugin
from engine.scene import Transform
from tools.bench.figure import Figure

CIRCLES = 3000
SIDE = 1500.0
RADIUS = 5.0
SPEED = 300.0
DT = 1 / 60
WARM_UP = 60
ROUNDS = 40
STEPS = 10
ITERATIONS = 10


def physics() -> Iterator[Figure]:
    """A tick of the engine, against a step of bare pymunk with begin and separate callbacks and no read-back.

    The callbacks of the first rival only count; those of the second also ask which bodies they are told of, which
    the engine's events say. All run the same bodies through the same steps, turn about; the best round of each counts.
    """
    ours, contacts = _engine()
    bare, calls = _bare_pymunk(ask=False)
    asking, _ = _bare_pymunk(ask=True)
    for step in (ours, bare, asking):
        for _ in range(WARM_UP):
            step()
    contacts[0] = calls[0] = 0
    times: list[list[float]] = [[], [], []]
    for _ in range(ROUNDS):
        for place, step in enumerate((ours, bare, asking)):
            times[place].append(_time(step))
    mine, counting, knowing = map(min, times)
    if abs(contacts[0] - calls[0]) > 0.02 * calls[0]:
        raise RuntimeError(f"the two did not do the same work: {contacts[0]} contact events, {calls[0]} callbacks")
    yield Figure("physics", mine, "ms", "bare pymunk", counting, "<= 1.25")
    yield Figure("physics", mine, "ms", "bare pymunk asking who", knowing)


def contacts_per_step() -> float:
    """How many contact events a step of the benchmark delivers."""
    step, contacts = _engine()
    for _ in range(WARM_UP):
        step()
    contacts[0] = 0
    for _ in range(STEPS):
        step()
    return contacts[0] / STEPS


def _time(step: Callable[[], object]) -> float:
    """Milliseconds a step."""
    start = perf_counter()
    for _ in range(STEPS):
        step()
    return (perf_counter() - start) / STEPS * 1e3


def _places() -> list[tuple[float, float, float, float]]:
    rng = random.Random(1)
    across = int(CIRCLES**0.5) + 1
    spacing = SIDE / across
    return [
        (
            (i % across + 0.5) * spacing - SIDE / 2,
            (i // across + 0.5) * spacing - SIDE / 2,
            rng.uniform(-SPEED, SPEED),
            rng.uniform(-SPEED, SPEED),
        )
        for i in range(CIRCLES)
    ]


def _walls() -> list[tuple[float, float, float, float]]:
    """Centre and size."""
    far, long = SIDE / 2 + 50, SIDE + 200
    return [(-far, 0, 100, long), (far, 0, 100, long), (0, -far, long, 100), (0, far, long, 100)]


def _engine() -> tuple[Callable[[], None], list[int]]:
    contacts = [0]
    rules = Plugin("bench.physics", needs=[physics_plugin])

    @rules.on(ContactBegan)
    def began(world: World, contact: ContactBegan[Collider, Collider]) -> None:
        contacts[0] += 1

    @rules.on(ContactEnded)
    def ended(world: World, contact: ContactEnded[Collider, Collider]) -> None:
        contacts[0] += 1

    @rules.setup
    def build(world: World) -> None:
        bouncy = Material(elasticity=1.0, friction=0.0)
        places = np.array(_places())
        world.spawn_many(
            CIRCLES,
            Transform(),
            Velocity(),
            Body(mass=1.0),
            Collider(Circle(RADIUS), bouncy),
            values={
                Transform.x: places[:, 0],
                Transform.y: places[:, 1],
                Velocity.vx: places[:, 2],
                Velocity.vy: places[:, 3],
            },
        )
        for x, y, width, height in _walls():
            world.spawn(Transform(x, y), Collider(Box(width, height), bouncy))

    scene = Scene(rules, resources=[PhysicsSettings(iterations=ITERATIONS)])
    return scene.run_tick, contacts


def _bare_pymunk(*, ask: bool) -> tuple[Callable[[], None], list[int]]:
    calls = [0]
    space = pymunk.Space()
    space.iterations = ITERATIONS

    def called(arbiter: pymunk.Arbiter, space: pymunk.Space, data: object) -> None:
        calls[0] += 1

    def asked(arbiter: pymunk.Arbiter, space: pymunk.Space, data: object) -> None:
        calls[0] += 1
        _bodies = [shape.body for shape in arbiter.shapes]

    callback = asked if ask else called
    space.on_collision(None, None, begin=callback, separate=callback)
    for x, y, vx, vy in _places():
        body = pymunk.Body(1.0, pymunk.moment_for_circle(1.0, 0.0, RADIUS))
        body.position = x, y
        body.velocity = vx, vy
        circle = pymunk.Circle(body, RADIUS)
        circle.elasticity = 1.0
        space.add(body, circle)
    for x, y, width, height in _walls():
        body = pymunk.Body(body_type=pymunk.Body.STATIC)
        body.position = x, y
        box = pymunk.Poly.create_box(body, (width, height))
        box.elasticity = 1.0
        space.add(body, box)
    return lambda: space.step(DT), calls
