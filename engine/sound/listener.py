"""The listener: where the player's ears are, and so how loud and from which side a place is heard."""

from __future__ import annotations

from math import cos, hypot, pi

from engine.ecs import Resource

WIDEST = 0.85
"""How far to one side a sound goes at most: with nothing in the other ear it seems to sit inside the head."""


class Listener(Resource, local=True):
    """A resource of every world that is heard. Keep it where the camera is, each frame or each tick::

    listener = world.resource(Listener)
    listener.x, listener.y = camera.x, camera.y
    """

    x: float = 0.0
    y: float = 0.0
    near: float = 300.0
    """Up to this distance in world units a sound has its full volume ..."""
    far: float = 1800.0
    """... and from this one on it is not heard. In between the volume falls with the square of what is left."""
    width: float = 900.0
    """How far to the side a sound is heard from that side alone."""

    def loudness(self, x: float, y: float) -> float:
        """How much of a sound's volume arrives from (x, y), 0 to 1."""
        distance = hypot(x - self.x, y - self.y)
        if distance <= self.near:
            return 1.0
        if not distance < self.far:
            return 0.0
        return ((self.far - distance) / (self.far - self.near)) ** 2

    def pan(self, x: float) -> float:
        """The side that `x` is heard from, -1 (left) to 1."""
        if not self.width > 0:
            return 0.0
        return max(-WIDEST, min(WIDEST, (x - self.x) / self.width))

    def hears(self, x: float | None, y: float | None) -> tuple[float, float]:
        """Factors for the left and the right ear; 1 and 1 for a sound that has no place."""
        if x is None and y is None:
            return 1.0, 1.0
        x = self.x if x is None else x
        y = self.y if y is None else y
        loudness, pan = self.loudness(x, y), self.pan(x)
        away = cos(abs(pan) * pi / 2)
        return (loudness * away, loudness) if pan > 0 else (loudness, loudness * away)
