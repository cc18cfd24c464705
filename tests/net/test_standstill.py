"""A server that did not run for a while blames nobody for its own silence."""

from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.events import Disconnected, Reason
from engine.net.connection.server import Server
from engine.net.connection.token import issue_token
from engine.net.wire import Protocol

PROTOCOL = Protocol("still")
SERVER, CLIENT = Address("10.0.0.1", 7777), ("10.0.0.2", 4000)
TIMEOUT = 10


def connected() -> tuple[Server, Client]:
    server = Server(PROTOCOL, bytes(32), [SERVER], 0.0, epoch=0.0)
    token = issue_token(
        protocol_id=PROTOCOL.id, private_key=bytes(32), client_id=1, servers=[SERVER], now=0.0, timeout=TIMEOUT
    )
    client = Client(PROTOCOL, token, 0.0)
    exchange(server, client, 0.0, 1.0)
    assert server.peers
    return server, client


def exchange(server: Server, client: Client | None, now: float, end: float) -> None:
    """Both sides run, or the server alone."""
    while now < end:
        now += 0.05
        if client is not None:
            for datagram, _ in client.datagrams_to_send(now):
                server.receive_datagram(datagram, CLIENT, now)
        for datagram, _ in server.datagrams_to_send(now):
            if client is not None:
                client.receive_datagram(datagram, SERVER, now)


def endings(server: Server) -> list[Reason]:
    events = iter(server.next_event, None)
    return [event.reason for event in events if isinstance(event, Disconnected)]


def test_who_could_not_be_heard_is_not_timed_out() -> None:
    server, client = connected()
    exchange(server, client, 61.0, 62.0)  # nothing ran for a minute
    assert endings(server) == []
    assert server.peers


def test_who_stays_silent_afterwards_is() -> None:
    server, _ = connected()
    exchange(server, None, 61.0, 61.0 + TIMEOUT - 2)
    assert endings(server) == []
    exchange(server, None, 61.0 + TIMEOUT - 2, 61.0 + TIMEOUT + 1)
    assert endings(server) == [Reason.TIMED_OUT]


def test_silence_while_the_server_runs_is_not_forgiven() -> None:
    server, _ = connected()
    exchange(server, None, 1.0, 1.0 + TIMEOUT + 1)
    assert endings(server) == [Reason.TIMED_OUT]
