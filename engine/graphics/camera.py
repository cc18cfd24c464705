"""The camera: which part of the world is seen, and how it follows, shakes and gives way."""

from __future__ import annotations

from math import exp, floor, hypot, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.ecs import Entity, World
from engine.graphics.color import Color
from engine.graphics.placement import place_of

KICK_RETURN = 14.0
"""How fast a kick is taken back, per second."""
SHAKE_RATE = 31.0
"""How many times a second a shake changes its direction."""


class Rect(NamedTuple):
    """An area with its top left corner at (x, y)."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies in the area; the right and bottom edges do not belong to it."""
        return self.x <= x < self.right and self.y <= y < self.bottom


class View(NamedTuple):
    """What a camera shows in one image: the world point in the middle, and the screen's size in virtual pixels."""

    x: float
    y: float
    zoom: float
    width: float
    height: float

    def to_screen(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """World columns as screen columns."""
        return (x - self.x) * self.zoom + self.width / 2, (y - self.y) * self.zoom + self.height / 2

    @property
    def area(self) -> Rect:
        """The part of the world that is shown."""
        width, height = self.width / self.zoom, self.height / self.zoom
        return Rect(self.x - width / 2, self.y - height / 2, width, height)


class Camera:
    """A resource of every world that is drawn. Its point (`x`, `y`) is shown in the middle of the screen::

    camera = world.resource(Camera)
    camera.follow(ship, stiffness=8)
    camera.shake(12, 0.3)
    """

    def __init__(self, width: float = 1280.0, height: float = 720.0) -> None:
        self.x = width / 2
        self.y = height / 2
        self.zoom = 1.0
        """Screen pixels per world unit."""
        self.width = width
        """Of the screen, in virtual pixels; the graphics plugin keeps it to the renderer's size."""
        self.height = height
        self.bounds: Rect | None = None
        """World area that the view does not leave; where it is smaller than the view it is centred."""
        self.background: int | None = Color.BLACK
        """What an image is filled with before this world is drawn, if it is the lowest one; None where the world
        covers all of it anyway, as a tiling does."""
        self.effects = True
        """Whether shakes and kicks are shown. Players can switch them off; set it from their settings."""
        self.lead: tuple[float, float] = (0.0, 0.0)
        """World units the camera keeps ahead of the entity it follows, such as towards where it aims."""
        self._target: Entity | None = None
        self._stiffness = 8.0
        self._arrived = False
        self._shake = 0.0
        self._shake_length = 1.0
        self._shake_left = 0.0
        self._shake_time = 0.0
        self._kick = (0.0, 0.0)

    def follow(self, entity: Entity | None, *, stiffness: float = 8.0) -> None:
        """Stay with an entity, or with none. `stiffness` is the share of the way made up per second, as a rate:
        at 8 the distance halves in 0.09 s; `float("inf")` holds the entity in the middle. The first image jumps there.
        """
        if entity is None or self._target is None:
            self._arrived = False
        self._target = entity
        self._stiffness = stiffness

    @property
    def target(self) -> Entity | None:
        """The entity being followed."""
        return self._target

    def look_at(self, x: float, y: float) -> None:
        """Jump to a world point, and to the followed entity in the next image if there is one."""
        self.x, self.y = x, y
        self._arrived = False

    def shake(self, amount: float, seconds: float) -> None:
        """Tremble by up to `amount` virtual pixels, dying away over `seconds`. A stronger one replaces a weaker."""
        if amount >= self._shake * self._shake_left / self._shake_length:
            self._shake, self._shake_length, self._shake_left = amount, max(seconds, 1e-6), seconds

    def kick(self, dx: float, dy: float) -> None:
        """Push the picture by virtual pixels; it springs back at once."""
        self._kick = self._kick[0] + dx, self._kick[1] + dy

    def update(self, world: World, alpha: float, dt: float) -> None:
        """Move on by `dt` seconds. The graphics plugin calls this once per image."""
        target = self._target
        if target is not None and target.alive:
            place = place_of(world, target, alpha)
            if place is not None:
                self._approach(place[0] + self.lead[0], place[1] + self.lead[1], dt)
        self._shake_left = max(0.0, self._shake_left - dt)
        self._shake_time += dt
        back = exp(-KICK_RETURN * dt)
        self._kick = self._kick[0] * back, self._kick[1] * back

    def _approach(self, x: float, y: float, dt: float) -> None:
        share = 1.0 - exp(-self._stiffness * dt) if self._arrived and self._stiffness < 1e9 else 1.0
        self._arrived = True
        self.x += (x - self.x) * share
        self.y += (y - self.y) * share

    @property
    def shown(self) -> View:
        """What is drawn: the view within its bounds, moved by shake and kick."""
        x, y = self._within_bounds()
        if self.effects:
            x, y = x + self._kick[0] / self.zoom, y + self._kick[1] / self.zoom
            strength = self._shake * self._shake_left / self._shake_length / self.zoom
            if strength > 0.0:
                x += strength * _noise(self._shake_time * SHAKE_RATE)
                y += strength * _noise(self._shake_time * SHAKE_RATE + 1000.5)
        return View(x, y, self.zoom, self.width, self.height)

    @property
    def steady(self) -> View:
        """The view within its bounds, without shake and kick: what pointers are mapped with."""
        return View(*self._within_bounds(), self.zoom, self.width, self.height)

    @property
    def view(self) -> Rect:
        """The part of the world that is seen, without shake and kick."""
        return self.steady.area

    def screen_to_world(self, x: float, y: float) -> tuple[float, float]:
        """The world point under a virtual screen point. Shake and kick are left out, so aiming is not shaken."""
        here = self._within_bounds()
        return (x - self.width / 2) / self.zoom + here[0], (y - self.height / 2) / self.zoom + here[1]

    def world_to_screen(self, x: float, y: float) -> tuple[float, float]:
        """Where on the virtual screen a world point is, without shake and kick."""
        here = self._within_bounds()
        return (x - here[0]) * self.zoom + self.width / 2, (y - here[1]) * self.zoom + self.height / 2

    def sees(self, x: float, y: float, margin: float = 0.0) -> bool:
        """Whether a world point is in view, or at most `margin` world units outside."""
        area = self.view
        return area.x - margin <= x <= area.right + margin and area.y - margin <= y <= area.bottom + margin

    def distance(self, x: float, y: float) -> float:
        """World units from the middle of the view to a world point."""
        here = self._within_bounds()
        return hypot(x - here[0], y - here[1])

    def _within_bounds(self) -> tuple[float, float]:
        bounds = self.bounds
        if bounds is None:
            return self.x, self.y
        return (
            _clamped(self.x, bounds.x, bounds.width, self.width / self.zoom),
            _clamped(self.y, bounds.y, bounds.height, self.height / self.zoom),
        )


def _clamped(middle: float, start: float, length: float, seen: float) -> float:
    if seen >= length:
        return start + length / 2
    return min(max(middle, start + seen / 2), start + length - seen / 2)


def _noise(t: float) -> float:
    """Smooth value noise in -1 to 1, the same at the same time; cosmetic, so it needs no random source."""
    whole = floor(t)
    part = t - whole
    part = part * part * (3.0 - 2.0 * part)
    a, b = (_hash(whole), _hash(whole + 1))
    return a + (b - a) * part


def _hash(n: int) -> float:
    value = sin(n * 12.9898) * 43758.5453
    return 2.0 * (value - floor(value)) - 1.0
