"""The socket that connect tokens are asked for at: many at once do not hold up what else is on its loop."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from engine.net.connection.address import Address
from engine.net.transport.host import listen
from engine.net.transport.tls import Identity
from engine.net.transport.token_service import serve_tokens


class Site:
    """A page that says yes, and notes in which turn of the loop it was asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.turn = 0
        self.asked: list[int] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(self.turn)
        return web.Response(text="yes")

    def count_turns(self) -> None:
        self.turn += 1
        asyncio.get_running_loop().call_soon(self.count_turns)

    async def ask(self) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def serving(folder: Path) -> AsyncGenerator[Site]:
    listening = listen(Address("127.0.0.1", 0))
    site = Site(listening.getsockname()[1])
    application = web.Application()
    application.router.add_get("/", site.answer)
    served = await serve_tokens(application, listening, Identity.load(folder).context())
    try:
        yield site
    finally:
        await served.close()


def test_many_at_once_are_taken_one_by_one(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(tmp_path) as site:
            site.count_turns()
            answers = await asyncio.gather(*(site.ask() for _ in range(60)))
        assert all(answer.endswith(b"yes") for answer in answers)
        assert max(Counter(site.asked).values()) <= 3

    asyncio.run(scene())


def test_those_who_talk_nonsense_or_leave_are_no_reason_to_stop(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(tmp_path) as site:
            for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"", b"\0" * 1000):
                _, writer = await asyncio.open_connection("127.0.0.1", site.port)
                writer.write(said)
                writer.close()
            _, dawdling = await asyncio.open_connection("127.0.0.1", site.port)
            dawdling.write(b"\x16")
            assert (await site.ask()).endswith(b"yes")
        dawdling.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scene())
