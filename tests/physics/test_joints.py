"""Joints are components that refer to two entities."""

from __future__ import annotations

from math import hypot, nan

import pytest

from engine.app import Scene
from engine.ecs import Component, Entity
from engine.physics import (
    Body,
    Circle,
    Collider,
    Motor,
    PhysicsError,
    PhysicsSettings,
    PinJoint,
    PivotJoint,
    RotaryLimit,
    SlideJoint,
    Spring,
    Velocity,
    physics,
)
from engine.scene import Transform

DOWN = (0.0, 600.0)


def scene_of(gravity: tuple[float, float] = DOWN) -> Scene:
    return Scene(physics, resources=[PhysicsSettings(gravity=gravity)])


def run(scene: Scene, ticks: int) -> None:
    for _ in range(ticks):
        scene.run_tick()


def bob(scene: Scene, x: float, y: float = 0.0, angular: float = 0.0) -> Entity:
    return scene.world.spawn(Transform(x, y), Velocity(0, 0, angular), Body(mass=1.0), Collider(Circle(5.0)))


def hook(scene: Scene) -> Entity:
    return scene.world.spawn(Transform(0.0, 0.0), Collider(Circle(1.0)))


def distance(a: Entity, b: Entity) -> float:
    return hypot(a[Transform].x - b[Transform].x, a[Transform].y - b[Transform].y)


def test_a_pin_keeps_the_distance_it_was_made_at() -> None:
    scene = scene_of()
    top, low = hook(scene), bob(scene, 50.0)
    joint = scene.world.spawn(PinJoint(top.id, low.id))
    run(scene, 20)
    assert low[Transform].y > 10
    assert distance(top, low) == pytest.approx(50.0, abs=1.0)
    assert joint[PinJoint].distance == pytest.approx(50.0)


def test_a_pivot_holds_anchors_together_also_to_the_world() -> None:
    scene = scene_of()
    arm = bob(scene, 40.0)
    scene.world.spawn(PivotJoint(0, arm.id, 0.0, 0.0, -40.0, 0.0))
    run(scene, 60)
    assert hypot(arm[Transform].x, arm[Transform].y) == pytest.approx(40.0, abs=1.0)


def test_a_rope_lets_go_near_and_holds_far() -> None:
    scene = scene_of()
    top, low = hook(scene), bob(scene, 0.0, 20.0)
    scene.world.spawn(SlideJoint(top.id, low.id, longest=60.0))
    run(scene, 5)
    assert 20 < distance(top, low) < 60
    run(scene, 60)
    assert distance(top, low) == pytest.approx(60.0, abs=1.5)


def test_a_spring_pulls_back() -> None:
    scene = scene_of((0.0, 0.0))
    top, low = hook(scene), bob(scene, 0.0, 100.0)
    scene.world.spawn(Spring(top.id, low.id, length=50.0, stiffness=50.0, damping=5.0))
    run(scene, 240)
    assert distance(top, low) == pytest.approx(50.0, abs=0.5)


def test_a_motor_turns_and_a_limit_stops() -> None:
    scene = scene_of((0.0, 0.0))
    wheel, door = bob(scene, 0.0), bob(scene, 100.0, angular=3.0)
    scene.world.spawn(Motor(0, wheel.id, rate=-2.0))
    scene.world.spawn(RotaryLimit(0, door.id, -0.5, 0.5))
    run(scene, 60)
    assert abs(wheel[Velocity].angular) == pytest.approx(2.0)
    assert abs(door[Transform].angle) < 0.6


def test_jointed_bodies_may_pass_through_each_other() -> None:
    scene = scene_of((0.0, 0.0))
    a, b = bob(scene, 0.0), bob(scene, 4.0)
    scene.world.spawn(PinJoint(a.id, b.id, collide=False))
    run(scene, 30)
    assert distance(a, b) == pytest.approx(4.0)


def test_changing_a_joint_takes_effect() -> None:
    scene = scene_of((0.0, 0.0))
    wheel = bob(scene, 0.0)
    motor = scene.world.spawn(Motor(0, wheel.id, rate=1.0))
    run(scene, 5)
    first = wheel[Velocity].angular
    motor[Motor].rate = -3.0
    run(scene, 5)
    assert wheel[Velocity].angular == pytest.approx(-3 * first)


@pytest.mark.parametrize("which", [0, 1])
def test_a_joint_goes_when_either_entity_goes(which: int) -> None:
    scene = scene_of((0.0, 0.0))
    pair = bob(scene, 0.0), bob(scene, 50.0)
    joint = scene.world.spawn(PinJoint(pair[0].id, pair[1].id))
    run(scene, 2)
    scene.world.despawn(pair[which])
    run(scene, 2)
    assert PinJoint not in joint
    left = pair[1 - which]
    left[Velocity].vx = 60.0
    x = left[Transform].x
    run(scene, 60)
    assert left[Transform].x == pytest.approx(x + 60.0)


def test_a_joint_removed_lets_go() -> None:
    scene = scene_of()
    top, low = hook(scene), bob(scene, 50.0)
    joint = scene.world.spawn(PinJoint(top.id, low.id))
    run(scene, 5)
    joint.remove(PinJoint)
    run(scene, 60)
    assert distance(top, low) > 100


def test_a_joint_outlives_a_new_body_of_its_entity() -> None:
    scene = scene_of()
    top, low = hook(scene), bob(scene, 50.0)
    scene.world.spawn(PinJoint(top.id, low.id))
    run(scene, 5)
    low.add(Collider(Circle(8.0)))
    low[Body].mass = 3.0
    run(scene, 60)
    assert distance(top, low) == pytest.approx(50.0, abs=1.5)


@pytest.mark.parametrize(
    ("joint", "message"),
    [
        (Motor(0, 0, rate=1.0), "same entity"),
        (PinJoint(0, 1, ax=nan), "ax is nan"),
        (Spring(0, 1, stiffness=nan), "stiffness is nan"),
    ],
)
def test_a_joint_that_cannot_hold_is_refused_by_name(joint: Component, message: str) -> None:
    scene = scene_of()
    low = bob(scene, 50.0)
    if joint.b:  # type: ignore[attr-defined]
        joint.b = low.id  # type: ignore[attr-defined]
    entity = scene.world.spawn(joint)
    with pytest.raises(PhysicsError, match=rf"{entity} has a {type(joint).__name__} that cannot hold: .*{message}"):
        run(scene, 1)
    run(scene, 5)


def test_two_things_that_do_not_move_cannot_be_joined() -> None:
    scene = scene_of()
    a, b = hook(scene), hook(scene)
    scene.world.spawn(PinJoint(a.id, b.id))
    with pytest.raises(PhysicsError, match="dynamic body"):
        run(scene, 1)
