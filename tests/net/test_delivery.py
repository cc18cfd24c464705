"""Delivery between two ends, with every packet in the hands of the test."""

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.net.connection.acks import write_header
from engine.net.connection.delivery import BacklogError, Delivery, Limits, Outcome
from engine.net.connection.estimate import Estimate
from engine.net.wire import Channel, EncodeError, MaxBytes, Protocol, ProtocolError, Uint32


@dataclass(slots=True)
class Loose:
    number: Uint32
    filling: Annotated[bytes, MaxBytes(40_000)] = b""


@dataclass(slots=True)
class Latest:
    number: Uint32


@dataclass(slots=True)
class Ordered:
    number: Uint32
    filling: Annotated[bytes, MaxBytes(2_000_000)] = b""


@dataclass(slots=True)
class Unordered:
    number: Uint32
    filling: Annotated[bytes, MaxBytes(100_000)] = b""


@dataclass(slots=True)
class Bell:
    pass


protocol = (
    Protocol("delivery")
    .message(Loose)
    .message(Latest, Channel.UNRELIABLE_SEQUENCED)
    .message(Ordered, Channel.RELIABLE_ORDERED)
    .message(Unordered, Channel.RELIABLE_UNORDERED)
)
GENEROUS = Limits(start=1e9, ceiling=1e9)
Fate = Callable[[], list[float]]


def converse(
    a: Delivery, b: Delivery, start: float, end: float, fate: Fate, tick: Callable[[], object] = lambda: None
) -> tuple[list[object], list[object]]:
    """Let both ends talk; `fate` gives the delays after which each packet arrives, none for a lost one."""
    got_a: list[object] = []
    got_b: list[object] = []
    under_way: list[tuple[float, int, Delivery, bytes]] = []
    serial = 0
    now = start
    while now < end:
        tick()
        for sender, receiver in ((a, b), (b, a)):
            for payload in sender.payloads_to_send(now):
                assert 0 < len(payload) <= 1175
                for delay in fate():
                    serial += 1
                    under_way.append((now + delay, serial, receiver, payload))
        under_way.sort(key=lambda entry: entry[:2])
        while under_way and under_way[0][0] <= now:
            _, _, receiver, payload = under_way.pop(0)
            (got_b if receiver is b else got_a).extend(receiver.receive(payload, now))
        now += 1 / 60
    return got_a, got_b


def perfect() -> list[float]:
    return [0.05]


def pair(limits: Limits = GENEROUS) -> tuple[Delivery, Delivery]:
    return Delivery(protocol, 0.0, limits), Delivery(protocol, 0.0, limits)


def test_messages_of_all_channels_share_a_packet() -> None:
    a, b = pair()
    for message in (Loose(1), Latest(2), Ordered(3), Unordered(4), Loose(5)):
        a.send(message)
    (payload,) = a.payloads_to_send(0.0)
    assert len(payload) < 60
    received = b.receive(payload, 0.0)
    assert sorted(map(repr, received)) == sorted(map(repr, (Loose(1), Latest(2), Ordered(3), Unordered(4), Loose(5))))
    assert b.receive(payload, 0.0) == []


def test_a_message_that_takes_no_bytes_arrives_and_counts() -> None:
    bells = Protocol("bells").message(Bell, Channel.RELIABLE_ORDERED)
    assert bells.encode(Bell()) == b""
    a, b = Delivery(bells, 0.0), Delivery(bells, 0.0)
    a.send(Bell())
    a.send(Bell())
    assert a.backlog
    (payload,) = a.payloads_to_send(0.0)
    assert b.receive(payload, 0.0) == [Bell(), Bell()]
    with pytest.raises(BacklogError):  # noqa: PT012
        for _ in range(1_000_000):
            a.send(Bell())


def test_many_small_messages_take_several_packets() -> None:
    a, b = pair()
    for number in range(300):
        a.send(Latest(number))
        a.send(Ordered(number))
    _, got = converse(a, b, 0.0, 1.0, perfect)
    assert len(got) == 600


