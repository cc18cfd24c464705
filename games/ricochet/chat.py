"""Talk: lines go to the server, which hands them on with the name of who said them; and how far everyone is away.

This is the side with the authority; for the others', see `games.ricochet.presentation.company`. On either, what is said
is posted as `Chat`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import field

from engine.app import Plugin, Scene, Tick
from engine.ecs import Resource, World
from engine.net.connection import Disconnected, Received
from engine.net.connection.routing import routing
from engine.net.replication.authority import Authority
from games.ricochet.components import NOBODY, Player
from games.ricochet.events import WantedOn
from games.ricochet.messages import LONGEST_TALK, Chat, GoOn, Ping, Pings, Say
from games.ricochet.seats import clean_name, player_in

PINGS_EVERY = 60
"""Ticks from one word about pings to the next."""
MOST_LINES, LINES_WITHIN = 5, 300
"""Lines a peer may say within so many ticks; more are not handed on."""

room = Plugin("ricochet.room", needs=[routing])


class Distances(Resource, local=True):
    """How far everyone is away who plays over the network."""

    by_seat: dict[int, int] = field(default_factory=dict[int, int])
    """Round trips, in milliseconds."""


class Floor(Resource, local=True):
    """Who has spoken lately."""

    spoken: dict[int, deque[int]] = field(default_factory=dict[int, deque[int]])
    """The ticks of the last lines, by peer."""

    def has(self, peer: int, tick: int) -> bool:
        """Whether this peer may speak now, which then counts as spoken."""
        lately = self.spoken.setdefault(peer, deque(maxlen=MOST_LINES))
        if len(lately) == MOST_LINES and tick - lately[0] < LINES_WITHIN:
            return False
        lately.append(tick)
        return True


@room.setup
def prepare(world: World) -> None:
    world.insert(Distances())
    world.insert(Floor())


@room.on(Received[Say])
def hand_on(world: World, event: Received[Say]) -> None:
    """Everyone hears it, with the name that the server knows."""
    authority = world.find_resource(Authority)
    if authority is None or not world.resource(Floor).has(event.peer, world.resource(Scene).tick):
        return
    seat = authority.player_of(event.peer)
    tell(world, seat, clean_name(authority.peers.get(event.peer, "")), event.message.text)


@room.on(Disconnected)
def forget(world: World, event: Disconnected) -> None:
    world.resource(Floor).spoken.pop(event.peer, None)


def tell(world: World, seat: int, name: str, text: str) -> None:
    """Let everyone hear what was said from a seat, or by a spectator of that name."""
    text = clean_line(text)
    if not text:
        return
    player = player_in(world, seat)
    chat = Chat(max(NOBODY, seat), player[Player].name if player is not None else name or "someone", text)
    _send_all(world, chat)
    world.post(chat)


def _send_all(world: World, message: object) -> None:
    authority = world.find_resource(Authority)
    if authority is not None:
        for peer in authority.peers:
            authority.server.send(peer, message)


@room.on(Received[GoOn])
def hurry(world: World, event: Received[GoOn]) -> None:
    """Comes in again as an event of the game, so that a recording has it."""
    authority = world.find_resource(Authority)
    if authority is not None:
        world.resource(Scene).receive(WantedOn(authority.player_of(event.peer)))


@room.on(Tick)
def measure(world: World, tick: Tick) -> None:
    authority = world.find_resource(Authority)
    if tick.number % PINGS_EVERY or authority is None:
        return
    pings: list[Ping] = []
    for player, seat in sorted(authority.seats.by_player.items()):
        peer = authority.server.peers.get(seat.peer) if seat.peer is not None else None
        if peer is not None and peer.delivery.estimate.samples:
            pings.append(Ping(player, min(0xFFFF, round(peer.delivery.estimate.rtt * 1000))))
    world.resource(Distances).by_seat = {ping.seat: ping.milliseconds for ping in pings}
    _send_all(world, Pings(pings))


def clean_line(text: str) -> str:
    """What of a line is shown; empty if nothing is left of it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_TALK].strip()
