"""Client and server as a game uses them, over a virtual network: events, messages, and peers that misbehave."""

import random
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from engine.app import Scene
from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.delivery import Limits
from engine.net.connection.events import (
    SERVER,
    Connected,
    Disconnected,
    Reason,
    Received,
    Refusal,
    Refused,
    Settled,
    event_key,
    post_event,
    route_messages,
)
from engine.net.connection.netcode_server import Ignored
from engine.net.connection.server import Server
from engine.net.transport.conditioner import Conditions
from engine.net.wire import Channel, MaxBytes, Protocol, SchemaError, Uint32
from engine.testing.network import VirtualClient, VirtualNetwork


@dataclass(slots=True)
class Say:
    text: Annotated[str, MaxBytes(100)]


@dataclass(slots=True)
class Move:
    number: Uint32


@dataclass(slots=True)
class Unknown:
    number: Uint32


protocol = Protocol("game", "1.2").message(Say, Channel.RELIABLE_ORDERED).message(Move, Channel.UNRELIABLE_SEQUENCED)
OUTAGE = Conditions(loss=1.0)


def network(**changes: Any) -> VirtualNetwork:
    arguments: dict[str, Any] = {"seed": 11, "conditions": Conditions(latency=0.03), **changes}
    return VirtualNetwork(protocol, **arguments)


def joined(net: VirtualNetwork, count: int = 1) -> list[VirtualClient]:
    clients = [net.join() for _ in range(count)]
    net.run(1.0)
    assert all(client.client.connected for client in clients)
    return clients


def test_life_cycle_and_messages_are_events() -> None:
    with network() as net:
        token = net.issue(77, user=b"Ana")
        alice = net.join(token=token)
        net.run(0.5)
        assert net.events == [Connected(1, 77, str(alice.address), "Ana")]
        assert alice.events == [Connected(SERVER, 0, "10.0.0.1:7777", "")]
        alice.client.send(Say("hello"))
        net.server.send(1, Say("welcome"))
        net.run(0.2)
        assert net.events[1:] == [Received(1, Say("hello"))]
        assert alice.events[1:] == [Received(SERVER, Say("welcome"))]
        alice.client.disconnect()
        net.run(0.2)
        assert net.events[2:] == [Disconnected(1, Reason.LEFT)]
        assert alice.events[2:] == [Disconnected(SERVER, Reason.CLOSED)]
        assert alice.client.over
        assert alice.client.next_timer() is None


def test_numbers_of_peers_are_never_given_twice() -> None:
    with network() as net:
        for expected in (1, 2, 3):
            (client,) = joined(net)
            assert list(net.server.peers) == [expected]
            client.client.disconnect()
            net.run(0.5)


def test_broadcast_and_throwing_out() -> None:
    with network() as net:
        clients = joined(net, 3)
        net.server.broadcast(Say("all"))
        net.server.broadcast(Say("others"), but=2)
        net.run(0.5)
        assert [len(client.received(Say)) for client in clients] == [2, 1, 2]
        net.server.disconnect(2)
        net.server.disconnect(99)
        net.run(0.5)
        assert clients[1].events[-1] == Disconnected(SERVER, Reason.LEFT)
        assert net.events[-1] == Disconnected(2, Reason.CLOSED)
        assert net.server.send(2, Say("gone")) == 0
        net.server.close()
        net.run(0.5)
        assert all(client.client.over for client in clients)


def test_silence_ends_both_sides() -> None:
    with network() as net:
        (client,) = joined(net)
        client.set_conditions(OUTAGE)
        net.run(11.0)
        assert client.events[-1] == Disconnected(SERVER, Reason.TIMED_OUT)
        assert net.events[-1] == Disconnected(1, Reason.TIMED_OUT)


def test_a_short_outage_is_survived_and_nothing_is_lost() -> None:
    with network() as net:
        (client,) = joined(net)
        client.set_conditions(OUTAGE)
        for number in range(20):
            client.client.send(Say(str(number)))
        net.run(4.0)
        client.set_conditions(Conditions(latency=0.03))
        net.run(5.0)
        assert [message.text for message in net.received(Say)] == [str(number) for number in range(20)]


def test_refusals_say_why() -> None:
    with network(max_clients=1) as net:
        joined(net)
        full = net.join()
        silent = net.join(OUTAGE, net.issue(5, timeout=2))
        expired = net.join(OUTAGE, net.issue(6, lifetime=2, timeout=5))
        net.run(3.0)
        assert full.events == [Refused(Refusal.FULL, "server 10.0.0.1:7777")]
        assert [event.reason for event in silent.events if isinstance(event, Refused)] == [Refusal.NO_ANSWER]
        assert [event.reason for event in expired.events if isinstance(event, Refused)] == [Refusal.TOKEN_EXPIRED]
        assert "full" in str(full.events[0])


