"""Reliable channels: numbered parts that are sent until acked, and put together again on the other side.

A message longer than `PART_BYTES` is cut into parts with consecutive numbers; the first and the last are marked. The
sender is never more than `WINDOW_PARTS` ahead of the oldest part not acked, so what a receiver may have to keep is
bounded, and a number of 16 bits is never ambiguous.
"""

from __future__ import annotations

from collections import deque

from engine.net.connection.acks import unwrap
from engine.net.wire.errors import ProtocolError

PART_BYTES = 1150
PART_COST = 64
"""What a part counts for beyond its content, so that many small messages, or empty ones, are bounded too."""
WINDOW_PARTS = 512
MAX_ORDERED_BYTES = 1 << 20
"""The longest message of the ordered channel."""
MAX_UNORDERED_BYTES = 1 << 16
"""The longest message of the unordered channel."""
FIRST, LAST = 4, 8
"""Marks of a part, in its frame's first byte."""


class Outgoing:
    """The sending end: parts waiting, parts on their way, parts to be sent again."""

    __slots__ = ("_again", "_fresh", "_next", "_unacked", "bytes")

    def __init__(self) -> None:
        self.bytes = 0
        """What is kept, sent or waiting, until it is acked: its content, and `PART_COST` for each part."""
        self._next = 0  # the number of the next part to be added
        self._fresh: deque[int] = deque()
        self._again: deque[int] = deque()
        self._unacked: dict[int, tuple[int, bytes]] = {}  # in order of number

    def add(self, message: bytes) -> None:
        """Queue a message, cut into parts."""
        end = max(1, len(message))
        for start in range(0, end, PART_BYTES):
            marks = (FIRST if start == 0 else 0) | (LAST if start + PART_BYTES >= end else 0)
            self._unacked[self._next] = (marks, message[start : start + PART_BYTES])
            self._fresh.append(self._next)
            self._next += 1
            self.bytes += len(self._unacked[self._next - 1][1]) + PART_COST

    @property
    def ready(self) -> bool:
        """Whether a part may be sent now."""
        if not self._fresh and not self._again:
            return False
        while self._again and self._again[0] not in self._unacked:  # acked after all, after it was given up
            self._again.popleft()
        return bool(self._again) or bool(self._fresh and self._fresh[0] < next(iter(self._unacked)) + WINDOW_PARTS)

    @property
    def waiting(self) -> bool:
        """Whether there are parts to send, now or when there is room for them."""
        return bool(self._fresh or self._again)

    def peek(self) -> tuple[int, int, bytes]:
        """The number, marks and content of the next part to send, once `ready` said there is one."""
        number = self._again[0] if self._again else self._fresh[0]
        return number, *self._unacked[number]

    def sent(self) -> None:
        """The part that `peek` gave is on its way."""
        (self._again or self._fresh).popleft()

    def acked(self, number: int) -> None:
        """A packet with this part arrived."""
        part = self._unacked.pop(number, None)
        if part is not None:
            self.bytes -= len(part[1]) + PART_COST

    def lost(self, number: int) -> None:
        """A packet with this part was given up."""
        if number in self._unacked:
            self._again.append(number)


class Ordered:
    """The receiving end of the ordered channel."""

    __slots__ = ("_early", "_expected", "_partial", "_partial_bytes")

    def __init__(self) -> None:
        self._expected = 0
        self._early: dict[int, tuple[int, bytes]] = {}
        self._partial: list[bytes] = []
        self._partial_bytes = 0

    def receive(self, number: int, marks: int, content: bytes) -> list[bytes]:
        """The messages that this part completes, in order. Raises `ProtocolError`."""
        number = unwrap(number, self._expected)
        if number >= self._expected + WINDOW_PARTS:
            raise ProtocolError(f"part {number} where {self._expected} is due: over {WINDOW_PARTS} ahead")
        if number < self._expected or number in self._early:
            return []
        self._early[number] = (marks, content)
        messages: list[bytes] = []
        while (part := self._early.pop(self._expected, None)) is not None:
            self._expected += 1
            marks, content = part
            if bool(marks & FIRST) == bool(self._partial):
                raise ProtocolError("a message begins inside another, or has no beginning")
            self._partial.append(content)
            self._partial_bytes += len(content)
            if self._partial_bytes > MAX_ORDERED_BYTES:
                raise ProtocolError(f"a message of over {MAX_ORDERED_BYTES} bytes")
            if marks & LAST:
                messages.append(b"".join(self._partial))
                self._partial.clear()
                self._partial_bytes = 0
        return messages


class Unordered:
    """The receiving end of the unordered channel."""

    __slots__ = ("_base", "_mask", "_parts")

    def __init__(self) -> None:
        self._base = 0  # every part below arrived
        self._mask = 0  # bit n: part _base + n arrived
        self._parts: dict[int, tuple[int, bytes]] = {}  # of messages that are incomplete

    def receive(self, number: int, marks: int, content: bytes) -> list[bytes]:
        """The message that this part completes, if it does. Raises `ProtocolError`."""
        number = unwrap(number, self._base)
        offset = number - self._base
        if offset >= WINDOW_PARTS:
            raise ProtocolError(f"part {number} where {self._base} is due: over {WINDOW_PARTS} ahead")
        if offset < 0 or self._mask >> offset & 1:
            return []
        self._mask |= 1 << offset
        done = (~self._mask & (self._mask + 1)).bit_length() - 1  # how many low bits are set
        self._mask >>= done
        self._base += done
        if marks == FIRST | LAST:
            return [content]
        self._parts[number] = (marks, content)
        if len(self._parts) > 2 * WINDOW_PARTS:
            raise ProtocolError("messages that begin and never end")
        return self._complete(number)

    def _complete(self, number: int) -> list[bytes]:
        """The message around a part, if all of it is there."""
        most = MAX_UNORDERED_BYTES // PART_BYTES + 1
        first = last = number
        while not self._parts[first][0] & FIRST:
            first -= 1
            if first not in self._parts:
                return []
            if number - first > most:
                raise ProtocolError(f"a message of over {MAX_UNORDERED_BYTES} bytes")
        while not self._parts[last][0] & LAST:
            last += 1
            if last not in self._parts:
                return []
            if last - first > most:
                raise ProtocolError(f"a message of over {MAX_UNORDERED_BYTES} bytes")
        return [b"".join([self._parts.pop(part)[1] for part in range(first, last + 1)])]
