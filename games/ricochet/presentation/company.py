"""Company: whether others play along over a network. Then time is not one's own to stop."""

from __future__ import annotations

from engine.ecs import World
from engine.net.replication.authority import Authority
from engine.net.replication.showing import Showing


def in_company(world: World) -> bool:
    """Whether this match is played over a network, here or at its server."""
    return world.find_resource(Showing) is not None or world.find_resource(Authority) is not None
