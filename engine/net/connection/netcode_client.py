"""The client of the netcode standard 1.02 as a state machine without I/O: datagrams and the time in, datagrams out.

    token ──→ SENDING_REQUEST ──challenge──→ SENDING_RESPONSE ──keep-alive──→ CONNECTED ──→ DISCONNECTED
                    │  ↑                          │                               └── silence ──→ TIMED_OUT
                    │  └── next server of the token ←── denied, or silence
                    └── no server left ──→ DENIED, REQUEST_TIMED_OUT, RESPONSE_TIMED_OUT; too late ──→ TOKEN_EXPIRED

Two rules. Nothing that arrives raises. No sequence number is used twice under the token's key, not even towards
another of its servers, for they share the key: the count goes on.
"""

from __future__ import annotations

import enum
from collections import deque

from engine.net.connection.address import Address
from engine.net.connection.packet import (
    KEEP_ALIVE_CONTENT,
    MAX_PAYLOAD_BYTES,
    Opener,
    PacketType,
    Sealer,
    request_packet,
)
from engine.net.connection.token import ConnectToken

SEND_INTERVAL = 0.1
"""Seconds between requests, responses, and keep-alives where nothing else is sent: the standard's 10 Hz."""
DISCONNECT_PACKETS = 10
"""How often a farewell is said, since nobody confirms it."""


class ClientState(enum.IntEnum):
    """The standard's states, by its numbers; negative ones are failures."""

    TOKEN_EXPIRED = -6
    INVALID_TOKEN = -5
    TIMED_OUT = -4
    RESPONSE_TIMED_OUT = -3
    REQUEST_TIMED_OUT = -2
    DENIED = -1
    DISCONNECTED = 0
    SENDING_REQUEST = 1
    SENDING_RESPONSE = 2
    CONNECTED = 3


_FROM_SERVER = frozenset(
    {PacketType.DENIED, PacketType.CHALLENGE, PacketType.KEEP_ALIVE, PacketType.PAYLOAD, PacketType.DISCONNECT}
)


