"""Real time in, ticks out."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import AppError, FixedStep

DT = 1 / 60


def test_time_is_paid_out_in_ticks_and_the_rest_is_alpha() -> None:
    step = FixedStep(60)
    assert step.advance(100.0) == 0, "the first look only notes the time"
    assert step.advance(100.0 + 1.5 * DT) == 1
    assert step.alpha == pytest.approx(0.5)
    assert step.advance(100.0 + 2.0 * DT) == 1
    assert step.alpha == pytest.approx(0.0, abs=1e-6)


@given(st.lists(st.floats(0, 0.05), min_size=1, max_size=60))
def test_no_time_is_lost_below_the_cap(passages: list[float]) -> None:
    step = FixedStep(60)
    now = 0.0
    step.advance(now)
    ticks = 0
    for passed in passages:
        now += passed
        ticks += step.advance(now)
        assert 0.0 <= step.alpha < 1.0 + 1e-6
    assert abs(ticks + step.alpha - now * 60) < 1e-6
    assert step.dropped == 0


def test_a_stall_is_caught_up_only_so_far_and_the_rest_is_counted() -> None:
    step = FixedStep(60)
    step.advance(0.0)
    assert step.advance(1.0) == 5
    assert step.dropped == 55
    assert step.advance(1.0 + DT) == 1, "what was dropped does not come back"


def test_a_clock_that_goes_back_stands_still() -> None:
    step = FixedStep(60)
    step.advance(50.0)
    assert step.advance(10.0) == 0
    assert step.advance(10.0 + DT) == 1


@pytest.mark.parametrize("now", [nan, inf, -inf])
def test_a_clock_that_says_no_time_is_an_error(now: float) -> None:
    step = FixedStep(60)
    with pytest.raises(AppError, match="clock"):
        step.advance(now)
    step.advance(0.0)
    assert step.advance(DT) == 1, "and leaves the step in order"


def test_pause_takes_no_time_and_steps_run_one_by_one() -> None:
    step = FixedStep(60)
    step.advance(0.0)
    step.paused = True
    assert step.advance(10.0) == 0
    step.step()
    step.step(2)
    assert step.advance(10.1) == 3
    assert step.advance(10.2) == 0
    step.paused = False
    assert step.advance(10.2 + DT) == 1, "the time spent paused is not caught up"
    assert step.dropped == 0


def test_slow_motion_and_fast_forward() -> None:
    step = FixedStep(60)
    step.speed = 0.25
    step.advance(0.0)
    assert [step.advance(n * DT) for n in range(1, 9)] == [0, 0, 0, 1, 0, 0, 0, 1]
    step.speed = 8
    assert step.advance(9 * DT) == 8, "the cap is of real time, so it grows with the speed"
    assert step.dropped == 0


@pytest.mark.parametrize("speed", [0, -1, nan, inf, 101])
def test_a_speed_must_make_sense(speed: float) -> None:
    step = FixedStep(60)
    with pytest.raises(AppError, match="pause"):
        step.speed = speed


@pytest.mark.parametrize("rate", [0, -60, nan, inf])
def test_a_rate_must_make_sense(rate: float) -> None:
    with pytest.raises(AppError, match="ticks a second"):
        FixedStep(rate)


def test_until_due_is_when_to_look_again() -> None:
    step = FixedStep(60)
    assert step.until_due(0.0) == 0.0
    step.advance(0.0)
    assert step.until_due(0.0) == pytest.approx(DT)
    assert step.until_due(DT / 2) == pytest.approx(DT / 2)
    assert step.until_due(1.0) == 0.0
    step.speed = 0.5
    assert step.until_due(0.0) == pytest.approx(2 * DT)
    step.paused = True
    assert step.until_due(0.0) == inf
    step.step()
    assert step.until_due(0.0) == 0.0


@given(st.floats(1, 240), st.floats(0.01, 10), st.floats(0, 1))
def test_waiting_until_due_gives_a_tick(rate: float, speed: float, start: float) -> None:
    step = FixedStep(rate)
    step.speed = speed
    step.advance(start)
    assert step.advance(start + step.until_due(start) + 1e-6) >= 1
