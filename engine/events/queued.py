"""What may stand in a dispatcher's queue besides plain events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.events.subscription import CallList


@dataclass(slots=True)
class Keyed:
    """An event whose key is not its class."""

    key: Any
    event: object


@dataclass(slots=True)
class Owed:
    """What is left to do of an event, or of a pass that an error broke off."""

    calls: CallList
    event: object
    place: int = 0
    """The calls from here on have not seen the event."""
    groups: dict[Any, list[object]] = field(default_factory=dict[Any, list[object]])
    """Events, by key, that batch handlers have still to see."""

    @property
    def settled(self) -> bool:
        return self.place >= len(self.calls) and not self.groups


def key_of(queued: object) -> Any:
    """The key of a queued event."""
    return queued.key if isinstance(queued, Keyed) else type(queued)


def event_of(queued: object) -> object:
    """A queued event itself."""
    return queued.event if isinstance(queued, Keyed) else queued
