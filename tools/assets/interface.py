"""What stands around the game: the title, crosshair, podium, team emblems and the application's icon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .paint import (
    AMBER,
    BLACK,
    CYAN,
    INK,
    MAGENTA,
    STEEL,
    VIOLET,
    WHITE,
    Canvas,
    Color,
    Field,
    Pixels,
    Point,
    halo,
    mix,
    polar,
    regular,
)

# Each letter as strokes in a cell 72 wide and 96 high, corners cut as bent tubes are.
LETTERS: dict[str, list[list[Point]]] = {
    "R": [[(0, 96), (0, 0), (46, 0), (64, 18), (64, 34), (46, 52), (16, 52)], [(36, 52), (68, 96)]],
    "I": [[(0, 0), (0, 96)]],
    "C": [[(64, 14), (50, 0), (20, 0), (0, 20), (0, 76), (20, 96), (50, 96), (64, 82)]],
    "H": [[(0, 0), (0, 96)], [(64, 0), (64, 96)], [(14, 48), (64, 48)]],
    "E": [[(60, 0), (0, 0), (0, 96), (60, 96)], [(14, 48), (50, 48)]],
    "T": [[(0, 0), (72, 0)], [(36, 14), (36, 96)]],
}
ADVANCE: dict[str, float] = {"R": 68, "I": 0, "C": 64, "O": 96, "H": 64, "E": 60, "T": 72}


def _gradient(canvas: Canvas, left: float, right: float, stops: list[Color]) -> NDArray[np.float64]:
    place = np.clip((canvas.x - left) / (right - left), 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(place, range(len(stops)), [stop[i] for stop in stops]) for i in range(3)], axis=-1)


def _shine(
    canvas: Canvas, tubes: Field, colors: NDArray[np.float64], width: float, reach: float, heat: float = 0.9
) -> None:
    canvas.lay(colors, 0.62 * halo(np.abs(tubes), reach))
    canvas.lay(colors * 0.9, canvas.edge(np.abs(tubes) - width / 2))
    white = np.exp(-((tubes / (width * 0.24)) ** 2)) * heat
    canvas.lay(WHITE, white)


def title() -> Pixels:
    """RICOCHET, 920 × 200. Its O is a disc, and the disc's path runs under the word in four straight flights."""
    canvas = Canvas(920, 200, origin=(0, 0), detail=2)
    colors = _gradient(canvas, 60, 860, [CYAN, VIOLET, MAGENTA])
    gap, top = 34.0, 34.0
    word = "RICOCHET"
    x = (920 - sum(ADVANCE[c] for c in word) - gap * (len(word) - 1)) / 2
    tubes = np.full_like(canvas.x, np.inf)
    disc: Point = (0.0, 0.0)
    for letter in word:
        if letter == "O":
            disc = (x + 48, top + 48)
        else:
            for stroke in LETTERS[letter]:
                np.minimum(tubes, canvas.line([(px + x, py + top) for px, py in stroke]), out=tubes)
        x += ADVANCE[letter] + gap
    canvas.lay(colors, 0.30 * np.exp(-(((tubes - 13.0) / 0.9) ** 2)))
    _shine(canvas, tubes, colors, 8.6, 32.0)

    rim = np.full_like(canvas.x, np.inf)
    for blade in range(3):
        start = 120.0 * blade - 80
        np.minimum(rim, canvas.arc(48, start, start + 98, disc), out=rim)
    _shine(canvas, rim, colors, 8.6, 32.0)
    _shine(canvas, canvas.circle(31, disc), colors, 2.0, 12.0, heat=0.5)
    for pip in regular(3, 13.5, -90, disc):
        dot = canvas.circle(6.5, pip)
        canvas.lay(colors, 0.6 * halo(dot.clip(min=0), 14.0))
        canvas.lay(WHITE, canvas.edge(dot))

    floor, ceiling = 176.0, 150.0
    path: list[Point] = [(40, ceiling + 4), (190, floor), (400, ceiling + 2), (610, floor), (880, ceiling - 2)]
    flight = canvas.line(path)
    fade = np.clip((canvas.x - 30) / 420, 0, 1) ** 1.2
    canvas.lay(colors, 0.55 * fade * halo(flight, 16.0))
    canvas.lay(colors, canvas.edge(flight - 1.5) * fade)
    canvas.lay(WHITE, np.exp(-((flight / 0.9) ** 2)) * fade * 0.85)
    for count, at in enumerate(path[1:4], start=1):
        burst = canvas.circle(0, at)
        canvas.lay(colors, 0.8 * halo(burst, 11.0 + 5.0 * count))
        for ray in range(7):
            spread = canvas.line([at, polar(8.0 + 5.0 * count, (-1 if at[1] > 165 else 1) * (24 + 22 * ray), at)])
            canvas.lay(mix(WHITE, MAGENTA, 0.2), np.exp(-((spread / 0.8) ** 2)) * 0.7)
        canvas.lay(WHITE, np.exp(-((burst / 3.2) ** 2)))
    head = canvas.circle(0, path[-1])
    canvas.lay(MAGENTA, 0.9 * halo(head, 22.0))
    canvas.lay(WHITE, canvas.edge(head - 5.0))
    return canvas.rgba(VIOLET)


