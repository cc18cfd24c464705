"""Shapes: plain immutable values in the body's own coordinates, in world units, checked when they are made.

All raise `PhysicsError` if a number is not finite, a size is not positive, or points make no shape.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import cos, hypot, isfinite, pi, sin
from typing import Any, TypeAlias

from engine.physics.errors import PhysicsError

Point: TypeAlias = tuple[float, float]

CIRCLE_CORNERS = 24
"""How many corners the outline of a circle has."""


@dataclass(frozen=True, slots=True)
class _Shape:
    def __post_init__(self) -> None:
        for field in fields(self):
            _check_finite(f"{type(self).__name__}.{field.name}", getattr(self, field.name))

    def __deepcopy__(self, memo: object) -> Any:
        return self  # immutable: a snapshot may share it


@dataclass(frozen=True, slots=True)
class Circle(_Shape):
    """A disc of `radius` around (x, y)."""

    radius: float
    x: float = 0.0
    y: float = 0.0

    def __post_init__(self) -> None:
        _Shape.__post_init__(self)
        _check_positive(self, "radius", self.radius)


@dataclass(frozen=True, slots=True)
class Box(_Shape):
    """A rectangle `width` × `height` around (x, y), turned by `angle` radians, with corners rounded by `radius`."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    radius: float = 0.0

    def __post_init__(self) -> None:
        _Shape.__post_init__(self)
        _check_positive(self, "width", self.width)
        _check_positive(self, "height", self.height)
        _check_not_negative(self, "radius", self.radius)

    @property
    def corners(self) -> tuple[Point, ...]:
        """The four corners, not counting the rounding."""
        w, h, c, s = self.width / 2, self.height / 2, cos(self.angle), sin(self.angle)
        return tuple(
            (self.x + px * c - py * s, self.y + px * s + py * c) for px, py in ((-w, -h), (w, -h), (w, h), (-w, h))
        )


@dataclass(frozen=True, slots=True)
class Polygon(_Shape):
    """A convex polygon through `points`, in either winding, its edge thickened by `radius`.

    Raises `PhysicsError` if it is not convex; make concave forms of several in a `Compound`.
    """

    points: tuple[Point, ...]
    radius: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple((float(x), float(y)) for x, y in self.points))
        _Shape.__post_init__(self)
        _check_not_negative(self, "radius", self.radius)
        _check_convex(self.points)


@dataclass(frozen=True, slots=True)
class Segment(_Shape):
    """A line from (ax, ay) to (bx, by), thickened by `radius` on all sides."""

    ax: float
    ay: float
    bx: float
    by: float
    radius: float = 0.0

    def __post_init__(self) -> None:
        _Shape.__post_init__(self)
        _check_not_negative(self, "radius", self.radius)


@dataclass(frozen=True, slots=True)
class Chain(_Shape):
    """Segments from point to point, such as a curved wall. Things slide over its joints without catching."""

    points: tuple[Point, ...]
    radius: float = 0.0
    closed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple((float(x), float(y)) for x, y in self.points))
        _Shape.__post_init__(self)
        _check_not_negative(self, "radius", self.radius)
        if len(self.points) < (3 if self.closed else 2):
            raise PhysicsError(
                f"a {'closed ' if self.closed else ''}Chain needs {3 if self.closed else 2} points, "
                f"got {len(self.points)}"
            )

    @property
    def links(self) -> tuple[tuple[Point, Point], ...]:
        """The ends of each segment."""
        following = (*self.points[1:], self.points[0]) if self.closed else self.points[1:]
        return tuple(zip(self.points, following, strict=False))


@dataclass(frozen=True, slots=True)
class Compound(_Shape):
    """Several shapes as one."""

    shapes: tuple[Shape, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", tuple(self.shapes))
        if not self.shapes:
            raise PhysicsError("a Compound needs at least one shape")
        for shape in self.shapes:
            if not isinstance(shape, _Shape):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise PhysicsError(f"a Compound is made of shapes, not of {shape!r}")


Shape: TypeAlias = Circle | Box | Polygon | Segment | Chain | Compound


def outlines(shape: Shape) -> list[tuple[list[Point], bool]]:
    """The shape's outlines in its own coordinates: points, and whether the last joins the first."""
    match shape:
        case Circle(radius, x, y):
            turns = [2 * pi * i / CIRCLE_CORNERS for i in range(CIRCLE_CORNERS)]
            ring = [(x + radius * cos(turn), y + radius * sin(turn)) for turn in turns]
            return [(ring, True), ([(x, y), (x + radius, y)], False)]
        case Box():
            return [(list(shape.corners), True)]
        case Polygon(points):
            return [(list(points), True)]
        case Segment(ax, ay, bx, by, radius):
            return [(_capsule((ax, ay), (bx, by), radius), radius > 0)]
        case Chain():
            return [(_capsule(a, b, shape.radius), shape.radius > 0) for a, b in shape.links]
        case Compound(shapes):
            return [outline for part in shapes for outline in outlines(part)]


def _capsule(a: Point, b: Point, radius: float) -> list[Point]:
    length = hypot(b[0] - a[0], b[1] - a[1])
    if radius == 0 or length == 0:
        return [a, b]
    nx, ny = (a[1] - b[1]) / length * radius, (b[0] - a[0]) / length * radius
    return [(a[0] + nx, a[1] + ny), (b[0] + nx, b[1] + ny), (b[0] - nx, b[1] - ny), (a[0] - nx, a[1] - ny)]


def _check_finite(name: str, value: object) -> None:
    if isinstance(value, tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            _check_finite(name, item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, (int, float)) and not isfinite(value):
        raise PhysicsError(f"{name} is {value}; a shape is made of finite numbers")


def _check_positive(shape: _Shape, name: str, value: float) -> None:
    if value <= 0:
        raise PhysicsError(f"{type(shape).__name__}.{name} is {value}; it must be greater than 0")


def _check_not_negative(shape: _Shape, name: str, value: float) -> None:
    if value < 0:
        raise PhysicsError(f"{type(shape).__name__}.{name} is {value}; it must not be negative")


def _check_convex(points: tuple[Point, ...]) -> None:
    count = len(points)
    turns = [
        (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
        for (ax, ay), (bx, by), (cx, cy) in (
            (points[i], points[(i + 1) % count], points[(i + 2) % count]) for i in range(count)
        )
    ]
    if count < 3 or not any(turns):
        raise PhysicsError(f"Polygon.points {points} enclose no area; give at least 3 corners not on one line")
    if min(turns) < 0 < max(turns):
        raise PhysicsError(
            f"Polygon.points {points} are not convex; split them into convex Polygons and put these in a Compound"
        )
