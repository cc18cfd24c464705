"""How a dataclass becomes bits: its annotations are the schema.

    @dataclass(slots=True)
    class Chat:
        team: Team                                          # an Enum: its position, in the fewest bits
        text: Annotated[str, MaxBytes(200)]                 # UTF-8, at most 200 bytes
        at: Annotated[float, Quantized(-64.0, 64.0, 1 / 32)] | None

Everything is bounded and nothing is guessed: a bare ``int``, ``float``, ``str``, ``bytes`` or ``list`` is a
`SchemaError` that names the cure. Fields follow each other in declaration order, without tags:

    bool            1 bit
    int             Range(low, high): value - low, in the fewest bits that hold high - low
    float           Quantized: as the int of its step; Float32, Float64: IEEE 754, finite values only
    str, bytes      length in the fewest bits that hold MaxBytes, then that many bytes from the next byte boundary
    Enum            the member's position, aliases not counted
    T | None        1 bit, then T if it is set
    list[T]         count in the fewest bits that hold MaxItems, then the items
    tuple[T, U]     its items
    a dataclass     its fields
"""

from __future__ import annotations

import dataclasses
import enum
import math
import struct
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from engine.ecs import Entity
from engine.net.wire.bits import BitReader, BitWriter
from engine.net.wire.errors import EncodeError, ProtocolError, SchemaError


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from `low` to `high`, both included; at most 64 bits apart."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.high - self.low < 1 << 64:
            raise SchemaError(f"{self}: high must not be below low, nor 2**64 or more above it")


@dataclass(frozen=True, slots=True)
class Quantized:
    """Numbers from `low` to `high`, a whole number of `step` apart; decoded to within half a step.

    A number outside is an `EncodeError`, or with `clamp` the nearer end.
    """

    low: float
    high: float
    step: float
    clamp: bool = False

    def __post_init__(self) -> None:
        if not (self.step > 0 and self.low < self.high and math.isfinite(self.high - self.low)):
            raise SchemaError(f"{self}: needs finite low < high and step > 0")
        if abs((self.high - self.low) / self.step - self.steps) > 1e-6 * self.steps:
            raise SchemaError(f"{self}: high - low must be a whole number of steps")
        if self.steps >= 1 << 53:
            raise SchemaError(f"{self}: 2**53 steps or more; Float64 says the same in fewer bits")

    @property
    def steps(self) -> int:
        """How many steps lie between `low` and `high`."""
        return round((self.high - self.low) / self.step)


@dataclass(frozen=True, slots=True)
class MaxBytes:
    """The longest `bytes`, or the longest `str` once it is UTF-8, in bytes."""

    count: int

    def __post_init__(self) -> None:
        if not 0 < self.count < 1 << 24:
            raise SchemaError(f"{self}: must be from 1 to 2**24 - 1")


@dataclass(frozen=True, slots=True)
class MaxItems:
    """The longest `list`."""

    count: int

    def __post_init__(self) -> None:
        if not 0 < self.count < 1 << 24:
            raise SchemaError(f"{self}: must be from 1 to 2**24 - 1")


class _Ieee(enum.Enum):
    SINGLE = "<f"
    DOUBLE = "<d"


Uint8 = Annotated[int, Range(0, (1 << 8) - 1)]
Uint16 = Annotated[int, Range(0, (1 << 16) - 1)]
Uint32 = Annotated[int, Range(0, (1 << 32) - 1)]
Uint64 = Annotated[int, Range(0, (1 << 64) - 1)]
Int8 = Annotated[int, Range(-(1 << 7), (1 << 7) - 1)]
Int16 = Annotated[int, Range(-(1 << 15), (1 << 15) - 1)]
Int32 = Annotated[int, Range(-(1 << 31), (1 << 31) - 1)]
Int64 = Annotated[int, Range(-(1 << 63), (1 << 63) - 1)]
Float32 = Annotated[float, _Ieee.SINGLE]
Float64 = Annotated[float, _Ieee.DOUBLE]
Axis = Annotated[float, Quantized(-1.0, 1.0, 1 / 128, clamp=True)]
"""How far a stick is pushed along one axis."""


@dataclass(frozen=True, slots=True)
class Codec:
    """The wire form of one type.

    `text` is canonical: two codecs agree on every bit exactly when their texts are equal. `least` is the fewest bits a
    value takes. `write` raises `EncodeError`, `read` raises `ProtocolError`.
    """

    text: str
    least: int
    write: Callable[[BitWriter, Any], None]
    read: Callable[[BitReader], Any]
    most: int = 0
    """Of bytes, and of a dataclass with no other field: how many there can be; 0 of anything else."""


def codec_of(message: type) -> Codec:
    """The codec of a dataclass. Raises `SchemaError` naming the field and the cure if it has no wire form."""
    return _dataclass(message, ())


