"""What can go wrong in physics."""

from engine.errors import TickwireError


class PhysicsError(TickwireError):
    """A body, shape, joint or query is given something it cannot take; the message names it and the cure."""
