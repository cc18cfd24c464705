"""Connections that dawdle: they are bounded in time and number, and keep nobody out."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
from aiohttp import web

from engine.server.ops.gate import Gate


@contextlib.asynccontextmanager
async def gated(**bounds: Any) -> AsyncGenerator[tuple[Gate, int]]:
    """A page that says yes, behind a gate."""

    async def answer(request: web.Request) -> web.Response:
        gate.asked(request.protocol)
        return web.Response(text="yes")

    async def stay(request: web.Request) -> web.StreamResponse:
        gate.stays(request.protocol)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    application = web.Application()
    application.router.add_get("/", answer)
    application.router.add_get("/live", stay)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    gate = Gate(cast(Any, runner.server), **bounds)
    server = await asyncio.get_running_loop().create_server(gate, "127.0.0.1", 0)
    try:
        yield gate, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        gate.close()
        await runner.cleanup()


async def ask(port: int, path: str = "/", more: str = "Connection: close\r\n") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n".encode())
    try:
        return await reader.read()
    finally:
        writer.close()


async def is_cut(reader: asyncio.StreamReader) -> bool:
    """Whether the server ends a connection, within the test's time."""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(5):
            while await reader.read(1000):
                pass
    return True


async def dawdle(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"G")
    return reader, writer


def test_five_hundred_who_dawdle_keep_nobody_out() -> None:
    async def scenario() -> None:
        async with gated(most=20, first=60.0) as (gate, port):
            slow = [await dawdle(port) for _ in range(500)]
            for _ in range(3):
                async with asyncio.timeout(5):
                    assert (await ask(port)).endswith(b"yes")
            assert len(gate.visits) <= 20
            assert gate.refused >= 480
            for _, writer in slow:
                writer.close()

    asyncio.run(scenario())


def test_a_request_must_be_whole_in_time() -> None:
    async def scenario() -> None:
        async with gated(first=0.05) as (gate, port):
            reader, writer = await dawdle(port)
            assert await is_cut(reader)
            assert gate.refused == 1
            assert not gate.visits
            writer.close()

    asyncio.run(scenario())


def test_so_must_the_next_one() -> None:
    async def scenario() -> None:
        async with gated(first=5.0, following=0.05) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
            async with asyncio.timeout(5):
                await reader.readuntil(b"yes")
            assert await is_cut(reader)
            writer.close()

    asyncio.run(scenario())


def test_a_websocket_may_stay() -> None:
    async def scenario() -> None:
        async with gated(first=0.05, following=0.05) as (gate, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            other, second = await dawdle(port)
            assert await is_cut(other), "time has passed"
            assert len(gate.visits) == 1
            second.close()
            writer.close()

    asyncio.run(scenario())


def test_when_all_are_served_the_newcomer_must_go() -> None:
    async def scenario() -> None:
        async with gated(most=2) as (gate, port):
            kept: list[asyncio.StreamWriter] = []
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"yes")
                kept.append(writer)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await is_cut(reader)
            assert len(gate.visits) == 2
            for each in [*kept, writer]:
                each.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET /\r\n\r\n", b"\0" * 10_000])
def test_nonsense_ends_a_connection_and_nothing_else(said: bytes) -> None:
    async def scenario() -> None:
        async with gated(first=0.2) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            assert await is_cut(reader)
            writer.close()
            assert (await ask(port)).endswith(b"yes")

    asyncio.run(scenario())
