"""The plugin that brings messages to the handlers of their type."""

from __future__ import annotations

from engine.app import Plugin, Scene
from engine.ecs import World
from engine.net.connection.events import route_messages

routing = Plugin("net.routing")


@routing.setup
def route(world: World) -> None:
    """A message comes from outside, or from a journal, as plain `Received`; its handlers are called a pass later."""
    route_messages(world.resource(Scene).dispatcher)
