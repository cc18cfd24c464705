"""A client whose copy has come apart from the server's notices, says what differs, and gets everything anew."""

from dataclasses import replace

import pytest

from engine.app import Game
from engine.net.multiplayer import multiplayer_of
from engine.net.transport.presets import PRESETS
from engine.testing.netplay import Netplay
from games import tag


def bounded(**limits: float) -> Game:
    """The game, with clients that are not all told the same."""
    multiplayer = multiplayer_of(tag.GAME)
    return replace(tag.GAME, multiplayer=replace(multiplayer, **limits))


@pytest.mark.parametrize("game", [tag.GAME, bounded(budget=20_000.0)], ids=["all alike", "each its own"])
def test_a_copy_that_came_apart_is_noticed_named_and_mended(game: Game) -> None:
    with Netplay(game, seed=2, conditions=PRESETS["home"]) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        match.run_until(lambda: ana.playing and ben.playing)
        match.run(5.0)
        figures = ana.participant.figures
        assert figures.desyncs == ben.participant.figures.desyncs == 0
        for state in ana.participant.replica.states.values():
            state.cells[:] += 3
        match.run(5.0)
        assert figures.desyncs == 1
        assert "differs from the server's" in ana.participant.desync
        assert ben.participant.figures.desyncs == 0
        ana.participant.desync = ""
        match.run(5.0)
        assert figures.desyncs == 1, "it was told everything anew"
