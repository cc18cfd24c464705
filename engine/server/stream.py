"""What happens inside rooms, as a stream of events that people can read: all are counted, some are shown.

    stream = Stream()
    scene.dispatcher.witness = stream.tap("k3f9", lambda: scene.tick)
    stream.attend(["k3f9"])             # somebody looks, for a while
    stream.after(0)                     # [Seen(number=1, room="k3f9", ...), ...]

Counting is all that it costs while nobody looks. While somebody does, a few of each kind are kept from each quarter of
a second, as text: hundreds of commands a second say no more than some of them do.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from engine.ecs import Entity
from engine.events import event_name
from engine.events.queued import Keyed, Owed, event_of

WINDOW = 15
"""Ticks in which so many of a kind are shown."""
MOST_OF_A_KIND = 2
MOST_SHOWN = 24
"""Of all kinds, in a window, over all rooms that are attended to."""
ATTENTION = 180
"""Ticks that a room is attended to after somebody asked for its events."""
MOST_KEPT = 1_000
MOST_TEXT = 160
"""Characters of one event."""
MOST_FIELD = 48
"""Characters of one of its fields."""
HIDDEN = frozenset({"address", "client_id", "resume", "secret", "token", "password"})
"""Fields that are not shown: whoever may look at a match need not know where its players live."""


@dataclass(slots=True)
class Seen:
    """An event that is shown."""

    number: int
    """Counts up, by process."""
    room: str
    tick: int
    kind: str
    text: str
    skipped: int
    """How many of its kind were not shown since the last that was."""


class Stream:
    """The events of all rooms of a process."""

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}
        self._kept: deque[Seen] = deque(maxlen=MOST_KEPT)
        self._numbers = itertools.count(1)
        self._taps: dict[str, _Tap] = {}

    def tap(self, room: str, tick: Callable[[], int]) -> Callable[[Sequence[object]], None]:
        """A witness for the dispatcher of a room; `tick` gives its current one."""
        tap = self._taps[room] = _Tap(self, room, tick)
        return tap.see

    def untap(self, room: str) -> None:
        """A room is gone; what it counted stays."""
        self._taps.pop(room, None)

    def attend(self, rooms: Iterable[str] | None = None) -> None:
        """Show events of these rooms, or all, for the next `ATTENTION` ticks."""
        codes = self._taps if rooms is None else [code for code in rooms if code in self._taps]
        share = max(3, MOST_SHOWN // max(1, len(codes)))
        for code in codes:
            self._taps[code].attend(share)

    def after(self, number: int, most: int = 200) -> list[Seen]:
        """The last of what was shown after `number`, oldest first."""
        newer = itertools.takewhile(lambda seen: seen.number > number, reversed(self._kept))
        return list(itertools.islice(newer, most))[::-1]

    @property
    def counts(self) -> dict[str, int]:
        """How many events of each type were delivered, in all rooms there ever were."""
        found: dict[str, int] = {}
        for key, count in self._counts.items():
            if key is not Owed:
                name = event_name(key)
                found[name] = found.get(name, 0) + count
        return found

    @property
    def total(self) -> int:
        """How many events were delivered."""
        return sum(self._counts.values())

    def show(self, room: str, tick: int, event: object, key: Any, skipped: int) -> None:
        """Keep an event as text."""
        self._kept.append(Seen(next(self._numbers), room, tick, event_name(key), described(event), skipped))

    def count(self, batch: Sequence[object]) -> None:
        """Count what a pass delivers."""
        counts = self._counts
        for queued in batch:
            key: Any = type(queued)
            if key is Keyed:
                key = cast(Keyed, queued).key
            try:
                counts[key] += 1
            except KeyError:
                counts[key] = 1


class _Tap:
    """What is seen of one room."""

    __slots__ = ("_left", "_of_a_kind", "_room", "_share", "_skipped", "_stream", "_tick", "_until", "_window")

    def __init__(self, stream: Stream, room: str, tick: Callable[[], int]) -> None:
        self._stream = stream
        self._room = room
        self._tick = tick
        self._until = -1
        self._window = 0
        self._share = self._left = 0
        self._of_a_kind: dict[Any, int] = {}
        self._skipped: dict[Any, int] = {}

    def attend(self, share: int) -> None:
        now = self._tick()
        if now > self._until:
            self._skipped.clear()
            self._window = 0
        self._until, self._share = now + ATTENTION, share

    def see(self, batch: Sequence[object]) -> None:
        self._stream.count(batch)
        if self._until >= 0:
            self._choose(batch)

    def _choose(self, batch: Sequence[object]) -> None:
        now = self._tick()
        if now > self._until:
            self._until = -1
            return
        if now >= self._window:
            self._window, self._left = now + WINDOW, self._share
            self._of_a_kind.clear()
        for queued in batch:
            key: Any = type(queued)
            if key is Owed:
                continue
            if key is Keyed:
                key = cast(Keyed, queued).key
            shown = self._of_a_kind.get(key, 0)
            if shown >= MOST_OF_A_KIND or not self._left:
                self._skipped[key] = self._skipped.get(key, 0) + 1
                continue
            self._of_a_kind[key] = shown + 1
            self._left -= 1
            self._stream.show(self._room, now, event_of(queued), key, self._skipped.pop(key, 0))


def described(event: object) -> str:
    """The fields of an event in a line, shortened; never raises."""
    try:
        text = _fields(event) if dataclasses.is_dataclass(event) else _value(event)
    except Exception as error:  # a field's own repr
        text = f"(cannot be shown: {type(error).__name__})"
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _fields(event: object) -> str:
    shown = [field.name for field in dataclasses.fields(cast(Any, event)) if field.name not in HIDDEN]
    return " ".join(f"{name}={_value(getattr(event, name))}" for name in shown)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Entity):
        return f"#{value.id & 0xFFFF_FFFF}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        text = f"({_fields(value)})"
    elif isinstance(value, (bytes, bytearray)):
        text = f"{len(value)} bytes"
    else:
        text = repr(value)
    return text if len(text) <= MOST_FIELD else text[: MOST_FIELD - 1] + "…"
