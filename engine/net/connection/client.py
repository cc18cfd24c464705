"""A client as a state machine without I/O: messages and the time in, datagrams and events out.

    client = Client(protocol, token, now)
    client.receive_datagram(datagram, source, now)     # for every datagram that arrives
    while (event := client.next_event()) is not None:  # Connected, Received, Settled, Disconnected, Refused
        ...
    client.send(Chat("hi"))
    for datagram, address in client.datagrams_to_send(now):
        socket.sendto(datagram, address)               # and call again no later than client.next_timer()

Nothing that arrives makes a method raise.
"""

from __future__ import annotations

from collections import deque

from engine.net.connection.address import Address
from engine.net.connection.delivery import BacklogError, Delivery, Limits
from engine.net.connection.estimate import Estimate
from engine.net.connection.events import (
    SERVER,
    Connected,
    Disconnected,
    Event,
    Reason,
    Received,
    Refusal,
    Refused,
    Settled,
)
from engine.net.connection.netcode_client import ClientState, NetcodeClient
from engine.net.connection.token import ConnectToken
from engine.net.wire.errors import ProtocolError
from engine.net.wire.protocol import Protocol

REFUSALS = {
    ClientState.DENIED: Refusal.FULL,
    ClientState.REQUEST_TIMED_OUT: Refusal.NO_ANSWER,
    ClientState.RESPONSE_TIMED_OUT: Refusal.BROKEN_OFF,
    ClientState.TOKEN_EXPIRED: Refusal.TOKEN_EXPIRED,
}


class Client:
    """One attempt to connect, and the connection it leads to. For another attempt, make another client."""

    def __init__(self, protocol: Protocol, token: ConnectToken, now: float, *, limits: Limits | None = None) -> None:
        self._delivery = Delivery(protocol, now, limits)
        self._netcode = NetcodeClient(token, now)
        self._events: deque[Event] = deque()
        self._connected = False
        self._over = False
        self._now = now
        if token.protocol_id != protocol.id:
            self._over = True
            self._netcode.state = ClientState.INVALID_TOKEN
            detail = f"token: protocol {token.protocol_id:016x}; this is {protocol.build}"
            self._events.append(Refused(Refusal.OTHER_BUILD, detail))

    @property
    def connected(self) -> bool:
        """Whether messages can be sent now."""
        return self._connected and not self._over

    @property
    def over(self) -> bool:
        """Whether this client was refused or disconnected, and will do nothing any more."""
        return self._over

    @property
    def server(self) -> Address:
        """The server being asked, or connected to."""
        return self._netcode.server

    @property
    def estimate(self) -> Estimate:
        """What is known of the way to the server."""
        return self._delivery.estimate

    @property
    def delivery(self) -> Delivery:
        """Counts, backlog and budget of the connection."""
        return self._delivery

    def silence(self, now: float) -> float:
        """Seconds since the server was heard; an idle one is heard ten times a second."""
        return now - self._netcode.last_received

    def send(self, message: object, *, track: bool = False) -> int:
        """Queue a message, to go out with the next `datagrams_to_send`; dropped while not connected.

        Raises `EncodeError` and `SchemaError`, and returns a ticket, as `Delivery.send` does. A server too slow to take
        more is given up: `Disconnected` with `TOO_SLOW`.
        """
        if not self.connected:
            return 0
        try:
            return self._delivery.send(message, track=track)
        except BacklogError as full:
            self._end(Reason.TOO_SLOW, str(full))
            return 0

    def receive_datagram(self, datagram: bytes, source: tuple[str, int], now: float) -> None:
        """Take in what arrived from `source`."""
        self._now = now
        self._netcode.receive_datagram(datagram, source, now)
        self._follow()
        payloads = self._netcode.payloads
        while payloads:
            payload = payloads.popleft()
            if self._over:
                continue
            try:
                messages = self._delivery.receive(payload, now)
            except ProtocolError as wrong:
                self._end(Reason.MISBEHAVED, str(wrong))
                continue
            self._events.extend([Received(SERVER, message) for message in messages])
            self._settle()

    def disconnect(self) -> None:
        """Leave: say farewell with the next `datagrams_to_send`. A connection attempt is given up."""
        if not self._over:
            self._end(Reason.CLOSED, "")

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Do what is due at `now`, and hand over every datagram there is to send, with where it goes."""
        self._now = now
        if self.connected and self._delivery.due <= now:
            for payload in self._delivery.payloads_to_send(now):
                self._netcode.send_payload(payload, now)
            self._settle()
        datagrams = self._netcode.datagrams_to_send(now)
        self._follow()
        return datagrams

    def next_event(self) -> Event | None:
        """The oldest event not yet taken."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """When `datagrams_to_send` is to be called even if nothing happens; None once it is over."""
        due = self._netcode.next_timer()
        if due is not None and self.connected:
            return min(due, self._delivery.due)
        return due

    def _follow(self) -> None:
        """Turn a change of the netcode state into an event."""
        state = self._netcode.state
        if self._over:
            return
        if state == ClientState.CONNECTED:
            if not self._connected:
                self._connected = True
                self._events.append(Connected(SERVER, 0, str(self.server), ""))
        elif state <= ClientState.DISCONNECTED:
            self._over = True
            if self._connected:
                timed_out = state == ClientState.TIMED_OUT
                self._events.append(Disconnected(SERVER, Reason.TIMED_OUT if timed_out else Reason.LEFT))
            else:
                self._events.append(Refused(REFUSALS[state], f"server {self.server}"))

    def _end(self, reason: Reason, detail: str) -> None:
        self._over = True
        self._netcode.disconnect()
        if self._connected:
            self._events.append(Disconnected(SERVER, reason, detail))

    def _settle(self) -> None:
        outcomes = self._delivery.outcomes
        while outcomes:
            outcome = outcomes.popleft()
            self._events.append(Settled(SERVER, outcome.ticket, outcome.arrived))
