"""Questions about one or two shapes at places of the caller's choosing, apart from any space.

For what no space holds: where things were a moment ago, or may be a moment later. Shapes are kept between questions, so
these are for one thread at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import ceil, cos, hypot, inf, pi, sin, sqrt
from typing import NamedTuple, TypeAlias

import pymunk

from engine.physics.inertia import solver_shapes
from engine.physics.shapes import Circle, Point, Shape

Place: TypeAlias = tuple[float, float, float]
"""x, y and angle, as in a Transform."""

MOST_STEPS = 16
"""In how many places a shape that is no circle is tried on its way, at most."""


class Touch(NamedTuple):
    """Where and when a moving shape met another, or a ray a shape."""

    x: float
    y: float
    nx: float
    """Unit vector from what moved to what was met."""
    ny: float
    fraction: float
    """How far along the way: 0 at its start, 1 at its end."""


def touch(a: Shape, start: Place, end: Place, b: Shape, at: Place) -> Touch | None:
    """Where `a`, going straight from `start` to `end`, first touches `b`; with both places alike, whether it does.

    Exact for circles on any way. Other shapes are tried at places half their smallest extent apart, up to
    `MOST_STEPS` of them, turned bit by bit.
    """
    if type(a) is Circle and type(b) is Circle:
        return _circles(a, _carried(a.x, a.y, start), _carried(a.x, a.y, end), b, _carried(b.x, b.y, at))
    moving, standing = _moving(a), _standing(b)
    standing.put(at)
    if moving.circles is not None:
        return _first(_circle_touch(standing, *each, start, end) for each in moving.circles)
    turn = (end[2] - start[2] + pi) % (2 * pi) - pi
    length = hypot(end[0] - start[0], end[1] - start[1]) + abs(turn) * reach(a)
    steps = min(MOST_STEPS, ceil(2 * length / moving.extent))
    for step in range(steps + 1):
        t = step / steps if steps else 0.0
        x, y = start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t
        found = standing.overlap(moving, (x, y, start[2] + turn * t))
        if found is not None:
            return found._replace(fraction=t)
    return None


def cast(shape: Shape, at: Place, start: Point, end: Point, radius: float = 0.0) -> Touch | None:
    """Where a ray, or a circle of `radius`, going from `start` to `end` meets `shape`. Its normal is the ray's."""
    standing = _standing(shape)
    standing.put(at)
    if start == end:
        found = standing.nearest(start)
        return Touch(*start, -found.gradient.x, -found.gradient.y, 0.0) if found.distance <= radius else None
    return _first(_ray_touch(piece, start, end, radius) for piece in standing.pieces)


def distance(shape: Shape, at: Place, x: float, y: float) -> float:
    """How far a point is from `shape`; 0 inside."""
    standing = _standing(shape)
    standing.put(at)
    return max(0.0, standing.nearest((x, y)).distance)


@lru_cache(maxsize=1024)
def reach(shape: Shape) -> float:
    """The radius of the circle around the origin that `shape` lies in, however it is turned."""
    return max(_reach(piece) for piece in solver_shapes(shape, None))


class _Placed:
    """A shape's pieces on a body that is moved to where a question needs them; kept, as making them is slow."""

    def __init__(self, shape: Shape) -> None:
        self.body = pymunk.Body(body_type=pymunk.Body.KINEMATIC)
        self.pieces = list(solver_shapes(shape, self.body))
        self._at: Place | None = None

    def put(self, at: Place) -> None:
        if at != self._at:
            self._at = at
            self.body.angle = at[2]
            self.body.position = at[0], at[1]
            self._follow()

    def _follow(self) -> None:
        for piece in self.pieces:
            piece.cache_bb()


class _Moving(_Placed):
    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        circles = [(p.offset.x, p.offset.y, p.radius) for p in self.pieces if isinstance(p, pymunk.Circle)]
        self.circles = circles if len(circles) == len(self.pieces) else None
        """x, y and radius of each, if it is made of circles alone."""
        self.put((0.0, 0.0, 0.0))
        boxes = [piece.bb for piece in self.pieces]
        sizes = [min(box.right - box.left, box.top - box.bottom) for box in boxes]
        self.extent = max(min(sizes), max(max(box.right - box.left, box.top - box.bottom) for box in boxes) / 8)


