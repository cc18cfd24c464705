from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import App
from engine.ecs import Entity
from engine.scene import Interpolation, Transform, interpolation


def shown(app: App, alpha: float) -> dict[int, tuple[float, float, float]]:
    places: dict[int, tuple[float, float, float]] = {}
    for rows in app.world.tables(Transform):
        x, y, angle = app.world.resource(Interpolation).between(rows, alpha)
        places |= {id: (x[i], y[i], angle[i]) for i, id in enumerate(rows.ids.tolist())}
    return places


def move(entity: Entity, x: float, y: float, angle: float = 0.0) -> None:
    place = entity[Transform]
    place.x, place.y, place.angle = x, y, angle


def test_shown_between_the_last_two_ticks():
    app = App(interpolation)
    thing = app.world.spawn(Transform(0.0, 10.0))
    app.run_ticks(1)
    move(thing, 8.0, 20.0, 1.0)
    assert shown(app, 0.25)[thing.id] == pytest.approx((2.0, 12.5, 0.25))
    assert shown(app, 1.0)[thing.id] == (8.0, 20.0, 1.0)


@given(st.floats(-10, 10), st.floats(-3.1, 3.1), st.floats(0, 1))
def test_an_angle_takes_the_short_way(start: float, turn: float, alpha: float):
    app = App(interpolation)
    thing = app.world.spawn(Transform(0.0, 0.0, start))
    app.run_ticks(1)
    move(thing, 0.0, 0.0, (start + turn) % (2 * pi))
    difference = shown(app, alpha)[thing.id][2] - (start + turn * alpha)
    assert np.cos(difference) == pytest.approx(1.0)


def test_new_and_snapped_entities_are_shown_where_they_are():
    app = App(interpolation)
    old = app.world.spawn(Transform(1.0))
    app.run_ticks(1)
    new = app.world.spawn(Transform(50.0))
    move(old, 100.0, 0.0)
    app.world.resource(Interpolation).snap(old)
    assert shown(app, 0.5)[new.id][0] == 50.0
    assert shown(app, 0.5)[old.id][0] == 100.0


def test_an_index_used_again_does_not_inherit_a_past():
    app = App(interpolation)
    old = app.world.spawn(Transform(1.0))
    app.run_ticks(1)
    old.despawn()
    new = app.world.spawn(Transform(500.0))
    assert shown(app, 0.5)[new.id][0] == 500.0


def test_local_and_many_entities():
    app = App(interpolation)
    local = app.world.spawn(Transform(0.0), local=True)
    many = app.world.spawn_many(1000, Transform(), values={Transform.x: np.arange(1000.0)})
    app.run_ticks(1)
    move(local, 10.0, 0.0)
    for rows in app.world.tables(Transform):
        if len(rows) == 1000:
            rows[Transform.x] += 4.0
    places = shown(app, 0.5)
    assert places[local.id][0] == 5.0
    assert [places[id][0] for id in many.tolist()] == [i + 2.0 for i in range(1000)]
