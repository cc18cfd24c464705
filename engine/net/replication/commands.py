"""Commands on their way from a player to the server: the client's `Outbox`, the server's `Inbox`.

A command is worth something only before its tick, so nothing is sent again after a loss: each payload repeats the
ticks that may still be in time. The payload of `Inputs`, little-endian:

    uint8           ticks in it, 0 to 31; + 0x20 if a whole snapshot is wanted; + 0x40 if all sets are of one size;
                    + 0x80 if snapshots are acked
    uint32          the newest of its ticks; the others are those right before
    uint32, uint16  only with 0x80: the acks, the newest snapshot applied and a bit field of earlier ones
    bit field       one bit for each tick but the newest, as whole bytes: the same commands as in the tick after it
    uint8 ...       the size in bytes of the sets that follow: one for all with 0x40, otherwise one for each
    sets            the commands of each tick, newest first, but of those marked as the same

A set is bits, as in `engine.net.wire.bits`: for each command a one, the position of its type among those declared,
and its fields; then a zero, unless the set ends with the byte.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.net.wire.bits import BitReader, BitWriter
from engine.net.wire.errors import EncodeError, ProtocolError, SchemaError
from engine.net.wire.protocol import Protocol
from engine.net.wire.system import MOST_INPUT, Inputs, Pace

MOST_TICKS = 31
"""In one payload."""
MOST_COMMANDS = 16
"""Of one player in one tick."""
MOST_BYTES = 250
"""Of one player's commands in one tick."""
REPEATED = 15
"""Ticks in which a player whose commands are missing goes on as before: a quarter of a second at 60 Hz."""
AHEAD = 2.0
"""Seconds that a command may come before its tick."""
PACE_INTERVAL = 0.2
_FIRST_PACES = 8  # these come three times as often, so that a newcomer's clock settles soon

_HEAD = struct.Struct("<BI")
_ACKS = struct.Struct("<IH")
_TICKS, _FULL, _EVEN, _ACKED = 0x1F, 0x20, 0x40, 0x80


class _Sets:
    """The commands of a tick as bytes, and back."""

    def __init__(self, protocol: Protocol) -> None:
        declared = protocol.declarations.commands
        self._bits = max(len(declared) - 1, 0).bit_length()
        self._writers = {kind: (index, codec.write) for index, (kind, codec) in enumerate(declared.items())}
        self._readers = [codec.read for codec in declared.values()]

    def encode(self, commands: Iterable[object]) -> bytes:
        writer = BitWriter()
        count = 0
        for command in commands:
            entry = self._writers.get(type(command))
            if entry is None:
                name = type(command).__name__
                raise SchemaError(f"{name} is no command of the protocol; declare it with .command({name})")
            writer.write(1 | entry[0] << 1, self._bits + 1)
            entry[1](writer, command)
            count += 1
        encoded = writer.getvalue()
        if count > MOST_COMMANDS or len(encoded) > MOST_BYTES:
            raise EncodeError(
                f"{count} commands in one tick, of {len(encoded)} bytes: at most {MOST_COMMANDS} and {MOST_BYTES}; "
                "send what is not the intent of a single tick as a message"
            )
        return encoded

    def decode(self, encoded: bytes) -> list[object]:
        reader = BitReader(encoded)
        commands: list[object] = []
        bits, readers = self._bits, self._readers
        while reader.remaining and reader.read(1):
            if len(commands) == MOST_COMMANDS:
                raise ProtocolError(f"more than {MOST_COMMANDS} commands in one tick")
            index = reader.read(bits)
            if index >= len(readers):
                raise ProtocolError(f"command type {index} of {len(readers)}")
            commands.append(readers[index](reader))
        reader.finish()
        return commands


