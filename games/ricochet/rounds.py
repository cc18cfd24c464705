"""Rounds: countdown, play, podium, and the next arena."""

from __future__ import annotations

from math import ceil

from engine.app import Plugin, Tick
from engine.ecs import Entity, World
from games.ricochet import tuning
from games.ricochet.arena import Arenas
from games.ricochet.components import Disc, Person, Ready, Score
from games.ricochet.events import CountedDown, RoundEnded, RoundStarted, WantedOn
from games.ricochet.match import Match, Part
from games.ricochet.scenery import open_arena
from games.ricochet.scoring import ranking, winning_team
from games.ricochet.seats import player_in

rounds = Plugin("ricochet.rounds")


@rounds.setup
def begin(world: World) -> None:
    """The first round, in the first arena."""
    _count_down(world, world.resource(Arenas).in_order[0].key)


@rounds.on(Tick)
def run(world: World, tick: Tick) -> None:
    """Count the time of this part down, and go on to the next."""
    match = world.resource(Match)
    before = ceil(match.left)
    match.left = 0.0 if _nobody_lingers(world, match) else max(0.0, match.left - tick.dt)
    if match.left == 0:
        _next_part(world, match)
    elif match.part is Part.COUNTDOWN and ceil(match.left) < before:
        world.post(CountedDown(ceil(match.left)))


@rounds.on(WantedOn)
def hurry(world: World, wanted: WantedOn) -> None:
    """Note who has seen enough."""
    match, player = world.resource(Match), player_in(world, wanted.seat)
    if match.part is not Part.PODIUM or player is None or Person not in player or Ready in player:
        return
    player.add(Ready())


def _nobody_lingers(world: World, match: Match) -> bool:
    """Whether all people have seen enough of the podium; bots are patient."""
    return match.part is Part.PODIUM and world.count(Ready) > 0 and not world.count(Person, without=(Ready,))


def _next_part(world: World, match: Match) -> None:
    if match.part is Part.COUNTDOWN:
        match.part, match.left = Part.PLAY, match.round_time
        world.post(RoundStarted(match.round))
    elif match.part is Part.PLAY:
        match.part, match.left = Part.PODIUM, tuning.PODIUM_TIME
        for disc in world.rows(Entity, having=(Disc,)):
            disc.despawn()
        seats = tuple(player.seat for player, _ in ranking(world))
        world.post(RoundEnded(match.round, seats, winning_team(world)))
    else:
        _count_down(world, world.resource(Arenas).after(match.arena).key)


def _count_down(world: World, arena: str) -> None:
    """Everyone starts anew in `arena`, with a clean slate; the ships are launched in the next tick."""
    match = world.resource(Match)
    match.round += 1
    match.part, match.left, match.arena = Part.COUNTDOWN, tuning.COUNTDOWN, arena
    open_arena(world, world.resource(Arenas)[arena])
    for entity in world.rows(Entity, having=(Ready,)):
        entity.remove(Ready)
    for entity in world.rows(Entity, having=(Score,)):
        entity.add(Score())
    world.post(CountedDown(ceil(tuning.COUNTDOWN)))
