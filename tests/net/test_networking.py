"""An app that hosts and an app that joins, on one loop: messages reach handlers, and a tick sends what it said."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from engine.app import App, Plugin
from engine.ecs import World
from engine.net.connection import Connected, Password, Received
from engine.net.networking import Guest, RefusedError, joining, networking
from engine.net.transport.capture import Capture
from engine.net.transport.host import Host
from engine.net.transport.token_service import NoTokenError
from engine.net.wire import Channel, MaxBytes, Protocol


@dataclass(slots=True)
class Say:
    text: Annotated[str, MaxBytes(100)]


PROTOCOL = Protocol("meet").message(Say, Channel.RELIABLE_ORDERED)


def heard_by(name: str) -> tuple[App, list[str]]:
    heard: list[str] = []
    plugin = Plugin(name, needs=[networking])

    @plugin.on(Received[Say])
    def listen(world: World, event: Received[Say]) -> None:
        heard.append(event.message.text)

    @plugin.on(Connected)
    def notice(world: World, event: Connected) -> None:
        heard.append(event.user)

    return App(plugin), heard


def test_apps_meet(tmp_path: Path) -> None:
    async def scene() -> None:
        hall, hall_heard = heard_by("hall")
        desk, desk_heard = heard_by("desk")
        capture = Capture(tmp_path / "c.pcap")
        async with (
            asyncio.timeout(20),
            await Host.open(
                PROTOCOL, hall.post, host="127.0.0.1", port=0, folder=tmp_path, max_clients=1, capture=capture
            ) as host,
            joining(desk, PROTOCOL, host.invite, name="Ana") as guest,
        ):
            assert desk.world.resource(Guest) is guest
            assert guest.client.connected
            hall.world.insert(host)
            guest.send(Say("up"))
            desk.run_ticks(1)
            while hall_heard != ["Ana", "up"]:
                await asyncio.sleep(0.002)
                hall.run_ticks(1)
            host.broadcast(Say("down"))
            before = capture.written
            hall.run_ticks(1)
            assert capture.written > before  # by the tick, not by a timer
            while desk_heard != ["", "down"]:
                await asyncio.sleep(0.002)
                desk.run_ticks(1)
            with pytest.raises(RefusedError, match="full"):
                async with joining(App(networking), PROTOCOL, host.invite):
                    pass
        capture.close()

    asyncio.run(scene())


def test_a_door_turns_away_in_words(tmp_path: Path) -> None:
    async def scene() -> None:
        async with await Host.open(
            PROTOCOL, lambda event: None, host="127.0.0.1", port=0, folder=tmp_path, door=Password("sesame")
        ) as host:
            with pytest.raises(NoTokenError, match="password"):
                async with joining(App(networking), PROTOCOL, host.invite):
                    pass

    asyncio.run(scene())
