"""The wire: one packet sealed and opened, 200 connections over loopback UDP, a megabyte over a bad link, idle peers."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
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
SECONDS = 4.0
IN_RATE, IN_BYTES = 30, 32
OUT_RATE, OUT_BYTES = 20, 700
TICK_RATE = 60
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


def wire_echo() -> Iterator[Figure]:
    """200 clients, 30 Hz in, 20 Hz × 700 B out: CPU of the server against bare sockets and cipher in the same loop."""
    bare, _ = _measure(_bare_clients, _bare_server)
    ours, late = _measure(_clients, _server)
    yield Figure("wire-echo", ours * 100, "% of a core", "bare sockets", bare * 100, "<= 1.6")
    yield Figure("wire-echo-late-p99", late * 1000, "ms")


def _measure(clients: Callable[[Address], None], server: Callable[[Address], Any]) -> tuple[float, float]:
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


async def _ticks(tick: Callable[[int], None]) -> tuple[float, float]:
    """Tick for a while; the share of a core it took, and the lateness of the 99th of 100 ticks."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(1.0)
    late: list[float] = []
    used, began = time.process_time(), loop.time()
    for number in range(int(SECONDS * TICK_RATE)):
        tick(number)
        due = began + (number + 1) / TICK_RATE
        await asyncio.sleep(max(0.0, due - loop.time()))
        late.append(loop.time() - due)
    share = (time.process_time() - used) / (loop.time() - began)
    return share, sorted(late)[int(len(late) * 0.99)]


async def _server(address: Address) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    server = Server(PROTOCOL, KEY, [address], loop.time(), epoch=time.time() - loop.time(), max_clients=PEERS)
    udp = Udp(server, lambda event: None, local=[address])
    udp.open()
    while len(server.peers) < PEERS:
        await asyncio.sleep(0.02)
    snapshot = Snapshot(bytes(OUT_BYTES - 20))

    def tick(number: int) -> None:
        if number % (TICK_RATE // OUT_RATE) == 0:
            server.broadcast(snapshot)
        udp.flush()

    result = await _ticks(tick)
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
        due = loop.time()
        while True:
            for client, udp in clients:
                client.send(Command(bytes(IN_BYTES)))
                udp.flush()
            due += 1 / IN_RATE
            await asyncio.sleep(max(0.0, due - loop.time()))

    asyncio.run(whole())


async def _bare_server(address: Address) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    cipher, nonce, content = ChaCha20Poly1305(KEY), bytes(12), bytes(OUT_BYTES)
    peers: dict[Any, bool] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        opened.bind(address)

        def drain() -> None:
            for _ in range(256):
                try:
                    datagram, source = opened.recvfrom(2048)
                except BlockingIOError:
                    return
                cipher.decrypt(nonce, datagram, None)
                peers[source] = True

        def tick(number: int) -> None:
            if number % (TICK_RATE // OUT_RATE) == 0:
                for peer in peers:
                    opened.sendto(cipher.encrypt(nonce, content, None), peer)

        loop.add_reader(opened, drain)
        while len(peers) < PEERS:
            await asyncio.sleep(0.02)
        return await _ticks(tick)


def _bare_clients(address: Address) -> None:
    datagram = ChaCha20Poly1305(KEY).encrypt(bytes(12), bytes(IN_BYTES + TO_SERVER), None)
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(PEERS)]
    due = time.monotonic()
    while True:
        for opened in sockets:
            opened.setblocking(False)
            opened.sendto(datagram, address)
            try:
                while True:
                    opened.recv(2048)
            except OSError:
                pass
        due += 1 / IN_RATE
        time.sleep(max(0.0, due - time.monotonic()))
