"""Feed every parser of the wire with hostile input, and check that nothing but its one error comes out.

    python tools/fuzz_wire.py                        # 300,000 inputs for each parser
    python tools/fuzz_wire.py --inputs 5000 --only delivery --seed 7

A third of the inputs is noise; the rest is what our own writers make, as it is or cut, flipped, spliced and repeated. A
failure prints the parser, the seed and the input, and the exit status is 1. Memory is what Python had allocated at the
peak, above what it had before.
"""

from __future__ import annotations

import argparse
import enum
import io
import itertools
import logging
import random
import struct
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.net.connection.acks import read_header, write_header
from engine.net.connection.address import Address, pack_address, unpack_address
from engine.net.connection.channels import FIRST, LAST, Ordered, Unordered
from engine.net.connection.delivery import Delivery, Limits
from engine.net.connection.dissect import Dissector
from engine.net.connection.fragments import Assembly, split
from engine.net.connection.invite import Invite
from engine.net.connection.netcode_client import NetcodeClient
from engine.net.connection.netcode_server import NetcodeServer
from engine.net.connection.packet import Opener, PacketType, Sealer, request_packet
from engine.net.connection.token import ConnectToken, PrivateToken, issue_token, open_private, seal_private
from engine.net.transport.capture import CaptureError, read_capture
from engine.net.wire import (
    Channel,
    Float32,
    Float64,
    Int64,
    MaxBytes,
    MaxItems,
    Protocol,
    ProtocolError,
    Quantized,
    Range,
    Uint8,
)

MEMORY_LIMIT = 8 << 20
"""Bytes a parser may hold at any time: over what one peer can make it keep, under what a leak would reach."""
KEY = bytes(range(32))
HERE = Address("192.0.2.1", 7777)
THERE = Address("198.51.100.2", 50000)


class Team(enum.Enum):
    RED = 1
    BLUE = 2
    GREEN = 3


@dataclass(slots=True)
class Point:
    x: Annotated[float, Quantized(-64.0, 64.0, 1 / 32)]
    y: Float32


@dataclass(slots=True)
class State:
    team: Team
    exact: Float64
    number: Int64
    few: Annotated[int, Range(-3, 9)]
    name: Annotated[str, MaxBytes(60)]
    path: Annotated[list[Point], MaxItems(100)]
    target: Point | None
    pair: tuple[Uint8, bool]


@dataclass(slots=True)
class Letter:
    content: Annotated[bytes, MaxBytes(60_000)]


@dataclass(slots=True)
class Parcel:
    content: Annotated[bytes, MaxBytes(60_000)]


PROTOCOL = (
    Protocol("fuzz")
    .message(State)
    .message(Point, Channel.UNRELIABLE_SEQUENCED)
    .message(Letter, Channel.RELIABLE_ORDERED)
    .message(Parcel, Channel.RELIABLE_UNORDERED)
)

Parse = Callable[[bytes], object]
Write = Callable[[random.Random], bytes]


def state(rng: random.Random) -> State:
    points = [Point(rng.randrange(-64, 64), rng.randrange(9)) for _ in range(rng.randrange(6))]
    target = points[0] if points else None
    name = "é" * rng.randrange(30)
    few = rng.randrange(-3, 10)
    return State(rng.choice(list(Team)), rng.random(), rng.getrandbits(60), few, name, points, target, (3, True))


def message(rng: random.Random) -> object:
    content = rng.randbytes(rng.choice([0, 5, 300, 4000]))
    return rng.choice([state(rng), Point(1.0, 2.0), Letter(content), Parcel(content)])


# -- the parsers: each gives something to call with any bytes, and a writer of good ones ------------------------------


def messages(rng: random.Random) -> tuple[Parse, Write]:
    return PROTOCOL.decode, lambda rng: PROTOCOL.encode(message(rng))


def addresses(rng: random.Random) -> tuple[Parse, Write]:
    return lambda packed: unpack_address(packed, 0), lambda rng: pack_address(rng.choice([HERE, Address("::1", 5)]))


