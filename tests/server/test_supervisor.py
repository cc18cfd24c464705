"""What a service supervisor hears of a server: when it is ready, that it drains and for how long, and that it lives."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.app import Game
from engine.net.multiplayer import Multiplayer
from engine.net.transport.host import Guest
from engine.net.transport.notify import Notifier
from engine.server.config import load
from engine.server.lifecycle import Service
from engine.server.supervisor import FAREWELLS, Reports, supervised, watchdog_interval
from games import tag

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="sockets in files, as POSIX has them")

PATIENCE = 30.0


class Supervisor:
    """Hears what it is told."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)
        self.heard: list[str] = []

    def hear(self) -> list[str]:
        """Every line so far."""
        try:
            while True:
                self.heard += self._socket.recv(65536).decode().splitlines()
        except BlockingIOError:
            return self.heard

    async def hears(self, begins: str) -> str:
        async with asyncio.timeout(PATIENCE):
            while not (found := [line for line in self.hear() if line.startswith(begins)]):
                await asyncio.sleep(0.005)
        return found[-1]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    path = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    listening = Supervisor(path)
    yield listening
    listening.close()


def service_in(folder: Path, game: Game = tag.GAME, options: Mapping[str, object] | None = None) -> Service:
    settings = {"server.bind": "127.0.0.1:0", "discovery.lan": False, **(options or {})}
    return Service(
        game,
        load(options=settings),
        word="games.tag",
        command=(sys.executable, "-m", "engine.cli.worker"),
        folder=folder,
        extensions=[supervised],
        announce=lambda invite: None,
    )


def lasting() -> Game:
    """Tag whose rounds do not end."""
    multiplayer = Multiplayer(tag.protocol, may_close=lambda world: False)
    return Game("tag", "Tag", 1, lambda options: [tag.rules], multiplayer=multiplayer)


def test_it_is_told_the_whole_way(tmp_path: Path, supervisor: Supervisor) -> None:
    async def scene() -> None:
        service = service_in(tmp_path, lasting(), {"drain.deadline": 300.0})
        task = asyncio.create_task(service.run())
        await supervisor.hears("READY=1")
        assert service.is_ready
        assert await supervisor.hears("STATUS=ready") == "STATUS=ready, players: 0, rooms: 1"
        guest = await Guest.open(service.invite, tag.protocol, lambda event: None, name="Ana")
        service.drain()
        assert await supervisor.hears("STATUS=draining")
        micros = await supervisor.hears("EXTEND_TIMEOUT_USEC=")
        assert "STOPPING=1" in supervisor.heard
        assert 300 < int(micros.partition("=")[2]) / 1e6 <= 302 + FAREWELLS
        assert not [line for line in supervisor.heard if line.startswith("WATCHDOG")]
        await guest.close()
        service.stop()
        assert await task == 0

    asyncio.run(scene())


@pytest.mark.parametrize("workers", [1, 2])
def test_it_is_shown_life_while_ticks_go_on(
    tmp_path: Path, supervisor: Supervisor, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")

    async def scene() -> None:
        service = service_in(tmp_path, options={"server.workers": workers})
        task = asyncio.create_task(service.run())
        await supervisor.hears("READY=1")
        supervisor.heard.clear()
        await supervisor.hears("WATCHDOG=1")
        service.stop()
        assert await task == 0

    asyncio.run(scene())


class Fleet:
    """Processes that say what they are made to say."""

    def __init__(self, *says: Callable[[], list[str]]) -> None:
        class Worker:
            def __init__(self, problems: Callable[[], list[str]]) -> None:
                self.problems = problems

            async def ask(self, what: str, **said: Any) -> Any:
                return {"problems": self.problems()}

        self.workers = [Worker(each) for each in says]


def gone() -> list[str]:
    raise ConnectionError("worker 1 is not there")


def test_it_is_alive_while_one_of_its_processes_is_well() -> None:
    def problems(*says: Callable[[], list[str]]) -> list[str]:
        return asyncio.run(Reports(Fleet(*says), lambda *lines: True).problems())  # pyright: ignore

    def well() -> list[str]:
        return []

    def stuck() -> list[str]:
        return ["room k3f9: no tick for 9.0 s"]

    assert problems(well) == []
    assert problems(stuck, well, gone) == []
    assert problems(stuck) == stuck()
    assert problems(gone, stuck) == ["worker 1 is not there", *stuck()]


def test_where_there_is_none_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert asyncio.run(service_in(tmp_path).run(0.01)) == 0


def test_one_that_does_not_listen_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    assert asyncio.run(service_in(tmp_path).run(0.01)) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no files")
def test_it_may_be_in_the_abstract_namespace() -> None:
    supervisor = Supervisor(f"\0tickwire-{os.getpid()}")
    tell = Notifier.of({"NOTIFY_SOCKET": f"@tickwire-{os.getpid()}"})
    assert tell is not None
    assert tell("READY=1", "STATUS=fine")
    assert supervisor.hear() == ["READY=1", "STATUS=fine"]
    tell.close()
    supervisor.close()


@pytest.mark.parametrize("address", ["", "vsock:1:2", "relative"])
def test_other_kinds_of_supervisors_are_left_alone(address: str) -> None:
    assert Notifier.of({"NOTIFY_SOCKET": address}) is None


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "1", "WATCHDOG_PID": "me"}, None),
    ],
)
def test_signs_of_life_are_given_twice_as_often_as_asked(environment: dict[str, str], interval: float | None) -> None:
    assert watchdog_interval(environment, 7) == interval
