"""Plugins: blueprints of handlers, set-up and command sources. A plugin holds no state; scenes are built from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.app.command import Commanded, CommandSource
from engine.app.errors import AppError
from engine.ecs import World
from engine.events import Phase
from engine.events.subscription import call_site

E = TypeVar("E")
R = TypeVar("R")
Setup = Callable[[World], object]


@dataclass(slots=True)
class Binding:
    """A handler declared by a plugin, to be subscribed in every scene built from it."""

    key: Any
    handler: Callable[[World, Any], object]
    batch: bool
    phase: Phase
    priority: int
    site: str


class Plugin:
    """A part of a game: rules, presentation, bots::

    rules = Plugin("pong.rules")

    @rules.on(Tick)
    def move(world: World, tick: Tick) -> None: ...
    """

    def __init__(self, name: str, *, needs: Sequence[Plugin] = ()) -> None:
        self.name = name
        self.needs = list(needs)
        """Plugins that a scene gets along with this one, before it, once."""
        self.bindings: list[Binding] = []
        self.setups: list[Setup] = []
        self.sources: list[CommandSource] = []

    def on(
        self, key: type[E], *, phase: Phase = Phase.MAIN, priority: int = 0
    ) -> Callable[[Callable[[World, E], R]], Callable[[World, E], R]]:
        """Call the decorated `handler(world, event)` for every event of type `key`.

        Order among the handlers of an event: phase, then higher priority, then order of registration.
        """
        site = call_site(2)

        def register(handler: Callable[[World, E], R]) -> Callable[[World, E], R]:
            self.bindings.append(Binding(key, handler, False, phase, priority, site))
            return handler

        return register

    def on_batch(
        self, key: type[E], *, phase: Phase = Phase.MAIN, priority: int = 0
    ) -> Callable[[Callable[[World, Sequence[E]], R]], Callable[[World, Sequence[E]], R]]:
        """Call the decorated `handler(world, events)` once a pass with all events of type `key`."""
        site = call_site(2)

        def register(handler: Callable[[World, Sequence[E]], R]) -> Callable[[World, Sequence[E]], R]:
            self.bindings.append(Binding(key, handler, True, phase, priority, site))
            return handler

        return register

    def setup(self, build: Callable[[World], R]) -> Callable[[World], R]:
        """Call the decorated `build(world)` once when a scene is made, after all handlers are in place."""
        self.setups.append(build)
        return build

    def commands(
        self, *, simulated: bool = False
    ) -> Callable[[Callable[[World], Iterable[Commanded[Any]]]], Callable[[World], Iterable[Commanded[Any]]]]:
        """Ask the decorated `sample(world)` for commands once a tick.

        `simulated` says that the commands follow from the simulation alone, as a bot's do. Those of people do not:
        they are journalled, and a replay takes them from the journal instead of asking. They are delivered before
        simulated ones; within each kind the order is that of registration.
        """

        def register(
            sample: Callable[[World], Iterable[Commanded[Any]]],
        ) -> Callable[[World], Iterable[Commanded[Any]]]:
            self.sources.append(CommandSource(sample, simulated))
            return sample

        return register

    def __repr__(self) -> str:
        return f"Plugin({self.name!r})"


def in_order(plugins: Iterable[Plugin]) -> list[Plugin]:
    """All plugins and what they need, needed ones first, each once. Raises `AppError` on a circle."""
    found: list[Plugin] = []

    def visit(plugin: Plugin, path: tuple[Plugin, ...]) -> None:
        if plugin in path:
            chain = " → ".join(above.name for above in (*path[path.index(plugin) :], plugin))
            raise AppError(f"plugins need one another in a circle: {chain}; take one of them out of `needs`")
        if plugin not in found:
            for needed in plugin.needs:
                visit(needed, (*path, plugin))
            found.append(plugin)

    for plugin in plugins:
        visit(plugin, ())
    return found