def public_tokens(rng: random.Random) -> tuple[Parse, Write]:
    return ConnectToken.decode, lambda rng: token(rng).encode()


def token(rng: random.Random, server: Address = HERE, now: float = 0.0) -> ConnectToken:
    return issue_token(
        protocol_id=PROTOCOL.id, private_key=KEY, client_id=rng.getrandbits(64), servers=[server], now=now
    )


def private_tokens(rng: random.Random) -> tuple[Parse, Write]:
    """What a maker of tokens that has the key, but is wrong, could seal: so the inside is parsed, too."""
    keys = PrivateToken(1, 5, (HERE,), KEY, KEY, bytes(256))
    empty = seal_private(keys, 1, 9, bytes(24), KEY)

    def parse(plain: bytes) -> object:
        sealed = xchacha_encrypt(plain[:1008].ljust(1008, b"\0"))
        assert len(sealed) == len(empty)
        return open_private(sealed, 1, 9, bytes(24), KEY)

    def write(rng: random.Random) -> bytes:
        count = rng.choice([1, 1, 2, 32])
        servers = b"".join(pack_address(rng.choice([HERE, Address("::1", 5)])) for _ in range(count))
        return bytes(8) + (5).to_bytes(4, "little") + count.to_bytes(4, "little") + servers + bytes(320)

    return parse, write


def xchacha_encrypt(plain: bytes) -> bytes:
    from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

    associated = b"NETCODE 1.02\0" + (1).to_bytes(8, "little") + (9).to_bytes(8, "little")
    return crypto_aead_xchacha20poly1305_ietf_encrypt(plain, associated, bytes(24), KEY)


def sealed_packets(rng: random.Random) -> tuple[Parse, Write]:
    sealer = Sealer(KEY, 7)
    opener = Opener(KEY, 7, frozenset(PacketType))
    numbers = itertools.count()

    def write(rng: random.Random) -> bytes:
        number = rng.choice([next(numbers), rng.getrandbits(64)])
        return sealer.seal(rng.randrange(16), number, rng.randbytes(rng.choice([0, 8, 308, 900])))

    return opener.open, write


def server_datagrams(rng: random.Random) -> tuple[Parse, Write]:
    """A server with one client connected and one half-open, at whose addresses everything arrives."""
    server = NetcodeServer(PROTOCOL.id, KEY, [HERE], 0.0, epoch=0.0)
    client = NetcodeClient(token(rng), 0.0)
    half_open = token(rng)
    other = Address("198.51.100.3", 1)
    now = 0.0
    for now in (0.0, 0.1, 0.2):
        for datagram, _ in client.datagrams_to_send(now):
            server.receive_datagram(datagram, THERE, now)
        server.receive_datagram(request_packet(half_open), other, now)
        for datagram, to in server.datagrams_to_send(now):
            if to == THERE:
                client.receive_datagram(datagram, HERE, now)
    sealers = [Sealer(client.token.client_to_server, PROTOCOL.id), Sealer(half_open.client_to_server, PROTOCOL.id)]
    numbers = itertools.count(100)

    def parse(datagram: bytes) -> object:
        nonlocal now
        now += 0.001
        server.receive_datagram(datagram, (THERE, other)[len(datagram) & 1], now)
        server.events.clear()
        return server.datagrams_to_send(now)

    def write(rng: random.Random) -> bytes:
        if rng.random() < 0.3:
            return request_packet(token(rng, rng.choice([HERE, THERE]), now))
        kind = rng.choice([1, 2, 3, 4, 5, 5, 5])
        size = {1: 0, 2: 308, 3: 308, 4: 8}.get(kind, 200)
        return rng.choice(sealers).seal(kind, next(numbers), rng.randbytes(size))

    return parse, write


