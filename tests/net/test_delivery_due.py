"""When a delivery has something to do: nothing is forgotten by who calls it only then, and some messages may wait."""

from __future__ import annotations

from dataclasses import dataclass

from engine.net.connection.delivery import COMPANY, MAX_IN_FLIGHT, Delivery, Encoded, Limits
from engine.net.wire import Channel, Protocol, Uint32


@dataclass(slots=True)
class Loose:
    number: Uint32


@dataclass(slots=True)
class Ordered:
    number: Uint32


protocol = Protocol("due").message(Loose).message(Ordered, Channel.RELIABLE_ORDERED)


def encoded(message: Loose | Ordered) -> Encoded:
    return Encoded(protocol.channel(type(message)), protocol.encode(message), protocol)


def test_a_message_that_may_wait_travels_with_the_next() -> None:
    a, b = Delivery(protocol, 0.0), Delivery(protocol, 0.0)
    a.send_encoded(encoded(Ordered(1)), may_wait=True)
    assert a.due == COMPANY
    a.send_encoded(encoded(Loose(2)))
    (payload,) = a.payloads_to_send(a.due)
    received = b.receive(payload, 0.0)
    assert Ordered(1) in received
    assert Loose(2) in received


def test_alone_it_waits_so_long_and_no_longer() -> None:
    a, b = Delivery(protocol, 0.0), Delivery(protocol, 0.0)
    a.send_encoded(encoded(Ordered(1)), may_wait=True)
    (payload,) = a.payloads_to_send(a.due)
    assert b.receive(payload, a.due) == [Ordered(1)]
    assert a.due > COMPANY


def test_it_does_not_put_off_what_is_due() -> None:
    a = Delivery(protocol, 0.0)
    a.send_encoded(encoded(Ordered(1)))
    a.send_encoded(encoded(Ordered(2)), may_wait=True)
    assert a.due == 0.0


def by_due(a: Delivery, b: Delivery, seconds: float) -> list[object]:
    """Let both ends talk over a way of 20 ms, each called only when it has something to do."""
    got: list[object] = []
    under_way: list[tuple[float, Delivery, bytes]] = []
    now = 0.0
    while now < seconds:
        for sender, receiver in ((a, b), (b, a)):
            if sender.due <= now:
                under_way += [(now + 0.02, receiver, payload) for payload in sender.payloads_to_send(now)]
        for each in [each for each in under_way if each[0] <= now]:
            under_way.remove(each)
            got += each[1].receive(each[2], now)
        now += 0.005
    return got


def test_acks_make_room_for_what_the_window_held_back() -> None:
    limits = Limits(start=1e9, ceiling=1e9)
    a, b = Delivery(protocol, 0.0, limits), Delivery(protocol, 0.0, limits)
    for number in range(3000):
        a.send_encoded(encoded(Ordered(number)))
    assert by_due(a, b, 1.0) == [Ordered(number) for number in range(3000)]


def test_acks_make_room_for_what_too_many_packets_in_flight_held_back() -> None:
    limits = Limits(start=1e9, ceiling=1e9)
    a = Delivery(protocol, 0.0, limits)
    for number in range(MAX_IN_FLIGHT):
        a.send_encoded(encoded(Loose(number)))
        assert a.payloads_to_send(0.0)
    a.send_encoded(encoded(Ordered(1)))
    assert not a.payloads_to_send(0.0)
    assert a.due > 0.0
    a.receive(_ack_of_32(), 0.01)
    assert a.due == 0.01
    assert a.payloads_to_send(0.01)


def _ack_of_32() -> bytes:
    """What acks the first 32 packets."""
    b = Delivery(protocol, 0.0)
    for number in range(32):
        other = Delivery(protocol, 0.0)
        other.send_encoded(encoded(Loose(number)))
        (payload,) = other.payloads_to_send(0.0)
        b.receive(payload[:1] + number.to_bytes(2, "little") + payload[3:], 0.0)
    (ack, *_) = b.payloads_to_send(1.0)
    return ack
