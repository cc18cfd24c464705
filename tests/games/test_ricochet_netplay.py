"""Ricochet over a network: what clients show, what people say, and how a round goes on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from engine.app import Options, Plugin
from engine.ecs import World
from engine.graphics import Lines, Sprite, Text
from engine.net.transport.presets import MOBILE, WIFI
from engine.scene import Transform
from engine.testing.netplay import Netplay, NetplayClient
from games.ricochet.autopilot import Autopilot
from games.ricochet.chat import Distances
from games.ricochet.commands import Fly
from games.ricochet.components import NOBODY, Crate, Pad, Player, Ready, Ship
from games.ricochet.events import Bounced, Killed, Launched, PickedUp, Thrown
from games.ricochet.game import GAME
from games.ricochet.match import Match, Part
from games.ricochet.messages import LONGEST_TALK, Chat, GoOn, Ping, Pings, Say
from games.ricochet.presentation import presentation
from games.ricochet.presentation.company import company
from games.ricochet.presentation.viewer import Viewer
from games.ricochet.protocol import PROTOCOL
from games.ricochet.seats import LONGEST_NAME, player_in, ship_of

Room = Callable[..., Netplay]


@pytest.fixture
def room() -> Iterator[Room]:
    """Makes a room: `room(bots=3, conditions=WIFI)`, whose match begins at once."""
    made: list[Netplay] = []

    def make(bots: int = 1, *, playing: bool = True, **more: object) -> Netplay:
        match = Netplay(GAME, Options(seed=5, bots=bots), seed=5, **more)  # pyright: ignore[reportArgumentType]
        made.append(match.__enter__())
        if playing:
            match.world.resource(Match).left = 0.0
        return match

    yield make
    for match in made:
        match.__exit__(None, None, None)


def by_autopilot(client: NetplayClient) -> None:
    """Have a client fly as those of `tickwire bots` do."""
    pilot, rng = Autopilot(), random.Random(3)

    def wants(tick: int) -> list[Fly]:
        state = client.participant.latest
        return [pilot(state, client.player, rng, tick)] if state is not None else []

    client.wants = wants


def listening(*kinds: type) -> tuple[Plugin, list[object]]:
    """A plugin that hears events, and the list of them."""
    plugin, heard = Plugin("listening", needs=[company]), list[object]()

    def hear(world: World, event: object) -> None:
        heard.append(event)

    for kind in kinds:
        plugin.on(kind)(hear)
    return plugin, heard


def in_play(match: Netplay, *clients: NetplayClient) -> None:
    match.run_until(lambda: all(client.playing and client.player >= 0 for client in clients))


def test_over_a_phones_network_ones_own_drone_is_hardly_ever_corrected(room: Room) -> None:
    match = room(bots=4, conditions=MOBILE)
    client = match.join("Ana")
    in_play(match, client)
    by_autopilot(client)
    match.run(3.0)
    seen: list[float] = []
    match.run(4.0, lambda: seen.append(float(client.showing.prediction.visible)))
    assert np.percentile(seen, 99) < 6.0
    assert max(client.showing.prediction.errors, default=0.0) < 60.0
    assert not client.participant.desync


def test_alone_and_undisturbed_nothing_is_ever_corrected(room: Room) -> None:
    match = room(bots=1)
    client = match.join("Ana")  # the only seat's bot makes room
    in_play(match, client)
    client.wants = lambda tick: [
        Fly(0.1234567 * (tick % 7), -0.7654321, tick * 0.0123, fire=tick % 50 == 0, dash=tick % 170 == 0)
    ]
    match.run(2.0)
    before = client.showing.prediction.corrections
    match.run(6.0)
    assert client.showing.prediction.corrections - before <= 2
    assert max(list(client.showing.prediction.errors)[-2:], default=0.0) < 1.0


def test_each_client_is_told_of_each_thing_once(room: Room) -> None:
    plugin, heard = listening(Thrown, Killed, Launched, PickedUp, Bounced)
    match = room(bots=3, conditions=WIFI)
    there: list[object] = []
    for kind in (Thrown, Killed, Launched):
        match.scene.dispatcher.subscribe(kind, lambda _, event: there.append(event))
    client = match.join("Ana", plugin)
    in_play(match, client)
    by_autopilot(client)
    match.run(1.0)
    heard.clear()
    there.clear()
    match.run(8.0)
    kills = [(k.seat, k.by, k.bounces) for k in there if isinstance(k, Killed)]
    told = [(k.seat, k.by, k.bounces) for k in heard if isinstance(k, Killed)]
    assert kills[: len(told)] == told
    assert len(kills) - len(told) <= 1
    for seat in range(3):
        thrown = sum(isinstance(event, Thrown) and event.seat == seat for event in there)
        shown = sum(isinstance(event, Thrown) and event.seat == seat for event in heard)
        assert abs(thrown - shown) <= 1
    assert any(isinstance(event, Bounced) for event in heard)


def test_who_comes_late_sees_what_there_is(room: Room) -> None:
    match = room(bots=3)
    match.run(1.0)
    crate = next(crate for crate in match.world.rows(Crate))
    crate.points = 1
    pad = next(pad for pad in match.world.rows(Pad))
    pad.wait, pad.turn = 0.0, 0
    client = match.join("Late", presentation)
    match.run_until(lambda: client.playing)
    match.run(0.5)
    client.app.frame(match.network.now)
    world = client.world
    images = [sprite.image for sprite in world.rows(Sprite)]
    assert "sprites/crate_broken.png" in images
    assert any(sprite.visible and "pickup" in sprite.image for sprite in world.rows(Sprite))
    assert world.count(Lines) >= len(match.world.resource(Match).arena)  # its walls
    assert {text.text for text in world.rows(Text)} >= {"Late"}
    assert world.resource(Viewer).seat == client.player == 0


def test_a_spectator_watches_and_has_no_seat(room: Room) -> None:
    match = room(bots=2)
    client = match.join("Eve", presentation, spectate=True)
    match.run_until(lambda: client.playing)
    match.run(1.0)
    client.app.frame(match.network.now)
    assert client.world.resource(Viewer).seat is None
    assert {player.name for player in match.world.rows(Player)} == {p.name for p in client.world.rows(Player)}
    assert client.world.count(Ship) == 2


def chats(heard: list[object]) -> list[tuple[int, str, str]]:
    return [(chat.seat, chat.name, chat.text) for chat in heard if isinstance(chat, Chat)]


def test_what_one_says_all_hear_with_the_name_the_server_knows(room: Room) -> None:
    match = room(bots=2)
    (first, at_ana), (second, at_eve) = listening(Chat), listening(Chat)
    ana, eve = match.join("Ana", first), match.join("Eve", second, spectate=True)
    match.run_until(lambda: ana.playing and eve.playing)
    match.run(0.2)
    ana.way.client.send(Say("  hi\nthere \x07 "))
    match.run(0.3)
    eve.way.client.send(Say("hello"))
    eve.way.client.send(Say("   "))
    match.run(0.3)
    assert chats(at_ana) == chats(at_eve) == [(0, "Ana", "hi there"), (NOBODY, "Eve", "hello")]


def test_nobody_floods_the_talk_or_speaks_for_another(room: Room) -> None:
    match = room(bots=2, plugins=[company])  # as where the host plays
    plugin, heard = listening(Chat)
    ana, ben = match.join("Ana", plugin), match.join("Ben")
    in_play(match, ana, ben)
    for number in range(50):
        ben.way.client.send(Say(f"line {number}"))
    match.run(0.5)
    assert len(chats(heard)) == 5
    heard.clear()
    at_server: list[object] = []
    match.scene.dispatcher.subscribe(Chat, lambda _, event: at_server.append(event))
    ben.way.client.send(Chat(0, "Ana", "I give up"))
    ben.way.client.send(Pings([Ping(0, 999)]))
    match.run(0.5)
    assert not heard
    assert not at_server
    match.run(5.0)
    ben.way.client.send(Say("sorry"))
    match.run(0.3)
    assert chats(heard) == [(ben.player, "Ben", "sorry")]


def test_everyone_is_told_how_far_away_everyone_is(room: Room) -> None:
    match = room(bots=2)
    plugin, _ = listening()
    near, far = match.join("Near", plugin), match.join("Far", conditions=MOBILE)
    in_play(match, near, far)
    match.run(2.5)
    pings = near.world.resource(Distances).by_seat
    assert set(pings) == {near.player, far.player}
    assert pings[near.player] < 60 < 100 < pings[far.player]


def test_people_end_the_podium_together(room: Room) -> None:
    match = room(bots=3)
    ana, ben = match.join("Ana"), match.join("Ben")
    in_play(match, ana, ben)
    match.run(0.2)
    told = match.world.resource(Match)
    told.left = 0.01
    match.run(1.0)
    assert told.part is Part.PODIUM
    ana.way.client.send(GoOn())
    match.run(0.5)
    assert told.part is Part.PODIUM
    player = player_in(ben.world, ana.player)
    assert player is not None
    assert Ready in player
    assert ben.world.resource(Match).part is Part.PODIUM
    ben.way.client.send(GoOn())
    match.run(1.0)
    assert told.part is Part.COUNTDOWN
    assert ana.world.resource(Match).arena == told.arena
    assert ben.world.count(Crate) == match.world.count(Crate)


def test_a_late_ship_answers_the_stick_in_the_same_tick(room: Room) -> None:
    """The moment it is there on the client, it flies: the wait for it was simulated, too."""
    match = room(bots=1, conditions=WIFI)
    client = match.join("Ana")
    in_play(match, client)
    client.wants = lambda tick: [Fly(thrust_x=1.0)]
    match.run_until(lambda: ship_of(client.world, client.player) is not None)
    ship = ship_of(client.world, client.player)
    assert ship is not None
    start = ship[Transform].x
    match.run(0.5)
    ship = ship_of(client.world, client.player)
    assert ship is not None
    assert ship[Transform].x > start + 20.0


def test_the_longest_line_of_the_widest_letters_goes_through() -> None:
    text = "\U0001f680" * LONGEST_TALK
    for message in (Say(text), Chat(-1, "\U0001f680" * LONGEST_NAME, text), Pings([Ping(31, 65535)] * 32), GoOn()):
        assert PROTOCOL.decode(PROTOCOL.encode(message)) == message
