"""Messages: dataclasses to bytes and back, strict on both sides."""

import enum
import math
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.wire import (
    Channel,
    EncodeError,
    Float32,
    Float64,
    Int16,
    Int64,
    MaxBytes,
    MaxItems,
    Protocol,
    ProtocolError,
    Quantized,
    Range,
    SchemaError,
    Uint8,
    Uint64,
    refusal,
)


class Team(enum.Enum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


@dataclass(slots=True)
class Point:
    x: Annotated[float, Quantized(-64.0, 64.0, 1 / 32)]
    y: Float32


@dataclass(slots=True)
class Everything:
    flag: bool
    percent: Annotated[int, Range(0, 100)]
    offset: Int64
    serial: Uint64
    exact: Float64
    at: Point
    team: Team
    name: Annotated[str, MaxBytes(40)]
    blob: Annotated[bytes, MaxBytes(30)]
    target: Point | None
    path: Annotated[list[Point], MaxItems(5)]
    names: Annotated[list[Annotated[str, MaxBytes(9)]], MaxItems(3)]
    pair: tuple[Uint8, bool]
    fixed: Annotated[int, Range(7, 7)]


@dataclass(slots=True)
class Small:
    number: Annotated[int, Range(-5, 5)]


@dataclass(slots=True)
class Empty:
    pass


protocol = Protocol("test", "1").message(Everything, Channel.RELIABLE_ORDERED).message(Small).message(Empty)

f32 = st.floats(allow_nan=False, allow_infinity=False, width=32)
points = st.builds(Point, st.integers(-2048, 2048).map(lambda n: n / 32), f32)
texts = st.text(max_size=10)
everything = st.builds(
    Everything,
    st.booleans(),
    st.integers(0, 100),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(0, (1 << 64) - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    points,
    st.sampled_from(Team),
    texts,
    st.binary(max_size=30),
    st.none() | points,
    st.lists(points, max_size=5),
    st.lists(st.text(alphabet="abcdefgh", max_size=9), max_size=3),
    st.tuples(st.integers(0, 255), st.booleans()),
    st.just(7),
)


@given(everything)
def test_a_message_survives_the_wire(message: Everything) -> None:
    encoded = protocol.encode(message)
    assert protocol.decode(encoded) == message
    assert protocol.encode(protocol.decode(encoded)) == encoded


@given(everything, st.data())
def test_a_truncated_message_is_refused(message: Everything, data: st.DataObject) -> None:
    encoded = protocol.encode(message)
    with pytest.raises(ProtocolError):
        protocol.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@given(st.binary(max_size=200))
def test_any_bytes_decode_canonically_or_raise(encoded: bytes) -> None:
    try:
        message = protocol.decode(encoded)
    except ProtocolError:
        return
    assert protocol.encode(message) == encoded


@given(everything, st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_decodes_canonically_or_raises(message: Everything, at: int, bit: int) -> None:
    encoded = bytearray(protocol.encode(message))
    encoded[at % len(encoded)] ^= 1 << bit
    try:
        changed = protocol.decode(bytes(encoded))
    except ProtocolError:
        return
    assert changed != message or str(changed) != str(message)


def test_a_small_message_is_one_byte() -> None:
    assert protocol.encode(Small(3)) == bytes([1 | (8 << 2)])
    assert protocol.encode(Empty()) == b"\x02"


@given(st.floats(-64, 64))
def test_quantising_is_within_half_a_step(x: float) -> None:
    decoded = Protocol("q").message(Point)
    point = decoded.decode(decoded.encode(Point(x, 0.0)))
    assert isinstance(point, Point)
    assert abs(point.x - x) <= 1 / 64


def test_clamping_pulls_in_what_lies_outside() -> None:
    @dataclass
    class Clamped:
        x: Annotated[float, Quantized(0.0, 1.0, 0.25, clamp=True)]

    clamped = Protocol("c").message(Clamped)
    assert clamped.decode(clamped.encode(Clamped(9.0))) == Clamped(1.0)
    assert clamped.decode(clamped.encode(Clamped(-9.0))) == Clamped(0.0)


GOOD: dict[str, Any] = {
    "flag": True,
    "percent": 1,
    "offset": 0,
    "serial": 0,
    "exact": 0.0,
    "at": Point(0.0, 0.0),
    "team": Team.RED,
    "name": "",
    "blob": b"",
    "target": None,
    "path": [],
    "names": [],
    "pair": (1, True),
    "fixed": 7,
}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("flag", 1, "True or False"),
        ("percent", 101, "from 0 to 100"),
        ("percent", True, "from 0 to 100"),
        ("percent", 1.0, "from 0 to 100"),
        ("exact", math.nan, "finite"),
        ("exact", "1", "finite"),
        pytest.param("exact", 10**400, "finite", id="huge"),
        ("at", Point(65.0, 0.0), "clamp=True"),
        ("at", Point(0.0, 1e300), "32 bits"),
        ("at", (0.0, 0.0), "Point expected"),
        ("team", "red", "member of Team"),
        ("team", [], "member of Team"),
        ("name", "é" * 21, "42 bytes in UTF-8"),
        ("name", "\ud800", "surrogate"),
        ("name", b"x", "must be a str"),
        ("blob", "x", "must be bytes"),
        ("blob", bytes(31), "30 at most"),
        ("path", (), "must be a list"),
        ("path", [Point(0.0, 0.0)] * 6, "5 items at most"),
        ("pair", (1,), "tuple of 2"),
        ("pair", (1, 2), "True or False"),
        ("fixed", 8, "from 7 to 7"),
    ],
)
def test_a_wrong_value_names_its_field(name: str, value: Any, said: str) -> None:
    with pytest.raises(EncodeError, match=said) as error:
        protocol.encode(Everything(**{**GOOD, name: value}))
    assert "Everything" in str(error.value) or "Point" in str(error.value)


def test_a_refusing_constructor_is_a_protocol_error() -> None:
    @dataclass
    class Even:
        n: Uint8

        def __post_init__(self) -> None:
            if self.n % 2:
                raise ValueError("odd")

    even = Protocol("even").message(Even)
    with pytest.raises(ProtocolError, match="odd"):
        even.decode(b"\x01")


def make(annotation: object) -> type:
    return dataclass(type("Made", (), {"__annotations__": {"field": annotation}}))


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (int, r"Range\(0, 100\)"),
        (float, "Quantized"),
        (str, "MaxBytes"),
        (bytes, "MaxBytes"),
        (list[Uint8], "MaxItems"),
        (dict[str, int], "no wire form"),
        (object, "no wire form"),
        (int | str, r"only T \| None"),
        (tuple[Uint8, ...], "fixed length"),
        (Annotated[list[Empty], MaxItems(9)], "takes no bits"),
        (enum.Enum("Nobody", []), "no members"),
    ],
)
def test_a_type_without_wire_form_names_its_field(annotation: object, said: str) -> None:
    with pytest.raises(SchemaError, match=said) as error:
        Protocol("x").message(make(annotation))
    assert "Made.field" in str(error.value)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Range(1, 0),
        lambda: Range(0, 1 << 64),
        lambda: Quantized(1.0, 0.0, 0.1),
        lambda: Quantized(0.0, 1.0, 0.3),
        lambda: Quantized(0.0, 1.0, 0.0),
        lambda: Quantized(0.0, 1e300, 1e-3),
        lambda: MaxBytes(0),
        lambda: MaxItems(1 << 24),
    ],
)
def test_impossible_bounds_are_refused(bad: Any) -> None:
    with pytest.raises(SchemaError):
        bad()


