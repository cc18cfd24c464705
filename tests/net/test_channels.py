"""Reliable channels by themselves: parts in any order, lost and repeated, and hostile numbers."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.net.connection.channels import (
    FIRST,
    LAST,
    MAX_ORDERED_BYTES,
    MAX_UNORDERED_BYTES,
    PART_BYTES,
    WINDOW_PARTS,
    Ordered,
    Outgoing,
    Unordered,
)
from engine.net.wire import ProtocolError

messages = st.lists(st.integers(0, 4 * PART_BYTES), max_size=30).map(
    lambda sizes: [index.to_bytes(2, "little") + bytes(size) for index, size in enumerate(sizes)]
)


@settings(deadline=None)
@given(messages, st.randoms(use_true_random=False), st.sampled_from([Ordered, Unordered]))
def test_everything_arrives_once_however_the_parts_travel(
    sent: list[bytes], rng: random.Random, kind: type[Ordered] | type[Unordered]
) -> None:
    outgoing, incoming = Outgoing(), kind()
    for message in sent:
        outgoing.add(message)
    received: list[bytes] = []
    under_way: list[tuple[int, int, bytes]] = []
    while outgoing.bytes:
        while outgoing.ready and rng.random() < 0.8:
            under_way.append(outgoing.peek())
            outgoing.sent()
        rng.shuffle(under_way)
        for part in under_way[: len(under_way) // 2 + 1]:
            fate = rng.random()
            if fate < 0.3:
                outgoing.lost(part[0])
                under_way.remove(part)
                continue
            received += incoming.receive(part[0] & 0xFFFF, part[1], part[2])
            if fate < 0.8:
                outgoing.acked(part[0])
                under_way.remove(part)
    assert not outgoing.ready
    assert received == sent if kind is Ordered else sorted(received) == sorted(sent)


def test_numbers_wrap() -> None:
    for kind in (Ordered, Unordered):
        outgoing, incoming = Outgoing(), kind()
        for count in range(70_000):
            outgoing.add(b"x")
            number, marks, content = outgoing.peek()
            outgoing.sent()
            assert incoming.receive(number & 0xFFFF, marks, content) == [b"x"], count
            outgoing.acked(number)


def test_the_sender_stays_within_the_window() -> None:
    outgoing = Outgoing()
    for _ in range(2 * WINDOW_PARTS):
        outgoing.add(b"x")
    sent: list[int] = []
    while outgoing.ready:
        sent.append(outgoing.peek()[0])
        outgoing.sent()
    assert sent == list(range(WINDOW_PARTS))
    outgoing.acked(5)
    assert not outgoing.ready
    outgoing.lost(0)
    assert outgoing.peek()[0] == 0
    outgoing.acked(0)
    assert outgoing.ready
    assert outgoing.peek()[0] == WINDOW_PARTS


def test_an_empty_message_is_one_part() -> None:
    for incoming in (Ordered(), Unordered()):
        outgoing = Outgoing()
        outgoing.add(b"")
        assert incoming.receive(*outgoing.peek()) == [b""]


@pytest.mark.parametrize("kind", [Ordered, Unordered])
def test_a_part_beyond_the_window_is_refused(kind: type[Ordered] | type[Unordered]) -> None:
    assert kind().receive(WINDOW_PARTS - 1, FIRST | LAST, b"") in ([], [b""])
    with pytest.raises(ProtocolError, match="ahead"):
        kind().receive(WINDOW_PARTS, FIRST | LAST, b"")


def test_messages_without_beginning_or_end_are_refused() -> None:
    with pytest.raises(ProtocolError, match="beginning"):
        Ordered().receive(0, LAST, b"")
    ordered = Ordered()
    ordered.receive(0, FIRST, b"")
    with pytest.raises(ProtocolError, match="inside another"):
        ordered.receive(1, FIRST | LAST, b"")


@pytest.mark.parametrize(("kind", "most"), [(Ordered, MAX_ORDERED_BYTES), (Unordered, MAX_UNORDERED_BYTES)])
def test_endless_messages_are_refused(kind: type[Ordered] | type[Unordered], most: int) -> None:
    incoming = kind()
    incoming.receive(0, FIRST, bytes(PART_BYTES))
    with pytest.raises(ProtocolError, match=f"over {most}"):  # noqa: PT012
        for number in range(1, 2 * most // PART_BYTES):
            incoming.receive(number & 0xFFFF, 0, bytes(PART_BYTES))


def test_messages_that_never_end_stay_bounded() -> None:
    unordered = Unordered()
    with pytest.raises(ProtocolError, match="never end"):  # noqa: PT012
        for number in range(100_000):
            unordered.receive(number & 0xFFFF, FIRST, bytes(PART_BYTES))
    ordered = Ordered()  # the ordered channel keeps at most its window: part 0 never comes
    for number in range(1, WINDOW_PARTS):
        assert ordered.receive(number, FIRST | LAST, bytes(PART_BYTES)) == []
    assert ordered.receive(1, FIRST | LAST, b"again") == []


@given(st.lists(st.tuples(st.integers(0, 0xFFFF) | st.integers(0, 9), st.sampled_from([0, 4, 8, 12]), st.binary())))
def test_any_parts_are_taken_or_protocol_error(parts: list[tuple[int, int, bytes]]) -> None:
    for incoming in (Ordered(), Unordered()):
        for part in parts:
            try:
                incoming.receive(*part)
            except ProtocolError:
                break
