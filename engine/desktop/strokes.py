"""Lines and shapes as exact distances: how far each pixel is from an outline decides its colour.

A distance becomes a colour through a table, so a shape costs one square root and one look-up per pixel whatever
its glow. Surfaces made here are either light, black where there is none, for `BLEND_RGB_ADD`, or paint with
premultiplied alpha, for `BLEND_PREMULTIPLIED`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import ceil, floor, hypot, tau

import numpy as np
import pygame
from numpy.typing import NDArray

Distances = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""
Point = tuple[float, float]

FINENESS = 8
"""Entries of the colour table per pixel of distance."""
HALO = 0.62
"""Brightness of the light just outside of a line."""
MOST_BANDS = 16
"""Bands in which a line's light is drawn quickly, at most."""
HEART = 0.8
"""How white the middle of a glowing line is."""


def reach(width: float, glow: float) -> float:
    """How far from its outline a stroke can be seen, in pixels."""
    return width / 2 + glow + 1.0


def box_around(points: Sequence[Point], margin: float) -> Box:
    """The whole pixels that points and a margin take up."""
    xs = [x for x, _ in points]
    ys = [y for _, y in points]
    left, top = floor(min(xs) - margin), floor(min(ys) - margin)
    return left, top, ceil(max(xs) + margin) - left + 1, ceil(max(ys) + margin) - top + 1


def polyline_distance(points: Sequence[Point], closed: bool, box: Box, farthest: float) -> Distances:
    """Distance of each pixel's centre from a line through points, shape (height, width); infinite beyond `farthest`."""
    ends = [*points[1:], points[0]] if closed or len(points) == 1 else points[1:]
    return segments_distance([end for pair in zip(points, ends, strict=False) for end in pair], box, farthest)


def segments_distance(ends: Sequence[Point], box: Box, farthest: float) -> Distances:
    """Distance of each pixel's centre from the nearest of single lines, whose ends are given two by two."""
    left, top, width, height = box
    square = np.full((height, width), np.inf, np.float32)
    for (ax, ay), (bx, by) in zip(ends[::2], ends[1::2], strict=True):
        x0 = max(0, floor(min(ax, bx) - farthest) - left)
        x1 = min(width, ceil(max(ax, bx) + farthest) - left + 1)
        y0 = max(0, floor(min(ay, by) - farthest) - top)
        y1 = min(height, ceil(max(ay, by) + farthest) - top + 1)
        if x0 >= x1 or y0 >= y1:
            continue
        px = np.arange(x0, x1, dtype=np.float32)[None, :] + np.float32(left + 0.5 - ax)
        py = np.arange(y0, y1, dtype=np.float32)[:, None] + np.float32(top + 0.5 - ay)
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        if length > 0.0:
            along = np.clip(px * np.float32(dx / length) + py * np.float32(dy / length), 0.0, 1.0)
            found = (px - along * np.float32(dx)) ** 2 + (py - along * np.float32(dy)) ** 2
        else:
            found = px**2 + py**2
        part = square[y0:y1, x0:x1]
        np.minimum(part, found, out=part)
    return np.sqrt(square)


def _grid(box: Box, x: float, y: float) -> tuple[Distances, Distances]:
    left, top, width, height = box
    px = np.arange(width, dtype=np.float32)[None, :] + np.float32(left + 0.5 - x)
    py = np.arange(height, dtype=np.float32)[:, None] + np.float32(top + 0.5 - y)
    return px, py


def circle_distance(x: float, y: float, radius: float, box: Box) -> Distances:
    """Signed distance from a circle, negative inside."""
    px, py = _grid(box, x, y)
    return np.sqrt(px**2 + py**2) - np.float32(radius)


