"""Measuring the way to a server: round trips, loss in each direction, the longest datagram. Without I/O, like `Client`.

A probe connects as a client does, with a connect token, but knows no messages: it sends padding, which any server of
this engine acks, and ignores what the game says.
"""

from __future__ import annotations

from collections import deque

from engine.net.connection.address import Address
from engine.net.connection.client import REFUSALS
from engine.net.connection.delivery import Delivery
from engine.net.connection.estimate import Estimate
from engine.net.connection.events import SERVER, Connected, Disconnected, Event, Reason, Refused
from engine.net.connection.netcode_client import ClientState, NetcodeClient
from engine.net.connection.token import ConnectToken
from engine.net.wire.errors import ProtocolError
from engine.net.wire.protocol import Protocol

SIZES = (100, 600, 1000, 1200)
"""The datagrams sent, in bytes, in turn."""
INTERVAL = 1 / 40


class Probe:
    """One measurement: connects, sends for `seconds`, waits for what is still under way, and leaves.

    It has the calls of `Client` that a transport uses. Its events are `Connected`, then `Disconnected`; or `Refused`.
    """

    def __init__(self, token: ConnectToken, now: float, *, seconds: float = 4.0) -> None:
        self.sent: dict[int, int] = dict.fromkeys(SIZES, 0)
        """How many datagrams of each size were sent and settled."""
        self.arrived: dict[int, int] = dict.fromkeys(SIZES, 0)
        self._netcode = NetcodeClient(token, now)
        self._delivery = Delivery(Protocol("probe"), now)
        self._seconds = seconds
        self._sizes: dict[int, int] = {}  # by ticket, until settled
        self._tickets = 0
        self._next = 0.0
        self._end = 0.0
        self._connected = False
        self._over = False
        self._events: deque[Event] = deque()

    @property
    def server(self) -> Address:
        """The server being asked, or connected to."""
        return self._netcode.server

    @property
    def estimate(self) -> Estimate:
        """Round trip times, in seconds."""
        return self._delivery.estimate

    @property
    def over(self) -> bool:
        """Whether there is nothing more to measure."""
        return self._over

    @property
    def slots(self) -> int:
        """How many clients the server takes; 0 before one is connected."""
        return self._netcode.max_clients

    @property
    def loss_up(self) -> float:
        """The share of datagrams that did not reach the server, 0 to 1."""
        sent = sum(self.sent.values())
        return 1 - sum(self.arrived.values()) / sent if sent else 0.0

    @property
    def loss_down(self) -> float:
        """The share of the server's datagrams that did not arrive, 0 to 1."""
        return 1 - self._netcode.packets_received / max(1, self._netcode.newest_received + 1)

    @property
    def longest(self) -> int:
        """The most bytes of a datagram that arrived; 0 if none did."""
        return max((size for size, count in self.arrived.items() if count), default=0)

    def receive_datagram(self, datagram: bytes, source: tuple[str, int], now: float) -> None:
        """Take in what arrived from `source`."""
        self._netcode.receive_datagram(datagram, source, now)
        self._follow(now)
        while self._netcode.payloads:
            try:
                self._delivery.receive(self._netcode.payloads.popleft(), now)
            except ProtocolError:
                continue  # a message of the game: its packet is acked, its content means nothing here
        self._settle()

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Do what is due at `now`, and hand over every datagram there is to send, with where it goes."""
        if self._connected and not self._over:
            if now >= self._next and now < self._end:
                self._next = now + INTERVAL
                size = SIZES[self._tickets % len(SIZES)]
                self._delivery.payloads_to_send(now)  # tells it the time
                ticket = self._delivery.probe(size)
                self._sizes[ticket] = size
                self._tickets += 1
            for payload in self._delivery.payloads_to_send(now):
                self._netcode.send_payload(payload, now)
            self._settle()
            if now >= self._end and (not self._sizes or now >= self._end + 2.0):
                self._netcode.disconnect()
                self._over = True
                self._events.append(Disconnected(SERVER, Reason.CLOSED))
        datagrams = self._netcode.datagrams_to_send(now)
        self._follow(now)
        return datagrams

    def next_event(self) -> Event | None:
        """The oldest event not yet taken."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """When `datagrams_to_send` is to be called even if nothing happens; None once it is over."""
        due = self._netcode.next_timer()
        if due is None or not self._connected:
            return due
        return min(due, self._delivery.due, max(self._next, 0.0) if self._next < self._end else due)

    def _follow(self, now: float) -> None:
        state = self._netcode.state
        if self._over:
            return
        if state == ClientState.CONNECTED:
            if not self._connected:
                self._connected = True
                self._next = now
                self._end = now + self._seconds
                self._events.append(Connected(SERVER, 0, str(self.server), ""))
        elif state <= ClientState.DISCONNECTED:
            self._over = True
            if self._connected:
                timed_out = state == ClientState.TIMED_OUT
                self._events.append(Disconnected(SERVER, Reason.TIMED_OUT if timed_out else Reason.LEFT))
            else:
                self._events.append(Refused(REFUSALS[state], f"server {self.server}"))

    def _settle(self) -> None:
        outcomes = self._delivery.outcomes
        while outcomes:
            outcome = outcomes.popleft()
            size = self._sizes.pop(outcome.ticket, None)
            if size is not None:
                self.sent[size] += 1
                self.arrived[size] += outcome.arrived
