"""Whole matches of Ricochet: the same every time, and fun to be in."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.app import Commanded, Options, Plugin, Recorder, Replay, Scene
from engine.ecs import Entity, World, state_hash
from engine.events import read_journal
from engine.scene import Transform
from engine.testing import sync_test
from games.ricochet import tuning
from games.ricochet.arena import Arenas
from games.ricochet.bots import BotSettings
from games.ricochet.commands import Fly
from games.ricochet.components import Disc, Player, Protection, Score, Ship
from games.ricochet.discs import disc
from games.ricochet.events import Joined, Killed, Left, Thrown
from games.ricochet.game import GAME
from games.ricochet.match import Match, Mode, Part

OPTIONS = Options(seed=11, bots=6, level="hard", arena="crossfire")

ELSEWHERE = """
from engine.app import Options
from engine.ecs import state_hash
from games.ricochet.game import GAME

scene = GAME.scene(Options(seed=11, bots=6, level="hard", arena="crossfire"))
for _ in range(1800):
    scene.run_tick()
print(state_hash(scene.world))
"""


def test_the_same_options_give_the_same_match_in_another_process() -> None:
    other = subprocess.Popen([sys.executable, "-c", ELSEWHERE], stdout=subprocess.PIPE, text=True)
    scene = GAME.scene(OPTIONS)
    for _ in range(1800):
        scene.run_tick()
    printed, _ = other.communicate(timeout=100)
    assert int(printed) == state_hash(scene.world)


def test_a_restored_match_goes_on_as_the_first_one_did() -> None:
    scene = GAME.scene(OPTIONS)
    for _ in range(300):
        scene.run_tick()
    checkpoint = scene.capture()
    for _ in range(300):
        scene.run_tick()
    first = state_hash(scene.world)
    scene.restore(checkpoint)
    assert scene.tick == 300
    for _ in range(300):
        scene.run_tick()
    assert state_hash(scene.world) == first


@pytest.mark.parametrize("mode", [mode.value for mode in Mode])
def test_every_stretch_can_be_run_again(mode: str) -> None:
    options = replace(OPTIONS, mode=mode, bots=8)
    assert sync_test(lambda: GAME.scene(options), ticks=420, check_distance=60) == 420


def test_a_change_of_arena_can_be_taken_back() -> None:
    def build() -> Scene:
        return GAME.scene(OPTIONS, resources=[Match(bots=4, round_time=0.5)])

    assert sync_test(build, ticks=840, check_distance=120) == 840


def test_a_recorded_match_replays_tick_by_tick(tmp_path: Path) -> None:
    path = tmp_path / "match.twr"
    scene = GAME.scene(OPTIONS)
    scene.recorder = Recorder(path, {"options": OPTIONS.to_header()}, only=GAME.journalled)
    for _ in range(400):
        scene.run_tick()
    scene.close()
    journal = read_journal(path)
    again = GAME.scene(Options.from_header(journal.header["options"]))
    replay = again.replay = Replay(journal)
    for _ in range(400):
        again.run_tick()
    assert replay.difference is None
    assert replay.verified == 400


def test_seeds_make_different_matches() -> None:
    hashes: set[int] = set()
    for seed in range(3):
        scene = GAME.scene(replace(OPTIONS, seed=seed))
        for _ in range(120):
            scene.run_tick()
        hashes.add(state_hash(scene.world))
    assert len(hashes) == 3


@pytest.mark.parametrize("level", GAME.levels)
def test_bots_of_every_level_make_a_match(level: str) -> None:
    """30 seconds: shots at once, kills, most of them off walls, and nobody hangs in a corner."""
    scene = GAME.scene(Options(seed=5, bots=8, level=level, arena="foundry"))
    first_throw: list[int] = []
    kills: list[Killed] = []

    def threw(world: World, thrown: Thrown) -> None:
        first_throw.append(scene.tick)

    def killed(world: World, event: Killed) -> None:
        kills.append(event)

    scene.dispatcher.subscribe(Thrown, threw)
    scene.dispatcher.subscribe(Killed, killed)
    anchors: dict[int, tuple[float, float, int]] = {}
    for _ in range(30 * 60):
        scene.run_tick()
        if scene.tick % 30 == 0:
            _nobody_hangs(scene, anchors)
    assert first_throw[0] < 10 * 60
    credited = [kill for kill in kills if kill.credited]
    assert len(credited) > 6
    assert sum(kill.bounces > 0 for kill in credited) > len(credited) * 0.4
    assert sum(kill.own_goal for kill in kills) < len(kills) * 0.4


def _nobody_hangs(scene: Scene, anchors: dict[int, tuple[float, float, int]]) -> None:
    flying: set[int] = set()
    for ship, at in scene.world.rows(Ship, Transform):
        flying.add(ship.seat)
        x, y, since = anchors.get(ship.seat, (-1e9, -1e9, 0))
        if (at.x - x) ** 2 + (at.y - y) ** 2 > 60**2:
            anchors[ship.seat] = (at.x, at.y, scene.tick)
        else:
            assert scene.tick - since < 7 * 60, f"seat {ship.seat} has hung around {x:.0f}, {y:.0f} for 7 s"
    for seat in anchors.keys() - flying:
        del anchors[seat]


def test_hard_bots_beat_easy_ones() -> None:
    levels = {seat: "hard" if seat % 2 else "easy" for seat in range(8)}
    points = {"easy": 0, "hard": 0}
    for seed in (1, 2):  # one match alone may be a lucky one
        scene = GAME.scene(Options(seed=seed, bots=8), resources=[BotSettings(levels=levels)])
        for _ in range(45 * 60):
            scene.run_tick()
        for player, score in scene.world.rows(Player, Score):
            points[levels[player.seat]] += score.points
    assert points["hard"] > 2 * max(0, points["easy"])


def test_thirty_two_bots_fit_into_every_arena() -> None:
    for arena in GAME.arenas:
        scene = GAME.scene(Options(seed=1, bots=32, arena=arena))
        for _ in range(260):
            scene.run_tick()
        assert scene.world.resource(Match).part is Part.PLAY
        inside = scene.world.count(Ship)
        assert inside > 20


def test_a_crowd_that_comes_and_goes_and_flies_wildly_breaks_nothing() -> None:
    rng = random.Random(4)
    crowd = Plugin("crowd")

    @crowd.commands()
    def sample(world: World) -> Iterator[Commanded[Fly]]:
        for seat in range(-1, 33):
            stick = rng.uniform(-2, 2), rng.uniform(-2, 2), rng.uniform(-9, 9)
            yield Commanded(seat, Fly(*stick, rng.random() < 0.3, rng.random() < 0.3, rng.random() < 0.3))

    match = Match(people=0, bots=12, round_time=3.0)
    scene = GAME.scene(Options(bots=12, seed=2), [crowd], resources=[match])
    for _ in range(1200):
        for _ in range(rng.choice((0, 0, 1, 3))):
            scene.receive(rng.choice((Joined, Left))(rng.randrange(-2, 34)))
        scene.run_tick()
    assert match.round > 1
    assert 12 <= scene.world.count(Player) <= 32


@pytest.mark.parametrize("arena", GAME.arenas)
def test_the_fastest_discs_stay_inside_the_border(arena: str) -> None:
    scene = GAME.scene(Options(seed=3, bots=0, humans=1, arena=arena))
    scene.run_tick()
    world = scene.world
    ship = world.only(Entity, having=(Ship,))
    ship[Protection].seconds = 60.0
    for number in range(60):
        thrown = world.spawn(*disc(ship, number * 0.37))
        flying = thrown[Disc]
        flying.bounces, flying.speed, flying.life = -1000, tuning.DISC_TOP_SPEED, 60.0
    for _ in range(240):
        scene.run_tick()
    width, height = world.resource(Arenas)[arena].width, world.resource(Arenas)[arena].height
    places = [(at.x, at.y) for at in world.rows(Transform, having=(Disc,))]
    assert len(places) == 60
    assert all(20 < x < width - 20 and 20 < y < height - 20 for x, y in places)
