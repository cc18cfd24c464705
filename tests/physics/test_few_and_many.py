"""What is few is handled one by one, what is many as columns: both ways lead to the same, bit by bit."""

from __future__ import annotations

from math import hypot
from typing import Any

import pytest

from engine.app import Plugin, Scene, Tick
from engine.ecs import Component, Entity, Resource, World, state_hash
from engine.physics import (
    Body,
    Box,
    Circle,
    Collider,
    ContactBegan,
    ContactEnded,
    Material,
    PhysicsSettings,
    Space,
    Velocity,
    contacts,
    delivery,
    direct,
    physics,
    simulation,
)
from engine.physics import bodies as bodies_of_space
from engine.scene import Transform


class Shot(Component):
    """A tag."""


class Told(Resource):
    """All contacts, as they were told."""

    lines: tuple[tuple[Any, ...], ...] = ()


arena = Plugin("arena", needs=[physics])


@arena.setup
def build(world: World) -> None:
    world.insert(Told())
    bouncy = Material(elasticity=1.0, friction=0.0)
    for x, y, width, height in ((-220, 0, 40, 480), (220, 0, 40, 480), (0, -220, 480, 40), (0, 220, 480, 40)):
        world.spawn(Transform(x, y), Collider(Box(width, height), bouncy))
    world.spawn(Transform(0.0, 0.0), Collider(Circle(30.0), sensor=True))
    rng = world.rng
    for number in range(12):
        shape = Circle(8.0) if number % 3 else Box(20.0, 14.0)
        place = Transform(rng.uniform(-150, 150), rng.uniform(-150, 150), rng.uniform(0, 6))
        body = Body(mass=1.0 + number % 2, fixed_rotation=number % 2 == 0)
        world.spawn(place, Velocity(rng.uniform(-200, 200), rng.uniform(-200, 200)), body, Collider(shape, bouncy))

    @world.resource(Space).refuse(Shot, Body)
    def passes(world: World, shot: Entity, other: Entity) -> bool:  # pyright: ignore[reportUnusedFunction]
        return other.id % 3 == 0


@arena.on(Tick)
def stir(world: World, tick: Tick) -> None:
    rng = world.rng
    for motion, at in world.rows(Velocity, Transform, having=(Body,)):
        speed = max(hypot(motion.vx, motion.vy), 1.0)
        motion.vx, motion.vy = motion.vx / speed * 180.0, motion.vy / speed * 180.0
        if rng.random() < 0.05:
            at.x, at.y = rng.uniform(-150, 150), rng.uniform(-150, 150)
    if tick.number % 3 == 0:
        bullet = (Body(mass=0.2), Collider(Circle(3.0), Material(1.0, 0.0)), Shot())
        world.spawn(Transform(rng.uniform(-99, 99), 0.0), Velocity(0.0, 300.0), *bullet)
    if tick.number % 7 == 0:
        world.despawn(rng.choice(list(world.rows(Entity, having=(Shot,))) or list(world.rows(Entity, having=(Body,)))))


@arena.on(ContactBegan)
def began(world: World, contact: ContactBegan[Any, Any]) -> None:
    told = world.resource(Told)
    values = contact.x, contact.y, contact.nx, contact.ny, contact.impulse, contact.energy
    told.lines += (("all", contact.a.id, contact.b.id, *values),)


@arena.on(ContactBegan[Shot, Collider])
def hit(world: World, contact: ContactBegan[Shot, Collider]) -> None:
    told = world.resource(Told)
    told.lines += (("hit", contact.a.id, contact.b.id, contact.nx, contact.ny),)


@arena.on(ContactEnded)
def ended(world: World, contact: ContactEnded[Any, Any]) -> None:
    world.resource(Told).lines += (("end", contact.a.id, contact.b.id),)


def play() -> tuple[list[int], tuple[tuple[Any, ...], ...]]:
    scene = Scene(arena, seed=3, resources=[PhysicsSettings(substeps=2)])
    hashes: list[int] = []
    for _ in range(240):
        scene.run_tick()
        hashes.append(state_hash(scene.world))
    return hashes, scene.world.resource(Told).lines


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (contacts, "_FEW", 0),
        (contacts, "_FEW", 3),
        (delivery, "FEW", 0),
        (bodies_of_space, "FEW", 0),
        (simulation, "SHORT", 0),
    ],
)
def test_the_way_for_many_leads_to_the_same(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: int
) -> None:
    hashes, lines = play()
    assert len(lines) > 400
    assert {line[0] for line in lines} == {"all", "hit", "end"}
    monkeypatch.setattr(direct, "CALLS", None)
    assert play() == (hashes, lines)
    monkeypatch.setattr(module, name, value)
    assert play() == (hashes, lines)


def test_a_single_subscriber_is_told_in_the_same_order_of_few_and_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> list[tuple[int, int, float, float]]:
        found: list[tuple[int, int, float, float]] = []
        listener = Plugin("listener", needs=[physics])

        @listener.on(ContactBegan[Shot, Collider])
        def note(world: World, contact: ContactBegan[Shot, Collider]) -> None:  # pyright: ignore[reportUnusedFunction]
            found.append((contact.a.id, contact.b.id, contact.nx, contact.ny))

        scene = Scene(listener)
        for number in range(6):  # walls are younger than some of the shots and older than others
            x = 100.0 * number
            scene.world.spawn(Transform(x, 0.0), Velocity(0.0, 90.0), Body(mass=1.0), Collider(Circle(5.0)), Shot())
            if number == 2:
                scene.world.spawn(Transform(250.0, 40.0), Collider(Box(600.0, 10.0)))
        for _ in range(60):
            scene.run_tick()
        return found

    few = told()
    assert len(few) == 6
    assert all(ny > 0.99 for *_, ny in few)
    monkeypatch.setattr(delivery, "FEW", 0)
    assert told() == few


def test_a_round_body_that_is_turned_keeps_its_course_and_shows_its_angle() -> None:
    scene = Scene(physics)
    ship = scene.world.spawn(
        Transform(0.0, 0.0), Velocity(60.0, 0.0), Body(mass=1.0, fixed_rotation=True), Collider(Circle(5.0))
    )
    plank = scene.world.spawn(Transform(0.0, 100.0), Collider(Box(40.0, 4.0)))
    for number in range(1, 31):
        ship[Transform].angle = 0.1 * number
        scene.run_tick()
        assert ship[Transform].angle == 0.1 * number
    assert ship[Transform].x == pytest.approx(30.0)
    space = scene.world.resource(Space)
    assert space.at(0.0, 118.0) == []
    plank[Transform].angle = 1.5707963
    scene.run_tick()
    assert space.at(0.0, 118.0) == [plank]  # what is not round moves when it is turned
