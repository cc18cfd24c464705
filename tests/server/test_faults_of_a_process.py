"""What befalls a whole server as `tickwire serve` runs it: blocked, stopped, killed; each with players who play on."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.app import App, Scene
from engine.ecs import World
from engine.net import Me
from engine.net.session import Joining, State
from engine.server.rooms import ENDED
from games.tag import GAME, Runner

PATIENCE = 60.0
QUIET = 0.3
"""Seconds of silence that are one, so that nobody here has to wait long."""

posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")

BLOCKING = """
import time
from pathlib import Path
from engine.app import Game, Plugin, Tick
from engine.server.room import Room
from games import tag

FLAG = Path(__file__).with_name("blocked")
stuck = Plugin("stuck")

@stuck.on(Tick)
def get_stuck(world, tick):
    while FLAG.exists() and FLAG.read_text() == world.resource(Room).code:
        time.sleep(0.01)

GAME = Game("tag", "Tag", 1, lambda options: [tag.rules, stuck], multiplayer=tag.GAME.multiplayer)
"""


class Someone:
    """A person with an app of their own."""

    def __init__(self, invite: str, name: str) -> None:
        self.app = App()
        self.app.push(Scene(name="menu"))
        self.joining = Joining(self.app, GAME, invite, name, quiet=QUIET)

    @property
    def world(self) -> World:
        return self.app.scene.world

    @property
    def plays(self) -> bool:
        """Whether they see themselves."""
        me = self.world.find_resource(Me)
        players = [runner.player for runner in self.world.rows(Runner)]
        return self.joining.state is State.PLAYING and me is not None and me.player in players

    @property
    def seen(self) -> int:
        """The newest tick that they were told of."""
        latest = self.joining.participant.latest
        return latest.tick if latest is not None else 0

    @property
    def room(self) -> str:
        return self.joining.invite.partition("room=")[2]


class Running:
    """A server in a process of its own, as seen from outside."""

    def __init__(self, process: subprocess.Popen[str], log: Path, session: aiohttp.ClientSession) -> None:
        assert process.stdout is not None
        self.process = process
        self.log = log
        self.session = session
        lines = [process.stdout.readline() for _ in range(3)]
        assert process.poll() is None, log.read_text()
        self.url = next(line for line in lines if line.startswith("dashboard")).split()[1].partition("#")[0]
        self.invite = next(line for line in lines if line.startswith("tickwire://")).strip()

    async def get(self, path: str, patience: float = PATIENCE) -> tuple[int, Any]:
        async with asyncio.timeout(patience), self.session.get(self.url + path) as answer:
            return answer.status, json.loads(await answer.text())

    async def health(self, patience: float) -> tuple[int, str]:
        """The status of ``/healthz`` and what it says; 0 if nothing comes in time."""
        try:
            status, said = await self.get("healthz", patience)
        except (TimeoutError, aiohttp.ClientError):
            return 0, ""
        return status, "; ".join(said["problems"])

    async def ticks(self, room: str) -> int:
        return (await self.get(f"api/rooms/{room}"))[1]["tick"]

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@contextlib.asynccontextmanager
async def serving(folder: Path, game: str, *options: str) -> AsyncGenerator[Running]:
    log = folder / "log"
    environment = {**os.environ, "XDG_DATA_HOME": str(folder)}
    command = [sys.executable, "-m", "engine.cli.main", "serve", game, "--bind", "127.0.0.1:0", "--ops", "127.0.0.1:0"]
    with (
        log.open("w") as file,
        subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=file, text=True, env=environment
        ) as process,
    ):
        try:
            async with aiohttp.ClientSession() as session:
                yield Running(process, log, session)
        finally:
            process.kill()


async def until(reached: Callable[[], Any], *people: Someone) -> None:
    """Let everyone live until something is the case."""
    end = time.perf_counter() + PATIENCE
    while True:
        found = reached()
        if await found if asyncio.iscoroutine(found) else found:
            return
        assert time.perf_counter() < end, [(one.joining.state, one.joining.words) for one in people]
        for one in people:
            one.app.advance(time.perf_counter())
        await asyncio.sleep(0.004)


def of_status(server: Running, wanted: int, saying: str = "") -> Callable[[], Any]:
    async def look() -> bool:
        status, said = await server.health(PATIENCE if wanted else 0.5)
        return status == wanted and saying in said

    return look


@pytest.mark.parametrize("workers", [1, 2])
def test_a_handler_that_blocks_is_named_and_health_is_bad_until_it_is_done(tmp_path: Path, workers: int) -> None:
    game, flag = tmp_path / "blocking.py", tmp_path / "blocked"
    game.write_text(BLOCKING)

    async def story() -> None:
        async with serving(tmp_path, str(game), "--workers", str(workers), "--seats", "1") as server:
            ana, ben = Someone(server.invite, "Ana"), Someone(server.invite, "Ben")
            await until(lambda: ana.plays and ben.plays, ana, ben)
            await until(of_status(server, 200), ana, ben)
            flag.write_text(ana.room)
            if workers == 1:  # the pages are on the same loop: silence is how they say it
                await until(of_status(server, 0), ana, ben)
            else:
                await until(of_status(server, 503, saying="no answer"), ana, ben)
                await until(lambda: ben.plays, ana, ben)
                before = await server.ticks(ben.room)
                await until(lambda: ben.seen > before + 60, ana, ben)
            await until(lambda: "get_stuck" in server.log.read_text(), ana, ben)
            await until(lambda: ana.joining.state is State.RESUMING, ana, ben)
            flag.unlink()
            await until(of_status(server, 200), ana, ben)
            await until(lambda: ana.plays and ben.plays, ana, ben)
            room, others = ana.room, ben.room
            (named,) = [line for line in server.logged() if "get_stuck" in line["message"]]
            assert re.match(
                rf"room {room}: tick \d+ has been running for .* in get_stuck \(.*blocking\.py:", named["message"]
            )
            assert (named["level"], named["room"]) == ("warning", room)
            _, notes = await server.get("api/notes")
            kinds = [note["kind"] for note in notes if note["room"] == room]
            assert "blocked" in kinds
            assert "crashed" not in kinds
            assert room != others
            for one in (ana, ben):
                one.joining.cancel()
            await until(lambda: ana.joining.task.done() and ben.joining.task.done())

    asyncio.run(story())


@posix
def test_a_server_that_is_stopped_goes_on_with_its_players_when_it_is_let(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path, "games.tag") as server:
            ana = Someone(server.invite, "Ana")
            await until(lambda: ana.plays, ana)
            room, player = ana.room, ana.world.resource(Me).player
            os.kill(server.process.pid, signal.SIGSTOP)
            await until(lambda: ana.joining.state is State.RESUMING, ana)
            await until(of_status(server, 0), ana)
            await until(of_status(server, 0), ana)  # that was a second in all
            os.kill(server.process.pid, signal.SIGCONT)
            await until(lambda: ana.plays, ana)
            assert (ana.room, ana.world.resource(Me).player) == (room, player)
            await until(of_status(server, 200), ana)
            _, notes = await server.get("api/notes")
            assert "standstill" in [note["kind"] for note in notes]
            ana.joining.cancel()
            await until(ana.joining.task.done)

    asyncio.run(story())


@posix
def test_who_was_with_a_worker_that_was_killed_plays_on_elsewhere(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path, "games.tag", "--workers", "2", "--seats", "1") as server:
            ana, ben = Someone(server.invite, "Ana"), Someone(server.invite, "Ben")
            await until(lambda: ana.plays and ben.plays, ana, ben)
            scenes, room = [one.app.scene for one in (ana, ben)], ana.room
            await until(lambda: _worker_of(server, room), ana, ben)
            os.kill(await _worker_of(server, room), signal.SIGKILL)
            await until(lambda: ana.plays and ana.room != room, ana, ben)
            assert ana.joining.moved
            assert ana.app.scene is not scenes[0]
            assert (ben.app.scene, ben.joining.moved) == (scenes[1], False)
            for one in (ana, ben):
                one.joining.cancel()
            await until(lambda: ana.joining.task.done() and ben.joining.task.done())

    asyncio.run(story())


LASTING = """
from engine.app import Game
from engine.net import Multiplayer
from games import tag
multiplayer = Multiplayer(tag.protocol, save=lambda world: "kept", load=lambda world, state: None,
                          may_close=lambda world: False)
