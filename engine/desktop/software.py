"""The software renderer: everything ends as one blit of a kept surface. Needs no display."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, sin, tau
from pathlib import Path

import numpy as np
import pygame
from numpy.typing import NDArray

from engine.assets import Assets
from engine.desktop.canvas import SoftwareCanvas
from engine.desktop.frames import Frames
from engine.desktop.geometry import Geometry
from engine.desktop.lettering import Lettering
from engine.desktop.pictures import Pictures
from engine.desktop.stamps import Stamp, Stamps
from engine.desktop.strokes import Point, box_around, quick_light, quick_paint, reach
from engine.graphics.camera import View
from engine.graphics.canvas import Canvas
from engine.graphics.picture import picture_number
from engine.graphics.renderer import SpriteBatch, Stroke

FAR = 1 << 14
_INTEGERS = np.arange(-FAR, FAR).astype(object)
"""Python integers made once, for coordinates: taking them from here is faster than making them anew."""
STROKE_TURNS = 256
"""Directions of moving lines."""


class SoftwareRenderer:
    """Draws on a surface of `size` virtual pixels, or on one that is given::

    renderer = SoftwareRenderer((1280, 720), Assets.of("ricochet", "sprites"))
    """

    def __init__(
        self,
        size: tuple[int, int] = (1280, 720),
        assets: Assets | None = None,
        *,
        surface: pygame.Surface | None = None,
    ) -> None:
        self.surface = surface if surface is not None else pygame.Surface(size, 0, 32)
        self.is_blank = True
        self.assets = assets or Assets()
        self.stamps = Stamps()
        self.lettering = Lettering(self.assets)
        self.frames = Frames(Pictures(self.assets))
        self._geometry: dict[object, Geometry] = {}
        self._scratch: pygame.Surface | None = None
        self._image = 0

    @property
    def size(self) -> tuple[int, int]:
        return self.surface.get_size()

    def begin(self) -> None:
        self.is_blank = True
        self._image += 1
        self.frames.begin_image()
        gone = [key for key, geometry in self._geometry.items() if geometry.image < self._image - 600]
        for key in gone:
            del self._geometry[key]

    def use(self, assets: Assets) -> None:
        if assets is not self.assets:
            self.assets = assets
            self.frames.forget(Pictures(assets))
            self.lettering = Lettering(assets)
            self.stamps.clear()

    def fill(self, color: int) -> None:
        self.is_blank = False
        # Not `surface.fill`, which writes past the caches: what is blitted next would wait for memory.
        pygame.surfarray.pixels2d(self.surface)[:] = color >> 8 & 0xFFFFFF

    def save(self, path: Path | str) -> None:
        """Write the image as PNG, or as what the name's ending says. Raises `OSError` if that cannot be."""
        try:
            pygame.image.save(self.surface, path)
        except pygame.error as error:
            raise OSError(f"cannot write the picture {path}: {error}") from None

    # Sprites

    def radii(self, pictures: NDArray[np.uint32]) -> NDArray[np.float64]:
        return self.frames.radii(pictures)

    def sprites(self, batch: SpriteBatch) -> None:
        if not len(batch):
            return
        self.is_blank = False
        surfaces, left, top, drawn = self.frames.of(batch)
        x, y = (batch.x, batch.y) if drawn is None else (batch.x[drawn], batch.y[drawn])
        places = zip(_integers(x - left), _integers(y - top), strict=True)
        blend = pygame.BLEND_RGB_ADD if batch.additive else pygame.BLEND_PREMULTIPLIED
        self.surface.fblits(zip(surfaces, places, strict=True), blend)

    def tiling(self, image: str, x: float, y: float, zoom: float) -> None:
        self.is_blank = False
        picture = self.frames.picture(picture_number(image))
        width = max(1, round(picture.base.get_width() * zoom))
        height = max(1, round(picture.base.get_height() * zoom))
        tile = picture.base
        if zoom != 1.0:
            tile = self._scaled_tile(image, tile, (width, height))
        across, down = self.size
        places = [
            (left, top)
            for top in range(round(y) % height - height, down, height)
            for left in range(round(x) % width - width, across, width)
        ]
        self.surface.fblits([(tile, place) for place in places], pygame.BLEND_PREMULTIPLIED)

    def _scaled_tile(self, image: str, base: pygame.Surface, size: tuple[int, int]) -> pygame.Surface:
        key = "tile", image, size
        return self.stamps.get(key, lambda: (Stamp(pygame.transform.smoothscale(base, size), 0, 0, 0),))[0].surface

    # Lines

    def geometry(self, key: object, strokes: Sequence[Stroke], view: View) -> None:
        self.is_blank = False
        geometry = self._geometry.setdefault(key, Geometry())
        geometry.update(strokes, view.zoom, self._image)
        if not geometry.is_settled:
            for stroke in strokes:
                self._quick(stroke, view)
            return
        light, paint, missing = geometry.visible(view)
        self.surface.fblits(paint, pygame.BLEND_PREMULTIPLIED)
        self.surface.fblits(light, pygame.BLEND_RGB_ADD)
        left, top = round(view.x * view.zoom - view.width / 2), round(view.y * view.zoom - view.height / 2)
        for near, area in missing:
            self.surface.set_clip(area)
            for stroke in near:
                points = [(x - left, y - top) for x, y in stroke.points]
                for a, b in zip(points[::2], points[1::2], strict=True):
                    self.quick_stroke([a, b], stroke.color, stroke.width, stroke.glow, False)
            self.surface.set_clip(None)

    def stroke(self, stroke: Stroke, x: float, y: float, angle: float, view: View) -> None:
        # Directions and places are rounded, as those of sprites are, so that what turns repeats.
        angle = round(angle * STROKE_TURNS / tau) * tau / STROKE_TURNS
        x, y = round(x * view.zoom) / view.zoom, round(y * view.zoom) / view.zoom
        c, s = cos(angle), sin(angle)
        turned = [(x + px * c - py * s, y + px * s + py * c) for px, py in stroke.points]
        self.canvas(view).polyline(turned, stroke.color, width=stroke.width, glow=stroke.glow, closed=stroke.closed)

    def _quick(self, stroke: Stroke, view: View) -> None:
        zoom = view.zoom
        dx, dy = view.width / 2 - view.x * zoom, view.height / 2 - view.y * zoom
        points = [(x * zoom + dx, y * zoom + dy) for x, y in stroke.points]
        if points:
            self.quick_stroke(points, stroke.color, stroke.width * zoom, stroke.glow * zoom, stroke.closed)

    def quick_stroke(self, points: Sequence[Point], color: int, width: float, glow: float, closed: bool) -> None:
        """A line in pixels whose glow is cheap, for what changes from image to image."""
        if glow <= 0.0:
            quick_paint(self.surface, points, color, width, closed)
            return
        box = pygame.Rect(box_around(points, reach(width, glow))).clip(self.surface.get_clip())
        if not box.width or not box.height:
            return
        self.is_blank = False
        if self._scratch is None or self._scratch.get_size() != self.size:
            self._scratch = pygame.Surface(self.size, 0, 32)
        scratch = self._scratch
        scratch.set_clip(box)
        scratch.fill((0, 0, 0))
        quick_light(scratch, points, color, width, glow, closed)
        self.surface.blit(scratch, box.topleft, box, pygame.BLEND_RGB_ADD)

    # Canvas

    def canvas(self, view: View | None = None) -> Canvas:
        if view is None:
            return SoftwareCanvas(self)
        zoom = view.zoom
        return SoftwareCanvas(self, zoom, view.width / 2 - view.x * zoom, view.height / 2 - view.y * zoom)


def _integers(coordinates: NDArray[np.float64]) -> list[int]:
    """Coordinates as whole pixels, no farther than `FAR` from the origin."""
    return _INTEGERS.take(np.rint(coordinates).astype(np.intp) + FAR, mode="clip").tolist()
