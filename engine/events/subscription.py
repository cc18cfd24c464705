"""Subscriptions: one handler bound to one event type, with its place in the order and where it was registered."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Phase(IntEnum):
    """The first rank of a handler among those of the same event.

    Within a phase, the higher priority goes first; within a priority, the earlier registration.
    """

    EARLY = 0
    """Before the rules: reading, checking, preparing."""
    MAIN = 1
    """The rules themselves. The default."""
    LATE = 2
    """After the rules: reactions to what they decided, such as sounds and scores."""


@dataclass(eq=False)
class Subscription:
    """Handed out by `subscribe`; `cancel()` ends it at once, also from inside a handler."""

    key: Any
    handler: Callable[[Any, Any], object]
    batch: bool
    phase: Phase
    priority: int
    serial: int
    site: str
    forget: Callable[[Subscription], None]
    active: bool = True
    failures: int = 0
    places: list[tuple[list[Any], int]] = field(default_factory=list[tuple[list[Any], int]])
    """Where this handler stands in call lists that may be running; `cancel` blanks them."""

    @property
    def rank(self) -> tuple[int, int, int]:
        return (self.phase, -self.priority, self.serial)

    @property
    def name(self) -> str:
        """The handler's qualified name."""
        return getattr(self.handler, "__qualname__", repr(self.handler))

    def cancel(self) -> None:
        """End the subscription; the handler is not called again. Cancelling twice is harmless."""
        if self.active:
            self.active = False
            for calls, place in self.places:
                calls[place] = _nothing
            self.places.clear()
            self.forget(self)

    def __str__(self) -> str:
        return f"{self.name} (registered at {self.site})"


def _nothing(context: object, event: object) -> None:
    """Stands in a running call list for a handler that was cancelled."""


def call_site(depth: int) -> str:
    """`file:line` of the caller `depth` frames up."""
    frame = sys._getframe(depth)  # pyright: ignore[reportPrivateUsage]
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def event_name(key: Any) -> str:
    """How an event type is written in messages: `Hit`, `ContactBegan[Disc, Hull]`."""
    arguments = getattr(key, "__args__", None)
    if arguments is None:
        return getattr(key, "__name__", repr(key))
    inner = ", ".join(getattr(argument, "__name__", repr(argument)) for argument in arguments)
    return f"{key.__origin__.__name__}[{inner}]"
