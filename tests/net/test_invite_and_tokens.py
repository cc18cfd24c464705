"""From an invite to a connection: the URI, who gets a token, and HTTPS pinned to a key."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.invite import Invite
from engine.net.connection.issuer import (
    MAX_ADDRESSES,
    RATE,
    RATE_SECONDS,
    Admitted,
    Issuer,
    Password,
    TokenRequest,
    TurnedAway,
)
from engine.net.connection.server import Server
from engine.net.connection.token import ConnectToken, open_private
from engine.net.transport.tls import Identity
from engine.net.transport.token_service import NoTokenError, request_token, token_application
from engine.net.transport.udp import Udp
from engine.net.wire import Protocol

KEY = bytes(range(32))
protocol = Protocol("hall", "1.2")
HOSTS = st.sampled_from(["203.0.113.9", "2001:db8::9", "example.org", "my-pc", "::1"])


@given(HOSTS, st.integers(1, 65535), st.binary(min_size=32, max_size=32))
def test_an_invite_survives_text(host: str, port: int, fingerprint: bytes) -> None:
    invite = Invite(host, port, fingerprint)
    assert str(invite).startswith("tickwire://")
    assert Invite.parse(f"  {invite}\n") == invite


GOOD = str(Invite("203.0.113.9", 7777, bytes(32)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with"),
        ("https://203.0.113.9:7777?key=" + "A" * 43, "begins with"),
        (GOOD[:-5], "key of"),
        (GOOD.split("?")[0], "cut off"),
        (GOOD + "&x=1", "nothing else"),
        (GOOD.replace("AAAA", "A!AA", 1), "base64url"),
        (GOOD.replace(":7777", ""), "host and port"),
        (GOOD.replace("7777", "77777"), "out of range"),
        (GOOD.replace("7777", "0"), "port 0"),
        (GOOD.replace("7777", "x"), "no invite"),
        (GOOD.replace("203.0.113.9", "a b"), "host name"),
        (GOOD.replace("203.0.113.9", "me@203.0.113.9"), "only"),
        (GOOD.replace("?", "/path?"), "only"),
        (GOOD.replace("203.0.113.9", "[::1"), "no invite"),
    ],
)
def test_a_damaged_invite_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Invite.parse(text)


@given(st.text() | st.text().map(lambda tail: "tickwire://" + tail))
def test_any_text_is_an_invite_or_value_error(text: str) -> None:
    try:
        invite = Invite.parse(text)
    except ValueError:
        return
    assert Invite.parse(str(invite)) == invite


def ask(
    issuer: Issuer, request: TokenRequest, source: str = "192.0.2.5", now: float = 1000.0
) -> ConnectToken | TurnedAway:
    return asyncio.run(_ask(issuer, request, source, now))


async def _ask(issuer: Issuer, request: TokenRequest, source: str, now: float) -> ConnectToken | TurnedAway:
    return await issuer.answer(request, source, now)


SERVERS = [Address("203.0.113.9", 7777)]
REQUEST = TokenRequest(protocol.build, name="Ana")


def test_a_token_carries_what_the_door_said() -> None:
    async def door(request: TokenRequest) -> Admitted | TurnedAway:
        return Admitted(client_id=7, user=f"{request.name}!")

    token = ask(Issuer(protocol, KEY, SERVERS, door=door, lifetime=20, timeout=4), REQUEST)
    assert isinstance(token, ConnectToken)
    assert (token.expires, token.timeout, token.servers) == (1020, 4, tuple(SERVERS))
    private = open_private(token.sealed, protocol.id, token.expires, token.nonce, KEY)
    assert private.client_id == 7
    assert private.user.rstrip(b"\0") == b"Ana!"


def test_who_is_turned_away_is_told_why() -> None:
    issuer = Issuer(protocol, KEY, SERVERS, door=Password("sesame"))
    other = TokenRequest(Protocol("hall", "1.1").build, "Ana", "sesame")
    for request, said in (
        (REQUEST, "asks for a password"),
        (TokenRequest(protocol.build, "Ana", "simsim"), "wrong"),
        (TokenRequest(protocol.build, "é" * 200, "sesame"), "400 bytes"),
        (other, "hall 1.2"),
        (other, "hall 1.1"),
    ):
        answer = ask(issuer, request)
        assert isinstance(answer, TurnedAway)
        assert said in answer.why
    assert isinstance(ask(issuer, TokenRequest(protocol.build, "\ud800", "sesame")), ConnectToken)
    with pytest.raises(ValueError, match="empty password"):
        Password("")


def test_guessing_is_slowed_down_and_counted_in_bounded_memory() -> None:
    issuer = Issuer(protocol, KEY, SERVERS)
    answers = [ask(issuer, REQUEST) for _ in range(RATE + 1)]
    assert isinstance(answers[-2], ConnectToken)
    assert isinstance(answers[-1], TurnedAway)
    assert isinstance(ask(issuer, REQUEST, source="192.0.2.6"), ConnectToken)

    async def flood() -> None:
        for number in range(MAX_ADDRESSES + 5):
            await issuer.answer(REQUEST, str(number), 1000.0)

    asyncio.run(flood())
    assert isinstance(ask(issuer, REQUEST, source="new"), TurnedAway)
    assert isinstance(ask(issuer, REQUEST, source="new", now=1000.0 + RATE_SECONDS), ConnectToken)


def test_an_identity_is_made_once_and_kept(tmp_path: Path) -> None:
    first = Identity.load(tmp_path / "tls")
    assert Identity.load(tmp_path / "tls") == first
    assert Identity.load(tmp_path / "other").fingerprint != first.fingerprint
    first.certificate_file.write_bytes(b"noise")
    with pytest.raises(ValueError, match="damaged"):
        Identity.load(tmp_path / "tls")


@asynccontextmanager
async def hosted(application: web.Application, identity: Identity) -> AsyncGenerator[Invite, None]:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=identity.context())
    await site.start()
    try:
        yield Invite("127.0.0.1", runner.addresses[0][1], identity.fingerprint)
    finally:
        await runner.cleanup()


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(whole())


def test_an_invite_leads_to_a_connection(tmp_path: Path) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        anywhere = Address("0.0.0.0", 7777)
        server = Server(protocol, KEY, [anywhere], loop.time(), epoch=time.time() - loop.time())
        udp = Udp(server, lambda event: None, local=[Address("127.0.0.1", 0)])
        udp.open()
        (bound,) = udp.addresses
        server = Server(protocol, KEY, [Address("0.0.0.0", bound.port)], loop.time(), epoch=time.time() - loop.time())
        udp.endpoint = server
        issuer = Issuer(protocol, KEY, [Address("0.0.0.0", bound.port)], door=Password("sesame"))
        async with hosted(token_application(issuer), Identity.load(tmp_path)) as invite:
            with pytest.raises(NoTokenError, match="password"):
                await request_token(invite, protocol)
            with pytest.raises(NoTokenError, match=r"hall 1\.2.*hall 1\.1"):
                await request_token(invite, Protocol("hall", "1.1"), secret="sesame")
            token = await request_token(invite, protocol, name="Ana", secret="sesame")
        assert token.servers == (bound,)
        client = Client(protocol, token, loop.time())
        client_udp = Udp(client, lambda event: None)
        client_udp.open()
        while not client.connected:
            await asyncio.sleep(0.002)
        (peer,) = server.peers.values()
        assert peer.session.user.rstrip(b"\0") == b"Ana"
        client_udp.close()
        udp.close()

    run(scene)


def test_a_host_with_another_key_is_not_even_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    async def spy(request: TokenRequest) -> Admitted | TurnedAway:
        asked.append(request.secret)
        return Admitted()

    async def scene() -> None:
        application = token_application(Issuer(protocol, KEY, SERVERS, door=spy))
        async with hosted(application, Identity.load(tmp_path)) as invite:
            with pytest.raises(NoTokenError, match="another key"):
                await request_token(Invite(invite.host, invite.port, bytes(32)), protocol, secret="s")
        assert not asked
        with pytest.raises(NoTokenError, match="cannot be reached"):
            await request_token(invite, protocol)

    run(scene)


@pytest.mark.parametrize(
    "reply",
    [b"", b"{}", b"[]", b'{"token": 5}', b'{"token": "AAAA"}', b"[" * 9000, b"\xff", b'{"token": "' + b"A" * 99999],
)
def test_any_reply_is_a_token_or_a_reason(reply: bytes, tmp_path: Path) -> None:
    async def say(request: web.Request) -> web.Response:
        return web.Response(body=reply)

    async def scene() -> None:
        application = web.Application()
        application.router.add_post("/token", say)
        async with hosted(application, Identity.load(tmp_path)) as invite:
            with pytest.raises(NoTokenError, match="something else"):
                await request_token(invite, protocol)

    run(scene)


def test_who_is_told_to_come_again_does_so_of_itself(tmp_path: Path) -> None:
    verdicts = [TurnedAway("busy", again=0.1), TurnedAway("busy", again=0.1), Admitted(user="Ana")]
    refused = [TurnedAway("busy", again=0.1), TurnedAway("busy", again=1e9)]

    async def door(request: TokenRequest) -> Admitted | TurnedAway:
        return (verdicts if request.name == "Ana" else refused).pop(0)

    async def scene() -> None:
        application = token_application(Issuer(protocol, KEY, SERVERS, door=door))
        async with hosted(application, Identity.load(tmp_path)) as invite:
            await request_token(invite, protocol, name="Ana")
            with pytest.raises(NoTokenError, match="busy"):
                await request_token(invite, protocol, name="Ben")
        assert verdicts == refused == []

    run(scene)


def test_any_request_gets_an_answer(tmp_path: Path) -> None:
    identity = Identity.load(tmp_path)
    bodies = [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"game":1,"version":"","protocol":"","name":"","secret":""}',
        b'{"game":"","version":"","protocol":"zz","name":"","secret":""}',
        b"[" * 4000,
        b" " * 100_000,
    ]

    async def scene() -> None:
        async with (
            hosted(token_application(Issuer(protocol, KEY, SERVERS)), identity) as invite,
            aiohttp.ClientSession() as session,
        ):
            url = f"https://{invite.authority}/token"
            for body in bodies:
                async with session.post(url, data=body, ssl=False) as response:
                    assert response.status in (400, 413)
            headers = {"Content-Type": "application/json; charset=nonsense"}
            async with session.post(url, data=b"{}", headers=headers, ssl=False) as response:
                assert response.status == 400

    run(scene)
