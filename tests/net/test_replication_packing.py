"""Packed columns: what is packed comes back, in exactly the bits the format says, and no bytes make unpacking fail."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.replication.packing import fold, pack, unfold, unpack
from engine.net.wire import BitWriter, ProtocolError

numbers = st.one_of(st.just(0), st.integers(0, 40), st.integers(0, 2**64 - 1))
columns = st.lists(st.lists(numbers, max_size=12), max_size=9)


def packed(given_columns: list[list[int]]) -> bytes:
    flat = np.array([number for column in given_columns for number in column], np.uint64)
    return pack(flat, np.array([len(column) for column in given_columns], np.int64))


def slowly(given_columns: list[list[int]]) -> bytes:
    """The format, word for word."""
    head, body = BitWriter(), BitWriter()
    widths: list[tuple[int, int]] = []
    for column in given_columns:
        lengths = [_length(number) for number in column]
        wide = max(lengths, default=0)
        best = 0, _cost(lengths, 0, wide)
        for narrow in range(1, wide + 1):
            cost = _cost(lengths, narrow, wide)
            if cost < best[1] and narrow != 63:
                best = narrow, cost
        widths.append((wide, best[0]))
        head.write(wide > 0, 1)
    for wide, narrow in widths:
        if wide:
            head.write(min(wide, 63), 6)
            head.write(min(narrow, 63), 6)
    for column, (wide, narrow) in zip(given_columns, widths, strict=True):
        for number in column:
            is_wide = _length(number) > narrow
            if narrow < wide:
                head.write(is_wide, 1)
            body.write(number, wide if is_wide else narrow)
    return head.getvalue() + body.getvalue()


def _length(number: int) -> int:
    """Bits; from 54 on those of the nearest floating point number, and 64 instead of 63."""
    bits = int(np.frexp(float(number))[1])
    return 64 if bits >= 63 else bits


def _cost(lengths: list[int], narrow: int, wide: int) -> int:
    if narrow == wide:
        return len(lengths) * wide
    return sum(1 + (narrow if length <= narrow else wide) for length in lengths)


@given(columns)
def test_columns_are_packed_as_the_format_says(given_columns: list[list[int]]) -> None:
    assert packed(given_columns) == slowly(given_columns)


@given(columns, st.binary(max_size=4), st.binary(max_size=4))
def test_what_is_packed_comes_back(given_columns: list[list[int]], before: bytes, after: bytes) -> None:
    content = packed(given_columns)
    counts = np.array([len(column) for column in given_columns], np.int64)
    got, end = unpack(before + content + after, len(before), counts)
    assert got.tolist() == [number for column in given_columns for number in column]
    assert end == len(before) + len(content)


@given(columns.filter(lambda all: any(map(any, all))), st.data())
def test_a_cut_anywhere_is_noticed(given_columns: list[list[int]], data: st.DataObject) -> None:
    content = packed(given_columns)
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ProtocolError):
        unpack(content[:cut], 0, np.array([len(column) for column in given_columns], np.int64))


@given(st.binary(max_size=60), st.lists(st.integers(0, 40), max_size=10), st.integers(0, 80))
def test_no_bytes_make_unpacking_do_anything_but_answer_or_refuse(content: bytes, counts: list[int], at: int) -> None:
    try:
        got, end = unpack(content, at, np.array(counts, np.int64))
    except ProtocolError:
        return
    assert len(got) == sum(counts)
    assert end <= max(len(content), at + (len(counts) + 7) // 8)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_folding_brings_small_numbers_of_either_sign_together(values: list[int]) -> None:
    folded = fold(np.array(values, np.int64))
    assert unfold(folded).tolist() == values
    assert folded.tolist() == [2 * value if value >= 0 else -2 * value - 1 for value in values]


def test_calm_columns_cost_a_bit() -> None:
    assert len(packed([[0] * 1000] * 8)) == 1
