"""Journals: what is written comes back, and no bytes whatever do worse than a clear error."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import struct
import zlib
from dataclasses import dataclass, field
from enum import Enum, Flag, IntEnum, auto
from pathlib import Path
from typing import Any, Final, Generic, Literal, NewType, TypeVar, Union, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.events import Journal, JournalError, JournalWriter, TickHashes, parse_journal, read_journal
from engine.events.journal import MAGIC, MAX_ENTRY
from engine.events.plain import from_plain, to_plain

C = TypeVar("C")
Player = NewType("Player", int)


class Button(Enum):
    FIRE = "fire"
    DASH = "dash"


class Level(IntEnum):
    EASY = 1
    HARD = 2


class Held(Flag):
    SHIFT = auto()
    CONTROL = auto()


@dataclass(slots=True)
class Aim:
    x: float
    y: float = 0.0


@dataclass(slots=True)
class FineAim(Aim):
    scale: float = 1.0


@dataclass(frozen=True)
class Drop:
    place: tuple[int, int]
    names: list[str]
    odds: dict[str, float]


@dataclass
class Everything:
    flag: bool
    count: int
    ratio: float
    text: str
    button: Button
    level: Level
    number: int
    held: Held
    aim: Aim
    maybe: Aim | None
    either: Aim | Drop | Level | str | None
    pair: tuple[int, Button]
    many: tuple[Aim, ...]
    nested: list[dict[str, tuple[float, ...]]]
    table: dict[str, Aim]
    anything: Any
    choice: Literal["a", "b"] | Literal[3]
    player: Player
    lasting: Final[int]  # pyright: ignore[reportGeneralTypeIssues]
    old: "Union[Aim, None]"  # noqa: UP007, UP037
    late: int = field(init=False, default=0)


@dataclass(slots=True)
class Commanded(Generic[C]):
    player: int
    command: C


@dataclass(slots=True)
class Wrapped:
    inner: Commanded[Aim]


@dataclass
class Picky:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise LookupError("below zero")


KNOWN: dict[str, type] = {
    kind.__name__: kind for kind in (Button, Level, Held, Aim, FineAim, Drop, Everything, Commanded, Wrapped, Picky)
}

texts = st.text(st.characters(exclude_categories=()), max_size=8)  # with lone surrogates
floats = st.floats()
aims = st.builds(Aim, floats, floats) | st.builds(FineAim, floats, floats, floats)
drops = st.builds(
    Drop,
    st.tuples(st.integers(), st.integers()),
    st.lists(texts, max_size=3),
    st.dictionaries(texts | st.just("$"), floats, max_size=3),
)
buttons = st.sampled_from(Button)
levels = st.sampled_from(Level)
helds = st.sampled_from([Held(0), Held.SHIFT, Held.CONTROL, Held.SHIFT | Held.CONTROL])
leaves = st.none() | st.booleans() | st.integers() | floats | texts | buttons | levels | helds | aims | drops
anythings = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts | st.sampled_from(["$", "items"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def everythings(draw: st.DrawFn) -> Everything:
    made = Everything(
        draw(st.booleans()),
        draw(st.integers()),
        draw(floats),
        draw(texts),
        draw(buttons),
        draw(levels),
        draw(st.integers()),
        draw(helds),
        draw(aims),
        draw(st.none() | aims),
        draw(st.none() | aims | drops | levels | texts),
        draw(st.tuples(st.integers(), buttons)),
        tuple(draw(st.lists(aims, max_size=3))),
        draw(st.lists(st.dictionaries(texts, st.lists(floats, max_size=2).map(tuple), max_size=2), max_size=2)),
        draw(st.dictionaries(texts | st.just("$"), aims, max_size=2)),
        draw(anythings),
        draw(st.sampled_from(["a", "b", 3])),
        Player(draw(st.integers())),
        draw(st.integers()),
        draw(st.none() | aims),
    )
    made.late = draw(st.integers())
    return made


events = everythings() | aims | drops | anythings.map(lambda command: Commanded(1, command)) | buttons


def same(one: Any, other: Any) -> bool:
    """Equal and of the same classes, with NaN equal to itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", other) or (math.isnan(one) and math.isnan(other))
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        pairs = cast("dict[Any, Any]", one)
        return list(pairs) == list(other) and all(same(item, other[key]) for key, item in pairs.items())
    return one == other


