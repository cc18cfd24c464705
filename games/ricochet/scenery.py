"""Scenery: an arena is put up, and taken down again."""

from __future__ import annotations

from engine.ecs import Component, Entity, World
from engine.physics import Chain, Circle, Collider, Material
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.arena import Arena, BumperSpot, WallLine
from games.ricochet.ball import ball
from games.ricochet.components import Bumper, Disc, Player, Scenery, Ship, Wall
from games.ricochet.crates import crate
from games.ricochet.events import ArenaOpened
from games.ricochet.layers import Layer
from games.ricochet.pickups import pad


def open_arena(world: World, arena: Arena) -> None:
    """Clear the ground and put up `arena`, everything whole and in place."""
    for kind in (Scenery, Disc, Ship):
        for entity in world.rows(Entity, having=(kind,)):
            entity.despawn()
    for player in world.rows(Player):
        player.ship, player.respawn = 0, 0.0
    for line in arena.walls:
        world.spawn(*wall(line, border=line is arena.walls[0]))
    for spot in arena.bumpers:
        world.spawn(*bumper(spot))
    for spot in arena.crates:
        world.spawn(*crate(spot))
    for spot in arena.pads:
        world.spawn(*pad(spot))
    if arena.ball is not None:
        world.spawn(*ball(arena.ball))
    world.post(ArenaOpened(arena.key))


def wall(line: WallLine, *, border: bool) -> tuple[Component, ...]:
    """The components of a wall: one entity, however many pieces."""
    closed = line.points[0] == line.points[-1]
    chain = Chain(line.points[:-1] if closed else line.points, line.thickness / 2, closed)
    return (
        Transform(0.0, 0.0, 0.0),
        Collider(
            chain,
            material=Material(elasticity=1.0, friction=0.0),
            layer=Layer.BORDER if border else Layer.WALL,
            mask=Layer.EVERYTHING,
        ),
        Wall(border=border),
        Scenery(),
    )


def bumper(spot: BumperSpot) -> tuple[Component, ...]:
    """The components of a bumper."""
    return (
        Transform(spot.x, spot.y, 0.0),
        Collider(
            Circle(spot.radius),
            material=Material(elasticity=tuning.BUMPER_ELASTICITY, friction=0.0),
            layer=Layer.BUMPER,
            mask=Layer.EVERYTHING,
        ),
        Bumper(radius=spot.radius, kick=spot.kick),
        Scenery(),
    )
