"""A room that raises takes only itself: what is known of it is kept, its players are told, the others play on."""

import json
from pathlib import Path

import pytest

from engine.app import Begin, Commanded, Commands, End, Game, Options, Physics, Plugin, Replay, Scene, Tick
from engine.ecs import Added, Despawned, Removed, Spawned, World, state_hash
from engine.events import OnError, event_name, read_journal
from engine.net.connection import Connected, Disconnected, Received
from engine.net.multiplayer import Came, Multiplayer, Went
from engine.net.replication.hosted import hosted
from engine.net.replication.rewind import SawBehind
from engine.server.blackbox import MOST_POST_MORTEMS, PostMortem
from engine.server.room import Room
from engine.server.rooms import BROKEN
from games import tag


class BrokenError(Exception):
    pass


def game_that_breaks(kind: type, when: list[str]) -> Game:
    """Tag; in the rooms of `when`, each handler of events of `kind` raises."""
    plugin = Plugin("broken")

    @plugin.on(kind)
    def break_down(world: World, event: object) -> None:
        if world.resource(Room).code in when:
            raise BrokenError(f"no {kind.__name__} for me")

    return Game("tag", "Tag", 1, lambda options: [tag.rules, plugin], multiplayer=Multiplayer(tag.protocol))


STAGES = (Begin, Commands, Tick, Physics, End)
TOLD = (Connected, Disconnected, Came, Went, Commanded[tag.Run], SawBehind)
"""What comes into a room of tag."""
EVENTS = (*STAGES, *TOLD, Received, Spawned, Despawned, Added, Removed)


def play(house, *people) -> None:
    """Some ticks in which all run about."""
    for _ in range(30):
        for person in people:
            tick = person.participant.first_tick(house.network.now)
            person.participant.command(tick, [tag.Run(1.0, 0.0)], tick - 2.0)
        house.run(1 / 60)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_a_handler_may_raise_in_any_event(open_house, kind, tmp_path):
    broken: list[str] = []
    house = open_house(game_that_breaks(kind, broken), seats=2, memory=tmp_path, blind=True)
    others = [house.come("Ana"), house.come("Ben")]
    house.settle(others)
    victims = [house.come("Cem"), house.come("Dua")]
    broken.append(victims[0].place.room)
    play(house, *victims, *others)
    victims[0].leave()
    house.run(0.5)
    assert not any(person.gone for person in others)
    safe = house.rooms.by_code[others[0].place.room]
    assert (safe.failures, safe.ticks.dropped) == (0, 0)
    if kind in STAGES:  # so often that the handler is given up, and the room with it
        assert house.rooms.crashes == 1
        assert victims[1].last_words == BROKEN
        assert broken[0] not in house.rooms.by_code
    ticks = safe.scene.tick
    house.run(0.5)
    assert safe.scene.tick >= ticks + 29


def test_no_event_is_left_out_above(open_house):
    house = open_house()
    people = [house.come("Ana"), house.come("Ben")]
    house.settle(people)
    play(house, *people)
    people[0].leave()
    house.run(0.5)
    assert house.rooms.stream.counts.keys() == {event_name(kind) for kind in TOLD}


def test_what_is_known_of_a_broken_room_is_kept(open_house, tmp_path: Path):
    broken: list[str] = []
    house = open_house(game_that_breaks(Tick, broken), memory=tmp_path)
    ana, ben = house.come("Ana"), house.come("Ben")
    house.settle([ana, ben])
    house.run(1.0)
    broken.append(ana.place.room)
    house.run(1.0)
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith(ana.place.room)
    report = json.loads((folder / "report.json").read_text())
    assert (report["room"], report["game"]) == (ana.place.room, "tag")
    assert report["players"] == ["0: Ana", "1: Ben"]
    assert "no Tick for me" in report["error"]
    assert any("break_down" in line for line in report["traceback"])
    assert sum(report["entities"].values()) == 2
    assert set(report["state"]["components"]) >= {"Runner", "Transform"}
    journal = read_journal(folder / "journal.twr")
    assert journal.damage is None
    assert (journal.header["from_tick"], journal.last_tick) == (1, report["tick"])
    assert [event["name"] for events in journal.events.values() for event in events if event["$"] == "Came"] == [
        "Ana",
        "Ben",
    ]


