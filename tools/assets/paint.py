"""A canvas painted by distance fields.

Every shape is an array holding, for each sub-pixel, its distance in pixels to the shape. A fill is where the distance
is negative, a stroke where its magnitude is small, and a glow any falling function of it, so one field gives the crisp
edge and the light around it. Distances follow https://iquilezles.org/articles/distfunctions2d/.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Point = tuple[float, float]
Color = tuple[float, float, float]

WHITE: Color = (1.0, 1.0, 1.0)
BLACK: Color = (0.0, 0.0, 0.0)
INK: Color = (0.027, 0.039, 0.086)
CYAN: Color = (0.18, 0.86, 1.0)
MAGENTA: Color = (1.0, 0.22, 0.62)
AMBER: Color = (1.0, 0.70, 0.16)
LIME: Color = (0.56, 1.0, 0.32)
VIOLET: Color = (0.60, 0.44, 1.0)
STEEL: Color = (0.50, 0.66, 0.86)


def grey(level: float) -> Color:
    return (level, level, level)


def mix(a: Color, b: Color, t: float) -> Color:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def polar(radius: float, degrees: float, center: Point = (0.0, 0.0)) -> Point:
    """The point at ``radius`` from ``center``; 0° is +x and angles turn clockwise, for y points down."""
    turn = math.radians(degrees)
    return (center[0] + radius * math.cos(turn), center[1] + radius * math.sin(turn))


def regular(sides: int, radius: float, first: float = 0.0, center: Point = (0.0, 0.0)) -> list[Point]:
    return [polar(radius, first + 360.0 * i / sides, center) for i in range(sides)]


def mirrored(half: Sequence[Point]) -> list[Point]:
    """The closed outline whose upper side is ``half``, given from nose to tail; points on the axis appear once."""
    return list(half) + [(x, -y) for x, y in reversed(half) if y != 0.0]


def bezier(p0: Point, p1: Point, p2: Point, p3: Point, steps: int = 12) -> list[Point]:
    """A cubic Bézier curve as ``steps + 1`` points."""
    curve: list[Point] = []
    for i in range(steps + 1):
        t = i / steps
        w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        curve.append(
            (
                w[0] * p0[0] + w[1] * p1[0] + w[2] * p2[0] + w[3] * p3[0],
                w[0] * p0[1] + w[1] * p1[1] + w[2] * p2[1] + w[3] * p3[1],
            )
        )
    return curve


class Canvas:
    """Premultiplied light on a transparent ground, ``detail`` × ``detail`` sub-pixels to a pixel.

    ``x`` and ``y`` hold each sub-pixel's position in pixels from ``origin`` (the middle unless given), y down.
    """

    def __init__(self, width: int, height: int, *, origin: Point | None = None, detail: int = 4) -> None:
        left, top = origin if origin is not None else (width / 2, height / 2)
        self.detail = detail
        columns = (np.arange(width * detail) + 0.5) / detail - left
        rows = (np.arange(height * detail) + 0.5) / detail - top
        self.x, self.y = np.meshgrid(columns, rows)
        self.light: NDArray[np.float64] = np.zeros((height * detail, width * detail, 3))
        self.alpha: Field = np.zeros((height * detail, width * detail))

    # Shapes: distances in pixels, negative inside closed ones.

    def line(self, points: Sequence[Point], closed: bool = False) -> Field:
        corners = list(points) + ([points[0]] if closed else [])
        nearest = np.full_like(self.x, np.inf)
        for (ax, ay), (bx, by) in itertools.pairwise(corners):
            dx, dy = bx - ax, by - ay
            along = np.clip(((self.x - ax) * dx + (self.y - ay) * dy) / max(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
            np.minimum(nearest, np.hypot(self.x - ax - along * dx, self.y - ay - along * dy), out=nearest)
        return nearest

    def polygon(self, points: Sequence[Point]) -> Field:
        inside = np.zeros(self.x.shape, dtype=bool)
        for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
            if ay == by:
                continue
            crosses = (ay > self.y) != (by > self.y)
            inside ^= crosses & (self.x < (bx - ax) * (self.y - ay) / (by - ay) + ax)
        edge = self.line(points, closed=True)
        return np.where(inside, -edge, edge)

    def circle(self, radius: float, center: Point = (0.0, 0.0)) -> Field:
        return np.hypot(self.x - center[0], self.y - center[1]) - radius

    def arc(self, radius: float, start: float, end: float, center: Point = (0.0, 0.0)) -> Field:
        """Distance to the arc from ``start`` to ``end`` degrees, clockwise on the screen."""
        dx, dy = self.x - center[0], self.y - center[1]
        half = math.radians((end - start) / 2)
        middle = math.radians((start + end) / 2)
        off = np.abs((np.arctan2(dy, dx) - middle + math.pi) % (2 * math.pi) - math.pi)
        (sx, sy), (ex, ey) = polar(radius, start, center), polar(radius, end, center)
        ends = np.minimum(np.hypot(self.x - sx, self.y - sy), np.hypot(self.x - ex, self.y - ey))
        return np.where(off <= half, np.abs(np.hypot(dx, dy) - radius), ends)

    def box(self, half_width: float, half_height: float, corner: float = 0.0, center: Point = (0.0, 0.0)) -> Field:
        qx = np.abs(self.x - center[0]) - half_width + corner
        qy = np.abs(self.y - center[1]) - half_height + corner
        return np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0) - corner

    # Paint.

    def lay(self, color: Color | NDArray[np.float64], coverage: Field | float) -> None:
        """Puts ``color`` over what is there; ``coverage`` is 0 to 1 for each sub-pixel."""
        cover = np.broadcast_to(np.clip(coverage, 0.0, 1.0), self.alpha.shape)
        self.light *= 1.0 - cover[..., None]
        self.light += np.asarray(color) * cover[..., None]
        self.alpha *= 1.0 - cover
        self.alpha += cover

    def cut(self, coverage: Field) -> None:
        """Takes away what is there."""
        keep = 1.0 - np.clip(coverage, 0.0, 1.0)
        self.light *= keep[..., None]
        self.alpha *= keep

    def edge(self, distance: Field) -> Field:
        """Coverage of the inside of a shape, its edge softened over one sub-pixel."""
        return np.clip(0.5 - distance * self.detail, 0.0, 1.0)

    def fill(self, distance: Field, color: Color, opacity: float = 1.0) -> None:
        self.lay(color, self.edge(distance) * opacity)

    def stroke(self, distance: Field, width: float, color: Color, opacity: float = 1.0) -> None:
        self.lay(color, self.edge(np.abs(distance) - width / 2) * opacity)

    def glow(self, distance: Field, reach: float, color: Color, strength: float = 0.6) -> None:
        """Light that falls from ``strength`` at the shape to nothing at ``reach`` pixels."""
        self.lay(color, strength * halo(np.abs(distance), reach))

    def body(self, distance: Field, color: Color, depth: float, dark: float = 0.10, rim: float = 0.5) -> None:
        """A dark inside lit from its own outline: ``rim`` of the colour at the edge, ``dark`` of it within."""
        level = dark + (rim - dark) * np.exp(-np.maximum(-distance, 0.0) / depth)
        self.lay(np.asarray(color) * level[..., None], self.edge(distance) * 0.92)

    def neon(
        self,
        distance: Field,
        width: float,
        color: Color,
        *,
        reach: float = 9.0,
        strength: float = 0.55,
        hot: float = 0.0,
    ) -> None:
        """A lit tube: a halo, the tube itself, and a core ``hot`` of the way to white."""
        self.glow(distance, reach, color, strength)
        self.stroke(distance, width, color)
        if hot > 0.0:
            self.lay(mix(color, WHITE, hot), self.edge(np.abs(distance) - width * 0.22) * 0.95)

    # Pictures.

    def _small(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        rows, columns = field.shape[0] // self.detail, field.shape[1] // self.detail
        return field.reshape(rows, self.detail, columns, self.detail, -1).mean(axis=(1, 3))

    def rgba(self, empty: Color = WHITE) -> Pixels:
        """Straight alpha. Wholly clear pixels take the colour ``empty``, so that filtering draws no dark fringe."""
        light, alpha = self._small(self.light), self._small(self.alpha[..., None])
        levels = np.rint(alpha * 255.0)
        color = np.where(levels > 0, light / np.maximum(alpha, 1e-9), np.asarray(empty))
        return np.concatenate([np.rint(np.clip(color, 0, 1) * 255.0), levels], axis=2).astype(np.uint8)

    def rgb(self) -> Pixels:
        """On black: what additive blending wants."""
        return np.rint(np.clip(self._small(self.light), 0, 1) * 255.0).astype(np.uint8)


def halo(distance: Field, reach: float) -> Field:
    """1 at the shape, falling fast and then slowly as light in mist does, exactly 0 from ``reach`` on."""
    near = np.clip(1.0 - distance / reach, 0.0, 1.0)
    bright = 0.55 * np.exp(-((distance / (0.22 * reach)) ** 2)) + 0.45 / (1.0 + (distance / (0.28 * reach)) ** 2)
    return bright * near * near * (3.0 - 2.0 * near)


def strip(frames: Sequence[Pixels]) -> Pixels:
    """Frames side by side, first at the left."""
    return np.concatenate(list(frames), axis=1)
