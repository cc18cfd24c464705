"""What is shown runs smoothly, as little behind as the network allows."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.address import Address
from engine.net.replication.playout import CHANGE, HOPELESS, Playout
from engine.net.transport.conditioner import Conditions, Link
from engine.net.transport.presets import HOME, LAN, MOBILE, WIFI

WHERE = Address("192.0.2.1", 5)
RATE = 60.0
BEGAN = 777.0


@dataclass
class Run:
    """A server that sends snapshots and a client that shows them, 60 frames a second."""

    conditions: Conditions
    every: int = 2
    seed: int = 1
    shown: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """When, and what tick."""
    delays: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def __post_init__(self) -> None:
        self.link = Link(self.conditions, self.seed)
        self.rng = random.Random(self.seed)
        self.playout = Playout(1 / RATE, every=self.every)
        self.now = 0.0
        self.tick = 600
        self.tick_at = 0.0
        self.frame_at = 0.3

    def run(self, seconds: float) -> Run:
        end = self.now + seconds
        while self.now < end:
            timers = (self.tick_at, self.frame_at, self.link.next_timer())
            self.now = min(at for at in timers if at is not None)
            for snapshot, _ in self.link.arrivals(self.now):
                self.playout.arrived(int.from_bytes(snapshot, "little"), BEGAN + self.now)
            if self.now >= self.tick_at:
                self.link.send(self.tick.to_bytes(4, "little"), WHERE, self.now)
                self.tick += self.every
                self.tick_at += self.every / RATE
            if self.now >= self.frame_at:
                self.shown.append((self.now, self.playout.at(BEGAN + self.now)))
                self.delays.append((self.now, self.playout.delay))
                self.frame_at = self.now + self.rng.uniform(0.9, 1.1) / RATE
        return self

    def underruns(self) -> float:
        """The share of frames that lay beyond the newest snapshot so far."""
        return self.playout.underruns / self.playout.frames

    def delay(self, since: float, until: float = float("inf")) -> float:
        """Milliseconds behind what could be shown at best, on average."""
        delays = [delay for at, delay in self.delays if since <= at <= until]
        return sum(delays) / len(delays) * 1000

    def check_smooth(self) -> None:
        """Never backwards, and never more than 10 % faster or slower than the server."""
        for (before, old), (after, new) in zip(self.shown, self.shown[1:], strict=False):
            passed = (after - before) * RATE
            assert (1 - CHANGE) * passed - 1e-6 <= new - old <= (1 + CHANGE) * passed + 1e-6


@pytest.mark.parametrize(
    ("conditions", "every", "underruns", "delay"),
    [
        (LAN, 2, 0.001, 45),
        (LAN, 3, 0.001, 65),
        (HOME, 2, 0.004, 65),
        (HOME, 3, 0.004, 95),
        (WIFI, 2, 0.005, 185),
        (WIFI, 3, 0.007, 260),
        (MOBILE, 2, 0.004, 125),
        (MOBILE, 3, 0.004, 165),
    ],
)
def test_a_steady_network(conditions: Conditions, every: int, underruns: float, delay: float) -> None:
    """Over three runs of two minutes: the share of frames without a newer snapshot, and the delay in milliseconds."""
    runs = [Run(conditions, every, seed).run(120.0) for seed in (11, 12, 13)]
    for run in runs:
        run.check_smooth()
    assert sum(run.underruns() for run in runs) / 3 <= underruns
    assert sum(run.delay(0.0) for run in runs) / 3 <= delay


def test_a_worse_network_is_met_within_seconds_and_a_better_one_later() -> None:
    run = Run(LAN).run(20.0)
    assert run.playout.underruns == 0
    run.link.conditions = MOBILE
    run.run(2.0)
    worse = run.playout.underruns
    assert worse < 60
    run.run(28.0)
    assert run.playout.underruns - worse < 0.005 * 28 * RATE
    run.link.conditions = LAN
    run.run(30.0)
    assert run.delay(75.0) < 45
    run.check_smooth()


def test_a_longer_way_is_no_delay_of_its_own() -> None:
    run = Run(Conditions(latency=0.01)).run(30.0)
    run.link.conditions = Conditions(latency=0.2)
    run.run(60.0)
    assert run.delay(25.0, 30.0) == pytest.approx(run.delay(80.0), abs=3.0)
    run.check_smooth()


@pytest.mark.parametrize("speed", [0.9995, 1.0005])
def test_clocks_that_differ(speed: float) -> None:
    playout = Playout(every=2)
    for frame in range(60 * 120):
        if frame % 2 == 0:
            playout.arrived(600 + frame, BEGAN + frame / 60 * speed)
        playout.at(BEGAN + (frame + 0.5) / 60 * speed)
    assert playout.underruns == 0
    assert playout.delay < 0.06


def test_after_a_long_silence_what_is_shown_jumps_ahead() -> None:
    run = Run(LAN).run(10.0)
    run.link.conditions = Conditions(loss=1.0)
    run.run(5.0)
    newest = run.shown[-1][1]
    assert newest <= 600 + 10 * RATE + HOPELESS * RATE  # it does not run away from what is known
    run.link.conditions = LAN
    run.run(2.0)
    steps = [new - old for (_, old), (_, new) in zip(run.shown, run.shown[1:], strict=False)]
    assert min(steps) >= 0
    assert sum(step > 2 for step in steps) == 1
    assert run.shown[-1][1] > 600 + 16.8 * RATE


def test_a_server_that_stood_still_is_waited_for() -> None:
    """Its ticks stood still too, so what is shown is too far ahead; it never goes back."""
    run = Run(LAN).run(10.0)
    run.tick_at += 3.0
    run.run(40.0)
    assert all(new >= old for (_, old), (_, new) in zip(run.shown, run.shown[1:], strict=False))
    assert run.delay(45.0) < 60


def test_a_frame_that_took_long_is_no_reason_to_show_less_of_the_present() -> None:
    """What arrives while the client itself stands still is not late."""
    playout = Playout(every=2)
    delays: list[float] = []
    waiting: list[int] = []
    for frame in range(60 * 20):
        if frame % 2 == 0:
            waiting.append(600 + frame)
        if 600 < frame < 620:
            continue
        for tick in waiting:
            playout.arrived(tick, BEGAN + frame / 60)
        waiting.clear()
        playout.at(BEGAN + frame / 60)
        delays.append(playout.delay)
    assert playout.underruns == 0
    assert delays[-1] <= delays[599] + 0.001


def test_moments_past_can_be_asked_for_again() -> None:
    run = Run(HOME).run(10.0)
    frames, (before, old), (after, new) = run.playout.frames, *run.shown[-2:]
    assert run.playout.at(BEGAN + after) == new
    assert run.playout.at(BEGAN + before) == pytest.approx(old, abs=0.01)
    assert run.playout.at(BEGAN + after - 0.2) == pytest.approx(new - 0.2 * RATE, abs=0.2 * RATE * CHANGE)
    assert run.playout.at(BEGAN + after) == new
    assert run.playout.frames == frames


def test_nothing_to_show_yet() -> None:
    playout = Playout()
    assert playout.at(5.0) == 0.0
    assert playout.delay == 0.0
    assert playout.frames == playout.underruns == 0


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.sampled_from([0.0, 0.004, 0.017, 0.4, 3.0]), st.booleans())),
    st.sampled_from([1, 2, 6]),
)
def test_whatever_arrives_it_never_goes_back(events: list[tuple[int, float, bool]], every: int) -> None:
    playout = Playout(every=every)
    playout.arrived(500, BEGAN)
    now, shown = BEGAN, playout.at(BEGAN)
    for tick, passed, arrives in events:
        now += passed
        if arrives:
            playout.arrived(tick, now)
        latest = playout.at(now)
        assert shown <= latest <= 1000 + HOPELESS * RATE
        assert playout.at(now) == latest
        shown = latest


@pytest.mark.parametrize("conditions", [LAN, WIFI, MOBILE])
@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_after_a_standstill_of_the_server_all_is_smooth_again_in_a_second(
    conditions: Conditions, seconds: float
) -> None:
    run = Run(conditions, seed=3).run(40.0)
    usual = run.delay(20.0)
    run.tick_at += seconds
    run.run(seconds + 1.0)
    frames, underruns, place = run.playout.frames, run.playout.underruns, len(run.shown)
    run.run(10.0)
    assert run.playout.underruns - underruns < 0.02 * (run.playout.frames - frames)
    assert run.delay(run.now - 10.0) < usual + 60
    run.shown = run.shown[place:]
    run.check_smooth()


def test_after_a_silence_in_which_the_server_went_on_one_step_leads_to_the_present() -> None:
    run = Run(WIFI, seed=3).run(40.0)
    run.link.conditions = Conditions(loss=1.0)
    run.run(3.0)
    run.link.conditions = WIFI
    run.run(1.0)
    place, now = len(run.shown), run.now
    run.run(5.0)
    assert run.delay(now) < 250
    run.shown = run.shown[place:]
    run.check_smooth()