class _Standing(_Placed):
    def __init__(self, shape: Shape) -> None:
        self._space = pymunk.Space()
        super().__init__(shape)
        self._space.add(self.body, *self.pieces)

    def _follow(self) -> None:
        self._space.reindex_shapes_for_body(self.body)

    def nearest(self, point: Point) -> pymunk.PointQueryInfo:
        return min((piece.point_query(point) for piece in self.pieces), key=lambda found: found.distance)

    def overlap(self, moving: _Moving, at: Place) -> Touch | None:
        """The deepest contact; its point is the middle of the contact points."""
        moving.put(at)
        deepest, found = inf, None
        for piece in moving.pieces:
            for met in self._space.shape_query(piece):
                contact = met.contact_point_set
                depth = min(point.distance for point in contact.points)
                if depth < deepest:
                    ends = [end for point in contact.points for end in (point.point_a, point.point_b)]
                    x, y = sum(end.x for end in ends) / len(ends), sum(end.y for end in ends) / len(ends)
                    nx, ny = contact.normal
                    deepest, found = depth, Touch(x, y, nx if nx or ny else 1.0, ny, 0.0)
        return found


_moving = lru_cache(maxsize=256)(_Moving)
_standing = lru_cache(maxsize=256)(_Standing)


def _first(touches: Iterable[Touch | None]) -> Touch | None:
    return min((found for found in touches if found is not None), key=lambda found: found.fraction, default=None)


def _circles(a: Circle, start: Point, end: Point, b: Circle, at: Point) -> Touch | None:
    """Without the solver, as two circles are what is asked about most."""
    dx, dy = at[0] - start[0], at[1] - start[1]
    sx, sy = end[0] - start[0], end[1] - start[1]
    # |d - t s| = r, the radii together, is t² s² - 2 t ds + d² - r² = 0; its lower root is where they meet.
    over = dx * dx + dy * dy - (a.radius + b.radius) ** 2
    t = 0.0
    if over > 0:
        squared, toward = sx * sx + sy * sy, dx * sx + dy * sy
        root = toward * toward - squared * over
        if toward <= 0 or root < 0 or (t := (toward - sqrt(root)) / squared) > 1:
            return None
        dx, dy = dx - t * sx, dy - t * sy
    length = hypot(dx, dy)
    nx, ny = (dx / length, dy / length) if length else (1.0, 0.0)
    reach = (a.radius + length - b.radius) / 2  # the middle between the two edges, from the middle of a
    return Touch(at[0] - dx + nx * reach, at[1] - dy + ny * reach, nx, ny, t)


def _circle_touch(standing: _Standing, x: float, y: float, radius: float, start: Place, end: Place) -> Touch | None:
    from_, to = _carried(x, y, start), _carried(x, y, end)
    met = standing.nearest(from_)
    if met.distance <= radius:
        gx, gy = met.gradient
        edge_x, edge_y = from_[0] - gx * radius, from_[1] - gy * radius
        return Touch((met.point.x + edge_x) / 2, (met.point.y + edge_y) / 2, -gx, -gy, 0.0)
    if from_ == to:
        return None
    return _first(_ray_touch(piece, from_, to, radius) for piece in standing.pieces)


def _ray_touch(piece: pymunk.Shape, start: Point, end: Point, radius: float) -> Touch | None:
    met = piece.segment_query(start, end, radius)
    if met is None:
        return None
    if met.alpha <= 0.0:  # the solver gives the ray's end for a ray that starts inside
        length = hypot(end[0] - start[0], end[1] - start[1])
        return Touch(*start, (end[0] - start[0]) / length, (end[1] - start[1]) / length, 0.0)
    return Touch(met.point.x, met.point.y, -met.normal.x, -met.normal.y, met.alpha)


def _carried(x: float, y: float, at: Place) -> Point:
    if not (x or y):
        return at[0], at[1]
    c, s = cos(at[2]), sin(at[2])
    return at[0] + c * x - s * y, at[1] + s * x + c * y


def _reach(piece: pymunk.Shape) -> float:
    if isinstance(piece, pymunk.Circle):
        return hypot(*piece.offset) + piece.radius
    if isinstance(piece, pymunk.Segment):
        return max(hypot(*piece.a), hypot(*piece.b)) + piece.radius
    assert isinstance(piece, pymunk.Poly)
    return max(hypot(*corner) for corner in piece.get_vertices()) + piece.radius
