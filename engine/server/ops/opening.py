"""Opens the pages beside a server, on the same loop, and closes them before it.

service = Service(game, config, ..., extensions=[pages_of(announce=print)])
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import cast

from aiohttp import web

from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.server.ops.admission import Admission
from engine.server.ops.fleet import Fleet, Watch
from engine.server.ops.gate import BACKLOG, Gate
from engine.server.ops.pages import Pages
from engine.server.secret import Secret

log = logging.getLogger("tickwire.server")

KEEP_ALIVE = 15.0
"""Seconds."""


class OpsError(TickwireError):
    """The pages cannot be opened; the message says why."""


class Ops:
    """The pages, open."""

    def __init__(self, pages: Pages, gate: Gate, address: Address) -> None:
        self.pages = pages
        self.gate = gate
        self.address = address

    @property
    def url(self) -> str:
        """Of the dashboard."""
        host = "127.0.0.1" if self.address.host == "0.0.0.0" else self.address.host
        host = "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.address.port}/"


@contextlib.asynccontextmanager
async def open_ops(fleet: Fleet, bind: Address, *, token: Callable[[], Secret] | None = None) -> AsyncGenerator[Ops]:
    """Serve the pages of a fleet while inside.

    `token` gives the token in force, which is ``ops.token`` of the fleet's configuration if not given. Raises
    `OpsError` if the port cannot be had.
    """
    watch = Watch(fleet)
    admission = Admission(token or (lambda: fleet.config.ops.token), lambda: _names(fleet))
    pages = Pages(watch, admission)
    runner = web.AppRunner(pages.application, access_log=None, keepalive_timeout=KEEP_ALIVE, shutdown_timeout=2.0)
    await runner.setup()
    make = cast("Callable[[], asyncio.Protocol]", runner.server)
    gate = pages.gate = Gate(make)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(gate, bind.host, bind.port, backlog=BACKLOG)
    except OSError as error:
        await runner.cleanup()
        raise OpsError(
            f"cannot listen at TCP {bind} for the dashboard: {error.strerror or error}; choose another port for --ops"
        ) from error
    address = Address(bind.host, server.sockets[0].getsockname()[1])
    await watch.look()
    watching = loop.create_task(watch.run())
    try:
        yield Ops(pages, gate, address)
    finally:
        watching.cancel()
        server.close()
        await pages.lives.close()
        gate.close()
        await runner.cleanup()


def _names(fleet: Fleet) -> frozenset[str]:
    name = fleet.config.ops.name.lower()
    return frozenset([name] if name else [])


def pages_of(announce: Callable[[str], object] = print) -> Callable[[Fleet], AbstractAsyncContextManager[None]]:
    """What opens the pages at ``ops.bind`` of a server's configuration, if that is set, and says where they are.

    On a loopback address, a token is made where the configuration has none, and said once, as part of the address.
    """

    @contextlib.asynccontextmanager
    async def extension(fleet: Fleet) -> AsyncGenerator[None]:
        bind = fleet.config.ops.bind
        if bind is None:
            yield
            return
        made = Secret("")
        if not fleet.config.ops.token and (bind.host.startswith("127.") or bind.host == "::1"):
            made = Secret(secrets.token_urlsafe(18))
        async with open_ops(fleet, bind, token=lambda: fleet.config.ops.token or made) as ops:
            announce(f"dashboard: {ops.url}" + (f"#token={made.reveal()}" if made else ""))
            yield

    return extension
