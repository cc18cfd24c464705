"""The debug view as lines."""

from __future__ import annotations

from math import hypot

import pytest

from engine.app import Scene
from engine.physics import (
    Body,
    BodyKind,
    Box,
    Chain,
    Circle,
    Collider,
    Compound,
    DebugKind,
    DebugLine,
    PhysicsSettings,
    PinJoint,
    Polygon,
    Segment,
    Velocity,
    debug_lines,
    physics,
)
from engine.scene import Transform


def scene_of(**values: float) -> Scene:
    return Scene(physics, resources=[PhysicsSettings(gravity=(0.0, 600.0), **values)])  # type: ignore[arg-type]


def lines_of(scene: Scene) -> dict[DebugKind, list[DebugLine]]:
    found: dict[DebugKind, list[DebugLine]] = {}
    for line in debug_lines(scene.world):
        found.setdefault(line.kind, []).append(line)
    return found


def test_nothing_is_shown_of_an_empty_world() -> None:
    assert lines_of(scene_of()) == {}


def test_kinds_tell_what_a_line_stands_for() -> None:
    scene = scene_of()
    world = scene.world
    world.spawn(Transform(0, 50), Collider(Box(200, 10)))
    world.spawn(Transform(0, 0), Collider(Circle(20), sensor=True))
    world.spawn(Transform(300, 0), Velocity(5.0), Body(BodyKind.KINEMATIC), Collider(Segment(-10, 0, 10, 0, 2)))
    ball = world.spawn(Transform(0, 40.5), Velocity(), Body(mass=1), Collider(Circle(5)))
    other = world.spawn(Transform(50, 0), Velocity(), Body(mass=1), Collider(Polygon(((0, 0), (5, 0), (0, 5)))))
    world.spawn(PinJoint(ball.id, other.id))
    scene.run_tick()
    lines = lines_of(scene)
    assert {kind: len(each) for kind, each in lines.items()} == {
        DebugKind.STATIC: 1,
        DebugKind.SENSOR: 2,
        DebugKind.KINEMATIC: 1,
        DebugKind.DYNAMIC: 3,
        DebugKind.VELOCITY: 3,
        DebugKind.CONTACT: 1,
        DebugKind.JOINT: 1,
    }
    (contact,) = lines[DebugKind.CONTACT]
    assert contact.points[0] == pytest.approx((0.0, 45.0), abs=0.6)
    (joint,) = lines[DebugKind.JOINT]
    assert hypot(joint.points[0][0] - 0.0, joint.points[0][1] - 40.5) < 1.0


def test_outlines_follow_place_and_angle() -> None:
    scene = scene_of()
    scene.world.spawn(Transform(100, 50, 1.5707963267948966), Collider(Box(20, 10)))
    scene.run_tick()
    (line,) = lines_of(scene)[DebugKind.STATIC]
    assert line.closed
    assert sorted(line.points) == [pytest.approx(p) for p in ((95, 40), (95, 60), (105, 40), (105, 60))]


def test_every_shape_has_an_outline() -> None:
    scene = scene_of()
    chain = Chain(((0, 0), (10, 0), (10, 10)), radius=1.0)
    scene.world.spawn(Transform(), Collider(Compound((Circle(1), Segment(0, 0, 5, 0), chain, Box(1, 1)))))
    scene.run_tick()
    assert len(lines_of(scene)[DebugKind.STATIC]) == 6


def test_sleepers_and_absentees_are_told_apart() -> None:
    scene = scene_of(sleep_after=0.2)
    scene.world.spawn(Transform(0, 50), Collider(Box(200, 10)))
    scene.world.spawn(Transform(0, 40), Velocity(), Body(mass=1), Collider(Box(10, 10)))
    wild = scene.world.spawn(Transform(1000, 40), Velocity(1.7e308), Body(mass=1), Collider(Box(10, 10)))
    for _ in range(80):
        scene.run_tick()
    assert wild.alive
    kinds = lines_of(scene)
    assert len(kinds[DebugKind.SLEEPING]) == 1
    assert len(kinds[DebugKind.ABSENT]) == 1


def test_entities_that_went_after_the_step_are_not_shown() -> None:
    scene = scene_of()
    balls = [scene.world.spawn(Transform(30 * n), Velocity(), Body(mass=1), Collider(Circle(5))) for n in range(4)]
    scene.run_tick()
    scene.world.despawn(balls[3])
    scene.world.despawn(balls[0])
    assert len(lines_of(scene)[DebugKind.DYNAMIC]) <= 4
    scene.run_tick()
    assert len(lines_of(scene)[DebugKind.DYNAMIC]) == 4
