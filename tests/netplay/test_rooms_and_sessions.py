"""People come to a room over a network, play, leave, are cut off and come back; told by a game of 60 lines."""

import io

import pytest

from engine.app import Options, Recorder, Replay
from engine.ecs import state_hash
from engine.events import parse_journal
from engine.net import SPECTATOR
from engine.net.connection.events import Reason
from engine.net.replication.hosted import hosted, journalled
from engine.net.transport.conditioner import Conditions
from engine.net.transport.presets import PRESETS
from engine.net.wire.system import Inputs
from engine.scene import Transform
from engine.testing.netplay import Netplay, NetplayClient
from games.tag import GAME, Run, Runner

SILENCE = Conditions(loss=1.0)


def where(client: NetplayClient) -> dict[int, tuple[float, float]]:
    """Where a client shows the runners, by player."""
    return {runner.player: (at.x, at.y) for runner, at in client.world.rows(Runner, Transform)}


def truth(match: Netplay) -> dict[int, tuple[float, float]]:
    return {runner.player: (at.x, at.y) for runner, at in match.world.rows(Runner, Transform)}


def playing(match: Netplay, *clients: NetplayClient) -> None:
    match.run_until(lambda: all(client.playing and client.player in where(client) for client in clients))


def settled(match: Netplay, client: NetplayClient) -> None:
    """After a quiet time everything is shown where it is."""
    shown, real = where(client), truth(match)
    assert shown.keys() == real.keys()
    for player, (x, y) in real.items():
        assert shown[player] == pytest.approx((x, y), abs=1.0)


@pytest.mark.parametrize("preset", PRESETS)
def test_two_play_and_see_each_other_whatever_the_network(preset: str) -> None:
    with Netplay(GAME, seed=11, conditions=PRESETS[preset]) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        playing(match, ana, ben)
        ana.wants = lambda tick: [Run(1.0 if tick % 90 < 45 else -1.0, 0.0)]
        ben.wants = lambda tick: [Run(0.0, 1.0 if tick % 120 < 60 else -1.0)]
        match.run(4.0)
        for client in (ana, ben):
            client.wants = lambda tick: [Run(0.0, 0.0)]
            assert len(where(client)) == 2
        match.run(0.1)
        for runner in match.world.rows(Runner):
            assert runner.player in (ana.player, ben.player)
        assert not ana.participant.desync
        assert not ben.participant.desync
        assert ana.participant.figures.desyncs == 0


def test_who_comes_late_sees_who_was_there_and_who_leaves_is_gone_for_all() -> None:
    with Netplay(GAME, seed=3, conditions=PRESETS["home"]) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        playing(match, ana, ben)
        match.run(2.0)
        eve = match.join("Eve")
        playing(match, eve)
        match.run(1.0)
        settled(match, eve)
        assert match.authority.players == {ana.player: "Ana", ben.player: "Ben", eve.player: "Eve"}
        ana.way.client.disconnect()
        match.run(1.0)
        assert ana.player not in truth(match)
        settled(match, eve)
        assert match.authority.players == {ben.player: "Ben", eve.player: "Eve"}


def test_a_cut_of_some_seconds_costs_nothing_but_the_time() -> None:
    with Netplay(GAME, seed=4) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        playing(match, ana, ben)
        player = ana.player
        ana.way.set_conditions(SILENCE)
        match.run_until(lambda: ana.ended is not None)
        assert ana.ended is not None
        assert player in truth(match), "the seat is kept"
        ana.connect(PRESETS["lan"])
        match.run_until(lambda: ana.participant.ready)
        match.run(1.0)
        assert ana.player == player
        settled(match, ana)
        before = truth(match)[player]
        ana.wants = lambda tick: [Run(1.0, 0.0)]
        match.run(1.0)
        assert truth(match)[player][0] > before[0] + 10


def test_who_stays_away_loses_the_seat() -> None:
    with Netplay(GAME, seed=5) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        playing(match, ana, ben)
        ana.way.set_conditions(SILENCE)
        match.run(25.0)
        assert ana.player in truth(match)
        match.run(20.0)
        assert ana.player not in truth(match)
        assert ben.player in truth(match)


def test_a_newcomer_cannot_resume_as_somebody_else() -> None:
    with Netplay(GAME, seed=6) as match:
        ana = match.join("Ana")
        playing(match, ana)
        eve = match.join("Eve")
        eve.participant._resume = b"0123456789abcdef"  # pyright: ignore[reportPrivateUsage]  (guessed)
        playing(match, eve)
        assert eve.player != ana.player


def test_a_spectator_sees_all_and_steers_nobody() -> None:
    with Netplay(GAME, seed=7, conditions=PRESETS["wifi"]) as match:
        ana, eve = match.join("Ana"), match.join("Eve", spectate=True)
        playing(match, ana)
        match.run_until(lambda: eve.playing)
        ana.wants = lambda tick: [Run(1.0, 0.0)]
        eve.wants = lambda tick: [Run(-1.0, -1.0)]
        match.run(3.0)
        assert eve.player == SPECTATOR
        assert list(where(eve)) == [ana.player]
        assert truth(match)[ana.player][1] == pytest.approx(0.0, abs=1e-6)
        assert match.authority.players == {ana.player: "Ana"}


def test_ten_times_the_commands_move_nobody_farther() -> None:
    def distance(times: int) -> float:
        with Netplay(GAME, seed=8, conditions=PRESETS["home"]) as match:
            ana = match.join("Ana")
            playing(match, ana)
            send = ana.participant._send  # pyright: ignore[reportPrivateUsage]

            def flood(message: object) -> None:
                for _ in range(times if isinstance(message, Inputs) else 1):
                    send(message)

            ana.participant._send = flood  # pyright: ignore[reportPrivateUsage]
            start, before = match.scene.tick, truth(match)[ana.player][0]
            ana.wants = lambda tick: [Run(1.0, 0.0)] if tick < start + 60 else [Run(0.0, 0.0)]
            match.run(3.0)
            return truth(match)[ana.player][0] - before

    assert distance(10) <= distance(1) * 1.02


def test_a_hosted_match_replays_from_its_recording() -> None:
    tape = io.BytesIO()
    recorder = Recorder(tape, {}, only=journalled(GAME))
    with Netplay(GAME, seed=9, conditions=PRESETS["mobile"], recorder=recorder) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        playing(match, ana, ben)
        ana.wants = lambda tick: [Run(1.0, 0.2)]
        ben.wants = lambda tick: [Run(-1.0, 0.1)]
        match.run(3.0)
        ben.way.client.disconnect()
        match.run(1.0)
        last, final = match.scene.tick, state_hash(match.world)
        recording = parse_journal(tape.getvalue())
    again = GAME.scene(Options(seed=9, bots=0), hosted(match.multiplayer))
    replay = again.replay = Replay(recording)
    while again.tick < last:
        again.run_tick()
    assert replay.difference is None
    assert state_hash(again.world) == final


def test_who_is_thrown_out_is_told_and_gone() -> None:
    with Netplay(GAME, seed=10) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        playing(match, ana, ben)
        match.authority.kick(ana.player)
        match.run(1.0)
        assert ana.player not in truth(match)
        assert ana.ended is not None
        assert getattr(ana.ended, "reason", None) is Reason.LEFT
