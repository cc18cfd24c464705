"""Shapes at places of the caller's choosing: the same answers as a space gives, and on the way between two places."""

from __future__ import annotations

from math import cos, hypot, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import Scene
from engine.ecs import World
from engine.physics import Box, Chain, Circle, Collider, Compound, Polygon, Segment, Shape, Space, physics
from engine.physics.touch import Place, cast, distance, reach, touch
from engine.scene import Transform

SHAPES: list[Shape] = [
    Circle(10.0),
    Circle(4.0, x=12.0, y=-3.0),
    Box(30.0, 10.0),
    Box(12.0, 12.0, x=5.0, angle=0.4, radius=2.0),
    Polygon(((0.0, -12.0), (14.0, 9.0), (-10.0, 6.0)), radius=1.0),
    Segment(-15.0, 0.0, 15.0, 4.0, radius=3.0),
    Chain(((-20.0, 0.0), (0.0, 8.0), (20.0, 0.0)), radius=2.0),
    Compound((Circle(5.0, x=-9.0), Box(8.0, 20.0, x=6.0))),
]

shapes = st.sampled_from(SHAPES)
closed = st.sampled_from([shape for shape in SHAPES if not isinstance(shape, Chain)])
NUDGES = [(1e-2 * cos(pi / 4 * turn), 1e-2 * sin(pi / 4 * turn)) for turn in range(8)]
coordinates = st.floats(-40.0, 40.0, allow_subnormal=False)
places = st.tuples(coordinates, coordinates, st.floats(-4.0, 4.0))


def space_with(shape: Shape, at: Place) -> tuple[World, Space]:
    scene = Scene(physics)
    scene.world.spawn(Transform(*at), Collider(shape))
    space = scene.world.resource(Space)
    space.sync()
    return scene.world, space


@given(closed, places, shapes, places)
def test_what_touches_is_what_a_space_finds(a: Shape, start: Place, b: Shape, at: Place) -> None:
    _, space = space_with(b, at)
    found = touch(a, start, start, b, at)
    overlapping = bool(space.overlap(a, *start))
    if (found is not None) != overlapping:  # only where they barely touch, or barely do not
        assert any(
            (touch(a, near, near, b, at) is not None) == overlapping
            for near in ((start[0] + x, start[1] + y, start[2]) for x, y in NUDGES)
        )
    if found is not None:
        assert hypot(found.nx, found.ny) == pytest.approx(1.0)
        assert found.fraction == 0.0


@given(st.floats(1.0, 20.0), places, places, shapes, places)
def test_a_circle_meets_what_a_thick_ray_meets(radius: float, start: Place, end: Place, b: Shape, at: Place) -> None:
    if hypot(end[0] - start[0], end[1] - start[1]) < 1.0:
        return
    _, space = space_with(b, at)
    hit = space.raycast(start[0], start[1], end[0], end[1], radius=radius)
    swept, thick = touch(Circle(radius), start, end, b, at), cast(b, at, start[:2], end[:2], radius)
    if hit is None:
        edge = distance(b, at, *end[:2]) - radius
        assert swept is None or swept.fraction > 0.999 or abs(edge) < 1e-2 or _grazes(swept.nx, swept.ny, start, end)
        return
    assert thick is not None
    assert thick.fraction == pytest.approx(hit.fraction, abs=1e-3)
    assert (thick.x, thick.y) == pytest.approx((hit.x, hit.y), abs=1e-3)
    assert (thick.nx, thick.ny) == pytest.approx((-hit.nx, -hit.ny), abs=1e-3)
    if swept is not None:
        assert swept.fraction == pytest.approx(hit.fraction, abs=1e-3)
    else:
        assert _grazes(hit.nx, hit.ny, start, end)


def _grazes(nx: float, ny: float, start: Place, end: Place) -> bool:
    dx, dy = end[0] - start[0], end[1] - start[1]
    return abs(nx * dx + ny * dy) / hypot(dx, dy) < 0.02


@given(shapes, places, coordinates, coordinates)
def test_nothing_of_a_shape_is_beyond_its_reach(shape: Shape, at: Place, x: float, y: float) -> None:
    away = distance(shape, at, x, y)
    assert hypot(x - at[0], y - at[1]) <= reach(shape) + away + 1e-6


def test_the_reach_of_each_form() -> None:
    assert reach(Circle(5.0, x=3.0, y=4.0)) == 10.0
    assert reach(Box(6.0, 8.0)) == 5.0
    assert reach(Box(6.0, 8.0, radius=1.0)) == 6.0
    assert reach(Segment(0.0, 0.0, 3.0, 4.0, radius=2.0)) == 7.0
    assert reach(Compound((Circle(1.0), Circle(2.0, x=5.0)))) == 7.0


def test_two_circles_meet_where_their_edges_do() -> None:
    met = touch(Circle(5.0), (-100.0, 0.0, 0.0), (0.0, 0.0, 0.0), Circle(20.0), (0.0, 0.0, 0.0))
    assert met is not None
    assert met == pytest.approx((-20.0, 0.0, 1.0, 0.0, 0.75))


@pytest.mark.parametrize("end", [(-60.0, 0.0, 0.0), (-100.0, 90.0, 0.0), (-200.0, 0.0, 0.0), (-100.0, 0.0, 0.0)])
def test_two_circles_that_do_not_meet(end: Place) -> None:
    assert touch(Circle(5.0), (-100.0, 0.0, 0.0), end, Circle(20.0), (0.0, 0.0, 0.0)) is None


def test_circles_around_one_point_have_a_normal_all_the_same() -> None:
    met = touch(Circle(5.0), (1.0, 2.0, 0.0), (1.0, 2.0, 0.0), Circle(20.0), (1.0, 2.0, 0.0))
    assert met is not None
    assert hypot(met.nx, met.ny) == 1.0


def test_a_box_is_tried_all_along_its_way() -> None:
    far, near = (-100.0, 0.0, 0.0), (100.0, 0.0, 0.0)
    met = touch(Box(20.0, 20.0), far, near, Circle(5.0), (0.0, 0.0, 0.0))
    assert met is not None
    assert met.fraction == pytest.approx(85 / 200, abs=0.07)
    assert met.nx == pytest.approx(1.0, abs=0.2)
    assert touch(Box(20.0, 20.0), far, near, Circle(5.0), (0.0, 40.0, 0.0)) is None


def test_a_box_that_turns_on_its_way_goes_the_short_way_round() -> None:
    start, end = (0.0, 0.0, pi - 0.2), (0.0, 0.0, -pi + 0.2)
    assert touch(Box(100.0, 2.0), start, end, Circle(2.0), (40.0, 0.0, 0.0)) is not None
    assert touch(Box(100.0, 2.0), start, end, Circle(2.0), (0.0, 40.0, 0.0)) is None


def test_a_ray_of_no_length_is_a_point() -> None:
    assert cast(Circle(5.0), (0.0, 0.0, 0.0), (8.0, 0.0), (8.0, 0.0)) is None
    met = cast(Circle(5.0), (0.0, 0.0, 0.0), (8.0, 0.0), (8.0, 0.0), radius=4.0)
    assert met is not None
    assert (met.nx, met.ny, met.fraction) == pytest.approx((-1.0, 0.0, 0.0))