def crosshair() -> Pixels:
    """48 px, the exact middle left open; white with a dark rim so that it shows on light and on dark."""
    canvas = Canvas(48, 48, detail=6)
    parts = canvas.arc(13, 20, 70)
    for i in (1, 2, 3):
        parts = np.minimum(parts, canvas.arc(13, 90 * i + 20, 90 * i + 70))
    for i in range(4):
        parts = np.minimum(parts, canvas.line([polar(9.5, 90 * i), polar(17.5, 90 * i)]))
    dot = canvas.circle(1.5)
    canvas.glow(parts, 6.0, BLACK, 0.75)
    canvas.glow(dot.clip(min=0), 4.0, BLACK, 0.75)
    canvas.stroke(parts, 2.0, WHITE)
    canvas.fill(dot, WHITE)
    return canvas.rgba()


def emblem(team: str) -> Pixels:
    """Two badges that no eye mixes up: ``a`` is angular and points up, ``b`` is round and split. 96 px, white."""
    canvas = Canvas(96, 96)
    if team == "a":
        shell = canvas.polygon([(0, -34), (31, 20), (19, 30), (0, 18), (-19, 30), (-31, 20)]) - 2
        inner = canvas.polygon([(0, -14), (13, 11), (0, 3), (-13, 11)])
        canvas.glow(shell, 15, WHITE, 0.5)
        canvas.body(shell, WHITE, depth=5, dark=0.10, rim=0.55)
        canvas.fill(inner - 1, WHITE)
        canvas.stroke(shell, 3.4, WHITE)
        return canvas.rgba()
    shell = canvas.circle(31)
    canvas.glow(shell, 15, WHITE, 0.5)
    canvas.body(shell, WHITE, depth=5, dark=0.10, rim=0.55)
    canvas.stroke(shell, 3.4, WHITE)
    for side in (0, 180):
        canvas.stroke(canvas.arc(19.5, side - 58, side + 58), 4.6, WHITE)
    canvas.fill(canvas.circle(6.8), WHITE)
    return canvas.rgba()


