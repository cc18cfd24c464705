"""Packets larger than a datagram, cut and put together again: the fragments of mas-bandwidth/reliable 1.0.

    1 u8 | sequence u16 | fragment u8 | fragments - 1 u8 | in fragment 0 the packet's ack header | content

All fragments but the last carry exactly `FRAGMENT_BYTES` of content. One lost fragment loses the packet, so this is for
unreliable content only; channels cut large reliable messages themselves.
"""

from __future__ import annotations

from engine.net.connection.acks import WINDOW, read_header
from engine.net.wire.errors import ProtocolError

FRAGMENT_BYTES = 1024
FRAGMENT_HEADER_BYTES = 5
MAX_FRAGMENTS = 32
MAX_PACKET_BYTES = FRAGMENT_BYTES * MAX_FRAGMENTS
"""The longest packet, header not counted."""
MAX_ASSEMBLING = 4
"""Packets put together at a time, so at most 128 KiB a peer; for a fifth, the one begun first is given up."""


def split(sequence: int, header: bytes, content: bytes) -> list[bytes]:
    """The fragments of a packet; `content` is at most `MAX_PACKET_BYTES`."""
    count = max(1, (len(content) + FRAGMENT_BYTES - 1) // FRAGMENT_BYTES)
    head = b"\x01" + (sequence & 0xFFFF).to_bytes(2, "little")
    fragments: list[bytes] = []
    for index in range(count):
        part = content[index * FRAGMENT_BYTES : (index + 1) * FRAGMENT_BYTES]
        fragments.append(head + bytes((index, count - 1)) + (b"" if index else header) + part)
    return fragments


def fragment_sequence(fragment: bytes) -> int:
    """The 16-bit sequence number of a fragment's packet. Raises `ProtocolError`."""
    if len(fragment) < FRAGMENT_HEADER_BYTES or fragment[0] != 1:
        raise ProtocolError("a fragment header is cut off, or not one")
    return fragment[1] | fragment[2] << 8


class Assembly:
    """The fragments of one peer's packets that are still incomplete."""

    __slots__ = ("_packets",)

    def __init__(self) -> None:
        self._packets: dict[int, list[bytes | None]] = {}

    @property
    def pending_bytes(self) -> int:
        """The content held for packets that are still incomplete."""
        return sum(len(part) for parts in self._packets.values() for part in parts if part)

    def add(self, fragment: bytes, number: int) -> bytes | None:
        """The whole packet, ack header first, once `fragment` completes it. Raises `ProtocolError`.

        `number` is the packet's sequence number, unwrapped: 16 bits alone would in time mix two packets up.
        """
        sequence = fragment_sequence(fragment)
        index, count = fragment[3], fragment[4] + 1
        if count > MAX_FRAGMENTS or index >= count:
            raise ProtocolError(f"fragment {index} of {count}, where {MAX_FRAGMENTS} is the most")
        content_at = FRAGMENT_HEADER_BYTES
        if index == 0:
            embedded, _, _, content_at = read_header(fragment, FRAGMENT_HEADER_BYTES)
            if embedded != sequence:
                raise ProtocolError(f"a fragment of packet {sequence} with the header of packet {embedded}")
        size = len(fragment) - content_at
        if size > FRAGMENT_BYTES or (index < count - 1 and size != FRAGMENT_BYTES):
            raise ProtocolError(f"fragment {index} of {count} holds {size} bytes, not {FRAGMENT_BYTES}")
        parts = self._packets.get(number)
        if parts is None:
            for old in [old for old in self._packets if old <= number - WINDOW]:
                del self._packets[old]
            if len(self._packets) >= MAX_ASSEMBLING:
                del self._packets[next(iter(self._packets))]
            parts = self._packets[number] = [None] * count
        elif len(parts) != count:
            raise ProtocolError(f"packet {sequence} has {len(parts)} fragments, and then {count}")
        parts[index] = fragment[FRAGMENT_HEADER_BYTES:]
        whole = [part for part in parts if part is not None]
        if len(whole) < count:
            return None
        del self._packets[number]
        return b"".join(whole)
