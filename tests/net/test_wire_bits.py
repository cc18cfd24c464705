"""Bits: what is written comes back, and no bytes make a reader do anything but answer or raise ProtocolError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.wire import BitReader, BitWriter, ProtocolError

numbers = st.integers(0, 80).flatmap(lambda bits: st.tuples(st.integers(0, (1 << bits) - 1), st.just(bits)))
entries = st.lists(numbers | st.binary(max_size=40))


def pack(values: list[tuple[int, int] | bytes]) -> bytes:
    writer = BitWriter()
    for value in values:
        if isinstance(value, bytes):
            writer.write_bytes(value)
        else:
            writer.write(*value)
    return writer.getvalue()


@given(entries)
def test_what_is_written_is_read(values: list[tuple[int, int] | bytes]) -> None:
    reader = BitReader(pack(values))
    for value in values:
        if isinstance(value, bytes):
            assert reader.read_bytes(len(value)) == value
        else:
            assert reader.read(value[1]) == value[0]
    reader.finish()


def test_the_layout_is_least_significant_bit_first() -> None:
    assert pack([(1, 1), (0b10, 2), (0xABC, 12), b"\xff", (1, 1)]).hex() == "e555ff01"


@given(entries, st.data())
def test_a_cut_anywhere_is_noticed(values: list[tuple[int, int] | bytes], data: st.DataObject) -> None:
    encoded = pack(values)
    if not encoded:
        return
    reader = BitReader(encoded[: data.draw(st.integers(0, len(encoded) - 1))])
    with pytest.raises(ProtocolError):  # noqa: PT012 - any of them may be the one that does not fit
        for value in values:
            if isinstance(value, bytes):
                reader.read_bytes(len(value))
            else:
                reader.read(value[1])
        raise ProtocolError("the cut took only zero bits, which no value needed")


@given(st.binary(max_size=64), st.lists(st.integers(0, 70) | st.integers(-40, -1), max_size=20))
def test_any_bytes_give_values_or_protocol_error(encoded: bytes, steps: list[int]) -> None:
    reader = BitReader(encoded)
    left = reader.remaining
    assert left == len(encoded) * 8
    for step in steps:
        try:
            if step < 0:
                assert len(reader.read_bytes(-step)) == -step
            else:
                assert 0 <= reader.read(step) < 1 << step
        except ProtocolError:
            break
        assert reader.remaining <= left
        left = reader.remaining


def test_set_padding_bits_are_refused() -> None:
    reader = BitReader(b"\x03")
    reader.read(1)
    with pytest.raises(ProtocolError, match="left over"):
        reader.finish()
    reader = BitReader(b"\x03\xaa")
    reader.read(1)
    with pytest.raises(ProtocolError, match="not zero"):
        reader.read_bytes(1)


def test_leftover_bytes_are_refused() -> None:
    reader = BitReader(b"\x01\x00")
    reader.read(1)
    with pytest.raises(ProtocolError, match="15 bits left over"):
        reader.finish()
