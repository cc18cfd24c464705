"""A running app whose connection is lost: it says so soon, and finds a way back, or on, before any time-out."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from engine.app import App, Scene
from engine.ecs import World
from engine.net import Me
from engine.net.session import Joining, State
from engine.net.transport.conditioner import Conditions
from engine.net.transport.host import Guest
from engine.server.config import load
from engine.server.lifecycle import Service, Stage
from engine.server.process import Process
from engine.server.workers import LocalWorker
from games.tag import GAME, Runner

PATIENCE = 30.0
QUIET = 0.3
"""Seconds, so that nobody here has to wait long."""
CUT = Conditions(loss=1.0)


class Someone:
    """A person with an app of their own, who joins by an invite."""

    def __init__(self, invite: object, name: str) -> None:
        self.app = App()
        self.app.push(Scene(name="menu"))
        self.joining = Joining(self.app, GAME, str(invite), name, quiet=QUIET)

    @property
    def world(self) -> World:
        return self.app.scene.world

    @property
    def guest(self) -> Guest:
        return self.world.resource(Guest)

    @property
    def room(self) -> str:
        return self.guest.invite.room

    @property
    def plays(self) -> bool:
        """Whether they see themselves."""
        me = self.world.find_resource(Me)
        return (
            self.joining.state is State.PLAYING
            and me is not None
            and me.player in [runner.player for runner in self.world.rows(Runner)]
        )


async def until(reached: Callable[[], bool], *people: Someone) -> None:
    """Let everyone live until something is the case."""
    end = time.perf_counter() + PATIENCE
    while not reached():
        assert time.perf_counter() < end, [(one.joining.state, one.joining.words) for one in people]
        for one in people:
            one.app.advance(time.perf_counter())
        await asyncio.sleep(0.004)


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncGenerator[Service]:
    config = load(options={"server.bind": "127.0.0.1:0", "rooms.seats": 2})
    service = Service(GAME, config, folder=folder, announce=lambda invite: None)
    task = asyncio.create_task(service.run())
    await until(lambda: service.stage is Stage.READY or task.done())
    try:
        yield service
    finally:
        service.stop()
        assert await task == 0


def process_of(service: Service) -> Process:
    worker = service.workers[0]
    assert isinstance(worker, LocalWorker)
    return worker.process


def test_another_way_leads_back_to_ones_seat(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path) as service:
            ana = Someone(service.invite, "Ana")
            await until(lambda: ana.plays, ana)
            scene, guest, room = ana.app.scene, ana.guest, ana.room
            player = ana.world.resource(Me).player
            guest.udp.condition(CUT)
            await until(lambda: ana.joining.state is State.RESUMING, ana)
            assert ana.joining.words == "the server is silent"
            await until(lambda: ana.plays, ana)
            assert ana.guest is not guest
            assert ana.app.scene is scene
            assert (ana.room, ana.world.resource(Me).player) == (room, player)
            (held,) = process_of(service).rooms.by_code.values()
            assert held.authority.players == {player: "Ana"}
            ana.joining.cancel()
            await until(ana.joining.task.done)

    asyncio.run(story())


def test_a_silence_that_ends_is_no_loss(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path) as service:
            ana = Someone(service.invite, "Ana")
            await until(lambda: ana.plays, ana)
            guest = ana.guest
            service.reception.open = False  # there is no other way
            guest.udp.condition(CUT)
            await until(lambda: "lets nobody in" in ana.joining.words, ana)
            assert ana.joining.state is State.RESUMING
            guest.udp.condition(None)
            await until(lambda: ana.plays, ana)
            assert ana.guest is guest
            ana.joining.cancel()
            await until(ana.joining.task.done)

    asyncio.run(story())


def test_from_a_room_that_is_gone_one_goes_on_to_another(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path) as service:
            ana = Someone(service.invite, "Ana")
            await until(lambda: ana.plays, ana)
            scene, room = ana.app.scene, ana.room
            ana.guest.udp.condition(CUT)
            process_of(service).rooms.close_room(room)
            ben = Someone(service.invite, "Ben")
            await until(lambda: ben.plays, ben)
            await until(lambda: ana.plays and ana.room != room, ana, ben)
            assert ana.room == ben.room
            assert ana.app.scene is not scene
            assert (ana.joining.moved, ben.joining.moved) == (True, False)
            assert ana.world.resource(Me).player == 1
            for one in (ana, ben):
                one.joining.cancel()
            await until(lambda: ana.joining.task.done() and ben.joining.task.done())

    asyncio.run(story())


def test_whoever_wanted_that_very_room_is_told_that_it_is_gone(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path) as service:
            ana = Someone(service.invite, "Ana")
            await until(lambda: ana.plays, ana)
            ben = Someone(ana.joining.invite, "Ben")
            await until(lambda: ben.plays, ana, ben)
            ben.guest.udp.condition(CUT)
            process_of(service).rooms.close_room(ana.room)
            await until(lambda: ben.joining.state is State.FAILED, ben)
            assert "there is no room" in ben.joining.words
            await until(lambda: ana.joining.state is State.FAILED, ana)
            assert "closed by whoever runs the server" in ana.joining.words
            assert ana.joining.invite == str(service.invite), "joining again is for any room"

    asyncio.run(story())
