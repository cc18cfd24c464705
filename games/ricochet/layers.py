"""What collides with what."""

from __future__ import annotations

from enum import IntFlag


class Layer(IntFlag):
    """One bit a kind of body."""

    BORDER = 1
    WALL = 2
    BUMPER = 4
    CRATE = 8
    BALL = 16
    SHIP = 32
    DISC = 64

    SOLID = BORDER | WALL | BUMPER | CRATE
    """What stands still, blocks the way, and hides what is behind it."""
    EVERYTHING = SOLID | BALL | SHIP | DISC
