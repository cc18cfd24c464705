"""Frames: pictures scaled, tinted and turned, kept for the next image.

A *look* is a picture at a size, in a tint, at an opacity; sizes and opacities are rounded so that looks repeat. Each
look has room for TURNS frames, one for each direction, which are made when first asked for. What has not been
used for longest goes first when the frames outgrow their budget.

Key of a look, 61 bits: additive (1) | tint (24) | opacity (5) | flip (1) | size (10) | picture number (20).
"""

from __future__ import annotations

from math import hypot, isnan, tau
from typing import Any, NamedTuple

import numpy as np
import pygame
from numpy.typing import NDArray

from engine.desktop.pictures import Picture, Pictures, blank
from engine.graphics.picture import picture_count, picture_name
from engine.graphics.renderer import SpriteBatch

TURN_BITS = 7
TURNS = 1 << TURN_BITS
OCTAVE = 24
"""Sizes told apart while a picture doubles; pictures drawn by the engine, being soft, make do with a quarter."""
PAD = 8
"""Widths are made multiples of this; pixels are blended eight at a time, and a rest of fewer one by one."""
LEVELS = 31
"""Opacities told apart; they lie closer together where it is dark."""
BUDGET = 160 << 20
"""Bytes of pixels to keep."""
MOST_LOOKS = 1 << 13
MOST_DROPPED = 32
"""Looks dropped per image at most, so that no image waits for it."""

Indices = NDArray[np.intp]
Drawn = NDArray[np.bool_] | None
"""Which sprites are to be drawn, as those that are clear are not; None for all of them."""


class Chosen(NamedTuple):
    """The frames of the sprites that are to be drawn, and where in each its middle lies, shape (drawn,)."""

    surfaces: list[pygame.Surface]
    left: NDArray[np.float64]
    top: NDArray[np.float64]
    drawn: Drawn


class _Last(NamedTuple):
    """What a batch looked like, and what came of it."""

    columns: tuple[NDArray[Any], ...]
    angle: NDArray[np.floating]
    looks: Indices
    seen: Indices
    """The looks that there are among them, each once."""
    chosen: Chosen