def test_a_token_of_another_build_is_refused_before_a_packet_is_sent() -> None:
    with network() as net:
        other = Protocol("game", "1.3").message(Say)
        client = Client(other, net.issue(1), 0.0)
        refused = client.next_event()
        assert isinstance(refused, Refused)
        assert refused.reason == Refusal.OTHER_BUILD
        assert "game 1.3" in refused.detail
        assert f"{protocol.id:016x}" in refused.detail
        assert client.datagrams_to_send(0.0) == []
        assert client.next_timer() is None


def test_a_peer_that_misbehaves_is_thrown_out_and_the_others_notice_nothing() -> None:
    with network() as net:
        good, bad = joined(net, 2)
        bad.client._netcode.send_payload(b"\xff" * 50, net.now)  # pyright: ignore[reportPrivateUsage]
        good.client.send(Say("still here"))
        net.run(0.5)
        (gone,) = [event for event in net.events if isinstance(event, Disconnected)]
        assert (gone.peer, gone.reason) == (2, Reason.MISBEHAVED)
        assert gone.detail
        assert net.received(Say) == [Say("still here")]
        assert bad.client.over


def test_peers_that_misbehave_in_turn_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with network(max_clients=20) as net:
        for bad in joined(net, 20):
            bad.client._netcode.send_payload(b"\xff" * 50, net.now)  # pyright: ignore[reportPrivateUsage]
        net.run(0.5)
        gone = [event for event in net.events if isinstance(event, Disconnected)]
        assert [event.reason for event in gone] == [Reason.MISBEHAVED] * 20
        assert len([record for record in caplog.records if "peer" in record.message]) == 1


def test_a_fragment_bomb_through_a_connection_is_bounded_and_ends_nobody_else() -> None:
    with network() as net:
        good, bad = joined(net, 2)
        rng = random.Random(5)
        for number in range(3000):
            head = b"\x01" + rng.randrange(1 << 16).to_bytes(2, "little") + bytes((1 + number % 30, 31))
            bad.client._netcode.send_payload(head + bytes(1024), net.now)  # pyright: ignore[reportPrivateUsage]
            if number % 100 == 0:
                net.run(0.05)
                for peer in net.server.peers.values():
                    assert peer.delivery._assembly.pending_bytes <= 4 * 32 * 1024  # pyright: ignore[reportPrivateUsage]
        good.client.send(Say("still here"))
        net.run(0.5)
        assert net.received(Say) == [Say("still here")]


def test_a_peer_that_reads_nothing_and_says_nothing_costs_a_bounded_queue_then_its_place() -> None:
    limits = Limits(backlog=50_000)
    with network(limits=limits) as net:
        (mute,) = joined(net)
        mute.set_conditions(OUTAGE)
        sent = 0

        def talk() -> None:
            nonlocal sent
            net.server.broadcast(Say("x" * 100))
            net.server.broadcast(Move(sent))
            sent += 1
            for peer in net.server.peers.values():
                assert peer.delivery.backlog <= limits.backlog
                assert len(peer.delivery._waiting) <= 512  # pyright: ignore[reportPrivateUsage]

        net.run(12.0, talk)
        (gone,) = [event for event in net.events if isinstance(event, Disconnected)]
        assert gone.reason == Reason.TOO_SLOW
        assert not net.server.peers


def test_a_server_that_misbehaves_is_left() -> None:
    with network() as net:
        (client,) = joined(net)
        (session,) = net.server.netcode.sessions
        net.server.netcode.send_payload(session, b"\x10\x00\x00\x00", net.now)
        net.run(0.5)
        (left,) = [event for event in client.events if isinstance(event, Disconnected)]
        assert left.reason == Reason.MISBEHAVED
        assert left.detail in str(left)


def test_a_peer_that_never_acks_is_given_up() -> None:
    with network(limits=Limits(backlog=20_000)) as net:
        (client,) = joined(net)
        for _ in range(300):
            net.server.send(1, Say("x" * 100))
        net.run(1.0)
        (gone,) = [event for event in net.events if isinstance(event, Disconnected)]
        assert gone.reason == Reason.TOO_SLOW
        assert client.client.over


def test_tracked_messages_are_settled() -> None:
    with network(conditions=Conditions(latency=0.03, loss=0.3)) as net:
        client = net.join()
        net.run(3.0)
        tickets: list[int] = []
        for number in range(50):
            tickets.append(client.client.send(Move(number), track=True))
            net.run(0.05)
        net.run(3.0)
        settled = {event.ticket: event.arrived for event in client.events if isinstance(event, Settled)}
        assert sorted(settled) == tickets
        arrived = {message.number for message in net.received(Move)}
        assert {ticket - 1 for ticket, ok in settled.items() if ok} <= arrived
        assert 5 < sum(not ok for ok in settled.values()) < 40


def test_an_undeclared_message_is_a_local_error() -> None:
    with network() as net:
        (client,) = joined(net)
        with pytest.raises(SchemaError, match="Unknown"):
            client.client.send(Unknown(1))
        with pytest.raises(SchemaError, match="Unknown"):
            net.server.send(1, Unknown(1))