class NetcodeClient:
    """One attempt to connect with one token, and the connection it leads to.

    `state` changes inside `receive_datagram` and `datagrams_to_send`; payloads that arrived wait in `payloads`.
    """

    def __init__(self, token: ConnectToken, now: float) -> None:
        self.token = token
        self.state = ClientState.SENDING_REQUEST
        self.payloads: deque[bytes] = deque()
        self.client_index = 0
        """The slot the server gave this client; valid once connected."""
        self.max_clients = 0
        """How many slots the server has; valid once connected."""
        self.packets_received = 0
        """How many of the connection's packets arrived, of those the server numbered up to `newest_received`."""
        self._sealer = Sealer(token.client_to_server, token.protocol_id)
        self._opener = Opener(token.server_to_client, token.protocol_id, _FROM_SERVER)
        self._sequence = 0
        self._servers = deque(token.servers)
        self._deadline = now + (token.expires - token.created)
        self._outbox: list[tuple[bytes, Address]] = []
        self._challenge = b""
        self._turn_to(self._servers.popleft(), now)

    @property
    def server(self) -> Address:
        """The server being asked, or connected to."""
        return self._server

    @property
    def last_received(self) -> float:
        """When the server was heard last."""
        return self._last_received

    @property
    def newest_received(self) -> int:
        """The highest sequence number of the connection's packets that arrived; a server counts them from 0."""
        return self._opener.newest

    def _turn_to(self, server: Address, now: float) -> None:
        self._server = server
        self._opener.forget()
        self.packets_received = 0
        self._last_sent = now - SEND_INTERVAL
        self._last_received = now
        self.state = ClientState.SENDING_REQUEST

    def receive_datagram(self, datagram: bytes, source: tuple[str, int], now: float) -> None:
        """Take in what arrived from `source`. Whatever no correct server sends now is ignored."""
        if source != self._server or self.state <= ClientState.DISCONNECTED:
            return
        opened = self._opener.open(datagram)
        if opened is None:
            return
        kind, content = opened
        if kind >= PacketType.KEEP_ALIVE:
            self.packets_received += 1
        if kind == PacketType.PAYLOAD:
            if self.state == ClientState.CONNECTED:
                self._last_received = now
                self.payloads.append(content)
        elif kind == PacketType.KEEP_ALIVE:
            if self.state >= ClientState.SENDING_RESPONSE:
                self._last_received = now
            if self.state == ClientState.SENDING_RESPONSE:
                self.client_index, self.max_clients = KEEP_ALIVE_CONTENT.unpack(content)
                self.state = ClientState.CONNECTED
        elif kind == PacketType.CHALLENGE:
            if self.state == ClientState.SENDING_REQUEST:
                self._last_received = now
                self._last_sent = now - SEND_INTERVAL
                self._challenge = content
                self.state = ClientState.SENDING_RESPONSE
        elif kind == PacketType.DENIED:
            if self.state < ClientState.CONNECTED:
                self._next_server_or(ClientState.DENIED, now)
        elif self.state == ClientState.CONNECTED:
            self.state = ClientState.DISCONNECTED

    def _next_server_or(self, failure: ClientState, now: float) -> None:
        if self._servers:
            self._turn_to(self._servers.popleft(), now)
        else:
            self.state = failure

    def send_payload(self, payload: bytes, now: float) -> None:
        """Seal 1 to 1200 bytes for the server; dropped while not connected. Raises `ValueError` for another length."""
        if not 0 < len(payload) <= MAX_PAYLOAD_BYTES:
            raise ValueError(f"a payload has 1 to {MAX_PAYLOAD_BYTES} bytes, not {len(payload)}")
        if self.state == ClientState.CONNECTED:
            self._send(PacketType.PAYLOAD, payload, now)

    def disconnect(self) -> None:
        """Say farewell, redundantly, and be disconnected at once."""
        if self.state > ClientState.DISCONNECTED:
            for _ in range(DISCONNECT_PACKETS):
                self._send(PacketType.DISCONNECT, b"", self._last_sent)
            self.state = ClientState.DISCONNECTED

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Do what is due at `now`, and hand over every datagram there is to send, with where it goes."""
        self._check_time(now)
        if self.state > ClientState.DISCONNECTED and now >= self._last_sent + SEND_INTERVAL:
            if self.state == ClientState.SENDING_REQUEST:
                self._outbox.append((request_packet(self.token), self._server))
                self._last_sent = now
            elif self.state == ClientState.SENDING_RESPONSE:
                self._send(PacketType.RESPONSE, self._challenge, now)
            else:
                self._send(PacketType.KEEP_ALIVE, KEEP_ALIVE_CONTENT.pack(0, 0), now)
        outbox, self._outbox = self._outbox, []
        return outbox

    def next_timer(self) -> float | None:
        """When `datagrams_to_send` has something to do even if nothing arrives; None once disconnected."""
        if self.state <= ClientState.DISCONNECTED:
            return None
        due = self._last_sent + SEND_INTERVAL
        if self.token.timeout > 0:
            due = min(due, self._last_received + self.token.timeout)
        return due if self.state == ClientState.CONNECTED else min(due, self._deadline)

    def _check_time(self, now: float) -> None:
        connecting = ClientState.DISCONNECTED < self.state < ClientState.CONNECTED
        if connecting and now >= self._deadline:
            self.state = ClientState.TOKEN_EXPIRED
        elif self.state > ClientState.DISCONNECTED and 0 < self.token.timeout <= now - self._last_received:
            if self.state == ClientState.CONNECTED:
                self.state = ClientState.TIMED_OUT
            elif self.state == ClientState.SENDING_REQUEST:
                self._next_server_or(ClientState.REQUEST_TIMED_OUT, now)
            else:
                self._next_server_or(ClientState.RESPONSE_TIMED_OUT, now)

    def _send(self, kind: PacketType, content: bytes, now: float) -> None:
        self._outbox.append((self._sealer.seal(kind, self._sequence, content), self._server))
        self._sequence += 1
        self._last_sent = now


__all__ = ["DISCONNECT_PACKETS", "SEND_INTERVAL", "ClientState", "NetcodeClient"]
