"""Connect tokens over HTTPS: the small aiohttp application that hands them out, and the client that asks.

GET /token    200 {"game": ..., "version": ..., "protocol": "hex of 64 bits"}, which is no secret
POST /token   {"game": ..., "version": ..., "protocol": "hex of 64 bits", "name": ..., "secret": ...,
               "room": "code, or empty", "want": "" or "private" or "watch"}, the last two if there are rooms to choose
200           {"token": "base64 of the 2048 bytes", "room": "code of the room it is for, if there are several"}
403           {"why": "words for the player"}
404           the same, and "gone": true, if there is no such room as it asked for
503           the same, and "again": seconds after which the client may ask again of itself
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import aiohttp
from aiohttp import web
from cryptography import x509

from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.net.connection.invite import FINGERPRINT_BYTES, ROOM_CODE, Invite
from engine.net.connection.issuer import Issued, Issuer, TokenRequest, TurnedAway
from engine.net.connection.token import ConnectToken
from engine.net.transport.tls import fingerprint_of
from engine.net.wire.errors import ProtocolError
from engine.net.wire.protocol import Build, Protocol

log = logging.getLogger("tickwire.net")

MAX_REQUEST_BYTES = 4096
MAX_REPLY_BYTES = 16384
MAX_NAME = 80
"""Characters of a game's name or version that are believed."""
TIMEOUT = 10.0
"""Seconds a client waits for a token."""
LEAST_AGAIN = 0.1
"""Seconds a host must leave between requests to be asked again."""
PATIENCE = 30.0
"""Seconds it asks again and again of a host that says it may."""
PRIVATE, WATCH = "private", "watch"
"""What a client may want besides a seat in an open room."""
LONGEST_VISIT = 15.0
"""Seconds after which a connection is cut, whatever it is doing: it takes one request, and that is short."""
BACKLOG = 512
"""Connections that may wait to be taken, as when everyone joins at once."""
PACE = 0.004
"""Seconds from one connection that is taken to the next: to agree on keys, and to answer, takes about a millisecond."""
HANDSHAKE_TIMEOUT = 5.0
"""Seconds a client may take to agree on keys."""
_UNSPECIFIED = ("0.0.0.0", "::")


class NoTokenError(TickwireError):
    """There is no token to be had; the message says why, in words for the player."""


class NoRoomError(NoTokenError):
    """There is no such room as was asked for; there may be others."""


class _NotYetError(NoTokenError):
    """There may be one when asked again in `again` seconds."""

    def __init__(self, why: str, again: float) -> None:
        super().__init__(why)
        self.again = again


def token_application(issuer: Issuer, clock: Callable[[], float] = time.time) -> web.Application:
    """The application that answers ``POST /token``; `clock` gives Unix time. Serve it over TLS."""

    async def token(request: web.Request) -> web.Response:
        try:
            asked = _request(json.loads(await request.read()))
        except (ValueError, KeyError, RecursionError):
            return web.json_response({"why": "not a token request of this protocol"}, status=400)
        answer = await issuer.issue(asked, request.remote or "", clock())
        if isinstance(answer, TurnedAway):
            if answer.again:
                return web.json_response({"why": answer.why, "again": answer.again}, status=503)
            if answer.gone:
                return web.json_response({"why": answer.why, "gone": True}, status=404)
            return web.json_response({"why": answer.why}, status=403)
        return web.json_response({"token": base64.b64encode(answer.token.encode()).decode(), "room": answer.room})

    async def build(request: web.Request) -> web.Response:
        return web.json_response(_said_of(issuer.protocol.build))

    application = web.Application(client_max_size=MAX_REQUEST_BYTES)
    application.router.add_get("/token", build)
    application.router.add_post("/token", token)
    return application


