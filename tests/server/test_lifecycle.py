"""A whole server on the loopback: ready when it is, drained so that everyone is told, and a line when it cannot be."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import a2s
import pytest

from engine.app import Game
from engine.errors import TickwireError
from engine.net.connection import Connected, Disconnected, Received, Refused
from engine.net.connection.invite import Invite
from engine.net.multiplayer import Multiplayer
from engine.net.replication.participant import Participant
from engine.net.transport.host import Guest
from engine.net.transport.token_service import NoTokenError
from engine.net.wire.system import Notice
from engine.server.config import load
from engine.server.lifecycle import Service, Stage
from engine.server.rooms import ENDED, KICKED
from games import tag

PATIENCE = 30.0


class Visitor:
    """Somebody with a real socket."""

    def __init__(self) -> None:
        self.participant = Participant(tag.GAME.multiplayer)
        self.ended = False
        self.notices: list[str] = []
        self.guest: Guest

    @classmethod
    async def come(cls, invite: Invite | str, name: str, **asked: str) -> "Visitor":
        visitor = cls()
        visitor.guest = await Guest.open(invite, tag.protocol, visitor._take, name=name, **asked)
        return visitor

    def _take(self, event: object) -> None:
        if isinstance(event, Connected):
            self.participant.connected(self.guest.send, self.guest.client.estimate)
        self.ended = self.ended or isinstance(event, Disconnected | Refused)
        if isinstance(event, Received) and isinstance(event.message, Notice):
            self.notices.append(event.message.words)
        self.participant.receive(event, 0.0)

    @property
    def room(self) -> str:
        return self.guest.invite.room


async def until(reached, what: str = "it") -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not reached():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"{what} did not come about")


def config_of(path: Path, **settings: object):
    options = {"server.bind": "127.0.0.1:0", **{name.replace("__", "."): value for name, value in settings.items()}}
    return load(path if path.is_file() else None, options=options)


@contextlib.asynccontextmanager
async def serving(tmp_path: Path, game: Game = tag.GAME, **settings: object) -> AsyncGenerator[Service]:
    service = Service(game, config_of(tmp_path, **settings), folder=tmp_path, announce=lambda invite: None)
    task = asyncio.create_task(service.run())
    await until(lambda: service.stage is not Stage.STARTING or task.done())
    try:
        if task.done():
            await task
        yield service
    finally:
        service.stop()
        assert await task == 0


def lasting() -> tuple[Game, list[bool]]:
    """Tag, whose rounds are over when the list says so."""
    over: list[bool] = []
    multiplayer = Multiplayer(tag.protocol, may_close=lambda world: bool(over))
    return Game("tag", "Tag", 1, lambda options: [tag.rules], multiplayer=multiplayer), over


def test_people_meet_in_rooms_and_are_told_when_it_ends(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(tmp_path, rooms__seats=2) as service:
            assert [note.kind for note in service.notes] == ["opened"]
            ana, ben, cem = [await Visitor.come(service.invite, name) for name in ("Ana", "Ben", "Cem")]
            dua = await Visitor.come(service.invite, "Dua", want="private")
            eli = await Visitor.come(dua.guest.invite, "Eli")
            people = [ana, ben, cem, dua, eli]
            await until(lambda: all(one.participant.ready for one in people), "playing")
            assert ana.room == ben.room
            assert dua.room == eli.room
            assert len({one.room for one in people}) == 3
            assert {player.name for room in service.rooms() for player in room.players} == {
                "Ana",
                "Ben",
                "Cem",
                "Dua",
                "Eli",
            }
            assert await service.say("hello", ana.room) == 2
            await until(lambda: ana.notices == ben.notices == ["hello"])
            (peer,) = [each.peer for room in service.rooms() for each in room.players if each.name == "Ana"]
            assert await service.kick(ana.room, peer, ban=60.0)
            await until(lambda: ana.ended)
            assert ana.participant.last_words == KICKED
            with pytest.raises(NoTokenError, match="does not want you"):
                await Visitor.come(service.invite, "Ana")
        await until(lambda: all(one.ended for one in people))
        assert {one.participant.last_words for one in people[1:]} == {ENDED}

    asyncio.run(scene())


def test_a_drain_lets_rounds_end_and_nobody_in(tmp_path: Path) -> None:
    async def scene() -> None:
        game, over = lasting()
        stages: list[Stage] = []
        service = Service(game, config_of(tmp_path), folder=tmp_path, announce=lambda invite: None)
        service.on_stage.append(stages.append)
        task = asyncio.create_task(service.run())
        await until(lambda: service.stage is Stage.READY)
        ana = await Visitor.come(service.invite, "Ana")
        await until(lambda: ana.participant.ready)
        service.drain_or_stop()
        with pytest.raises(NoTokenError, match="lets nobody in"):
            await Visitor.come(service.invite, "Ben")
        await asyncio.sleep(0.1)
        assert not ana.ended
        over.append(True)
        assert await task == 0
        await until(lambda: ana.ended)
        assert ana.participant.last_words == ENDED
        assert stages == [Stage.READY, Stage.DRAINING, Stage.CLOSED]

    asyncio.run(scene())


def test_a_drain_has_a_deadline_and_a_second_signal_ends_it(tmp_path: Path) -> None:
    async def scene(deadline: float, signals: int) -> None:
        game, _ = lasting()
        service = Service(
            game, config_of(tmp_path, drain__deadline=deadline), folder=tmp_path, announce=lambda invite: None
        )
        task = asyncio.create_task(service.run())
        await until(lambda: service.stage is Stage.READY)
        people = [await Visitor.come(service.invite, f"{number}") for number in range(5)]
        await until(lambda: all(one.participant.ready for one in people))
        for _ in range(signals):
            service.drain_or_stop()
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            assert await task == 0
        await until(lambda: all(one.ended for one in people))
        assert {one.participant.last_words for one in people} == {ENDED}

    asyncio.run(scene(0.2, 1))
    asyncio.run(scene(3600.0, 2))


def test_a_password_and_a_full_server_are_said_in_words(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "server.toml"
        path.write_text('[server]\npassword = "sesame"\nmax_players = 1\n')
        path.chmod(0o600)
        service = Service(tag.GAME, config_of(path), folder=tmp_path, announce=lambda invite: None)
        task = asyncio.create_task(service.run())
        await until(lambda: service.stage is Stage.READY)
        with pytest.raises(NoTokenError, match="asks for a password"):
            await Visitor.come(service.invite, "Ana")
        await Visitor.come(service.invite, "Ana", secret="sesame")
        with pytest.raises(NoTokenError, match="full: 1 are playing"):
            await Visitor.come(service.invite, "Ben", secret="sesame")
        assert service.reception.turned_away == {"password": 1, "full": 1}
        service.stop()
        assert await task == 0

    asyncio.run(scene())


def test_a_reload_takes_up_what_it_can(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text("[rooms]\nseats = 2\n")

    async def scene() -> None:
        service = Service(
            tag.GAME, config_of(path), folder=tmp_path, read=lambda: config_of(path), announce=lambda invite: None
        )
        task = asyncio.create_task(service.run())
        await until(lambda: service.stage is Stage.READY)
        path.write_text('[rooms]\nseats = 1\n[server]\npassword = "sesame"\nworkers = 3\n')
        service.reload()
        with pytest.raises(NoTokenError, match="asks for a password"):
            await Visitor.come(service.invite, "Ana")
        path.write_text("[rooms]\nseats = many\n")
        service.reload()
        assert (service.config.rooms.seats, service.config.server.workers) == (1, 1)
        path.write_text('[rooms]\narena = "moon"\n')
        service.reload()
        assert service.config.rooms.arena == ""
        service.stop()
        assert await task == 0

    asyncio.run(scene())


def test_what_is_in_the_way_is_said_in_a_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        service = Service(tag.GAME, config_of(tmp_path, server__bind=address), folder=tmp_path)
        with pytest.raises(TickwireError, match=f"--bind.*{address}.*in use.*choose another port"):
            asyncio.run(service.run())
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        service = Service(tag.GAME, config_of(tmp_path, server__bind=address), folder=tmp_path)
        with pytest.raises(TickwireError, match=f"--bind.*{address}.*in use.*choose another port"):
            asyncio.run(service.run())
    service = Service(tag.GAME, config_of(tmp_path, server__bind="203.0.113.9:7777"), folder=tmp_path)
    with pytest.raises(TickwireError, match=r"--bind.*203\.0\.113\.9.*this machine has no such address"):
        asyncio.run(service.run())
    (tmp_path / "file").touch()
    service = Service(tag.GAME, config_of(tmp_path), folder=tmp_path / "file")
    with pytest.raises(TickwireError, match="TLS key cannot be read or kept"):
        asyncio.run(service.run())
    service = Service(tag.GAME, config_of(tmp_path, rooms__mode="chess"), folder=tmp_path)
    with pytest.raises(TickwireError, match=r"--mode.*chess"):
        asyncio.run(service.run())


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs somebody who may not do everything")
def test_a_port_that_takes_a_privilege_is_said_in_a_line(tmp_path: Path) -> None:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 80))
        pytest.skip("here, it takes none")
    except PermissionError:
        pass
    service = Service(tag.GAME, config_of(tmp_path, server__bind="127.0.0.1:80"), folder=tmp_path)
    with pytest.raises(TickwireError, match="ports below 1024 take a privilege"):
        asyncio.run(service.run())


ROUND_WITHOUT_END = """
from games import tag
from engine.app import Game
from engine.net import Multiplayer
GAME = Game("tag", "Tag", 1, lambda options: [tag.rules],
            multiplayer=Multiplayer(tag.protocol, may_close=lambda world: False))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_the_command_drains_on_sigterm_and_exits_with_0(tmp_path: Path) -> None:
    game = tmp_path / "endless.py"
    game.write_text(ROUND_WITHOUT_END)
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "engine.cli.main", "serve", str(game), "--bind", "127.0.0.1:0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            title, invite = process.stdout.readline(), process.stdout.readline().strip()
            assert title.startswith("Tag")

            async def scene() -> str:
                ana = await Visitor.come(invite, "Ana")
                await until(lambda: ana.participant.ready)
                process.send_signal(signal.SIGTERM)
                await until(lambda: bool(ana.notices))
                process.send_signal(signal.SIGTERM)
                await until(lambda: ana.ended)
                return ana.participant.last_words

            assert asyncio.run(scene()) == ENDED
            _, logged = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0
    said = [json.loads(line)["message"] for line in logged.splitlines()]
    assert said[:2] == ["ready", "draining"]
    assert re.search("told", said[-1])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_browser_reads_it_while_it_is_ready(tmp_path: Path, workers: int) -> None:
    command = (sys.executable, "-m", "engine.cli.worker")

    async def scene() -> None:
        game, _ = lasting()
        config = config_of(tmp_path, server__workers=workers, server__name="The Arena", discovery__lan=False)
        service = Service(
            game, config, word="games.tag", command=command, folder=tmp_path, announce=lambda invite: None
        )
        task = asyncio.create_task(service.run())
        await until(lambda: service.stage is Stage.READY or task.done())
        ana = await Visitor.come(service.invite, "Ana")
        await until(lambda: ana.participant.ready)
        await asyncio.gather(*(worker.refresh() for worker in service.workers))
        address = ("127.0.0.1", service.invite.port)
        info = await a2s.ainfo(address)
        assert (info.server_name, info.game, info.folder, info.player_count) == ("The Arena", "Tag", "tag", 1)
        assert [player.name for player in await a2s.aplayers(address)] == ["Ana"]
        assert "rooms" in await a2s.arules(address)
        if workers == 1:
            service.drain()
            with pytest.raises(TimeoutError):
                await a2s.ainfo(address, timeout=0.2)
        service.stop()
        assert await task == 0

    asyncio.run(scene())
