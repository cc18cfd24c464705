"""What can go wrong with events."""

from engine.errors import TickwireError


class EventError(TickwireError):
    """Base of all errors raised by `engine.events`."""


class CascadeError(EventError):
    """Handlers went on posting events to one another without end; the message shows the chain."""


class JournalError(EventError):
    """A journal cannot be read, or read only up to some point; the message says what and where."""