class Outbox:
    """The commands of this client's player, until the server has them or it is too late for them."""

    def __init__(self, protocol: Protocol) -> None:
        self._sets = _Sets(protocol)
        self._runs: deque[list[Any]] = deque(maxlen=MOST_TICKS)  # a set, and ticks it was wanted in; newest first
        self._tick = 0
        self._heard = 0
        self._unsent = 0
        self.depth = 8
        """Ticks worth sending: older ones would come too late. `Lead.depth` knows."""

    def note(self, tick: int, commands: Iterable[object]) -> None:
        """What the player wants in `tick`, the one after that noted last; any other tick starts anew.

        Raises `SchemaError` for a command that was never declared, `EncodeError` for one out of its bounds.
        """
        self._note(tick, self._sets.encode(commands))

    def again(self, tick: int) -> None:
        """As `note` with the same commands as last, or with none before the first."""
        self._note(tick, self._runs[0][0] if self._runs else b"")

    def _note(self, tick: int, encoded: bytes) -> None:
        if tick != self._tick + 1:
            self._runs.clear()
            self._unsent = 0
            self._heard = min(self._heard, tick - 1)
        self._tick = tick
        self._unsent += 1
        if self._runs and self._runs[0][0] == encoded:
            self._runs[0][1] += 1
        else:
            self._runs.appendleft([encoded, 1])

    def as_read(self, commands: Iterable[object]) -> list[object]:
        """The commands as the server will read them: numbers with a step are rounded. Raises what `note` does."""
        return self._sets.decode(self._sets.encode(commands))

    def heard(self, tick: int) -> None:
        """The server has the commands up to `tick`; they are not sent again."""
        self._heard = max(self._heard, min(tick, self._tick))

    def payload(self, acks: tuple[int, int] = (0, 0), wants_full: bool = False) -> Inputs:
        """What to send now. `acks` are the newest snapshot applied and a bit field of earlier ones; (0, 0) for none."""
        wanted = min(MOST_TICKS, max(self._unsent, min(self.depth, self._tick - self._heard)))
        self._unsent = 0
        same = size = count = 0
        sets: list[bytes] = []
        for encoded, ticks in self._runs:
            size += len(encoded) + 1
            if count == wanted or size > MOST_INPUT - 16:  # the header's 11 bytes, and 4 of bit field
                break
            ticks = min(ticks, wanted - count)
            same |= (1 << ticks - 1) - 1 << count
            count += ticks
            sets.append(encoded)
        head = count | _FULL if wants_full else count
        sizes = bytes(map(len, sets))
        if sizes and sizes.count(sizes[0]) == len(sizes):
            head |= _EVEN
            sizes = sizes[:1]
        acked = b""
        if acks != (0, 0):
            head |= _ACKED
            acked = _ACKS.pack(*acks)
        return Inputs(
            b"".join((_HEAD.pack(head, self._tick), acked, same.to_bytes((count + 6) >> 3, "little"), sizes, *sets))
        )


@dataclass(slots=True)
class InboxCounts:
    """What became of one player's commands, in ticks' worth of them, unless said otherwise."""

    taken: int = 0
    """Were there in time and used."""
    missed: int = 0
    """Were not there in time: the player went on as before."""
    late: int = 0
    """Came after their tick and were dropped."""
    early: int = 0
    """Came more than `AHEAD` seconds before their tick and were dropped."""
    repeated: int = 0
    """Payloads without anything new."""
    malformed: int = 0
    """Payloads or sets that no correct client sends."""


