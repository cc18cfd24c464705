"""The plugin that brings messages to the handlers of their type."""

from __future__ import annotations

from typing import Any, cast

from engine.app import Plugin, Scene
from engine.ecs import World
from engine.net.connection.events import Received

routing = Plugin("net.routing")


@routing.on(cast("type[Received[Any]]", Received))
def route(world: World, event: Received[Any]) -> None:
    """A message comes from outside, or from a journal, as plain `Received`; its handlers are called a pass later."""
    world.resource(Scene).dispatcher.post_as(Received[type(event.message)], event)
