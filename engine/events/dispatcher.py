"""The dispatcher: events in, handlers called, in one declared order.

An event is any object; its key is its class, or a subscripted generic such as `ContactBegan[Disc, Hull]` when
posted with `post_as`. `post` queues, `deliver` empties the queue in passes (what a handler posts waits for the next
pass), `trigger` delivers at once. Knows no world and no clock: handlers get the `context` it was made with.

Hot path: per key there is one list of callables, built on first use and thrown away when subscriptions change.
Cancelling blanks the entry in place, so a running loop needs no check.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from engine.events.errors import CascadeError, EventError
from engine.events.subscription import Phase, Subscription, call_site, event_name

X = TypeVar("X")
E = TypeVar("E")

Call = Callable[[Any, Any], object]

log = logging.getLogger("tickwire.events")

CHAIN_SHOWN = 12
"""How many last passes of a cascade are traced to show its chain."""


class OnError(Enum):
    """What happens when a handler raises."""

    RAISE = "raise"
    """Let it out, with a note naming the event and the handler. For development and tests."""
    ISOLATE = "isolate"
    """Report it and go on; disable the handler after `patience` failures. For hosting."""


@dataclass(slots=True)
class Failure:
    """A handler raised."""

    event: object
    subscription: Subscription
    error: Exception
    disabled: bool

    def __str__(self) -> str:
        end = f"; disabled after {self.subscription.failures} failures" if self.disabled else ""
        kind = event_name(self.subscription.key)
        return f"{self.subscription} raised {self.error!r} on {kind}: {_shorten(self.event)}{end}"


class Tracer(Protocol):
    """Sees every handler call while it is set; see `engine.events.trace`."""

    def around(self, subscription: Subscription, call: Call) -> Call: ...


@dataclass(slots=True)
class _Keyed:
    """A queued event whose key is not its class."""

    key: Any
    event: object


class Dispatcher(Generic[X]):
    """Delivers events to handlers `handler(context, event)`.

    `depth` is the number of passes after which `deliver` calls a cascade endless.
    """

    def __init__(
        self,
        context: X,
        *,
        on_error: OnError = OnError.RAISE,
        patience: int = 10,
        depth: int = 64,
        on_failure: Callable[[Failure], None] | None = None,
    ) -> None:
        self.context = context
        self.on_error = on_error
        self.patience = patience
        self.depth = depth
        self.on_failure = on_failure or _log_failure
        self.version = 0
        """Changes whenever a subscription is made or cancelled."""
        self._queue: list[object] = []
        self.post: Callable[[object], None] = self._queue.append
        """Queue an event for the next pass. Bound straight to the queue: posting is as cheap as appending."""
        self._subscriptions: dict[Any, list[Subscription]] = {}
        self._calls: dict[Any, list[Call]] = {}
        self._batch_calls: dict[Any, list[Call]] = {}
        self._batch_keys = False
        self._serial = 0
        self._tracer: Tracer | None = None

    # Subscribing

    def subscribe(
        self,
        key: type[E],
        handler: Callable[[X, E], object],
        *,
        phase: Phase = Phase.MAIN,
        priority: int = 0,
        site: str | None = None,
    ) -> Subscription:
        """Call `handler(context, event)` for every event of type `key`."""
        return self._subscribe(key, handler, False, phase, priority, site or call_site(2))

    def subscribe_batch(
        self,
        key: type[E],
        handler: Callable[[X, Sequence[E]], object],
        *,
        phase: Phase = Phase.MAIN,
        priority: int = 0,
        site: str | None = None,
    ) -> Subscription:
        """Call `handler(context, events)` once a pass with all events of type `key`, after the pass's single handlers."""
        return self._subscribe(key, handler, True, phase, priority, site or call_site(2))

    def _subscribe(self, key: Any, handler: Call, batch: bool, phase: Phase, priority: int, site: str) -> Subscription:
        if not (isinstance(key, type) or hasattr(key, "__origin__")):
            raise EventError(
                f"{key!r} at {site} is no event type; subscribe to a class, or to a generic such as Added[Hull]"
            )
        self._serial += 1
        made = Subscription(key, handler, batch, Phase(phase), priority, self._serial, site, self._forget)
        self._subscriptions.setdefault(key, []).append(made)
        self._changed(key)
        return made

    def _forget(self, subscription: Subscription) -> None:
        siblings = self._subscriptions[subscription.key]
        siblings.remove(subscription)
        if not siblings:
            del self._subscriptions[subscription.key]
        self._changed(subscription.key)

    def _changed(self, key: Any) -> None:
        self.version += 1
        self._calls.pop(key, None)
        self._batch_calls.pop(key, None)
        self._batch_keys = any(s.batch for group in self._subscriptions.values() for s in group)

    def listens(self, key: Any) -> bool:
        """Whether anybody would be called for events of this key."""
        return key in self._subscriptions

    def keys(self) -> list[Any]:
        """The subscribed event types, in order of first subscription."""
        return list(self._subscriptions)

    def subscriptions(self, key: Any) -> list[Subscription]:
        """The subscriptions to `key`, in the order they are called."""
        return sorted(self._subscriptions.get(key, ()), key=lambda s: s.rank)

    # Posting and delivering

    def post_as(self, key: Any, event: object) -> None:
        """Queue an event under an explicit key: `post_as(Added[Hull], Added(entity))`."""
        self._queue.append(_Keyed(key, event))

    @property
    def pending(self) -> int:
        """How many events are queued."""
        return len(self._queue)

    def trigger(self, event: object) -> None:
        """Deliver one event now, before anything queued."""
        key = type(event)
        calls = self._calls.get(key)
        if calls is None:
            calls = self._build(key)
        context = self.context
        call: Any = None
        try:
            for call in calls:
                call(context, event)
        except Exception as error:
            self._raised(calls, call, event, error)
        if self._batch_keys:
            self._run_batches({key: [event]})

    def trigger_as(self, key: Any, event: object) -> None:
        """Deliver one event now under an explicit key."""
        self._run_one(key, event)
        if self._batch_keys:
            self._run_batches({key: [event]})

    def deliver(self) -> int:
        """Deliver what is queued, pass after pass, until nothing is left. Returns the number of passes.

        Raises `CascadeError` after `depth` passes; what is still queued then is dropped.
        """
        queue = self._queue
        passes = 0
        causes: list[dict[int, str]] = []
        while queue:
            passes += 1
            if passes > self.depth:
                error = CascadeError(self._describe_cascade(causes))
                queue.clear()
                raise error
            batch = queue.copy()
            queue.clear()
            if passes > self.depth - CHAIN_SHOWN:
                causes.append(self._pass_with_causes(batch))
            else:
                self._pass(batch)
        return passes

    def _pass(self, batch: list[object]) -> None:
        known = self._calls
        context = self.context
        event: Any = None
        call: Any = None
        for event in batch:
            calls = known.get(type(event))
            if calls is None:
                if type(event) is _Keyed:
                    self._run_one(event.key, event.event, batch, event)
                    continue
                calls = self._build(type(event))
            try:
                for call in calls:
                    call(context, event)
            except Exception as error:
                self._raised(calls, call, event, error, batch, event)
        if self._batch_keys:
            self._run_batches(self._group(batch))

    def _run_one(self, key: Any, event: object, batch: list[object] | None = None, queued: object = None) -> None:
        calls = self._calls.get(key)
        if calls is None:
            calls = self._build(key)
        call: Any = None
        try:
            for call in calls:
                call(self.context, event)
        except Exception as error:
            self._raised(calls, call, event, error, batch, queued)

    def _group(self, batch: list[object]) -> dict[Any, list[object]]:
        groups: dict[Any, list[object]] = {}
        for event in batch:
            if type(event) is _Keyed:
                groups.setdefault(event.key, []).append(event.event)
            else:
                groups.setdefault(type(event), []).append(event)
        return groups

    def _run_batches(self, groups: dict[Any, list[object]]) -> None:
        for key, events in groups.items():
            calls = self._batch_calls.get(key)
            if calls is None:
                self._build(key)
                calls = self._batch_calls[key]
            call: Any = None
            try:
                for call in calls:
                    call(self.context, events)
            except Exception as error:
                self._raised(calls, call, events, error)

    def _build(self, key: Any) -> list[Call]:
        """Make the call lists of `key`."""
        singles: list[Call] = []
        batches: list[Call] = []
        for subscription in self.subscriptions(key):
            calls = batches if subscription.batch else singles
            call = subscription.handler
            if self._tracer is not None:
                call = self._tracer.around(subscription, call)
            if call in calls:
                call = partial(call)  # the same function twice: entries must differ, so that a failing one is found
            subscription.places.append((calls, len(calls)))
            calls.append(call)
        self._calls[key] = singles
        self._batch_calls[key] = batches
        return singles

    # Failures

    def _raised(
        self,
        calls: list[Call],
        call: Call,
        event: object,
        error: Exception,
        batch: list[object] | None = None,
        queued: object = None,
    ) -> None:
        """Deal with a failed call, then go on with the handlers after it."""
        while True:
            place = next((i for i, entry in enumerate(calls) if entry is call), len(calls) - 1)
            subscription = self._at(calls, place)
            if self.on_error is OnError.RAISE or subscription is None:
                if subscription is not None:
                    kind = event_name(subscription.key)
                    error.add_note(f"in {subscription}, handling {kind}: {_shorten(event)}")
                if batch is not None:
                    rest = next(i for i, entry in enumerate(batch) if entry is queued) + 1
                    self._queue[:0] = batch[rest:]
                raise error
            self._isolate(subscription, event, error)
            for call in calls[place + 1 :]:
                try:
                    call(self.context, event)
                except Exception as another:
                    error = another
                    break
            else:
                return

    def _at(self, calls: list[Call], place: int) -> Subscription | None:
        for group in self._subscriptions.values():
            for subscription in group:
                if any(where is calls and at == place for where, at in subscription.places):
                    return subscription
        return None

    def _isolate(self, subscription: Subscription, event: object, error: Exception) -> None:
        subscription.failures += 1
        disabled = subscription.failures >= self.patience
        if disabled:
            subscription.cancel()
        self.on_failure(Failure(event, subscription, error, disabled))

    # Cascades

    def _pass_with_causes(self, batch: list[object]) -> dict[int, str]:
        """One slow pass that notes, for each event posted in it, which event and handler posted it."""
        causes: dict[int, str] = {}
        for queued in batch:
            key = queued.key if isinstance(queued, _Keyed) else type(queued)
            event = queued.event if isinstance(queued, _Keyed) else queued
            if key not in self._calls:
                self._build(key)
            for call in self._calls[key].copy():
                before = len(self._queue)
                try:
                    call(self.context, event)
                except Exception as error:
                    self._raised([call], call, event, error) if self.on_error is OnError.RAISE else None
                for posted in self._queue[before:]:
                    causes[id(posted)] = f"{event_name(key)} → {getattr(call, '__qualname__', call)}"
        if self._batch_keys:
            self._run_batches(self._group(batch))
        return causes

    def _describe_cascade(self, causes: list[dict[int, str]]) -> str:
        last = self._queue[0]
        key = last.key if isinstance(last, _Keyed) else type(last)
        links = [next(iter(step.values()), "?") for step in causes]
        return (
            f"events were still being posted after {self.depth} passes: … {' → '.join(links)} → {event_name(key)}; "
            "one of these handlers must stop posting, or the dispatcher needs a greater depth"
        )

    # Tracing

    @property
    def tracer(self) -> Tracer | None:
        """What sees every handler call; None, the default, costs nothing."""
        return self._tracer

    @tracer.setter
    def tracer(self, tracer: Tracer | None) -> None:
        self._tracer = tracer
        self._calls.clear()
        self._batch_calls.clear()


def _shorten(event: object) -> str:
    text = repr(event)
    return text if len(text) <= 200 else text[:197] + "…"


def _log_failure(failure: Failure) -> None:
    log.error("%s", failure, exc_info=failure.error)