def test_sending_while_not_connected_is_dropped() -> None:
    with network() as net:
        client = net.join()
        client.client.send(Say("too early"))
        net.run(1.0)
        assert not net.received(Say)


def test_events_are_posted_under_their_type() -> None:
    posted: list[tuple[object, object]] = []

    class Collector:
        def post_as(self, key: object, event: object) -> None:
            posted.append((key, event))

    events = [Connected(1, 2, "", ""), Received(1, Say("x")), Disconnected(1, Reason.LEFT)]
    for event in events:
        post_event(Collector(), event)
    assert posted == [(Connected, events[0]), (Received[Say], events[1]), (Disconnected, events[2])]
    assert event_key(Received(1, Move(1))) == Received[Move]


def test_a_scene_delivers_messages_by_their_type() -> None:
    scene = Scene()
    heard: list[object] = []
    scene.dispatcher.subscribe(Received[Say], lambda world, event: heard.append(event))
    scene.dispatcher.subscribe(Connected, lambda world, event: heard.append(event))
    route_messages(scene.dispatcher)
    with network() as net:
        (client,) = joined(net)
        client.client.send(Say("hi"))
        client.client.send(Move(3))
        net.run(0.5)
        for event in net.events:
            scene.receive(event)
        scene.run_tick()
        assert heard == [net.events[0], Received(1, Say("hi"))]


def test_the_same_seed_gives_the_same_run() -> None:
    def run(seed: int) -> tuple[list[object], list[object], int]:
        bad = Conditions(latency=0.05, jitter=0.04, loss=0.2, duplicate=0.1, corrupt=0.05, reorder=0.1)
        with network(seed=seed, conditions=bad) as net:
            clients = [net.join() for _ in range(3)]
            rng = random.Random(seed)

            def tick() -> None:
                for client in clients:
                    client.client.send(Say(str(rng.random())) if rng.random() < 0.1 else Move(rng.randrange(1000)))
                net.server.broadcast(Move(rng.randrange(1000)))

            net.run(8.0, tick)
            return list(net.events), list(clients[0].events), clients[0].up.lost

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_a_failure_names_its_seed() -> None:
    with pytest.raises(ZeroDivisionError) as error, network(seed=4711) as net:  # noqa: PT012
        net.run(1.5)
        _ = 1 / 0
    assert "seed=4711, 1.500 s" in error.value.__notes__[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_soak(seed: int) -> None:
    # Round trips of 2 s with half of everything lost or doubled: the design's worst case, for two minutes.
    bad = Conditions(latency=1.0, jitter=0.1, loss=0.25, duplicate=0.25)
    with network(seed=seed, conditions=bad) as net:
        client = net.join(token=net.issue(1, timeout=20))
        sent = 0

        def tick() -> None:
            nonlocal sent
            if client.client.connected and sent < 300:
                client.client.send(Say(str(sent)))
                net.server.broadcast(Say(str(sent)))
                sent += 1

        net.run(120.0, tick)
        expected = [str(number) for number in range(300)]
        assert [message.text for message in net.received(Say)] == expected
        received = [message.text for message in client.received(Say)]
        assert received == expected
        assert client.client.delivery.backlog == 0
        assert net.server.peers[1].delivery.backlog == 0


def test_a_thousand_hostile_datagrams_from_a_connected_address_do_nothing() -> None:
    with network() as net:
        (client,) = joined(net)
        rng = random.Random(9)
        for _ in range(1000):
            net.server.receive_datagram(rng.randbytes(rng.randrange(1300)), client.address, net.now)
        client.client.send(Say("here"))
        net.run(0.3)
        assert net.received(Say) == [Say("here")]
        assert net.server.ignored[Ignored.FORGED] + net.server.ignored[Ignored.MALFORMED] == 1000


def test_many_clients_come_and_go() -> None:
    with network(max_clients=8) as net:
        rng = random.Random(2)
        for _ in range(40):
            net.join()
            for client in net.clients:
                if rng.random() < 0.1:
                    client.client.disconnect()
            net.run(0.5)
            assert len(net.server.peers) <= 8
        for client in net.clients:
            client.client.disconnect()
        net.run(1.0)
        assert not net.server.peers
        connected = [event.peer for event in net.events if isinstance(event, Connected)]
        gone = [event.peer for event in net.events if isinstance(event, Disconnected)]
        assert sorted(connected) == sorted(gone)


def test_a_server_wants_a_key_addresses_and_slots() -> None:
    where = [Address("127.0.0.1", 1)]
    for key, addresses, slots, said in (
        (b"short", where, 1, "32 bytes"),
        (bytes(32), [], 1, "addresses"),
        (bytes(32), where, 0, "max_clients"),
    ):
        with pytest.raises(ValueError, match=said):
            Server(protocol, key, addresses, 0.0, epoch=0.0, max_clients=slots)