def test_a_plain_class_and_a_keyword_field_are_refused() -> None:
    @dataclass
    class Keyword:
        n: Uint8 = field(kw_only=True)

    with pytest.raises(SchemaError, match="@dataclass"):
        Protocol("x").message(str)
    with pytest.raises(SchemaError, match="positional"):
        Protocol("x").message(Keyword)


def test_the_id_changes_with_anything_on_the_wire() -> None:
    def one(annotation: object, name: str = "p", version: str = "1", channel: Channel = Channel.UNRELIABLE) -> int:
        return Protocol(name, version).message(make(annotation), channel).id

    ids = {
        one(Uint8),
        one(Int16),
        one(Uint8, name="q"),
        one(Uint8, version="2"),
        one(Uint8, channel=Channel.RELIABLE_ORDERED),
        one(Annotated[float, Quantized(0.0, 1.0, 0.5)]),
        one(Annotated[float, Quantized(0.0, 1.0, 0.25)]),
        one(Team),
        one(enum.Enum("Team", ["BLUE", "RED", "GREEN"])),
        one(Team | None),
    }
    assert len(ids) == 10
    assert one(Uint8) == one(Uint8)
    assert all(0 <= id < 1 << 64 for id in ids)


def test_the_id_is_pinned() -> None:
    # A change here means builds of before and after cannot meet: raise WIRE_FORMAT when that is meant.
    assert Protocol("pinned", "1").message(Small, Channel.RELIABLE_ORDERED).id == 7011295032124826010


def test_a_protocol_in_use_takes_no_more_messages() -> None:
    used = Protocol("x").message(Small)
    _ = used.id
    with pytest.raises(SchemaError, match="in use"):
        used.message(Empty)
    with pytest.raises(SchemaError, match="twice"):
        Protocol("x").message(Small).message(Small)
    with pytest.raises(SchemaError, match=r"\.message\(Point\)"):
        used.encode(Point(0.0, 0.0))
    assert len(fields(Small)) == 1


def test_a_refusal_names_both_builds() -> None:
    server = Protocol("ricochet", "1.3").message(Small).build
    client = Protocol("ricochet", "1.2").message(Small).build
    said = refusal(server, client)
    assert said is not None
    assert "ricochet 1.3" in said
    assert "ricochet 1.2" in said
    assert f"{server.protocol_id:016x}" in said
    assert "server's version" in said
    assert refusal(server, server) is None
    assert "same build" in (refusal(server, Protocol("ricochet", "1.3").message(Empty).build) or "")
    assert "different game" in (refusal(server, Protocol("chess", "1.3").build) or "")
