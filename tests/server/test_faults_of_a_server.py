"""What strangers, crowds, clocks and disks do to a whole server, with somebody who plays on meanwhile."""

import asyncio
import contextlib
import errno
import io
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.errors import TickwireError
from engine.net.connection import Connected, Disconnected, Refused
from engine.net.multiplayer import multiplayer_of
from engine.net.replication.participant import Participant
from engine.net.transport.host import Guest
from engine.server.config import load
from engine.server.lifecycle import Service, Stage
from engine.server.ops.opening import Ops, open_ops
from engine.server.process import Process
from engine.server.room import Room
from engine.server.workers import LocalWorker
from games.tag import GAME

MULTIPLAYER = multiplayer_of(GAME)
PATIENCE = 60.0
JUNK = 100_000
"""Datagrams, as many a second as can be sent: more than 50,000 on any machine."""
DAWDLERS = 500
CROWD = 200


class Visitor:
    """Somebody with a real socket, who plays by nothing but the wire."""

    def __init__(self) -> None:
        self.participant = Participant(MULTIPLAYER)
        self.connected = False
        self.ended = False
        self.heard = 0
        self.mute = False
        self.guest: Guest

    @classmethod
    async def come(cls, server: "Server", name: str, *, mute: bool = False) -> "Visitor":
        """Connect, and sit down unless they are `mute`."""
        visitor = cls()
        visitor.mute = mute
        visitor.guest = await Guest.open(server.service.invite, MULTIPLAYER.protocol, visitor._take, name=name)
        return visitor

    def _take(self, event: object) -> None:
        self.heard += 1
        self.connected = self.connected or isinstance(event, Connected)
        if isinstance(event, Connected) and not self.mute:
            self.participant.connected(self.guest.send, self.guest.client.estimate)
        self.ended = self.ended or isinstance(event, Disconnected | Refused)
        self.participant.receive(event, 0.0)

    @property
    def plays(self) -> bool:
        return self.participant.ready and not self.ended


class Server:
    """A server on this loop, with its pages."""

    def __init__(self, service: Service, ops: Ops) -> None:
        self.service = service
        self.ops = ops

    @property
    def process(self) -> Process:
        worker = self.service.workers[0]
        assert isinstance(worker, LocalWorker)
        return worker.process

    def room_of(self, visitor: Visitor) -> Room:
        return self.process.rooms.by_code[visitor.guest.invite.room]

    async def settled(self, name: str = "Ana") -> Visitor:
        """Somebody who plays."""
        visitor = await Visitor.come(self, name)
        await until(lambda: visitor.plays)
        return visitor

    async def healthy(self) -> bool:
        async with aiohttp.ClientSession() as session, session.get(self.ops.url + "healthz") as answer:
            return answer.status == 200


async def until(reached: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not reached():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def serving(folder: Path, **more: Any) -> AsyncGenerator[Server]:
    settings = {"server.bind": "127.0.0.1:0", "ops.bind": "127.0.0.1:0", "discovery.lan": False}
    config = load(options=settings)
    opened: asyncio.Future[Ops] = asyncio.get_running_loop().create_future()

    @contextlib.asynccontextmanager
    async def pages(service: Service) -> AsyncGenerator[None]:
        assert config.ops.bind is not None
        async with open_ops(service, config.ops.bind) as ops:
            opened.set_result(ops)
            yield

    service = Service(GAME, config, folder=folder, extensions=[pages], announce=lambda invite: None, **more)
    task = asyncio.create_task(service.run())
    await until(lambda: service.stage is Stage.READY or task.done())
    if task.done():
        await task  # it says why it could not start
    try:
        yield Server(service, await opened)
    finally:
        service.stop()
        assert await task == 0


FLOOD = """
import random, socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(7)
kinds = [bytes([first]) + rng.randbytes(size) for first in range(256) for size in (0, 1, 30, 200, 1077, 1250)]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
    opened.connect(("127.0.0.1", port))
    for number in range(count):
        try:
            opened.send(kinds[number % len(kinds)])
        except OSError:
            pass
"""


def test_junk_from_one_address_is_counted_and_harms_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path) as server:
            ana = await server.settled()
            room, udp = server.room_of(ana), server.process.server
            before, ticks, heard = sum(udp.ignored.values()), room.ticks.count, ana.heard
            flood = await asyncio.create_subprocess_exec(
                sys.executable, "-c", FLOOD, str(server.service.invite.port), str(JUNK)
            )
            assert await flood.wait() == 0
            await until(lambda: room.ticks.count >= ticks + 60)
            assert await server.healthy()
            assert sum(udp.ignored.values()) - before > JUNK / 50  # the system drops what it has no room for
            assert (udp.netcode.half_open, len(udp.peers)) == (0, 1)
            assert room.ticks.dropped <= (room.ticks.count - ticks) / 10
            assert ana.plays
            assert ana.heard > heard
            await server.settled("Ben")

    asyncio.run(story())


