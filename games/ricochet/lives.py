"""Lives: ships are launched where it is safest, and again a moment after they are lost."""

from __future__ import annotations

from math import hypot

from engine.app import Plugin, Tick
from engine.ecs import Component, Entity, World
from engine.physics import Body, BodyKind, Circle, Collider, Material, Velocity
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.arena import Arenas, SpawnSpot
from games.ricochet.components import (
    Boosts,
    Controls,
    Dash,
    Hull,
    Magazine,
    Player,
    Protection,
    Shield,
    Ship,
    Team,
)
from games.ricochet.events import Killed, Launched
from games.ricochet.layers import Layer
from games.ricochet.match import Match, Part
from games.ricochet.seats import player_in

lives = Plugin("ricochet.lives")

SAFE = 900.0
"""Further from an enemy than this, one spot is as good as another, units."""
LUCK = 250.0
"""How much further off a spot may seem than it is, units; so that nobody can lie in wait."""
ROOM = 60.0
"""Ships are launched at least this far from any other, units."""
BESIDE = ((ROOM, 0.0), (0.0, ROOM), (-ROOM, 0.0), (0.0, -ROOM))
"""Where a ship is launched if the spot itself is taken; every spot has that much room around it."""


def ship(player: Entity, spot: SpawnSpot) -> tuple[Component, ...]:
    """The components of a new ship."""
    who = player[Player]
    return (
        Transform(spot.x, spot.y, spot.angle),
        Velocity(0.0, 0.0, 0.0),
        Body(BodyKind.DYNAMIC, mass=tuning.SHIP_MASS, fixed_rotation=True),
        Collider(
            Circle(tuning.SHIP_RADIUS),
            material=Material(elasticity=tuning.SHIP_ELASTICITY, friction=0.0),
            layer=Layer.SHIP,
            mask=Layer.EVERYTHING,
        ),
        Ship(seat=who.seat, team=who.team, player=player.id),
        Controls(aim=spot.angle),
        Hull(),
        Magazine(refill=tuning.REFILL),
        Dash(),
        Shield(),
        Protection(seconds=tuning.SPAWN_PROTECTION),
        Boosts(),
    )


@lives.on(Killed)
def lose(world: World, killed: Killed) -> None:
    """The player waits for the next ship."""
    player = player_in(world, killed.seat)
    if player is not None:
        player[Player].ship = 0
        player[Player].respawn = tuning.RESPAWN_DELAY


@lives.on(Tick)
def relaunch(world: World, tick: Tick) -> None:
    """Launch a ship for every player whose wait is over."""
    if world.resource(Match).part is Part.PODIUM:
        return
    if any(player.ship == 0 and player.respawn == 0 for player in world.rows(Player)):
        due = [entity for entity, player in world.rows(Entity, Player) if player.ship == 0 and player.respawn == 0]
        launch(world, due)


def launch(world: World, players: list[Entity]) -> None:
    """Launch a ship for each of these players, one after the other, each where it is safest by then."""
    match = world.resource(Match)
    spots = world.resource(Arenas)[match.arena].spawns
    ships = [(at.x, at.y, ship.team) for at, ship in world.rows(Transform, Ship)]
    for entity in players:
        player = entity[Player]
        spot = _safest(world, spots, Team(player.team), ships)
        new = world.spawn(*ship(entity, spot))
        player.ship = new.id
        ships.append((spot.x, spot.y, player.team))
        world.post(Launched(player.seat, new, spot.x, spot.y))


def _safest(world: World, spots: tuple[SpawnSpot, ...], team: Team, ships: list[tuple[float, float, int]]) -> SpawnSpot:
    """The spot furthest from the next enemy, with some luck, at which there is still room."""
    enemies = [(x, y) for x, y, side in ships if team is Team.NONE or side != team]
    own = [spot for spot in spots if team in (Team.NONE, spot.team)] or list(spots)

    def safety(spot: SpawnSpot) -> float:
        nearest = min((hypot(spot.x - x, spot.y - y) for x, y in enemies), default=SAFE)
        return min(nearest, SAFE) + world.rng.random() * LUCK

    order = sorted(own, key=safety, reverse=True)
    for spot in order:
        for x, y in [(spot.x, spot.y), *((spot.x + dx, spot.y + dy) for dx, dy in BESIDE)]:
            if all(hypot(x - ship_x, y - ship_y) >= ROOM for ship_x, ship_y, _ in ships):
                return SpawnSpot(x, y, spot.angle, spot.team)
    return order[0]
