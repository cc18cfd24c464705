"""Standing geometry: glowing lines of a whole arena, drawn once into tiles and blitted from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor

import pygame

from engine.desktop import strokes
from engine.graphics.camera import View
from engine.graphics.renderer import Stroke

TILE = 256
"""Width and height of a tile in pixels."""
SETTLED = 3
"""Images for which a zoom must have stayed the same before tiles are made for it."""
PER_IMAGE = 12
"""Tiles drawn per image at most, so that a new arena or zoom does not make the image wait."""

Place = tuple[int, int]
Blit = tuple[pygame.Surface, tuple[int, int]]


@dataclass(slots=True)
class _Tile:
    strokes: tuple[Stroke, ...]
    light: pygame.Surface | None
    paint: pygame.Surface | None


@dataclass(slots=True)
class Geometry:
    """The tiles of one set of strokes at one zoom."""

    strokes: tuple[Stroke, ...] = ()
    zoom: float = 0.0
    image: int = -2
    """The number of the image it was last drawn in."""
    steady: int = SETTLED
    """For how many images the zoom has been what it is, or more if nobody saw it change."""
    _near: dict[Place, tuple[Stroke, ...]] = field(default_factory=dict[Place, tuple[Stroke, ...]])
    _tiles: dict[Place, _Tile] = field(default_factory=dict[Place, _Tile])

    def update(self, given: Sequence[Stroke], zoom: float, image: int) -> None:
        """Take the strokes and the zoom of this image; tiles that nothing changed for are kept."""
        seen_before, self.image = self.image == image - 1, image
        if zoom != self.zoom:
            self.zoom, self.steady = zoom, 0 if seen_before else SETTLED
            self._tiles.clear()
            self._near.clear()
            self.strokes = ()
        self.steady += 1
        changed = tuple(given)
        if changed != self.strokes:
            self.strokes = changed
            self._near = _by_tile(changed, zoom)

    @property
    def is_settled(self) -> bool:
        """Whether tiles are worth making: the zoom is not just changing."""
        return self.steady >= SETTLED

    def visible(self, view: View) -> tuple[list[Blit], list[Blit], list[tuple[tuple[Stroke, ...], pygame.Rect]]]:
        """Blits of light and of paint for what is in view, and the strokes and areas for which there is no tile yet."""
        light: list[Blit] = []
        paint: list[Blit] = []
        missing: list[tuple[tuple[Stroke, ...], pygame.Rect]] = []
        left = round(view.x * view.zoom - view.width / 2)
        top = round(view.y * view.zoom - view.height / 2)
        made = 0
        for row in range(top // TILE, (top + int(view.height)) // TILE + 1):
            for column in range(left // TILE, (left + int(view.width)) // TILE + 1):
                near = self._near.get((column, row))
                if near is None:
                    continue
                tile = self._tiles.get((column, row))
                where = column * TILE - left, row * TILE - top
                if tile is None or tile.strokes != near:
                    if made >= PER_IMAGE:
                        missing.append((near, pygame.Rect(*where, TILE, TILE)))
                        continue
                    made += 1
                    tile = self._tiles[column, row] = _draw(near, column, row, self.zoom)
                if tile.light is not None:
                    light.append((tile.light, where))
                if tile.paint is not None:
                    paint.append((tile.paint, where))
        return light, paint, missing


def _by_tile(given: tuple[Stroke, ...], zoom: float) -> dict[Place, tuple[Stroke, ...]]:
    """The pieces of strokes that reach into each tile, in pixels from the world's origin."""
    near: dict[Place, list[Stroke]] = {}
    for stroke in given:
        if not stroke.points:
            continue
        points = [(x * zoom, y * zoom) for x, y in stroke.points]
        width, glow = stroke.width * zoom, stroke.glow * zoom
        far = strokes.reach(width, glow)
        ends = [*points[1:], points[0]] if stroke.closed else points[1:] or points[:1]
        pieces: dict[Place, list[tuple[float, float]]] = {}
        for a, b in zip(points, ends, strict=False):
            for column in range(floor((min(a[0], b[0]) - far) / TILE), floor((max(a[0], b[0]) + far) / TILE) + 1):
                for row in range(floor((min(a[1], b[1]) - far) / TILE), floor((max(a[1], b[1]) + far) / TILE) + 1):
                    pieces.setdefault((column, row), []).extend((a, b))
        for place, ends_of_pieces in pieces.items():
            near.setdefault(place, []).append(Stroke(tuple(ends_of_pieces), stroke.color, width, glow, False))
    return {place: tuple(pieces) for place, pieces in near.items()}


def _draw(near: tuple[Stroke, ...], column: int, row: int, zoom: float) -> _Tile:
    """A tile; the points of its strokes are the ends of single lines, two by two."""
    box = column * TILE, row * TILE, TILE, TILE
    light: pygame.Surface | None = None
    paint: pygame.Surface | None = None
    for stroke in near:
        far = strokes.reach(stroke.width, stroke.glow)
        distance = strokes.segments_distance(stroke.points, box, far)
        if float(distance.min()) > far:
            continue
        if stroke.glow > 0.0:
            lit = strokes.light(distance, stroke.color, stroke.width, stroke.glow)
            if light is None:
                light = pygame.Surface((TILE, TILE), 0, 32)
            light.blit(lit, (0, 0), special_flags=pygame.BLEND_RGB_ADD)
        else:
            painted = strokes.paint(strokes.outline(stroke.width), far, distance, stroke.color)
            if paint is None:
                paint = pygame.Surface((TILE, TILE), pygame.SRCALPHA, 32)
            paint.blit(painted, (0, 0), special_flags=pygame.BLEND_PREMULTIPLIED)
    return _Tile(near, light, paint)
