"""The journal: everything that came into a simulation from outside, stamped with its tick.

Layout, little-endian. File: magic `TWJ1`, then entries. Entry: u32 length | u32 CRC-32 of the rest | u8 kind |
u32 tick | body. The first entry is the header, the last of a file closed in order is the end mark.

    HEADER  JSON object chosen by the writer
    EVENT   JSON value of one event, see `engine.events.plain`
    NAMES   JSON list of component names, in force until the next
    HASHES  u64 state hash | u32 per component of NAMES: the low bits of its hash
    END     empty

A reader takes everything up to the first damage and says where that is. CRC-32 guards against accidents, not forgers.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO

from engine.events.errors import JournalError
from engine.events.plain import from_plain, to_plain

MAGIC = b"TWJ1"
MAX_ENTRY = 1 << 24
_FRAME = struct.Struct("<II")
_STAMP = struct.Struct("<BI")


class _Kind(IntEnum):
    HEADER = 0
    EVENT = 1
    NAMES = 2
    HASHES = 3
    END = 4


class JournalWriter:
    """Writes a journal. Each entry goes to the file as it is made, so a crash loses at most the last one."""

    def __init__(self, file: BinaryIO, header: Mapping[str, Any]) -> None:
        self._file = file
        self._names: list[str] = []
        file.write(MAGIC)
        self._entry(_Kind.HEADER, 0, _json(dict(header)))

    @classmethod
    def create(cls, path: Path | str, header: Mapping[str, Any]) -> JournalWriter:
        """Start a journal at `path`, making its folder. Raises `JournalError` if it cannot be written."""
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls(path.open("wb"), header)
        except OSError as error:
            raise JournalError(f"cannot write the journal {path}: {error.strerror}; give another path") from error

    def event(self, tick: int, event: object) -> None:
        """Note an event from outside. Raises `JournalError` if it holds more than plain values."""
        self._entry(_Kind.EVENT, tick, _json(to_plain(event)))

    def hashes(self, tick: int, total: int, components: Mapping[str, int]) -> None:
        """Note the state after `tick`: its hash, and that of each component to name the culprit by."""
        names = list(components)
        if names != self._names:
            self._names = names
            self._entry(_Kind.NAMES, tick, _json(names))
        low = [value & 0xFFFFFFFF for value in components.values()]
        self._entry(_Kind.HASHES, tick, struct.pack(f"<Q{len(low)}I", total, *low))

    def close(self, tick: int) -> None:
        """Mark the end and close the file."""
        if not self._file.closed:
            self._entry(_Kind.END, tick, b"")
            self._file.close()

    def _entry(self, kind: _Kind, tick: int, body: bytes) -> None:
        payload = _STAMP.pack(kind, tick) + body
        self._file.write(_FRAME.pack(len(payload), zlib.crc32(payload)) + payload)


@dataclass(slots=True)
class TickHashes:
    """The state hash after a tick, and the low 32 bits of each component's hash."""

    total: int
    components: dict[str, int]


@dataclass(slots=True)
class Journal:
    """A journal read back. `events` are plain values until `decoded` is asked for them."""

    header: dict[str, Any]
    events: dict[int, list[Any]] = field(default_factory=dict[int, list[Any]])
    hashes: dict[int, TickHashes] = field(default_factory=dict[int, TickHashes])
    last_tick: int = 0
    damage: str | None = None
    """What is wrong with the file and where, if it could not be read to its end; all before that is here."""

    def decoded(self, tick: int, known: Mapping[str, type]) -> list[Any]:
        """The events of `tick`, in order; those of classes not in `known` raise `JournalError`."""
        return [from_plain(plain, Any, known) for plain in self.events.get(tick, ())]


def read_journal(path: Path | str) -> Journal:
    """Read a journal as far as it is whole; see `Journal.damage`.

    Raises `JournalError` if there is no such file, or it is no journal or its header is damaged.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error
    try:
        return parse_journal(raw)
    except JournalError as error:
        raise JournalError(f"{path}: {error}") from error


def parse_journal(raw: bytes) -> Journal:
    """Read a journal from its bytes; see `read_journal`."""
    if raw[: len(MAGIC)] != MAGIC:
        if raw[:3] == MAGIC[:3]:
            raise JournalError(
                f"this is a journal of version {raw[3:4]!r}, this engine reads {MAGIC[3:]!r}; use the engine that wrote it"
            )
        raise JournalError("this is no Tickwire journal")
    journal: Journal | None = None
    names: list[str] = []
    place = len(MAGIC)
    damage: str | None = None
    ended = False
    while place < len(raw) and not ended:
        try:
            kind, tick, body, after = _read_entry(raw, place)
            if journal is None:
                if kind is not _Kind.HEADER:
                    raise JournalError("the header is missing")
                journal = Journal(_parse_json(body, dict))
            elif kind is _Kind.EVENT:
                journal.events.setdefault(tick, []).append(_parse_json(body, dict))
            elif kind is _Kind.NAMES:
                names = [str(name) for name in _parse_json(body, list)]
            elif kind is _Kind.HASHES:
                journal.hashes[tick] = _parse_hashes(body, names)
            elif kind is _Kind.END:
                ended = True
            journal.last_tick = max(journal.last_tick, tick)
            place = after
        except JournalError as error:
            damage = f"damaged at byte {place}: {error}"
            break
    if journal is None:
        raise JournalError(damage or "damaged: it ends before its header")
    if damage is None and not ended:
        damage = f"cut off at byte {place}: the end mark is missing"
    elif damage is None and place < len(raw):
        damage = f"damaged at byte {place}: {len(raw) - place} bytes follow the end mark"
    journal.damage = damage
    return journal


def _read_entry(raw: bytes, place: int) -> tuple[_Kind, int, bytes, int]:
    start = place + _FRAME.size
    if start > len(raw):
        raise JournalError("the file ends inside an entry")
    length, checksum = _FRAME.unpack_from(raw, place)
    if not _STAMP.size <= length <= MAX_ENTRY:
        raise JournalError(f"an entry cannot be {length} bytes long")
    payload = raw[start : start + length]
    if len(payload) < length:
        raise JournalError("the file ends inside an entry")
    if zlib.crc32(payload) != checksum:
        raise JournalError("the checksum of an entry does not match")
    number, tick = _STAMP.unpack_from(payload)
    if number not in _Kind.__members__.values():
        raise JournalError(f"there is no entry of kind {number}")
    return _Kind(number), tick, payload[_STAMP.size :], start + length


def _parse_hashes(body: bytes, names: list[str]) -> TickHashes:
    if len(body) != 8 + 4 * len(names):
        raise JournalError("the hashes do not fit the names before them")
    total, *low = struct.unpack(f"<Q{len(names)}I", body)
    return TickHashes(total, dict(zip(names, low, strict=True)))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _parse_json(body: bytes, kind: type) -> Any:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise JournalError(f"an entry is not JSON: {error}") from error
    if not isinstance(value, kind):
        raise JournalError(f"an entry is no {kind.__name__}")
    return value
