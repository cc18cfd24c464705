"""The canvas on a surface: every shape is a stamp, made from exact distances and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import floor, tau
from typing import TYPE_CHECKING

import numpy as np
import pygame

from engine.desktop import strokes
from engine.desktop.stamps import Stamp
from engine.desktop.strokes import Box, Distances, Point
from engine.graphics.color import WHITE
from engine.graphics.picture import picture_number
from engine.graphics.renderer import SpriteBatch
from engine.graphics.text import Align

if TYPE_CHECKING:
    from engine.desktop.software import SoftwareRenderer

FAR = 1 << 20
"""Pixels from the origin beyond which nothing is drawn; surfaces count in C integers."""
FRACTION = 4
"""Places told apart within a pixel, so that shapes that move slowly repeat."""
MOST_EXACT = 1 << 18
"""Pixels of a glowing line's box up to which it is worked out exactly; a larger one is drawn quickly, and not kept."""
SMALL = 1 << 12
"""Pixels up to which it is worked out exactly at once; a larger one is drawn quickly until it repeats."""

Measure = Callable[[Box], Distances]


class SoftwareCanvas:
    """Draws on a renderer's surface, each point (x, y) at pixel (x * zoom + dx, y * zoom + dy)."""

    def __init__(self, renderer: SoftwareRenderer, zoom: float = 1.0, dx: float = 0.0, dy: float = 0.0) -> None:
        self._renderer = renderer
        self._zoom = zoom
        self._dx = dx
        self._dy = dy

    @property
    def surface(self) -> pygame.Surface:
        """What is drawn on, in virtual pixels."""
        return self._renderer.surface

    @property
    def width(self) -> float:
        return self._renderer.size[0] / self._zoom

    @property
    def height(self) -> float:
        return self._renderer.size[1] / self._zoom

    # Shapes

    def line(
        self, x1: float, y1: float, x2: float, y2: float, color: int = WHITE, *, width: float = 1.0, glow: float = 0.0
    ) -> None:
        self.polyline(((x1, y1), (x2, y2)), color, width=width, glow=glow)

    def polyline(
        self,
        points: Sequence[Point],
        color: int = WHITE,
        *,
        width: float = 1.0,
        glow: float = 0.0,
        closed: bool = False,
    ) -> None:
        if not points:
            return
        there = [self._at(x, y) for x, y in points]
        width, glow = width * self._zoom, glow * self._zoom
        if glow <= 0.0 and width <= 1.5 and color & 255 == 255 and len(there) > 1:
            pygame.draw.aalines(self.surface, _rgb(color), closed, there)
            return
        far = strokes.reach(width, glow)
        box = strokes.box_around(there, far)
        x, y, shape = _anchored(there)
        key = "polyline", shape, closed, color, round(width, 2), round(glow, 2)
        area = box[2] * box[3]
        if glow > 0.0 and (area > MOST_EXACT or (area > SMALL and not self._renderer.stamps.is_worth(key))):
            self._renderer.quick_stroke(there, color, width, glow, closed)
            return
        self._outline(
            key, x, y, shape, lambda box: strokes.polyline_distance(shape, closed, box, far), color, width, glow
        )

    def polygon(
        self,
        points: Sequence[Point],
        *,
        fill: int | None = None,
        color: int = WHITE,
        width: float = 0.0,
        glow: float = 0.0,
    ) -> None:
        if fill is not None and len(points) > 2:
            x, y, shape = _anchored([self._at(x, y) for x, y in points])
            self._area(
                ("polygon", shape, fill), x, y, shape, lambda box: strokes.polygon_distance(shape, box, 2.0), fill
            )
        if width > 0.0:
            self.polyline(points, color, width=width, glow=glow, closed=True)

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: int | None = None,
        color: int = WHITE,
        width: float = 1.0,
        glow: float = 0.0,
    ) -> None:
        x, y, radius = *self._at(x, y), radius * self._zoom
        width, glow = width * self._zoom, glow * self._zoom
        left, top, (fx, fy) = _split(x, y)
        corners = ((fx - radius, fy - radius), (fx + radius, fy + radius))

        def measure(box: Box) -> Distances:
            return strokes.circle_distance(fx, fy, radius, box)

        key = round(radius, 2), fx, fy
        if fill is not None:
            self._area(("disc", *key, fill), left, top, corners, measure, fill)
        if width > 0.0:
            self._outline(("circle", *key, color, width, glow), left, top, corners, measure, color, width, glow)

    def arc(
        self,
        x: float,
        y: float,
        radius: float,
        start: float,
        end: float,
        color: int = WHITE,
        *,
        width: float = 2.0,
        glow: float = 0.0,
    ) -> None:
        if end < start:
            start, end = end, start
        if end <= start:
            return
        x, y, radius = *self._at(x, y), radius * self._zoom
        width, glow = width * self._zoom, glow * self._zoom
        # Angles are rounded to a third of a pixel along the arc, so that a growing gauge repeats.
        step = 1.0 / max(3.0 * radius, 1.0)
        start, end = round(start / step) * step % tau, round(min(end - start, tau) / step) * step
        left, top, (fx, fy) = _split(x, y)
        corners = ((fx - radius, fy - radius), (fx + radius, fy + radius))
        key = "arc", round(radius, 2), fx, fy, start, end, color, width, glow

        def measure(box: Box) -> Distances:
            return strokes.arc_distance(fx, fy, radius, start, start + end, box)

        self._outline(key, left, top, corners, measure, color, width, glow)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: int | None = None,
        color: int = WHITE,
        line: float = 0.0,
        glow: float = 0.0,
        radius: float = 0.0,
    ) -> None:
        x, y = self._at(x, y)
        width, height, radius = width * self._zoom, height * self._zoom, radius * self._zoom
        line, glow = line * self._zoom, glow * self._zoom
        left, top, (fx, fy) = _split(x, y)
        corners = ((fx, fy), (fx + width, fy + height))
        key = fx, fy, round(width, 2), round(height, 2), round(radius, 2)

        def measure(box: Box) -> Distances:
            return strokes.rect_distance(fx, fy, width, height, radius, box)

        if fill is not None:
            if radius > 0.0:
                self._area(("rect", *key, fill), left, top, corners, measure, fill)
            else:
                self._flood(
                    pygame.Rect(round(x), round(y), round(x + width) - round(x), round(y + height) - round(y)), fill
                )
        if line > 0.0:
            self._outline(("frame", *key, color, line, glow), left, top, corners, measure, color, line, glow)

    def bar(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        share: float,
        color: int = WHITE,
        *,
        back: int = 0x00000080,
        radius: float = 0.0,
        segments: int = 1,
    ) -> None:
        share = min(1.0, max(0.0, share))
        gap = 2.0 if segments > 1 else 0.0
        part = (width - gap * (segments - 1)) / segments
        for place in range(segments):
            left = x + place * (part + gap)
            self.rect(left, y, part, height, fill=back, radius=radius)
            filled = min(1.0, max(0.0, share * segments - place))
            if filled > 0.0:
                self.rect(left, y, max(part * filled, 2 * radius), height, fill=color, radius=radius)

    # Words and pictures

    def text(
        self,
        text: str,
        x: float,
        y: float,
        *,
        size: float = 20.0,
        color: int = WHITE,
        align: Align = "left",
        glow: float = 0.0,
        font: str = "",
    ) -> None:
        if not text:
            return
        pixels, glow = round(size * self._zoom), glow * self._zoom
        lettering = self._renderer.lettering
        key = "text", text, font, pixels, color, round(glow, 1)
        stamps = self._renderer.stamps.get(key, lambda: lettering.stamps(text, font, pixels, color, glow))
        x, y = self._at(x, y)
        if align != "left":
            wide = stamps[-1].surface.get_width()
            x -= wide / 2 if align == "center" else wide
        self._lay(stamps, round(x), round(y))

    def measure(self, text: str, *, size: float = 20.0, font: str = "") -> tuple[float, float]:
        width, height = self._renderer.lettering.measure(text, font, round(size * self._zoom))
        return width / self._zoom, height / self._zoom

    def sprite(
        self,
        image: str,
        x: float,
        y: float,
        *,
        scale: float = 1.0,
        angle: float = 0.0,
        tint: int = WHITE,
        opacity: float = 1.0,
        additive: bool = False,
    ) -> None:
        x, y = self._at(x, y)
        scale, angle, opacity = round(scale * self._zoom, 3), round(angle % tau, 2), round(opacity, 2)
        blend = pygame.BLEND_RGB_ADD if additive else pygame.BLEND_PREMULTIPLIED

        def make() -> tuple[Stamp, ...]:
            batch = SpriteBatch(
                np.array([picture_number(image)], np.uint32),
                np.zeros(1),
                np.zeros(1),
                np.array([angle]),
                np.array([scale]),
                np.array([tint], np.uint32),
                np.array([opacity]),
                np.zeros(1, np.bool_),
                additive,
            )
            surfaces, left, top, _ = self._renderer.frames.of(batch)
            return tuple(Stamp(surface, -round(left[0]), -round(top[0]), blend) for surface in surfaces)

        key = "sprite", image, scale, angle, tint, opacity, additive
        self._lay(self._renderer.stamps.get(key, make), round(x), round(y))

    def picture(self, image: str, x: float, y: float, width: float, height: float, *, opacity: float = 1.0) -> None:
        x, y = self._at(x, y)
        size = max(1, round(width * self._zoom)), max(1, round(height * self._zoom))
        level = round(min(1.0, max(0.0, opacity)) * 255)

        def make() -> tuple[Stamp, ...]:
            picture = self._renderer.frames.picture(picture_number(image))
            surface = pygame.transform.smoothscale(picture.base, size)
            if picture.core is not None:
                surface.blit(pygame.transform.smoothscale(picture.core, size), (0, 0), None, pygame.BLEND_PREMULTIPLIED)
            surface.fill((level, level, level, level), special_flags=pygame.BLEND_RGBA_MULT)
            return (Stamp(surface, 0, 0, pygame.BLEND_PREMULTIPLIED),)

        self._lay(self._renderer.stamps.get(("picture", image, size, level), make), round(x), round(y))

    # Stamps

    def _at(self, x: float, y: float) -> Point:
        return x * self._zoom + self._dx, y * self._zoom + self._dy

    def _outline(
        self,
        key: Hashable,
        x: int,
        y: int,
        corners: Sequence[Point],
        measure: Measure,
        color: int,
        width: float,
        glow: float,
    ) -> None:
        def make() -> tuple[Stamp, ...]:
            box = strokes.box_around(corners, strokes.reach(width, glow))
            distance = measure(box)
            if glow > 0.0:
                return (Stamp(strokes.light(distance, color, width, glow), box[0], box[1], pygame.BLEND_RGB_ADD),)
            far = strokes.reach(width, 0.0)
            surface = strokes.paint(strokes.outline(width), far, distance, color)
            return (Stamp(surface, box[0], box[1], pygame.BLEND_PREMULTIPLIED),)

        self._lay(self._renderer.stamps.get(key, make), x, y)

    def _area(self, key: Hashable, x: int, y: int, corners: Sequence[Point], measure: Measure, color: int) -> None:
        def make() -> tuple[Stamp, ...]:
            box = strokes.box_around(corners, 1.0)
            surface = strokes.paint(strokes.inside, 2.0, measure(box), color)
            return (Stamp(surface, box[0], box[1], pygame.BLEND_PREMULTIPLIED),)

        self._lay(self._renderer.stamps.get(key, make), x, y)

    def _lay(self, stamps: tuple[Stamp, ...], x: int, y: int) -> None:
        if not (-FAR < x < FAR and -FAR < y < FAR):
            return
        self._renderer.is_blank = False
        for stamp in stamps:
            self.surface.blit(stamp.surface, (x + stamp.x, y + stamp.y), None, stamp.blend)

    def _flood(self, area: pygame.Rect, color: int) -> None:
        self._renderer.is_blank = False
        alpha = color & 255
        if alpha < 255:
            rest = 255 - alpha
            self.surface.fill((rest, rest, rest), area, pygame.BLEND_RGB_MULT)
            r, g, b = (channel * alpha // 255 for channel in _rgb(color))
            self.surface.fill((r, g, b), area, pygame.BLEND_RGB_ADD)
        else:
            self.surface.fill(_rgb(color), area)


def _rgb(color: int) -> tuple[int, int, int]:
    return color >> 24 & 255, color >> 16 & 255, color >> 8 & 255


def _split(x: float, y: float) -> tuple[int, int, Point]:
    """The whole pixel of a point, and what is left, rounded so that it repeats."""
    left, top = floor(x), floor(y)
    return left, top, (round((x - left) * FRACTION) / FRACTION, round((y - top) * FRACTION) / FRACTION)


def _anchored(points: Sequence[Point]) -> tuple[int, int, tuple[Point, ...]]:
    """The whole pixel of a shape's first point, and the points from there, rounded so that they repeat."""
    left, top = floor(points[0][0]), floor(points[0][1])
    rounded = tuple(
        (round((x - left) * FRACTION) / FRACTION, round((y - top) * FRACTION) / FRACTION) for x, y in points
    )
    return left, top, rounded
