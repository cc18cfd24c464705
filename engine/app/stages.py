"""The stages of a tick, as the event types that open them. Systems are handlers of these.

Within a stage: its own event is delivered first, then whatever is queued, pass after pass; then the structural
changes asked for are made, and the lifecycle events these cause are delivered. So a stage sees a fixed set of
entities, and the next stage sees what it made of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stage:
    """Base of the five stages of a tick."""

    number: int
    """The tick's number; the first is 1."""
    dt: float
    """The length of a tick in seconds, always the same."""


@dataclass(slots=True)
class Begin(Stage):
    """1. The tick starts. After it, the external events that arrived since the last tick are delivered."""


@dataclass(slots=True)
class Commands(Stage):
    """2. After it, each player's command for this tick is delivered as `Commanded[...]`."""


@dataclass(slots=True)
class Tick(Stage):
    """3. The game's own rules: most systems are handlers of this."""


@dataclass(slots=True)
class Physics(Stage):
    """4. The space steps; then `ContactBegan` and `ContactEnded` are delivered, sorted."""


@dataclass(slots=True)
class End(Stage):
    """5. The last look at a finished tick: scores, replication, checks."""


@dataclass(slots=True)
class Frame:
    """An image is about to be drawn. Runs between ticks; never writes simulation state."""

    alpha: float
    """How far the time to be drawn lies between the last two ticks, from 0 to 1."""
    dt: float
    """Real seconds since the last frame."""
    time: float
    """Real seconds since the app's first frame."""
