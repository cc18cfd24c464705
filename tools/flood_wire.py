"""Flood a server with connection requests from many loopback addresses, while a player joins.

    python tools/flood_wire.py                         # 100,000 requests from 2,000 addresses, 40,000 a second
    python tools/flood_wire.py --requests 20000 --addresses 200 --seed 7

The server is a process of its own, on a real socket. The requests are noise, and requests with tokens of another key,
for another server, another protocol, and expired ones. In the midst of it a player with a good token joins and says
something. `--rate 0` sends as fast as this machine can, which leaves most of the work to the system: it drops what its
buffer does not hold. Linux gives every process all of 127.0.0.0/8; elsewhere, where an address cannot be had, another
port of 127.0.0.1 stands in for it.

Prints figures; the exit status is 1 if the player took too long, or the server kept anything for the strangers.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import random
import socket
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.events import Received
from engine.net.connection.packet import request_packet
from engine.net.connection.server import Server
from engine.net.connection.token import issue_token
from engine.net.transport.udp import Udp
from engine.net.wire import Channel, MaxBytes, Protocol

MOST_SECONDS = 120.0
KEY = bytes(range(32))


@dataclass(slots=True)
class Say:
    text: Annotated[str, MaxBytes(100)]


PROTOCOL = Protocol("flood").message(Say, Channel.RELIABLE_ORDERED)


@dataclass(frozen=True, slots=True)
class Result:
    """What a flood did."""

    requests: int
    addresses: int
    seconds: float
    taken_in: int
    """Requests that got as far as the server; the others found its buffer full."""
    joined_after: float
    """Seconds from the player's first request until the server heard it speak."""
    half_open: int
    log_lines: int

    def failure(self, within: float) -> str | None:
        """What is wrong, or None; the player may take `within` seconds."""
        if self.joined_after > within:
            return f"the player took {self.joined_after:.2f} s to join, over {within}"
        if self.half_open:
            return f"{self.half_open} half-open connections are kept for strangers"
        if self.log_lines > 20:
            return f"{self.log_lines} lines were logged"
        return None


def flood(requests: int, addresses: int, seed: int = 1, rate: float = 0.0) -> Result:
    """Start a server, send `requests` to it, let a player join in the midst, and ask the server what it kept."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    theirs.close()  # so that a server that fails is noticed
    try:
        port: int = ours.recv()
        return asyncio.run(_flood(ours, Address("127.0.0.1", port), requests, addresses, random.Random(seed), rate))
    finally:
        server.terminate()
        server.join()


def _serve(pipe: Connection) -> None:
    logged = 0

    class Count(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            nonlocal logged
            logged += 1

    logging.getLogger("engine").addHandler(Count())
    logging.getLogger("engine").setLevel(logging.INFO)

    async def whole() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            here = Address("127.0.0.1", probe.getsockname()[1])
        server = Server(PROTOCOL, KEY, [here], loop.time(), epoch=time.time() - loop.time(), max_clients=8)
        heard = 0.0

        def sink(event: object) -> None:
            nonlocal heard
            if isinstance(event, Received) and not heard:
                heard = time.time()

        udp = Udp(server, sink, local=[here])
        udp.open()
        pipe.send(here.port)
        while not pipe.poll():
            await asyncio.sleep(1 / 60)
            udp.flush()
        pipe.send((sum(server.ignored.values()), heard, server.netcode.half_open, logged))

    asyncio.run(whole())


def _sockets(count: int) -> list[socket.socket]:
    """Bound to as many loopback addresses as there are to be had."""
    opened: list[socket.socket] = []
    for number in range(count):
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stranger.setblocking(False)
        try:
            stranger.bind((f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}", 0))
        except OSError:
            stranger.bind(("127.0.0.1", 0))
        opened.append(stranger)
    return opened


def _requests(server: Address, rng: random.Random) -> list[bytes]:
    """What strangers send: all of the right length, so that the server has to look."""
    now = time.time()

    def token(**changes: object) -> bytes:
        given = {"protocol_id": PROTOCOL.id, "private_key": KEY, "client_id": rng.getrandbits(64), "servers": [server]}
        return request_packet(issue_token(**{**given, "now": now, **changes}))  # pyright: ignore[reportArgumentType]

    kinds = [token(private_key=bytes(32)) for _ in range(20)]
    kinds += [token(servers=[Address("192.0.2.7", 1)]), token(now=now - 1000), token(protocol_id=1)]
    kinds += [b"\0" + rng.randbytes(1077), rng.randbytes(900)]
    return kinds


async def _flood(
    pipe: Connection, server: Address, requests: int, addresses: int, rng: random.Random, rate: float
) -> Result:
    loop = asyncio.get_running_loop()
    strangers = _sockets(addresses)
    kinds = _requests(server, rng)
    began = loop.time()
    client: Client | None = None
    udp: Udp | None = None
    joined_from = 0.0
    sent = 0
    while sent < requests and loop.time() < began + MOST_SECONDS:
        for _ in range(50):
            sent += 1
            try:
                strangers[sent % addresses].sendto(kinds[rng.randrange(len(kinds))], server)
            except OSError:
                continue  # our own buffer is full: what is sent is as fast as it goes
        if client is None and sent >= requests // 4:
            joined_from = time.time()
            token = issue_token(
                protocol_id=PROTOCOL.id, private_key=KEY, client_id=1, servers=[server], now=time.time(), timeout=10
            )
            client = Client(PROTOCOL, token, loop.time())
            udp = Udp(client, lambda event: None)
            udp.open()
        elif client is not None and udp is not None and client.connected and not client.delivery.packets_sent:
            client.send(Say("let me through"))
            udp.flush()
        await asyncio.sleep(max(0.0, began + sent / rate - loop.time()) if rate else 0.0)
    seconds = loop.time() - began
    assert client is not None
    assert udp is not None
    while not client.over and not client.delivery.packets_sent and loop.time() < began + MOST_SECONDS:
        if client.connected:  # the flood was over before
            client.send(Say("let me through"))
            udp.flush()
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    pipe.send("how was it?")
    taken_in, heard, half_open, logged = pipe.recv()
    for stranger in strangers:
        stranger.close()
    udp.close()
    after = heard - joined_from if heard else float("inf")
    return Result(sent, addresses, seconds, taken_in, after, half_open, logged)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--addresses", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=40_000, help="requests a second (default: 40000); 0 for most")
    parser.add_argument("--within", type=float, default=1.0, help="seconds the player may take (default: 1)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if os.name == "posix":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(arguments.addresses + 200, hard), hard))
    result = flood(arguments.requests, arguments.addresses, arguments.seed, arguments.rate)
    print(
        f"{result.requests} requests from {result.addresses} addresses in {result.seconds:.1f} s "
        f"({result.requests / result.seconds:.0f} a second), of which the server took in {result.taken_in}\n"
        f"the player joined and was heard after {result.joined_after * 1000:.0f} ms\n"
        f"kept for strangers: {result.half_open} connections; log lines: {result.log_lines}"
    )
    failure = result.failure(arguments.within)
    if failure is not None:
        print(f"FAILED: {failure}")
    return 1 if failure is not None else 0


if __name__ == "__main__":
    sys.exit(main())
