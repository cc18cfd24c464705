"""Server queries: read by a client from elsewhere, and of no use to those who forge addresses."""

import asyncio
import dataclasses
import importlib
import logging
import socket
import struct
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.address import Address
from engine.net.connection.server import Server
from engine.net.transport.conditioner import Conditions
from engine.net.transport.udp import Udp
from engine.net.wire import Protocol
from engine.server.query import MAX_DATAGRAM, Outcome, PlayerStatus, Query, Status

a2s: Any = importlib.import_module("a2s")  # has no types

INFO = b"\xff\xff\xff\xffTSource Engine Query\0"
PLAYERS = b"\xff\xff\xff\xffU"
RULES = b"\xff\xff\xff\xffV"
ASKER = ("203.0.113.5", 5000)
STATUS = Status(
    "Ana's arena",
    "Ricochet",
    "ricochet",
    map="basin",
    version="0.1.0",
    players=(PlayerStatus("Ana", 3, 61.5), PlayerStatus("Bø", -2, 0.25)),
    max_players=16,
    bots=3,
    password=True,
    port=7777,
    keywords=("deathmatch", "60hz"),
    rules={"rooms": "2", "key": "abc"},
)


def query(status: Status = STATUS, **limits: float) -> Query:
    return Query(lambda: status, entropy=lambda count: bytes(range(count)), **limits)


def challenge(asked: Query, source: tuple[str, int] = ASKER, now: float = 0.0) -> bytes:
    (reply,) = asked.answer(PLAYERS + b"\xff\xff\xff\xff", source, now)
    assert reply[:5] == b"\xff\xff\xff\xffA"
    return reply[5:]


def free_address() -> Address:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", probe.getsockname()[1])


# Read by others


def test_a_client_from_elsewhere_reads_all_of_it_on_the_port_of_the_game() -> None:
    many = dataclasses.replace(STATUS, players=tuple(PlayerStatus(f"player {n} " + "é" * 20, n) for n in range(100)))
    shown = [STATUS]

    async def scene() -> None:
        address = free_address()
        now = asyncio.get_running_loop().time()
        server = Server(Protocol("query"), bytes(32), [address], now, epoch=time.time() - now)
        udp = Udp(server, lambda event: None, local=[address], other=Query(lambda: shown[0], per_address=100).answer)
        udp.open()
        where = (address.host, address.port)
        info = await a2s.ainfo(where, timeout=5)
        assert (info.server_name, info.map_name, info.folder, info.game) == (
            "Ana's arena",
            "basin",
            "ricochet",
            "Ricochet",
        )
        assert (info.player_count, info.max_players, info.bot_count) == (5, 16, 3)
        assert (info.password_protected, info.vac_enabled, info.version) == (True, False, "0.1.0")
        assert (info.server_type, info.port, info.keywords) == ("d", 7777, "deathmatch,60hz")
        players = await a2s.aplayers(where, timeout=5)
        assert [(player.name, player.score, player.duration) for player in players] == [
            ("Ana", 3, 61.5),
            ("Bø", -2, 0.25),
        ]
        assert await a2s.arules(where, timeout=5) == {"rooms": "2", "key": "abc"}
        shown[0] = many
        players = await a2s.aplayers(where, timeout=5)
        assert [player.score for player in players] == list(range(100))
        assert players[99].name == "player 99 " + "é" * 20
        assert sum(server.ignored.values()) == 0
        udp.close()

    asyncio.run(scene())


def test_the_parts_of_a_long_answer_are_short_and_make_the_whole() -> None:
    status = dataclasses.replace(STATUS, players=tuple(PlayerStatus("x" * 300, n) for n in range(400)))
    asked = query(status)
    parts = asked.answer(PLAYERS + challenge(asked), ASKER, 0.0)
    assert max(map(len, parts)) == MAX_DATAGRAM
    heads = [struct.unpack("<4sIBBH", part[:12]) for part in parts]
    assert {head[:2] for head in heads} == {(b"\xfe\xff\xff\xff", heads[0][1])}
    assert [head[2:4] for head in heads] == [(len(parts), number) for number in range(len(parts))]
    whole = b"".join(part[12:] for part in parts)
    assert whole[:6] == b"\xff\xff\xff\xffD" + bytes([255])
    assert len(whole) == 6 + 255 * (1 + 128 + 1 + 8)


# Of no use to forgers


