"""One picture of everything, for looking at: the sprites on dark ground, the tintable ones in players' colours."""

from __future__ import annotations

import os
from collections.abc import Mapping

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import numpy as np
import pygame

from .paint import AMBER, CYAN, LIME, MAGENTA, VIOLET, Color, Pixels

TINTS: list[Color] = [CYAN, MAGENTA, AMBER, LIME, VIOLET, (1.0, 0.40, 0.25), (0.85, 0.90, 1.0), (0.30, 0.55, 1.0)]
TINTED = ("ships/", "flame", "disc_", "shield", "spark", "ring", "streak", "pad", "team_")


def surface(pixels: Pixels) -> pygame.Surface:
    mode = "RGBA" if pixels.shape[2] == 4 else "RGB"
    return pygame.image.frombytes(np.ascontiguousarray(pixels).tobytes(), (pixels.shape[1], pixels.shape[0]), mode)


def tinted(image: pygame.Surface, color: Color) -> pygame.Surface:
    copy = image.copy()
    copy.fill([round(part * 255) for part in color] + [255], special_flags=pygame.BLEND_RGBA_MULT)
    return copy


def compose(pictures: Mapping[str, Pixels], width: int = 1600, zoom: int = 1) -> pygame.Surface:
    """Lays the pictures out in rows on the floor's tile, in the order given."""
    images: list[tuple[pygame.Surface, bool]] = []
    turn = 0
    for path, pixels in pictures.items():
        if "grid" in path or "vignette" in path or path.endswith("_core.png"):
            continue
        image = surface(pixels)
        if any(part in path for part in TINTED):
            image = tinted(image, TINTS[turn % len(TINTS)])
            turn += 1
        core = pictures.get(path.replace(".png", "_core.png"))
        if core is not None:
            for left in range(0, image.get_width(), core.shape[1]):
                image.blit(surface(core), (left, 0))
        if zoom > 1:
            image = pygame.transform.scale_by(image, zoom)
        images.append((image, pixels.shape[2] == 3 and "maps/" not in path))
    places: list[tuple[int, int]] = []
    x, y, row = 16, 16, 0
    for image, _ in images:
        if x + image.get_width() > width - 16:
            x, y, row = 16, y + row + 12, 0
        places.append((x, y))
        x += image.get_width() + 12
        row = max(row, image.get_height())
    sheet = pygame.Surface((width, y + row + 16))
    sheet.fill((7, 10, 22))
    floor = pictures.get("sprites/grid.png")
    if floor is not None:
        tile = surface(floor)
        for left in range(0, width, 256):
            for top in range(0, sheet.get_height(), 256):
                sheet.blit(tile, (left, top))
    for (image, additive), at in zip(images, places, strict=True):
        sheet.blit(image, at, special_flags=pygame.BLEND_RGB_ADD if additive else 0)
    return sheet