def podium() -> Pixels:
    """Three steps, 560 × 240: second at the left, first in the middle, third at the right; tops are 160 px wide."""
    canvas = Canvas(560, 240, origin=(280, 240), detail=3)
    steps: list[tuple[float, float, Color, int]] = [
        (-165, 118, STEEL, 2),
        (165, 84, (1.0, 0.50, 0.26), 3),
        (0, 164, AMBER, 1),
    ]
    for middle, height, color, place in steps:
        half = 80.0
        face = canvas.polygon(
            [(middle - half, 14), (middle - half, -height), (middle + half, -height), (middle + half, 14)]
        )
        canvas.glow(face, 30.0, color, 0.5)
        canvas.lay(INK, canvas.edge(face))
        level = 0.05 + 0.34 * np.clip(1 + (canvas.y + height) / -150.0, 0, 1) ** 2
        canvas.lay(np.asarray(color) * level[..., None], canvas.edge(face) * 0.95)
        top = canvas.polygon(
            [
                (middle - half, -height),
                (middle - half + 20, -height - 22),
                (middle + half - 20, -height - 22),
                (middle + half, -height),
            ]
        )
        canvas.lay(INK, canvas.edge(top))
        canvas.body(top, color, depth=7, dark=0.22, rim=0.6)
        canvas.neon(top, 2.4, color, reach=9, strength=0.35, hot=0.5)
        canvas.neon(face, 2.8, color, reach=9, strength=0.35, hot=0.6)
        for i in range(place):
            x = middle + (i - (place - 1) / 2) * 26
            bar = canvas.line([(x, -height + 26), (x, -height + 58)])
            canvas.neon(bar, 6.0, mix(color, WHITE, 0.35), reach=14, strength=0.6, hot=0.8)
    canvas.cut(np.clip((canvas.y + 34) / 34, 0, 1) ** 1.5)
    return canvas.rgba(AMBER)


def icon() -> Pixels:
    """The disc caught at its third bounce in a corner of neon wall, 256 px."""
    canvas = Canvas(256, 256, detail=3)
    tile = canvas.box(122, 122, 44)
    fall = np.clip((canvas.y + 128) / 256, 0, 1)[..., None]
    canvas.lay(np.asarray((0.09, 0.10, 0.24)) * (1 - fall) + np.asarray((0.03, 0.03, 0.08)) * fall, canvas.edge(tile))
    inside = canvas.edge(tile)
    colors = _gradient(canvas, -110, 110, [CYAN, VIOLET, MAGENTA])
    path: list[Point] = [(-128, -26), (-52, 74), (34, -22)]
    flight = canvas.line(path)
    fade = np.clip((canvas.x + 120) / 170, 0.12, 1)
    canvas.lay(colors, 0.7 * halo(flight, 30) * fade * inside)
    canvas.lay(colors, canvas.edge(flight - 4) * fade * inside)
    canvas.lay(WHITE, np.exp(-((flight / 2.2) ** 2)) * fade * inside)
    wall = canvas.line([(-140, 90), (140, 90)])
    canvas.lay(CYAN, 0.6 * halo(wall, 30) * inside)
    canvas.lay(CYAN, canvas.edge(wall - 5) * inside)
    canvas.lay(WHITE, np.exp(-((wall / 2.2) ** 2)) * 0.9 * inside)
    for ray in range(7):
        at: Point = (-52, 78)
        length = (26, 40, 30, 46, 34, 42, 24)[ray]
        canvas.lay(WHITE, np.exp(-((canvas.line([at, polar(length, -18 - 24 * ray, at)]) / 1.6) ** 2)) * 0.85 * inside)
    canvas.lay(WHITE, 0.9 * halo(canvas.circle(0, (-52, 80)), 26) * inside)
    center: Point = (34, -22)
    plate = canvas.circle(58, center)
    canvas.lay(MAGENTA, 0.75 * halo(plate.clip(min=0), 44) * inside)
    canvas.lay((0.07, 0.03, 0.12), canvas.edge(plate))
    canvas.lay(MAGENTA, 0.34 * np.exp(plate.clip(max=0) / 12) * canvas.edge(plate))
    for blade in range(3):
        at_angle = 120.0 * blade - 62
        rim = canvas.arc(58, at_angle, at_angle + 96, center)
        canvas.lay(MAGENTA, 0.5 * halo(rim, 16))
        canvas.lay(mix(MAGENTA, WHITE, 0.18), canvas.edge(rim - 6))
        canvas.lay(WHITE, np.exp(-((rim / 2.8) ** 2)) * 0.95)
    for pip in regular(3, 22, -90, center):
        dot = canvas.circle(10.5, pip)
        canvas.lay(MAGENTA, 0.7 * halo(dot.clip(min=0), 18))
        canvas.lay(WHITE, canvas.edge(dot))
    canvas.lay(colors, canvas.edge(np.abs(tile + 2) - 2) * 0.75)
    canvas.cut(canvas.edge(-tile))
    return canvas.rgba(INK)
