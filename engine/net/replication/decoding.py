"""Payloads of snapshots decoded: by one replica for itself, or once for all replicas of a process that get the same.

Decoding is a pure function of the earlier state's cells, the payload and the prefabs that it names. The part of a
payload that everyone is told says itself where it ends, so a payload that begins with the bytes of one decoded before,
against the same cells, has the same content; what follows is private. That is all that is shared: what cannot change.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from engine.net.replication.delta import Reading, Register
from engine.net.replication.layout import Bools, Ints, Layout, Shape
from engine.net.replication.prefabs import Makes, Prefab
from engine.net.replication.state import State, nothing
from engine.net.wire.protocol import Protocol

MOST_SHAPES = 8
"""Shapes that a replica of its own knows again."""
MOST_SHARED = 1024
"""Payloads, shapes and prefabs that are known again where they are shared."""


@dataclass(slots=True, eq=False)
class Content:
    """What a snapshot tells everyone. Not to be changed."""

    tick: int
    shape: Shape
    cells: Ints
    told: Bools | None
    """As `Reading.told`."""
    updates: int
    """As `Reading.updates`."""


class Decoder:
    """Decodes for one replica. `rate` is ticks a second."""

    def __init__(self, protocol: Protocol, rate: float = 60.0, *, most: int = MOST_SHAPES) -> None:
        self.layout = Layout(protocol, rate)
        self.nothing = nothing(self.layout)
        """The state before anything is known."""
        self._makes = Makes(self.layout)
        self._register = Register(most)

    def prefab(self, payload: bytes) -> Prefab | list[int]:
        """The prefab in a payload, or the numbers of those to forget. Raises `ProtocolError`."""
        return self._makes.read(payload)

    def content(self, reading: Reading, base: State, prefabs: dict[int, Prefab]) -> Content:
        """What a payload makes of the state it builds on; then its private part is next. Raises `ProtocolError`."""
        with np.errstate(all="ignore"):
            shape, cells = reading.apply(base, prefabs, self._register)
        return Content(reading.tick, shape, cells, reading.told, reading.updates)


@dataclass(slots=True, eq=False)
class _Known:
    """A payload that was decoded."""

    base: Ints
    """The cells it was decoded against; held, so that no others get their `id`."""
    payload: bytes
    """Without what is private."""
    prefabs: dict[int, Prefab]
    """Those it names."""
    content: Content


@dataclass(slots=True)
class _Lately:
    """Payloads decoded lately, by the identity of the cells they build on, and by the tick they tell of."""

    most: int
    by_base: dict[int, list[_Known]] = field(default_factory=dict[int, list[_Known]])
    by_tick: dict[int, list[_Known]] = field(default_factory=dict[int, list[_Known]])
    order: deque[_Known] = field(default_factory=deque[_Known])

    def add(self, known: _Known) -> None:
        """Remember one, and forget the oldest if they are too many."""
        self.order.append(known)
        self.by_base.setdefault(id(known.base), []).append(known)
        self.by_tick.setdefault(known.content.tick, []).append(known)
        if len(self.order) > self.most:
            oldest = self.order.popleft()
            for lists, key in ((self.by_base, id(oldest.base)), (self.by_tick, oldest.content.tick)):
                lists[key].remove(oldest)
                if not lists[key]:
                    del lists[key]


class SharedDecoder(Decoder):
    """Decodes for many replicas of one protocol, equal payloads once; they may be in different rooms."""

    def __init__(self, protocol: Protocol, rate: float = 60.0, *, most: int = MOST_SHARED) -> None:
        super().__init__(protocol, rate, most=most)
        self._most = most
        self.decoded = 0
        """Payloads that had to be decoded."""
        self._prefabs: dict[bytes, Prefab] = {}
        self._lately = _Lately(most)

    @property
    def remembered(self) -> int:
        """Payloads that would not have to be decoded again."""
        return len(self._lately.order)

    def prefab(self, payload: bytes) -> Prefab | list[int]:
        """As of `Decoder`; equal payloads are one prefab."""
        prefab = self._prefabs.get(payload)
        if prefab is not None:
            return prefab
        made = super().prefab(payload)
        if isinstance(made, Prefab):
            self._prefabs[payload] = made
            if len(self._prefabs) > self._most:
                del self._prefabs[next(iter(self._prefabs))]
        return made

    def content(self, reading: Reading, base: State, prefabs: dict[int, Prefab]) -> Content:
        """As of `Decoder`; equal content of one tick is one object's, whatever it was told against."""
        payload = reading.payload
        for known in self._lately.by_base.get(id(base.cells), ()):
            if payload.startswith(known.payload) and all(
                prefabs.get(number) is prefab for number, prefab in known.prefabs.items()
            ):
                reading.at = len(known.payload)
                return known.content
        content = super().content(reading, base, prefabs)
        self.decoded += 1
        for other in self._lately.by_tick.get(content.tick, ()):
            same = other.content
            if same.shape is content.shape and np.array_equal(same.cells, content.cells):
                content.cells = same.cells
                break
        self._lately.add(_Known(base.cells, payload[: reading.at], reading.named, content))
        return content
