"""A chat: `python -m games.chat serve` prints an invite, `python -m games.chat join INVITE NAME` enters."""

from dataclasses import dataclass
from typing import Annotated

from engine.app import Plugin
from engine.ecs import World
from engine.net.connection import Received
from engine.net.console import console
from engine.net.networking import Guest, Host, networking
from engine.net.wire import Channel, MaxBytes, Protocol


@dataclass(slots=True)
class Said:
    text: Annotated[str, MaxBytes(1000)]


PROTOCOL = Protocol("chat", "1").message(Said, Channel.RELIABLE_ORDERED)
room, desk = Plugin("chat.room", needs=[networking]), Plugin("chat.desk", needs=[networking])


@room.on(Received[Said])
def relay(world: World, event: Received[Said]) -> None:
    host = world.resource(Host)
    host.broadcast(Said(f"{host.name(event.peer)}: {event.message.text}"[:250]))


@desk.on(Said)
def say(world: World, typed: Said) -> None:
    world.resource(Guest).send(Said(typed.text[:200]))


@desk.on(Received[Said])
def show(world: World, event: Received[Said]) -> None:
    print(event.message.text, flush=True)


if __name__ == "__main__":
    raise SystemExit(console(PROTOCOL, host=room, guest=desk, typed=Said))