def test_nothing_is_told_to_an_address_that_did_not_prove_to_be_one() -> None:
    asked = query()
    for request in (INFO, INFO + bytes(4), PLAYERS + bytes(4), RULES + b"\xff\xff\xff\xff"):
        (reply,) = asked.answer(request, ASKER, 0.0)
        assert reply[:5] == b"\xff\xff\xff\xffA"
        assert len(reply) <= len(request)
    given = challenge(asked, ("203.0.113.6", 5000))
    assert asked.answer(PLAYERS + given, ASKER, 0.0)[0][4:5] == b"A"
    assert asked.answer(PLAYERS + given, ("203.0.113.6", 5001), 0.0)[0][4:5] == b"A"
    assert asked.answer(PLAYERS + given, ("203.0.113.6", 5000), 0.0)[0][4:5] == b"D"


def test_a_challenge_is_good_for_a_while_and_no_longer() -> None:
    asked = query()
    given = challenge(asked, now=29.0)
    assert asked.answer(INFO + given, ASKER, 58.0)[0][4:5] == b"I"
    assert asked.answer(INFO + given, ASKER, 61.0)[0][4:5] == b"A"


def test_an_address_gets_so_many_answers_and_others_get_theirs() -> None:
    asked = query(per_address=2.0)
    sent = sum(len(asked.answer(INFO, ASKER, now / 1000)) for now in range(10_000))
    assert 2 * 10 <= sent <= 2 * 10 + 4
    assert asked.counts[Outcome.LIMITED] == 10_000 - sent
    assert asked.answer(INFO, ("203.0.113.6", 5000), 10.0)


def test_an_asker_of_ipv6_has_one_share_for_all_its_addresses() -> None:
    asked = query(per_address=1.0)
    replies = [asked.answer(INFO, (f"2001:db8:1:2:{n:x}::1", 5000), 0.0) for n in range(100)]
    assert sum(map(len, replies)) == 2


def test_all_together_get_so_many_answers() -> None:
    asked = query(overall=10.0)
    replies = [asked.answer(INFO, (f"203.0.{n // 250}.{n % 250}", 5000), n / 1000) for n in range(5000)]
    assert 50 <= sum(map(len, replies)) <= 50 + 20


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xffT",
        INFO[:-1],
        INFO + b"x",
        INFO + bytes(5),
        PLAYERS,
        PLAYERS + bytes(3),
        RULES + bytes(5),
        b"\xff\xff\xff\xffW",
        b"\xff\xff\xff\xffi",
        INFO.replace(b"Source", b"source"),
    ],
)
def test_what_is_no_request_gets_no_reply(junk: bytes) -> None:
    asked = query()
    assert asked.answer(junk, ASKER, 0.0) == []
    assert asked.counts[Outcome.MALFORMED] == 1


@given(st.binary(max_size=40), st.booleans())
def test_no_datagram_makes_it_raise_or_say_more_than_was_asked(tail: bytes, prefixed: bool) -> None:
    request = b"\xff\xff\xff\xff" * prefixed + tail
    replies = query().answer(request, ASKER, 0.0)
    assert sum(map(len, replies)) <= len(request)


@given(st.text(max_size=200), st.integers(), st.floats(), st.integers())
def test_any_status_can_be_told(text: str, score: int, seconds: float, count: int) -> None:
    status = Status(
        text,
        text,
        text,
        map=text,
        players=(PlayerStatus(text, score, seconds),),
        max_players=count,
        bots=count,
        keywords=(text,),
        rules={text: text},
    )
    asked = query(status)
    given = challenge(asked)
    for request in (INFO, PLAYERS, RULES):
        (reply,) = asked.answer(request + given, ASKER, 0.0)
        assert len(reply) <= MAX_DATAGRAM


# The port is shared


async def shared(conditions: Conditions | None, answer: Any) -> bytes:
    """What comes back on a port with `answer` for an information request."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.bind(("127.0.0.1", 0))
        address = free_address()
        server = Server(Protocol("query"), bytes(32), [address], loop.time(), epoch=0.0)
        udp = Udp(server, lambda event: None, local=[address], conditions=conditions, other=answer)
        udp.open()
        asking.sendto(b"\xff\xff\xff", address)
        asking.sendto(INFO, address)
        async with asyncio.timeout(5):
            while not sum(server.ignored.values()):
                await asyncio.sleep(0.001)
            try:
                async with asyncio.timeout(0.3):
                    return await loop.sock_recv(asking, 2000)
            except TimeoutError:
                return b""
            finally:
                udp.close()


@pytest.mark.parametrize("conditions", [None, Conditions(latency=0.002)])
def test_the_rest_of_what_arrives_is_for_the_game(conditions: Conditions | None) -> None:
    assert asyncio.run(shared(conditions, query().answer))[4:5] == b"A"


def test_a_status_that_cannot_be_had_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def answer(datagram: bytes, source: tuple[str, int], now: float) -> list[bytes]:
        raise RuntimeError("no status")

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(shared(None, answer)) == b""
    assert "no status" in caplog.text