class TokenSite:
    """A token application on a listening socket, over TLS. Made by `serve_tokens`."""

    def __init__(self, runner: web.AppRunner, listening: socket.socket, context: ssl.SSLContext) -> None:
        assert runner.server is not None
        self._runner = runner
        self._make = runner.server
        self._listening = listening
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._agreeing: set[asyncio.Task[None]] = set()
        self._taking = self._loop.create_task(self._take())

    async def _take(self) -> None:
        """Take connections one by one."""
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._listening)
            except OSError as error:  # too many open files, or it was gone before it was taken
                log.warning("a connection cannot be taken: %s", error)
                await asyncio.sleep(1.0)
                continue
            agreeing = self._loop.create_task(self._agree(connection))
            self._agreeing.add(agreeing)
            agreeing.add_done_callback(self._agreeing.discard)
            await asyncio.sleep(PACE)

    async def _agree(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._admit, connection, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_TIMEOUT
            )
        except (OSError, EOFError):  # they have no keys in common, or took too long
            connection.close()

    def _admit(self) -> asyncio.Protocol:
        visitor = self._make()
        self._loop.call_later(LONGEST_VISIT, _cut, visitor)
        return visitor

    async def close(self) -> None:
        """Take no more connections, and end those there are."""
        for task in (self._taking, *self._agreeing):
            task.cancel()
        await asyncio.gather(self._taking, *self._agreeing, return_exceptions=True)
        self._listening.close()
        await self._runner.cleanup()


def _cut(visitor: Any) -> None:
    if visitor.transport is not None:
        visitor.transport.abort()


async def serve_tokens(application: web.Application, listening: socket.socket, context: ssl.SSLContext) -> TokenSite:
    """Serve on a socket that listens, which belongs to the site from now on. Raises `OSError`.

    However slowly someone talks, a connection is cut after `LONGEST_VISIT`; however many come at once, one is taken
    every `PACE`, so that what else is on the loop, such as ticks, has its turn in between.
    """
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=HANDSHAKE_TIMEOUT)
    await runner.setup()
    listening.listen(BACKLOG)
    return TokenSite(runner, listening, context)


def _said_of(build: Build) -> dict[str, str]:
    return {"game": build.name, "version": build.version, "protocol": f"{build.protocol_id:016x}"}


def _texts(said: Any, *keys: str) -> list[str]:
    if not isinstance(said, dict):
        raise ValueError("not an object")
    fields = cast("dict[str, object]", said)
    texts = [fields[key] for key in keys]
    return [text for text in texts if isinstance(text, str)]


def _request(said: Any) -> TokenRequest:
    game, version, protocol, name, secret = _texts(said, "game", "version", "protocol", "name", "secret")
    room, want = _texts({"room": "", "want": "", **said}, "room", "want")
    build = Build(game, version, int(protocol, 16))
    return TokenRequest(build, name, secret, room, want == PRIVATE, want == WATCH)


class _KeyFingerprint(aiohttp.Fingerprint):
    """Checks the key of the peer, before anything is said to it; aiohttp's own checks the whole certificate.

    Without a key to expect, it only notes the one it meets.
    """

    def __init__(self, expected: bytes | None) -> None:
        super().__init__(expected or bytes(FINGERPRINT_BYTES))
        self.expected = expected
        self.met = b""
        """The fingerprint of the host's key."""
        self.reached = ""
        """The IP address found behind the host's name."""

    def check(self, transport: Any) -> None:
        self.reached, port = transport.get_extra_info("peername")[:2]
        certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self.met = fingerprint_of(x509.load_der_x509_certificate(certificate))
        if self.expected is not None and self.met != self.expected:
            raise aiohttp.ServerFingerprintMismatch(self.expected, self.met, self.reached, port)


async def request_token(invite: Invite, protocol: Protocol, *, name: str = "", secret: str = "") -> ConnectToken:
    """Ask the host of an invite for a token. Raises `NoTokenError` saying why there is none."""
    return await request_token_for(invite, protocol.build, name=name, secret=secret)


async def request_token_for(invite: Invite, build: Build, *, name: str = "", secret: str = "") -> ConnectToken:
    """`request_token` without the protocol, for tools that know only its id."""
    return (await request_place(invite, build, name=name, secret=secret)).token


async def request_place(invite: Invite, build: Build, *, name: str = "", secret: str = "", want: str = "") -> Issued:
    """A token, and the room it is for. `want` may be `PRIVATE` or `WATCH`.

    Raises `NoTokenError`; `NoRoomError`, which is one, if there is no such room as in the invite.

    A host that says so is asked again for `PATIENCE`.
    """
    said = {**_said_of(build), "name": name, "secret": secret, "room": invite.room, "want": want}
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while True:
        pin = _KeyFingerprint(invite.fingerprint)
        try:
            return _read_reply(await _ask(invite.authority, pin, said, vouched=invite.vouched), invite, pin.reached)
        except _NotYetError as refused:
            if loop.time() + refused.again > deadline:
                raise
            await asyncio.sleep(refused.again)


