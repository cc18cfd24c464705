"""The plugin through which a scene talks: messages reach handlers of their type, and what a tick sends goes out."""

from __future__ import annotations

from typing import Any, cast

from engine.app import End, Plugin, Scene
from engine.ecs import World
from engine.events import Phase
from engine.net.connection.events import Received
from engine.net.transport.host import Guest, Host

networking = Plugin("net")
"""For plugins with handlers of `Received[Chat]` to need. A `Host` or `Guest` of theirs is a resource of the world."""


@networking.on(cast("type[Received[Any]]", Received))
def route(world: World, event: Received[Any]) -> None:
    """A message comes from outside, or from a journal, as plain `Received`; its handlers are called a pass later."""
    world.resource(Scene).dispatcher.post_as(Received[type(event.message)], event)


@networking.on(End, phase=Phase.LATE, priority=-1000)
def flush(world: World, end: End) -> None:
    """What this tick sent goes out now."""
    for kind in (Host, Guest):
        wire = world.find_resource(kind)
        if wire is not None:
            wire.flush()
