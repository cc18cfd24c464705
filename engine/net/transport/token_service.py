"""Connect tokens over HTTPS: the small aiohttp application that hands them out, and the client that asks.

POST /token   {"game": ..., "version": ..., "protocol": "hex of 64 bits", "name": ..., "secret": ...}
200           {"token": "base64 of the 2048 bytes"}
403           {"why": "words for the player"}
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import aiohttp
from aiohttp import web
from cryptography import x509

from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.net.connection.invite import Invite
from engine.net.connection.issuer import Issuer, TokenRequest, TurnedAway
from engine.net.connection.token import ConnectToken
from engine.net.transport.tls import fingerprint_of
from engine.net.wire.errors import ProtocolError
from engine.net.wire.protocol import Build, Protocol

MAX_REQUEST_BYTES = 4096
MAX_REPLY_BYTES = 16384
TIMEOUT = 10.0
"""Seconds a client waits for a token."""
_UNSPECIFIED = ("0.0.0.0", "::")


class NoTokenError(TickwireError):
    """There is no token to be had; the message says why, in words for the player."""


def token_application(issuer: Issuer, clock: Callable[[], float] = time.time) -> web.Application:
    """The application that answers ``POST /token``; `clock` gives Unix time. Serve it over TLS."""

    async def token(request: web.Request) -> web.Response:
        try:
            asked = _request(json.loads(await request.read()))
        except (ValueError, KeyError, RecursionError):
            return web.json_response({"why": "not a token request of this protocol"}, status=400)
        answer = await issuer.answer(asked, request.remote or "", clock())
        if isinstance(answer, TurnedAway):
            return web.json_response({"why": answer.why}, status=403)
        return web.json_response({"token": base64.b64encode(answer.encode()).decode()})

    application = web.Application(client_max_size=MAX_REQUEST_BYTES)
    application.router.add_post("/token", token)
    return application


def _request(said: Any) -> TokenRequest:
    if not isinstance(said, dict):
        raise ValueError("not an object")
    fields = cast("dict[str, object]", said)
    texts = [fields[key] for key in ("game", "version", "protocol", "name", "secret")]
    game, version, protocol, name, secret = [text for text in texts if isinstance(text, str)]
    return TokenRequest(Build(game, version, int(protocol, 16)), name, secret)


class _KeyFingerprint(aiohttp.Fingerprint):
    """Checks the key of the peer, before anything is said to it; aiohttp's own checks the whole certificate.

    With it, no authority has to vouch for the certificate.
    """

    reached = ""
    """The IP address found behind the host of the invite."""

    def check(self, transport: Any) -> None:
        self.reached, port = transport.get_extra_info("peername")[:2]
        certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        got = fingerprint_of(x509.load_der_x509_certificate(certificate))
        if got != self.fingerprint:
            raise aiohttp.ServerFingerprintMismatch(self.fingerprint, got, self.reached, port)


async def request_token(invite: Invite, protocol: Protocol, *, name: str = "", secret: str = "") -> ConnectToken:
    """Ask the host of an invite for a token. Raises `NoTokenError` saying why there is none."""
    build = protocol.build
    said = {
        "game": build.name,
        "version": build.version,
        "protocol": f"{build.protocol_id:016x}",
        "name": name,
        "secret": secret,
    }
    pin = _KeyFingerprint(invite.fingerprint)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(
                f"https://{invite.authority}/token",
                json=said,
                ssl=pin,
                allow_redirects=False,
            ) as response,
        ):
            body = await _read_most(response.content)
    except aiohttp.ServerFingerprintMismatch:
        raise NoTokenError(
            f"{invite.authority} has another key than the invite says: it is old, or someone is in between"
        ) from None
    except TimeoutError:
        raise NoTokenError(f"{invite.authority} did not answer within {TIMEOUT:.0f} seconds") from None
    except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
        raise NoTokenError(f"{invite.authority} cannot be reached: {error}") from error
    return _read_reply(body, invite, pin.reached)


async def _read_most(stream: aiohttp.StreamReader) -> bytes:
    """What the host says, up to a limit: more than a token is none."""
    try:
        return await stream.readexactly(MAX_REPLY_BYTES)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


def _read_reply(body: bytes, invite: Invite, host: str) -> ConnectToken:
    try:
        reply: Any = json.loads(body)
        fields = cast("dict[str, object]", reply if isinstance(reply, dict) else {})
        why, token = fields.get("why"), fields.get("token")
        if isinstance(why, str):
            raise NoTokenError(why)
        decoded = ConnectToken.decode(base64.b64decode(token if isinstance(token, str) else "", validate=True))
    except (ValueError, binascii.Error, RecursionError, ProtocolError):
        raise NoTokenError(f"{invite.authority} answered something else than a token: is it a game server?") from None
    return replace(
        decoded,
        servers=tuple(
            Address(host, server.port) if server.host in _UNSPECIFIED else server for server in decoded.servers
        ),
    )
