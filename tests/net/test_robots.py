"""Robots play honestly: over a virtual network, by what they are told alone, in step with the server's clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from engine.app import AppError, Options
from engine.net.multiplayer import multiplayer_of
from engine.net.replication.decoding import SharedDecoder
from engine.net.robots import Report, Robot, play_robots
from engine.net.transport.conditioner import Conditions
from engine.scene import Transform
from engine.testing.netplay import Netplay
from games.ricochet.autopilot import ships_of
from games.ricochet.components import Ship
from games.ricochet.events import Hurt, Thrown
from games.ricochet.game import GAME

WIFI = Conditions(latency=0.04, jitter=0.015, loss=0.02)


class Crowd:
    """Robots in a match."""

    def __init__(self, count: int, *, seed: int = 5, conditions: Conditions = WIFI, predicting: int = 0) -> None:
        self.match = Netplay(GAME, Options(seed=seed, bots=0), seed=seed, conditions=conditions)
        self.decoder = SharedDecoder(self.match.multiplayer.protocol)
        network = self.match.network
        self.robots: list[Robot] = []
        for number in range(count):
            way = network.join(token=network.issue(number + 1, user=b"robot"))
            robot = Robot(GAME, number, decoder=self.decoder, predicts=number < predicting, clock=lambda: network.now)
            robot.client = way.client
            way.sink = robot.take
            self.robots.append(robot)

    def run(self, seconds: float) -> None:
        def each() -> None:
            for robot in self.robots:
                robot.advance(self.match.network.now)

        self.match.run(seconds, each)


def packets(robot: Robot) -> int:
    assert robot.client is not None
    return robot.client.delivery.packets_sent


def test_robots_play_in_time_and_have_what_the_server_has() -> None:
    crowd = Crowd(6)
    thrown: list[Thrown] = []
    hurt: list[float] = []
    crowd.match.scene.dispatcher.subscribe(Thrown, lambda world, event: thrown.append(event))
    crowd.match.scene.dispatcher.subscribe(Hurt, lambda world, event: hurt.append(event.damage))
    with crowd.match as match:
        crowd.run(14.0)
        assert all(robot.playing for robot in crowd.robots)
        for robot in crowd.robots:
            participant = robot.participant
            participant.take_figures()
            assert not participant.desync
            assert participant.malformed == participant.replica.malformed == 0
            assert participant.figures.rtt > WIFI.latency
            assert participant.playout.frames > 500
            assert participant.playout.underruns < 0.05 * participant.playout.frames
            counts = match.authority.inboxes[participant.player].counts
            assert counts.taken > 500
            assert counts.missed + counts.late < 0.05 * counts.taken
        assert {event.seat for event in thrown} == {robot.participant.player for robot in crowd.robots}
        assert sum(hurt) > 0
        assert crowd.decoder.decoded < 14 * 30 * 3  # snapshots of six robots


def test_a_robot_sends_a_packet_a_tick_whether_it_changes_its_mind_or_not() -> None:
    crowd = Crowd(2, conditions=Conditions(latency=0.01))
    with crowd.match:
        crowd.run(4.0)
        before = [packets(robot) for robot in crowd.robots]
        crowd.run(4.0)
        for robot, sent in zip(crowd.robots, before, strict=True):
            assert packets(robot) - sent == pytest.approx(4.0 * 60, abs=8)


def test_a_robot_that_predicts_is_corrected_by_little() -> None:
    crowd = Crowd(2, predicting=1)
    with crowd.match:
        crowd.run(10.0)
        predicting, alone = crowd.robots
        assert predicting.playing
        assert len(predicting.visible) > 300
        assert not alone.visible
        assert not predicting.participant.desync
        asyncio.run(predicting.close())


def test_a_game_without_an_autopilot_has_no_robots() -> None:
    game = replace(GAME, multiplayer=replace(multiplayer_of(GAME), autopilot=None))
    with pytest.raises(AppError, match="no autopilot"):
        asyncio.run(play_robots(game, "tickwire://127.0.0.1:1?key=none", 1, 1.0))


def test_the_autopilot_finds_every_ship_where_the_snapshot_says() -> None:
    crowd = Crowd(3)
    with crowd.match:
        crowd.run(6.0)
        state = crowd.robots[0].participant.latest
        assert state is not None
        found = ships_of(state)
        ships: dict[int, tuple[float, float, int]] = {}
        for id in state.ids.tolist():
            parts = {type(part): part for part in state.components(id)}
            if Ship in parts:
                ship, place = cast("Any", parts[Ship]), cast("Any", parts[Transform])
                ships[ship.seat] = place.x, place.y, ship.team
        assert found == ships
        assert len(found) == 3


def test_a_report_says_when_its_own_process_was_too_busy() -> None:
    assert not any("TOO BUSY" in line for line in Report(1).lines())
    assert any("TOO BUSY" in line for line in Report(1, busy=True).lines())
