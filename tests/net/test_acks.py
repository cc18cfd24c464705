"""The ack header, its one encoding, and what a receiver reports of what arrived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.acks import WINDOW, Arrivals, read_header, unwrap, write_header
from engine.net.wire import ProtocolError

u16 = st.integers(0, 0xFFFF)
bits = st.one_of(
    st.integers(0, 0xFFFFFFFF), st.lists(st.sampled_from([0, 0xFF, 7]), min_size=4, max_size=4).map(
        lambda parts: int.from_bytes(bytes(parts), "little")
    )
)  # fmt: skip


@given(u16, u16, bits, st.binary(max_size=4))
def test_a_header_survives(sequence: int, ack: int, ack_bits: int, rest: bytes) -> None:
    header = write_header(sequence, ack, ack_bits)
    assert 4 <= len(header) <= 9
    assert read_header(b"??" + header + rest, 2) == (sequence, ack, ack_bits, 2 + len(header))
    for size in range(len(header)):
        with pytest.raises(ProtocolError):
            read_header(header[:size])


def test_the_layout_is_that_of_reliable() -> None:
    assert write_header(1000, 990, 0xFFFFFFFF).hex() == "20e8030a"
    assert write_header(5, 0xFFFE, 0xFFFFFFFF).hex() == "20050007"
    assert write_header(1000, 100, 0xFFFFFFFF).hex() == "00e8036400"
    assert write_header(1000, 999, 0xFF00FFFE).hex() == "2ae80301fe00"
    assert write_header(1000, 100, 0).hex() == "1ee803640000000000"


@given(st.binary(max_size=12))
def test_any_bytes_are_a_canonical_header_or_protocol_error(packet: bytes) -> None:
    try:
        sequence, ack, ack_bits, end = read_header(packet)
    except ProtocolError:
        return
    assert write_header(sequence, ack, ack_bits) == packet[:end]


@pytest.mark.parametrize(
    "longer", ["00e803e703", "22e8030aff", "60e8030a", "a0e8030a", "21e8030a"], ids=lambda text: str(text)
)
def test_a_longer_or_marked_header_is_refused(longer: str) -> None:
    with pytest.raises(ProtocolError, match="shortest"):
        read_header(bytes.fromhex(longer))


@given(st.integers(-1, 1 << 20), st.integers(-0x8000, 0x7FFF))
def test_unwrapping_finds_the_closest(near: int, offset: int) -> None:
    assert unwrap((near + offset) & 0xFFFF, near) == near + offset


def test_before_anything_arrived_nothing_is_acked() -> None:
    arrivals = Arrivals()
    assert arrivals.ack() == (0xFFFF, 0)
    assert not arrivals.owed


@given(st.lists(st.integers(0, 3000), max_size=80), st.integers(0, 0x1FFFF))
def test_every_arrival_is_reported_and_nothing_else(order: list[int], start: int) -> None:
    arrivals = Arrivals()
    for warm in range(0, start, 0x4000):  # beyond the first wrap the low 16 bits say little
        arrivals.add(warm, wants_ack=False)
    arrived: set[int] = set()
    for step in order:
        number = start + step
        placed = arrivals.place(number & 0xFFFF)
        late = number <= arrivals.newest - WINDOW
        if late or number in arrived or number == arrivals.newest:
            assert placed is None
            continue
        assert placed is not None
        assert placed == number
        arrivals.add(placed, wants_ack=True)
        arrived.add(number)
    told: set[int] = set()
    while arrivals.owed:
        ack, ack_bits = arrivals.ack()
        first = unwrap(ack, arrivals.newest)
        told |= {first - n for n in range(32) if ack_bits >> n & 1}
    known = arrived | set(range(0, start, 0x4000))
    assert told <= known
    assert {number for number in arrived if number > arrivals.newest - WINDOW} <= told


def test_the_usual_ack_starts_at_the_newest() -> None:
    arrivals = Arrivals()
    for number in (0, 1, 3):
        arrivals.add(number, wants_ack=True)
    assert arrivals.ack() == (3, 0b1101)
    assert not arrivals.owed