@dataclass(frozen=True, slots=True)
class Service:
    """What a host says of itself to anyone who asks."""

    invite: Invite
    """To this host, with the key that it has."""
    address: str
    """The IP address found behind its name."""
    build: Build


async def find_service(host: str, port: int, fingerprint: bytes | None = None, *, vouched: bool = False) -> Service:
    """Ask a host which game it serves; without a fingerprint, any key will do. `vouched` is as in `Invite`.

    Raises `NoTokenError` saying why not.
    """
    pin = _KeyFingerprint(fingerprint)
    authority = Invite(host, port, bytes(FINGERPRINT_BYTES)).authority
    body = await _ask(authority, pin, None, vouched=vouched)
    try:
        game, version, protocol = _texts(json.loads(body), "game", "version", "protocol")
        build = Build(game[:MAX_NAME], version[:MAX_NAME], int(protocol, 16) & (1 << 64) - 1)
    except (ValueError, KeyError, RecursionError):
        raise NoTokenError(f"{authority} speaks HTTPS but names no game: is it a game server?") from None
    return Service(Invite(host, port, pin.met), pin.reached, build)


async def _ask(authority: str, pin: _KeyFingerprint, said: dict[str, str] | None, *, vouched: bool) -> bytes:
    """What the host answers. Raises `NoTokenError`, if it is not the right one, too."""
    try:
        return await _exchange(authority, pin, said)
    except aiohttp.ServerFingerprintMismatch:
        if not vouched:
            raise NoTokenError(
                f"{authority} has another key than the invite says: it is old, or someone is in between"
            ) from None
    pin.expected = None  # an authority has to vouch for it instead
    try:
        return await _exchange(authority, pin, said, ssl.create_default_context())
    except aiohttp.ClientConnectorCertificateError as error:
        raise NoTokenError(
            f"{authority} has another key than the invite says, and nobody vouches for it: "
            f"{getattr(error.certificate_error, 'verify_message', '') or error.certificate_error}; "
            "ask for a new invite"
        ) from None


async def _exchange(
    authority: str, pin: _KeyFingerprint, said: dict[str, str] | None, verifying: ssl.SSLContext | None = None
) -> bytes:
    """Say it to whoever passes `pin`, and by `verifying` if given. Raises `NoTokenError`, or what `pin` does."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=pin), timeout=timeout) as session,
            session.request(
                "GET" if said is None else "POST",
                f"https://{authority}/token",
                json=said,
                ssl=verifying or False,  # then `pin` alone decides
                allow_redirects=False,
            ) as response,
        ):
            return await _read_most(response.content)
    except (aiohttp.ServerFingerprintMismatch, aiohttp.ClientConnectorCertificateError):
        raise
    except TimeoutError:
        raise NoTokenError(f"{authority} did not answer within {TIMEOUT:.0f} seconds") from None
    except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
        raise NoTokenError(f"{authority} cannot be reached: {error}") from error


async def _read_most(stream: aiohttp.StreamReader) -> bytes:
    """What the host says, up to a limit: more than a token is none."""
    try:
        return await stream.readexactly(MAX_REPLY_BYTES)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


def _read_reply(body: bytes, invite: Invite, host: str) -> Issued:
    try:
        reply: Any = json.loads(body)
        fields = cast("dict[str, object]", reply if isinstance(reply, dict) else {})
        why, token, room = fields.get("why"), fields.get("token"), fields.get("room")
        again = fields.get("again")
        if isinstance(why, str) and isinstance(again, int | float) and again >= LEAST_AGAIN:
            raise _NotYetError(why, again)
        if isinstance(why, str) and fields.get("gone") is True:
            raise NoRoomError(why)
        if isinstance(why, str):
            raise NoTokenError(why)
        decoded = ConnectToken.decode(base64.b64decode(token if isinstance(token, str) else "", validate=True))
    except (ValueError, binascii.Error, RecursionError, ProtocolError):
        raise NoTokenError(f"{invite.authority} answered something else than a token: is it a game server?") from None
    reached = tuple(Address(host, each.port) if each.host in _UNSPECIFIED else each for each in decoded.servers)
    room = room if isinstance(room, str) and ROOM_CODE.fullmatch(room) else ""
    return Issued(replace(decoded, servers=reached), room)
