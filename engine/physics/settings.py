"""How a space simulates. Part of the state: change a field at any time, it counts from the next step."""

from __future__ import annotations

from math import inf, isfinite, isnan

from engine.ecs import Resource
from engine.physics.errors import PhysicsError


class PhysicsSettings(Resource):
    """The space's settings, in world units and seconds."""

    gravity: tuple[float, float] = (0.0, 0.0)
    iterations: int = 10
    """Passes of the solver over all contacts and joints; more make stacks stiffer."""
    substeps: int = 1
    """Steps a tick; more keep fast small things from passing through thin walls."""
    damping: float = 1.0
    """The part of every velocity that is left after a second; 1 leaves all of it."""
    sleep_after: float = inf
    """Seconds of rest after which a group of bodies sleeps and costs nothing; infinite turns sleeping off."""
    sleep_speed: float = 0.0
    """The speed below which a body rests; 0 takes one that fits the gravity."""
    slop: float = 0.1
    """How far bodies may overlap; a little of it steadies contacts."""
    bias: float = 0.9**60
    """The part of an overlap that is left after a second."""

    def check(self) -> None:
        """Raises `PhysicsError` if a value is not one the solver can take."""
        if not (isfinite(self.gravity[0]) and isfinite(self.gravity[1])):
            raise PhysicsError(f"PhysicsSettings.gravity is {self.gravity}; it must be finite")
        if self.iterations < 1 or self.substeps < 1:
            raise PhysicsError(
                f"PhysicsSettings.iterations is {self.iterations} and substeps {self.substeps}; both are at least 1"
            )
        for name in ("damping", "sleep_speed", "slop", "bias"):
            value = getattr(self, name)
            if not isfinite(value) or value < 0:
                raise PhysicsError(f"PhysicsSettings.{name} is {value}; it must be finite and not negative")
        if isnan(self.sleep_after) or self.sleep_after <= 0:
            raise PhysicsError(f"PhysicsSettings.sleep_after is {self.sleep_after}; it must be greater than 0")
