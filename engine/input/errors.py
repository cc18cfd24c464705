"""What can go wrong with input."""


class InputError(Exception):
    """A binding or a bindings file makes no sense; the message names it and the cure."""
