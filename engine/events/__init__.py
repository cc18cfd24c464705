"""Events: typed, queued or immediate, delivered in one declared order. Knows no world and no clock."""

from engine.events.dispatcher import Dispatcher, Tracer
from engine.events.errors import CascadeError, EventError, JournalError
from engine.events.failure import Failure, OnError
from engine.events.journal import Journal, JournalWriter, TickHashes, parse_journal, read_journal
from engine.events.subscription import Phase, Subscription, call_site, event_name
from engine.events.trace import Trace

__all__ = [
    "CascadeError",
    "Dispatcher",
    "EventError",
    "Failure",
    "Journal",
    "JournalError",
    "JournalWriter",
    "OnError",
    "Phase",
    "Subscription",
    "TickHashes",
    "Trace",
    "Tracer",
    "call_site",
    "event_name",
    "parse_journal",
    "read_journal",
]
