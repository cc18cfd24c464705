"""The eight hulls, each its own outline so that colour is never the only sign; all point to +x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .paint import WHITE, Canvas, Field, Pixels, Point, bezier, grey, mirrored, polar, regular

SIZE = 96


@dataclass(frozen=True)
class Hull:
    outline: list[Point]
    seams: list[list[Point]]  # thin lines on the hull
    cockpit: Callable[[Canvas], Field]
    nozzles: list[Point]
    marks: list[list[Point]] = field(default_factory=list[list[Point]])  # short bright lines


def both(*lines: list[Point]) -> list[list[Point]]:
    """The lines and their mirror images across the hull's axis."""
    return [*lines, *([(x, -y) for x, y in line] for line in lines)]


def _arrow() -> Hull:
    return Hull(
        outline=mirrored([(31, 0), (-22, -23), (-25, -20), (-13, 0)]),
        seams=both([(12, -4), (-17, -17)], [(-13, 0), (2, 0)]),
        cockpit=lambda c: c.polygon([(17, 0), (7, -3.6), (2, 0), (7, 3.6)]),
        nozzles=[(-18, -10), (-18, 10)],
    )


def _wedge() -> Hull:
    return Hull(
        outline=mirrored([(25, -5), (22, -9), (-19, -25), (-25, -25), (-25, 0)]),
        seams=both([(18, -5), (-14, -18), (-14, 0)]),
        cockpit=lambda c: c.box(5.5, 3.6, 3.2, (8, 0)),
        nozzles=[(-25, -14), (-25, 0), (-25, 14)],
        marks=[[(25, -4), (25, 4)]],
    )


def _fork() -> Hull:
    return Hull(
        outline=mirrored([(3, 0), (-1, -7.5), (30, -9), (30, -13), (8, -23), (-17, -23), (-26, -12), (-26, 0)]),
        seams=both([(24, -12.5), (6, -18), (-14, -18), (-20, -10)], [(-1, -7.5), (-14, -18)]),
        cockpit=lambda c: c.circle(4.2, (-10, 0)),
        nozzles=[(-26, -4.5), (-26, 4.5)],
        marks=both([(30, -9.5), (30, -12.5)]),
    )


def _kite() -> Hull:
    return Hull(
        outline=mirrored([(30, 0), (5, -23), (-30, 0)]),
        seams=[*both([(19, -2.5), (4.5, -16), (-20, -2.5)]), [(4, -12), (4, 12)]],
        cockpit=lambda c: c.polygon([(19, 0), (9, -5), (5, 0), (9, 5)]),
        nozzles=[(-28, 0)],
    )


def _hex() -> Hull:
    return Hull(
        outline=regular(6, 27.5),
        seams=[[polar(14.5, 60.0 * i) for i in (0, 1, 2, 3, 4, 5, 0)]],
        cockpit=lambda c: c.circle(5.0),
        nozzles=[(-24, -5), (-24, 5)],
        marks=[[(17, -8), (21.5, 0), (17, 8)]],
    )


def _crescent() -> Hull:
    front = bezier((27, 0), (27, -15), (9, -28), (-27, -24))
    back = bezier((-27, -24), (-12, -21), (-2, -11), (-2, 0))
    return Hull(
        outline=mirrored([*front, *back[1:]]),
        seams=both(bezier((20, -2), (19, -12), (6, -21), (-14, -22.5))),
        cockpit=lambda c: c.box(4.0, 5.0, 4.0, (13, 0)),
        nozzles=[(-3, -6), (-3, 6)],
        marks=both([(-27, -24), (-21, -23)]),
    )


