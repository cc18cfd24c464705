from math import pi

import pytest

from engine.app import App
from engine.scene import Offset, Transform, hierarchy


def test_a_child_is_carried_and_turned_by_its_parent():
    app = App(hierarchy)
    tank = app.world.spawn(Transform(100.0, 50.0, pi / 2))
    turret = app.world.spawn(Transform(), Offset(10.0, 0.0, 0.5))
    app.world.attach(turret, tank)
    app.run_ticks(1)
    seat = turret[Transform]
    assert (seat.x, seat.y, seat.angle) == pytest.approx((100.0, 60.0, pi / 2 + 0.5))


def test_a_grandchild_follows_in_the_same_tick():
    app = App(hierarchy)
    world = app.world
    tip = world.spawn(Transform(), Offset(1.0))
    arm = world.spawn(Transform(), Offset(10.0))
    body = world.spawn(Transform(5.0, 5.0))
    world.attach(tip, arm)
    world.attach(arm, body)
    app.run_ticks(1)
    assert tip[Transform].x == pytest.approx(16.0)


def test_children_go_with_their_parent():
    app = App(hierarchy)
    tank = app.world.spawn(Transform())
    turret = app.world.spawn(Transform(), Offset(10.0))
    app.world.attach(turret, tank)
    tank.despawn()
    assert not turret.alive
