"""Shapes and materials: what is accepted, what is refused, and what they weigh."""

from __future__ import annotations

from math import inf, nan, pi

import pytest

from engine.ecs import World
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
    Shape,
    Space,
)
from engine.scene import Transform


def mass_of(shape: Shape, density: float = 1.0) -> float:
    world = World()
    space = Space(world, PhysicsSettings())
    return space.mass(world.spawn(Transform(), Body(), Collider(shape, Material(density=density))))


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (Circle(2.0), 4 * pi),
        (Box(4.0, 3.0), 12.0),
        (Polygon(((0, 0), (10, 0), (0, 10))), 50.0),
        (Polygon(((0, 10), (10, 0), (0, 0))), 50.0),
        (Segment(0, 0, 10, 0, radius=1.0), 20 + pi),
        (Compound((Box(2, 2, x=-5), Box(2, 2, x=5))), 8.0),
        (Chain(((0, 0), (10, 0), (10, 10)), radius=1.0), 40 + 2 * pi),
    ],
)
def test_a_body_weighs_its_area_times_its_density(shape: Shape, area: float) -> None:
    assert mass_of(shape) == pytest.approx(area)
    assert mass_of(shape, density=3.0) == pytest.approx(3 * area)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_numbers_that_are_not_finite_are_refused_by_name(bad: float) -> None:
    with pytest.raises(PhysicsError, match=r"Circle\.radius"):
        Circle(bad)
    with pytest.raises(PhysicsError, match=r"Box\.angle"):
        Box(1, 1, angle=bad)
    with pytest.raises(PhysicsError, match=r"Segment\.bx"):
        Segment(0, 0, bad, 0)
    with pytest.raises(PhysicsError, match=r"Polygon\.points"):
        Polygon(((0, 0), (1, 0), (bad, 1)))
    with pytest.raises(PhysicsError, match=r"Chain\.points"):
        Chain(((0, 0), (bad, 1)))
    with pytest.raises(PhysicsError, match=r"Material\.friction"):
        Material(friction=bad)


def test_sizes_must_be_positive() -> None:
    with pytest.raises(PhysicsError, match=r"Circle\.radius is 0"):
        Circle(0.0)
    with pytest.raises(PhysicsError, match=r"Box\.height is -1"):
        Box(1.0, -1.0)
    with pytest.raises(PhysicsError, match="radius is -1"):
        Segment(0, 0, 1, 0, radius=-1)
    with pytest.raises(PhysicsError, match="must be finite and not negative"):
        Material(elasticity=-0.1)


def test_polygons_that_are_none_are_refused_with_the_cure() -> None:
    with pytest.raises(PhysicsError, match="put these in a Compound"):
        Polygon(((0, 0), (10, 0), (2, 2), (0, 10)))
    with pytest.raises(PhysicsError, match="3 corners"):
        Polygon(((0, 0), (5, 5), (10, 10)))
    with pytest.raises(PhysicsError, match="at least one shape"):
        Compound(())
    with pytest.raises(PhysicsError, match="needs 3 points"):
        Chain(((0, 0), (1, 0)), closed=True)


def test_settings_name_what_is_wrong() -> None:
    with pytest.raises(PhysicsError, match="gravity"):
        Space(World(), PhysicsSettings(gravity=(nan, 0.0)))
    with pytest.raises(PhysicsError, match="iterations"):
        Space(World(), PhysicsSettings(iterations=0))
    with pytest.raises(PhysicsError, match="sleep_after"):
        Space(World(), PhysicsSettings(sleep_after=0.0))
