"""A match outlasts a restart of its server: the round goes on, and who comes back has the score they had."""

import json
from typing import Any

import pytest

from engine.app import Options, Scene
from engine.ecs import World, state_hash
from games.ricochet import tuning
from games.ricochet.components import Player, Score, Team, Wall
from games.ricochet.events import Cause, Joined, Killed, Left
from games.ricochet.game import GAME
from games.ricochet.lasting import load, save
from games.ricochet.match import Match, Part
from games.ricochet.seats import player_in


def a_match(**options: Any) -> Scene:
    return GAME.scene(Options(seed=3, bots=2, **options))


def run(scene: Scene, seconds: float) -> None:
    for _ in range(round(seconds * 60)):
        scene.run_tick()


def points_of(world: World) -> dict[str, int]:
    return {player.name: score.points for player, score in world.rows(Player, Score)}


def restarted(scene: Scene, **options: Any) -> Scene:
    """The same room on the server that comes after."""
    again = a_match(**options)
    load(again.world, json.loads(json.dumps(save(scene.world))))
    again.deliver_posted()
    return again


@pytest.fixture
def played() -> Scene:
    """Round 2, in the second arena, with Ana ahead of Ben and two bots."""
    scene = a_match(arena="")
    match = scene.world.resource(Match)
    run(scene, tuning.COUNTDOWN + 0.1)
    match.left = 0.0
    run(scene, 0.1)
    match.left = 0.0
    scene.receive(Joined(5, "Ana"))
    scene.receive(Joined(6, "Ben"))
    run(scene, tuning.COUNTDOWN + 0.2)
    for seat in (6, 6, 0):
        scene.dispatcher.trigger(_killed(seat, by=5))
    run(scene, 0.1)
    assert points_of(scene.world)["Ana"] > 0
    return scene


def _killed(seat: int, by: int) -> Killed:
    return Killed(seat, by, 0, Cause.DISC, 0.0, 0.0)


def test_the_round_goes_on_in_its_arena(played: Scene) -> None:
    before = played.world.resource(Match)
    again = restarted(played)
    match = again.world.resource(Match)
    assert (match.arena, match.round, match.part, match.left) == (before.arena, 2, Part.PLAY, before.left)
    walls = [len(list(scene.world.rows(Wall))) for scene in (played, again)]
    assert walls[0] == walls[1]
    run(again, 1.0)
    assert match.left == pytest.approx(before.left - 1.0)


def test_who_comes_back_has_the_score_they_had(played: Scene) -> None:
    before = points_of(played.world)
    again = restarted(played)
    bots = set(before) - {"Ana", "Ben"}
    assert points_of(again.world) == {name: before[name] for name in bots}
    again.receive(Joined(7, "Ana"))
    again.receive(Joined(8, "Cem"))
    run(again, 0.1)
    assert points_of(again.world)["Ana"] == before["Ana"]
    assert points_of(again.world)["Cem"] == 0
    ana = player_in(again.world, 7)
    assert ana is not None
    assert ana[Score].kills == 3
    again.receive(Left(7))
    again.receive(Joined(9, "Ana"))
    run(again, 0.1)
    assert points_of(again.world)["Ana"] == 0, "a score is had once"


def test_who_comes_a_round_later_begins_at_nothing(played: Scene) -> None:
    again = restarted(played)
    match = again.world.resource(Match)
    for _ in range(2):
        match.left = 0.0
        run(again, 0.1)
    assert match.round == 3
    again.receive(Joined(7, "Ana"))
    run(again, 0.1)
    assert points_of(again.world)["Ana"] == 0


def test_a_second_restart_forgets_nobody(played: Scene) -> None:
    before = save(played.world)
    again = restarted(restarted(played))
    assert sorted(save(again.world)["scores"]) == sorted(before["scores"])


def test_sides_stay_as_they_were() -> None:
    scene = a_match(mode="teams")
    for seat, team in ((5, Team.A), (6, Team.A), (7, Team.A)):
        scene.receive(Joined(seat, f"P{seat}", team))
    run(scene, 0.1)
    again = restarted(scene, mode="teams")
    for seat in (5, 6, 7):
        again.receive(Joined(seat, f"P{seat}"))
    run(again, 0.1)
    assert {player.team for player in again.world.rows(Player) if player.name.startswith("P")} == {Team.A}


@pytest.mark.parametrize(
    "change",
    [
        {"arena": "atlantis"},
        {"arena": None},
        {"round": "2"},
        {"round": True},
        {"part": "overtime"},
        {"left": float("nan")},
        {"left": -1.0},
        {"left": "soon"},
        {"scores": [["Ana"]]},
        {"scores": [["Ana", True, 9, 0, 0, 0, 0, 0, 0]]},
        {"scores": [["Ana", True, 0, 1e300, 0, 0, 0, 0, 0]]},
        {"scores": [5]},
        {"scores": None},
    ],
)
def test_what_is_no_match_is_refused_and_changes_nothing(change: dict[str, Any]) -> None:
    scene = a_match()
    state = {**save(scene.world), **change}
    before = state_hash(scene.world)
    with pytest.raises((ValueError, TypeError, KeyError)):
        load(scene.world, state)
    assert state_hash(scene.world) == before
