"""Datagrams in words, for people who look at a capture. Without keys, what is in the open; with them, everything.

    dissector = Dissector(private_key=key, protocol=protocol)
    for line in dissector.lines(datagram, source, destination): print(line)

A server's private key opens the tokens in connection requests, and so every connection whose request was captured; a
client's connect token opens that client's connection.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from engine.net.connection.acks import read_header
from engine.net.connection.channels import FIRST, LAST
from engine.net.connection.delivery import PADDING, read_length
from engine.net.connection.fragments import FRAGMENT_HEADER_BYTES, Assembly, fragment_sequence
from engine.net.connection.packet import (
    CHALLENGE_CONTENT,
    KEEP_ALIVE_CONTENT,
    REQUEST,
    REQUEST_BYTES,
    Opener,
    PacketType,
)
from engine.net.connection.token import VERSION, ConnectToken, PrivateToken, open_private
from engine.net.wire.errors import ProtocolError
from engine.net.wire.protocol import Channel, Protocol

MAX_CONNECTIONS = 1024
"""Connections followed at a time; for one more, the oldest is forgotten."""
MAX_SHOWN = 200
"""Characters of a message that are shown."""

End = tuple[str, int]


class _Way:
    """One direction of a connection whose key is known."""

    def __init__(self, key: bytes, protocol_id: int) -> None:
        self.opener = Opener(key, protocol_id, frozenset(PacketType))
        self.assembly = Assembly()


class Dissector:
    """Follows connections, so that datagrams are to be given in the order they were captured."""

    def __init__(
        self, *, private_key: bytes | None = None, tokens: Iterable[ConnectToken] = (), protocol: Protocol | None = None
    ) -> None:
        self._private_key = private_key
        self._tokens = {token.sealed: token for token in tokens}
        self._protocol = protocol
        self._ways: dict[tuple[End, End], _Way] = {}

    def lines(self, datagram: bytes, source: End, destination: End) -> list[str]:
        """The datagram in words; the first line stands for all of it, the others are what it holds. Never raises."""
        if not datagram:
            return ["empty"]
        if datagram[0] == 0:
            return self._request(datagram, source, destination)
        size = datagram[0] >> 4
        try:
            kind = PacketType(datagram[0] & 15).name.lower().replace("_", "-")
        except ValueError:
            return [f"no packet of netcode 1.02: {_short(datagram)}"]
        if not 1 <= size <= 8 or len(datagram) < 1 + size + 16:
            return [f"no packet of netcode 1.02: {_short(datagram)}"]
        number = int.from_bytes(datagram[1 : 1 + size], "little")
        head = f"{kind} #{number if number < 1 << 62 else f'{number:#x}'}"
        way = self._ways.get((source, destination))
        if way is None:
            return [f"{head}, sealed, {len(datagram) - 1 - size - 16} bytes"]
        opened = way.opener.open(datagram)
        if opened is None:
            return [f"{head}: repeated, altered, or of another connection"]
        content = opened[1]
        if opened[0] == PacketType.PAYLOAD:
            return [f"{head}, {len(content)} bytes", *_payload(content, way.assembly, self._protocol)]
        if opened[0] in (PacketType.CHALLENGE, PacketType.RESPONSE):
            return [f"{head}, challenge {CHALLENGE_CONTENT.unpack(content)[0]}"]
        if opened[0] == PacketType.KEEP_ALIVE:
            slot, slots = KEEP_ALIVE_CONTENT.unpack(content)
            return [f"{head}, slot {slot} of {slots}" if slots else head]
        return [head]

    def _request(self, datagram: bytes, source: End, destination: End) -> list[str]:
        if len(datagram) != REQUEST_BYTES:
            return [f"no packet of netcode 1.02: {_short(datagram)}"]
        _, version, protocol_id, expires, nonce, sealed = REQUEST.unpack(datagram)
        if version != VERSION:
            return [f"request of {version!r}, another version"]
        lines = [f"request, protocol {protocol_id:016x}, token expires at {expires} (Unix time)"]
        if self._protocol is not None and self._protocol.id != protocol_id:
            lines.append(f"another build: the one given is {self._protocol.build}")
        keys: PrivateToken | ConnectToken | None = self._tokens.get(sealed)
        if keys is None and self._private_key is not None:
            try:
                keys = open_private(sealed, protocol_id, expires, nonce, self._private_key)
            except ProtocolError as wrong:
                lines.append(str(wrong))
        if keys is not None:
            if isinstance(keys, PrivateToken):
                user = keys.user.rstrip(b"\0").decode(errors="replace")
                lines.append(f"client {keys.client_id}, timeout {keys.timeout} s, user {user!r}")
            if (source, destination) not in self._ways:
                while len(self._ways) >= 2 * MAX_CONNECTIONS:
                    del self._ways[next(iter(self._ways))]
                self._ways[source, destination] = _Way(keys.client_to_server, protocol_id)
                self._ways[destination, source] = _Way(keys.server_to_client, protocol_id)
        return lines


def _payload(payload: bytes, assembly: Assembly, protocol: Protocol | None) -> list[str]:
    lines: list[str] = []
    try:
        if payload[0] & 1:
            sequence = fragment_sequence(payload)
            size = len(payload) - FRAGMENT_HEADER_BYTES
            lines.append(f"fragment {payload[3] + 1} of {payload[4] + 1} of packet {sequence}, {size} bytes")
            whole = assembly.add(payload, sequence)
            if whole is None:
                return lines
            payload = whole
        sequence, ack, bits, at = read_header(payload)
        lines.append(f"packet {sequence}, acks {_acks(ack, bits)}")
        while at < len(payload):
            at = _frame(payload, at, protocol, lines)
    except (ProtocolError, IndexError) as wrong:
        lines.append(f"malformed: {wrong}")
    return lines


def _acks(ack: int, bits: int) -> str:
    """Runs of packets, newest first: `17-12, 9`."""
    runs: list[str] = []
    n = 0
    while n < 32:
        if bits >> n & 1:
            first = n
            while n < 31 and bits >> (n + 1) & 1:
                n += 1
            newest, oldest = (ack - first) & 0xFFFF, (ack - n) & 0xFFFF
            runs.append(str(newest) if newest == oldest else f"{newest}-{oldest}")
        n += 1
    return ", ".join(runs) or "none"


def _frame(payload: bytes, at: int, protocol: Protocol | None, lines: list[str]) -> int:
    head = payload[at]
    at += 1
    if head == PADDING:
        size, at = read_length(payload, at)
        lines.append(f"  padding, {size} bytes")
        return at + size
    if head > 15:
        raise ProtocolError(f"a frame that begins with {head:#04x}")
    channel = Channel(head & 3)
    text = f"  {channel.name.lower().replace('_', ' ')}"
    if channel >= Channel.RELIABLE_ORDERED:
        (part,) = struct.unpack_from("<H", payload.ljust(at + 2, b"\0"), at)
        at += 2
        text += f" part {part}"
        if not head & FIRST or not head & LAST:
            text += {0: " (middle)", FIRST: " (first)", LAST: " (last)"}[head & (FIRST | LAST)]
    size, at = read_length(payload, at)
    content = payload[at : at + size]
    if len(content) < size:
        raise ProtocolError("a frame is cut off")
    text += f", {size} bytes"
    whole = channel < Channel.RELIABLE_ORDERED or head & (FIRST | LAST) == FIRST | LAST
    if protocol is not None and whole:
        try:
            shown = repr(protocol.decode(content, channel))
            text += f": {shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 1] + '…'}"
        except ProtocolError as wrong:
            text += f": malformed: {wrong}"
    lines.append(text)
    return at + size


def _short(datagram: bytes) -> str:
    return f"{datagram[:16].hex(' ')}{' …' if len(datagram) > 16 else ''} ({len(datagram)} bytes)"
