"""The chain of causes behind a cascade: which handler, called for which event, posted the next one.

Noting causes costs time per call, so a dispatcher does it only in the last passes before it gives up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from engine.events.queued import event_of, key_of
from engine.events.subscription import Call, Subscription, event_name


@dataclass(slots=True)
class Link:
    """One handler call, and the call that posted (or triggered) its event, as far back as is noted."""

    subscription: Subscription
    event: object
    cause: Link | None

    def chain(self) -> list[Link]:
        """The calls that led to this one, the first cause first."""
        link: Link | None = self
        chain: list[Link] = []
        while link is not None:
            chain.append(link)
            link = link.cause
        return chain[::-1]


Causes = dict[tuple[Any, int], tuple[object, Link]]
"""By key and identity of the event. The queued object is held along, so nothing else can take the identity."""


class CauseNotes:
    """Notes the causes of what handlers append to `queue`, pass by pass."""

    def __init__(self, queue: list[object]) -> None:
        self._queue = queue
        self._running: list[Link] = []
        self._causes: Causes = {}
        self._next: Causes = {}

    def next_pass(self) -> None:
        """What was posted so far is now being delivered."""
        self._causes, self._next = self._next, {}

    def around(self, subscription: Subscription, call: Call) -> Call:
        queue, running, key = self._queue, self._running, subscription.key

        def noted(context: object, event: object) -> None:
            one = cast("list[object]", event)[0] if subscription.batch else event
            cause = running[-1] if running else self._causes.get((key, id(one)), (None, None))[1]
            link = Link(subscription, event, cause)
            before = len(queue)
            running.append(link)
            try:
                call(context, event)
            finally:
                running.pop()
                for posted in queue[before:]:  # a nested call has noted its own already
                    self._next.setdefault((key_of(posted), id(event_of(posted))), (posted, link))

        return noted

    def chain(self) -> list[Link]:
        """The calls that led to an event queued last, by preference to one whose type causes itself."""
        first: list[Link] = []
        for (key, _), (_, link) in self._next.items():
            chain = link.chain()
            if any(call.subscription.key == key for call in chain):
                return chain
            first = first or chain
        return first


def shown_chain(chain: list[Link]) -> str:
    """`Ping → pong (registered at …) → Pong → ping (registered at …)`, once around if it goes in a circle."""
    called = [link.subscription for link in chain]
    for period in range(1, len(called) // 2 + 1):
        if called[-period:] == called[-2 * period : -period]:
            called = called[-period:]
            break
    return " → ".join(f"{event_name(subscription.key)} → {subscription}" for subscription in called)
