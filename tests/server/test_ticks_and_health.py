"""Ticks are counted and timed; health is bad while they stand still, and only then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.server.health import Health
from engine.server.ticks import BOUNDS, Histogram, Ticks, total


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run(ticks: Ticks, clock: Clock, seconds: float, rate: float = 60.0) -> None:
    """Let a tick end every `1 / rate` seconds."""
    for _ in range(round(seconds * rate)):
        clock.now += 1 / rate
        ticks.ticked(clock.now, late=0.001, took=0.003)


# Histograms


@given(st.lists(st.floats(0, 10)), st.floats(0, 1))
def test_a_histogram_knows_count_sum_and_about_where_quantiles_are(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    assert histogram.count == len(values)
    assert histogram.total == pytest.approx(sum(values))
    for bound in BOUNDS:
        expected = sum(value <= bound for value in values) / len(values) if values else 1.0
        assert histogram.share_up_to(bound) == expected
    estimate = histogram.quantile(share)
    if values and share > 0:
        rank = max(1, -(-share * len(values) // 1))
        exact = sorted(values)[int(rank) - 1]
        below = max((bound for bound in (0.0, *BOUNDS) if bound < exact), default=0.0)
        above = min((bound for bound in BOUNDS if bound >= exact), default=BOUNDS[-1])
        assert below <= estimate <= above


def test_what_happened_since_and_all_together() -> None:
    first, second = Histogram((1.0, 2.0)), Histogram((1.0, 2.0))
    first.observe(0.5)
    then = first.copy()
    first.observe(1.5)
    second.observe(9.0)
    assert first.since(then).counts == [0, 1, 0]
    assert first.since(then).total == 1.5
    together = total([first, second])
    assert (together.counts, together.total) == ([1, 1, 1], 11.0)
    assert first.counts == [1, 1, 0]
    assert total([]).count == 0


# Ticks


def test_the_rate_is_that_of_the_last_seconds_and_falls_when_ticks_stop() -> None:
    clock = Clock()
    ticks = Ticks(60.0, clock.now)
    assert ticks.rate_at(clock.now) == 0.0
    run(ticks, clock, 1.0)
    assert ticks.rate_at(clock.now) == pytest.approx(60.0)
    run(ticks, clock, 60.0)
    assert ticks.rate_at(clock.now) == pytest.approx(60.0)
    run(ticks, clock, 10.0, rate=30.0)
    assert ticks.rate_at(clock.now) == pytest.approx(30.0)
    rates = [ticks.rate_at(clock.now + seconds) for seconds in range(20)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 2.0
    assert ticks.count == 60 + 3600 + 300


def test_a_pause_is_no_gap() -> None:
    clock = Clock()
    ticks = Ticks(60.0, clock.now)
    run(ticks, clock, 1.0)
    ticks.pause()
    clock.now += 1000.0
    assert (ticks.silence(clock.now), ticks.rate_at(clock.now)) == (0.0, 0.0)
    ticks.resume(clock.now)
    run(ticks, clock, 2.0)
    assert ticks.longest_gap == pytest.approx(1 / 60)
    assert ticks.rate_at(clock.now) == pytest.approx(60.0)
    clock.now += 3.0
    ticks.ticked(clock.now, late=3.0, took=0.01)
    assert ticks.longest_gap == pytest.approx(3.0)
    assert ticks.lateness.quantile(1.0) > 1.0


# Health


def test_health_goes_bad_when_ticks_stop_and_good_when_they_go_on() -> None:
    clock = Clock()
    health = Health(clock)
    ticks = Ticks(60.0, clock.now)
    health.watch("room k3f9", ticks)
    assert health.verdict().ok
    run(ticks, clock, 5.0)
    clock.now += 1.9
    assert health.verdict().status == 200
    clock.now += 3.1
    verdict = health.verdict()
    assert verdict.status == 503
    assert verdict.problems == ("room k3f9: no tick for 5.0 s, after 300",)
    assert verdict.plain() == {
        "ok": False,
        "problems": ["room k3f9: no tick for 5.0 s, after 300"],
        "ticks": 300,
        "seconds_since_tick": 5.0,
    }
    run(ticks, clock, 0.1)
    assert health.verdict().plain() == {"ok": True, "problems": [], "ticks": 306, "seconds_since_tick": 0.0}


def test_what_never_ticks_goes_bad_too() -> None:
    clock = Clock()
    health = Health(clock, patience=1.0)
    health.watch("loop", Ticks(60.0, clock.now))
    clock.now += 1.5
    assert health.verdict().problems == ("loop: no tick for 1.5 s, after 0",)


def test_one_that_stands_still_is_named_among_those_that_go_on() -> None:
    clock = Clock()
    health = Health(clock)
    going, standing, empty = (Ticks(60.0, clock.now) for _ in range(3))
    for name, ticks in (("going", going), ("standing", standing), ("empty", empty)):
        health.watch(name, ticks)
    empty.pause()
    run(going, clock, 10.0)
    assert [problem.split(":")[0] for problem in health.verdict().problems] == ["standing"]
    health.forget("standing")
    health.forget("never there")
    assert health.verdict().ok


def test_other_checks_have_a_say_and_one_that_raises_is_a_problem() -> None:
    health = Health(Clock())
    problem = [""]
    health.check("saves", lambda: problem[0])
    assert health.verdict().ok
    problem[0] = "no space left"
    assert health.verdict().problems == ("saves: no space left",)
    problem.clear()
    assert health.verdict().problems[0].startswith("saves: could not be checked: IndexError")
    health.forget("saves")
    assert health.verdict().ok


def test_a_clock_that_goes_back_is_no_silence() -> None:
    clock = Clock()
    health = Health(clock)
    health.watch("loop", Ticks(60.0, clock.now))
    clock.now -= 1000.0
    assert health.verdict().silence == 0.0