def client_datagrams(rng: random.Random) -> tuple[Parse, Write]:
    client = NetcodeClient(token(rng), 0.0)
    sealer = Sealer(client.token.server_to_client, PROTOCOL.id)
    numbers = itertools.count()

    def parse(datagram: bytes) -> object:
        client.receive_datagram(datagram, HERE, 0.5)
        client.payloads.clear()
        return client.datagrams_to_send(0.5)

    def write(rng: random.Random) -> bytes:
        kind = rng.choice([2, 3, 4, 5])
        return sealer.seal(kind, next(numbers), rng.randbytes({2: 308, 3: 308, 4: 8}.get(kind, 200)))

    return parse, write


def ack_headers(rng: random.Random) -> tuple[Parse, Write]:
    def write(rng: random.Random) -> bytes:
        return write_header(rng.getrandbits(16), rng.getrandbits(16), rng.choice([rng.getrandbits(32), 0xFFFFFFFF]))

    return read_header, write


def fragments(rng: random.Random) -> tuple[Parse, Write]:
    assembly = Assembly()
    numbers = itertools.count()

    def write(rng: random.Random) -> bytes:
        number = rng.randrange(next(numbers) // 20 + 1)
        return rng.choice(split(number, write_header(number, 0, 0), bytes(rng.randrange(30_000))))

    def parse(fragment: bytes) -> object:
        return assembly.add(fragment, int.from_bytes(fragment[1:3], "little"))

    return parse, write


def channel_parts(rng: random.Random) -> tuple[Parse, Write]:
    """Each input is the life of a channel: part after part, of 3 bytes and 100 times the third."""

    def parse(encoded: bytes) -> object:
        for incoming in (Ordered(), Unordered()):
            for at in range(0, len(encoded) - 3, 3):
                number = int.from_bytes(encoded[at : at + 2], "little")
                incoming.receive(number, encoded[at + 2] & (FIRST | LAST), bytes(100 * (encoded[at + 2] >> 4)))
        return None

    def write(rng: random.Random) -> bytes:
        numbers = list(range(rng.randrange(60)))
        rng.shuffle(numbers)
        return b"".join(number.to_bytes(2, "little") + bytes([rng.getrandbits(8)]) for number in numbers)

    return parse, write


def delivery(rng: random.Random) -> tuple[Parse, Write]:
    """Both ends of a conversation; the parser is the end that gets the inputs, and starts anew where it refuses one."""
    generous = Limits(start=1e9, ceiling=1e9)
    ends = [Delivery(PROTOCOL, 0.0, generous), Delivery(PROTOCOL, 0.0, generous)]
    clock = itertools.count()
    ready: list[bytes] = []

    def parse(payload: bytes) -> object:
        now = next(clock) / 100
        try:
            received = ends[1].receive(payload, now)
            if len(payload) & 1:
                ends[1].send(Point(1.0, 2.0))
            for answer in ends[1].payloads_to_send(now):
                ends[0].receive(answer, now)
            return received
        except ProtocolError:
            ends[:] = [Delivery(PROTOCOL, now, generous), Delivery(PROTOCOL, now, generous)]
            ready.clear()
            raise

    def write(rng: random.Random) -> bytes:
        while not ready:
            if ends[0].backlog < 50_000:
                ends[0].send(message(rng))
            ready.extend(ends[0].payloads_to_send(next(clock) / 100))
        return ready.pop(0)

    return parse, write


def invites(rng: random.Random) -> tuple[Parse, Write]:
    def parse(encoded: bytes) -> object:
        try:
            return Invite.parse(encoded.decode(errors="replace"))
        except ValueError as refusal:
            raise ProtocolError(str(refusal)) from None

    return parse, lambda rng: str(Invite("203.0.113.9", 7777, rng.randbytes(32))).encode()


def captures(rng: random.Random) -> tuple[Parse, Write]:
    head = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)

    def parse(encoded: bytes) -> object:
        try:
            return list(read_capture(io.BytesIO(encoded)))
        except CaptureError as refusal:
            raise ProtocolError(str(refusal)) from None

    def write(rng: random.Random) -> bytes:
        udp = struct.pack("!HHHH", 1, 2, 8 + 20, 0) + rng.randbytes(20)
        packet = (
            struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\2") + udp
        )
        return head + (struct.pack("<IIII", 5, 6, len(packet), len(packet)) + packet) * rng.randrange(4)

    return parse, write


