"""The plugin that feeds controls from a scene's events and samples them once a tick."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Any

from engine.app import Commands, Plugin, SceneCovered
from engine.ecs import World
from engine.events import Phase
from engine.input.controls import Controls
from engine.input.events import INPUT_EVENTS
from engine.input.saved import BindingsFile

FIRST = 1000
"""Priority within `Phase.EARLY`: before any rule looks at the controls."""


def input_plugin(
    kind: type[Controls],
    *,
    file: Path | str | None = None,
    pads: Container[int] | None = None,
    keyboard: bool = True,
) -> Plugin:
    """A plugin that gives every scene a `kind` as a resource, up to date from `Commands` on::

        controls = input_plugin(RicochetControls, file=user_bindings("ricochet"))
        pilot = Plugin("ricochet.pilot", needs=[controls])

    Bindings are read from the world's `BindingsFile` resource if there is one, else from `file`, which then becomes
    that resource. `pads` are the seats whose gamepads count, None for all; `keyboard` whether keyboard and mouse do.
    """
    plugin = Plugin(f"engine.input.{kind.__name__}")

    @plugin.setup
    def prepare(world: World) -> None:
        controls = kind()
        controls.pads, controls.keyboard = pads, keyboard
        saved = world.find_resource(BindingsFile) or world.insert(BindingsFile(file))
        saved.load(controls)
        world.insert(controls)

    def feed(world: World, event: Any) -> None:
        world.resource(kind).handle(event)

    for event in INPUT_EVENTS:
        plugin.on(event, phase=Phase.EARLY, priority=FIRST)(feed)

    @plugin.on(SceneCovered, phase=Phase.EARLY, priority=FIRST)
    def cover(world: World, event: SceneCovered) -> None:
        world.resource(kind).release_all()  # the releases will go to the scene above

    @plugin.on(Commands, phase=Phase.EARLY, priority=FIRST)
    def sample(world: World, stage: Commands) -> None:
        world.resource(kind).sample()

    return plugin
