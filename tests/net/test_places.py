"""The history of places: who may have been near ways, found by the kernel as by numpy."""

from __future__ import annotations

import numpy as np
import pytest

from engine.net.replication import places
from engine.net.replication.places import Places


def noted(rng: np.random.Generator, entities: int) -> Places:
    history = Places(6)
    for tick in range(1, 9):
        ids = np.arange(100, 100 + entities, dtype=np.uint64) if tick in (1, 4) else None
        if ids is not None and tick == 1:
            ids = ids[entities // 3 :]  # the rest come later, and were nowhere before
        count = entities - entities // 3 if tick < 4 else entities
        history.note(tick, ids, rng.uniform(-50, 50, (count, 3)))
    return history


@pytest.mark.skipif(not places.COMPILED, reason="the kernel of physics was not built, or is switched off")
@pytest.mark.parametrize("seed", range(8))
def test_ways_are_near_the_same_places(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = np.random.default_rng(seed)
    entities, ways = int(rng.integers(1, 40)), int(rng.integers(1, 30))
    history = noted(rng, entities)
    start = rng.uniform(-50, 50, (ways, 3))
    end = start + rng.uniform(-9, 9, (ways, 3)) * (rng.random((ways, 1)) < 0.8)
    ticks = rng.integers(3, 9, ways).astype(np.intp)
    for columns in (None, np.flatnonzero(rng.random(entities) < 0.5)):
        width = entities if columns is None else len(columns)
        reach = rng.uniform(0, 25, (ways, width))
        found = history.near(ticks, columns, start, end, reach)
        assert 0 < len(found) < ways * width or width < 3
        with monkeypatch.context() as patch:
            patch.setattr(places, "COMPILED", False)
            assert history.near(ticks, columns, start, end, reach) == found


@pytest.mark.skipif(not places.COMPILED, reason="the kernel of physics was not built, or is switched off")
def test_places_beyond_the_history_are_refused() -> None:
    from engine.physics import kernel

    ring, rows, way = np.zeros((4, 3, 2)), np.zeros(1, np.intp), np.zeros((1, 3))
    reach, found = np.ones((1, 2)), np.empty(2, np.intp)
    assert kernel.near(ring, 2, rows, None, way, way, reach, found) == 2
    for wrong in (-1, 4):
        with pytest.raises(ValueError, match="row"):
            kernel.near(ring, 2, np.array([wrong], np.intp), None, way, way, reach, found)
    with pytest.raises(ValueError, match="column"):
        kernel.near(ring, 2, rows, np.array([0, 2], np.intp), way, way, reach, found)
    with pytest.raises(ValueError, match="bytes"):
        kernel.near(ring, 2, rows, None, way, way, reach, found[:1])
    with pytest.raises(ValueError, match="row"):
        kernel.near(ring[:0], 2, rows, None, way, way, reach, found)