def dissected(rng: random.Random) -> tuple[Parse, Write]:
    """What a dissector with the server's key makes of datagrams of a connection; it has words for all of them."""
    given = token(rng)
    dissector = Dissector(private_key=KEY, protocol=PROTOCOL)
    dissector.lines(request_packet(given), THERE, HERE)
    sealer = Sealer(given.client_to_server, PROTOCOL.id)
    end = Delivery(PROTOCOL, 0.0, Limits(start=1e9, ceiling=1e9))
    numbers = itertools.count()

    def write(rng: random.Random) -> bytes:
        if rng.random() < 0.1:
            return request_packet(token(rng))
        end.send(state(rng))
        payloads = end.payloads_to_send(next(numbers) / 10) or [rng.randbytes(30)]
        return sealer.seal(5, next(numbers), mutate(payloads[0], rng) or b"x")

    def parse(datagram: bytes) -> object:
        lines = dissector.lines(datagram, THERE, HERE)
        if lines[0].startswith("no packet"):
            raise ProtocolError(lines[0])
        return lines

    return parse, write


PARSERS: dict[str, Callable[[random.Random], tuple[Parse, Write]]] = {
    parser.__name__: parser
    for parser in (
        messages,
        addresses,
        public_tokens,
        private_tokens,
        sealed_packets,
        server_datagrams,
        client_datagrams,
        ack_headers,
        fragments,
        channel_parts,
        delivery,
        invites,
        captures,
        dissected,
    )
}


def mutate(good: bytes, rng: random.Random) -> bytes:
    """A good input made bad, in one of the usual ways; one time in five it stays good."""
    way = rng.randrange(5)
    if not good or way == 0:
        return good
    at = rng.randrange(len(good))
    if way == 1:
        return good[:at]
    if way == 2:
        return good[:at] + rng.randbytes(rng.randrange(1, 9)) + good[at:]
    if way == 3:
        return good[:at] + good[at : at + 20] * rng.randrange(1, 4) + good[rng.randrange(len(good)) :]
    flipped = bytearray(good)
    for _ in range(rng.choice([1, 1, 2, 8])):
        flipped[rng.randrange(len(flipped))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(flipped)


@dataclass(slots=True)
class Result:
    """What came of one parser: inputs taken and refused, the peak of memory in bytes, and what went wrong."""

    taken: int = 0
    refused: int = 0
    peak: int = 0
    failure: str | None = None


def fuzz(name: str, inputs: int, seed: int) -> Result:
    """Feed one parser."""
    rng = random.Random(f"{name} {seed}")
    result = Result()
    parse, write = PARSERS[name](rng)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for count in range(inputs):
        fed = rng.randbytes(rng.choice([0, 1, 5, 30, 400])) if count % 3 == 0 else mutate(write(rng), rng)
        try:
            parse(fed)
            result.taken += 1
        except ProtocolError:
            result.refused += 1
        except Exception as error:
            result.failure = f"input {count} of seed {seed} raised {error!r}: {fed.hex()}"
            break
    result.peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    if result.peak > MEMORY_LIMIT and result.failure is None:
        result.failure = f"{result.peak} bytes at the peak, over {MEMORY_LIMIT}, with seed {seed}"
    return result


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=300_000, help="for each parser (default: 300000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(PARSERS), help="this parser alone")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    failed = False
    print(f"{'parser':18}{'taken':>10}{'refused':>10}{'peak MB':>10}{'seconds':>10}")
    for name in [arguments.only] if arguments.only else PARSERS:
        began = time.perf_counter()
        result = fuzz(name, arguments.inputs, arguments.seed)
        seconds = time.perf_counter() - began
        print(f"{name:18}{result.taken:10}{result.refused:10}{result.peak / 1e6:10.2f}{seconds:10.1f}", flush=True)
        if result.failure is not None:
            failed = True
            print(f"    FAILED: {result.failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
