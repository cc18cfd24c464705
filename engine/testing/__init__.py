"""Tools for tests, of the engine and of games. Everything in time that only the test advances.

    from engine.testing import play

    def test_a_disc_is_thrown() -> None:
        game = play(GAME)
        thrown = game.events(DiscThrown)
        game.tap(MouseButton.LEFT)
        game.run_ticks(1)
        assert len(thrown) == 1

Names are loaded when first asked for, so that pytest starts fast where the engine is installed and not used.
A virtual network is in `engine.testing.network`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.facade import loader

if TYPE_CHECKING:
    from engine.testing.clock import ManualClock
    from engine.testing.driving import Harness, VirtualPad, harness, play
    from engine.testing.executor import InlineExecutor
    from engine.testing.golden import assert_replays, record_golden
    from engine.testing.sync import SyncError, sync_test

_WHERE = {
    "engine.testing.clock": "ManualClock",
    "engine.testing.driving": "Harness VirtualPad harness play",
    "engine.testing.executor": "InlineExecutor",
    "engine.testing.golden": "assert_replays record_golden",
    "engine.testing.sync": "SyncError sync_test",
}

__all__ = [
    "Harness",
    "InlineExecutor",
    "ManualClock",
    "SyncError",
    "VirtualPad",
    "assert_replays",
    "harness",
    "play",
    "record_golden",
    "sync_test",
]


__getattr__ = loader(__name__, _WHERE)
