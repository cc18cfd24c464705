"""The wire: one packet sealed and opened, 200 connections over loopback UDP, a megabyte over a bad link, idle peers."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import socket
import sys
import time
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.packet import Opener, PacketType, Sealer
from engine.net.connection.server import Server
from engine.net.connection.token import issue_token
from engine.net.transport.conditioner import Conditions
from engine.net.transport.udp import Udp
from engine.net.wire import Channel, MaxBytes, Protocol
from engine.testing.network import VirtualNetwork
from tools.bench.figure import Figure, rival

CALLS = 10_000
KEY = bytes(range(32))
PEERS = 200
SECONDS = 3.0
IN_RATE, IN_BYTES = 30, 32
OUT_RATE, OUT_BYTES = 20, 700
TICK_RATE = 60
SLICES = 20
TO_SERVER = 8  # bytes of bookkeeping and message head that a bare datagram does without, about


@dataclass(slots=True)
class Command:
    content: Annotated[bytes, MaxBytes(100)]


@dataclass(slots=True)
class Snapshot:
    content: Annotated[bytes, MaxBytes(1000)]


@dataclass(slots=True)
class Parcel:
    content: Annotated[bytes, MaxBytes(1_000_000)]


PROTOCOL = (
    Protocol("bench")
    .message(Command, Channel.UNRELIABLE_SEQUENCED)
    .message(Snapshot, Channel.UNRELIABLE_SEQUENCED)
    .message(Parcel, Channel.RELIABLE_ORDERED)
)


def wire_packet() -> Iterator[Figure]:
    """Seal a 200 B packet and open it, replay window included, against the two bare cipher calls."""
    cipher, nonce, content = ChaCha20Poly1305(KEY), bytes(12), os.urandom(200)
    associated = bytes(22)
    sealed = cipher.encrypt(nonce, content, associated)
    sealer, opener = Sealer(KEY, 7), Opener(KEY, 7, frozenset(PacketType))
    sequence = 0

    def ours() -> None:
        nonlocal sequence
        for _ in range(CALLS):
            sequence += 1
            opener.open(sealer.seal(PacketType.PAYLOAD, sequence, content))

    def bare() -> None:
        for _ in range(CALLS):
            cipher.encrypt(nonce, content, associated)
            cipher.decrypt(nonce, sealed, associated)

    best = rival({"ours": ours, "bare": bare})
    yield Figure("wire-packet", best["ours"] / CALLS * 1e6, "µs", "bare cipher", best["bare"] / CALLS * 1e6, "<= 4.0")


def wire_reliable() -> Iterator[Figure]:
    """1 MB over the ordered channel at 100 ms and 5% loss, in virtual time, against the link's rate limit."""
    limit = 200_000.0
    conditions = Conditions(latency=0.05, loss=0.05, rate=limit)
    with VirtualNetwork(PROTOCOL, seed=1, conditions=conditions) as network:
        client = network.join()
        network.run(1.0)
        client.client.send(Parcel(bytes(1_000_000)))
        began = network.now
        while not network.received(Parcel):
            network.run(0.1)
        rate = 1e6 / (network.now - began)
    yield Figure("wire-reliable", rate / 1000, "kB/s", "rate limit", limit / 1000, ">= 0.7")


def wire_idle() -> Iterator[Figure]:
    """Memory a server keeps for an idle connection."""
    tracemalloc.start()
    network = VirtualNetwork(PROTOCOL, seed=1, max_clients=PEERS)
    for _ in range(PEERS):
        network.join()
    network.run(30.0)
    server = network.server
    assert len(server.peers) == PEERS
    del network
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    del server
    gc.collect()
    kept = before - tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    yield Figure("wire-idle", kept / 1000 / PEERS, "kB")


# -- 200 connections over real sockets --------------------------------------------------------------------------------
#
# Both servers see the same: each of 200 clients, at a phase of its own, sends 30 datagrams a second of the same length;
# each is sent 20 a second. Both seal and open under two keys a client, with the packet's number as nonce and the same
# associated data, and both drain their socket under `add_reader` on the same loop.


def wire_echo() -> Iterator[Figure]:
    """200 clients, 30 Hz in, 20 Hz × 700 B out: CPU of the server against bare sockets and cipher in the same loop."""
    runs = [(_measure(_bare_clients, _bare_server), _measure(_clients, _server)) for _ in range(3)]
    bare, ours = min(run[0].share for run in runs), min(run[1].share for run in runs)
    yield Figure("wire-echo", ours * 100, "% of a core", "bare sockets", bare * 100, "<= 1.6")
    yield Figure("wire-echo-late-p99", min(run[1].late for run in runs) * 1000, "ms")


def bare_share() -> float:
    """The share of a core that bare sockets and cipher take here and now for the packets of `wire_echo`."""
    return _measure(_bare_clients, _bare_server).share


@dataclass(frozen=True, slots=True)
class Share:
    share: float
    """Of a core."""
    late: float
    """Seconds that the 99th of 100 ticks began late."""


def _measure(clients: Callable[[Address], None], server: Callable[[Address], Coroutine[Any, Any, Share]]) -> Share:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", probe.getsockname()[1])
    process = multiprocessing.get_context("spawn").Process(target=clients, args=(address,), daemon=True)
    process.start()
    try:
        return asyncio.run(server(address))
    finally:
        process.terminate()
        process.join()


