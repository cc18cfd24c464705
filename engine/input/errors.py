"""What can go wrong with input."""

from engine.errors import TickwireError


class InputError(TickwireError):
    """A binding or a bindings file makes no sense; the message names it and the cure."""