def loose_codec_of(event: type) -> Codec:
    """The codec of a dataclass that was not written for the wire, such as an event of a game's rules.

    As `codec_of`, but bare types have a form too: int takes 6 bits for its length and then its bits, of 63 at most;
    float is `Float32`; str and bytes have 255 bytes at most, ``tuple[T, ...]`` and lists 255 items. An `Entity` goes
    as its id, and comes back as a handle without a world, which the reader is to set.
    """
    return _dataclass(event, (), loose=True)


def _dataclass(message: type, outer: tuple[type, ...], *, loose: bool = False) -> Codec:
    where = message.__name__
    if not dataclasses.is_dataclass(message):
        raise SchemaError(f"{where} is not a dataclass: decorate it with @dataclass(slots=True)")
    if message in outer:
        raise SchemaError(f"{where} holds itself: a message needs a greatest size")
    try:
        hints = typing.get_type_hints(message, include_extras=True)
    except NameError as missing:
        raise SchemaError(f"{where}: {missing}; its annotations must name things its module defines") from None
    names: list[str] = []
    codecs: list[Codec] = []
    for field in dataclasses.fields(message):
        if not field.init or field.kw_only:
            raise SchemaError(f"{where}.{field.name}: every field of a message is a positional one of its constructor")
        names.append(field.name)
        codecs.append(_annotation(hints[field.name], f"{where}.{field.name}", (*outer, message), loose=loose))
    members = tuple(zip(names, (codec.write for codec in codecs), strict=True))
    readers = tuple(codec.read for codec in codecs)

    def write(writer: BitWriter, value: object) -> None:
        if type(value) is not message:
            raise EncodeError(f"{where} expected, not {value!r}")
        for name, write_member in members:
            write_member(writer, getattr(value, name))

    def read(reader: BitReader) -> object:
        values = [read_member(reader) for read_member in readers]
        try:
            return message(*values)
        except Exception as refusal:  # a __post_init__ that checks: what it refuses, no correct peer sent
            raise ProtocolError(f"{where} refused {values!r}: {refusal}") from refusal

    inside = ",".join(f"{name}:{codec.text}" for name, codec in zip(names, codecs, strict=True))
    most = codecs[0].most if len(codecs) == 1 and codecs[0].text.startswith("bytes(") else 0
    return Codec(f"{where}({inside})", sum(codec.least for codec in codecs), write, read, most)


def _annotation(hint: Any, where: str, outer: tuple[type, ...], *, loose: bool = False) -> Codec:
    bounds: tuple[object, ...] = ()
    if typing.get_origin(hint) is Annotated:
        hint, *rest = typing.get_args(hint)
        bounds = tuple(rest)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [member for member in typing.get_args(hint) if member is not type(None)]
        if len(inner) != 1 or len(typing.get_args(hint)) != 2:
            raise SchemaError(f"{where}: of unions only T | None has a wire form")
        return _optional(_annotation(inner[0], where, outer, loose=loose))
    if hint is bool:
        return Codec("bool", 1, *_boolean(where))
    if loose and not bounds and (codec := _loose(hint, where, outer)) is not None:
        return codec
    if hint is int:
        return _integer(_bound(bounds, Range, where, "int", "Annotated[int, Range(0, 100)] or Uint16"), where)
    if hint is float:
        for bound in bounds:
            if isinstance(bound, _Ieee):
                return _ieee(bound, where)
        cure = "Annotated[float, Quantized(-64.0, 64.0, 1 / 32)], Float32 or Float64"
        return _quantized(_bound(bounds, Quantized, where, "float", cure), where)
    if hint is str:
        return _string(_bound(bounds, MaxBytes, where, "str", "Annotated[str, MaxBytes(200)]"), where)
    if hint is bytes:
        return _bytes(_bound(bounds, MaxBytes, where, "bytes", "Annotated[bytes, MaxBytes(200)]"), where)
    if origin is list:
        bound = _bound(bounds, MaxItems, where, "list", "Annotated[list[Uint8], MaxItems(16)]")
        return _list(bound, _annotation(typing.get_args(hint)[0], f"{where}[]", outer, loose=loose), where)
    if origin is tuple:
        items = typing.get_args(hint)
        if Ellipsis in items:
            raise SchemaError(
                f"{where}: a tuple has a fixed length on the wire; write Annotated[list[T], MaxItems(16)]"
            )
        return _tuple([_annotation(item, f"{where}[{i}]", outer, loose=loose) for i, item in enumerate(items)], where)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum(hint, where)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass(hint, outer, loose=loose)
    raise SchemaError(f"{where}: {hint!r} has no wire form; see engine.net.wire.schema for those that have")


_Bound = typing.TypeVar("_Bound", Range, Quantized, MaxBytes, MaxItems)