def written(entries: list[tuple[int, Any]], close: int | None = 99) -> bytes:
    file = io.BytesIO()
    writer = JournalWriter(file, {"seed": 7})
    for tick, event in entries:
        writer.event(tick, event)
        writer.hashes(tick, tick * 31, {"Hull": tick, "Disc": tick + (1 << 40)})
    raw = file.getvalue()
    return raw if close is None else raw + entry(4, close, b"")


def entry(kind: int, tick: int, body: bytes) -> bytes:
    payload = struct.pack("<BI", kind, tick) + body
    return struct.pack("<II", len(payload), zlib.crc32(payload)) + payload


HEADER = entry(0, 0, b"{}")


# Round trips


@given(st.lists(st.tuples(st.integers(0, 50), events), max_size=4))
def test_events_come_back_equal_and_of_the_same_class(entries: list[tuple[int, Any]]) -> None:
    journal = parse_journal(written(entries))
    assert journal.damage is None
    assert journal.header == {"seed": 7}
    assert journal.last_tick == 99
    for tick in {tick for tick, _ in entries}:
        expected = [event for at, event in entries if at == tick]
        decoded = journal.decoded(tick, KNOWN)
        assert all(map(same, decoded, expected)), (decoded, expected)
        assert len(decoded) == len(expected)
        assert journal.hashes[tick] == TickHashes(tick * 31, {"Hull": tick, "Disc": tick})
    assert journal.decoded(77, KNOWN) == []


@given(floats)
@example(math.nan)
@example(-math.inf)
@example(-0.0)
def test_every_float_comes_back(x: float) -> None:
    [aim] = parse_journal(written([(1, Aim(x, 1))])).decoded(1, KNOWN)
    assert same(aim, Aim(x, 1))


@pytest.mark.parametrize("text", ["", "\0", "é", "\ud800", "\U0001f3ae", '"\\'])
def test_every_text_comes_back(text: str) -> None:
    assert parse_journal(written([(1, Commanded(1, text))])).decoded(1, KNOWN) == [Commanded(1, text)]


def test_a_command_keeps_its_class_and_generic_fields_are_read_by_their_origin() -> None:
    wrapped = Wrapped(Commanded(2, FineAim(1.0)))
    [command, inner] = parse_journal(written([(1, Commanded(1, Level.HARD)), (1, wrapped)])).decoded(1, KNOWN)
    assert command == Commanded(1, Level.HARD)
    assert type(command.command) is Level
    assert inner == wrapped
    assert type(inner.inner.command) is FineAim


def test_a_bool_in_a_number_field_stays_a_bool() -> None:
    [command, aim] = parse_journal(written([(1, Commanded(True, None)), (1, Aim(False, True))])).decoded(1, KNOWN)
    assert command.player is True
    assert (aim.x, aim.y) == (False, True)


def test_an_int_enum_in_an_int_field_comes_back_as_its_number() -> None:
    [command] = parse_journal(written([(1, Commanded(Level.HARD, None))])).decoded(1, {"Commanded": Commanded})
    assert command == Commanded(2, None)
    assert type(command.player) is int


def test_names_are_written_again_only_when_they_change() -> None:
    file = io.BytesIO()
    writer = JournalWriter(file, {})
    writer.hashes(1, 1, {})
    writer.hashes(2, 2, {"A": 5})
    before = len(file.getvalue())
    writer.hashes(3, 3, {"A": 6})
    assert len(file.getvalue()) - before == len(entry(3, 3, bytes(12)))
    writer.hashes(4, 2**64 - 1, {"B": 7, "A": -1})
    journal = parse_journal(file.getvalue())
    assert journal.hashes == {
        1: TickHashes(1, {}),
        2: TickHashes(2, {"A": 5}),
        3: TickHashes(3, {"A": 6}),
        4: TickHashes(2**64 - 1, {"B": 7, "A": 0xFFFFFFFF}),
    }


# What is refused when writing


@dataclass
class Odd:
    value: Any


