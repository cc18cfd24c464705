"""Rounds, scores, teams, lives, and who sits where."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot
from typing import Any

import pytest

from engine.app import AppError, Options
from engine.ecs import Entity
from engine.physics import Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.components import Ball, Crate, Disc, Hull, Player, Protection, Score, Team
from games.ricochet.events import (
    ArenaOpened,
    CountedDown,
    Joined,
    Killed,
    Launched,
    Left,
    RoundEnded,
    RoundStarted,
    SeatFreed,
    SeatTaken,
)
from games.ricochet.game import GAME
from games.ricochet.match import Match, Mode, Part
from games.ricochet.scoring import ranking, team_points
from games.ricochet.seats import player_in, seat_for_newcomer

Tables = Callable[..., Any]


def kill(game: Any, seat: int, by: int) -> None:
    """Let `by` kill `seat` with a disc that has bounced."""
    ship = game.ship(seat)
    ship[Protection].seconds = 0.0
    at = ship[Transform]
    game.throw(by, at.x - 60, at.y, 0.0, bounces=1)
    game.run(6)
    assert not game.has_ship(seat)


def test_a_round_counts_down_plays_ends_and_the_next_arena_opens(table: Tables) -> None:
    game = table(playing=False, arenas=2, round_time=2.0)
    counted, started, ended = game.hear(CountedDown), game.hear(RoundStarted), game.hear(RoundEnded)
    opened = game.hear(ArenaOpened)
    assert game.match.part is Part.COUNTDOWN
    game.run_seconds(tuning.COUNTDOWN + 0.1)
    assert [event.seconds for event in counted] == [2, 1]
    assert [event.number for event in started] == [1]
    kill(game, 1, by=0)
    game.run_seconds(2.0)
    assert game.match.part is Part.PODIUM
    assert ended[0].ranking == (0, 1)
    assert game.score(0).points > 0
    game.run_seconds(tuning.PODIUM_TIME + 0.1)
    assert game.match.part is Part.COUNTDOWN
    assert (game.match.round, game.match.arena) == (2, "box1")
    assert [event.arena for event in opened] == ["box1"]
    assert game.score(0).points == 0
    assert game.has_ship(0)
    assert game.has_ship(1)


def test_a_new_round_makes_everything_whole(table: Tables) -> None:
    crates = [{"at": [800, 400], "size": 48, "degrees": 0}]
    game = table(changes={"crates": crates, "ball": {"at": [800, 500], "radius": 40}}, round_time=1.0)
    game.throw(0, 600, 400, 0.0)
    game.throw(0, 560, 400, 0.0)
    game.run(30)
    assert game.world.count(Crate) == 0
    game.run_seconds(1.0 + tuning.PODIUM_TIME)
    assert game.world.count(Crate) == 1
    assert game.world.count(Ball) == 1
    assert game.world.count(Disc) == 0
    assert game.world.count(Player) == 2


def test_a_dead_pilot_gets_a_new_ship_far_from_the_enemy(table: Tables) -> None:
    game = table()
    game.place(0, 300, 480)
    launched = game.hear(Launched)
    kill(game, 1, by=0)
    game.run_seconds(tuning.RESPAWN_DELAY - 0.3)
    assert not game.has_ship(1)
    game.run_seconds(0.5)
    assert game.has_ship(1)
    assert game.ship(1)[Protection].seconds > 0
    assert hypot(launched[0].x - 300, launched[0].y - 480) > 400


def test_thirty_two_ships_find_room_on_four_spots(table: Tables) -> None:
    game = table(people=32)
    spots = [game.ship(seat)[Transform] for seat in range(20)]
    for number, one in enumerate(spots):
        for other in spots[:number]:
            assert hypot(one.x - other.x, one.y - other.y) > 2 * tuning.SHIP_RADIUS


def test_team_mates_share_points_and_their_discs_pass_each_other_by(table: Tables) -> None:
    game = table(people=4, mode=Mode.TEAMS)
    assert [game.player(seat).team for seat in range(4)] == [Team.A, Team.B, Team.A, Team.B]
    for seat, spot in enumerate(((300, 300), (1300, 300), (300, 700), (1300, 700))):
        game.place(seat, *spot)
    kill(game, 1, by=0)
    points = tuning.KILL_POINTS + tuning.BOUNCE_POINTS
    assert team_points(game.world) == {Team.A: points, Team.B: 0}
    disc = game.throw(0, 240, 700, 0.0, bounces=1)
    game.run(20)
    assert game.has_ship(2)
    assert disc[Transform].x > 400
    kill(game, 0, by=0)
    assert team_points(game.world)[Team.A] == points + tuning.SUICIDE_POINTS


def test_crushing_a_team_mate_with_the_ball_costs(table: Tables) -> None:
    game = table(people=4, mode=Mode.TEAMS, changes={"ball": {"at": [800, 500], "radius": 48}})
    for seat, spot in enumerate(((300, 300), (1300, 300), (1000, 500), (1300, 700))):
        game.place(seat, *spot)
    game.ship(2)[Hull].points = 1.0
    ball = game.world.only(Entity, having=(Ball,))
    ball[Ball].last = 0
    ball[Velocity].vx = 600.0
    killed = game.hear(Killed)
    game.run(40)
    assert [(event.seat, event.by, event.own_goal) for event in killed] == [(2, 0, True)]
    assert game.score(0).suicides == 1


def test_the_ranking_goes_by_points_then_kills_then_deaths(table: Tables) -> None:
    game = table(people=4)
    for seat, (points, kills, deaths) in enumerate(((10, 1, 5), (20, 1, 0), (10, 2, 9), (10, 1, 2))):
        line: Score = game.score(seat)
        line.points, line.kills, line.deaths = points, kills, deaths
    assert [player.seat for player, _ in ranking(game.world)] == [1, 2, 3, 0]


def test_a_newcomer_takes_a_bots_seat_and_a_bot_takes_it_back(table: Tables) -> None:
    game = table(people=1, bots_too=2)
    taken = game.hear(SeatTaken)
    assert seat_for_newcomer(game.world) == 1
    game.scene.receive(Joined(1, "Grace\x07 Hopper the very first"))
    game.run(2)
    assert game.player(1).name == "Grace Hopper the"
    assert taken[0].person
    assert game.has_ship(1)
    assert game.world.count(Player) == 3
    game.scene.receive(Left(1))
    game.run(2)
    assert not taken[1].person
    assert game.world.count(Player) == 3
    assert game.has_ship(1)


def test_a_latecomer_beyond_the_match_gets_a_free_seat_and_frees_it(table: Tables) -> None:
    game = table(people=2)
    freed = game.hear(SeatFreed)
    assert seat_for_newcomer(game.world) == 2
    game.scene.receive(Joined(2, ""))
    game.run(2)
    assert game.player(2).name == "Player 3"
    game.scene.receive(Left(2))
    game.run(2)
    assert [event.seat for event in freed] == [2]
    assert player_in(game.world, 2) is None
    assert game.world.count(Player) == 2


def test_a_person_is_not_thrown_out_and_wild_seats_are_passed_over(table: Tables) -> None:
    game = table(people=2)
    taken = game.hear(SeatTaken)
    for event in (Joined(0, "Mallory"), Joined(-1), Joined(32), Left(9), Left(-5)):
        game.scene.receive(event)
    game.run(2)
    assert not taken
    assert game.player(0).name == "Player 1"


def test_a_full_match_has_no_seat_left(table: Tables) -> None:
    game = table(people=32)
    assert seat_for_newcomer(game.world) is None


def test_too_many_players_are_refused_in_words() -> None:
    with pytest.raises(AppError, match="seats for 1 to 32, not for 33"):
        GAME.scene(Options(bots=30, humans=3))


def test_a_match_may_wait_for_its_first_player() -> None:
    scene = GAME.scene(Options(bots=0))
    run = scene.run_tick
    for _ in range(round((tuning.COUNTDOWN + 0.1) * 60)):
        run()
    assert scene.world.resource(Match).playing
    assert GAME.standings(scene.world) == []
    seat = seat_for_newcomer(scene.world)
    assert seat is not None
    scene.receive(Joined(seat, "Ana"))
    run()
    run()
    assert [line.name for line in GAME.standings(scene.world)] == ["Ana"]
    scene.receive(Left(seat))
    run()
    run()
    assert GAME.standings(scene.world) == []


def test_the_score_table_and_the_status_line(table: Tables) -> None:
    game = table(people=3)
    kill(game, 1, by=0)
    lines = GAME.standings(game.world)
    assert [line.name for line in lines] == ["Player 1", "Player 3", "Player 2"]
    assert lines[0].columns == ("15", "1", "1", "0", "0")
    assert len(lines[0].columns) == len(GAME.headings)
    assert GAME.status(game.world) == "Box · round 1 · 3:00 left"
