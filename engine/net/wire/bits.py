"""Bits in, bits out: the lowest layer of the wire format.

Layout: bits fill each byte from its least significant end, so an unsigned value of `n` bits is little-endian at any
bit offset. Byte strings start at the next byte boundary. Bits skipped by alignment, and those after the last value,
are zero; a reader rejects any other, so every value has exactly one encoding.
"""

from __future__ import annotations

from engine.net.wire.errors import ProtocolError

_FIRST_BYTES = 32  # taken at once: all of most messages
_FLUSH_BITS = 256  # the accumulator is an int: short enough to shift cheaply, long enough to flush seldom


class BitWriter:
    """Packs unsigned integers and byte strings, bit after bit."""

    __slots__ = ("_acc", "_bytes", "_count")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._acc = 0
        self._count = 0

    def write(self, value: int, bits: int) -> None:
        """Append the `bits` low bits of `value`, which must satisfy ``0 <= value < 2**bits`` (callers check)."""
        self._acc |= value << self._count
        self._count += bits
        if self._count >= _FLUSH_BITS:
            whole = self._count >> 3
            self._bytes += (self._acc & ((1 << (whole << 3)) - 1)).to_bytes(whole, "little")
            self._acc >>= whole << 3
            self._count &= 7

    def write_bytes(self, chunk: bytes) -> None:
        """Append `chunk`, starting at the next byte boundary."""
        self._bytes += self._acc.to_bytes((self._count + 7) >> 3, "little")
        self._acc = self._count = 0
        self._bytes += chunk

    def getvalue(self) -> bytes:
        """Everything written so far, the last byte filled up with zero bits."""
        return bytes(self._bytes) + self._acc.to_bytes((self._count + 7) >> 3, "little")


class BitReader:
    """Unpacks what a `BitWriter` packed. Every method raises `ProtocolError` rather than read past the end."""

    __slots__ = ("_acc", "_bytes", "_count", "_position")

    def __init__(self, encoded: bytes) -> None:
        self._bytes = encoded
        first = encoded[:_FIRST_BYTES]
        self._position = len(first)  # the next byte that is not yet in the accumulator
        self._acc = int.from_bytes(first, "little")
        self._count = len(first) << 3

    @property
    def remaining(self) -> int:
        """Bits not yet read."""
        return self._count + ((len(self._bytes) - self._position) << 3)

    def read(self, bits: int) -> int:
        """The next `bits` bits as an unsigned integer."""
        if self._count < bits:
            end = self._position + ((bits - self._count + 7) >> 3)
            if end > len(self._bytes):
                raise ProtocolError(f"{bits} bits wanted, {self.remaining} left")
            end = min(end + 24, len(self._bytes))
            self._acc |= int.from_bytes(self._bytes[self._position : end], "little") << self._count
            self._count += (end - self._position) << 3
            self._position = end
        value = self._acc & ((1 << bits) - 1)
        self._acc >>= bits
        self._count -= bits
        return value

    def read_bytes(self, size: int) -> bytes:
        """The next `size` bytes, from the next byte boundary on."""
        skipped = self._count & 7
        if skipped and self.read(skipped):
            raise ProtocolError("bits skipped before a byte string are not zero")
        start = self._position - (self._count >> 3)
        end = start + size
        if end > len(self._bytes):
            raise ProtocolError(f"{size} bytes wanted, {len(self._bytes) - start} left")
        self._position = end
        self._acc = self._count = 0
        return self._bytes[start:end]

    def finish(self) -> None:
        """Check that nothing but the zero bits of the last byte is left."""
        if self._acc or self._count > 7 or self._position < len(self._bytes):
            raise ProtocolError(f"{self.remaining} bits left over after the last value")