def test_an_idle_end_sends_nothing_and_sleeps() -> None:
    a, b = pair()
    a.send(Ordered(1))
    converse(a, b, 0.0, 1.0, perfect)
    assert a.payloads_to_send(2.0) == b.payloads_to_send(2.0) == []
    assert a.due == b.due == math.inf
    assert a.backlog == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.floats(0, 0.4), st.floats(0, 0.3), st.floats(0, 0.5))
def test_whatever_the_network_does_reliable_messages_arrive_once(
    seed: int, loss: float, repeat: float, jitter: float
) -> None:
    rng = random.Random(seed)

    def fate() -> list[float]:
        if rng.random() < loss:
            return []
        return [rng.uniform(0, jitter) for _ in range(2 if rng.random() < repeat else 1)]

    a, b = pair()
    counts = dict.fromkeys((Loose, Latest, Ordered, Unordered), 0)

    def tick() -> None:
        if sum(counts.values()) < 150:
            kind = rng.choice(list(counts))
            filling = () if kind is Latest else (bytes(rng.choice([0, 10, 1000, 5000])),)
            a.send(kind(counts[kind], *filling))
            counts[kind] += 1

    _, got = converse(a, b, 0.0, 25.0, fate, tick)

    def numbers(kind: type[Loose | Latest | Ordered | Unordered]) -> list[int]:
        return [message.number for message in got if isinstance(message, kind)]

    assert numbers(Ordered) == list(range(counts[Ordered]))
    assert sorted(numbers(Unordered)) == list(range(counts[Unordered]))
    assert sorted(numbers(Latest)) == numbers(Latest)
    assert len(set(numbers(Latest))) == len(numbers(Latest))
    assert len(set(numbers(Loose))) == len(numbers(Loose))
    assert a.backlog == 0


def test_large_messages_arrive() -> None:
    a, b = pair()
    filling = random.Random(3).randbytes(900_000)
    a.send(Ordered(1, filling))
    a.send(Unordered(2, filling[:60_000]))
    a.send(Loose(3, filling[:30_000]))
    rng = random.Random(4)
    _, got = converse(a, b, 0.0, 30.0, lambda: [0.05] if rng.random() > 0.02 else [])
    assert Ordered(1, filling) in got
    assert Unordered(2, filling[:60_000]) in got


def test_large_messages_arrive_in_order_with_small_ones() -> None:
    a, b = pair()
    sizes = [10, 5000, 0, 1150, 1149, 3000]
    for number, size in enumerate(sizes):
        a.send(Ordered(number, bytes(size)))
    _, got = converse(a, b, 0.0, 2.0, perfect)
    assert got == [Ordered(number, bytes(size)) for number, size in enumerate(sizes)]


def test_a_large_unreliable_message_does_not_starve_behind_reliable_ones() -> None:
    a, b = pair(Limits(start=100_000, ceiling=100_000))
    a.send(Ordered(0, bytes(900_000)))
    count = 0

    def tick() -> None:
        nonlocal count
        if count % 6 == 0:
            a.send(Loose(count, bytes(2000)))
        count += 1

    _, got = converse(a, b, 0.0, 3.0, perfect, tick)
    assert len(got) > 20


def test_messages_too_large_for_their_channel_are_refused() -> None:
    a, _ = pair()
    for message in (Loose(1, bytes(33_000)), Unordered(1, bytes(66_000)), Ordered(1, bytes(1_100_000))):
        with pytest.raises(EncodeError, match=f"{type(message).__name__} takes"):
            a.send(message)
    assert a.payloads_to_send(0.0) == []


def test_tracked_messages_settle_either_way() -> None:
    a, b = pair()
    arrives = iter([True, False, True, True, True, True, True, True])
    tickets: list[int] = []

    def tick() -> None:
        if len(tickets) < 8:
            tickets.append(a.send(Latest(len(tickets)), track=True))

    to_b = iter(lambda: None, 0)

    def fate() -> list[float]:
        next(to_b)
        return [0.05] if next(arrives, True) else []

    converse(a, b, 0.0, 2.0, fate, tick)
    assert tickets == [1, 2, 3, 4, 5, 6, 7, 8]
    assert sorted(outcome.ticket for outcome in a.outcomes) == tickets
    assert [outcome for outcome in a.outcomes if not outcome.arrived] == [Outcome(2, False)]
    with pytest.raises(EncodeError, match="it arrives"):
        a.send(Ordered(1), track=True)


