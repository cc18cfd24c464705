"""A server as a state machine without I/O: messages and the time in, datagrams and events out.

The calls are those of `Client`, with a peer's number added: see client.py. Nothing that arrives makes a method raise; a
peer that sends what no correct one does is disconnected, the others notice nothing.
"""

from __future__ import annotations

import logging
import math
import os
from collections import deque
from collections.abc import Iterable

from engine.net.connection.address import Address
from engine.net.connection.delivery import BacklogError, Delivery, Encoded, Limits
from engine.net.connection.events import Connected, Disconnected, Event, Reason, Received, Settled
from engine.net.connection.netcode_server import LOG_INTERVAL, Closed, Ending, Ignored, NetcodeServer, Opened, Session
from engine.net.connection.packet import SEAL_BYTES
from engine.net.connection.token import Entropy
from engine.net.wire.errors import ProtocolError
from engine.net.wire.protocol import Protocol

_log = logging.getLogger(__name__)
_REASONS = {
    Ending.BY_PEER: Reason.LEFT,
    Ending.BY_US: Reason.CLOSED,
    Ending.TIMED_OUT: Reason.TIMED_OUT,
}


class Peer:
    """A connected client, as its server sees it."""

    __slots__ = ("bytes_in", "bytes_out", "delivery", "number", "session")

    def __init__(self, number: int, session: Session, delivery: Delivery) -> None:
        self.number = number
        self.delivery = delivery
        """Counts, backlog, budget and estimate of the connection."""
        self.session = session
        """The secure connection: address, client id, slot, user data."""
        self.bytes_in = 0
        """Of its datagrams that held messages or acks, without what IP and UDP add."""
        self.bytes_out = 0

    @property
    def user(self) -> str:
        """What the token says of the player: a name, unless the game's own door says otherwise."""
        return self.session.user.rstrip(b"\0").decode(errors="replace")


