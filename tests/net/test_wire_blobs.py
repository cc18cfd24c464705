"""Messages that are bytes and nothing else take a short way; it must be the codec's in every bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.wire import Channel, EncodeError, MaxBytes, Protocol, ProtocolError
from engine.net.wire.bits import BitReader, BitWriter
from engine.net.wire.schema import Uint8, codec_of


@dataclass(slots=True)
class Blob:
    content: Annotated[bytes, MaxBytes(300)]


@dataclass(slots=True)
class Even:
    content: Annotated[bytes, MaxBytes(300)]

    def __post_init__(self) -> None:
        if len(self.content) % 2:
            raise ValueError("odd")


@dataclass(slots=True)
class Wrapped:
    blob: Blob


@dataclass(slots=True)
class Other:
    number: Uint8


KINDS = (Other, Blob, Wrapped, Even)
PROTOCOL = Protocol("blobs")
for each in KINDS:
    PROTOCOL.message(each, Channel.UNRELIABLE)
INDEX_BITS = 2


def by_codec(encoded: bytes) -> object:
    """What the codecs make of it."""
    reader = BitReader(encoded)
    message = codec_of(KINDS[reader.read(INDEX_BITS)]).read(reader)
    reader.finish()
    return message


@given(st.binary(max_size=300), st.sampled_from([Blob, Even]))
def test_both_ways_write_the_same(content: bytes, kind: type[Blob] | type[Even]) -> None:
    content = content if kind is Blob else content[: len(content) & ~1]
    writer = BitWriter()
    writer.write(KINDS.index(kind), INDEX_BITS)
    codec_of(kind).write(writer, kind(content))
    assert PROTOCOL.encode(kind(content)) == writer.getvalue()
    assert PROTOCOL.decode(writer.getvalue()) == kind(content)


@given(st.one_of(st.binary(max_size=12), st.binary(max_size=300).map(lambda content: PROTOCOL.encode(Blob(content)))))
def test_both_ways_read_and_refuse_the_same(encoded: bytes) -> None:
    try:
        expected = by_codec(encoded)
    except ProtocolError:
        with pytest.raises(ProtocolError):
            PROTOCOL.decode(encoded)
    else:
        assert PROTOCOL.decode(encoded) == expected


@given(st.binary(max_size=300), st.integers(0, 7), st.integers(0, 400))
def test_an_altered_message_is_read_as_the_codec_reads_it(content: bytes, bit: int, at: int) -> None:
    encoded = bytearray(PROTOCOL.encode(Blob(content)))
    encoded[at % len(encoded)] ^= 1 << bit
    test_both_ways_read_and_refuse_the_same.hypothesis.inner_test(bytes(encoded))  # type: ignore[attr-defined]


def test_what_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(EncodeError, match=r"Blob\.content must be bytes, 300 at most"):
        PROTOCOL.encode(Blob(bytes(301)))
    with pytest.raises(ProtocolError, match="Even refused"):
        PROTOCOL.decode(bytes((PROTOCOL.encode(Blob(b"odd"))[0] | 3,)) + PROTOCOL.encode(Blob(b"odd"))[1:])
    with pytest.raises(ProtocolError, match="came over channel 1"):
        PROTOCOL.decode(PROTOCOL.encode(Blob(b"any")), 1)
