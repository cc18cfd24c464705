"""A client's side of snapshots: the states that arrived, put together again."""

from __future__ import annotations

import numpy as np

from engine.net.replication.decoding import Decoder
from engine.net.replication.delta import MissingError, Reading
from engine.net.replication.layout import MOST_SLOTS, Bools
from engine.net.replication.prefabs import Prefab as Known
from engine.net.replication.state import State, predicted
from engine.net.wire.errors import ProtocolError
from engine.net.wire.protocol import Protocol
from engine.net.wire.system import Full, Prefab, Snapshot

MOST_STATES = 64
ACK_BITS = 16
ALL = (1 << ACK_BITS) - 1
PATIENCE = 60
"""Snapshots in a row that build on what is not here, until a full one is asked for: it may be on its way."""


class Replica:
    """What a client knows of the server's world, at the ticks that snapshots told of. `rate` is ticks a second.

    With a `decoder` that others have too, equal states are decoded once; it is to be of the same protocol and rate.
    """

    def __init__(self, protocol: Protocol, rate: float = 60.0, *, decoder: Decoder | None = None) -> None:
        self._decoder = decoder or Decoder(protocol, rate)
        self.layout = self._decoder.layout
        self.states: dict[int, State] = {}
        """The newest states by tick, in ascending order."""
        self.newest: State | None = None
        self.wants_full = False
        """The server is to send everything anew."""
        self.updates = 0
        """Entity updates received: an entity told anew in one snapshot is one."""
        self.bytes = 0
        """Bytes of snapshots that were of use."""
        self.malformed = 0
        """Messages that no correct server sends."""
        self.unusable = 0
        """Snapshots that build on one, or on a prefab, that is not here."""
        self.prefabs: dict[int, Known] = {}
        self._nothing = self._decoder.nothing
        self._base = self._nothing
        self._forgotten: set[int] = set()  # but still in use
        self._missing = 0
        self._waiting: bytes | None = None  # a full one that came before its prefabs
        self._acks = (0, 0)

    def receive(self, message: Prefab | Full | Snapshot) -> State | None:
        """Take in what the server sent; the state, if it makes a new one. Nothing in it makes this raise."""
        try:
            if isinstance(message, Prefab):
                self._learn(message.payload)
                return self._try_again()
            return self._apply(message.payload)
        except MissingError:
            if isinstance(message, Full):
                self._waiting = message.payload
            self.unusable += 1
            self._missing += 1
            if self._missing >= PATIENCE:
                self._missing = 0
                self.wants_full = True
        except ProtocolError:
            self.malformed += 1
            self.wants_full = True
            self._waiting = None
        return None

    def _try_again(self) -> State | None:
        """Prefabs come in any order, and so perhaps after the full snapshot that names them."""
        if self._waiting is None:
            return None
        try:
            return self._apply(self._waiting)
        except MissingError:
            return None

    def acks(self) -> tuple[int, int]:
        """The tick of the newest state, and for each of the 16 ticks before it a bit, the latest lowest, whether its
        state is here; (0, 0) before the first."""
        return self._acks

    def at(self, tick: float) -> tuple[State | None, State | None]:
        """The newest state at or before `tick`, and the one after it."""
        after: State | None = None
        for each in reversed(self.states.values()):
            if each.tick <= tick:
                return each, after
            after = each
        return None, after

    def _learn(self, payload: bytes) -> None:
        prefab = self._decoder.prefab(payload)
        if isinstance(prefab, list):
            self._forgotten.update(prefab)
            self._forget()
            return
        if prefab.number in self.prefabs:
            return  # states are made of the one there is
        if len(self.prefabs) >= MOST_SLOTS and prefab.number not in self.prefabs:
            raise ProtocolError("more prefabs than there can be entities")
        self.prefabs[prefab.number] = prefab

    def _forget(self) -> None:
        """Drop the prefabs that the server will not name again, but those of states that are still here."""
        used: set[int] = set(self._base.shape.names)
        for state in self.states.values():
            used |= state.shape.names
        for number in self._forgotten - used:
            self.prefabs.pop(number, None)
        self._forgotten &= used & self.prefabs.keys()

    def _apply(self, payload: bytes) -> State | None:
        reading = Reading(payload)
        if reading.tick in self.states:
            return None
        if len(self.states) >= MOST_STATES and reading.tick < next(iter(self.states)):
            return None  # too late to be of use
        base = self._nothing
        if reading.base is not None:
            found = self.states.get(reading.base)
            if found is None and self._base.tick == reading.base and self._base is not self._nothing:
                found = self._base
            if found is None:
                raise MissingError(f"tick {reading.base} is not known")
            base = found
        content = self._decoder.content(reading, base, self.prefabs)
        private = reading.private(base, content.shape)
        state = State(reading.tick, content.shape, content.cells, private, self.prefabs)
        self.bytes += len(payload)
        self.updates += content.updates
        if content.told is not None:
            self._go_on(state, content.told)
        self._base = base
        self._missing = 0
        self._waiting = None
        if reading.base is None:
            self.wants_full = False
        self._keep(state)
        return state

    def _go_on(self, state: State, told: Bools) -> None:
        """Show what the snapshot says nothing of as it was known before, gone on by its rates."""
        before, _ = self.at(state.tick)
        if before is None:
            return
        link = state.shape.link(before.shape)
        with np.errstate(all="ignore"):
            gone_on = predicted(before.shape, before.shown, state.tick - before.tick)[link.sources]
        untold = ~told[state.shape.entities[link.kept]]
        state.shown = state.cells.copy()
        state.shown[link.kept[untold]] = gone_on[untold]

    def _note(self, tick: int) -> None:
        """Have the acks tell of a state; what they tell of is never too old to be kept."""
        newest, bits = self._acks
        ahead = tick - newest
        if self.newest is None or ahead > ACK_BITS:
            self._acks = tick, 0
        elif ahead > 0:
            self._acks = tick, (bits << ahead | 1 << ahead - 1) & ALL
        elif ahead >= -ACK_BITS:
            self._acks = newest, bits | 1 << -ahead - 1

    def _keep(self, state: State) -> None:
        states = self.states
        states[state.tick] = state
        self._note(state.tick)
        if self.newest is None or state.tick > self.newest.tick:
            self.newest = state
        else:
            for tick in sorted(states):  # came late: those after it go behind it
                states[tick] = states.pop(tick)
        if len(states) > MOST_STATES:
            del states[next(iter(states))]
            if self._forgotten:
                self._forget()
