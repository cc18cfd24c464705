"""What happens when a handler raises: the policies, and the report of one failure."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from engine.events.subscription import Subscription, event_name

log = logging.getLogger("tickwire.events")

NOTES = 8
"""How many handlers an error that goes out through nested ones is labelled with."""


class OnError(Enum):
    """What happens when a handler raises."""

    RAISE = "raise"
    """Let it out, with a note naming the event and the handler. For development and tests.

    What `deliver` has not delivered by then stays queued: the event's other handlers, batch handlers, later events.
    """
    ISOLATE = "isolate"
    """Report it and go on; disable the handler after `patience` failures. For hosting."""


@dataclass(slots=True)
class Failure:
    """A handler raised. For a batch handler, `event` is the list of events it was called with."""

    event: object
    subscription: Subscription
    error: Exception
    disabled: bool

    def __str__(self) -> str:
        end = f"; disabled after {self.subscription.failures} failures" if self.disabled else ""
        return f"{self.subscription} raised {shown(self.error)} on {described(self.subscription, self.event)}{end}"


def log_failure(failure: Failure) -> None:
    """The default for `on_failure`."""
    log.error("%s", failure, exc_info=failure.error)


def label(error: BaseException, subscription: Subscription, event: object) -> None:
    """Note on `error` which handler it came from, for which event."""
    if len(getattr(error, "__notes__", ())) < NOTES:
        error.add_note(f"in {subscription}, handling {described(subscription, event)}")


def described(subscription: Subscription, event: object) -> str:
    kind = event_name(subscription.key)
    if subscription.batch:
        events = cast("Sequence[Any]", event)
        return f"{kind}: a batch of {len(events)}, first {shown(events[0])}"
    return f"{kind}: {shown(event)}"


def shown(value: object) -> str:
    """A short `repr`, also where `repr` itself fails."""
    try:
        text = repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return text if len(text) <= 200 else text[:199] + "…"
