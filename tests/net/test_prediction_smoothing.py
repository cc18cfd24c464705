"""Offsets of what is shown from where it is predicted."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.replication.smoothing import HALF, NEWBORN_HALF, SNAP, Smoothing


def corrected(x: float, y: float = 0.0, angle: float = 0.0) -> Smoothing:
    smoothing = Smoothing()
    smoothing.corrected([7], np.array([[x, y, angle]]), np.zeros((1, 3)))
    return smoothing


def test_a_correction_moves_nothing_at_first_and_halves() -> None:
    smoothing = corrected(8.0, -4.0)
    assert smoothing.offsets.tolist() == [[8.0, -4.0, 0.0]]
    smoothing.advance(HALF)
    assert smoothing.offsets.tolist() == [[4.0, -2.0, 0.0]]
    assert smoothing.advance(HALF)[0] == pytest.approx(np.hypot(2.0, 1.0))


@given(st.floats(0.1, SNAP - 1), st.lists(st.floats(0.001, 0.05), min_size=1, max_size=300))
def test_an_offset_only_ever_shrinks(x: float, steps: list[float]) -> None:
    smoothing = corrected(x)
    before = x
    for dt in steps:
        moved = smoothing.advance(dt)[0]
        now = float(smoothing.offsets[0, 0])
        assert 0 <= now <= before
        assert moved == pytest.approx(before - now)
        before = now


def test_angles_go_the_short_way() -> None:
    smoothing = Smoothing()
    smoothing.corrected([1], np.array([[0.0, 0.0, 3.0]]), np.array([[0.0, 0.0, -3.0]]))
    assert smoothing.offsets[0, 2] == pytest.approx(6.0 - 2 * pi)


def test_too_far_is_not_glossed_over() -> None:
    smoothing = corrected(SNAP + 1)
    assert smoothing.advance(0.01)[0] == pytest.approx(SNAP + 1)
    assert not smoothing.offsets.any()


def test_what_is_new_may_come_from_far_and_hurries() -> None:
    smoothing = Smoothing()
    smoothing.align([1, 2])
    smoothing.begin(1, 400.0, 0.0, half=NEWBORN_HALF)
    smoothing.advance(0.1)
    assert smoothing.offsets[0].tolist() == [0.0, 0.0, 0.0]
    assert 0 < smoothing.offsets[1, 0] < 45.0


def test_offsets_follow_their_keys() -> None:
    smoothing = Smoothing()
    smoothing.corrected([1, 2, 3], np.array([[1.0, 0, 0], [2.0, 0, 0], [3.0, 0, 0]]), np.zeros((3, 3)))
    smoothing.align([3, 9, 1])
    assert smoothing.offsets[:, 0].tolist() == [3.0, 0.0, 1.0]
