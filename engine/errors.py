"""The root of all errors the engine raises on purpose: each message names what was wrong, where, and the cure."""


class TickwireError(Exception):
    """Base of the engine's own errors. The command line prints these as one line, without a traceback."""
