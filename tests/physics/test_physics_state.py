"""Snapshots are exact, and the same inputs give the same bits, also in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.app import Plugin, Scene, Tick
from engine.ecs import Component, Entity, Resource, World, component_hashes, state_hash
from engine.physics import (
    Body,
    BodyKind,
    Box,
    Circle,
    Collider,
    Compound,
    ContactBegan,
    ContactEnded,
    Material,
    Motor,
    OneWay,
    PhysicsSettings,
    PinJoint,
    Quarantined,
    Space,
    Spring,
    Velocity,
    physics,
)
from engine.scene import Transform

SHAPES = (Circle(6.0), Box(11.0, 9.0), Compound((Circle(4.0, x=-4), Box(6, 6, x=4))), Circle(9.0))


class Shot(Component):
    """A tag."""


class Tally(Resource):
    """Contacts so far."""

    began: int = 0
    ended: int = 0
    impulse: float = 0.0


def thing(world: World, *, shot: bool = False) -> Entity:
    rng = world.rng
    parts: list[Component] = [
        Transform(rng.uniform(-300, 300), rng.uniform(-300, 300), rng.uniform(0, 6)),
        Body(mass=rng.choice((0.0, 1.0, 2.5)), damping=rng.choice((1.0, 0.7)), fixed_rotation=rng.random() < 0.2),
        Collider(rng.choice(SHAPES), Material(rng.uniform(0, 1), rng.uniform(0, 1)), sensor=rng.random() < 0.1),
    ]
    if rng.random() < 0.8:
        parts.append(Velocity(rng.uniform(-200, 200), rng.uniform(-200, 200), rng.uniform(-3, 3)))
    if shot:
        parts.append(Shot())
    return world.spawn(*parts)


churn = Plugin("churn", needs=[physics])


@churn.setup
def build(world: World) -> None:
    world.insert(Tally())
    for x, y, width, height in ((-330, 0, 40, 700), (330, 0, 40, 700), (0, -330, 700, 40), (0, 330, 700, 40)):
        world.spawn(Transform(x, y), Collider(Box(width, height), Material(elasticity=0.9)))
    world.spawn(Transform(0, 100), Collider(Box(200, 10)), OneWay())
    paddle = world.spawn(Transform(), Velocity(angular=1.0), Body(BodyKind.KINEMATIC), Collider(Box(300, 10)))
    things = [thing(world) for _ in range(200)]
    world.spawn(PinJoint(things[0].id, things[1].id))
    world.spawn(Spring(things[2].id, paddle.id, length=50.0))
    world.spawn(Motor(0, things[3].id, rate=4.0, max_force=1e5))

    @world.resource(Space).refuse(Shot, Collider)
    def passes(world: World, shot: Entity, other: Entity) -> bool:
        return world.rng.random() < 0.3


@churn.on(Tick)
def come_and_go(world: World, tick: Tick) -> None:
    space = world.resource(Space)
    rng = world.rng
    if tick.number % 3 == 0:
        thing(world, shot=True)
    movers = list(world.rows(Entity, Body))
    for entity, _ in rng.sample(movers, 3):
        choice = rng.randrange(5)
        if choice == 0 and len(movers) > 180:
            world.despawn(entity)
        elif choice == 1:
            entity[Transform].x = rng.uniform(-300, 300)
        elif choice == 2 and entity[Body].kind == BodyKind.DYNAMIC:
            space.impulse(entity, rng.uniform(-50, 50), rng.uniform(-50, 50), at=(0.0, 0.0))
        elif choice == 3 and entity[Body].kind == BodyKind.DYNAMIC:
            space.force(entity, rng.uniform(-500, 500), 0.0)
        elif choice == 4:
            entity.add(Collider(rng.choice(SHAPES)))


@churn.on(ContactBegan)
def count_began(world: World, contact: ContactBegan[Any, Any]) -> None:
    tally = world.resource(Tally)
    tally.began += 1
    tally.impulse += contact.impulse + contact.x + contact.ny


@churn.on(ContactEnded)
def count_ended(world: World, contact: ContactEnded[Any, Any]) -> None:
    world.resource(Tally).ended += 1


def scene_of(seed: int = 5, **values: Any) -> Scene:
    return Scene(churn, seed=seed, resources=[PhysicsSettings(gravity=(0.0, 50.0), **values)])


def run(scene: Scene, ticks: int) -> list[int]:
    hashes: list[int] = []
    for _ in range(ticks):
        scene.run_tick()
        hashes.append(state_hash(scene.world))
    return hashes


@pytest.mark.parametrize("values", [{}, {"sleep_after": 0.3, "substeps": 2}])
def test_going_on_equals_restoring(values: dict[str, Any]) -> None:
    scene = scene_of(**values)
    run(scene, 60)
    snapshot = scene.capture()
    kept = component_hashes(scene.world)
    on = run(scene, 300)
    assert scene.world.resource(Tally).began > 500
    scene.restore(snapshot)
    assert component_hashes(scene.world) == kept
    assert run(scene, 300) == on
    scene.restore(snapshot)
    assert run(scene, 20) == on[:20]


def test_another_scene_can_take_over_from_a_snapshot() -> None:
    scene, other = scene_of(), scene_of(seed=9)
    run(scene, 40)
    run(other, 10)
    snapshot = scene.capture()
    on = run(scene, 100)
    other.restore(snapshot)
    assert run(other, 100) == on


def test_capturing_twice_changes_nothing() -> None:
    scene, other = scene_of(), scene_of()
    run(scene, 30)
    run(other, 30)
    scene.capture()
    scene.capture()
    other.capture()
    assert run(scene, 60) == run(other, 60)


def test_the_same_inputs_give_the_same_bits() -> None:
    first, second = scene_of(), scene_of()
    garbage = [Circle(float(n + 1)) for n in range(1000)]  # other addresses
    assert run(first, 90) == run(second, 90)
    assert run(scene_of(seed=6), 3) != run(scene_of(), 3)
    del garbage


def test_the_same_inputs_give_the_same_bits_in_another_process() -> None:
    here = [str(number) for number in run(scene_of(), 90)]
    there = subprocess.run(
        [sys.executable, "-X", "utf8", __file__], capture_output=True, text=True, check=True, env=_environment()
    )
    assert there.stdout.split() == here


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONHASHSEED": "7"}


# What no component holds


def still(**values: Any) -> tuple[Scene, list[tuple[str, int, int]]]:
    rules = Plugin("log", needs=[physics])
    log: list[tuple[str, int, int]] = []

    @rules.on(ContactBegan)
    def began(world: World, contact: ContactBegan[Any, Any]) -> None:
        log.append(("began", contact.a.id, contact.b.id))

    @rules.on(ContactEnded)
    def ended(world: World, contact: ContactEnded[Any, Any]) -> None:
        log.append(("ended", contact.a.id, contact.b.id))

    return Scene(rules, resources=[PhysicsSettings(**values)]), log


def ball(scene: Scene, x: float, *parts: Component) -> Entity:
    return scene.world.spawn(Transform(x), Body(mass=1.0), Collider(Circle(5.0)), *parts)


@pytest.mark.parametrize("sensor", [False, True])
def test_what_was_touching_does_not_begin_again_and_still_ends(sensor: bool) -> None:
    scene, log = still()
    shot = ball(scene, 0.0, Velocity())
    wall = scene.world.spawn(Transform(9.0), Collider(Circle(5.0), sensor=sensor))
    run(scene, 1)
    assert log == [("began", shot.id, wall.id)]
    snapshot = scene.capture()
    run(scene, 1)
    assert len(log) == 1
    for _ in range(2):
        log.clear()
        scene.restore(snapshot)
        run(scene, 1)
        assert log == []
        shot[Transform].x = -200.0
        run(scene, 1)
        assert log == [("ended", shot.id, wall.id)]
    log.clear()
    scene.restore(snapshot)
    scene.world.despawn(wall)
    run(scene, 1)
    assert log == [("ended", shot.id, wall.id)]


def test_an_end_not_yet_told_is_told_after_restoring() -> None:
    scene, log = still()
    shot, other = ball(scene, 0.0), ball(scene, 9.0)
    run(scene, 1)
    scene.world.despawn(other)
    snapshot = scene.capture()
    for _ in range(2):
        log.clear()
        run(scene, 2)
        assert log == [("ended", shot.id, other.id)]
        scene.restore(snapshot)


def test_a_decision_of_a_filter_lasts_over_a_restore() -> None:
    scene, log = still()
    asked: list[int] = []

    @scene.world.resource(Space).refuse(Shot, Collider)
    def once(world: World, shot: Entity, other: Entity) -> bool:
        asked.append(shot.id)
        return True

    shot, other = ball(scene, 0.0, Shot()), ball(scene, 4.0)
    run(scene, 2)
    snapshot = scene.capture()
    kept = state_hash(scene.world)
    run(scene, 2)
    scene.restore(snapshot)
    assert state_hash(scene.world) == kept
    run(scene, 2)
    assert asked == [shot.id]
    assert log == []
    assert other[Transform].x == 4.0


def test_hidden_velocities_and_pending_pushes_are_part_of_the_state() -> None:
    scene, _ = still()
    blind, pushed = ball(scene, 0.0), ball(scene, 100.0, Velocity())
    space = scene.world.resource(Space)
    space.impulse(blind, 60.0, 0.0)
    run(scene, 1)
    before = state_hash(scene.world)
    space.force(pushed, 3600.0, 0.0)
    assert state_hash(scene.world) != before
    snapshot = scene.capture()
    run(scene, 30)
    places = blind[Transform].x, pushed[Transform].x
    scene.restore(snapshot)
    run(scene, 30)
    assert (blind[Transform].x, pushed[Transform].x) == places
    assert places[0] == pytest.approx(31.0)
    assert places[1] > 110.0


def test_quarantine_lasts_over_a_restore() -> None:
    scene, _ = still()
    caught: list[Entity] = []
    scene.dispatcher.subscribe(Quarantined, lambda world, event: caught.append(event.entity))
    wild = ball(scene, 0.0, Velocity())
    wild[Body].mass = 0.001
    scene.world.resource(Space).force(wild, 1e308, 1e308)
    run(scene, 3)
    assert caught == [wild]
    snapshot = scene.capture()
    kept = state_hash(scene.world)
    run(scene, 3)
    scene.restore(snapshot)
    assert state_hash(scene.world) == kept
    run(scene, 3)
    assert scene.world.resource(Space).at(wild[Transform].x, 0.0) == []
    wild[Transform].x = 50.0
    run(scene, 3)
    assert scene.world.resource(Space).at(50.0, 0.0) == [wild]
    assert len(caught) == 1


def test_settings_are_part_of_the_state() -> None:
    scene, _ = still(gravity=(0.0, 600.0))
    entity = ball(scene, 0.0, Velocity())
    snapshot = scene.capture()
    scene.world.resource(PhysicsSettings).gravity = (600.0, 0.0)
    run(scene, 10)
    assert entity[Velocity].vx > 0
    scene.restore(snapshot)
    run(scene, 10)
    assert entity[Velocity].vx == 0
    assert entity[Velocity].vy > 0


if __name__ == "__main__":
    print(*run(scene_of(), 90))
