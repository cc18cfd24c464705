"""What a connection tells the game, as events for its dispatcher.

They hold plain values only, so they can be journalled and replayed. A peer is known by a number: a client knows its
server as `SERVER`; a server counts the clients that connect from 1 and never gives a number twice.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

M = TypeVar("M")
E = TypeVar("E")

SERVER = 0
"""The number by which a client knows its server."""


class Reason(enum.Enum):
    """Why a connection ended. The value is the sentence for people."""

    LEFT = "the other side left"
    CLOSED = "closed on this side"
    TIMED_OUT = "the other side fell silent"
    MISBEHAVED = "the other side sent what no correct peer sends"
    TOO_SLOW = "too many messages were waiting for the other side"


class Refusal(enum.Enum):
    """Why a client did not get connected. The value is the sentence for people."""

    FULL = "the server is full, or turned us away"
    NO_ANSWER = "no answer from the server: it may be down, unreachable over UDP, or run another build"
    BROKEN_OFF = "the server answered, then fell silent"
    TOKEN_EXPIRED = "the connect token expired before a server was reached; ask for a new one"
    OTHER_BUILD = "the connect token is for another game, or another build of it"


@dataclass(slots=True)
class Connected:
    """A peer is there. On a server `client_id` is the player's, as its token says, and `user` what else that says."""

    peer: int
    client_id: int
    address: str
    user: str


@dataclass(slots=True)
class Received(Generic[M]):
    """`Received[Chat]`: a message from a peer."""

    peer: int
    message: M


@dataclass(slots=True)
class Settled:
    """What became of a message that was sent with `track`; with `arrived` false it is taken for lost."""

    peer: int
    ticket: int
    arrived: bool


@dataclass(slots=True)
class Disconnected:
    """A peer that was `Connected` is gone."""

    peer: int
    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.value} ({self.detail})" if self.detail else self.reason.value


@dataclass(slots=True)
class Refused:
    """A client did not get connected, and has stopped trying."""

    reason: Refusal
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.value} ({self.detail})" if self.detail else self.reason.value


Event = Connected | Received[Any] | Settled | Disconnected | Refused


class Poster(Protocol):
    """Where events are posted: a dispatcher, as far as the network needs one."""

    def post_as(self, key: Any, event: object) -> None: ...


def event_key(event: Event) -> Any:
    """The type under which handlers subscribe to an event: its class, or `Received[...]` of its message's class."""
    if type(event) is Received:
        return Received[type(event.message)]
    return type(event)


def post_event(poster: Poster, event: Event) -> None:
    """Post an event where handlers of its type get it."""
    poster.post_as(event_key(event), event)


class Router(Poster, Protocol):
    """A dispatcher, as far as `route_messages` needs one."""

    def subscribe(self, key: type[E], handler: Callable[[Any, E], object]) -> object: ...


def route_messages(dispatcher: Router) -> None:
    """Let handlers of `Received[Chat]` have what is posted as plain `Received`.

    For a scene: what it takes in from outside, or from a journal, it posts by class. The handlers are called in the
    next pass of the same stage.
    """

    def route(context: object, event: Received[Any]) -> None:
        dispatcher.post_as(Received[type(event.message)], event)

    dispatcher.subscribe(Received, route)