def _loose(hint: Any, where: str, outer: tuple[type, ...]) -> Codec | None:
    """The form of a type without bounds; None for one that has the same form as everywhere."""
    if hint is int:
        return _any_integer(where)
    if hint is float:
        return _ieee(_Ieee.SINGLE, where)
    if hint is str:
        return _string(MaxBytes(255), where)
    if hint is bytes:
        return _bytes(MaxBytes(255), where)
    if hint is Entity:
        return Codec("entity", 1, _write_entity, _read_entity)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        items = _list(MaxItems(255), _annotation(arguments[0], f"{where}[]", outer, loose=True), where)
        if origin is list:
            return items
        return Codec(
            f"many({items.text})",
            items.least,
            lambda writer, value: items.write(writer, list(value)),
            lambda reader: tuple(items.read(reader)),
        )
    return None


def _any_integer(where: str) -> Codec:
    def write(writer: BitWriter, value: Any) -> None:
        if not isinstance(value, int) or not -(1 << 62) <= value < 1 << 62:
            raise EncodeError(f"{where} must be an int of 63 bits, not {value!r}")
        folded = value << 1 if value >= 0 else ~(value << 1)
        bits = folded.bit_length()
        writer.write(bits, 6)
        writer.write(folded, bits)

    def read(reader: BitReader) -> int:
        bits = reader.read(6)
        folded = reader.read(bits)
        if folded.bit_length() != bits:
            raise ProtocolError(f"{where} is not the shortest form of {folded}")
        return ~(folded >> 1) if folded & 1 else folded >> 1

    return Codec("int", 6, write, read)


def _write_entity(writer: BitWriter, value: Any) -> None:
    if not isinstance(value, Entity) or value.local:
        raise EncodeError(f"a shared entity goes over the wire, not {value!r}")
    for part in (value.id & 0xFFFF_FFFF, value.id >> 32):
        bits = part.bit_length()
        writer.write(bits, 6)
        writer.write(part, bits)


def _read_entity(reader: BitReader) -> Entity:
    index, generation = (reader.read(reader.read(6)) for _ in range(2))
    if index >> 31 or generation >> 32:
        raise ProtocolError(f"entity {index} of generation {generation}: out of range")
    return Entity(cast(Any, None), generation << 32 | index)


def _bound(bounds: tuple[object, ...], kind: type[_Bound], where: str, bare: str, cure: str) -> _Bound:
    for bound in bounds:
        if isinstance(bound, kind):
            return bound
    raise SchemaError(f"{where} is a {bare} without bounds: write {cure}")


def _boolean(where: str) -> tuple[Callable[[BitWriter, Any], None], Callable[[BitReader], bool]]:
    def write(writer: BitWriter, value: Any) -> None:
        if type(value) is not bool:
            raise EncodeError(f"{where} must be True or False, not {value!r}")
        writer.write(value, 1)

    return write, lambda reader: reader.read(1) == 1


def _integer(bound: Range, where: str) -> Codec:
    low, high = bound.low, bound.high
    span = high - low
    bits = span.bit_length()

    def write(writer: BitWriter, value: Any) -> None:
        if type(value) is not int or not low <= value <= high:
            raise EncodeError(f"{where} must be an int from {low} to {high}, not {value!r}")
        writer.write(value - low, bits)

    def read(reader: BitReader) -> int:
        offset = reader.read(bits)
        if offset > span:
            raise ProtocolError(f"{where} is {low + offset}, over {high}")
        return low + offset

    return Codec(f"int({low},{high})", bits, write, read)


def _number(value: Any, where: str) -> float:
    try:
        number = float(value) if isinstance(value, float) or type(value) is int else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise EncodeError(f"{where} must be a finite number, not {_short(value)}")
    return number


def _quantized(bound: Quantized, where: str) -> Codec:
    low, high, step, clamp = bound.low, bound.high, bound.step, bound.clamp
    steps = bound.steps
    bits = steps.bit_length()

    def write(writer: BitWriter, value: Any) -> None:
        number = _number(value, where)
        if not low <= number <= high:
            if not clamp:
                raise EncodeError(f"{where} must be from {low} to {high}, not {number!r}; clamp=True would pull it in")
            number = low if number < low else high
        writer.write(min(round((number - low) / step), steps), bits)

    def read(reader: BitReader) -> float:
        count = reader.read(bits)
        if count > steps:
            raise ProtocolError(f"{where} is {count} steps of {step} above {low}, over {high}")
        return high if count == steps else low + count * step

    return Codec(f"quantized({low!r},{high!r},{step!r})", bits, write, read)


