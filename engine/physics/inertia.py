"""Mass, moment of inertia and centre of gravity of a shape, and the solver's shapes for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import inf
from typing import NamedTuple

import pymunk

from engine.physics.components import Material
from engine.physics.errors import PhysicsError
from engine.physics.shapes import Box, Chain, Circle, Compound, Polygon, Segment, Shape

CENTRED = 1e-9
"""A centre of gravity this close to the origin, in world units, is rounding noise around it."""


class Inertia(NamedTuple):
    """How a body resists being pushed and turned."""

    mass: float
    moment: float
    """About the centre of gravity."""
    x: float
    """The centre of gravity, in the body's own coordinates."""
    y: float


def solver_shapes(shape: Shape, body: pymunk.Body | None) -> Iterator[pymunk.Shape]:
    """The pieces the solver knows, attached to `body`."""
    match shape:
        case Circle(radius, x, y):
            yield pymunk.Circle(body, radius, (x, y))
        case Box():
            yield pymunk.Poly(body, shape.corners, radius=shape.radius)
        case Polygon(points, radius):
            yield pymunk.Poly(body, points, radius=radius)
        case Segment(ax, ay, bx, by, radius):
            yield pymunk.Segment(body, (ax, ay), (bx, by), radius)
        case Chain(points, radius, closed):
            links = shape.links
            last = len(links) - 1
            for place, (a, b) in enumerate(links):
                segment = pymunk.Segment(body, a, b, radius)
                before = links[place - 1][0] if place or closed else a
                after = links[(place + 1) % len(links)][1] if place < last or closed else b
                segment.set_neighbors(before, after)
                yield segment
        case Compound(shapes):
            for part in shapes:
                yield from solver_shapes(part, body)
        case _:
            raise PhysicsError(f"{shape!r} is no shape; use Circle, Box, Polygon, Segment, Chain or Compound")


@lru_cache(maxsize=1024)
def inertia(
    shape: Shape | None, material: Material | None, mass: float, moment: float, fixed_rotation: bool
) -> Inertia:
    """What a dynamic body weighs: `mass` and `moment` where given, else from the shape's area and density.

    Raises `PhysicsError` if the result is no finite positive mass.
    """
    pieces = list(solver_shapes(shape, None)) if shape is not None else []
    areas = [piece.area for piece in pieces]
    area = sum(areas)
    if mass == 0:
        mass = area * (material or Material()).density
    if not 0 < mass < inf:
        raise PhysicsError(
            f"a dynamic body needs a mass greater than 0 and finite, not {mass}; "
            "give Body.mass, or a shape with an area and a material with a density"
        )
    weights = [mass * part / area for part in areas] if area > 0 else [mass / len(pieces) for _ in pieces]
    for piece, weight in zip(pieces, weights, strict=True):
        piece.mass = weight
    x = sum(piece.mass * piece.center_of_gravity.x for piece in pieces) / mass
    y = sum(piece.mass * piece.center_of_gravity.y for piece in pieces) / mass
    if abs(x) < CENTRED and abs(y) < CENTRED:
        x = y = 0.0
    if fixed_rotation or (not pieces and moment == 0):
        moment = inf
    elif moment == 0:
        moment = sum(
            piece.moment + piece.mass * piece.center_of_gravity.get_distance_squared((x, y)) for piece in pieces
        )
    if not moment > 0:
        raise PhysicsError(f"a dynamic body's moment must be greater than 0, not {moment}; leave Body.moment at 0")
    return Inertia(mass, moment, x, y)
