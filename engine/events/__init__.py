"""Events: typed, queued or immediate, delivered in one declared order. Knows no world and no clock."""

from engine.events.dispatcher import Dispatcher, Failure, OnError, Tracer
from engine.events.errors import CascadeError, EventError, JournalError
from engine.events.journal import Journal, JournalWriter, TickHashes, parse_journal, read_journal
from engine.events.subscription import Phase, Subscription, event_name
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
    "event_name",
    "parse_journal",
    "read_journal",
]