GAME = Game("tag", "Tag", 1, lambda options: [tag.rules], multiplayer=multiplayer)
"""


@posix
def test_a_second_sigterm_saves_and_goes_and_the_next_start_has_the_room_again(tmp_path: Path) -> None:
    (tmp_path / "lasting.py").write_text(LASTING)
    options = (str(tmp_path / "lasting.py"), "--save", str(tmp_path / "saves"))

    async def story() -> None:
        async with serving(tmp_path, *options) as server:
            ana = Someone(server.invite, "Ana")
            await until(lambda: ana.plays, ana)
            room = ana.room
            server.process.send_signal(signal.SIGTERM)
            await until(lambda: "draining" in server.log.read_text(), ana)
            assert server.process.poll() is None
            server.process.send_signal(signal.SIGTERM)
            await until(lambda: ana.joining.state is State.FAILED, ana)
            assert ana.joining.words == ENDED
            await until(lambda: server.process.poll() is not None)
            assert server.process.returncode == 0
        async with serving(tmp_path, *options) as server:
            _, rooms = await server.get("api/rooms")
            assert room in [each["code"] for each in rooms]

    asyncio.run(story())


async def _worker_of(server: Running, room: str) -> int:
    """The process that a room is in; 0 while that is not known."""
    _, said = await server.get("api/server")
    worker = next((each["worker"] for each in said["rooms"] if each["code"] == room), None)
    return next((each["pid"] for each in said["processes"] if each["worker"] == worker), 0)