async def _ticks(tick: Callable[[int], None], received: Callable[[], int]) -> Share:
    """Tick for a while, and see that all that was to arrive did."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(1.0)
    late: list[float] = []
    gc.collect()
    before = received()
    used, began = time.process_time(), loop.time()
    for number in range(int(SECONDS * TICK_RATE)):
        tick(number)
        due = began + (number + 1) / TICK_RATE
        await asyncio.sleep(max(0.0, due - loop.time()))
        late.append(loop.time() - due)
    elapsed = loop.time() - began
    share = (time.process_time() - used) / elapsed
    rate = (received() - before) / elapsed
    if not 0.9 < rate / (PEERS * IN_RATE) < 1.1:
        print(f"wire-echo: {rate:.0f} datagrams a second arrived, not {PEERS * IN_RATE}", file=sys.stderr)
    return Share(share, sorted(late)[int(len(late) * 0.99)])


def _phases(send: Callable[[int], None]) -> Iterator[float]:
    """Let every client send in its turn, `SLICES` times in an interval; gives when to go on."""
    due = time.monotonic()
    while True:
        for first in range(SLICES):
            for number in range(first, PEERS, SLICES):
                send(number)
            due += 1 / IN_RATE / SLICES
            yield due


async def _server(address: Address) -> Share:
    loop = asyncio.get_running_loop()
    server = Server(PROTOCOL, KEY, [address], loop.time(), epoch=time.time() - loop.time(), max_clients=PEERS)
    commands = 0

    def count(event: object) -> None:
        nonlocal commands
        commands += 1

    udp = Udp(server, count, local=[address])
    udp.open()
    while len(server.peers) < PEERS:
        await asyncio.sleep(0.02)
    snapshot = Snapshot(bytes(OUT_BYTES - 20))

    def tick(number: int) -> None:
        if number % (TICK_RATE // OUT_RATE) == 0:
            server.broadcast(snapshot)
        udp.flush()

    result = await _ticks(tick, lambda: commands)
    udp.close()
    return result


def _clients(address: Address) -> None:
    async def whole() -> None:
        loop = asyncio.get_running_loop()
        clients: list[tuple[Client, Udp]] = []
        for number in range(PEERS):
            token = issue_token(
                protocol_id=PROTOCOL.id, private_key=KEY, client_id=number, servers=[address], now=time.time()
            )
            client = Client(PROTOCOL, token, loop.time())
            clients.append((client, Udp(client, lambda event: None)))

        def send(number: int) -> None:
            client, udp = clients[number]
            client.send(Command(bytes(IN_BYTES)))
            udp.flush()

        for due in _phases(send):
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    asyncio.run(whole())


class _Bare:
    """One direction to or from one client: a cipher, its nonces and its associated data."""

    __slots__ = ("associated", "cipher", "sequence")

    def __init__(self, number: int, direction: int) -> None:
        self.cipher = ChaCha20Poly1305(number.to_bytes(31, "little") + bytes([direction]))
        self.associated = bytes(22)
        self.sequence = 1000

    def seal(self, content: bytes) -> bytes:
        self.sequence += 1
        number = self.sequence.to_bytes(8, "little")
        return b"\x25" + number[:2] + self.cipher.encrypt(b"\0\0\0\0" + number, content, self.associated)

    def open(self, datagram: bytes) -> bytes:
        nonce = b"\0\0\0\0" + datagram[1:3] + b"\0\0\0\0\0\0"
        return self.cipher.decrypt(nonce, datagram[3:], self.associated)


async def _bare_server(address: Address) -> Share:
    loop = asyncio.get_running_loop()
    content = bytes(OUT_BYTES)
    peers: dict[Any, tuple[_Bare, _Bare]] = {}
    arrived = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        opened.bind(address)

        def drain() -> None:
            nonlocal arrived
            for _ in range(256):
                try:
                    datagram, source = opened.recvfrom(2048)
                except BlockingIOError:
                    return
                peer = peers.get(source)
                if peer is None:  # the first is in the open, and says who it is
                    number = int.from_bytes(datagram[:2], "little")
                    peers[source] = (_Bare(number, 0), _Bare(number, 1))
                    continue
                peer[0].open(datagram)
                arrived += 1

        def tick(number: int) -> None:
            if number % (TICK_RATE // OUT_RATE) == 0:
                for address, peer in peers.items():
                    opened.sendto(peer[1].seal(content), address)

        loop.add_reader(opened, drain)
        while len(peers) < PEERS:
            await asyncio.sleep(0.02)
        return await _ticks(tick, lambda: arrived)


def _bare_clients(address: Address) -> None:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(PEERS)]
    sealers = [_Bare(number, 0) for number in range(PEERS)]
    time.sleep(0.5)  # until the server listens: the first datagram counts
    for number, opened in enumerate(sockets):
        opened.connect(address)
        opened.setblocking(False)
        opened.send(number.to_bytes(2, "little"))

    def send(number: int) -> None:
        opened = sockets[number]
        opened.send(sealers[number].seal(bytes(IN_BYTES + TO_SERVER)))
        try:
            while True:
                opened.recv(2048)
        except OSError:
            pass

    for due in _phases(send):
        time.sleep(max(0.0, due - time.monotonic()))