def _ieee(width: _Ieee, where: str) -> Codec:
    layout = struct.Struct(width.value)
    bits = layout.size * 8

    def write(writer: BitWriter, value: Any) -> None:
        try:
            packed = layout.pack(_number(value, where))
        except OverflowError:
            raise EncodeError(f"{where} must fit {bits} bits, {value!r} does not") from None
        writer.write(int.from_bytes(packed, "little"), bits)

    def read(reader: BitReader) -> float:
        (value,) = layout.unpack(reader.read(bits).to_bytes(layout.size, "little"))
        if not math.isfinite(value):
            raise ProtocolError(f"{where} is {value}")
        return value

    return Codec(f"float{bits}", bits, write, read)


def _bytes(bound: MaxBytes, where: str) -> Codec:
    most = bound.count
    bits = most.bit_length()

    def write(writer: BitWriter, value: Any) -> None:
        if type(value) is not bytes or len(value) > most:
            raise EncodeError(f"{where} must be bytes, {most} at most, not {_short(value)}")
        writer.write(len(value), bits)
        writer.write_bytes(value)

    def read(reader: BitReader) -> bytes:
        size = reader.read(bits)
        if size > most:
            raise ProtocolError(f"{where} has {size} bytes, over {most}")
        return reader.read_bytes(size)

    return Codec(f"bytes({most})", bits, write, read, most)


def _string(bound: MaxBytes, where: str) -> Codec:
    raw = _bytes(bound, where)

    def write(writer: BitWriter, value: Any) -> None:
        if type(value) is not str:
            raise EncodeError(f"{where} must be a str, not {_short(value)}")
        try:
            encoded = value.encode()
        except UnicodeEncodeError:
            raise EncodeError(f"{where} holds a lone surrogate, which UTF-8 has no form for: {_short(value)}") from None
        if len(encoded) > bound.count:
            raise EncodeError(f"{where} is {len(encoded)} bytes in UTF-8, {bound.count} at most: {_short(value)}")
        raw.write(writer, encoded)

    def read(reader: BitReader) -> str:
        encoded = cast(bytes, raw.read(reader))
        try:
            return encoded.decode()
        except UnicodeDecodeError:
            raise ProtocolError(f"{where} is not UTF-8") from None

    return Codec(f"str({bound.count})", raw.least, write, read)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _enum(kind: type[enum.Enum], where: str) -> Codec:
    members = tuple(kind)
    if not members:
        raise SchemaError(f"{where}: {kind.__name__} has no members")
    bits = (len(members) - 1).bit_length()
    positions = {member: position for position, member in enumerate(members)}

    def write(writer: BitWriter, value: Any) -> None:
        if type(value) is not kind or value not in positions:
            raise EncodeError(f"{where} must be a member of {kind.__name__}, not {value!r}")
        writer.write(positions[value], bits)

    def read(reader: BitReader) -> enum.Enum:
        position = reader.read(bits)
        if position >= len(members):
            raise ProtocolError(f"{where} is member {position} of {kind.__name__}, which has {len(members)}")
        return members[position]

    return Codec(f"enum({','.join(member.name for member in members)})", bits, write, read)


def _optional(inner: Codec) -> Codec:
    def write(writer: BitWriter, value: Any) -> None:
        writer.write(value is not None, 1)
        if value is not None:
            inner.write(writer, value)

    return Codec(f"{inner.text}?", 1, write, lambda reader: inner.read(reader) if reader.read(1) else None)


def _list(bound: MaxItems, item: Codec, where: str) -> Codec:
    most = bound.count
    bits = most.bit_length()
    if not item.least:
        # A count alone must not make a decoder build millions of items.
        raise SchemaError(f"{where}: an item that takes no bits cannot be in a list")

    def write(writer: BitWriter, value: Any) -> None:
        items = cast("list[object]", value)
        if type(value) is not list or len(items) > most:
            raise EncodeError(f"{where} must be a list, {most} items at most, not {_short(items)}")
        writer.write(len(items), bits)
        for member in items:
            item.write(writer, member)

    def read(reader: BitReader) -> list[object]:
        count = reader.read(bits)
        if count > most or count * item.least > reader.remaining:
            raise ProtocolError(f"{where} has {count} items: over {most}, or more than the bytes that are left hold")
        return [item.read(reader) for _ in range(count)]

    return Codec(f"list({most},{item.text})", bits, write, read)


def _tuple(items: list[Codec], where: str) -> Codec:
    writers = tuple(item.write for item in items)
    readers = tuple(item.read for item in items)

    def write(writer: BitWriter, value: Any) -> None:
        members = cast("tuple[object, ...]", value)
        if type(value) is not tuple or len(members) != len(writers):
            raise EncodeError(f"{where} must be a tuple of {len(writers)}, not {_short(members)}")
        for write_item, member in zip(writers, members, strict=True):
            write_item(writer, member)

    return Codec(
        f"tuple({','.join(item.text for item in items)})",
        sum(item.least for item in items),
        write,
        lambda reader: tuple([read_item(reader) for read_item in readers]),
    )
