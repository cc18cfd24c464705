"""What lies about in the arena: discs, shields, bumpers, crates, the ball, pickups and their pads."""

from __future__ import annotations

import math

import numpy as np

from .paint import (
    AMBER,
    BLACK,
    CYAN,
    INK,
    LIME,
    MAGENTA,
    STEEL,
    VIOLET,
    WHITE,
    Canvas,
    Color,
    Pixels,
    Point,
    grey,
    mix,
    polar,
    regular,
    strip,
)

DISC_FRAMES = 6
PIPS: dict[int, list[Point]] = {
    0: [],
    1: [(0.0, 0.0)],
    2: [(-3.1, 0.0), (3.1, 0.0)],
    3: [polar(3.6, -90), polar(3.6, 30), polar(3.6, 150)],
}


def disc(bounces: int) -> Pixels:
    """Six frames of a third of a turn. The pips stand still, to be counted; the rim's teeth grow with them."""
    return strip([_disc_frame(bounces, 120.0 * i / DISC_FRAMES) for i in range(DISC_FRAMES)])


def disc_core(bounces: int) -> Pixels:
    """The disc's white heat, laid untinted over every frame: the pips, and a thread of light in the rim."""
    canvas = Canvas(48, 48, detail=6)
    canvas.stroke(canvas.circle(10.6), 0.9, WHITE, 0.7)
    for pip in PIPS[bounces]:
        canvas.fill(canvas.circle(1.9, pip), WHITE)
    return canvas.rgba()


def _disc_frame(bounces: int, turn: float) -> Pixels:
    canvas = Canvas(48, 48, detail=6)
    rim = canvas.circle(10.6)
    canvas.glow(rim, 11.0 + bounces * 1.0, WHITE, 0.50 + 0.08 * bounces)
    canvas.body(canvas.circle(10.6), WHITE, depth=2.2, dark=0.08, rim=0.42)
    for blade in range(3):
        at = turn + 120.0 * blade
        canvas.stroke(canvas.arc(10.6, at - 38, at + 38), 2.7, WHITE)
        canvas.stroke(canvas.arc(10.6, at + 38, at + 82), 1.2, grey(0.75))
        if bounces > 0:
            reach = 12.4 + 1.1 * bounces
            tooth = [polar(10.6, at + 12), polar(reach, at + 38), polar(10.6, at + 36)]
            canvas.fill(canvas.polygon(tooth) - 0.5, WHITE)
    if bounces == 0:
        canvas.stroke(canvas.circle(4.2), 1.4, grey(0.72))
    for pip in PIPS[bounces]:
        canvas.fill(canvas.circle(2.25, pip), WHITE)
    return canvas.rgba()


def shield() -> Pixels:
    """An arc of 120° around +x at 36 px, built of three plates."""
    canvas = Canvas(112, 112)
    band = canvas.arc(36, -60, 60)
    inward = np.hypot(canvas.x, canvas.y)
    angle = np.abs(np.arctan2(canvas.y, canvas.x))
    sector = np.clip((math.radians(60) - angle) * 20, 0, 1)
    canvas.lay(WHITE, 0.55 * sector * np.clip((inward - 20) / 16, 0, 1) ** 2 * canvas.edge(inward - 36))
    canvas.glow(band, 17.0, WHITE, 0.55)
    for start in (-60, -19, 22):
        canvas.stroke(canvas.arc(36, start, start + 38), 4.0, WHITE)
        canvas.stroke(canvas.arc(31, start + 4, start + 34), 1.0, WHITE, 0.55)
    for end in (-60, 60):
        canvas.fill(canvas.circle(2.6, polar(36, end)), WHITE)
    return canvas.rgba()


def bumper(lit: bool) -> Pixels:
    """Radius 36: a hexagonal heart in a ring, with three chevrons that push outwards."""
    canvas = Canvas(120, 120)
    color: Color = mix(AMBER, WHITE, 0.35) if lit else AMBER
    ring = canvas.circle(34.6)
    canvas.glow(ring, 25.0 if lit else 17.0, AMBER, 0.95 if lit else 0.42)
    canvas.body(ring, AMBER, depth=11.0 if lit else 7.0, dark=0.26 if lit else 0.07, rim=0.9 if lit else 0.42)
    for i in range(6):
        point, back = polar(28.5, 60.0 * i + 30), 22.5
        wings = [polar(back, 60.0 * i + 14), point, polar(back, 60.0 * i + 46)]
        canvas.stroke(canvas.line(wings), 2.2, color if lit else mix(AMBER, BLACK, 0.32))
    heart = canvas.polygon(regular(6, 13.5, 30))
    canvas.neon(heart, 2.0, color, reach=10, strength=0.9 if lit else 0.3)
    canvas.fill(canvas.polygon(regular(6, 7.5, 30)), WHITE if lit else mix(AMBER, BLACK, 0.25))
    canvas.neon(ring, 3.6, color, reach=6.0, strength=0.4, hot=1.0 if lit else 0.6)
    canvas.stroke(canvas.circle(30.6), 1.0, color, 0.5)
    return canvas.rgba(AMBER)


