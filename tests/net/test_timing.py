"""A client's commands reach the server just before their tick, in every network and whatever happens to the clocks."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Annotated

import pytest

from engine.app.clock import FixedStep
from engine.net.connection.address import Address
from engine.net.replication.commands import Inbox, Outbox
from engine.net.replication.timing import Lead
from engine.net.transport.conditioner import Conditions, Link
from engine.net.transport.presets import HOME, LAN, MOBILE, PRESETS, WIFI
from engine.net.wire.protocol import Protocol
from engine.net.wire.schema import Quantized
from engine.net.wire.system import Pace

WHERE = Address("192.0.2.1", 5)
RATE = 60.0


@dataclass(slots=True)
class Turn:
    to: Annotated[float, Quantized(0.0, 4096.0, 1.0)]


PROTOCOL = Protocol("clock").command(Turn)


@dataclass
class Run:
    """A server and a client with clocks of their own, and what became of the client's commands."""

    conditions: Conditions
    seed: int = 1
    fps: float = 60.0
    drift: float = 0.0
    """How much faster the client's clock goes."""
    welcome_late: float = 0.0
    missed: list[float] = field(default_factory=list[float])
    """When the server had no command in time."""
    speeds: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    jumps: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    paces: list[tuple[float, Pace]] = field(default_factory=list[tuple[float, Pace]])
    sent_bytes: int = 0

    def __post_init__(self) -> None:
        assert PROTOCOL.id
        self.rng = random.Random(self.seed)
        self.up, self.down = Link(self.conditions, f"{self.seed} up"), Link(self.conditions, f"{self.seed} down")
        self.now = 0.0
        self.server = 600
        self.server_at = 0.0
        self.inbox = Inbox(PROTOCOL, self.server)
        self.outbox, self.lead, self.clock = Outbox(PROTOCOL), Lead(1 / RATE), FixedStep(RATE)
        self.client = 0
        jitter, latency = self.conditions.jitter, self.conditions.latency
        self.frame_at = latency + self.rng.uniform(-jitter, jitter) + self.welcome_late
        self.rtt = 2 * latency + self.rng.uniform(-jitter, jitter) + self.rng.uniform(-jitter, jitter)
        self._paces: dict[bytes, Pace] = {}

    def change(self, conditions: Conditions) -> None:
        self.up.conditions = self.down.conditions = conditions

    def run(self, seconds: float) -> Run:
        end = self.now + seconds
        while self.now < end:
            tick_at = self.server_at + 1 / RATE
            timers = (tick_at, self.frame_at, self.up.next_timer(), self.down.next_timer())
            self.now = min(at for at in timers if at is not None)
            for payload, _ in self.up.arrivals(self.now):
                assert self.inbox.receive(payload, self.server + (self.now - self.server_at) * RATE) is not None
            for key, _ in self.down.arrivals(self.now):
                self.lead.paced(self._paces[key])
            if self.now >= tick_at:
                self._serve()
            if self.now >= self.frame_at:
                self._play(1234.5 + self.now * (1 + self.drift))
        return self

    def _serve(self) -> None:
        self.server += 1
        self.server_at = self.now
        missed = self.inbox.counts.missed
        self.inbox.take(self.server)
        if self.inbox.counts.missed > missed:
            self.missed.append(self.now)
        pace = self.inbox.pace()
        if pace is not None:
            self.paces.append((self.now, pace))
            key = len(self.paces).to_bytes(4, "little")
            self._paces[key] = pace
            self.down.send(key, WHERE, self.now)

    def _play(self, now: float) -> None:
        if not self.client:
            self.client = self.lead.start(600, self.rtt, now)
        for _ in range(self.clock.advance(now)):
            self.client += 1
            self.outbox.depth = self.lead.depth
            self.outbox.note(self.client, [Turn(float(self.rng.randrange(4096)))])
            payload = self.outbox.payload((self.server, 1)).payload
            self.sent_bytes += len(payload)
            self.up.send(payload, WHERE, self.now)
        self.clock.speed = self.lead.steer(now, self.client + self.clock.alpha)
        self.speeds.append((self.now, self.clock.speed))
        if self.lead.jump:
            self.jumps.append((self.now, self.lead.jump))
            self.client += self.lead.jump
        self.frame_at = self.now + self.rng.uniform(0.95, 1.05) / self.fps

    def missed_share(self, since: float) -> float:
        return sum(at > since for at in self.missed) / ((self.now - since) * RATE)

    def mean_lead(self, since: float, until: float = float("inf")) -> float:
        """How early commands came on average, in ticks."""
        leads = [pace.mean for at, pace in self.paces if since < at < until]
        return sum(leads) / len(leads)