def test_five_hundred_who_dawdle_at_each_port_keep_nobody_out(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path) as server:
            ana = await server.settled()
            room = server.room_of(ana)
            ticks = room.ticks.count
            writers: list[asyncio.StreamWriter] = []
            for port in (server.service.invite.port, server.ops.address.port):
                for _ in range(DAWDLERS):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(b"G" if port == server.ops.address.port else b"\x16")
                    writers.append(writer)
            assert await server.healthy()
            await server.settled("Ben")
            await until(lambda: room.ticks.count >= ticks + 60)
            assert ana.plays
            for writer in writers:
                writer.transport.abort()

    asyncio.run(story())


def test_two_hundred_who_come_at_once_all_get_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path) as server:
            people = await asyncio.gather(*(Visitor.come(server, f"{number}", mute=True) for number in range(CROWD)))
            await until(lambda: all(one.connected for one in people))
            assert not any(one.ended for one in people)
            assert sorted(len(room.members) for room in server.process.rooms.by_code.values()) == [8, *[16] * 12]
            assert server.service.reception.turned_away.keys() <= {"full"}
            assert await server.healthy()

    asyncio.run(story())


@pytest.mark.parametrize("jump", [-400 * 86400.0, -60.0, 60.0, 400 * 86400.0])
def test_a_jump_of_the_clock_is_nobodys_concern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    real = time.time

    async def story() -> None:
        async with serving(tmp_path) as server:
            ana = await server.settled()
            coming = asyncio.create_task(Visitor.come(server, "Ben"))  # with a token from before
            monkeypatch.setattr(time, "time", lambda: real() + jump)
            ben = await coming
            cem = await server.settled("Cem")
            ticks = server.room_of(ana).ticks.count
            await until(lambda: server.room_of(ana).ticks.count > ticks + 10)
            await until(lambda: ana.plays and ben.plays and cem.plays)
            assert server.process.rooms.standstills == 0
            assert await server.healthy()

    asyncio.run(story())


class SmallDisk(io.BytesIO):
    """Holds a few thousand bytes."""

    def write(self, content: Any, /) -> int:
        if self.tell() + len(content) > 5_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(content)


def test_a_disk_that_is_full_ends_a_recording_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        disk = SmallDisk()
        async with serving(tmp_path) as server:
            (room,) = server.process.rooms.by_code.values()
            room.record(disk)
            ana = await server.settled()
            await until(lambda: "goes on unrecorded" in caplog.text)
            assert "No space left on device" in caplog.text
            ticks = server.room_of(ana).ticks.count
            await until(lambda: server.room_of(ana).ticks.count > ticks + 10)
            assert ana.plays
            assert server.process.rooms.crashes == 0

    asyncio.run(story())


def test_a_recording_of_several_processes_is_refused(tmp_path: Path) -> None:
    config = load(options={"server.bind": "127.0.0.1:0", "server.workers": 2})
    with pytest.raises(TickwireError, match="--workers 2: a recording is made of a server with one process"):
        asyncio.run(Service(GAME, config, folder=tmp_path, record=tmp_path / "match.twr").run())
