"""What rooms cost over time: nothing is left of those that are gone, whoever came and went in whatever order."""

import contextlib
import gc
import random
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.app import Game, Options, Plugin, Tick
from engine.ecs import I32, Component, World, i32
from engine.net import Multiplayer, Protocol
from engine.net.connection.address import Address
from engine.net.connection.events import Connected, Disconnected, Reason, Received
from engine.net.connection.server import Server
from engine.net.wire.system import Hello
from engine.server.room import RoomState
from engine.server.rooms import NoPlaceError, Place, Plan, Rooms, Stage, Wish
from engine.testing import ManualClock


class Count(Component):
    player: I32 = i32()
    ticks: I32 = i32()


rules = Plugin("counting")


@rules.on(Tick)
def count(world: World, tick: Tick) -> None:
    for row in world.rows(Count):
        row.ticks += 1


PROTOCOL = Protocol("counting").component(Count).owner(Count.player)
GAME = Game("counting", "Counting", 1, lambda options: [rules], multiplayer=Multiplayer(PROTOCOL))


class Site:
    """Rooms without a network: connections are what the server would tell of them."""

    def __init__(self, **changes) -> None:
        self.clock = ManualClock()
        server = Server(PROTOCOL, bytes(32), [Address("10.0.0.1", 7777)], 0.0, epoch=0.0)
        self.plan = Plan(Options(bots=0), **{"permanent": 0, **changes})
        entropy = random.Random(7).randbytes
        self.rooms = Rooms(GAME, server, self.clock, self.plan, entropy=entropy, wall=self.clock)
        self.peers = 0

    def connect(self, place: Place) -> int:
        self.peers += 1
        self.rooms.receive(Connected(self.peers, place.client_id, "203.0.113.5:4000", place.user))
        self.rooms.receive(Received(self.peers, Hello(False, b"")))
        return self.peers

    def leave(self, peer: int, reason: Reason = Reason.LEFT) -> None:
        self.rooms.receive(Disconnected(peer, reason))

    def pass_time(self, seconds: float) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            due = self.rooms.advance()
            self.clock.now = min(end, max(due, self.clock.now + 1e-6))


def test_ten_hours_of_rooms_that_come_and_go_leave_nothing():
    site = Site(linger=20.0, hold=5.0)

    def hour() -> tuple[int, int]:
        for _ in range(60):
            places = [site.rooms.reserve(Wish(private=number == 0)) for number in range(4)]
            peers = [site.connect(place) for place in places[:3]]
            site.pass_time(0.3)
            for peer in peers:
                site.leave(peer)
            site.pass_time(59.7)
        gc.collect()
        return len(gc.get_objects()), sys.getallocatedblocks()

    hour()
    objects, blocks = hour()
    for _ in range(8):
        last_objects, last_blocks = hour()
    assert site.clock.now > 35_900
    assert len(site.rooms.notes) == site.rooms.notes.maxlen
    assert site.rooms.given == 2400
    assert not site.rooms.by_code
    assert last_objects < objects + 200
    assert last_blocks < blocks + 2_000


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["come", "private", "watch", "code", "connect", "leave", "cut", "wait", "kick", "close"]),
        st.integers(0, 50),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_no_order_of_coming_and_going_gets_more_in_than_there_are_seats(actions):
    site = Site(seats=2, watchers=1, most_rooms=3, most_players=5, hold=2.0, linger=3.0)
    rooms, waiting, here = site.rooms, [], []
    for action, number in actions:
        codes = list(rooms.by_code)
        if action in ("come", "private", "watch", "code"):
            code = codes[number % len(codes)] if codes and action == "code" else ""
            with contextlib.suppress(NoPlaceError):
                waiting.append(rooms.reserve(Wish(code, action == "private", action == "watch")))
        elif action == "connect" and waiting:
            here.append(site.connect(waiting.pop(number % len(waiting))))
        elif action in ("leave", "cut") and here:
            site.leave(here.pop(number % len(here)), Reason.LEFT if action == "leave" else Reason.TIMED_OUT)
        elif action == "wait":
            site.pass_time(number / 10)
        elif action == "kick" and here:
            for room in list(rooms.by_code.values()):
                rooms.kick(room.code, here[number % len(here)])
        elif action == "close" and codes:
            rooms.close_room(codes[number % len(codes)])
        assert len(rooms.by_code) <= 3
        for room in rooms.by_code.values():
            assert 0 <= len(room.members) - room.watching + room.promised <= 2
            assert room.watching + room.promised_to_watch <= 1
            assert room.promised >= 0
            assert room.promised_to_watch >= 0
            assert len(room.authority.seats.by_player) <= 2
    rooms.drain(0.0)
    site.pass_time(3.0)
    assert rooms.stage is Stage.OVER
    assert not rooms.by_code
    assert rooms.players == 0


def test_a_room_that_nobody_is_in_runs_no_tick():
    site = Site(permanent=1)
    site.rooms.open_permanent()
    (room,) = site.rooms.by_code.values()
    site.pass_time(3600.0)
    assert (room.scene.tick, room.state, site.rooms.ticks.count) == (0, RoomState.EMPTY, 0)
