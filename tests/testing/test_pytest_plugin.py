"""The pytest plugin, in runs of its own."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]

SUITE = """
from engine.app import Game, Options, Plugin, Tick
from engine.ecs import Component, F64, f64

class Ball(Component):
    x: F64 = f64()

rules = Plugin("rules")

@rules.setup
def begin(world):
    world.spawn(Ball(world.rng.random()))

GAME = Game("ball", "Ball", 1, lambda o: [rules], lambda o: [], lambda o: [], lambda o: [])

def test_good(tickwire_game, tick_clock):
    match = tickwire_game(GAME)
    match.run_seconds(1)
    assert match.tick == 60
    assert tick_clock() == 0.0

def test_bad(tickwire_game):
    match = tickwire_game(GAME)
    match.run_ticks(7)
    assert match.tick == 8

def test_app(headless_app):
    app = headless_app(rules, resources=[42])
    app.run_ticks(2)
    assert app.world.resource(int) == 42

def test_seed(tickwire_seed, tickwire_game):
    print("SEED", tickwire_seed)
    assert tickwire_game(GAME).scene.seed == tickwire_seed
    assert tickwire_game(GAME, Options(seed=3)).scene.seed == 3

def test_plain():
    assert False
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(test_ball=SUITE)
    return pytester


QUICK = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:xdist")


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run with the plugin, also where the engine is not installed but only on the path."""
    installed = any(point.name == "tickwire" for point in entry_points(group="pytest11"))
    load = () if installed else ("-p", "engine.testing.pytest_plugin")
    return suite.runpytest_subprocess(*load, *QUICK, *arguments)


def test_fixtures_work_and_a_failure_names_its_seed(suite: pytest.Pytester) -> None:
    result = run(suite)
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(
        ["*tickwire*", "seed *; run this test alike with --tickwire-seed *", "<Scene 'ball' at tick 7>, state *"]
    )
    assert result.stdout.str().count("run this test alike") == 1, "a test without a game has no seed to tell"


def test_the_seed_is_the_same_in_every_run_and_can_be_given(suite: pytest.Pytester) -> None:
    def seed(*arguments: str) -> str:
        lines = run(suite, "-s", "-k", "test_seed", *arguments).stdout.lines
        return next(line.split("SEED ")[1].rstrip(".") for line in lines if "SEED" in line)

    assert seed() == seed() != "99"
    assert seed("--tickwire-seed", "99") == "99"
