"""Issuing connect tokens: who may have one, and how often. Knows no HTTP; token_service.py serves it.

    issuer = Issuer(protocol, private_key, servers, door=Password("sesame"))
    answer = await issuer.answer(request, "203.0.113.5", time.time())

A host with accounts of its own gives a `door` that checks them, or issues tokens elsewhere, with `issue_token` and the
same private key.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from engine.net.connection.address import Address
from engine.net.connection.token import USER_BYTES, ConnectToken, Entropy, issue_token
from engine.net.wire.protocol import Build, Protocol, refusal

RATE = 10
"""Requests one address may make in `RATE_SECONDS` that may be guesses; and of all, unless the host says more."""
RATE_SECONDS = 10.0
MAX_ADDRESSES = 4096
"""Addresses whose requests are counted at a time; while there are more, nobody new is answered."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client says of itself."""

    build: Build
    name: str = ""
    """What the player wants to be called."""
    secret: str = ""
    """A password, or whatever the door asks for."""
    room: str = ""
    """The code of the room it wants to enter; empty for whichever there is."""
    private: bool = False
    """It wants a new room, which others enter only by its code."""
    watch: bool = False
    """It wants to watch, and no seat."""
    source: str = ""
    """The IP address it comes from; noted by the issuer."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The door lets the player in, as `client_id` (random if None), and tells the game `user`."""

    client_id: int | None = None
    user: str = ""
    servers: tuple[Address, ...] = ()
    """Where to connect; the issuer's own servers if empty."""
    private_key: bytes = b""
    """The key of those servers, if it is not the issuer's."""
    room: str = ""
    """The room it was given, told to the client."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token, and what the client is told along with it."""

    token: ConnectToken
    room: str = ""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """No token, and why, in words for the player."""

    why: str
    guess: bool = True
    """Whether it may have been a guess at a secret; there may be few of those."""
    again: float = 0.0
    """Seconds after which the client may ask again of itself; 0 if it should not."""
    gone: bool = False
    """Whether there is no such room as it asked for."""


Door = Callable[[TokenRequest], Awaitable[Admitted | TurnedAway]]
"""Decides who may have a token."""


async def open_door(request: TokenRequest) -> Admitted | TurnedAway:
    """Everyone may come in."""
    return Admitted(user=request.name)


class Password:
    """A door for those who know the word."""

    def __init__(self, password: str) -> None:
        if not password:
            raise ValueError("an empty password keeps nobody out: use open_door")
        self._password = password.encode()

    async def __call__(self, request: TokenRequest) -> Admitted | TurnedAway:
        """Admit who says the password."""
        if hmac.compare_digest(request.secret.encode(errors="replace"), self._password):
            return Admitted(user=request.name)
        return TurnedAway("the password is wrong" if request.secret else "this server asks for a password")


class Issuer:
    """Answers token requests for the servers that share `private_key`.

    A server given as ``0.0.0.0`` or ``::`` means: by the address at which the client reached the issuer. `lifetime` and
    `timeout` are seconds, as in `issue_token`. `rate` is how many requests one address may make in `RATE_SECONDS`.
    """

    def __init__(
        self,
        protocol: Protocol,
        private_key: bytes,
        servers: Sequence[Address],
        *,
        door: Door = open_door,
        lifetime: int = 30,
        timeout: int = 10,
        rate: int = RATE,
        entropy: Entropy = os.urandom,
    ) -> None:
        self.protocol = protocol
        self._private_key = private_key
        self._servers = tuple(servers)
        self._door = door
        self._lifetime = lifetime
        self._timeout = timeout
        self._entropy = entropy
        self._rate = rate
        self._counts: dict[str, int] = {}
        self._wrong: dict[str, int] = {}
        self._counts_until = 0.0

    async def answer(self, request: TokenRequest, source: str, now: float) -> ConnectToken | TurnedAway:
        """A token, or why not. `source` is the client's IP address, `now` Unix time. Never raises for what they say."""
        answer = await self.issue(request, source, now)
        return answer.token if isinstance(answer, Issued) else answer

    async def issue(self, request: TokenRequest, source: str, now: float) -> Issued | TurnedAway:
        """As `answer`, and what the client is to be told besides."""
        if self._too_many(source, now):
            return TurnedAway("too many requests from this address: wait some seconds and try again")
        why = refusal(self.protocol.build, request.build)
        if why is not None:
            return TurnedAway(why)
        verdict = await self._door(replace(request, source=source))
        if isinstance(verdict, TurnedAway):
            self._wrong[source] = self._wrong.get(source, 0) + verdict.guess
            return verdict
        user = verdict.user.encode(errors="replace")
        if len(user) > USER_BYTES:
            return TurnedAway(f"the name takes {len(user)} bytes; {USER_BYTES} is the most")
        client_id = verdict.client_id
        if client_id is None:
            client_id = int.from_bytes(self._entropy(8), "little")
        token = issue_token(
            protocol_id=self.protocol.id,
            private_key=verdict.private_key or self._private_key,
            client_id=client_id,
            servers=verdict.servers or self._servers,
            now=now,
            lifetime=self._lifetime,
            timeout=self._timeout,
            user=user,
            entropy=self._entropy,
        )
        return Issued(token, verdict.room)

    def _too_many(self, source: str, now: float) -> bool:
        if now >= self._counts_until:
            self._counts.clear()
            self._wrong.clear()
            self._counts_until = now + RATE_SECONDS
        count = self._counts.get(source, 0)
        if count == 0 and len(self._counts) >= MAX_ADDRESSES:
            return True
        self._counts[source] = count + 1
        return count >= self._rate or self._wrong.get(source, 0) >= RATE
