"""What can go wrong in the loop."""

from engine.errors import TickwireError


class AppError(TickwireError):
    """The application is put together or driven wrongly; the message names the cure."""


class ReplayError(AppError):
    """A replay cannot go on; the message says at which tick and why."""
