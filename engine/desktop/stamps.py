"""Stamps: shapes and words drawn once and kept, so that drawing them again is one blit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

import pygame

BUDGET = 48 << 20
"""Bytes of pixels to keep."""


REMEMBERED = 512
"""Keys remembered that were asked for once."""


class Stamp(NamedTuple):
    """A surface, where its top left corner lies from the shape's anchor, and how it is blended."""

    surface: pygame.Surface
    x: int
    y: int
    blend: int


class Stamps:
    """Stamps by what they show; what has not been used for longest goes first."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.bytes = 0
        self._kept: OrderedDict[Hashable, tuple[Stamp, ...]] = OrderedDict()
        self._asked: OrderedDict[Hashable, None] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], tuple[Stamp, ...]]) -> tuple[Stamp, ...]:
        """The stamps kept under `key`, to be laid one over the other; made now if there are none."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        stamps = self._kept[key] = make()
        self.bytes += _bytes_of(stamps)
        while self.bytes > self.budget and len(self._kept) > 1:
            self.bytes -= _bytes_of(self._kept.popitem(last=False)[1])
        return stamps

    def is_worth(self, key: Hashable) -> bool:
        """Whether this was asked for before, lately; what is new every time is not worth a stamp."""
        if key in self._kept or key in self._asked:
            return True
        self._asked[key] = None
        if len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        return False

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self.bytes = 0


def _bytes_of(stamps: tuple[Stamp, ...]) -> int:
    return sum(stamp.surface.get_width() * stamp.surface.get_height() * 4 for stamp in stamps)