@dataclass
class Typed:
    count: int
    pair: tuple[int, int] = (1, 2)


def looped() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Odd(object()), "an? object cannot be journalled"),
        (Odd(b"raw"), "bytes cannot be journalled"),
        (Odd({1, 2}), "set cannot be journalled"),
        (Odd({1: 2}), "dict key 1 cannot be journalled; use str keys"),
        (Odd(looped()), "nested too deeply, or holds itself"),
        (Odd("x" * MAX_ENTRY), "the most is"),
        (Typed(1.5), "1.5 stands where int is declared"),  # pyright: ignore[reportArgumentType]
        (Typed("1"), "'1' stands where int is declared"),  # pyright: ignore[reportArgumentType]
        (Typed(1, (1, 2, 3)), "not as long"),  # pyright: ignore[reportArgumentType]
        (Typed, "type cannot be journalled"),
        (5, "an event of type int cannot be journalled; make it a dataclass"),
        ({"a": 1}, "an event of type dict cannot"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_journalled_is_refused_and_leaves_the_file_whole(event: Any, told: str) -> None:
    file = io.BytesIO()
    writer = JournalWriter(file, {})
    with pytest.raises(JournalError, match=told):
        writer.event(1, event)
    writer.event(2, Aim(1.0))
    assert parse_journal(file.getvalue()).decoded(2, KNOWN) == [Aim(1.0)]


def test_unresolvable_field_types_are_refused_with_the_cure() -> None:
    hidden = dataclasses.make_dataclass("Hidden", [("x", "NowhereToBeFound")])
    with pytest.raises(JournalError, match=r"field types of Hidden .*NowhereToBeFound.*; declare it at the top"):
        to_plain(hidden(1))


@pytest.mark.parametrize("tick", [-1, 1 << 32])
def test_impossible_ticks_and_hashes_are_refused(tick: int) -> None:
    writer = JournalWriter(io.BytesIO(), {})
    with pytest.raises(JournalError, match="ticks count from 0"):
        writer.event(tick, Aim(1.0))
    with pytest.raises(JournalError, match="unsigned number of 64 bits"):
        writer.hashes(1, 1 << 64, {})


def test_headers_without_json_form_are_refused_and_no_file_stays_open(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no JSON form"):
        JournalWriter.create(tmp_path / "a.twr", {"x": object()})


# Files


def test_entries_are_in_the_file_as_soon_as_they_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.twr"
    writer = JournalWriter.create(path, {"game": "ricochet"})
    writer.event(3, Aim(1.0))
    crashed = read_journal(path)
    assert crashed.decoded(3, KNOWN) == [Aim(1.0)]
    assert crashed.damage == f"cut off at byte {path.stat().st_size}: the end mark is missing"
    writer.close(4)
    writer.close(4)
    assert read_journal(path).damage is None
    assert read_journal(path).last_tick == 4
    with pytest.raises(JournalError, match="closed"):
        writer.event(5, Aim(1.0))


def test_unreadable_and_unwritable_paths_are_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"cannot read the journal .*missing\.twr"):
        read_journal(tmp_path / "missing.twr")
    with pytest.raises(JournalError, match="cannot read"):
        read_journal("a\0b")
    (tmp_path / "file").write_bytes(b"hello")
    with pytest.raises(JournalError, match=r"file: no Tickwire journal"):
        read_journal(tmp_path / "file")
    with pytest.raises(JournalError, match="give another path"):
        JournalWriter.create(tmp_path / "file" / "a.twr", {})


class FullDisk(io.BytesIO):
    def write(self, data: Any, /) -> int:
        if self.tell() > 100:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_is_a_journal_error() -> None:
    writer = JournalWriter(FullDisk(), {"padding": "x" * 100})
    with pytest.raises(JournalError, match="No space left"):
        writer.event(1, Aim(1.0))
    with pytest.raises(JournalError, match="No space left"):
        writer.close(1)


# Damage

ENTRIES: list[tuple[int, Any]] = [(tick, Commanded(tick, Aim(float(tick)))) for tick in range(1, 6)]
WHOLE = written(ENTRIES)


def starts() -> list[int]:
    """Where entries of WHOLE start, and its end."""
    places = [len(MAGIC)]
    while places[-1] < len(WHOLE):
        places.append(places[-1] + 8 + struct.unpack_from("<I", WHOLE, places[-1])[0])
    return places


def check_kept(journal: Journal, place: int) -> None:
    """All of the entries that end at or before `place`, and nothing else, is there."""
    kept = parse_journal(WHOLE[: max(start for start in starts() if start <= place)])
    assert (journal.header, journal.events, journal.hashes) == (kept.header, kept.events, kept.hashes)


def test_a_file_cut_at_any_byte_gives_everything_before_the_cut() -> None:
    places = starts()
    for cut in range(len(WHOLE)):
        if cut < places[1]:
            with pytest.raises(JournalError, match=r"no Tickwire journal|damaged at byte 4: "):
                parse_journal(WHOLE[:cut])
            continue
        journal = parse_journal(WHOLE[:cut])
        check_kept(journal, cut)
        start = max(place for place in places if place <= cut)
        told = f"cut off at byte {cut}" if cut == start else f"damaged at byte {start}: the file ends inside an entry"
        assert journal.damage is not None
        assert journal.damage.startswith(told)


def test_any_flipped_bit_is_noticed_and_everything_before_it_kept() -> None:
    places = starts()
    for bit in range(len(WHOLE) * 8):
        raw = bytearray(WHOLE)
        raw[bit // 8] ^= 1 << bit % 8
        if bit // 8 < places[1]:
            with pytest.raises(JournalError, match=r"no Tickwire journal|of version|damaged at byte 4"):
                parse_journal(bytes(raw))
            continue
        journal = parse_journal(bytes(raw))
        check_kept(journal, bit // 8)
        start = max(place for place in places if place <= bit // 8)
        assert (journal.damage or "").startswith(f"damaged at byte {start}: ")


@pytest.mark.parametrize(
    ("entries", "damage"),
    [
        (entry(9, 1, b""), "there is no entry of kind 9"),
        (entry(0, 1, b"{}"), "a second header"),
        (entry(1, 1, b"[]"), "an entry is no dict"),
        (entry(1, 1, b"{"), "an entry is not JSON"),
        (entry(1, 1, b"\xff\xfe"), "an entry is not JSON"),
        (entry(1, 1, b"[" * 100_000), "an entry is not JSON"),
        (entry(1, 1, b'{"n":' + b"9" * 10_000 + b"}"), "an entry is not JSON"),
        (entry(2, 1, b"[1]"), "component names"),
        (entry(2, 1, b'["a","a"]'), "component names"),
        (entry(3, 1, bytes(12)), "hashes do not fit"),
        (entry(4, 1, b"x"), "the end mark is not empty"),
        (struct.pack("<II", MAX_ENTRY + 1, 0), f"an entry cannot be {MAX_ENTRY + 1} bytes long"),
        (struct.pack("<II", 0xFFFFFFFF, 0) + bytes(100), "an entry cannot be 4294967295 bytes long"),
        (struct.pack("<II", 4, zlib.crc32(bytes(4))) + bytes(4), "an entry cannot be 4 bytes long"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_entries_that_make_no_sense_are_damage_at_their_byte(entries: bytes, damage: str) -> None:
    before = MAGIC + HEADER + entry(1, 5, b'{"$":"Aim","x":1.0,"y":2.0}')
    journal = parse_journal(before + entries)
    assert (journal.damage or "").startswith(f"damaged at byte {len(before)}: ")
    assert damage in (journal.damage or "")
    assert journal.decoded(5, KNOWN) == [Aim(1.0, 2.0)]


def test_bytes_after_the_end_mark_are_damage() -> None:
    journal = parse_journal(WHOLE + b"!")
    assert journal.damage == f"damaged at byte {len(WHOLE)}: more follows the end mark"
    assert journal.last_tick == 99


def test_another_version_and_a_missing_header_are_errors() -> None:
    with pytest.raises(JournalError, match="of version '2', this engine reads '1'; use the engine that wrote it"):
        parse_journal(b"TWJ2" + WHOLE[4:])
    with pytest.raises(JournalError, match="damaged at byte 4: the header is missing"):
        parse_journal(MAGIC + entry(1, 1, b"{}"))
    with pytest.raises(JournalError, match="damaged at byte 4: the header is missing"):
        parse_journal(MAGIC)


def try_all(raw: bytes) -> None:
    try:
        journal = parse_journal(raw)
    except JournalError:
        return
    for tick in journal.events:
        try:
            journal.decoded(tick, KNOWN)
        except JournalError:
            continue


@given(st.binary())
def test_arbitrary_bytes_raise_nothing_else(raw: bytes) -> None:
    try_all(raw)
    try_all(MAGIC + raw)
    try_all(MAGIC + HEADER + raw)


FIELDS = ["x", "y", "items", "member", "n", "command", "player", "place", "names", "odds"]


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    named = st.tuples(st.sampled_from([*KNOWN, "tuple", "list", "dict", "no"]) | inner, fields)
    return st.lists(inner, max_size=3) | fields | named.map(lambda parts: {"$": parts[0], **parts[1]})


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "FIRE", "HARD", "$"])
jsons: st.SearchStrategy[Any] = st.recursive(scalars, grown, max_leaves=12)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), jsons.map(json.dumps).map(str.encode) | st.binary())))
def test_whole_entries_of_anything_raise_nothing_else(entries: list[tuple[int, int, bytes]]) -> None:
    try_all(MAGIC + HEADER + b"".join(entry(*parts) for parts in entries))


@given(jsons, st.sampled_from([*KNOWN.values(), int, float, tuple[int, ...], dict[str, Aim], Aim | None, int | Aim]))
def test_whatever_is_read_for_a_type_is_of_it(plain: Any, declared: Any) -> None:
    try:
        value = from_plain(plain, declared, KNOWN)
    except JournalError:
        return
    assert same(from_plain(to_plain(value, declared), declared, KNOWN), value)


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"$": "Gone", "x": 1.0}, "holds a 'Gone', which this game does not know"),
        ({"$": ["Aim"], "x": 1.0}, "does not know"),
        ({"x": 1.0, "y": 1.0}, "names no class"),
        ({"$": "Aim", "x": 1.0}, "a Aim has no y; was it made by another version"),
        ({"$": "Aim", "x": 1.0, "y": 1.0, "z": 1.0}, "a Aim has an unknown 'z'"),
        ({"$": "Aim", "x": "1", "y": 1.0}, "'1' does not fit float"),
        ({"$": "Aim", "x": None, "y": 1.0}, "None does not fit float"),
        ({"$": "Aim", "x": {"$": "Aim", "x": 1, "y": 1}, "y": 1.0}, "does not fit float"),
        ({"$": "Picky", "n": -1}, "Picky cannot be made of .*: .*below zero"),
        ({"$": "Button", "member": "NONE"}, "'NONE' does not fit Button"),
        ({"$": "Button", "member": "FIRE", "x": 1}, "does not fit Button"),
        ({"$": "Held", "member": 64}, "64 does not fit Held"),
        ({"$": "tuple"}, "does not fit tuple"),
        ({"$": "Drop", "place": [1, 2, 3], "names": [], "odds": {}}, r"\[1, 2, 3\] does not fit tuple"),
        ({"$": "Drop", "place": [1, 2], "names": "ab", "odds": {}}, "'ab' does not fit list"),
    ],
)  # fmt: skip
def test_events_that_do_not_fit_their_classes_are_errors(plain: dict[str, Any], told: str) -> None:
    journal = parse_journal(MAGIC + HEADER + entry(1, 1, json.dumps(plain).encode()))
    with pytest.raises(JournalError, match=told):
        journal.decoded(1, KNOWN)


def test_only_known_classes_and_plain_dataclasses_are_ever_made() -> None:
    journal = parse_journal(MAGIC + HEADER + entry(1, 1, b'{"$":"Path","x":1}'))
    with pytest.raises(JournalError, match="no dataclass and no enum"):
        journal.decoded(1, {"Path": Path})


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    deep = b'{"$":"Commanded","player":1,"command":' + b"[" * 900 + b"]" * 900 + b"}"
    try_all(MAGIC + HEADER + entry(1, 1, deep))
