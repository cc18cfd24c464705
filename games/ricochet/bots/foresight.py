"""Foresight: where a disc would fly if it were thrown now, off how many walls, and whom it would pass how closely.

Many directions are tried at once, as whole arrays; bumpers, crates and whoever flies in between are not thought of.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from games.ricochet import tuning
from games.ricochet.arena import Arena

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Leg:
    """Straight flights between two bounces, one a direction tried; all arrays of shape (directions,)."""

    x: Floats
    y: Floats
    dx: Floats
    dy: Floats
    """Direction, of length 1."""
    start: Floats
    """Way flown before, units."""
    length: Floats


class Foresight:
    """The walls of one arena as lines, for throwing discs in thought."""

    def __init__(self, arena: Arena) -> None:
        pieces = [(a, b, wall.thickness) for wall in arena.walls for a, b in pairwise(wall.points) if a != b]
        a = np.array([piece[0] for piece in pieces])
        along = np.array([piece[1] for piece in pieces]) - a
        self.length = np.hypot(along[:, 0], along[:, 1])
        self.ax, self.ay = a[:, 0], a[:, 1]
        self.ex, self.ey = along[:, 0] / self.length, along[:, 1] / self.length
        self.nx, self.ny = -self.ey, self.ex
        self.reach = np.array([piece[2] for piece in pieces]) / 2 + tuning.DISC_RADIUS
        self.level = self.ax * self.nx + self.ay * self.ny

    def fly(self, x: float, y: float, angles: Floats, bounces: int) -> list[Leg]:
        """The first `bounces + 1` legs of discs thrown from (x, y) in these directions."""
        px, py = np.full(len(angles), x), np.full(len(angles), y)
        dx, dy = np.cos(angles), np.sin(angles)
        flown = np.zeros(len(angles))
        legs: list[Leg] = []
        for _ in range(bounces + 1):
            length, nx, ny = self._meet(px, py, dx, dy)
            legs.append(Leg(px, py, dx, dy, flown, length))
            px, py, flown = px + dx * length, py + dy * length, flown + length
            into = 2 * (dx * nx + dy * ny)
            dx, dy = dx - into * nx, dy - into * ny
        return legs

    def _meet(self, px: Floats, py: Floats, dx: Floats, dy: Floats) -> tuple[Floats, Floats, Floats]:
        """How far each ray is from the first wall on its way, and that wall's normal."""
        across = np.outer(dx, self.nx) + np.outer(dy, self.ny)
        height = np.outer(px, self.nx) + np.outer(py, self.ny) - self.level
        side = np.where(height >= 0, self.reach, -self.reach)
        with np.errstate(divide="ignore", invalid="ignore"):
            far = (side - height) / across
            along = np.outer(px, self.ex) + np.outer(py, self.ey) - (self.ax * self.ex + self.ay * self.ey)
            along += far * (np.outer(dx, self.ex) + np.outer(dy, self.ey))
            on = (far > 1e-6) & (along >= -self.reach) & (along <= self.length + self.reach) & (across * height < 0)
        far = np.where(on, far, np.inf)
        first = np.argmin(far, axis=1)
        length = np.minimum(far[np.arange(len(px)), first], 5000.0)
        return length, self.nx[first], self.ny[first]


@cache
def foresight_of(arena: Arena) -> Foresight:
    """The foresight of an arena, made once."""
    return Foresight(arena)


def misses(leg: Leg, speed: float, x: float, y: float, vx: float, vy: float) -> Floats:
    """How closely discs of `speed` pass, on this leg, something that is at (x, y) now and flies on at (vx, vy)."""
    since = leg.start / speed
    rx, ry = leg.x - x - vx * since, leg.y - y - vy * since
    wx, wy = leg.dx * speed - vx, leg.dy * speed - vy
    when = np.clip(-(rx * wx + ry * wy) / (wx * wx + wy * wy), 0, leg.length / speed)
    return np.hypot(rx + wx * when, ry + wy * when)
