"""Pictures from files, ready to blend: premultiplied, with a stand-in for what is missing."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pygame

from engine.assets import AssetError, Assets
from engine.graphics.picture import DOT, DRAWN_SIZE, GLOW, SOFT

log = logging.getLogger("tickwire.desktop")

STAND_IN_SIZE = 32
_FRAME = re.compile(r"(.+)#(\d+)/(\d+)")


@dataclass(slots=True)
class Picture:
    """`base` is to be tinted, `core`, if there is one, to be laid over it as it is; both are premultiplied."""

    base: pygame.Surface
    core: pygame.Surface | None = None
    is_round: bool = False
    """Whether it looks the same from all sides."""

    @property
    def size(self) -> tuple[int, int]:
        return self.base.get_size()


def blank(width: int, height: int) -> pygame.Surface:
    """A clear surface with alpha, in the one layout used throughout; needs no display."""
    return pygame.Surface((max(1, width), max(1, height)), pygame.SRCALPHA, 32)


class Pictures:
    """Loads pictures by name. Where `NAME_core.png` lies beside `NAME.png`, it is the part that takes no tint."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self._sheets: dict[str, pygame.Surface] = {}

    def load(self, name: str) -> Picture:
        """The picture of that name; if it cannot be had, a magenta checker, and a line in the log that says why."""
        if name.startswith(":"):
            return _drawn(name)
        match = _FRAME.fullmatch(name)
        file, place, count = (match[1], int(match[2]), int(match[3])) if match else (name, 0, 1)
        try:
            base = self._sheet(file)
            path = PurePosixPath(file)
            core_file = str(path.with_name(f"{path.stem}_core{path.suffix}"))
            core = self._sheet(core_file) if self.assets.find(core_file) is not None else None
        except AssetError as error:
            log.warning("%s", error)
            return Picture(_checker())
        if count < 1 or place >= count or base.get_width() < count:
            log.warning(
                "picture %r asks for frame %s of %s, but it is %s pixels wide", name, place, count, base.get_width()
            )
            return Picture(_checker())
        frame = _cut(base, place, count)
        if core is not None and core.get_width() != frame.get_width():
            core = _cut(core, place, count)
        return Picture(frame, core)

    def _sheet(self, file: str) -> pygame.Surface:
        sheet = self._sheets.get(file)
        if sheet is None:
            path = self.assets.path(file)
            try:
                loaded = pygame.image.load(path)
            except (pygame.error, OSError) as error:
                raise AssetError(f"{path} is no picture that can be read: {error}; save it as PNG") from None
            sheet = blank(*loaded.get_size())
            sheet.blit(loaded, (0, 0))
            self._sheets[file] = sheet = sheet.premul_alpha()
        return sheet


def _cut(sheet: pygame.Surface, place: int, count: int) -> pygame.Surface:
    if count == 1:
        return sheet
    width, height = sheet.get_width() // count, sheet.get_height()
    frame = blank(width, height)
    frame.blit(sheet, (0, 0), (place * width, 0, width, height), pygame.BLEND_RGBA_ADD)
    return frame


def _drawn(name: str) -> Picture:
    if name not in (GLOW, SOFT, DOT):
        log.warning("there is no picture %r; those drawn by the engine are %s, %s and %s", name, GLOW, SOFT, DOT)
        return Picture(_checker())
    middle = (DRAWN_SIZE - 1) / 2
    away = np.hypot(*np.meshgrid(np.arange(DRAWN_SIZE) - middle, np.arange(DRAWN_SIZE) - middle)) / (DRAWN_SIZE / 2)
    rest = np.clip(1.0 - away, 0.0, 1.0)
    if name == DOT:
        return Picture(_white(np.clip(rest * DRAWN_SIZE / 2, 0.0, 1.0)), None, True)
    halo = _white(rest**2 * (3 - 2 * rest) * (0.45 + 0.55 * rest))
    return Picture(halo, _white(np.clip((rest - 0.55) / 0.45, 0.0, 1.0) ** 1.5) if name == GLOW else None, True)


def _white(alpha: np.ndarray) -> pygame.Surface:
    level = np.rint(alpha * 255).astype(np.uint8)
    height, width = level.shape
    return pygame.image.frombuffer(np.repeat(level[..., None], 4, 2).tobytes(), (width, height), "BGRA")


def _checker() -> pygame.Surface:
    surface = blank(STAND_IN_SIZE, STAND_IN_SIZE)
    half = STAND_IN_SIZE // 2
    surface.fill((255, 0, 255, 255))
    for corner in ((0, 0), (half, half)):
        surface.fill((24, 0, 24, 255), (*corner, half, half))
    return surface