CRACKS: dict[int, list[list[Point]]] = {
    0: [],
    1: [
        [(-24, -8), (-15, -11), (-9, -4), (0, -7), (4, 1)],
        [(-9, -4), (-12, 5)],
        [(24, 12), (15, 10), (11, 15), (6, 13)],
    ],
    2: [
        [(-24, -8), (-15, -11), (-9, -4), (0, -7), (4, 1), (13, -2), (24, -9)],
        [(-9, -4), (-12, 5), (-6, 12), (-9, 24)],
        [(24, 12), (15, 10), (11, 15), (6, 13), (4, 1)],
        [(0, -7), (3, -16), (0, -24)],
        [(-12, 5), (-19, 8), (-24, 16)],
    ],
}


def crate(damage: int) -> Pixels:
    """A 48 px box: whole, cracked, or nearly broken with two corners gone."""
    canvas = Canvas(80, 80)
    color = mix(STEEL, (1.0, 0.50, 0.30), (0.0, 0.0, 0.85)[damage])
    box = canvas.box(22.6, 22.6, 3.0)
    if damage == 2:
        top = [(-22.0, -22.0), (7.0, -22.0), (11.0, -16.5), (17.0, -16.0), (22.0, -9.0)]
        box = canvas.polygon([*top, (22.0, 22.0), (-9.0, 22.0), (-13.0, 16.5), (-18.5, 15.5), (-22.0, 10.0)]) - 0.6
    canvas.glow(box, 13.0, color, 0.36)
    canvas.body(box, color, depth=6.5, dark=0.10, rim=0.42)
    inside = canvas.edge(box)
    for slope in (1.0, -1.0):
        brace = np.abs(canvas.y - slope * canvas.x) / math.sqrt(2)
        field = np.maximum(brace - 2.4, canvas.box(16.2, 16.2))
        canvas.lay(mix(color, BLACK, 0.55), canvas.edge(field) * inside)
    canvas.lay(mix(color, BLACK, 0.30), canvas.edge(np.abs(canvas.box(16.4, 16.4, 1.5)) - 0.7) * inside)
    for sx in (-1, 1):
        for sy in (-1, 1):
            canvas.lay(color, canvas.edge(canvas.circle(1.5, (19.5 * sx, 19.5 * sy))) * inside)
    for crack in CRACKS[damage]:
        field = canvas.line(crack)
        canvas.lay((1.0, 0.50, 0.24), 0.55 * np.exp(-((field / 3.2) ** 2)) * inside)
        canvas.lay((1.0, 0.86, 0.66), canvas.edge(field - 0.65) * inside)
    canvas.stroke(box, 2.5, color)
    canvas.stroke(box, 0.9, mix(color, WHITE, 0.6), 0.8)
    return canvas.rgba(color)


def ball() -> Pixels:
    """96 px across and heavy: a steel sphere of plates with a violet heart; its marks show that it turns."""
    canvas = Canvas(144, 144)
    rim = canvas.circle(46.5)
    canvas.glow(rim, 23.0, VIOLET, 0.50)
    depth = np.sqrt(np.clip(1 - (canvas.x**2 + canvas.y**2) / 46.5**2, 0, 1))
    canvas.lay(
        np.asarray(mix(VIOLET, STEEL, 0.4)) * (0.10 + 0.50 * (1 - depth) ** 1.5)[..., None], canvas.edge(rim) * 0.96
    )
    plate = regular(6, 19.0, 0)
    for i in range(6):
        outer = [polar(19.0, 60.0 * i), polar(31.0, 60.0 * i)]
        left, right = polar(40.5, 60.0 * i - 17), polar(40.5, 60.0 * i + 17)
        for line in (outer, [outer[1], left], [outer[1], right]):
            canvas.lay(VIOLET, canvas.edge(canvas.line(line) - 0.9) * 0.85)
        wedge = canvas.arc(40.5, 60.0 * i + 17, 60.0 * i + 43)
        canvas.stroke(wedge, 1.8, VIOLET, 0.85)
    heart = canvas.polygon(plate)
    canvas.body(heart, VIOLET, depth=7.0, dark=0.18, rim=0.75)
    canvas.neon(heart, 2.4, mix(VIOLET, WHITE, 0.25), reach=11, strength=0.6, hot=0.8)
    triangle = canvas.polygon(regular(3, 8.5, -90))
    canvas.glow(triangle.clip(min=0), 8, WHITE, 0.5)
    canvas.fill(triangle - 0.8, mix(VIOLET, WHITE, 0.8))
    canvas.neon(rim, 4.0, mix(VIOLET, WHITE, 0.2), reach=7, strength=0.4, hot=0.9)
    return canvas.rgba(VIOLET)


