"""The journal: everything that came into a simulation from outside, stamped with its tick.

Layout, little-endian. File: magic `TWJ1`, then entries. Entry: u32 length | u32 CRC-32 of the rest | u8 kind |
u32 tick | body. The first entry is the header, the last of a file closed in order is the end mark.

    HEADER  JSON object chosen by the writer
    EVENT   JSON object of one event, see `engine.events.plain`
    NAMES   JSON list of component names, in force until the next
    HASHES  u64 state hash | u32 per component of NAMES: the low bits of its hash
    END     empty

JSON is UTF-8 and may hold `NaN`, `Infinity` and `-Infinity` as numbers. Length counts from the kind on and is at most
`MAX_ENTRY`. A reader takes everything up to the first damage and says where that is. CRC-32 guards against accidents,
not forgers: whatever the bytes, reading raises nothing but `JournalError` and never holds more than the file's content.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO

from engine.events.errors import JournalError
from engine.events.plain import NAME, from_plain, to_plain

MAGIC = b"TWJ1"
MAX_ENTRY = 1 << 20
"""Bytes. Far above any event; what a damaged length can make a reader ask for."""
_FRAME = struct.Struct("<II")
_STAMP = struct.Struct("<BI")


class _Kind(IntEnum):
    HEADER = 0
    EVENT = 1
    NAMES = 2
    HASHES = 3
    END = 4


class JournalWriter:
    """Writes a journal.

    Each entry is handed to the operating system as it is made, so that a crash loses at most the one being written:
    the entries before a crash are those it is explained by, and a flush costs about half a microsecond.
    """

    def __init__(self, file: BinaryIO, header: Mapping[str, Any]) -> None:
        self._file = file
        self._names: list[str] | None = None
        self._write(MAGIC + _entry(_Kind.HEADER, 0, _json(dict(header))))

    @classmethod
    def create(cls, path: Path | str, header: Mapping[str, Any]) -> JournalWriter:
        """Start a journal at `path`, making its folder.

        Raises `JournalError` if it cannot be written, or `header` holds something that has no JSON form.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("wb")
        except (OSError, ValueError) as error:
            raise JournalError(f"cannot write the journal {path}: {error}; give another path") from error
        try:
            return cls(file, header)
        except JournalError as error:
            with suppress(OSError):  # closing tries once more to write what could not be written
                file.close()
            if isinstance(error.__cause__, OSError):
                raise JournalError(
                    f"cannot write the journal {path}: {error.__cause__.strerror}; give another path"
                ) from error
            raise

    def event(self, tick: int, event: object) -> None:
        """Note an event from outside, a dataclass or an enum member.

        Raises `JournalError` if it holds more than plain values, or cannot be written; nothing is written then.
        """
        plain = to_plain(event)
        if not isinstance(plain, dict) or NAME not in plain:
            raise JournalError(f"an event of type {type(event).__name__} cannot be journalled; make it a dataclass")
        self._write(_entry(_Kind.EVENT, tick, _json(plain)))

    def hashes(self, tick: int, total: int, components: Mapping[str, int]) -> None:
        """Note the state after `tick`: its hash (64 bits), and that of each component to name the culprit by."""
        names = list(components)
        low = [value & 0xFFFFFFFF for value in components.values()]
        try:
            body = struct.pack(f"<Q{len(low)}I", total, *low)
        except struct.error:
            raise JournalError(f"the state hash {total!r} is not an unsigned number of 64 bits") from None
        entry = _entry(_Kind.HASHES, tick, body)
        if names != self._names:
            entry = _entry(_Kind.NAMES, tick, _json(names)) + entry
        self._write(entry)
        self._names = names

    def close(self, tick: int) -> None:
        """Mark the end and close the file. Closing twice is harmless."""
        if self._file.closed:
            return
        try:
            with self._file:
                self._write(_entry(_Kind.END, tick, b""))
        except OSError as error:
            raise JournalError(f"cannot close the journal: {error.strerror or error}") from error

    def _write(self, entries: bytes) -> None:
        if self._file.closed:
            raise JournalError("the journal is closed; start a new one")
        try:
            self._file.write(entries)
            self._file.flush()
        except OSError as error:
            raise JournalError(f"cannot go on writing the journal: {error.strerror or error}") from error


def _entry(kind: _Kind, tick: int, body: bytes) -> bytes:
    if not 0 <= tick < 1 << 32:
        raise JournalError(f"tick {tick!r} cannot be journalled; ticks count from 0 and fit 32 bits")
    payload = _STAMP.pack(kind, tick) + body
    if len(payload) > MAX_ENTRY:
        raise JournalError(f"an entry of {len(payload)} bytes cannot be journalled; the most is {MAX_ENTRY}")
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


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
    """By tick, in order of arrival."""
    hashes: dict[int, TickHashes] = field(default_factory=dict[int, TickHashes])
    last_tick: int = 0
    damage: str | None = None
    """What is wrong with the file and where, if it could not be read to its end; all before that is here."""

    def decoded(self, tick: int, known: Mapping[str, type]) -> list[Any]:
        """The events of `tick`, in order, made of the classes in `known`, by name.

        Raises `JournalError` for a class that is not in `known`, or whose fields the noted values do not fit.
        """
        return [_event(plain, known) for plain in self.events.get(tick, ())]