def test_a_peer_that_never_acks_costs_bounded_memory() -> None:
    a, _ = pair(Limits(backlog=100_000))
    with pytest.raises(BacklogError, match="100000"):  # noqa: PT012
        for number in range(1000):
            a.send(Ordered(number, bytes(1000)))
    ticket = 0
    for number in range(3000):
        ticket = a.send(Loose(number, bytes(1000)), track=True)
        a.payloads_to_send(number / 60)
    assert ticket == 3000
    assert len(a._in_flight) <= 512  # pyright: ignore[reportPrivateUsage]
    assert len(a._given_up) <= 1024  # pyright: ignore[reportPrivateUsage]
    assert len(a._waiting) <= 512  # pyright: ignore[reportPrivateUsage]


def test_a_silent_peer_is_sent_to_ever_less_often() -> None:
    a, _ = pair()
    a.send(Ordered(1))
    times = [now for now in (tick / 60 for tick in range(60 * 20)) if a.payloads_to_send(now)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert 15 <= len(times) <= 25
    assert gaps[0] < gaps[1] == max(gaps)


def test_the_budget_bounds_what_is_sent() -> None:
    a, b = pair(Limits(start=20_000, ceiling=20_000))
    sent = 0

    def fate() -> list[float]:
        nonlocal sent
        sent += 1
        return [0.05]

    a.send(Ordered(0, bytes(900_000)))
    converse(a, b, 0.0, 10.0, fate)
    assert 150 <= a.packets_sent <= 180  # 200 kB and what may be saved up, at up to 1.2 kB each


def test_the_rate_falls_with_a_growing_queue_and_recovers() -> None:
    a, b = pair(Limits(floor=5_000, start=50_000, ceiling=100_000))
    queue = 0.05

    def fate() -> list[float]:
        return [queue]

    a.send(Ordered(0, bytes(900_000)))
    converse(a, b, 0.0, 2.0, fate)
    full = a.budget.rate
    queue = 0.4
    converse(a, b, 2.0, 8.0, fate)
    assert a.budget.rate < full / 2
    assert a.budget.rate >= 5_000
    queue = 0.05
    a.send(Ordered(1, bytes(900_000)))
    converse(a, b, 8.0, 14.0, fate)
    assert a.budget.rate > 80_000


def test_estimates_are_right() -> None:
    a, b = pair()
    rng = random.Random(5)

    def tick() -> None:
        a.send(Loose(1))
        b.send(Loose(2))

    converse(a, b, 0.0, 20.0, lambda: [] if rng.random() < 0.1 else [0.1], tick)
    assert 0.2 <= a.estimate.rtt <= 0.26
    assert 0.04 < a.estimate.loss < 0.2
    assert a.estimate.minimum >= 0.2


def test_the_minimum_round_trip_is_forgotten_in_time() -> None:
    estimate = Estimate()
    assert estimate.minimum == 0
    for second in range(60):
        estimate.sample(0.05 if second < 5 else 0.2, float(second))
    assert estimate.minimum == 0.2


def test_a_burst_larger_than_one_ack_is_acked_whole() -> None:
    a, b = pair()
    for number in range(300):
        a.send(Loose(number, bytes(1000)))
        for payload in a.payloads_to_send(0.0):
            b.receive(payload, 0.0)
    for payload in b.payloads_to_send(0.05):
        a.receive(payload, 0.1)
    assert not a._in_flight  # pyright: ignore[reportPrivateUsage]
    a.payloads_to_send(5.0)
    assert a.packets_lost == 0


def test_a_loss_is_noticed_by_the_acks_of_later_packets_long_before_a_timeout() -> None:
    a, b = pair()
    converse(a, b, 0.0, 1.0, perfect, lambda: a.send(Latest(1)))
    a.payloads_to_send(3.0)
    a.send(Ordered(7))
    assert a.payloads_to_send(3.0)  # and lost
    timeout = a.estimate.timeout
    for tick in range(1, 30):
        now = 3.0 + tick / 100
        a.send(Latest(tick))
        b.send(Latest(tick))  # acks travel with it
        for payload in a.payloads_to_send(now):
            if Ordered(7) in b.receive(payload, now):
                assert now - 3.0 < 0.75 * timeout
                return
        for payload in b.payloads_to_send(now):
            a.receive(payload, now)
    pytest.fail("it was never sent again")


def test_padding_is_acked_at_once_and_brings_nothing() -> None:
    a, b = pair()
    ticket = a.probe(1000)
    (payload,) = a.payloads_to_send(0.0)
    assert 960 <= len(payload) <= 1000
    assert b.receive(payload, 0.0) == []
    (ack,) = b.payloads_to_send(0.0)
    a.receive(ack, 0.0)
    assert list(a.outcomes) == [Outcome(ticket, True)]
    with pytest.raises(ValueError, match="64 to 1200"):
        a.probe(1300)


# -- hostile payloads -------------------------------------------------------------------------------------------------

FRAME = write_header(0, 0xFFFF, 0)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "empty"),
        (FRAME + b"\x10\x01x", "begins with 0x10"),
        (FRAME + b"\x20\x02\x00\x01", "padding"),
        (FRAME + b"\x20\x02\x00", "padding"),
        (FRAME + b"\x04\x01x", "begins with 0x04"),
        (FRAME + b"\x00", "cut off"),
        (FRAME + b"\x00\x05abc", "cut off"),
        (FRAME + b"\x02\x00", "cut off"),
        (FRAME + b"\x00\x80\x00", "shortest"),
        (FRAME + b"\x00\x80\x80\x80\x01", "3 bytes"),
        (FRAME + b"\x00\x01\xfc", "bits wanted"),
        (write_header(0, 5, 1), "ack of packet 5"),
        (write_header(0, 0xFFFF, 1), "ack of packet -1"),
        (FRAME + b"\x01\x05\x01\x00\x00\x00\x00" * 129, "over 128 messages"),
        (b"\x03" + bytes(20), "fragment header"),
        (b"\x40" + bytes(20), "shortest"),
    ],
)
def test_a_malformed_payload_is_a_protocol_error(payload: bytes, said: str) -> None:
    _, b = pair()
    with pytest.raises(ProtocolError, match=said):
        b.receive(payload, 0.0)


