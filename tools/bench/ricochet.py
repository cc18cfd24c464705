"""A whole game: how many simulated seconds of Ricochet with 32 bots fit into a second, against its physics alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

from engine.app import Options
from engine.physics import Space
from games.ricochet.game import GAME
from tools.bench.figure import Figure

BOTS = 32
WARM_UP = 300
TICKS = 1200


def headless_ricochet() -> Iterator[Figure]:
    """The physics step is timed inside the same run: it is what no rule or bot could make faster."""
    scene = GAME.scene(Options(seed=7, bots=BOTS, level="normal"))
    for _ in range(WARM_UP):
        scene.run_tick()
    space = scene.world.resource(Space)
    stepping = 0.0
    step = space.step

    def timed_step(dt: float) -> None:
        nonlocal stepping
        begin = time.perf_counter()
        step(dt)
        stepping += time.perf_counter() - begin

    space.step = timed_step
    begin = time.perf_counter()
    for _ in range(TICKS):
        scene.run_tick()
    total = time.perf_counter() - begin
    simulated = TICKS * scene.time.dt
    yield Figure("headless-ricochet", simulated / total, "s/s", "physics step alone", simulated / stepping)
