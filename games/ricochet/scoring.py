"""Scoring: kills count, bounces make them count more, and own goals cost."""

from __future__ import annotations

from engine.app import Plugin
from engine.ecs import World
from games.ricochet import tuning
from games.ricochet.components import NOBODY, Player, Score, Team
from games.ricochet.events import Killed, Scored
from games.ricochet.seats import player_in

scoring = Plugin("ricochet.scoring")


@scoring.on(Killed)
def score(world: World, killed: Killed) -> None:
    """Write a kill down for both sides of it."""
    victim, killer = player_in(world, killed.seat), player_in(world, killed.by)
    if victim is not None:
        victim[Score].deaths += 1
    if killer is None or killed.by == NOBODY:
        return
    line = killer[Score]
    if killed.own_goal:
        line.suicides += 1
        points = tuning.SUICIDE_POINTS
    else:
        line.kills += 1
        line.ricochets += killed.bounces > 0
        line.best = max(line.best, killed.bounces)
        points = tuning.KILL_POINTS + tuning.BOUNCE_POINTS * killed.bounces
    line.points += points
    world.post(Scored(killed.by, points, killed.bounces, killed.x, killed.y))


def ranking(world: World) -> list[tuple[Player, Score]]:
    """Everyone, best first: by points, then kills, then fewer deaths, then seat."""
    return sorted(
        world.rows(Player, Score),
        key=lambda line: (-line[1].points, -line[1].kills, line[1].deaths, line[0].seat),
    )


def team_points(world: World) -> dict[Team, int]:
    """The points of both sides."""
    points = {Team.A: 0, Team.B: 0}
    for player, score in world.rows(Player, Score):
        if player.team != Team.NONE:
            points[Team(player.team)] += score.points
    return points


def winning_team(world: World) -> Team:
    """The side ahead; NONE in a draw or a deathmatch."""
    points = team_points(world)
    if points[Team.A] == points[Team.B]:
        return Team.NONE
    return max(points, key=lambda team: points[team])
