"""What a hosted room's simulation has besides the game's rules; a replay of its recording needs it, too."""

from __future__ import annotations

from engine.app import Game, Plugin
from engine.ecs import World
from engine.net.multiplayer import Came, Multiplayer, Went, multiplayer_of
from engine.net.replication.rewind import SawBehind, rewinding
from engine.net.wire.protocol import Protocol


def hosted(multiplayer: Multiplayer) -> list[Plugin]:
    """The plugins to add to the game's own."""
    plugins = [rewinding(multiplayer.protocol)]
    if multiplayer.left is Went:
        plugins.append(_leaving(multiplayer.protocol))
    return plugins


def journalled(game: Game) -> tuple[type, ...]:
    """The external events that matter in a hosted room: what its recording has to note besides commands."""
    multiplayer = multiplayer_of(game)
    own = tuple(kind for kind in (Came, Went) if kind in (multiplayer.joined, multiplayer.left))
    return (*game.journalled, *own, SawBehind)


def _leaving(protocol: Protocol) -> Plugin:
    """Where the game says nothing else about it, what a player owns goes with them."""
    plugin = Plugin("net.leaving")

    @plugin.on(Went)
    def clear(world: World, went: Went) -> None:  # pyright: ignore[reportUnusedFunction]
        for kind, name in protocol.declarations.owners.items():
            for rows in world.tables(kind):
                for entity in rows.entities:
                    if getattr(entity[kind], name) == went.player:
                        entity.despawn()

    return plugin
