"""Client and server of the netcode standard against each other, against bad networks and against attackers."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.net.connection.address import Address
from engine.net.connection.netcode_client import ClientState, NetcodeClient
from engine.net.connection.netcode_server import (
    MAX_CHALLENGES,
    Closed,
    Ending,
    Ignored,
    NetcodeServer,
    Opened,
    Payload,
)
from engine.net.connection.packet import Opener, PacketType, Sealer, request_packet
from engine.net.connection.token import ConnectToken, issue_token

KEY = bytes(range(32))
EPOCH = 1_700_000_000.0
SERVER = Address("192.0.2.1", 7777)
SERVER6 = Address("2001:db8::1", 7777)
ALICE = Address("198.51.100.1", 50001)
BOB = Address("198.51.100.2", 50002)


def issue(client_id: int = 1, **changes: object) -> ConnectToken:
    given = {"protocol_id": 7, "private_key": KEY, "client_id": client_id, "servers": [SERVER], "now": EPOCH}
    return issue_token(**{**given, "timeout": 5, **changes})  # pyright: ignore[reportArgumentType]


def serve(max_clients: int = 4, now: float = 0.0, **changes: object) -> NetcodeServer:
    given = {"epoch": EPOCH, "max_clients": max_clients, **changes}
    return NetcodeServer(7, KEY, [SERVER], now, **given)  # pyright: ignore[reportArgumentType]


def exchange(server: NetcodeServer, clients: dict[Address, NetcodeClient], start: float, end: float) -> float:
    """Run a perfect network for a while, in steps of 10 ms."""
    now = start
    while now < end:
        for address, client in clients.items():
            for datagram, _ in client.datagrams_to_send(now):
                server.receive_datagram(datagram, address, now)
        for datagram, to in server.datagrams_to_send(now):
            if to in clients:
                clients[to].receive_datagram(datagram, SERVER, now)
        now += 0.01
    return now


def connect(server: NetcodeServer, client_id: int = 1, address: Address = ALICE, now: float = 0.0) -> NetcodeClient:
    client = NetcodeClient(issue(client_id), now)
    exchange(server, {address: client}, now, now + 0.2)
    assert client.state == ClientState.CONNECTED
    return client


def test_a_client_connects_and_both_sides_talk() -> None:
    server = serve()
    client = NetcodeClient(issue(42, user=b"colour=red"), 0.0)
    exchange(server, {ALICE: client}, 0.0, 0.1)
    assert client.state == ClientState.CONNECTED
    assert (client.client_index, client.max_clients) == (0, 4)
    opened = server.events.popleft()
    assert isinstance(opened, Opened)
    session = opened.session
    assert (session.client_id, session.address, session.index) == (42, ALICE, 0)
    assert session.user == b"colour=red".ljust(256, b"\0")

    client.send_payload(b"up", 0.2)
    server.send_payload(session, b"down", 0.2)
    exchange(server, {ALICE: client}, 0.2, 0.3)
    assert list(client.payloads) == [b"down"]
    payload = server.events.popleft()
    assert isinstance(payload, Payload)
    assert (payload.session, payload.content) == (session, b"up")


def test_ipv6_servers_work() -> None:
    server = NetcodeServer(7, KEY, [SERVER6], 0.0, epoch=EPOCH)
    client = NetcodeClient(issue(servers=[SERVER6]), 0.0)
    for now in (0.0, 0.1, 0.2, 0.3):
        for datagram, to in client.datagrams_to_send(now):
            assert to == SERVER6
            server.receive_datagram(datagram, ("2001:db8::2", 9), now)
        for datagram, _ in server.datagrams_to_send(now):
            client.receive_datagram(datagram, ("2001:db8::1", 7777), now)
    assert client.state == ClientState.CONNECTED


def test_keep_alives_hold_an_idle_connection() -> None:
    server = serve()
    client = connect(server)
    exchange(server, {ALICE: client}, 0.2, 20.0)
    assert client.state == ClientState.CONNECTED
    assert len(server.sessions) == 1


def test_payloads_before_confirmation_come_with_a_keep_alive() -> None:
    server = serve()
    client = NetcodeClient(issue(), 0.0)
    for now in (0.0, 0.1):
        for datagram, _ in client.datagrams_to_send(now):
            server.receive_datagram(datagram, ALICE, now)
        if not server.sessions:
            for datagram, _ in server.datagrams_to_send(now):
                client.receive_datagram(datagram, SERVER, now)
    server.datagrams_to_send(0.1)  # the keep-alive that accepts the client is lost
    server.send_payload(server.sessions[0], b"first", 0.15)
    for datagram, _ in server.datagrams_to_send(0.15):
        client.receive_datagram(datagram, SERVER, 0.15)
    assert client.state == ClientState.CONNECTED
    assert list(client.payloads) == [b"first"]


def test_both_sides_time_out() -> None:
    server = serve()
    client = connect(server)
    server.events.clear()
    now = 0.2
    while client.next_timer() is not None or server.next_timer() is not None:
        client.datagrams_to_send(now)
        server.datagrams_to_send(now)
        now = min((timer for timer in (client.next_timer(), server.next_timer()) if timer is not None), default=now)
    assert client.state == ClientState.TIMED_OUT
    assert 5.0 < now < 5.5
    closed = server.events.popleft()
    assert isinstance(closed, Closed)
    assert closed.ending == Ending.TIMED_OUT
    assert not server.sessions


def test_a_negative_timeout_means_never() -> None:
    server = serve()
    client = NetcodeClient(issue(timeout=-1), 0.0)
    exchange(server, {ALICE: client}, 0.0, 0.2)
    for now in range(1, 4000):
        client.datagrams_to_send(now)
        server.datagrams_to_send(now)
    assert client.state == ClientState.CONNECTED
    assert server.sessions


def test_farewells_end_both_sides_at_once() -> None:
    server = serve()
    client = connect(server)
    server.events.clear()
    client.disconnect()
    farewells = client.datagrams_to_send(0.3)
    assert len(farewells) == 10
    assert client.next_timer() is None
    server.receive_datagram(farewells[7][0], ALICE, 0.3)  # one of them is enough
    closed = server.events.popleft()
    assert isinstance(closed, Closed)
    assert closed.ending == Ending.BY_PEER

    client = connect(server, 2, now=1.0)
    server.close()
    farewells = server.datagrams_to_send(1.3)
    assert len(farewells) == 10
    client.receive_datagram(farewells[9][0], SERVER, 1.3)
    assert client.state == ClientState.DISCONNECTED
    before = dict(server.ignored)
    server.receive_datagram(request_packet(issue(3)), BOB, 1.4)
    assert not server.datagrams_to_send(1.4)
    assert server.ignored == before


def test_a_full_server_denies_and_the_freed_slot_is_used_again() -> None:
    server = serve(max_clients=2)
    first = connect(server, 1, Address("10.0.0.1", 1))
    connect(server, 2, Address("10.0.0.2", 1))
    denied = NetcodeClient(issue(3), 0.2)
    exchange(server, {ALICE: denied}, 0.2, 0.3)
    assert denied.state == ClientState.DENIED
    first.disconnect()
    for datagram, _ in first.datagrams_to_send(0.3):
        server.receive_datagram(datagram, Address("10.0.0.1", 1), 0.3)
    fourth = connect(server, 4, BOB, 0.4)
    assert fourth.client_index == 0


def test_a_server_that_fills_up_meanwhile_denies_the_response() -> None:
    server = serve(max_clients=1)
    late = NetcodeClient(issue(1), 0.0)
    ((request, _),) = late.datagrams_to_send(0.0)
    server.receive_datagram(request, ALICE, 0.0)
    ((challenge, _),) = server.datagrams_to_send(0.0)
    connect(server, 2, BOB)
    late.receive_datagram(challenge, SERVER, 0.2)
    exchange(server, {ALICE: late}, 0.2, 0.3)
    assert late.state == ClientState.DENIED


def test_the_servers_of_a_token_are_tried_in_turn() -> None:
    silent, full = Address("192.0.2.8", 1), Address("192.0.2.9", 1)
    servers = {SERVER: serve(), full: NetcodeServer(7, KEY, [full], 0.0, epoch=EPOCH, max_clients=1)}
    other = NetcodeClient(issue(2, servers=[full]), 0.0)
    client = NetcodeClient(issue(1, servers=[silent, full, SERVER], timeout=2), 0.0)
    asked: list[Address] = []
    now = 0.0
    while now < 5.0:
        for address, sender in ((BOB, other), (ALICE, client)):
            for datagram, to in sender.datagrams_to_send(now):
                if sender is client and to not in asked:
                    asked.append(to)
                if to in servers:
                    servers[to].receive_datagram(datagram, address, now)
        for place, server in servers.items():
            for datagram, to in server.datagrams_to_send(now):
                (other if to == BOB else client).receive_datagram(datagram, place, now)
        now += 0.01
    assert asked == [silent, full, SERVER]
    assert client.state == ClientState.CONNECTED
    assert client.server == SERVER


@pytest.mark.parametrize(
    ("lifetime", "timeout", "state"),
    [(30, 3, ClientState.REQUEST_TIMED_OUT), (2, 3, ClientState.TOKEN_EXPIRED), (2, -1, ClientState.TOKEN_EXPIRED)],
)
def test_a_client_without_answer_gives_up(lifetime: int, timeout: int, state: ClientState) -> None:
    client = NetcodeClient(issue(lifetime=lifetime, timeout=timeout), 0.0)
    sent = 0
    for tick in range(400):
        sent += len(client.datagrams_to_send(tick / 100))
    assert client.state == state
    assert 20 <= sent <= 31
    assert not client.datagrams_to_send(9.0)
    assert client.next_timer() is None


def test_a_client_whose_response_is_not_answered_gives_up() -> None:
    server = serve()
    client = NetcodeClient(issue(timeout=2), 0.0)
    ((request, _),) = client.datagrams_to_send(0.0)
    server.receive_datagram(request, ALICE, 0.0)
    ((challenge, _),) = server.datagrams_to_send(0.0)
    client.receive_datagram(challenge, SERVER, 0.5)
    assert client.state == ClientState.SENDING_RESPONSE
    client.datagrams_to_send(2.4)
    assert client.state == ClientState.SENDING_RESPONSE
    client.datagrams_to_send(2.6)
    assert client.state == ClientState.RESPONSE_TIMED_OUT


# -- hostile input ----------------------------------------------------------------------------------------------------


def refused(server: NetcodeServer, datagram: bytes, reason: Ignored, source: Address = ALICE, now: float = 0.0) -> None:
    before = server.ignored[reason]
    half_open = server.half_open
    server.receive_datagram(datagram, source, now)
    assert server.ignored[reason] == before + 1
    assert server.half_open == half_open
    assert not server.datagrams_to_send(now)


def test_bad_tokens_draw_no_answer_and_leave_nothing() -> None:
    server = serve()
    good = issue()
    altered = bytearray(request_packet(good))
    altered[500] ^= 1
    refused(server, bytes(altered), Ignored.BAD_TOKEN)
    refused(server, request_packet(replace(good, expires=good.expires + 999)), Ignored.BAD_TOKEN)
    refused(server, request_packet(issue(private_key=bytes(32))), Ignored.BAD_TOKEN)
    refused(server, request_packet(issue(protocol_id=8)), Ignored.OTHER_PROTOCOL)
    refused(server, request_packet(issue(servers=[SERVER6])), Ignored.OTHER_SERVER)
    refused(server, request_packet(good), Ignored.EXPIRED, now=30.0)
    refused(server, request_packet(good)[:-1], Ignored.MALFORMED)
    refused(server, request_packet(good) + b"\0", Ignored.MALFORMED)
    refused(server, b"\0NETCODE 1.01\0" + request_packet(good)[14:], Ignored.OTHER_VERSION)
    refused(server, b"\x15" + bytes(40), Ignored.UNKNOWN_PEER)
    assert not server._used  # pyright: ignore[reportPrivateUsage]
    connect(server)


def test_a_stolen_token_is_of_no_use() -> None:
    server = serve()
    token = issue()
    server.receive_datagram(request_packet(token), ALICE, 0.0)
    server.datagrams_to_send(0.0)
    refused(server, request_packet(token), Ignored.USED_TOKEN, BOB)


def test_a_token_works_once_even_from_its_own_address() -> None:
    server = serve()
    token = issue()
    client = NetcodeClient(token, 0.0)
    exchange(server, {ALICE: client}, 0.0, 0.2)
    refused(server, request_packet(token), Ignored.ALREADY_CONNECTED)
    client.disconnect()
    for datagram, _ in client.datagrams_to_send(0.3):
        server.receive_datagram(datagram, ALICE, 0.3)
    refused(server, request_packet(token), Ignored.USED_TOKEN)


def test_a_player_is_there_once() -> None:
    server = serve()
    connect(server, 1, ALICE)
    refused(server, request_packet(issue(1)), Ignored.ALREADY_CONNECTED, BOB)


def test_used_tokens_are_forgotten_once_they_expired() -> None:
    server = serve()
    for client_id in range(100):
        server.receive_datagram(request_packet(issue(client_id)), Address("10.0.0.1", client_id), 0.0)
    assert len(server._used) == 100  # pyright: ignore[reportPrivateUsage]
    server.receive_datagram(request_packet(issue(1, now=EPOCH + 40)), ALICE, 40.0)
    assert len(server._used) == 1  # pyright: ignore[reportPrivateUsage]


def test_half_open_connections_are_bounded_and_time_out() -> None:
    server = serve(max_clients=4)
    for client_id in range(100):
        server.receive_datagram(request_packet(issue(client_id)), Address("10.0.0.1", 1 + client_id), 0.0)
    assert server.half_open == server.max_half_open == 16
    assert server.ignored[Ignored.OVERLOADED] == 84
    server.datagrams_to_send(5.1)
    assert server.half_open == 0
    connect(server, 1000, now=6.0)


def test_a_half_open_connection_without_timeout_ends_too() -> None:
    server = serve()
    server.receive_datagram(request_packet(issue(timeout=-1)), ALICE, 0.0)
    server.datagrams_to_send(9.0)
    assert server.half_open == 1
    server.datagrams_to_send(10.1)
    assert server.half_open == 0


def test_replies_to_an_unproven_address_are_shorter_and_limited() -> None:
    server = serve()
    request = request_packet(issue(timeout=-1, lifetime=1000))
    replies = 0
    for count in range(400):
        server.receive_datagram(request, ALICE, count / 100)
        for datagram, to in server.datagrams_to_send(count / 100):
            assert to == ALICE
            assert len(datagram) < len(request)
            replies += 1
    assert replies == MAX_CHALLENGES


def test_an_answer_to_another_connections_challenge_is_refused() -> None:
    # With two tokens, and able to receive at one address only, an attacker tries to connect from another.
    server = serve()
    mine, spoofed = issue(1), issue(2)
    server.receive_datagram(request_packet(mine), ALICE, 0.0)
    ((challenge, _),) = server.datagrams_to_send(0.0)
    server.receive_datagram(request_packet(spoofed), BOB, 0.0)
    server.datagrams_to_send(0.0)
    opened = Opener(mine.server_to_client, 7, frozenset({PacketType.CHALLENGE})).open(challenge)
    assert opened is not None
    response = Sealer(spoofed.client_to_server, 7).seal(PacketType.RESPONSE, 0, opened[1])
    refused(server, response, Ignored.BAD_CHALLENGE, BOB)
    response = Sealer(spoofed.client_to_server, 7).seal(PacketType.RESPONSE, 1, bytes(308))
    refused(server, response, Ignored.BAD_CHALLENGE, BOB)
    assert not server.sessions


def test_a_half_open_connection_carries_no_payload() -> None:
    server = serve()
    token = issue()
    server.receive_datagram(request_packet(token), ALICE, 0.0)
    server.datagrams_to_send(0.0)
    for kind, content in ((PacketType.PAYLOAD, b"x"), (PacketType.KEEP_ALIVE, bytes(8)), (PacketType.DISCONNECT, b"")):
        refused(server, Sealer(token.client_to_server, 7).seal(kind, 5, content), Ignored.FORGED)
    assert not server.events


def test_packets_from_another_address_are_not_the_connections() -> None:
    server = serve()
    client = connect(server)
    client.send_payload(b"x", 0.25)
    ((datagram, _),) = client.datagrams_to_send(0.25)
    server.datagrams_to_send(0.25)
    refused(server, datagram, Ignored.UNKNOWN_PEER, BOB, 0.25)
    server.send_payload(server.sessions[0], b"y", 0.25)
    for datagram, _ in server.datagrams_to_send(0.25):
        client.receive_datagram(datagram, BOB, 0.25)
    assert not client.payloads


def test_a_restart_uses_no_nonce_again() -> None:
    token = issue()
    numbers: list[int] = []
    for _ in range(2):
        server = serve()
        server.receive_datagram(request_packet(token), ALICE, 0.0)
        ((challenge, _),) = server.datagrams_to_send(0.0)
        assert challenge[0] >> 4 == 8
        numbers.append(int.from_bytes(challenge[1:9], "little"))
    assert numbers[0] != numbers[1]
    assert min(numbers) >= 1 << 63


def test_tokens_from_before_a_restart_are_refused_where_their_lifetime_is_known() -> None:
    server = serve(now=10.0, token_lifetime=30)
    refused(server, request_packet(issue(now=EPOCH + 9)), Ignored.EARLIER_TOKEN, now=10.5)
    server.receive_datagram(request_packet(issue(now=EPOCH + 11)), ALICE, 11.0)
    assert server.datagrams_to_send(11.0)


def test_a_client_uses_no_nonce_twice_however_many_servers_it_asks() -> None:
    servers = [Address("192.0.2.1", port) for port in range(1, 5)]
    client = NetcodeClient(issue(servers=servers, timeout=2), 0.0)
    key = client.token.server_to_client
    seen: list[bytes] = []
    for step in range(2000):
        now = step / 100
        for datagram, _ in client.datagrams_to_send(now):
            if datagram[0]:
                seen.append(datagram[1 : 1 + (datagram[0] >> 4)])
        challenge = Sealer(key, 7).seal(PacketType.CHALLENGE, 1 << 63, bytes(308))
        client.receive_datagram(challenge, client.server, now)
    assert len(seen) > 50
    assert len(set(seen)) == len(seen)


def test_noise_never_raises() -> None:
    rng = random.Random(1)
    server = serve()
    client = connect(server)
    state = client.state
    for _ in range(3000):
        noise = rng.randbytes(rng.choice([0, 1, 17, 18, 30, 333, 1078, 1300]))
        if rng.random() < 0.5 and noise:
            noise = bytes([rng.choice([0, 0x11, 0x15, 0x85])]) + noise[1:]
        server.receive_datagram(noise, rng.choice([ALICE, BOB]), 0.3)
        client.receive_datagram(noise, SERVER, 0.3)
    assert client.state == state
    assert len(server.sessions) == 1


def test_the_log_is_limited_under_attack(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    server = serve()
    for count in range(10_000):
        server.receive_datagram(b"\0noise", ALICE, count / 1000)
    assert server.ignored[Ignored.MALFORMED] == 10_000
    assert len(caplog.records) == 1


def test_a_flood_does_not_keep_a_player_out() -> None:
    server = serve()
    client = NetcodeClient(issue(), 0.0)
    wrong = request_packet(issue(private_key=bytes(32)))
    sources = (Address(f"10.{a}.{b}.1", 5) for a, b in itertools.product(range(100), range(100)))
    for tick in range(20):
        now = tick / 20
        for source in itertools.islice(sources, 500):
            server.receive_datagram(wrong, source, now)
        for datagram, _ in client.datagrams_to_send(now):
            server.receive_datagram(datagram, ALICE, now)
        for datagram, to in server.datagrams_to_send(now):
            assert to == ALICE
            client.receive_datagram(datagram, SERVER, now)
    assert client.state == ClientState.CONNECTED
    assert server.half_open == 0


class BadNetwork(RuleBasedStateMachine):
    """Two clients, one slot more than none to spare, and a network that loses, repeats, delays and alters at will."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.server = serve(max_clients=2)
        self.clients: dict[Address, NetcodeClient] = {}
        self.to_server: list[tuple[bytes, Address]] = []
        self.to_client: list[tuple[bytes, Address]] = []
        self.sent: list[bytes] = []
        self.taken: list[bytes] = []
        self.ids = itertools.count(1)

    @rule(address=st.sampled_from([ALICE, BOB, Address("198.51.100.3", 3)]))
    def join(self, address: Address) -> None:
        if address not in self.clients or self.clients[address].state <= ClientState.DISCONNECTED:
            token = issue(next(self.ids), now=EPOCH + self.now, timeout=3)
            self.clients[address] = NetcodeClient(token, self.now)

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.1, 0.5, 4.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for address, client in self.clients.items():
            self.to_server += [(datagram, address) for datagram, _ in client.datagrams_to_send(self.now)]
        self.to_client += self.server.datagrams_to_send(self.now)
        for client in self.clients.values():
            timer = client.next_timer()
            assert timer is None or timer > self.now - 1e-9

    @rule(data=st.data(), keep=st.booleans())
    def deliver_one(self, data: st.DataObject, keep: bool) -> None:
        for queue in (self.to_server, self.to_client):
            if queue:
                at = data.draw(st.integers(0, len(queue) - 1))
                self.pass_on(queue, *(queue[at] if keep else queue.pop(at)))

    @rule()
    def deliver_all(self) -> None:
        for queue in (self.to_server, self.to_client):
            batch = queue[:]
            queue.clear()
            for datagram, address in batch:
                self.pass_on(queue, datagram, address)

    @rule()
    def lose_all(self) -> None:
        self.to_server.clear()
        self.to_client.clear()

    @rule(data=st.data())
    def alter(self, data: st.DataObject) -> None:
        for queue in (self.to_server, self.to_client):
            if queue:
                datagram, address = queue[-1]
                changed = bytearray(datagram)
                changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
                self.pass_on(queue, bytes(changed), address)

    @rule(up=st.booleans())
    def talk(self, up: bool) -> None:
        payload = len(self.sent).to_bytes(4, "little")
        self.sent.append(payload)
        if up:
            for client in self.clients.values():
                client.send_payload(payload + b"%d" % client.token.created, self.now)
        else:
            for session in self.server.sessions:
                self.server.send_payload(session, payload, self.now)

    @rule()
    def leave(self) -> None:
        for client in self.clients.values():
            client.disconnect()
            break

    @rule()
    def throw_out(self) -> None:
        for session in self.server.sessions[:1]:
            self.server.disconnect(session)

    def pass_on(self, queue: list[tuple[bytes, Address]], datagram: bytes, address: Address) -> None:
        if queue is self.to_server:
            self.server.receive_datagram(datagram, address, self.now)
        elif address in self.clients:
            self.clients[address].receive_datagram(datagram, SERVER, self.now)

    @invariant()
    def nothing_is_delivered_twice_or_made_up(self) -> None:
        while self.server.events:
            event = self.server.events.popleft()
            if isinstance(event, Payload):
                key = event.session.client_id.to_bytes(8, "little") + event.content
                assert key not in self.taken
                self.taken.append(key)
                assert event.content[:4] in self.sent
        for client in self.clients.values():
            assert len(set(client.payloads)) == len(client.payloads)

    @invariant()
    def slots_are_consistent(self) -> None:
        sessions = self.server.sessions
        assert len({session.index for session in sessions}) == len(sessions) <= 2
        assert len({session.client_id for session in sessions}) == len(sessions)
        assert 0 <= self.server.half_open <= self.server.max_half_open


TestBadNetwork = BadNetwork.TestCase
TestBadNetwork.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
