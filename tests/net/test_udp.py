"""Real sockets on loopback: connect, talk, refuse, lose, and the reading that Windows needs."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.events import Connected, Disconnected, Reason, Received, Refused
from engine.net.connection.server import Server
from engine.net.connection.token import issue_token
from engine.net.transport.conditioner import Conditions
from engine.net.transport.udp import SocketClosed, SocketOpened, Udp
from engine.net.wire import Channel, MaxBytes, Protocol


@dataclass(slots=True)
class Say:
    text: Annotated[str, MaxBytes(100)]


protocol = Protocol("udp").message(Say, Channel.RELIABLE_ORDERED)
KEY = bytes(range(32))


class Hall:
    """A server on a port the system chose, and what happened to it."""

    def __init__(self, host: str = "127.0.0.1", conditions: Conditions | None = None) -> None:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
            self.address = Address(host, probe.getsockname()[1])
        now = asyncio.get_running_loop().time()
        self.server = Server(protocol, KEY, [self.address], now, epoch=time.time() - now, max_clients=2)
        self.events: list[Any] = []
        self.udp = Udp(self.server, self.events.append, local=[self.address], conditions=conditions)
        self.udp.open()
        self.clients: list[Udp] = []

    def join(
        self, *servers: Address, answer: str = "", conditions: Conditions | None = None
    ) -> tuple[Client, list[Any], Udp]:
        token = issue_token(
            protocol_id=protocol.id,
            private_key=KEY,
            client_id=len(self.clients) + 1,
            servers=servers or [self.address],
            now=time.time(),
            timeout=1,
        )
        client = Client(protocol, token, asyncio.get_running_loop().time())
        events: list[Any] = []

        def take(event: Any) -> None:
            events.append(event)
            if answer and isinstance(event, Received):
                client.send(Say(answer))

        udp = Udp(client, take, conditions=conditions)
        udp.open()
        self.clients.append(udp)
        return client, events, udp

    def close(self) -> None:
        for udp in [*self.clients, self.udp]:
            udp.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


async def talk(hall: Hall) -> None:
    client, events, udp = hall.join()
    await until(lambda: client.connected)
    client.send(Say("up"))
    udp.flush()
    hall.server.send(1, Say("down"))
    hall.udp.flush()
    await until(lambda: kinds(events)[-1] is Received and kinds(hall.events)[-1] is Received)
    assert hall.events[-1] == Received(1, Say("up"))
    assert events[-1] == Received(0, Say("down"))
    client.disconnect()
    udp.close()
    await until(lambda: kinds(hall.events)[-1] is Disconnected)
    assert hall.events[-1].reason == Reason.LEFT
    hall.close()
    assert kinds(hall.events) == [SocketOpened, Connected, Received, Disconnected, SocketClosed]
    assert kinds(events) == [SocketOpened, Connected, Received, Disconnected, SocketClosed]


def run(scene: Callable[[], Awaitable[None]], loop: asyncio.AbstractEventLoop | None = None) -> None:
    async def whole() -> None:
        await scene()

    with asyncio.Runner(loop_factory=(lambda: loop) if loop is not None else None) as runner:
        runner.run(whole())


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_client_connects_and_talks(host: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")

    async def scene() -> None:
        await talk(Hall(host))

    run(scene)


def test_a_loop_that_cannot_watch_sockets_reads_by_task() -> None:
    class Proactorlike(asyncio.SelectorEventLoop):
        def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:
            raise NotImplementedError

    async def scene() -> None:
        await talk(Hall())

    run(scene, Proactorlike())


def test_uvloop_works_too() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def scene() -> None:
        await talk(Hall())

    run(scene, uvloop.new_event_loop())


def test_a_bad_network_on_real_sockets() -> None:
    async def scene() -> None:
        hall = Hall(conditions=Conditions(latency=0.01, jitter=0.01, loss=0.2, duplicate=0.2, corrupt=0.1))
        client, events, udp = hall.join()
        await until(lambda: client.connected)
        for number in range(20):
            client.send(Say(str(number)))
            udp.flush()
        await until(lambda: kinds(hall.events).count(Received) == 20)
        said: list[Any] = [event for event in hall.events if kinds([event]) == [Received]]
        assert said == [Received(1, Say(str(number))) for number in range(20)]
        assert kinds(events) == [SocketOpened, Connected]
        hall.close()

    run(scene)


def test_a_port_in_use_is_named() -> None:
    async def scene() -> None:
        hall = Hall()
        other = Udp(hall.server, hall.events.append, local=[hall.address])
        with pytest.raises(OSError, match=f"cannot open UDP {hall.address}"):
            other.open()
        hall.close()

    run(scene)


def test_of_two_addresses_none_stays_open_if_one_cannot_be_had() -> None:
    async def scene() -> None:
        hall = Hall()
        events: list[Any] = []
        other = Udp(hall.server, events.append, local=[Address("127.0.0.1", 0), hall.address])
        with pytest.raises(OSError, match="cannot open"):
            other.open()
        assert kinds(events) == [SocketOpened, SocketClosed]
        assert not other.addresses
        hall.close()

    run(scene)


def test_nobody_there_is_a_refusal() -> None:
    async def scene() -> None:
        hall = Hall()
        hall.udp.close()
        _, events, _ = hall.join()
        await until(lambda: events and isinstance(events[-1], Refused))
        hall.close()

    run(scene)


def test_a_busy_socket_is_not_watched_and_an_idle_one_is_again() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        watched: list[bool] = []
        add, remove = loop.add_reader, loop.remove_reader
        hall = Hall()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            loop.remove_reader = lambda fd: (watched.append(False), remove(fd))[1]  # pyright: ignore
            loop.add_reader = lambda fd, call, *rest: (watched.append(True), add(fd, call, *rest))[1]  # pyright: ignore
            for _ in range(2000):
                stranger.sendto(b"\x15" + bytes(30), hall.address)
                await asyncio.sleep(0)
            assert False in watched
            await until(lambda: sum(hall.server.ignored.values()) == 2000 and watched[-1])
        client, _, _ = hall.join()
        await until(lambda: client.connected)
        hall.close()

    run(scene)


def test_noise_does_not_stop_the_socket() -> None:
    async def scene() -> None:
        hall = Hall()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for size in range(300):
                stranger.sendto(os.urandom(size * 5), hall.address)
        client, _, _ = hall.join()
        await until(lambda: client.connected)
        hall.close()
        hall.close()

    run(scene)


def test_a_client_that_never_flushes_answers_and_acks_all_the_same() -> None:
    async def scene() -> None:
        hall = Hall()
        client, events, udp = hall.join()
        await until(lambda: client.connected)
        for number in range(5):
            hall.server.send(1, Say(str(number)))
            hall.udp.flush()
            await until(lambda number=number: kinds(events).count(Received) == number + 1)
            client.send(Say(f"heard {number}"))  # goes out with what is due anyway
        await until(lambda: kinds(hall.events).count(Received) == 5)
        await until(lambda: hall.server.peers[1].delivery.backlog == client.delivery.backlog == 0)
        assert udp.unsent == 0
        hall.close()

    run(scene)


@pytest.mark.parametrize("conditions", [None, Conditions(latency=0.005)])
def test_what_a_client_says_as_it_hears_something_goes_out_by_itself(conditions: Conditions | None) -> None:
    async def scene() -> None:
        hall = Hall()
        client, events, _ = hall.join(answer="yes", conditions=conditions)
        await until(lambda: client.connected)
        for number in range(5):
            hall.server.send(1, Say("there?"))
            hall.udp.flush()
            await until(lambda number=number: kinds(hall.events).count(Received) == number + 1)
        assert kinds(events) == [SocketOpened, Connected, *[Received] * 5]
        hall.close()

    run(scene)
