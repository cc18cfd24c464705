"""Rooms: who comes in where, whose tick is next, and how they end."""

import pytest

from engine.app import Game, Options, Plugin, Tick
from engine.ecs import World
from engine.net.connection.delivery import Limits
from engine.net.connection.events import Reason
from engine.net.multiplayer import Multiplayer
from engine.net.transport.conditioner import Conditions
from engine.net.transport.presets import PRESETS
from engine.net.wire.system import Notice
from engine.server.room import Room, RoomState
from engine.server.rooms import BEHIND_EVERY, ENDED, KICKED, MOST_PROMISED, OVER, STRAY, NoPlaceError, Stage, Wish
from games import tag


def game_with(*plugins: Plugin, may_close=None) -> Game:
    """Tag, with more rules."""
    multiplayer = Multiplayer(tag.protocol, may_close=may_close)
    return Game("tag", "Tag", 1, lambda options: [tag.rules, *plugins], multiplayer=multiplayer)


# Coming in


def test_quick_match_fills_a_room_and_then_opens_another(open_house):
    house = open_house(seats=2, most_rooms=2)
    people = [house.come(name) for name in ("Ana", "Ben", "Cem", "Dua")]
    house.settle(people)
    rooms = [person.place.room for person in people]
    assert rooms == [rooms[0], rooms[0], rooms[2], rooms[2]]
    assert rooms[0] != rooms[2]
    assert [person.player for person in people] == [0, 1, 0, 1]
    assert [room.authority.players for room in house.rooms.by_code.values()] == [
        {0: "Ana", 1: "Ben"},
        {0: "Cem", 1: "Dua"},
    ]
    assert "all 2 rooms" in house.refused()
    people[3].leave()
    house.run(0.5)
    assert house.come("Eli").place.room == rooms[2]


def test_a_server_has_a_limit_over_all_its_rooms(open_house):
    house = open_house(seats=2, most_players=3)
    people = [house.come(name) for name in ("Ana", "Ben", "Cem")]
    assert "full: 3 are playing" in house.refused()
    house.settle(people)
    assert "full: 3 are playing" in house.refused()


def test_a_private_room_is_entered_by_its_code_alone(open_house):
    house = open_house(seats=2)
    ana = house.come("Ana", private=True)
    assert len(ana.place.room) > 8
    assert house.come("Ben").place.room != ana.place.room
    cem = house.come("Cem", room=ana.place.room)
    house.settle([ana, cem])
    assert "is full" in house.refused(room=ana.place.room)
    assert "no room nowhere" in house.refused(room="nowhere")
    assert not house.rooms.by_code[ana.place.room].listed


def test_a_server_without_private_rooms_says_so(open_house):
    assert "no private rooms" in open_house(private=False).refused(private=True)


def test_watchers_take_no_seats_and_get_none(open_house):
    house = open_house(seats=1, watchers=1)
    ana = house.come("Ana")
    eve = house.come("Eve", watch=True)
    house.settle([ana, eve])
    assert (ana.player, eve.player, eve.place.room) == (0, -1, ana.place.room)
    assert "no room with a place" in house.refused(watch=True)
    assert "is full" in house.refused(room=ana.place.room, watch=True)


def test_a_place_is_kept_for_a_while_and_then_given_away(open_house):
    house = open_house(seats=1, most_rooms=1, hold=5.0)
    place = house.reserve("Ana")
    house.run(4.5)
    assert "in use" in house.refused()
    house.run(1.0)
    assert house.rooms.expired == 1
    ben = house.come("Ben")
    house.settle([ben])
    assert ben.place.room == place.room


def test_who_comes_too_late_is_told_if_the_place_is_taken(open_house):
    house = open_house(seats=1, most_rooms=1, hold=1.0)
    place = house.reserve("Ana")
    house.run(1.5)
    ben = house.come("Ben")
    house.settle([ben])
    ana = house.come("Ana", place)
    house.run_until(lambda: ana.gone)
    assert ana.last_words == STRAY
    assert not ben.gone


def test_who_comes_too_late_gets_in_while_there_is_room(open_house):
    house = open_house(seats=2, hold=1.0)
    place = house.reserve("Ana")
    house.run(1.5)
    ana = house.come("Ana", place)
    house.settle([ana])
    assert ana.player == 0


