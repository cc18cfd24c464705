"""Lettering: words as stamps, with a default font where the wanted one is missing."""

from __future__ import annotations

import logging
from functools import lru_cache

import pygame

from engine.assets import AssetError, Assets
from engine.desktop.pictures import blank
from engine.desktop.stamps import Stamp

log = logging.getLogger("tickwire.desktop")

DEFAULT_SCALE = 0.6875
"""pygame draws its default font at this share of the size asked for; other fonts are made to match."""
SMALLEST, LARGEST = 4, 400
"""Font sizes in pixels that are drawn; others are taken to the nearer end."""
FINE = 2
"""Words are drawn this many times larger and shrunk: at their own size a font pulls letters to whole pixels, and small
words come out unevenly spaced."""


class Lettering:
    """Fonts by name and size. The empty name is the default font, which comes with pygame."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self._fonts: dict[tuple[str, int], pygame.Font] = {}
        self._missing: set[str] = set()
        if not pygame.font.get_init():
            pygame.font.init()

    def font(self, name: str, size: float) -> pygame.Font:
        """A font, `FINE` times as large; the default one, and a line in the log, if it cannot be had."""
        pixels = round(min(max(size, SMALLEST), LARGEST))
        font = self._fonts.get((name, pixels))
        if font is None:
            font = self._fonts[name, pixels] = self._load(name, pixels)
        return font

    def _load(self, name: str, pixels: int) -> pygame.Font:
        if name and name not in self._missing:
            try:
                font = pygame.Font(self.assets.path(name), round(pixels * FINE * DEFAULT_SCALE))
                font.size("x")  # a file that is no font is only noticed here
                return font
            except AssetError as error:
                log.warning("%s; drawing with the default font", error)
            except (pygame.error, OSError) as error:
                log.warning("%s is no font that can be read: %s; drawing with the default font", name, error)
            self._missing.add(name)
        return pygame.Font(None, pixels * FINE)

    def measure(self, text: str, name: str, size: float) -> tuple[int, int]:
        """Width and height in pixels."""
        return _shrunk(self.font(name, size).size(_clean(text)))

    def stamps(self, text: str, name: str, size: float, color: int, glow: float) -> tuple[Stamp, ...]:
        """The words, anchored at their top left corner, over their light if they glow."""
        letters = self.font(name, size).render(_clean(text), True, (255, 255, 255))
        words = blank(*letters.get_size())
        words.blit(letters, (0, 0), special_flags=pygame.BLEND_RGBA_ADD)
        words = words.premul_alpha()
        words = pygame.transform.smoothscale(words, _shrunk(words.get_size()))
        tint = (color >> 24 & 255, color >> 16 & 255, color >> 8 & 255)
        front = words.copy()
        if glow > 0.0:
            light = _light(words, glow, _softened(tint), color & 255)
            _tint(front, _whitened(tint), color & 255)
            return light, Stamp(front, 0, 0, pygame.BLEND_PREMULTIPLIED)
        _tint(front, tint, color & 255)
        return (Stamp(front, 0, 0, pygame.BLEND_PREMULTIPLIED),)


def _shrunk(size: tuple[int, int]) -> tuple[int, int]:
    return -(-size[0] // FINE), -(-size[1] // FINE)


def _clean(text: str) -> str:
    """Text as fonts take it: without nulls, line breaks and halves of characters."""
    return text.replace("\x00", "").replace("\n", " ").encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=256)
def _whitened(tint: tuple[int, int, int]) -> tuple[int, int, int]:
    r, g, b = (round(channel + (255 - channel) * 0.55) for channel in tint)
    return r, g, b


@lru_cache(maxsize=256)
def _softened(tint: tuple[int, int, int]) -> tuple[int, int, int]:
    """The light around words in this colour: the whiter, the dimmer, or it would close the letters."""
    share = 1.0 - 0.65 * min(tint) / 255
    r, g, b = (round(channel * share) for channel in tint)
    return r, g, b


def _tint(surface: pygame.Surface, tint: tuple[int, int, int], alpha: int) -> None:
    r, g, b = (channel * alpha // 255 for channel in tint)
    surface.fill((r, g, b, alpha), special_flags=pygame.BLEND_RGBA_MULT)


def _light(words: pygame.Surface, glow: float, tint: tuple[int, int, int], alpha: int) -> Stamp:
    margin = max(2, round(glow))
    light = blank(words.get_width() + 2 * margin, words.get_height() + 2 * margin)
    light.blit(words, (margin, margin), special_flags=pygame.BLEND_RGBA_ADD)
    near = pygame.transform.gaussian_blur(light, max(1, round(margin * 0.2)))
    far = pygame.transform.gaussian_blur(light, max(1, round(margin * 0.5)))
    near.blit(far, (0, 0), special_flags=pygame.BLEND_RGBA_ADD)
    _tint(near, tint, alpha)
    return Stamp(near, -margin, -margin, pygame.BLEND_RGB_ADD)