def test_the_journal_of_a_young_room_replays_to_the_tick_that_broke(open_house, tmp_path: Path):
    broken: list[str] = []
    game = game_that_breaks(End, broken)
    house = open_house(game, memory=tmp_path)
    ana = house.come("Ana")
    house.settle([ana])
    house.run(1.0)
    broken.append(ana.place.room)
    house.run(1.0)
    (folder,) = tmp_path.iterdir()
    report = json.loads((folder / "report.json").read_text())
    journal = read_journal(folder / "journal.twr")
    options = Options.from_header(journal.header["options"])
    scene = tag.GAME.scene(options, hosted(game.multiplayer))
    scene.replay = Replay(journal)
    for _ in range(journal.last_tick):
        scene.run_tick()
    assert f"{state_hash(scene.world):016x}" == report["state"]["hash"]


def test_an_old_room_keeps_its_last_seconds(open_house, tmp_path: Path):
    broken: list[str] = []
    house = open_house(game_that_breaks(Tick, broken), memory=tmp_path, blind=True)
    ana = house.come("Ana")
    house.settle([ana])
    house.run(12.0)
    house.settle([house.come("Ben")])
    house.run(0.5)
    broken.append(ana.place.room)
    house.run(0.5)
    (folder,) = tmp_path.iterdir()
    journal = read_journal(folder / "journal.twr")
    names = [event.get("name") for events in journal.events.values() for event in events]
    assert "Ben" in names
    assert "Ana" not in names
    assert journal.header["from_tick"] > 1


def test_a_permanent_room_is_replaced(open_house):
    broken: list[str] = []
    house = open_house(game_that_breaks(Tick, broken), permanent=1)
    house.rooms.open_permanent()
    ana = house.come("Ana")
    house.settle([ana])
    broken.append(ana.place.room)
    house.run(0.5)
    (room,) = house.rooms.by_code.values()
    assert room.code != ana.place.room
    assert room.permanent


def test_a_tick_that_raises_itself_is_no_worse(open_house):
    house = open_house()
    ana, ben = house.come("Ana"), house.come("Ben", private=True)
    house.settle([ana, ben])
    room = house.rooms.by_code[ana.place.room]
    room.scene.dispatcher.on_error = OnError.RAISE
    room.scene.dispatcher.subscribe(Tick, lambda world, tick: 1 / 0)
    house.run(1.0)
    assert ana.last_words == BROKEN
    assert not ben.gone


def test_a_game_that_cannot_begin_is_said_to_players_in_words(open_house):
    def resources(options):
        raise ZeroDivisionError

    game = Game("tag", "Tag", 1, lambda options: [tag.rules], resources, multiplayer=Multiplayer(tag.protocol))
    house = open_house(game)
    assert "the game fails to begin" in house.refused()


def test_where_nothing_can_be_kept_the_others_play_on(open_house, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    broken: list[str] = []
    house = open_house(game_that_breaks(Tick, broken), memory=tmp_path / "file")
    ana, ben = house.come("Ana"), house.come("Ben", private=True)
    house.settle([ana, ben])
    broken.append(ana.place.room)
    house.run(1.0)
    assert ana.last_words == BROKEN
    assert not ben.gone


def test_post_mortems_do_not_fill_the_disk(tmp_path: Path):
    for number in range(MOST_POST_MORTEMS + 5):
        PostMortem(f"{number:03d}", {}, b"").write(tmp_path)
    kept = sorted(folder.name for folder in tmp_path.iterdir())
    assert len(kept) == MOST_POST_MORTEMS
    assert kept[-1] == f"{MOST_POST_MORTEMS + 4:03d}"


def test_a_scene_is_the_rooms_own(open_house):
    house = open_house()
    ana, ben = house.come("Ana"), house.come("Ben", private=True)
    house.settle([ana, ben])
    one, other = house.rooms.by_code.values()
    assert one.scene is not other.scene
    assert (one.authority.players, other.authority.players) == ({0: "Ana"}, {0: "Ben"})
    assert one.scene.world.resource(Scene) is one.scene
