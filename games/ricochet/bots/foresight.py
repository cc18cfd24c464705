"""Foresight: where a disc would fly if it were thrown now, off how many walls, and whom it would pass how closely.

Many directions are tried at once, as whole arrays; crates, and whoever flies in between, are not thought of.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from games.ricochet import tuning
from games.ricochet.arena import Arena

Floats = NDArray[np.float64]

FURTHEST = 5000.0
"""No flight between two bounces is longer, units."""


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
    """The walls of one arena as lines and its bumpers as circles, for throwing discs in thought."""

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
        self.bx = np.array([bumper.x for bumper in arena.bumpers])
        self.by = np.array([bumper.y for bumper in arena.bumpers])
        self.radius = np.array([bumper.radius + tuning.DISC_RADIUS for bumper in arena.bumpers])

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
        """How far each ray is from the first thing on its way, and the normal there."""
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
        length = np.minimum(far[np.arange(len(px)), first], FURTHEST)
        return self._meet_bumpers(px, py, dx, dy, length, self.nx[first], self.ny[first])

    def _meet_bumpers(
        self, px: Floats, py: Floats, dx: Floats, dy: Floats, length: Floats, nx: Floats, ny: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """The same, given what is known of the walls."""
        if not len(self.radius):
            return length, nx, ny
        rx, ry = px[:, None] - self.bx, py[:, None] - self.by
        half = rx * dx[:, None] + ry * dy[:, None]
        under = half * half - rx * rx - ry * ry + self.radius * self.radius
        far = -half - np.sqrt(np.maximum(under, 0.0))
        far = np.where((under > 0) & (far > 1e-6), far, np.inf)
        each, first = np.arange(len(px)), np.argmin(far, axis=1)
        nearest = far[each, first]
        on = nearest < length
        length = np.where(on, nearest, length)
        nx = np.where(on, (rx[each, first] + dx * length) / self.radius[first], nx)
        ny = np.where(on, (ry[each, first] + dy * length) / self.radius[first], ny)
        return length, nx, ny


def misses(leg: Leg, speed: float, x: float, y: float, vx: float, vy: float) -> Floats:
    """How closely discs of `speed` pass, on this leg, something that is at (x, y) now and flies on at (vx, vy)."""
    since = leg.start / speed
    rx, ry = leg.x - x - vx * since, leg.y - y - vy * since
    wx, wy = leg.dx * speed - vx, leg.dy * speed - vy
    when = np.clip(-(rx * wx + ry * wy) / (wx * wx + wy * wy), 0, leg.length / speed)
    return np.hypot(rx + wx * when, ry + wy * when)
