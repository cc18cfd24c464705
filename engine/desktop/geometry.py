"""Standing geometry: glowing lines of a whole arena, drawn once into tiles and blitted from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, hypot

import pygame

from engine.desktop import strokes
from engine.graphics.camera import View
from engine.graphics.renderer import Stroke

TILE = 256
"""Width and height of a tile in pixels."""
SETTLED = 3
"""Images for which a zoom must have stayed the same before tiles are made for it."""
PER_IMAGE = 24
"""Tiles drawn per image at most, which is a screenful, so that a new arena or zoom does not make the image wait."""
MOST_AHEAD = 256
"""With this many tiles, no more are drawn before they come into view."""

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
    _waiting: set[Place] = field(default_factory=set[Place])
    """Where tiles are to be drawn yet, or drawn anew."""

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
            self._tiles = {place: tile for place, tile in self._tiles.items() if tile.strokes == self._near.get(place)}
            self._waiting = self._near.keys() - self._tiles.keys()

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
                place = column, row
                where = column * TILE - left, row * TILE - top
                if place in self._waiting:
                    if made >= PER_IMAGE:
                        missing.append((self._near[place], pygame.Rect(*where, TILE, TILE)))
                        continue
                    made += 1
                    self._make(place)
                tile = self._tiles.get(place)
                if tile is None:
                    continue
                if tile.light is not None:
                    light.append((tile.light, where))
                if tile.paint is not None:
                    paint.append((tile.paint, where))
        if not made and self._waiting and len(self._tiles) < MOST_AHEAD:
            self._make(self._nearest(view.x * view.zoom / TILE - 0.5, view.y * view.zoom / TILE - 0.5))
        return light, paint, missing

    def _nearest(self, column: float, row: float) -> Place:
        """The tile nearest to the middle of the view, of those to be drawn: it will be needed first."""
        return min(self._waiting, key=lambda place: (hypot(place[0] - column, place[1] - row), place))

    def _make(self, place: Place) -> None:
        self._waiting.remove(place)
        self._tiles[place] = _draw(self._near[place], *place)


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


def _draw(near: tuple[Stroke, ...], column: int, row: int) -> _Tile:
    """A tile; the points of its strokes are the ends of single lines, two by two."""
    light: pygame.Surface | None = None
    paint: pygame.Surface | None = None
    whole = pygame.Rect(column * TILE, row * TILE, TILE, TILE)
    for stroke in near:
        far = strokes.reach(stroke.width, stroke.glow)
        box = whole.clip(strokes.box_around(stroke.points, far))
        if not box.width or not box.height:
            continue
        distance = strokes.segments_distance(stroke.points, (box.x, box.y, box.width, box.height), far)
        if float(distance.min()) > far:
            continue
        where = box.x - whole.x, box.y - whole.y
        if stroke.glow > 0.0:
            lit = strokes.light(distance, stroke.color, stroke.width, stroke.glow)
            if light is None:
                light = pygame.Surface((TILE, TILE), 0, 32)
            light.blit(lit, where, special_flags=pygame.BLEND_RGB_ADD)
        else:
            painted = strokes.paint(strokes.outline(stroke.width), far, distance, stroke.color)
            if paint is None:
                paint = pygame.Surface((TILE, TILE), pygame.SRCALPHA, 32)
            paint.blit(painted, where, special_flags=pygame.BLEND_PREMULTIPLIED)
    return _Tile(near, light, paint)
