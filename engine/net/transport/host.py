"""Hosting a game and joining one, whole: tokens over HTTPS and messages over UDP, on one port, in a few lines.

    async with await Host.open(protocol, app.post, port=7777) as host:
        print(host.invite)
        ...
    async with await Guest.open(invite, protocol, app.post, name="Ana") as guest:
        guest.send(Say("hi"))

What is sent goes out at the next `flush`, or with what is due anyway: the plugin `engine.net.networking` flushes at the
end of every tick the `Host` or `Guest` that is a resource of the world.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import platformdirs

from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.delivery import Limits
from engine.net.connection.invite import Invite
from engine.net.connection.issuer import Door, Issuer, open_door
from engine.net.connection.server import Server
from engine.net.connection.token import KEY_BYTES
from engine.net.transport.capture import Capture
from engine.net.transport.conditioner import Conditions
from engine.net.transport.tls import Identity
from engine.net.transport.token_service import BACKLOG, TokenSite, request_place, serve_tokens, token_application
from engine.net.transport.udp import Sink, Udp
from engine.net.wire.protocol import Protocol

PORTS_TRIED = 16
"""Ports looked at where the system may choose one."""


class HostError(TickwireError):
    """A game cannot be hosted here; the message says what is in the way."""


class Host:
    """A server with its sockets and its token service. Made by `open`."""

    def __init__(self, server: Server, udp: Udp, site: TokenSite, invite: Invite) -> None:
        self.server = server
        self.udp = udp
        self.invite = invite
        """What to give to those who are to join."""
        self._site = site

    @classmethod
    async def open(
        cls,
        protocol: Protocol,
        sink: Sink,
        *,
        host: str = "0.0.0.0",
        port: int = 7777,
        public: str | None = None,
        door: Door = open_door,
        max_clients: int = 64,
        limits: Limits | None = None,
        folder: Path | None = None,
        conditions: Conditions | None = None,
        capture: Capture | None = None,
    ) -> Host:
        """Listen at the IP address `host` on TCP and UDP `port`; with 0, the system chooses one.

        `public` is the name or address in the invite: by default that of this machine in its own network. `folder`
        keeps the TLS key, so that invites outlive the process. `sink` gets every event.

        Raises `HostError` if the port cannot be had, `ValueError` if an argument is no such thing.
        """
        try:
            identity = Identity.load(folder or platformdirs.user_data_path("tickwire") / "identity")
        except OSError as error:
            raise HostError(f"cannot keep the TLS key: {error}") from error
        private_key = os.urandom(KEY_BYTES)
        now = asyncio.get_running_loop().time()
        listening = listen(Address(host, port))
        port = listening.getsockname()[1]
        known = Address(host, port)
        server = Server(
            protocol, private_key, [known], now, epoch=time.time() - now, max_clients=max_clients, limits=limits
        )
        udp = Udp(server, sink, local=[known], conditions=conditions, capture=capture)
        application = token_application(Issuer(protocol, private_key, [known], door=door))
        try:
            udp.open()
            site = await serve_tokens(application, listening, identity.context())
        except OSError as error:
            listening.close()
            udp.close()
            raise HostError(f"{error.strerror or error}; another server may be running: choose another port") from error
        return cls(server, udp, site, Invite(public or own_address(host), port, identity.fingerprint))

    def send(self, peer: int, message: object, *, track: bool = False) -> int:
        """As `Server.send`."""
        return self.server.send(peer, message, track=track)

    def broadcast(self, message: object, *, but: int | None = None) -> None:
        """As `Server.broadcast`."""
        self.server.broadcast(message, but=but)

    def name(self, peer: int) -> str:
        """What a peer wants to be called; "" for one that is gone."""
        known = self.server.peers.get(peer)
        return known.user if known is not None else ""

    def flush(self) -> None:
        """Send what there is to send."""
        self.udp.flush()

    async def close(self) -> None:
        """Disconnect everyone and give the port back."""
        self.server.close()
        self.udp.close()
        await self._site.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Guest:
    """A client with its sockets. Made by `open`; `Connected` or `Refused` follows as an event."""

    def __init__(self, client: Client, udp: Udp, invite: Invite) -> None:
        self.client = client
        self.udp = udp
        self.invite = invite
        """The way back: to the room that was given, if the host has several."""

    @classmethod
    async def open(
        cls,
        invite: Invite | str,
        protocol: Protocol,
        sink: Sink,
        *,
        name: str = "",
        secret: str = "",
        want: str = "",
        limits: Limits | None = None,
        conditions: Conditions | None = None,
        capture: Capture | None = None,
    ) -> Guest:
        """Ask for a token, and begin to connect. `sink` gets every event. `want` is as in `request_place`.

        Raises `NoTokenError` saying why there is no token, `InviteError` if the invite is none.
        """
        if isinstance(invite, str):
            invite = Invite.parse(invite)
        issued = await request_place(invite, protocol.build, name=name, secret=secret, want=want)
        client = Client(protocol, issued.token, asyncio.get_running_loop().time(), limits=limits)
        udp = Udp(client, sink, conditions=conditions, capture=capture)
        udp.open()
        return cls(client, udp, replace(invite, room=issued.room))

    def send(self, message: object, *, track: bool = False) -> int:
        """As `Client.send`."""
        return self.client.send(message, track=track)

    def flush(self) -> None:
        """Send what there is to send."""
        self.udp.flush()

    async def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.udp.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def listen(address: Address) -> socket.socket:
    """A TCP socket that listens; at port 0, at one that is free for UDP, too, as servers have both under one number.

    Raises `HostError` saying why that cannot be.
    """
    opened = _listen(address)
    if not address.port:
        for _ in range(PORTS_TRIED):
            if _is_free_for_udp(opened):
                break
            opened.close()
            opened = _listen(address)
    return opened


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    opened: socket.socket | None = None
    try:
        opened = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere it would let two servers share the port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address.host, address.port))
        opened.listen(BACKLOG)
    except OSError as error:
        if opened is not None:
            opened.close()
        why = error.strerror or str(error)
        raise HostError(f"cannot listen at TCP {address}: {why}; {_cure(error)}") from error
    opened.setblocking(False)
    return opened


def _is_free_for_udp(listening: socket.socket) -> bool:
    with socket.socket(listening.family, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind(listening.getsockname())
        except OSError:
            return False
    return True


def _cure(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "ports below 1024 take a privilege: choose a higher one"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address: 0.0.0.0 is all that it has"
    return "another server may be running: choose another port"


def own_address(host: str) -> str:
    """The address that others in the same network know this machine by, if it listens everywhere."""
    if host not in ("0.0.0.0", "::"):
        return host
    family, somewhere = (socket.AF_INET6, "2001:db8::1") if ":" in host else (socket.AF_INET, "192.0.2.1")
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect((somewhere, 9))  # sends nothing, but chooses the way
        return str(asked.getsockname()[0])
    return "::1" if ":" in host else "127.0.0.1"