@pytest.mark.parametrize(
    ("conditions", "lead", "missed"),
    [(LAN, 1.5, 0.0), (HOME, 2.0, 0.004), (WIFI, 4.5, 0.013), (MOBILE, 4.0, 0.006)],
    ids=PRESETS,
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_steady_network(conditions: Conditions, lead: float, missed: float, seed: int) -> None:
    """Bounds on how early commands are, in ticks, and how many are missing. Of those on Wi-Fi, most are in bursts."""
    run = Run(conditions, seed).run(60.0)
    assert not run.jumps
    steady = run.mean_lead(3.0)
    assert 0.5 < steady < lead
    assert run.missed_share(2.0) <= missed
    assert run.mean_lead(1.0, 2.0) == pytest.approx(steady, abs=2.0)  # settled after a second
    assert all(0.96 <= speed <= 1.04 for at, speed in run.speeds if at > 5.0)
    assert sum(abs(speed - 1) for at, speed in run.speeds if at > 5.0) / len(run.speeds) < 0.006
    assert run.sent_bytes / (60 * RATE) < 48


@pytest.mark.parametrize("fps", [20.0, 30.0, 144.0])
def test_any_frame_rate(fps: float) -> None:
    """Ticks that run in one frame are sent together, so some need to be earlier."""
    run = Run(HOME, fps=fps).run(30.0)
    assert not run.jumps
    assert run.missed_share(2.0) <= 0.01
    assert run.mean_lead(3.0) < 1.5 + RATE / fps


@pytest.mark.parametrize("drift", [-0.0005, 0.0005])
def test_clocks_that_differ(drift: float) -> None:
    run = Run(HOME, drift=drift).run(60.0)
    assert not run.jumps
    assert run.missed_share(2.0) <= 0.005
    assert run.mean_lead(3.0) < 3.0


def test_a_worse_network_is_met_within_seconds_and_a_better_one_later() -> None:
    run = Run(LAN).run(10.0)
    run.change(MOBILE)
    run.run(20.0)
    assert sum(10.0 < at < 30.0 for at in run.missed) < 120  # two seconds in all
    assert run.missed_share(15.0) <= 0.01
    run.change(LAN)
    run.run(40.0)
    assert run.missed_share(31.0) == 0
    assert run.mean_lead(60.0) < 2.0


def test_a_server_that_stood_still() -> None:
    run = Run(WIFI).run(10.0)
    run.server_at += 0.4
    run.now += 0.4
    run.run(40.0)
    assert run.mean_lead(40.0) < 5.0
    assert run.missed_share(12.0) <= 0.015
    run.server_at += 1.7
    run.run(5.0)
    assert len(run.jumps) == 1
    run.run(30.0)
    assert len(run.jumps) == 1
    assert run.missed_share(55.0) <= 0.015
    assert run.mean_lead(65.0) < 5.0


def test_a_client_that_stood_still() -> None:
    """Its clock gives up what it cannot catch up with; the tick goes where it has to be at once."""
    run = Run(WIFI).run(10.0)
    for stall in (0.3, 3.0):
        run.frame_at += stall
        at = run.now + stall
        run.run(stall + 10.0)
        assert sum(jumped >= at for jumped, _ in run.jumps) == 1
        assert run.missed_share(at + 1.0) <= 0.02
    assert run.mean_lead(run.now - 5.0) < 5.0


def test_a_welcome_that_was_lost_and_came_again() -> None:
    """The client begins far behind, and catches up as soon as it is told."""
    run = Run(MOBILE, welcome_late=0.6).run(20.0)
    assert run.missed_share(2.0) <= 0.01
    assert run.mean_lead(3.0) < 4.0


def test_reports_of_ticks_never_sent_change_nothing() -> None:
    lead = Lead()
    tick = lead.start(100, 0.05, 1.0)
    for frame in range(60):
        lead.steer(1.0 + frame / 60, tick + frame)
    for other in (0, tick - 50, tick + 5000):
        lead.paced(Pace(other, -100.0, 0.0, 100.0))
        assert lead.steer(2.0, tick + 60) == pytest.approx(1.0)
        assert lead.jump == 0


def test_what_is_known_of_the_buffer() -> None:
    run = Run(HOME).run(10.0)
    assert 0 < run.lead.least <= run.lead.margin < 3 / RATE
    assert 2 <= run.lead.depth <= 4
