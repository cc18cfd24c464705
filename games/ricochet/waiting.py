"""Waiting: how long it is until who has lost a ship gets the next."""

from __future__ import annotations

from engine.app import Plugin, Tick
from engine.ecs import World
from games.ricochet.components import Player
from games.ricochet.match import Match, Part

waiting = Plugin("ricochet.waiting")


@waiting.on(Tick)
def wait(world: World, tick: Tick) -> None:
    """Count the waits down; on the podium nobody is launched any more."""
    if world.resource(Match).part is Part.PODIUM:
        return
    for player in world.rows(Player):
        if player.respawn > 0:
            player.respawn = max(player.respawn - tick.dt, 0.0)
