"""Packed columns: what is packed comes back, in exactly the bits the format says, and no bytes make unpacking fail."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.replication.packing import FEW, FURTHEST, fold, pack, pack_few, pack_many, unfold, unpack
from engine.net.wire import BitWriter, ProtocolError

long = st.builds(lambda bits, less: max(0, 2**bits - 1 - less), st.integers(50, 64), st.integers(0, 3))
numbers = st.one_of(st.just(0), st.integers(0, 40), st.integers(0, 2**64 - 1), long)
columns = st.lists(st.lists(numbers, max_size=12), max_size=9)


def packed(given_columns: list[list[int]]) -> bytes:
    flat = np.array([number for column in given_columns for number in column], np.uint64)
    return pack(flat, np.array([len(column) for column in given_columns], np.int64))


def slowly(given_columns: list[list[int]]) -> bytes:
    """The format, word for word."""
    head, body = BitWriter(), BitWriter()
    chosen = [best_classes([_length(number) for number in column]) for column in given_columns]
    for _, _, c in chosen:
        head.write(c > 0, 1)
    for a, b, c in chosen:
        if c:
            for value, bits in ((min(c, 63), 6), (c - b, 4), (b - a, 4)):
                head.write(value, bits)
    for column, (a, _, c) in zip(given_columns, chosen, strict=True):
        for number in column if a < c else ():
            head.write(_length(number) > a, 1)
    for column, (a, b, c) in zip(given_columns, chosen, strict=True):
        for number in column if b < c else ():
            if _length(number) > a:
                head.write(_length(number) > b, 1)
    for column, classes in zip(given_columns, chosen, strict=True):
        for number in column:
            width = width_of(_length(number), *classes)
            body.write(number & ((1 << width) - 1), width)
    return head.getvalue() + body.getvalue()


def best_classes(lengths: list[int]) -> tuple[int, int, int]:
    """The cheapest a, b and c: one class if that is no dearer, else the least a, and then the least b."""
    c = max(lengths, default=0)
    best, fewest = (c, c, c), c * len(lengths)
    dearer = [
        (cost(lengths, a, b, c), a, b)
        for a in range(c)
        for b in range(a + 1, c + 1)
        if c - b <= FURTHEST and b - a <= FURTHEST and 63 not in (a, b)
    ]
    if dearer and min(dearer)[0] < fewest:
        _, a, b = min(dearer)
        best = a, b, c
    return best


def cost(lengths: list[int], a: int, b: int, c: int) -> int:
    return sum(1 + (b < c and length > a) + width_of(length, a, b, c) for length in lengths)


def width_of(length: int, a: int, b: int, c: int) -> int:
    if length <= a:
        return a
    below, longest = (a, b) if length <= b else (b, c)
    return longest - 1 if longest == below + 1 else longest


def _length(number: int) -> int:
    """Bits, but 64 instead of 63."""
    bits = number.bit_length()
    return 64 if bits == 63 else bits


@given(columns)
def test_columns_are_packed_as_the_format_says(given_columns: list[list[int]]) -> None:
    assert packed(given_columns) == slowly(given_columns)


@given(columns, st.integers(0, 2**32))
def test_all_at_once_they_are_packed_as_one_by_one(given_columns: list[list[int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    more = [rng.integers(0, 1 << rng.integers(1, 30), FEW // 3).tolist() for _ in range(seed % 5)]
    counts = np.array([len(column) for column in given_columns + more], np.int64)
    flat = np.array([number for column in given_columns + more for number in column], np.uint64)
    expected = pack_many(flat, counts)
    assert pack_few(flat, counts, flat.nonzero()[0]) == pack(flat, counts) == expected
    if not more:
        assert expected == slowly(given_columns)


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
