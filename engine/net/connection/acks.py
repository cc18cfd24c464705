"""Which packets arrived: the ack header of mas-bandwidth/reliable 1.0, and the receiver's memory behind it.

    prefix u8:  bit 0       0; a fragment has 1 here, see fragments.py
                bits 1..4   byte 0..3 of the ack bits is present, because it is not 0xFF
                bit 5       the ack is one byte: sequence - ack
                bits 6..7   0
    sequence u16 | ack u8 or u16 | the ack bytes present, lowest first

Bit `n` of the ack bits means that packet `ack - n` arrived, bit 0 being `ack` itself (so does the reference
implementation; its STANDARD.md counts from `ack - 1`). Integers are little-endian, sequence numbers wrap at 2**16, and
each header has one encoding only: a reader refuses any longer one.
"""

from __future__ import annotations

from engine.net.wire.errors import ProtocolError

ACK_BITS = 32
MAX_HEADER_BYTES = 9
WINDOW = 1024
"""Packets older than this many are taken for lost, by both sides."""

_ALL = (1 << ACK_BITS) - 1
_WINDOW_MASK = (1 << WINDOW) - 1
_SHORT_ACK = 0x20
_UNUSED = 0xC1  # bit 0 marks fragments, which are read elsewhere


def write_header(sequence: int, ack: int, bits: int) -> bytes:
    """The 4 to 9 bytes of a header; `sequence` and `ack` are taken modulo 2**16."""
    sequence &= 0xFFFF
    difference = (sequence - ack) & 0xFFFF
    if bits == _ALL and difference < 256:
        return bytes((_SHORT_ACK, sequence & 0xFF, sequence >> 8, difference))
    prefix = 0
    if difference < 256:
        prefix = _SHORT_ACK
        tail = bytes((difference,))
    else:
        tail = (ack & 0xFFFF).to_bytes(2, "little")
    if bits != _ALL:
        for index, byte in enumerate(bits.to_bytes(4, "little")):
            if byte != 0xFF:
                prefix |= 2 << index
                tail += bytes((byte,))
    return bytes((prefix, sequence & 0xFF, sequence >> 8)) + tail


def read_header(packet: bytes, start: int = 0) -> tuple[int, int, int, int]:
    """Sequence, ack, ack bits, and the offset after the header. Raises `ProtocolError`."""
    try:
        prefix = packet[start]
        if prefix == _SHORT_ACK:  # the usual one: nothing of late is missing
            sequence = packet[start + 1] | packet[start + 2] << 8
            return sequence, (sequence - packet[start + 3]) & 0xFFFF, _ALL, start + 4
        sequence = packet[start + 1] | packet[start + 2] << 8
        if prefix & _SHORT_ACK:
            ack = (sequence - packet[start + 3]) & 0xFFFF
            at = start + 4
            shortest = True
        else:
            ack = packet[start + 3] | packet[start + 4] << 8
            at = start + 5
            shortest = (sequence - ack) & 0xFFFF > 0xFF
        bits = _ALL
        if prefix & ~_SHORT_ACK:
            for shift, present in ((0, 2), (8, 4), (16, 8), (24, 16)):
                if prefix & present:
                    byte = packet[at]
                    at += 1
                    bits ^= (byte ^ 0xFF) << shift
                    shortest = shortest and byte != 0xFF
    except IndexError:
        raise ProtocolError("an ack header is cut off") from None
    if not shortest or prefix & _UNUSED:
        raise ProtocolError("an ack header that is not the shortest of its meaning")
    return sequence, ack, bits, at


def unwrap(number: int, near: int) -> int:
    """The one whole number that is `number` modulo 2**16 and closest to `near`."""
    return near + ((number - near + 0x8000) & 0xFFFF) - 0x8000


class Arrivals:
    """The packets that arrived, and which of them the sender has not been told of.

    Acks may be lost with the packet that carries them, so a packet is reported in every header whose 32 bits reach it;
    `owed` only remembers those that were in none yet. After a burst, or far out of order, some can be out of reach of
    the newest: `ack` then starts from an older one, which the header's meaning allows.
    """

    __slots__ = ("_mask", "_newest", "_owed")

    def __init__(self) -> None:
        self._newest = -1
        self._mask = 0  # bit n: packet newest - n arrived
        self._owed = 0  # the same, where it was in no ack yet and wants to be

    @property
    def newest(self) -> int:
        """The highest sequence number that arrived, counted on beyond 2**16; -1 before the first."""
        return self._newest

    @property
    def owed(self) -> bool:
        """Whether some packet that wants an ack is in none yet."""
        return self._owed != 0

    def next(self, sequence: int, wants_ack: bool) -> int | None:
        """Note the arrival of a packet that follows the newest, the usual case; its number, or None if it does not."""
        number = self._newest + 1
        if sequence != number & 0xFFFF:
            return None
        self._newest = number
        self._mask = (self._mask << 1 | 1) & _WINDOW_MASK
        self._owed = (self._owed << 1 | wants_ack) & _WINDOW_MASK
        return number

    def place(self, sequence: int) -> int | None:
        """The unwrapped number of a packet, or None if it came before, or too late to tell."""
        number = unwrap(sequence, self._newest)
        age = self._newest - number
        if age < 0:
            return number
        if age >= WINDOW or self._mask >> age & 1 or number < 0:
            return None
        return number

    def add(self, number: int, wants_ack: bool) -> None:
        """Note the arrival of a packet by the number `place` gave it."""
        ahead = number - self._newest
        if ahead > 0:
            self._mask = (self._mask << ahead | 1) & _WINDOW_MASK if ahead < WINDOW else 1
            self._owed = (self._owed << ahead) & _WINDOW_MASK if ahead < WINDOW else 0
            self._newest = number
            if wants_ack:
                self._owed |= 1
        else:
            self._mask |= 1 << -ahead
            if wants_ack:
                self._owed |= 1 << -ahead

    def ack(self) -> tuple[int, int]:
        """An ack and its bits: from the newest packet owed one, or else the newest; what it covers is owed no more."""
        age = (self._owed & -self._owed).bit_length() - 1 if self._owed else 0
        if age < ACK_BITS:
            age = 0
        self._owed &= ~(_ALL << age)
        return (self._newest - age) & 0xFFFF, self._mask >> age & _ALL
