"""The dispatcher: events in, handlers called, in one declared order.

An event is any object; its key is its class, exactly, or a subscripted generic such as `ContactBegan[Disc, Hull]` when
posted with `post_as`. `post` queues, `deliver` empties the queue in passes (what a handler posts waits for the next
pass), `trigger` delivers at once. Knows no world and no clock: handlers get the `context` it was made with.

Hot path: per key there is one list of callables, built on first use and thrown away when subscriptions change. A
handler subscribed while an event is being delivered is called from the next event on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from engine.events.cascade import CauseNotes, Link, shown_chain
from engine.events.errors import CascadeError, EventError
from engine.events.failure import Failure, OnError, label, log, log_failure, shown
from engine.events.queued import Keyed, Owed, event_of, key_of
from engine.events.subscription import (
    PLAIN_KEYS,
    Call,
    CallList,
    Phase,
    Subscription,
    call_site,
    check_handler,
    check_key,
    event_name,
)

X = TypeVar("X")
E = TypeVar("E")

NOTED_PASSES = 12
"""In how many of the last passes before a cascade is given up the causes of events are noted."""


class Tracer(Protocol):
    """Sees every handler call while it is set; see `engine.events.trace`."""

    def around(self, subscription: Subscription, call: Call) -> Call:
        """What to call instead of `call`, the handler of `subscription`."""
        ...


class Dispatcher(Generic[X]):
    """Delivers events to handlers `handler(context, event)`.

    `deliver` gives up a cascade as endless after `depth` passes, or when handlers have posted more than `flood` events
    in it. `patience` and `on_failure` are for `OnError.ISOLATE`: after how many failures a handler is disabled, and
    who is told (the log, unless given). `deliver` may be called from inside a handler: it then delivers what has been
    posted so far, and the pass it was called in goes on after it.
    """

    def __init__(
        self,
        context: X,
        *,
        on_error: OnError = OnError.RAISE,
        patience: int = 10,
        depth: int = 64,
        flood: int = 500_000,
        on_failure: Callable[[Failure], None] | None = None,
    ) -> None:
        for name, value in (("patience", patience), ("depth", depth), ("flood", flood)):
            if value < 1:
                raise EventError(f"{name} is {value!r}; it must be at least 1")
        self.context = context
        self.on_error = on_error
        self.patience = patience
        self.depth = depth
        self.flood = flood
        self.on_failure = on_failure or log_failure
        self.witness: Callable[[Sequence[object]], object] | None = None
        """Told of what a pass is about to deliver; see `key_of` and `event_of`. Must not raise, keep the list, or post.
        None, the default, costs nothing."""
        self.version = 0
        """Changes whenever a subscription is made or cancelled."""
        self._queue: list[object] = []
        self.post: Callable[[object], None] = self._queue.append
        """Queue an event for the next pass, from any thread. Bound straight to the queue: as cheap as appending."""
        self._subscriptions: dict[Any, list[Subscription]] = {}
        self._calls: dict[Any, CallList] = {}
        self._stamp = 0
        """Changes whenever some of them are no longer the ones to use."""
        self._batched: Counter[Any] = Counter()
        """How many batch handlers each key has, of those that have any."""
        self._serial = 0
        self._tracer: Tracer | None = None
        self._notes: CauseNotes | None = None

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
        """Call `handler(context, event)` for every event of type `key`.

        `site` is where messages say it was registered; without it, the line that calls this. Raises `EventError` if
        `key` is no event type, or `handler` cannot be called so.
        """
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
        """Call `handler(context, events)` once a pass with all events of type `key`, after the pass's single handlers.

        A triggered event makes a batch of one. Otherwise like `subscribe`.
        """
        return self._subscribe(key, handler, True, phase, priority, site or call_site(2))

    def _subscribe(self, key: Any, handler: Call, batch: bool, phase: Phase, priority: int, site: str) -> Subscription:
        check_key(key, site)
        check_handler(handler, batch, site)
        self._serial += 1
        made = Subscription(key, handler, batch, Phase(phase), priority, self._serial, site, self._forget)
        self._subscriptions.setdefault(key, []).append(made)
        if batch:
            self._batched[key] += 1
        self._changed(key)
        return made

    def _forget(self, subscription: Subscription) -> None:
        key = subscription.key
        siblings = self._subscriptions[key]
        siblings.remove(subscription)
        if not siblings:
            del self._subscriptions[key]
        if subscription.batch:
            self._batched[key] -= 1
            if not self._batched[key]:
                del self._batched[key]
        self._changed(key)

    def _changed(self, key: Any) -> None:
        self.version += 1
        self._calls.pop(key, None)
        self._stamp += 1

    def _build_anew(self) -> None:
        self._calls.clear()
        self._stamp += 1

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
        """Queue an event under an explicit key, from any thread: `post_as(Added[Hull], Added(entity))`.

        Raises `EventError` if `key` is no event type.
        """
        if type(key) not in PLAIN_KEYS:
            check_key(key, call_site(2))
        self._queue.append(Keyed(key, event))

    @property
    def pending(self) -> int:
        """How many events are queued. What an error left of a broken-off pass counts as one."""
        return len(self._queue)

    def clear(self) -> None:
        """Drop what is queued."""
        self._queue.clear()

    def trigger(self, event: object) -> None:
        """Deliver one event now, before anything queued.

        An error that a handler lets out (see `OnError.RAISE`) comes out here, and the handlers after it are not called.
        """
        calls = self._calls.get(type(event))
        if calls is None:
            calls = self._build(type(event))
        context = self.context
        call: Any = None
        try:
            for call in calls:
                call(context, event)
        except BaseException as error:
            owed = self._owed(calls, call, event)
            self._failed(owed, error)
            self._finish(owed)
        if calls.batch:
            self._finish(Owed(calls.batch, [event]))

    def trigger_as(self, key: Any, event: object) -> None:
        """Deliver one event now under an explicit key. Raises `EventError` if `key` is no event type."""
        if type(key) not in PLAIN_KEYS:
            check_key(key, call_site(2))
        calls = self._calls.get(key)
        if calls is None:
            calls = self._build(key)
        context = self.context
        call: Any = None
        try:
            for call in calls:
                call(context, event)
        except BaseException as error:
            owed = self._owed(calls, call, event)
            self._failed(owed, error)
            self._finish(owed)
        if calls.batch:
            self._finish(Owed(calls.batch, [event]))

    def deliver(self) -> int:
        """Deliver what is queued, pass after pass, until nothing is left. Returns the number of passes.

        A cascade that is given up raises `CascadeError` under `OnError.RAISE`; under `OnError.ISOLATE` it counts as a
        failure of the last handler in its chain. What is queued then is dropped.
        """
        queue = self._queue
        passes = posted = 0
        batch: list[object] = []
        outer = self._notes
        notes: CauseNotes | None = None
        try:
            while queue:
                passes += 1
                before, batch = batch, queue[:]
                del queue[: len(batch)]  # not clear(): another thread may have posted in between
                if passes > 1:
                    posted += len(batch)
                if passes > self.depth or posted > self.flood:
                    self._give_up(passes - 1, posted, before, batch)
                    break
                if notes is None and (passes > self.depth - NOTED_PASSES or posted > self.flood // 16):
                    notes = self._notes = CauseNotes(queue)
                    self._build_anew()
                if notes is not None:
                    notes.next_pass()
                if self.witness is not None:
                    self.witness(batch)
                self._pass(batch)
        finally:
            if notes is not None:
                self._notes = outer
                self._build_anew()
        return passes

    def _pass(self, batch: list[object]) -> None:
        known = self._calls
        context = self.context
        rest = iter(batch)
        owed: Owed | None = None
        groups: dict[Any, list[object]] | None = None
        call: Any = None
        last: Any = None
        stamp = self._stamp
        again: Any = None
        try:
            for event in rest:
                calls = known.get(type(event))
                if calls is None:
                    if type(event) is Keyed:
                        key, event = event.key, event.event
                        if key is last and stamp == self._stamp:
                            calls = again  # the hash of a generic key takes as long as a short handler
                        else:
                            calls = known.get(key)
                            if calls is None:
                                calls = self._build(key)
                            last, again, stamp = key, calls, self._stamp
                    elif type(event) is Owed:
                        owed = event
                        self._finish(owed)
                        continue
                    else:
                        calls = self._build(type(event))
                try:
                    for call in calls:
                        call(context, event)
                except BaseException as error:
                    owed = self._owed(calls, call, event)
                    self._failed(owed, error)
                    self._finish(owed)
            groups = self._groups(batch)
            while groups:
                key = next(iter(groups))
                calls = known.get(key)
                if calls is None:
                    calls = self._build(key)
                events = groups.pop(key)
                if calls.batch:
                    owed = Owed(calls.batch, events)
                    self._finish(owed)
        except BaseException:
            left = list(rest)
            if groups is None:
                groups = self._groups(batch[: len(batch) - len(left)])
            first = Owed(CallList(()), None) if owed is None else owed
            first.groups = groups
            self._queue[:0] = left if first.settled else [first, *left]
            raise

    def _groups(self, batch: list[object]) -> dict[Any, list[object]]:
        """The events of a pass that have batch handlers, by key, in order."""
        groups: dict[Any, list[object]] = {}
        batched = self._batched
        if not batched:
            return groups
        last: Any = None
        group: list[object] | None = None
        for queued in batch:
            if type(queued) is Owed:
                for key, events in queued.groups.items():
                    groups.setdefault(key, []).extend(events)
            elif type(queued) is Keyed:
                if queued.key is not last:
                    last = queued.key
                    group = groups.setdefault(last, []) if last in batched else None
                if group is not None:
                    group.append(queued.event)
            elif type(queued) in batched:
                groups.setdefault(type(queued), []).append(queued)
        return groups

    def _build(self, key: Any) -> CallList:
        """Make the call list of `key`."""
        singles: list[tuple[Subscription, Call]] = []
        batches: list[tuple[Subscription, Call]] = []
        seen: set[int] = set()
        for subscription in self.subscriptions(key):
            call = subscription.handler
            if self._tracer is not None:
                call = self._tracer.around(subscription, call)
            if self._notes is not None:
                call = self._notes.around(subscription, call)
            if id(call) in seen:
                call = partial(call)  # the same function twice: entries must differ, so that a failing one is found
            seen.add(id(call))
            (batches if subscription.batch else singles).append((subscription, call))
        calls = self._calls[key] = CallList(singles, CallList(batches) if batches else None)
        return calls

    # Failures

    def _owed(self, calls: CallList, call: Call, event: object) -> Owed:
        """What is left to do of `event` after `call` failed."""
        return Owed(calls, event, calls.place(call) + 1)

    def _finish(self, owed: Owed) -> None:
        """Make the calls that are owed. It is up to date also when an error is let out."""
        calls = owed.calls
        while owed.place < len(calls):
            call = calls[owed.place]
            owed.place += 1
            try:
                call(self.context, owed.event)
            except BaseException as error:
                self._failed(owed, error)

    def _failed(self, owed: Owed, error: BaseException) -> None:
        """Let out or report the failure of the call before `owed.place`."""
        if not owed.place or not isinstance(error, Exception):
            raise error
        subscription = owed.calls.subscriptions[owed.place - 1]
        if self.on_error is OnError.RAISE:
            label(error, subscription, owed.event)
            raise error
        self._isolate(subscription, owed.event, error)

    def _isolate(self, subscription: Subscription, event: object, error: Exception) -> None:
        subscription.failures += 1
        disabled = subscription.active and subscription.failures >= self.patience
        if disabled:
            subscription.cancel()
        try:
            self.on_failure(Failure(event, subscription, error, disabled))
        except Exception:
            log.exception("on_failure raised when told that %s raised %s", subscription, shown(error))

    def _give_up(self, passes: int, posted: int, before: list[object], batch: list[object]) -> None:
        """Report a cascade: its last pass delivered `before`, and `batch` came of that."""
        chain = self._notes.chain() if self._notes is not None else []
        kind, many = Counter(map(key_of, batch)).most_common(1)[0]
        if not chain:  # so many at once that no causes were noted
            common = (key for key, _ in Counter(map(key_of, before)).most_common() if self.listens(key))
            key = next(common, None)
            if key is not None:
                event = next(event_of(queued) for queued in before if key_of(queued) == key)
                culprit = self.subscriptions(key)[0]
                chain = [Link(culprit, [event] if culprit.batch else event, None)]
        error = CascadeError(
            f"events were still being posted after {passes} passes ({posted} by handlers, {many} of the last are "
            f"{event_name(kind)}): … → {shown_chain(chain)} → …; one of these handlers must stop posting, or the "
            "dispatcher needs a greater depth or flood"
        )
        if self.on_error is OnError.RAISE:
            raise error
        if chain:
            self._isolate(chain[-1].subscription, chain[-1].event, error)
        else:
            log.error("%s", error)

    # Tracing

    @property
    def tracer(self) -> Tracer | None:
        """What sees every handler call; None, the default, costs nothing."""
        return self._tracer

    @tracer.setter
    def tracer(self, tracer: Tracer | None) -> None:
        self._tracer = tracer
        self._build_anew()