def arc_distance(x: float, y: float, radius: float, start: float, end: float, box: Box) -> Distances:
    """Distance from a part of a circle, with round ends."""
    px, py = _grid(box, x, y)
    middle, half = (start + end) / 2, min(abs(end - start) / 2, tau / 2)
    # In the frame where the arc's middle looks to +x, and folded so that only its lower half is left.
    across = np.abs(-px * np.float32(np.sin(middle)) + py * np.float32(np.cos(middle)))
    along = px * np.float32(np.cos(middle)) + py * np.float32(np.sin(middle))
    on_ring = np.abs(np.sqrt(px**2 + py**2) - np.float32(radius))
    tip_x, tip_y = np.float32(np.cos(half) * radius), np.float32(np.sin(half) * radius)
    to_tip = np.sqrt((along - tip_x) ** 2 + (across - tip_y) ** 2)
    return np.where(np.arctan2(across, along) <= np.float32(half), on_ring, to_tip).astype(np.float32)


def rect_distance(x: float, y: float, width: float, height: float, radius: float, box: Box) -> Distances:
    """Signed distance from a rectangle with rounded corners, negative inside."""
    radius = min(radius, width / 2, height / 2)
    px, py = _grid(box, x + width / 2, y + height / 2)
    qx = np.abs(px) - np.float32(width / 2 - radius)
    qy = np.abs(py) - np.float32(height / 2 - radius)
    outside = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qy, 0) ** 2)
    return outside + np.minimum(np.maximum(qx, qy), 0) - np.float32(radius)


def polygon_distance(points: Sequence[Point], box: Box, farthest: float) -> Distances:
    """Signed distance from a polygon's outline, negative inside by the even-odd rule."""
    distance = polyline_distance(points, True, box, farthest)
    px, py = _grid(box, 0.0, 0.0)
    inside = np.zeros(distance.shape, np.bool_)
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
        if ay != by:
            crosses = (py > ay) != (py > by)
            inside ^= crosses & (px < (bx - ax) * (py - ay) / (by - ay) + ax)
    return np.where(inside, -distance, distance)