def test_one_address_cannot_hold_all_places(open_house):
    house = open_house(seats=40, most_rooms=1, hold=5.0)
    places = [house.reserve(f"{number}", source="203.0.113.9") for number in range(MOST_PROMISED)]
    for _ in range(100):
        with pytest.raises(NoPlaceError, match="places are kept already") as refused:
            house.reserve("greedy", source="203.0.113.9")
        assert refused.value.again > 0
    assert house.rooms.players == MOST_PROMISED
    house.settle([house.come("Ana")])
    house.settle([house.come(f"{number}", place) for number, place in enumerate(places)])  # no promise was broken
    house.reserve("greedy", source="203.0.113.9", watch=True)


def test_whoever_may_ask_elsewhere_was_not_turned_away(open_house):
    house = open_house(seats=1)
    house.settle([house.come("Ana")])
    with pytest.raises(NoPlaceError, match="no room with a place left"):
        house.rooms.reserve(Wish(), name="Ben", may_open=False)
    assert (house.noted("refused"), house.rooms.refused) == ([], 0)


@pytest.mark.parametrize("limit", ["most_rooms", "most_players"])
def test_who_was_cut_off_gets_back_into_a_room_that_is_full(open_house, limit):
    house = open_house(seats=1, most_rooms=1) if limit == "most_rooms" else open_house(seats=1, most_players=1)
    ana = house.come("Ana")
    house.settle([ana])
    room = house.rooms.by_code[ana.place.room]
    ana.way.set_conditions(Conditions(loss=1.0))
    house.run_until(lambda: not room.members)
    assert room.players == 1  # the seat is kept
    if limit == "most_rooms":
        assert "in use" in house.refused()
    ana.connect(house.reserve("Ana", room=room.code))
    house.run_until(lambda: ana.participant.greeted)
    assert ana.player == 0
    assert room.authority.players == {0: "Ana"}


# Ticking


def test_an_empty_room_costs_nothing_and_is_closed_after_a_while(open_house):
    house = open_house(permanent=1, linger=10.0)
    house.rooms.open_permanent()
    ana, ben = house.come("Ana"), house.come("Ben", private=True)
    lasting, passing = (house.rooms.by_code[person.place.room] for person in (ana, ben))
    assert lasting.scene.tick == passing.scene.tick == 0
    house.settle([ana, ben])
    ana.leave()
    ben.leave()
    house.run(2.0)
    assert (lasting.state, passing.state) == (RoomState.EMPTY, RoomState.EMPTY)
    ticks = lasting.scene.tick
    house.run(20.0)
    assert lasting.scene.tick == ticks
    assert list(house.rooms.by_code.values()) == [lasting]
    again = house.come("Ana")
    house.settle([again])
    assert lasting.state is RoomState.OPEN
    assert lasting.scene.tick > ticks


def test_rooms_tick_at_moments_of_their_own(open_house):
    house = open_house(seats=1, step=1 / 2000)
    people = [house.come(f"{number}") for number in range(4)]
    house.settle(people)
    house.run(0.5)
    rooms = list(house.rooms.by_code.values())
    period = rooms[0].period
    assert _least_gap([room.due for room in rooms], period) > period / 4 * 0.9
    snapshots = [room.due + period * (1 - room.scene.tick % 2) for room in rooms]
    assert _least_gap(snapshots, 2 * period) > period / 4 * 0.9
    assert all(room.ticks.dropped == 0 for room in rooms)


def _least_gap(moments: list[float], cycle: float) -> float:
    ordered = sorted(moment % cycle for moment in moments)
    return min(after - before for before, after in zip(ordered, [*ordered[1:], ordered[0] + cycle], strict=True))


def test_a_heavy_room_falls_behind_and_starves_nobody(open_house):
    house = None
    slow = Plugin("slow")

    @slow.on(Tick)
    def dawdle(world: World, tick: Tick) -> None:
        if world.resource(Room) is heavy:
            house.spent += 0.045

    house = open_house(game_with(slow), seats=1, step=1 / 240)
    light = house.come("Ana")
    weighty = house.come("Ben")
    light_room, heavy = (house.rooms.by_code[person.place.room] for person in (light, weighty))
    house.settle([light, weighty])
    before, weight = light_room.ticks.count, heavy.ticks.count
    house.run(10.0)
    assert light_room.ticks.dropped == 0
    assert light_room.ticks.count - before == pytest.approx(600, abs=6)
    assert heavy.ticks.dropped > 300
    assert 50 < heavy.ticks.count - weight < 150
    assert house.noted("behind")
    assert len(house.noted("behind")) <= 10.0 / BEHIND_EVERY + 1