class Server:
    """All peers of one server. Takes the arguments of `NetcodeServer`, whose protocol id is that of `protocol`."""

    def __init__(
        self,
        protocol: Protocol,
        private_key: bytes,
        addresses: Iterable[Address],
        now: float,
        *,
        epoch: float,
        max_clients: int = 64,
        token_lifetime: int | None = None,
        limits: Limits | None = None,
        entropy: Entropy = os.urandom,
    ) -> None:
        self.protocol = protocol
        self.limits = limits or Limits()
        self._netcode = NetcodeServer(
            protocol.id,
            private_key,
            addresses,
            now,
            epoch=epoch,
            max_clients=max_clients,
            token_lifetime=token_lifetime,
            entropy=entropy,
        )
        self._peers: dict[int, Peer] = {}
        self._events: deque[Event] = deque()
        self._last_number = 0
        self._misbehaving = 0
        self._log_from = -math.inf
        self._due = math.inf  # no peer has anything to send before
        self._now = now
        self._why: tuple[Reason, str] | None = None  # set while this side ends a connection for a reason of its own

    @property
    def peers(self) -> dict[int, Peer]:
        """The connected peers by number, in the order they connected. Not to be changed."""
        return self._peers

    @property
    def ignored(self) -> dict[Ignored, int]:
        """How many datagrams got no answer, and why."""
        return self._netcode.ignored

    @property
    def netcode(self) -> NetcodeServer:
        """The secure connections underneath."""
        return self._netcode

    def send(self, peer: int, message: object, *, track: bool = False) -> int:
        """Queue a message for a peer, to go out with the next `datagrams_to_send`; dropped for one that is gone.

        Raises `EncodeError` and `SchemaError`, and returns a ticket, as `Delivery.send` does. A peer too slow to take
        more is disconnected: `TOO_SLOW`.
        """
        known = self._peers.get(peer)
        if known is None:
            return 0
        try:
            self._due = self._now
            return known.delivery.send(message, track=track)
        except BacklogError as full:
            self._end(known, Reason.TOO_SLOW, str(full))
            return 0

    def send_encoded(self, peer: int, encoded: Encoded, *, may_wait: bool = False) -> None:
        """As `send`, of a message encoded already: once for all who get it.

        A reliable one that `may_wait` goes with the next packet for the peer, within `COMPANY` seconds.
        """
        known = self._peers.get(peer)
        if known is None:
            return
        delivery = known.delivery
        try:
            delivery.send_encoded(encoded, may_wait=may_wait)
        except BacklogError as full:
            self._end(known, Reason.TOO_SLOW, str(full))
            return
        if delivery.due < self._due:
            self._due = delivery.due

    def encode(self, message: object) -> Encoded:
        """The wire form of a message, for `send_encoded`. Raises `EncodeError`, `SchemaError`."""
        return Encoded(self.protocol.channel(type(message)), self.protocol.encode(message), self.protocol)

    def broadcast(self, message: object, *, but: int | None = None) -> None:
        """Send a message to every peer, or to all `but` one. Raises `EncodeError`, `SchemaError`."""
        encoded = self.encode(message)
        self._due = self._now
        for peer in list(self._peers.values()):
            if peer.number == but:
                continue
            try:
                peer.delivery.send_encoded(encoded)
            except BacklogError as full:
                self._end(peer, Reason.TOO_SLOW, str(full))

    def receive_datagram(self, datagram: bytes, source: tuple[str, int], now: float) -> None:
        """Take in what arrived from `source`."""
        self._now = now
        opened = self._netcode.open_payload(datagram, source, now)
        if opened is not None:
            session, payload = opened
            peer: Peer = session.owner
            delivery = peer.delivery
            peer.bytes_in += len(datagram)
            try:
                messages = delivery.receive(payload, now)
            except ProtocolError as wrong:
                self._misbehaved(peer, wrong)
                return
            if messages:
                number = peer.number
                for message in messages:
                    self._events.append(Received(number, message))
            if delivery.outcomes:
                self._settle(peer)
            if delivery.due < self._due:
                self._due = delivery.due
        elif self._netcode.events:
            self._follow(now)

    def disconnect(self, peer: int) -> None:
        """Throw a peer out: it is gone at once, and told with the next `datagrams_to_send`."""
        known = self._peers.get(peer)
        if known is not None:
            self._end(known, Reason.CLOSED, "")

    def close(self) -> None:
        """Disconnect everyone, and ignore all that arrives from now on."""
        self._netcode.close()
        self._follow(self._now)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Do what is due at `now`, and hand over every datagram there is to send, with where it goes."""
        self._now = now
        if self._due <= now:
            self._due = self._send_due(now)
        datagrams = self._netcode.datagrams_to_send(now)
        if self._netcode.events:
            self._follow(now)
        return datagrams

    def _send_due(self, now: float) -> float:
        """Let every peer send that has something due; returns when the next one has."""
        send_payload = self._netcode.send_payload
        earliest = math.inf
        for peer in self._peers.values():
            delivery = peer.delivery
            due = delivery.due
            if due <= now:
                for payload in delivery.payloads_to_send(now):
                    send_payload(peer.session, payload, now)
                    peer.bytes_out += len(payload) + SEAL_BYTES
                if delivery.outcomes:
                    self._settle(peer)
                due = delivery.due
            if due < earliest:
                earliest = due
        return earliest

    def next_event(self) -> Event | None:
        """The oldest event not yet taken."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """When `datagrams_to_send` is to be called even if nothing happens; None while there is nobody."""
        due = self._netcode.next_timer()
        return due if due is None else min(due, self._due)

    def _follow(self, now: float) -> None:
        """Turn what happened to the secure connections into messages and events."""
        events = self._netcode.events
        while events:
            event = events.popleft()
            if isinstance(event, Opened):
                self._open(event.session, now)
            elif isinstance(event, Closed):
                peer: Peer = event.session.owner
                event.session.owner = None
                del self._peers[peer.number]
                reason, detail = self._why or (_REASONS[event.ending], "")
                self._events.append(Disconnected(peer.number, reason, detail))

    def _open(self, session: Session, now: float) -> None:
        self._last_number += 1
        number = self._last_number
        peer = Peer(number, session, Delivery(self.protocol, now, self.limits))
        self._peers[number] = peer
        session.owner = peer
        self._events.append(Connected(number, session.client_id, str(session.address), peer.user))

    def _misbehaved(self, peer: Peer, wrong: ProtocolError) -> None:
        self._misbehaving += 1
        if self._now >= self._log_from:
            self._log_from = self._now + LOG_INTERVAL
            count = self._misbehaving
            _log.info("peer %d at %s: %s; %d such so far", peer.number, peer.session.address, wrong, count)
        self._end(peer, Reason.MISBEHAVED, str(wrong))

    def _end(self, peer: Peer, reason: Reason, detail: str) -> None:
        self._why = (reason, detail)
        self._netcode.disconnect(peer.session)
        self._follow(self._now)
        self._why = None

    def _settle(self, peer: Peer) -> None:
        outcomes = peer.delivery.outcomes
        while outcomes:
            outcome = outcomes.popleft()
            self._events.append(Settled(peer.number, outcome.ticket, outcome.arrived))