def _halo(rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness of the light around a line where `rest` of its reach is left, from 0 to 1."""
    return HALO * (0.6 * rest**2.4 + 0.4 * rest**8)


def light(distance: Distances, color: int, width: float, glow: float) -> pygame.Surface:
    """A glowing line at distance 0, to be added. `color` is 0xRRGGBBAA; its alpha scales the brightness."""
    return _through(np.abs(distance), _light_table(color, width, glow))


@lru_cache(maxsize=256)
def _light_table(color: int, width: float, glow: float) -> NDArray[np.uint32]:
    """The colour of a glowing line at each distance."""
    half = width / 2
    count = ceil(reach(width, glow) * FINENESS) + 2
    away = np.arange(count) / FINENESS
    core = np.clip(half + 0.5 - away, 0.0, 1.0)
    heart = HEART * core * np.clip(1.0 - away / max(half, 0.75), 0.0, 1.0) ** 0.5
    halo = _halo(np.clip(1.0 - (away - half) / max(glow, 1e-6), 0.0, 1.0))
    rgb = np.array([color >> 24 & 255, color >> 16 & 255, color >> 8 & 255], np.float64)
    shine = np.maximum(core, halo * (1.0 - core))[:, None] * rgb
    shine += heart[:, None] * (255.0 - rgb)
    return _pack(shine * ((color & 255) / 255), np.full(count, 255.0))


def paint(
    coverage: Callable[[Distances], Distances], farthest: float, distance: Distances, color: int
) -> pygame.Surface:
    """A plain shape; `coverage` says how much of a pixel at a signed distance is painted."""
    offset = np.float32(farthest)
    steps = (np.arange(ceil(2 * farthest * FINENESS) + 2) / FINENESS - farthest).astype(np.float32)
    alpha = coverage(steps).astype(np.float64) * ((color & 255) / 255)
    rgb = np.array([color >> 24 & 255, color >> 16 & 255, color >> 8 & 255], np.float64)
    return _through(distance + offset, _pack(alpha[:, None] * rgb, alpha * 255.0))


def outline(width: float) -> Callable[[Distances], Distances]:
    """Coverage of a line `width` wide at distance 0. A line thinner than a pixel is fainter instead."""
    half = max(width, 1.0) / 2
    strength = min(width, 1.0)

    def coverage(distance: Distances) -> Distances:
        return (np.clip(half + 0.5 - np.abs(distance), 0.0, 1.0) * strength).astype(np.float32)

    return coverage


def inside(distance: Distances) -> Distances:
    """Coverage of the area where the distance is negative."""
    return np.clip(0.5 - distance, 0.0, 1.0)


def quick_light(
    surface: pygame.Surface, points: Sequence[Point], color: int, width: float, glow: float, closed: bool
) -> None:
    """Draw a glowing line on a black surface, in bands from the wide and dark to the narrow and bright.

    Nearly what `light` gives, for a fraction of the time; for lines that change from image to image.
    """
    ends = [*points[1:], points[0]] if closed else points[1:]
    level = (color & 255) / 255
    rgb = color >> 24 & 255, color >> 16 & 255, color >> 8 & 255
    bands = max(2, min(MOST_BANDS, round(glow)))
    for band, shine in zip(range(bands, 0, -1), _band_light(bands), strict=True):
        shine *= level
        shade = round(rgb[0] * shine), round(rgb[1] * shine), round(rgb[2] * shine)
        _band(surface, points, ends, width + 2 * glow * (band - 0.5) / bands, shade, smooth=False)
    for wide, white in ((width, HEART * 0.3), (width * 0.5, HEART * 0.8)):
        shade = tuple(round((channel + (255 - channel) * white) * level) for channel in rgb)
        _band(surface, points, ends, wide, shade, smooth=True)


@cache
def _band_light(bands: int) -> list[float]:
    """How bright each band is, the widest first."""
    return _halo((np.arange(bands) + 0.5) / bands).tolist()


def quick_paint(surface: pygame.Surface, points: Sequence[Point], color: int, width: float, closed: bool) -> None:
    """Draw a plain line, whatever its alpha, as if opaque."""
    ends = [*points[1:], points[0]] if closed else points[1:]
    _band(surface, points, ends, width, (color >> 24 & 255, color >> 16 & 255, color >> 8 & 255), smooth=True)


def _band(
    surface: pygame.Surface,
    points: Sequence[Point],
    ends: Sequence[Point],
    width: float,
    shade: tuple[int, ...],
    *,
    smooth: bool,
) -> None:
    for (ax, ay), (bx, by) in zip(points, ends, strict=False):
        length = hypot(bx - ax, by - ay)
        if length <= 0.0:
            continue
        if smooth:
            pygame.draw.aaline(surface, shade, (ax, ay), (bx, by))
        if width > 1.5:
            inner = width - 1.0 if smooth else width
            nx, ny = (ay - by) / length * inner / 2, (bx - ax) / length * inner / 2
            quad = [(ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny), (ax - nx, ay - ny)]
            pygame.draw.polygon(surface, shade, quad)
            if smooth:
                pygame.draw.aalines(surface, shade, True, quad)
    if width > 2.5:
        for x, y in points:
            pygame.draw.circle(surface, shade, (x, y), width / 2)


def _pack(rgb: NDArray[np.float64], alpha: NDArray[np.float64]) -> NDArray[np.uint32]:
    """0xAARRGGBB words from channels of shape (entries, 3) and (entries,), which is BGRA in memory."""
    channels = np.clip(np.rint(rgb), 0, 255).astype(np.uint32)
    words = np.clip(np.rint(alpha), 0, 255).astype(np.uint32) << 24
    return (words | channels[:, 0] << 16 | channels[:, 1] << 8 | channels[:, 2]).astype(np.uint32)


def _through(distance: Distances, table: NDArray[np.uint32]) -> pygame.Surface:
    """Look each distance up; beyond its ends the table's first and last entries count."""
    places = np.clip(distance * np.float32(FINENESS) + np.float32(0.5), 0, len(table) - 1).astype(np.int32)
    words = np.ascontiguousarray(table[places], dtype="<u4")
    height, width = words.shape
    return pygame.image.frombuffer(words.tobytes(), (width, height), "BGRA")