def test_a_busy_process_opens_no_further_room_but_fills_those_it_has(open_house):
    house = None
    slow = Plugin("slow")

    @slow.on(Tick)
    def dawdle(world: World, tick: Tick) -> None:
        house.spent += 0.007

    house = open_house(game_with(slow), seats=2, step=1 / 240)
    people = [house.come(name) for name in ("Ana", "Ben", "Cyd")]
    house.settle(people)
    house.run(3.0)
    assert house.rooms.load > 0.75
    with pytest.raises(NoPlaceError, match="at full speed"):
        house.rooms.reserve(Wish(private=True))
    assert house.rooms.reserve(Wish()).room == people[2].place.room, "there is a place beside Cyd"
    with pytest.raises(NoPlaceError, match="at full speed"):
        house.rooms.reserve(Wish())


def test_rooms_that_are_too_many_share_what_there_is(open_house):
    house = None
    slow = Plugin("slow")

    @slow.on(Tick)
    def dawdle(world: World, tick: Tick) -> None:
        house.spent += 0.006

    house = open_house(game_with(slow), seats=1, step=1 / 240)
    people = [house.come(f"{number}") for number in range(5)]  # 5 * 6 ms do not fit into 16.7 ms
    house.settle(people)
    rooms = list(house.rooms.by_code.values())
    before = [room.ticks.count for room in rooms]
    house.run(10.0)
    ran = [room.ticks.count - count for room, count in zip(rooms, before, strict=True)]
    assert min(ran) > 0.9 * max(ran)
    assert sum(ran) > 0.7 * 10.0 / 0.006  # the virtual network takes its time, too


def test_after_a_standstill_nothing_is_caught_up(open_house):
    house = open_house()
    ana = house.come("Ana")
    house.settle([ana])
    room = house.rooms.by_code[ana.place.room]
    ticks = room.scene.tick
    house.stand_still(8.0)
    house.run(0.1)
    assert room.scene.tick - ticks < 15
    assert house.rooms.standstills == 1
    assert "stood still for 8" in house.noted("standstill")[0]
    house.run(2.0)
    assert not ana.gone


def test_a_standstill_of_ten_seconds_costs_no_player(open_house):
    house = open_house()
    people = [house.come("Ana"), house.come("Ben")]
    house.settle(people)
    room = house.rooms.by_code[people[0].place.room]
    house.stand_still(10.0)
    house.run(5.0)
    assert room.authority.players == {0: "Ana", 1: "Ben"}
    assert not any(person.gone for person in people)
    assert house.rooms.standstills == 1


# Ending


def test_a_drain_waits_for_the_round_and_tells_everyone(open_house):
    over: set[World] = set()
    house = open_house(game_with(may_close=lambda world: world in over), seats=2)
    ana, ben, cem = (house.come(name) for name in ("Ana", "Ben", "Cem"))
    house.settle([ana, ben, cem])
    first, second = house.rooms.by_code.values()
    unused = house.come("Eve")
    house.rooms.drain(30.0)
    assert "about to close" in house.refused()
    house.run(5.0)
    assert unused.last_words == ENDED
    assert not ana.gone
    over.add(first.scene.world)
    house.run(1.0)
    assert [person.last_words for person in (ana, ben, cem)] == [ENDED, ENDED, ""]
    assert (ana.gone, cem.gone, house.rooms.stage) == (True, False, Stage.DRAINING)
    assert second.state is RoomState.CLOSING
    house.run(25.0)
    assert cem.last_words == ENDED
    assert house.rooms.stage is Stage.OVER


def test_a_second_drain_brings_the_end_forward(open_house):
    house = open_house(game_with(may_close=lambda world: False))
    ana = house.come("Ana")
    house.settle([ana])
    house.rooms.drain(3600.0)
    house.run(1.0)
    house.rooms.drain(0.0)
    house.run(1.0)
    assert (ana.last_words, house.rooms.stage) == (ENDED, Stage.OVER)


