"""What pytest gets where the engine is installed: fixtures, and the seed of a failed test in its report.

    def test_it_bounces(tickwire_game):
        game = tickwire_game(GAME)
        game.run_seconds(2)

The seed of a test follows from its name; `--tickwire-seed N` runs it with another.
Loaded by every pytest run, so it imports nothing of the engine until a fixture is used.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from engine.app import Game, Options
    from engine.testing.clock import ManualClock
    from engine.testing.driving import Harness

SEED = pytest.StashKey[int]()
RUNNING = pytest.StashKey["list[Harness]"]()


class StartGame(Protocol):
    """`tickwire_game(GAME, options=None, **how)`: a match under test, see `engine.testing.play`."""

    def __call__(self, game: Game, options: Options | None = None, **how: Any) -> Harness: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tickwire", "tickwire")
    group.addoption(
        "--tickwire-seed", type=int, metavar="N", help="seed of games under test; by default each test has its own"
    )


@pytest.fixture
def tickwire_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this test: the same in every run, unless `--tickwire-seed` gives another. Shown if the test fails."""
    given: int | None = request.config.getoption("--tickwire-seed")
    seed = zlib.crc32(request.node.nodeid.encode()) if given is None else given
    request.node.stash[SEED] = seed
    return seed


@pytest.fixture
def tick_clock() -> ManualClock:
    """A clock at 0 that only the test moves."""
    from engine.testing.clock import ManualClock

    return ManualClock()


@pytest.fixture
def tickwire_game(request: pytest.FixtureRequest, tickwire_seed: int) -> Iterator[StartGame]:
    """Starts matches with the test's seed: `tickwire_game(GAME)`. They end with the test."""
    from engine.app import Options
    from engine.testing.driving import play

    running: list[Harness] = request.node.stash.setdefault(RUNNING, [])

    def start(game: Game, options: Options | None = None, **how: Any) -> Harness:
        humans = 1 if how.get("pilot", True) else 0
        match = play(game, options or Options(seed=tickwire_seed, humans=humans), **how)
        running.append(match)
        return match

    yield start
    for match in running:
        match.close()


@pytest.fixture
def headless_app(request: pytest.FixtureRequest, tickwire_seed: int) -> Iterator[Callable[..., Harness]]:
    """Makes an app from plugins, with the test's seed: `headless_app(rules, resources=[...])`."""
    from engine.testing.driving import harness

    running: list[Harness] = request.node.stash.setdefault(RUNNING, [])

    def start(*plugins: Any, seed: int | None = None, resources: Any = ()) -> Harness:
        made = harness(*plugins, seed=tickwire_seed if seed is None else seed, resources=resources)
        running.append(made)
        return made

    yield start
    for made in running:
        made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and SEED in item.stash:
        lines = [f"seed {item.stash[SEED]}; run this test alike with --tickwire-seed {item.stash[SEED]}"]
        running = item.stash.get(RUNNING, None)
        lines.extend(f"{match.scene!r}, state {_state(match)}" for match in running or () if match.app.scenes)
        report.sections.append(("tickwire", "\n".join(lines)))
    return report


def _state(match: Harness) -> str:
    try:
        return f"{match.state_hash():016x}"
    except Exception as error:  # a report must not fail with what it reports on
        return f"unknown: {error!r}"
