"""Subscriptions: one handler bound to one event type, with its place in the order and where it was registered."""

from __future__ import annotations

import inspect
import sys
import types
import typing
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Generic, TypeVar

from engine.events.errors import EventError

E = TypeVar("E")

Call = Callable[[Any, Any], object]
"""A handler as the dispatcher calls it: `call(context, event)`, or `call(context, events)` for a batch."""


class _Sample(Generic[E]):
    pass


PLAIN_KEYS = frozenset({type, type(_Sample[int]), types.GenericAlias})
"""The classes of nearly all keys; `check_key` need not look closer at these to find them possible."""


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


@dataclass(eq=False, repr=False)
class Subscription:
    """Handed out by `subscribe`; `cancel()` ends it at once, also from inside a handler."""

    key: Any
    handler: Call
    batch: bool
    phase: Phase
    priority: int
    serial: int
    """The order of registration in the dispatcher."""
    site: str
    """Where it was registered, as `file:line`."""
    forget: Callable[[Subscription], None]
    active: bool = True
    failures: int = 0
    """How often the handler raised and the dispatcher went on."""
    _places: list[tuple[weakref.ref[CallList], int]] = field(default_factory=list[Any], init=False)

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sorts subscriptions of one key in the order they are called."""
        return (self.phase, -self.priority, self.serial)

    @property
    def name(self) -> str:
        """The handler's qualified name."""
        return getattr(self.handler, "__qualname__", None) or repr(self.handler)

    def cancel(self) -> None:
        """End the subscription; the handler is not called again. Cancelling twice is harmless."""
        if self.active:
            self.active = False
            for reference, place in self._places:
                calls = reference()
                if calls is not None:
                    calls[place] = _nothing
            self._places.clear()
            self.forget(self)

    def stands_in(self, calls: CallList, place: int) -> None:
        """Note a call list that may be running when this is cancelled. Lists that are gone are dropped."""
        self._places = [known for known in self._places if known[0]() is not None]
        self._places.append((weakref.ref(calls), place))

    def __str__(self) -> str:
        return f"{self.name} (registered at {self.site})"

    def __repr__(self) -> str:
        return f"<Subscription to {event_name(self.key)}: {self}{'' if self.active else ', cancelled'}>"


class CallList(list[Call]):
    """What to call for one event type, in order.

    Its length never changes. Cancelling blanks an entry in place, so a loop over the list needs no check.
    """

    __slots__ = ("__weakref__", "batch", "made", "subscriptions")

    def __init__(self, bound: Iterable[tuple[Subscription, Call]], batch: CallList | None = None) -> None:
        pairs = list(bound)
        super().__init__(call for _, call in pairs)
        self.made = tuple(self)
        """The entries as they were before any was blanked, to find a failing call in. No two are the same object."""
        self.subscriptions = tuple(subscription for subscription, _ in pairs)
        self.batch = batch
        """What to call with all events of the type at the end of a pass, if anything."""
        for place, subscription in enumerate(self.subscriptions):
            subscription.stands_in(self, place)

    def place(self, call: Call) -> int:
        """Where `call` stands, or stood until it was blanked; -1 if nowhere."""
        return next((place for place, made in enumerate(self.made) if made is call), -1)


def _nothing(context: object, event: object) -> None:
    """Stands in a call list for a handler that was cancelled."""


def call_site(depth: int) -> str:
    """`file:line` of the caller `depth` frames up: 1 is the caller of this, 2 the caller's caller."""
    frame = sys._getframe(depth)  # pyright: ignore[reportPrivateUsage]
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def event_name(key: Any) -> str:
    """How an event type is written in messages: `Hit`, `ContactBegan[Disc, Hull]`."""
    arguments = typing.get_args(key)
    if not arguments:
        return getattr(key, "__name__", None) or repr(key)
    return f"{event_name(typing.get_origin(key))}[{', '.join(event_name(argument) for argument in arguments)}]"


def check_key(key: Any, site: str) -> None:
    """Raise `EventError` unless `key` can be the type of an event."""
    if type(key) is type:
        return
    origin = typing.get_origin(key)
    kind = origin or key
    if not isinstance(kind, type) or kind in (Any, typing.Annotated, typing.Union, types.UnionType):
        cure = "use a class, or a generic such as Added[Hull]; for one of several types, subscribe to each"
        raise EventError(f"{key!r} at {site} is no event type; {cure}")
    if origin is not None and getattr(key, "__parameters__", ()):
        raise EventError(f"{event_name(key)} at {site} is open; put a class where its type variable stands")


def check_handler(handler: Any, batch: bool, site: str) -> None:
    """Raise `EventError` unless `handler` can be called with a context and an event."""
    wanted = f"handler(context, {'events' if batch else 'event'})"
    if not callable(handler):
        raise EventError(f"the handler at {site} is {handler!r}, which cannot be called; give {wanted}")
    if inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None)):  # noqa: B004
        raise EventError(
            f"the handler at {site} is a coroutine, which nothing would await; "
            "make it a plain function that starts a task and posts an event when that is done"
        )
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return  # some built-ins do not tell
    try:
        signature.bind(None, None)
    except TypeError:
        name = getattr(handler, "__qualname__", None) or repr(handler)
        raise EventError(f"the handler at {site} is {name}{signature}; it is called as {wanted}") from None