def test_an_empty_server_is_drained_at_once(open_house):
    house = open_house(permanent=1)
    house.rooms.open_permanent()
    house.rooms.drain(60.0)
    house.run(0.1)
    assert house.rooms.stage is Stage.OVER


def test_last_words_arrive_over_a_bad_network(open_house):
    house = open_house()
    house.network.conditions = PRESETS["mobile"]
    people = [house.come(f"{number}") for number in range(16)]
    house.settle(people)
    house.rooms.drain(0.0)
    house.run(5.0)
    assert {person.last_words for person in people} == {ENDED}


def test_kicking_saying_and_closing(open_house):
    house = open_house()
    ana, ben, cem = house.come("Ana"), house.come("Ben"), house.come("Cem", private=True)
    house.settle([ana, ben, cem])
    room = house.rooms.by_code[ana.place.room]
    peer = next(peer for peer, member in room.members.items() if member.name == "Ana")
    assert house.rooms.kick(room.code, peer)
    assert not house.rooms.kick(room.code, peer)
    assert not house.rooms.kick("nowhere", peer)
    assert house.rooms.say("hello", cem.place.room) == 1
    assert house.rooms.say("all") == 2
    house.run(1.0)
    assert (ana.last_words, ana.gone) == (KICKED, True)
    assert (ben.notices, cem.notices) == (["all"], ["hello", "all"])
    assert room.authority.players == {1: "Ben"}
    assert house.rooms.close_room(cem.place.room)
    house.run(1.0)
    assert (cem.last_words, ben.gone) == (OVER, False)


def test_words_too_long_for_a_message_are_cut(open_house):
    house = open_house()
    ana = house.come("Ana")
    house.settle([ana])
    house.rooms.say("ä" * 5000)
    house.run(0.5)
    assert ana.notices == ["ä" * 500]


def test_a_peer_that_never_reads_is_given_up_and_holds_up_nobody(open_house):
    house = open_house()
    ana, ben = house.come("Ana"), house.come("Ben")
    house.settle([ana, ben])
    room = house.rooms.by_code[ana.place.room]
    (peer,) = [peer for peer, member in room.members.items() if member.name == "Ana"]
    ana.way.down.conditions = Conditions(loss=1.0)
    server, limit = house.network.server, Limits().backlog
    most = 0
    while peer in room.members:
        for _ in range(50):
            server.send(peer, Notice("x" * 1000))
        known = server.peers.get(peer)
        most = max(most, known.delivery.backlog if known is not None else 0)
        assert most <= limit
        house.run(0.02)
    assert most > limit - 60_000
    assert str(Reason.TOO_SLOW.value) in house.noted("left")[0]
    ticks = room.ticks.count
    house.run(1.0)
    assert (ben.gone, room.ticks.dropped) == (False, 0)
    assert room.ticks.count >= ticks + 59


# Many


def test_a_storm_of_two_hundred(open_house):
    house = open_house(max_clients=300, seats=16, blind=True)
    people = []
    for number in range(200):
        people.append(house.come(f"{number}"))
        if number % 10 == 9:
            house.run(0.05)
    house.settle(people)
    assert len({person.place.room for person in people}) == 13
    assert sum(room.players for room in house.rooms.by_code.values()) == 200
    assert all(person.player >= 0 for person in people)
    assert house.rooms.players == 200


def test_figures_can_be_read(open_house):
    house = open_house()
    ana = house.come("Ana")
    house.reserve("Ben")
    house.settle([ana])
    house.run(6.0)
    (room,) = house.rooms.room_figures()
    (player,) = room.players
    assert (room.code, room.state, room.listed, room.reserved, room.people) == (ana.place.room, "open", True, 1, 1)
    assert (player.name, player.player) == ("Ana", 0)
    assert min(player.bytes_in, player.bytes_out, room.ticks) > 0
    assert room.rate == pytest.approx(60, abs=2)
    ana.leave()
    house.run(1.0)
    (room,) = house.rooms.room_figures()
    assert (room.players, room.bytes_in >= player.bytes_in) == ([], True)


def test_options_that_the_game_does_not_have_are_said_at_once(open_house):
    house = open_house(options=Options(arena="moon"))
    with pytest.raises(Exception, match="no arena 'moon'"):
        house.rooms.open_permanent() if house.plan.permanent else house.rooms.open()
