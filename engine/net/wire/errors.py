"""The two ways the wire can go wrong: theirs (`ProtocolError`) and ours (`SchemaError`, `EncodeError`)."""

from engine.errors import TickwireError


class ProtocolError(TickwireError):
    """Bytes from a peer that no correct peer sends. The only exception a decoder raises, whatever it is fed."""


class SchemaError(TickwireError, TypeError):
    """A message type that has no wire form. Raised when a `Protocol` is built, never while a game runs."""


class EncodeError(TickwireError, ValueError):
    """A message value outside what its schema allows. Raised by the sender, before anything is sent."""
