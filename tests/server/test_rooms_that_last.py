"""Rooms that survive a restart of their server, with what their game says is worth keeping."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.app import Game, Options, Plugin, Tick
from engine.ecs import Resource, World
from engine.net.multiplayer import Multiplayer
from engine.server.rooms import RESTORED_LINGER
from engine.server.saves import SaveError, Saves
from games import tag
from games.ricochet.components import Player, Score
from games.ricochet.game import GAME as RICOCHET
from games.ricochet.match import Match


class Tally(Resource):
    """Ticks that were ever run, in this server or those before it."""

    ticks: int = 0


def lasting(version: int = 1, save: Any = lambda world: world.resource(Tally).ticks) -> Game:
    counting = Plugin("counting")

    @counting.on(Tick)
    def count(world: World, tick: Tick) -> None:
        world.resource(Tally).ticks += 1

    def load(world: World, state: Any) -> None:
        world.resource(Tally).ticks = int(state)

    multiplayer = Multiplayer(tag.protocol, save=save, load=load)
    rules = lambda options: [tag.rules, counting]  # noqa: E731
    return Game("tag", "Tag", version, rules, lambda options: [Tally()], multiplayer=multiplayer)


def ticks_of(house, code: str) -> int:
    return house.rooms.by_code[code].scene.world.resource(Tally).ticks


def test_a_room_is_there_again_after_a_drain(open_house, tmp_path: Path):
    house = open_house(lasting(), saves=tmp_path, permanent=1)
    house.rooms.open_permanent()
    ana, ben = house.come("Ana"), house.come("Ben", private=True)
    house.settle([ana, ben])
    house.run(2.0)
    before = {code: (room.listed, room.permanent) for code, room in house.rooms.by_code.items()}
    options = {code: room.authority.options for code, room in house.rooms.by_code.items()}
    house.rooms.drain(0.0)
    house.run(1.0)
    again = open_house(lasting(), seed=8, saves=tmp_path, permanent=1)
    again.rooms.restore()
    again.rooms.open_permanent()
    assert {code: (room.listed, room.permanent) for code, room in again.rooms.by_code.items()} == before
    assert {code: room.authority.options for code, room in again.rooms.by_code.items()} == options
    assert all(ticks_of(again, code) > 120 for code in before)
    back = again.come("Ben", room=ben.place.room)
    again.settle([back])
    assert ticks_of(again, ben.place.room) > 121


def test_a_round_of_ricochet_goes_on_after_a_restart(open_house, tmp_path: Path):
    house = open_house(RICOCHET, saves=tmp_path, blind=True, options=Options(bots=1))
    ana = house.come("Ana")
    house.settle([ana])
    house.run(4.0)
    world = house.rooms.by_code[ana.place.room].scene.world
    (score,) = [score for player, score in world.rows(Player, Score) if player.name == "Ana"]
    score.points = 35
    left = world.resource(Match).left
    house.rooms.drain(0.0)
    house.run(1.0)
    again = open_house(RICOCHET, seed=8, saves=tmp_path, blind=True, options=Options(bots=1))
    again.rooms.restore()
    world = again.rooms.by_code[ana.place.room].scene.world
    assert world.resource(Match).left == pytest.approx(left, abs=0.1)
    again.settle([again.come("Ana", room=ana.place.room)])
    again.run(0.1)
    assert [(player.name, score.points) for player, score in world.rows(Player, Score)] == [("Ana", 35)]


def test_a_room_is_saved_now_and_then(open_house, tmp_path: Path):
    house = open_house(lasting(), saves=tmp_path, save_every=5.0, blind=True)
    ana = house.come("Ana")
    house.settle([ana])
    house.run(12.0)
    again = open_house(lasting(), saves=tmp_path)  # the other one was killed
    again.rooms.restore()
    assert 550 < ticks_of(again, ana.place.room) < 720


def test_a_room_that_waits_in_vain_is_closed_and_forgotten(open_house, tmp_path: Path):
    house = open_house(lasting(), saves=tmp_path)
    house.settle([house.come("Ana")])
    house.rooms.drain(0.0)
    house.run(1.0)
    again = open_house(lasting(), saves=tmp_path, linger=1.0, step=0.2)
    again.rooms.restore()
    again.run(RESTORED_LINGER - 10)
    assert len(again.rooms.by_code) == 1
    again.run(20)
    assert not again.rooms.by_code
    assert Saves(tmp_path).names() == []


def test_a_room_that_breaks_does_not_come_back(open_house, tmp_path: Path):
    house = open_house(lasting(), saves=tmp_path, save_every=1.0)
    ana = house.come("Ana")
    house.settle([ana])
    house.run(3.0)
    assert Saves(tmp_path).names()
    house.rooms.by_code[ana.place.room].broken = ValueError("enough")
    house.run(0.5)
    assert Saves(tmp_path).names() == []


def test_what_cannot_be_used_is_left_and_named(open_house, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    saves = Saves(tmp_path)
    saves.write("room-aaaa", b"no JSON")
    saves.write("room-bbbb", b"[]")
    saves.write("room-cccc", b'{"game": "tag"}')
    saves.write("other", b"not a room")
    (tmp_path / "room-dddd.save").write_bytes(b"damaged")
    house = open_house(lasting(), saves=tmp_path)
    ana = house.come("Ana")
    house.settle([ana])
    house.rooms.drain(0.0)
    house.run(1.0)
    names = saves.names()
    newer = open_house(lasting(version=2), saves=tmp_path)
    newer.rooms.restore()
    assert not newer.rooms.by_code
    assert saves.names() == names
    for name in ("aaaa", "bbbb", "cccc", "dddd"):
        assert f"room-{name} is not used" in caplog.text
    assert "it is of tag 1, and this is tag 2" in caplog.text
    again = open_house(lasting(), saves=tmp_path)
    again.rooms.restore()
    assert list(again.rooms.by_code) == [ana.place.room]


def test_a_state_that_cannot_be_taken_up_costs_only_its_room(open_house, tmp_path: Path):
    house = open_house(lasting(), saves=tmp_path)
    people = [house.come("Ana", private=True), house.come("Ben", private=True)]
    house.settle(people)
    house.rooms.drain(0.0)
    house.run(1.0)
    saves = Saves(tmp_path)
    saved = saves.load(f"room-{people[0].place.room}")
    assert saved is not None
    saves.write(f"room-{people[0].place.room}", json.dumps({**json.loads(saved.content), "state": "many"}).encode())
    again = open_house(lasting(), saves=tmp_path)
    again.rooms.restore()
    assert list(again.rooms.by_code) == [people[1].place.room]


@pytest.mark.parametrize("save", [lambda world: 1 / 0, lambda world: {1j}])
def test_a_game_that_cannot_be_saved_plays_on(open_house, tmp_path: Path, save):
    house = open_house(lasting(save=save), saves=tmp_path, save_every=1.0)
    ana = house.come("Ana")
    house.settle([ana])
    house.run(3.0)
    assert not ana.gone
    assert house.rooms.keeping.failed >= 1


def test_where_nothing_can_be_saved_the_server_says_so_at_its_start(open_house, tmp_path: Path):
    (tmp_path / "file").touch()
    house = open_house(lasting(), saves=tmp_path / "file")
    with pytest.raises(SaveError, match=r"cannot save in .*set save\.folder"):
        house.rooms.restore()


def test_a_full_disk_is_a_line_and_the_room_plays_on(open_house, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    house = open_house(lasting(), saves=tmp_path / "saves", save_every=1.0)
    house.rooms.restore()
    (tmp_path / "saves").rmdir()
    (tmp_path / "saves").touch()  # as good as full
    ana = house.come("Ana")
    house.settle([ana])
    house.run(3.0)
    assert not ana.gone
    assert "cannot save" in caplog.text
