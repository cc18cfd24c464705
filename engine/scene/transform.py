"""Where a thing is."""

from __future__ import annotations

from engine.ecs import F64, Component, f64


class Transform(Component):
    """Position in world units, x to the right and y down, and angle in radians, clockwise on the screen.

    One owner at a time: physics moves it for entities with a body, and whoever writes it teleports the body.
    """

    x: F64 = f64()
    y: F64 = f64()
    angle: F64 = f64()
