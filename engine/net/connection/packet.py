"""Packets of the netcode standard 1.02, sealed and opened. STANDARD.md, "Packets":

    request:        0 | version 13 | protocol id u64 | expires u64 | nonce 24 | sealed private part 1024
    all others:     prefix u8: sequence bytes << 4 | type  |  sequence, 1 to 8 bytes  |  sealed content + MAC 16

The content of a challenge and a response is: challenge sequence u64 | challenge token 300; of a keep-alive: client
index u32 | max clients u32; of a payload: 1 to 1200 bytes; of the rest, nothing. It is sealed with ChaCha20-Poly1305,
with the sequence as nonce and version, protocol id and prefix as associated data. Integers are little-endian.
"""

from __future__ import annotations

import enum
import functools
import struct
from array import array

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from engine.net.connection.token import CHALLENGE_BYTES, MAC_BYTES, VERSION, ConnectToken

REQUEST_BYTES = 1078
MAX_PAYLOAD_BYTES = 1200
MAX_SEALED_BYTES = 1 + 8 + MAX_PAYLOAD_BYTES + MAC_BYTES
"""The longest datagram of the standard, the request being shorter."""
SEAL_BYTES = 1 + 8 + MAC_BYTES
"""The most that sealing adds to a payload."""
CHALLENGE_CONTENT = struct.Struct(f"<Q{CHALLENGE_BYTES}s")
KEEP_ALIVE_CONTENT = struct.Struct("<II")
REQUEST = struct.Struct("<B13sQQ24s1024s")

_LEAST_SEALED_BYTES = 18
_WINDOW = 256
_PREFIXES = 0x90


class PacketType(enum.IntEnum):
    """The low four bits of a packet's first byte."""

    REQUEST = 0
    DENIED = 1
    CHALLENGE = 2
    RESPONSE = 3
    KEEP_ALIVE = 4
    PAYLOAD = 5
    DISCONNECT = 6


_PAYLOAD = int(PacketType.PAYLOAD)
_FIRST_ONCE_ONLY = int(PacketType.KEEP_ALIVE)  # types from here on are never taken twice
_CONTENT_BYTES = (-1, 0, CHALLENGE_CONTENT.size, CHALLENGE_CONTENT.size, KEEP_ALIVE_CONTENT.size, -1, 0)


def request_packet(token: ConnectToken) -> bytes:
    """The datagram that presents a token to a server."""
    return REQUEST.pack(0, VERSION, token.protocol_id, token.expires, token.nonce, token.sealed)


@functools.lru_cache(maxsize=64)
def _associated(protocol_id: int) -> tuple[bytes, ...]:
    """The associated data of every possible prefix byte."""
    return tuple(VERSION + protocol_id.to_bytes(8, "little") + bytes([prefix]) for prefix in range(_PREFIXES))


@functools.lru_cache(maxsize=64)
def _content_starts(allowed: frozenset[PacketType]) -> bytes:
    """By prefix byte: where the content of a packet begins; 0 for one that is not allowed, or no packet."""
    return bytes((prefix >> 4) + 1 if prefix & 15 in allowed and 1 <= prefix >> 4 <= 8 else 0 for prefix in range(256))


class Sealer:
    """One direction of one connection, at its sending end. No sequence number is ever used twice: see `seal`."""

    __slots__ = ("_associated", "_encrypt")

    def __init__(self, key: bytes, protocol_id: int) -> None:
        self._encrypt = ChaCha20Poly1305(key).encrypt
        self._associated = _associated(protocol_id)

    def seal(self, kind: int, sequence: int, content: bytes) -> bytes:
        """The datagram of a packet. The caller counts `sequence`; the same twice would give the key stream away."""
        size = (sequence.bit_length() + 7) >> 3 or 1
        prefix = size << 4 | kind
        sealed = self._encrypt((sequence << 32).to_bytes(12, "little"), content, self._associated[prefix])
        return (sequence << 8 | prefix).to_bytes(size + 1, "little") + sealed


class Opener:
    """One direction of one connection, at its receiving end, with its replay window of 256 sequence numbers."""

    __slots__ = ("_associated", "_decrypt", "_newest", "_seen", "_starts")

    def __init__(self, key: bytes, protocol_id: int, allowed: frozenset[PacketType]) -> None:
        self._decrypt = ChaCha20Poly1305(key).decrypt
        self._associated = _associated(protocol_id)
        self._starts = _content_starts(allowed)
        self.forget()

    def forget(self) -> None:
        """Empty the replay window: for a client that turns to its token's next server."""
        self._newest = -1
        # Of the newest sequence number in each residue class of 256, all but the low 8 bits: they fit 63 bits.
        self._seen = array("q", b"\xff" * 8 * _WINDOW)

    @property
    def newest(self) -> int:
        """The highest sequence number opened, of packets taken only once; -1 before the first."""
        return self._newest

    def open(self, datagram: bytes) -> tuple[int, bytes] | None:
        """The type and content of a packet, or None for anything a correct peer did not send just now.

        The checks are those of STANDARD.md, "Reading Encrypted Packets", in its order.
        """
        size = len(datagram)
        if not _LEAST_SEALED_BYTES <= size <= MAX_SEALED_BYTES:
            return None
        prefix = datagram[0]
        start = self._starts[prefix]
        if not start or size < start + MAC_BYTES:
            return None
        kind = prefix & 15
        sequence = int.from_bytes(datagram[1:start], "little")
        once_only = kind >= _FIRST_ONCE_ONLY
        if (
            once_only
            and sequence <= self._newest
            and (sequence <= self._newest - _WINDOW or self._seen[sequence & 255] >= sequence >> 8)
        ):
            return None
        try:
            content = self._decrypt((sequence << 32).to_bytes(12, "little"), datagram[start:], self._associated[prefix])
        except InvalidTag:
            return None
        if once_only:
            self._seen[sequence & 255] = sequence >> 8
            if sequence > self._newest:
                self._newest = sequence
        if kind == _PAYLOAD:
            if not 0 < len(content) <= MAX_PAYLOAD_BYTES:
                return None
        elif len(content) != _CONTENT_BYTES[kind]:
            return None
        return kind, content