class Inbox:
    """One player's commands at the server. A tick has the first ones that come for it; sending more gains nothing.

    `tick` is the last one run when the player joins, `rate` ticks a second.
    """

    def __init__(self, protocol: Protocol, tick: int = 0, *, rate: float = 60.0) -> None:
        self.counts = InboxCounts()
        self._sets = _Sets(protocol)
        self._ahead = AHEAD * rate
        self._interval = PACE_INTERVAL * rate
        self._taken = tick
        self._newest = tick
        self._waiting: dict[int, bytes] = {}  # ticks from _taken, exclusive, to _taken + _ahead
        self._last: list[object] = []
        self._last_set = b""
        self._without = REPEATED  # ticks since there were any
        self._started = False
        self._leads = 0
        self._least = self._most = self._sum = 0.0
        self._least_tick = 0
        self._paces = 0
        self._heard_at = 0.0
        self._due = 0.0

    def receive(self, payload: bytes, now_tick: float) -> tuple[int, int, bool] | None:
        """Take the payload of an `Inputs` that came when the server's time was `now_tick`, with its fraction.

        Returns the newest snapshot the client applied and a bit field of earlier ones, both 0 for none, and whether it
        wants a whole one; or None if the payload is malformed, which is counted. Never raises.
        """
        try:
            head, tick = _HEAD.unpack_from(payload)
            position = 5
            newest = bits = 0
            if head & _ACKED:
                newest, bits = _ACKS.unpack_from(payload, 5)
                position = 11
        except struct.error:
            self.counts.malformed += 1
            return None
        count = head & _TICKS
        acks = (newest, bits, head & _FULL != 0)
        if not count and len(payload) == position:
            return acks
        end = position + ((count + 6) >> 3)
        same = int.from_bytes(payload[position:end], "little")
        distinct = count - same.bit_count()
        if head & _EVEN:
            sizes = payload[end : end + 1] * distinct
            position = end + 1
        else:
            sizes = payload[end : end + distinct]
            position = end + distinct
        if not 0 < count <= MOST_TICKS or count > tick or same >> (count - 1) or len(payload) != position + sum(sizes):
            self.counts.malformed += 1
            return None
        self._heard_at = now_tick
        if now_tick - self._taken > 2 * self._ahead:  # nobody takes them, as of a spectator
            self._pass_over(int(now_tick - self._ahead))
        self._accept(payload, position, sizes, same, count, tick, now_tick)
        return acks

    def _accept(
        self, payload: bytes, position: int, sizes: bytes, same: int, count: int, tick: int, now_tick: float
    ) -> None:
        waiting, taken, newest, counts = self._waiting, self._taken, self._newest, self.counts
        first = tick - count + 1
        latest = now_tick + self._ahead
        if newest - taken <= len(waiting):  # nothing is missing that this could hold
            if tick <= newest:
                counts.repeated += 1
                return
            if tick == newest + 1 and taken < tick <= latest:
                self._lead(tick, tick - now_tick)
                waiting[tick] = payload[position : position + sizes[0]]
                self._newest = tick
                return
            first = max(first, newest + 1)
        which, size = 0, sizes[0]
        new = False
        for each in range(tick, first - 1, -1):
            if each != tick:
                if not same & 1:
                    position += size
                    which += 1
                    size = sizes[which]
                same >>= 1
            if each > newest:
                new = True
                self._lead(each, each - now_tick)
            if each > latest:
                counts.early += 1
            elif each > taken:
                if each not in waiting:
                    new = True
                    waiting[each] = payload[position : position + size]
                    self._newest = max(self._newest, each)
            elif each > newest:
                counts.late += 1
                self._newest = max(self._newest, each)
        counts.repeated += not new

    def _lead(self, tick: int, lead: float) -> None:
        if not self._leads:
            self._least = self._most = lead
            self._least_tick = tick
        elif lead < self._least:
            self._least = lead
            self._least_tick = tick
        elif lead > self._most:
            self._most = lead
        self._leads += 1
        self._sum += lead

    @property
    def waiting(self) -> int:
        """Ticks to come that have their commands."""
        return len(self._waiting)

    def take(self, tick: int) -> list[object]:
        """The commands of `tick`, which runs now; not to be changed.

        If none are there in time, those of the tick before, for at most `REPEATED` ticks: so commands say what is held,
        not what is pressed.
        """
        encoded = self._waiting.pop(tick, None)
        if tick > self._taken + 1:
            self._pass_over(tick)
        self._taken = max(self._taken, tick)
        if encoded is not None and self._read(encoded):
            self.counts.taken += 1
            self._without = 0
            self._started = True
        elif self._started:
            self.counts.missed += 1
            self._without += 1
        return self._last if self._without <= REPEATED and self._started else []

    def _pass_over(self, tick: int) -> None:
        for passed in [each for each in self._waiting if each <= tick]:
            del self._waiting[passed]
        self._taken = tick

    def _read(self, encoded: bytes) -> bool:
        if encoded == self._last_set and self._started:
            return True
        try:
            self._last = self._sets.decode(encoded)
        except ProtocolError:
            self.counts.malformed += 1
            return False
        self._last_set = encoded
        return True

    def pace(self) -> Pace | None:
        """What to tell the client of its timing, if anything is due; to be asked in every tick."""
        if not self._leads or self._heard_at < self._due:
            return None
        self._paces += 1
        self._due = self._heard_at + (self._interval if self._paces > _FIRST_PACES else self._interval / 3)
        leads, self._leads = self._leads, 0
        total, self._sum = self._sum, 0.0
        return Pace(self._least_tick, self._least, total / leads, self._most)