def test_a_message_on_another_channel_is_a_protocol_error() -> None:
    _, b = pair()
    content = protocol.encode(Ordered(1))
    with pytest.raises(ProtocolError, match="came over channel 0, not 2"):
        b.receive(FRAME + bytes([0, len(content)]) + content, 0.0)


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=100), max_size=30), st.booleans())
def test_any_payload_is_taken_or_protocol_error(payloads: list[bytes], framed: bool) -> None:
    a, b = pair()
    a.send(Ordered(1))
    a.payloads_to_send(0.0)
    for number, payload in enumerate(payloads):
        try:
            b.receive(write_header(number, 0xFFFF, 0) + payload if framed else payload, 0.0)
            a.receive(payload, 0.0)
        except ProtocolError:
            return


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 7), st.integers(0, 1))
def test_an_altered_payload_is_taken_or_protocol_error(at: int, bit: int, cut: int) -> None:
    a, b = pair()
    for message in (
        Loose(1, b"xyz"),
        Latest(2),
        Ordered(3, bytes(3000)),
        Unordered(4, bytes(1300)),
        Loose(5, bytes(2500)),
    ):
        a.send(message)
    payloads = a.payloads_to_send(0.0)
    victim = at % len(payloads)
    changed = bytearray(payloads[victim])
    changed[at % len(changed)] ^= 1 << bit
    payloads[victim] = bytes(changed[: at % len(changed)] if cut else changed)
    for payload in payloads:
        try:
            b.receive(payload, 0.0)
        except ProtocolError:
            return
