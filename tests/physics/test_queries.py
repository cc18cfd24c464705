"""Rays, points, circles, shapes and areas."""

from __future__ import annotations

from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ecs import Entity, World
from engine.physics import (
    Body,
    Box,
    Chain,
    Circle,
    Collider,
    Compound,
    Material,
    PhysicsError,
    PhysicsSettings,
    Polygon,
    Segment,
    Space,
    Velocity,
)
from engine.scene import Transform


def space_of(world: World) -> Space:
    space = Space(world, PhysicsSettings())
    space.sync()
    return space


def spot(world: World, x: float, y: float = 0.0, radius: float = 10.0, **values: int) -> Entity:
    return world.spawn(Transform(x, y), Collider(Circle(radius), Material(), **values))  # type: ignore[arg-type]


def test_a_ray_hits_the_first_thing_on_its_way() -> None:
    world = World()
    far, near = spot(world, 300.0), spot(world, 100.0)
    space = space_of(world)
    hit = space.raycast(0, 0, 400, 0)
    assert hit is not None
    assert hit.entity == near
    assert (hit.x, hit.y, hit.nx, hit.ny) == pytest.approx((90.0, 0.0, -1.0, 0.0))
    assert hit.fraction == pytest.approx(90 / 400)
    assert [found.entity for found in space.raycast_all(0, 0, 400, 0)] == [near, far]
    assert space.raycast(0, 50, 400, 50) is None
    thick = space.raycast(0, 15, 400, 15, radius=6.0)
    assert thick is not None
    assert thick.entity == near
    assert space.raycast(0, 15, 400, 15, radius=4.0) is None


def test_a_ray_can_ignore_entities_and_layers_and_see_sensors() -> None:
    world = World()
    one, two, three = spot(world, 100.0, layer=1), spot(world, 200.0, layer=2), spot(world, 300.0, sensor=True)
    space = space_of(world)

    def first(**options: object) -> Entity | None:
        hit = space.raycast(0, 0, 400, 0, **options)  # type: ignore[arg-type]
        return hit.entity if hit else None

    assert first(ignore=(one,)) == two
    assert first(mask=2) == two
    assert first(ignore=(one, two)) is None
    assert first(ignore=(one, two), sensors=True) == three


def test_a_ray_from_inside_hits_at_its_start() -> None:
    world = World()
    here = spot(world, 0.0)
    hit = space_of(world).raycast(3, 0, 100, 0)
    assert hit is not None
    assert (hit.entity, hit.x, hit.y, hit.nx, hit.ny, hit.fraction) == (here, 3, 0, -1, 0, 0)


def test_points_circles_and_areas() -> None:
    world = World()
    a, b, c = spot(world, 0.0), spot(world, 5.0), spot(world, 100.0, sensor=True)
    space = space_of(world)
    assert space.at(2, 0) == [a, b]
    assert space.at(-8, 0) == [a]
    assert space.at(100, 0) == []
    assert space.at(100, 0, sensors=True) == [c]
    assert space.within(30, 0, 16) == [b]
    assert space.within(30, 0, 25) == [b, a]
    assert space.within(-20, 0, 100) == [a, b]
    assert space.area(-1, -1, 1, 1) == [a, b]
    assert space.area(1, 1, -1, -1) == [a, b]
    assert space.area(90, 0, 200, 5, sensors=True) == [c]


def test_shapes_find_what_they_would_touch() -> None:
    world = World()
    a, b = spot(world, 0.0), spot(world, 100.0)
    space = space_of(world)
    assert space.overlap(Box(10, 10), 12, 0) == [a]
    assert space.overlap(Box(10, 10), 50, 0) == []
    assert space.overlap(Box(220, 2), 50, 0) == [a, b]
    assert space.overlap(Box(2, 220), 50, 0, angle=1.5708) == [a, b]
    assert space.overlap(Compound((Circle(5, x=-50), Circle(5, x=50))), 50, 0) == [a, b]
    assert space.overlap(Circle(5), 0, 0, mask=2) == []
    assert len(world) == 2


@pytest.mark.parametrize(
    "shape",
    [
        Box(20, 20),
        Polygon(((-10, -10), (10, -10), (10, 10), (-10, 10))),
        Segment(0, -10, 0, 10, radius=10.0),
        Chain(((-5, -10), (-5, 10), (5, 10)), radius=5.0),
        Compound((Circle(10), Box(4, 4, x=30))),
    ],
)
def test_every_shape_is_found(shape: Box | Polygon | Segment | Chain | Compound) -> None:
    world = World()
    entity = world.spawn(Transform(100, 100), Collider(shape))
    space = space_of(world)
    hit = space.raycast(0, 100, 200, 100)
    assert hit is not None
    assert hit.entity == entity
    assert hit.x == pytest.approx(90.0, abs=0.01)


def test_a_query_before_the_world_was_taken_in_says_what_to_do() -> None:
    world = World()
    space = Space(world, PhysicsSettings())
    with pytest.raises(PhysicsError, match=r"space\.sync\(\)"):
        space.at(0, 0)


def test_queries_refuse_numbers_that_are_not_finite() -> None:
    space = space_of(World())
    with pytest.raises(PhysicsError, match="ray"):
        space.raycast(0, 0, nan, 0)
    with pytest.raises(PhysicsError, match="point"):
        space.within(0, nan, 1)
    with pytest.raises(PhysicsError, match="area"):
        space.area(0, 0, nan, 1)
    with pytest.raises(PhysicsError, match="shape"):
        space.overlap(Circle(1), nan, 0)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=12),
    st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
    st.floats(0.5, 80),
)
def test_within_finds_what_a_plain_look_at_the_distances_finds(
    places: list[tuple[float, float]], centre: tuple[float, float], radius: float
) -> None:
    world = World()
    entities = [world.spawn(Transform(x, y), Velocity(), Body(mass=1), Collider(Circle(5.0))) for x, y in places]
    space = space_of(world)
    x, y = centre
    gaps = {e.id: ((px - x) ** 2 + (py - y) ** 2) ** 0.5 - 5.0 for e, (px, py) in zip(entities, places, strict=True)}
    found = space.within(x, y, radius)
    assert {entity.id for entity in found} >= {id for id, gap in gaps.items() if gap < radius - 1e-6}
    assert {entity.id for entity in found} <= {id for id, gap in gaps.items() if gap < radius + 1e-6}
    near = [max(0.0, gaps[entity.id]) for entity in found]
    assert near == pytest.approx(sorted(near), abs=1e-6)
