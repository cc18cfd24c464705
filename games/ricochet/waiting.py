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
    for rows in world.tables(Player):
        for player in rows.where((rows[Player.ship] == 0) & (rows[Player.respawn] > 0)):
            player[Player].respawn = max(0.0, player[Player].respawn - tick.dt)