def read_journal(path: Path | str) -> Journal:
    """Read a journal as far as it is whole; see `Journal.damage`.

    Raises `JournalError` if there is no such file, or it is no journal or its header is damaged.
    """
    try:
        with Path(path).open("rb") as file:
            return _read(file)
    except (OSError, ValueError) as error:
        raise JournalError(f"cannot read the journal {path}: {error}") from error
    except JournalError as error:
        raise JournalError(f"{path}: {error}") from error


def parse_journal(raw: bytes) -> Journal:
    """Read a journal from its bytes; see `read_journal`."""
    return _read(io.BytesIO(raw))


def _read(file: BinaryIO) -> Journal:
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        if magic[:3] == MAGIC[:3] and len(magic) == len(MAGIC):
            ours, theirs = (f"{mark[3:].decode('latin-1')!r}" for mark in (MAGIC, magic))
            raise JournalError(f"a journal of version {theirs}, this engine reads {ours}; use the engine that wrote it")
        raise JournalError("no Tickwire journal")
    place = len(MAGIC)
    try:
        kind, _, body = _next_entry(file) or (None, 0, b"")
        if kind is not _Kind.HEADER:
            raise JournalError("the header is missing")
        journal = Journal(_parse_json(body, dict))
    except JournalError as error:
        raise JournalError(f"damaged at byte {place}: {error}") from error
    names: list[str] = []
    kind = None
    try:
        while kind is not _Kind.END:
            place = file.tell()
            entry = _next_entry(file)
            if entry is None:
                journal.damage = f"cut off at byte {place}: the end mark is missing"
                return journal
            kind, tick, body = entry
            if kind is _Kind.EVENT:
                journal.events.setdefault(tick, []).append(_parse_json(body, dict))
            elif kind is _Kind.NAMES:
                names = _parse_names(body)
            elif kind is _Kind.HASHES:
                journal.hashes[tick] = _parse_hashes(body, names)
            elif kind is _Kind.HEADER or body:
                raise JournalError("a second header" if kind is _Kind.HEADER else "the end mark is not empty")
            journal.last_tick = max(journal.last_tick, tick)
        place = file.tell()
        if file.read(1):
            raise JournalError("more follows the end mark")
    except JournalError as error:
        journal.damage = f"damaged at byte {place}: {error}"
    return journal


def _next_entry(file: BinaryIO) -> tuple[_Kind, int, bytes] | None:
    """The next entry; None at the end of the file."""
    frame = file.read(_FRAME.size)
    if not frame:
        return None
    if len(frame) < _FRAME.size:
        raise JournalError("the file ends inside an entry")
    length, checksum = _FRAME.unpack(frame)
    if not _STAMP.size <= length <= MAX_ENTRY:
        raise JournalError(f"an entry cannot be {length} bytes long")
    payload = file.read(length)
    if len(payload) < length:
        raise JournalError("the file ends inside an entry")
    if zlib.crc32(payload) != checksum:
        raise JournalError("the checksum of an entry does not match")
    number, tick = _STAMP.unpack_from(payload)
    try:
        return _Kind(number), tick, payload[_STAMP.size :]
    except ValueError:
        raise JournalError(f"there is no entry of kind {number}") from None


def _event(plain: Any, known: Mapping[str, type]) -> Any:
    if NAME not in plain:
        raise JournalError("an event names no class")
    return from_plain(plain, Any, known)


def _parse_names(body: bytes) -> list[str]:
    names = _parse_json(body, list)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise JournalError("the component names are not different strings")
    return names


def _parse_hashes(body: bytes, names: list[str]) -> TickHashes:
    if len(body) != 8 + 4 * len(names):
        raise JournalError("the hashes do not fit the names before them")
    total, *low = struct.unpack(f"<Q{len(names)}I", body)
    return TickHashes(total, dict(zip(names, low, strict=True)))


def _json(value: Any) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalError(f"this has no JSON form: {error}") from error
    return text.encode("utf-8", "surrogatepass")  # text typed by people can hold half a surrogate pair


def _parse_json(body: bytes, kind: type) -> Any:
    try:
        value = json.loads(body.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise JournalError(f"an entry is not JSON: {error}") from error
    if not isinstance(value, kind):
        raise JournalError(f"an entry is no {kind.__name__}")
    return value
