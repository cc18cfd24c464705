"""Fragments: whole packets come out, in any order of arrival, and memory stays bounded."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.acks import write_header
from engine.net.connection.fragments import (
    FRAGMENT_BYTES,
    MAX_ASSEMBLING,
    MAX_FRAGMENTS,
    MAX_PACKET_BYTES,
    Assembly,
    split,
)
from engine.net.wire import ProtocolError

HEADER = write_header(500, 499, 0x0F0F0F0F)


@given(st.integers(0, MAX_PACKET_BYTES), st.randoms(use_true_random=False))
def test_a_packet_survives_any_order_and_repetition(size: int, rng: random.Random) -> None:
    content = rng.randbytes(size)
    fragments = split(500, HEADER, content)
    assert all(len(fragment) <= 5 + 9 + FRAGMENT_BYTES for fragment in fragments)
    repeated = fragments[:-1] * 2
    rng.shuffle(repeated)
    assembly = Assembly()
    for fragment in repeated:
        assert assembly.add(fragment, 500) is None or len(fragments) == 1
    whole = assembly.add(fragments[-1], 500)
    assert whole == HEADER + content
    assert assembly.pending_bytes == 0


def test_the_layout_is_that_of_reliable() -> None:
    first, second = split(500, HEADER, bytes(FRAGMENT_BYTES + 3))
    assert first[:5].hex() == "01f4010001"
    assert first[5 : 5 + len(HEADER)] == HEADER
    assert second.hex() == "01f4010101000000"


def test_a_bomb_of_first_fragments_stays_small() -> None:
    assembly = Assembly()
    for sequence in range(10_000):
        header = write_header(sequence, 0, 0)
        for fragment in split(sequence, header, bytes(MAX_PACKET_BYTES))[:-1]:
            assert assembly.add(fragment, sequence) is None
            if sequence > 20:
                break
    assert assembly.pending_bytes <= MAX_ASSEMBLING * (MAX_PACKET_BYTES + 9)


@pytest.mark.parametrize(
    "fragment",
    [
        b"",
        b"\x01\x00\x00\x00",
        b"\x03\x00\x00\x00\x00",
        b"\x01\x00\x00\x01\x00x",
        b"\x01\x00\x00\x00" + bytes([MAX_FRAGMENTS]),
        b"\x01\x00\x00\x01\x02" + bytes(FRAGMENT_BYTES - 1),
        b"\x01\x00\x00\x01\x01" + bytes(FRAGMENT_BYTES + 1),
        b"\x01\x00\x00\x00\x01" + write_header(1, 0, 0) + bytes(FRAGMENT_BYTES),
        b"\x01\x00\x00\x00\x01" + write_header(0, 0, 0),
    ],
)
def test_a_malformed_fragment_is_refused(fragment: bytes) -> None:
    with pytest.raises(ProtocolError):
        Assembly().add(fragment, 0)


def test_fragments_that_disagree_are_refused() -> None:
    assembly = Assembly()
    assembly.add(b"\x01\x00\x00\x01\x02" + bytes(FRAGMENT_BYTES), 0)
    with pytest.raises(ProtocolError, match="has 3 fragments"):
        assembly.add(b"\x01\x00\x00\x01\x03" + bytes(FRAGMENT_BYTES), 0)


def test_a_packet_left_incomplete_does_not_mix_with_a_later_one_of_its_number() -> None:
    assembly = Assembly()
    old = split(500, HEADER, b"a" * (FRAGMENT_BYTES + 1))
    new = split(500, HEADER, b"b" * (FRAGMENT_BYTES + 1))
    assembly.add(old[0], 500)
    assert assembly.add(new[1], 500 + 0x10000) is None
    assert assembly.add(new[0], 500 + 0x10000) == HEADER + b"b" * (FRAGMENT_BYTES + 1)
    assert assembly.pending_bytes == 0


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes_are_taken_or_protocol_error(fragments: list[bytes]) -> None:
    assembly = Assembly()
    for fragment in fragments:
        for attempt in (fragment, b"\x01" + fragment):
            try:
                assembly.add(attempt, 0)
            except ProtocolError:
                continue
