"""Company: whether others play along over a network, and what goes back and forth with them besides the match."""

from __future__ import annotations

from engine.app import Plugin, Scene
from engine.ecs import World
from engine.net.connection import Received
from engine.net.networking import Guest, networking
from engine.net.replication.authority import Authority
from engine.net.replication.showing import Showing
from engine.net.wire.system import Notice
from games.ricochet.chat import Distances, clean_line, tell
from games.ricochet.components import NOBODY
from games.ricochet.events import WantedOn
from games.ricochet.messages import Chat, GoOn, Pings, Say
from games.ricochet.seats import clean_name

company = Plugin("ricochet.company", needs=[networking])
"""Hears what a server says; at the server itself, it hears nothing."""


def in_company(world: World) -> bool:
    """Whether this match is played over a network, here or at its server. Then time is not one's own to stop."""
    return world.find_resource(Showing) is not None or world.find_resource(Authority) is not None


@company.setup
def prepare(world: World) -> None:
    if world.find_resource(Distances) is None:
        world.insert(Distances())


@company.on(Received[Chat])
def hear(world: World, event: Received[Chat]) -> None:
    if world.find_resource(Showing) is not None:  # at a server, it would be a guest's invention
        chat = event.message
        world.post(Chat(chat.seat, clean_name(chat.name), clean_line(chat.text)))


@company.on(Received[Notice])
def heed(world: World, event: Received[Notice]) -> None:
    """Whoever runs the server speaks where everyone does."""
    if world.find_resource(Showing) is not None:
        world.post(Chat(NOBODY, "server", clean_line(event.message.words)))


@company.on(Received[Pings])
def note(world: World, event: Received[Pings]) -> None:
    if world.find_resource(Showing) is not None:
        world.resource(Distances).by_seat = {ping.seat: ping.milliseconds for ping in event.message.pings}


def say(world: World, text: str, seat: int | None) -> None:
    """Say a line from this machine, as who plays in this seat here."""
    wire = world.find_resource(Guest)
    if wire is None:
        tell(world, NOBODY if seat is None else seat, "the host", text)
    elif clean_line(text):
        wire.send(Say(clean_line(text)))


def go_on(world: World, seat: int) -> None:
    """Have seen enough of the podium, as who plays in this seat here."""
    wire = world.find_resource(Guest)
    if wire is None:
        world.resource(Scene).receive(WantedOn(seat))
    else:
        wire.send(GoOn())