class Frames:
    """Row `look << TURN_BITS | turn` of `surfaces`, `left` and `top` is a frame and where its middle lies in it."""

    def __init__(self, pictures: Pictures, *, budget: int = BUDGET) -> None:
        self.pictures = pictures
        self.budget = budget
        self.bytes = 0
        self._loaded: dict[int, Picture] = {}
        self._radii = np.full(64, np.nan)
        self._coarse = np.ones(64, np.int64)
        self._image = 0
        # All that is usually wanted, at once: growing would copy it in the midst of a game. What is not touched costs
        # no memory.
        self._reserve(MOST_LOOKS)
        self._forget_looks()

    def _reserve(self, looks: int) -> None:
        rows = looks << TURN_BITS
        old = getattr(self, "surfaces", np.empty(0, object))
        self.surfaces = np.empty(rows, object)
        self.surfaces[: len(old)] = old
        for name, kind in (("left", np.float64), ("top", np.float64), ("_ready", np.bool_)):
            column = np.zeros(rows, kind)
            column[: len(old)] = getattr(self, name, column[: len(old)])
            setattr(self, name, column)
        for name in ("_mask", "_half", "_used", "_bytes"):
            column = np.zeros(looks, np.int64)
            column[: len(old) >> TURN_BITS] = getattr(self, name, column[: len(old) >> TURN_BITS])
            setattr(self, name, column)
        self.left: NDArray[np.float64]
        self.top: NDArray[np.float64]
        self._ready: NDArray[np.bool_]
        self._mask: NDArray[np.int64]
        self._half: NDArray[np.int64]
        self._used: NDArray[np.int64]
        self._bytes: NDArray[np.int64]

    def _forget_looks(self) -> None:
        self._keys = np.zeros(0, np.int64)
        self._looks = np.zeros(0, np.int64)
        self._bases: dict[int, pygame.Surface] = {}
        self._key_of: dict[int, int] = {}
        self._free: list[int] = []
        self._dropping = False
        self._last: dict[bool, _Last] = {}

    def forget(self, pictures: Pictures) -> None:
        """Start anew with other pictures."""
        self.pictures = pictures
        self.bytes = 0
        self._loaded.clear()
        self._radii[:] = np.nan
        self._ready[:] = False
        self.surfaces[:] = None
        self._forget_looks()

    # Pictures

    def picture(self, number: int) -> Picture:
        """The picture of that number."""
        picture = self._loaded.get(number)
        if picture is None:
            picture = self._loaded[number] = self.pictures.load(picture_name(number))
            if number >= len(self._radii):
                size = max(picture_count(), 2 * len(self._radii))
                self._radii = np.concatenate((self._radii, np.full(size - len(self._radii), np.nan)))
                self._coarse = np.concatenate((self._coarse, np.ones(size - len(self._coarse), np.int64)))
            self._radii[number] = hypot(*picture.size) / 2
            self._coarse[number] = 4 if picture.is_round else 1
        return picture

    def radii(self, numbers: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Half the diagonals of pictures, in pixels."""
        if int(numbers.max(initial=0)) < len(self._radii):
            radii = self._radii[numbers]
            if not isnan(radii.sum()):
                return radii
        for number in np.unique(numbers).tolist():
            self.picture(number)
        return self._radii[numbers]

    # Looks and frames

    def of(self, batch: SpriteBatch) -> Chosen:
        """The frames of a batch. Most batches look as they did in the last image, so that is asked first."""
        columns = batch.picture, batch.scale, batch.tint, batch.opacity, batch.flip_x
        last = self._last.get(batch.additive)
        same = last is not None and all(map(np.array_equal, last.columns, columns))
        if last is None or not same:
            key, drawn = self._key(batch)
            looks = self._find(key if drawn is None else key[drawn])
        else:
            looks, drawn = last.looks, last.chosen.drawn
        if last is not None and same and np.array_equal(last.angle, batch.angle):
            self._used[last.seen] = self._image
            return last.chosen
        seen = last.seen if last is not None and same else np.unique(looks)
        self._used[seen] = self._image
        chosen = self._turned(looks, batch.angle if drawn is None else batch.angle[drawn], drawn)
        # Copies, as columns may be views that change in place.
        kept = last.columns if last is not None and same else tuple(column.copy() for column in columns)
        self._last[batch.additive] = _Last(kept, batch.angle.copy(), looks, seen, chosen)
        return chosen

    def _turned(self, looks: Indices, angle: NDArray[np.floating], drawn: Drawn) -> Chosen:
        turn = np.rint(angle * (TURNS / tau)).astype(np.int64)
        rows = (looks << TURN_BITS) | ((turn + self._half[looks]) & self._mask[looks])
        if not self._ready[rows].all():
            for row in np.unique(rows[~self._ready[rows]]).tolist():
                self._make(row)
        return Chosen(self.surfaces[rows].tolist(), self.left[rows], self.top[rows], drawn)

    def _key(self, batch: SpriteBatch) -> tuple[NDArray[np.int64], Drawn]:
        self.radii(batch.picture)
        picture = batch.picture.astype(np.int64)
        size = np.rint(np.log2(np.fmin(np.fmax(np.abs(batch.scale), 1 / 64), 64.0)) * OCTAVE).astype(np.int64)
        coarse = self._coarse[picture]
        if coarse.max(initial=1) > 1:
            size -= size % coarse
        tint = batch.tint.astype(np.int64)
        opacity = np.fmin(np.fmax(batch.opacity, 0.0), 1.0) * ((tint & 255) * (1 / 255))
        level = np.rint(np.sqrt(opacity) * LEVELS).astype(np.int64)
        key = picture | (size + 512) << 20 | batch.flip_x.astype(np.int64) << 30 | level << 31 | (tint >> 8) << 36
        drawn = level > 0
        return key | int(batch.additive) << 60, None if drawn.all() else drawn

    def _find(self, key: NDArray[np.int64]) -> Indices:
        if len(self._keys):
            places = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
            known = self._keys[places] == key
        else:
            places, known = np.zeros(len(key), np.intp), np.zeros(len(key), np.bool_)
        if not known.all():
            for new in np.unique(key[~known]).tolist():
                self._add(new)
            places = np.searchsorted(self._keys, key)
        return self._looks[places].astype(np.intp)

    def _add(self, key: int) -> None:
        look = self._free.pop() if self._free else len(self._key_of)
        if look << TURN_BITS >= len(self.surfaces):
            self._reserve(2 * look)
        place = int(np.searchsorted(self._keys, key))
        self._keys = np.insert(self._keys, place, key)
        self._looks = np.insert(self._looks, place, look)
        self._key_of[look] = key
        picture = self.picture(key & 0xFFFFF)
        scale = 2.0 ** (((key >> 20 & 1023) - 512) / OCTAVE)
        base = self._bases[look] = _dressed(picture, scale, key)
        radius = hypot(*base.get_size()) / 2
        turns = 1 if picture.is_round else 32 if radius <= 10 else 64 if radius <= 26 else TURNS
        self._half[look] = TURNS // turns // 2
        self._mask[look] = TURNS - TURNS // turns
        self._bytes[look] = _bytes_of(base)
        self.bytes += _bytes_of(base)

    def _make(self, row: int) -> None:
        look, turn = row >> TURN_BITS, row & (TURNS - 1)
        base = self._bases[look]
        frame = base if turn == 0 else pygame.transform.rotozoom(base, -turn * 360 / TURNS, 1.0)
        shown = frame.get_bounding_rect(1)
        self.left[row] = frame.get_width() / 2 - shown.x
        self.top[row] = frame.get_height() / 2 - shown.y
        size = -(-shown.width // PAD) * PAD, shown.height
        if size != frame.get_size():
            trimmed = blank(*size)
            trimmed.blit(frame, (0, 0), shown, pygame.BLEND_RGBA_ADD)
            frame = trimmed
        self.surfaces[row] = frame
        self._ready[row] = True
        if frame is not base:
            self._bytes[look] += _bytes_of(frame)
            self.bytes += _bytes_of(frame)

    def begin_image(self) -> None:
        """Start the next image; frames used in the last one are safe from being dropped."""
        self._image += 1
        if self.bytes > self.budget or len(self._key_of) > MOST_LOOKS:
            self._dropping = True
        if self._dropping:
            self._drop()

    def _drop(self) -> None:
        """Drop some looks, least recently used first; go on in the next images until a quarter of the room is free."""
        looks = self._looks[np.argsort(self._used[self._looks], kind="stable")]
        dropped: list[int] = []
        for look in looks[:MOST_DROPPED].tolist():
            few = len(self._key_of) - len(dropped) <= MOST_LOOKS * 3 // 4
            if (self.bytes <= self.budget * 3 // 4 and few) or self._used[look] >= self._image - 1:
                self._dropping = False
                break
            dropped.append(look)
            self.bytes -= int(self._bytes[look])
            rows = slice(look << TURN_BITS, look + 1 << TURN_BITS)
            self.surfaces[rows] = None
            self._ready[rows] = False
            del self._bases[look]
        gone = np.array([self._key_of.pop(look) for look in dropped], np.int64)
        places = np.searchsorted(self._keys, gone)
        self._keys, self._looks = np.delete(self._keys, places), np.delete(self._looks, places)
        self._free.extend(dropped)
        self._last.clear()


def _dressed(picture: Picture, scale: float, key: int) -> pygame.Surface:
    """The picture in a look's size, tint and opacity, not turned."""
    opacity = ((key >> 31 & 31) / LEVELS) ** 2
    tint = key >> 36 & 0xFFFFFF
    base = picture.base.copy()
    if tint != 0xFFFFFF:
        base.fill((tint >> 16, tint >> 8 & 255, tint & 255, 255), special_flags=pygame.BLEND_RGBA_MULT)
    if picture.core is not None:
        base.blit(picture.core, (0, 0), special_flags=pygame.BLEND_PREMULTIPLIED)
    if opacity < 1.0:
        level = round(opacity * 255)
        base.fill((level, level, level, level), special_flags=pygame.BLEND_RGBA_MULT)
    if key >> 30 & 1:
        base = pygame.transform.flip(base, True, False)
    if scale != 1.0:
        width, height = base.get_size()
        base = pygame.transform.smoothscale(base, (max(1, round(width * scale)), max(1, round(height * scale))))
    return base


def _bytes_of(surface: pygame.Surface) -> int:
    return surface.get_width() * surface.get_height() * 4