def _token(color: Color, sides: int, first: float) -> Canvas:
    """The plate under a pickup's sign; its number of sides differs too."""
    canvas = Canvas(72, 72)
    plate = canvas.polygon(regular(sides, 20.5, first)) - 3.0 if sides else canvas.circle(21.5)
    canvas.glow(plate, 14.0, color, 0.50)
    canvas.body(plate, color, depth=5.0, dark=0.10, rim=0.50)
    canvas.neon(plate, 2.3, color, reach=5, strength=0.3, hot=0.7)
    return canvas


def pickup(kind: str) -> Pixels:
    """``triple``, ``overcharge``, ``repair`` or ``dash``: 44 px across; plate, sign and colour all differ."""
    if kind == "triple":
        color = CYAN
        canvas = _token(color, 3, -90)
        for at in (polar(7.2, -90, (0, 1)), polar(7.2, 30, (0, 1)), polar(7.2, 150, (0, 1))):
            canvas.neon(canvas.circle(3.9, at), 2.1, mix(color, WHITE, 0.55), reach=6, strength=0.35)
        return canvas.rgba(color)
    if kind == "overcharge":
        color = AMBER
        canvas = _token(color, 4, 0)
        bolt = canvas.polygon([(3, -13), (-7.5, 2), (-1, 2), (-3, 13), (7.5, -2.5), (1, -2.5)])
        canvas.glow(bolt.clip(min=0), 8, color, 0.6)
        canvas.fill(bolt - 0.4, mix(color, WHITE, 0.7))
        return canvas.rgba(color)
    if kind == "repair":
        color = LIME
        canvas = _token(color, 0, 0)
        cross = np.minimum(canvas.box(11.5, 3.9, 1.2), canvas.box(3.9, 11.5, 1.2))
        canvas.glow(cross.clip(min=0), 8, color, 0.6)
        canvas.fill(cross, mix(color, WHITE, 0.7))
        return canvas.rgba(color)
    color = MAGENTA
    canvas = _token(color, 6, 0)
    for i, opacity in enumerate((0.45, 0.75, 1.0)):
        x = -8.5 + 7.5 * i
        chevron = canvas.line([(x - 2.5, -8.5), (x + 4.5, 0), (x - 2.5, 8.5)])
        canvas.glow(chevron, 6, color, 0.3 * opacity)
        canvas.stroke(chevron, 3.3, mix(color, WHITE, 0.65), opacity)
    return canvas.rgba(color)


def pad() -> Pixels:
    """The socket a pickup hovers over; white, for the game to tint by what comes next."""
    canvas = Canvas(112, 112)
    canvas.glow(canvas.circle(38), 15.0, WHITE, 0.25)
    canvas.lay(grey(0.10), canvas.edge(canvas.circle(38)) * 0.55)
    for i in range(4):
        canvas.stroke(canvas.arc(38, 90 * i + 12, 90 * i + 78), 2.4, grey(0.9))
        x, y = polar(38, 90 * i)
        tip, left, right = polar(31, 90 * i), polar(40, 90 * i - 6), polar(40, 90 * i + 6)
        canvas.fill(canvas.polygon([tip, left, (x, y), right]) - 0.4, WHITE)
    for i in range(24):
        canvas.stroke(canvas.line([polar(29, 15 * i + 7.5), polar(32, 15 * i + 7.5)]), 1.3, grey(0.7), 0.6)
    canvas.stroke(canvas.circle(26), 1.0, grey(0.7), 0.5)
    return canvas.rgba()


def ground() -> Pixels:
    """A 256 px tile of floor, seamless: fine lines each 64 px, a brighter one at the tile's edge, small crosses."""
    canvas = Canvas(256, 256, origin=(0, 0), detail=2)
    canvas.lay(INK, 1.0)
    wave_x, wave_y = (np.cos(2 * math.pi * axis / 256) for axis in (canvas.x, canvas.y))
    canvas.lay((0.055, 0.086, 0.180), 0.22 + 0.10 * (wave_x + wave_y))
    for step, color, opacity, reach in ((64, (0.10, 0.18, 0.33), 0.42, 3.0), (256, (0.12, 0.26, 0.46), 0.60, 7.0)):
        for axis in (canvas.x, canvas.y):
            off = np.abs((axis + step / 2) % step - step / 2)
            canvas.lay(color, 0.30 * opacity * halo_of(off, reach))
            canvas.lay(color, canvas.edge(off - 0.5) * opacity)
    off_x, off_y = (np.abs((axis + 64) % 128 - 64) for axis in (canvas.x, canvas.y))
    cross = np.minimum(np.maximum(off_x - 4.5, off_y - 0.6), np.maximum(off_y - 4.5, off_x - 0.6))
    canvas.lay((0.24, 0.46, 0.68), canvas.edge(cross) * 0.60)
    return canvas.rgb()


def halo_of(off: np.ndarray, reach: float) -> np.ndarray:
    return np.exp(-((off / reach) ** 2))