def _manta() -> Hull:
    nose = bezier((26, 0), (24, -8), (12, -8), (6, -13))
    wing = bezier((6, -13), (0, -19), (-5, -27), (-15, -30))
    trail = bezier((-15, -30), (-11, -20), (-14, -9), (-19, -4))
    return Hull(
        outline=mirrored([*nose, *wing[1:], *trail[1:], (-31, 0)]),
        seams=both(bezier((14, -4), (6, -6), (-2, -13), (-11, -24)), bezier((8, 0), (0, -2), (-10, -4), (-15, -6))),
        cockpit=lambda c: c.polygon([(21, 0), (14, -3.6), (6, 0), (14, 3.6)]),
        nozzles=[(-18, -7), (-18, 7)],
    )


def _needle() -> Hull:
    return Hull(
        outline=mirrored([(34, 0), (8, -6), (-4, -7.5), (-13, -21), (-22, -21), (-19, -8), (-28, -5), (-28, 0)]),
        seams=both([(-6, -7), (-18, -7)], [(22, 0), (10, -3), (-4, -4), (-4, 0)]),
        cockpit=lambda c: c.box(7.0, 2.2, 2.2, (6, 0)),
        nozzles=[(-28, 0)],
        marks=both([(-14, -21), (-21, -21)]),
    )


HULLS: dict[str, Callable[[], Hull]] = {
    "arrow": _arrow,
    "wedge": _wedge,
    "fork": _fork,
    "kite": _kite,
    "hex": _hex,
    "crescent": _crescent,
    "manta": _manta,
    "needle": _needle,
}


def hull(name: str) -> Pixels:
    """The part that takes the player's colour."""
    shape = HULLS[name]()
    canvas = Canvas(SIZE, SIZE)
    outline = canvas.polygon(shape.outline)
    canvas.glow(outline, 17.0, WHITE, 0.50)
    canvas.body(outline, WHITE, depth=3.6, dark=0.11, rim=0.62)
    for seam in shape.seams:
        canvas.stroke(canvas.line(seam), 1.1, grey(0.62), 0.75)
    cockpit = shape.cockpit(canvas)
    canvas.glow(outside(cockpit), 6.0, WHITE, 0.35)
    canvas.fill(cockpit, grey(0.92))
    for at in shape.nozzles:
        canvas.fill(canvas.circle(2.6, at), grey(0.85))
    canvas.stroke(outline, 2.7, WHITE)
    for mark in shape.marks:
        canvas.stroke(canvas.line(mark), 3.2, WHITE)
    return canvas.rgba()


def core(name: str) -> Pixels:
    """The white heat of the tubes, laid untinted over the tinted hull."""
    shape = HULLS[name]()
    canvas = Canvas(SIZE, SIZE)
    canvas.stroke(canvas.polygon(shape.outline), 1.0, WHITE, 0.80)
    canvas.fill(shape.cockpit(canvas) + 1.2, WHITE, 0.80)
    for mark in shape.marks:
        canvas.stroke(canvas.line(mark), 1.6, WHITE, 0.9)
    return canvas.rgba()


def outside(distance: Field) -> Field:
    return distance.clip(min=0.0)


def flame(frame: int) -> Pixels:
    """One of four flickers, 48 × 32, the nozzle at the right edge's middle."""
    length, waist = ((30, 6.4), (36, 5.6), (27, 6.8), (40, 5.2))[frame]
    canvas = Canvas(48, 32, origin=(44, 16))
    plume = bezier((0, -waist * 0.72), (-length * 0.30, -waist * 1.5), (-length * 0.6, -waist * 0.5), (-length, 0))
    outer = canvas.polygon(mirrored(plume))
    along = (1 + canvas.x / length).clip(0, 1)
    canvas.glow(outside(outer), 9.0, WHITE, 0.50)
    canvas.lay(WHITE, (0.12 - outer / 3.2).clip(0, 1) * (0.25 + 0.75 * along))
    inner = canvas.line([(0, 0), (-length * 0.45, 0)])
    canvas.lay(WHITE, np.exp(-((inner / (waist * 0.42)) ** 2)) * (0.2 + 0.8 * along))
    # The glow must not end in a wall at the nozzle's edge of the frame.
    canvas.cut((canvas.x - 1.0).clip(0) / 3.0)
    return canvas.rgba()
