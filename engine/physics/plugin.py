"""The plugin that runs a space in a scene."""

from __future__ import annotations

from engine.app import Begin, Physics, Plugin
from engine.ecs import World
from engine.events import Phase
from engine.physics.errors import PhysicsError
from engine.physics.events import FilterFailed, Rejected
from engine.physics.settings import PhysicsSettings
from engine.physics.space import Space

physics = Plugin("engine.physics")
"""Steps a `Space` in the Physics stage and posts its contacts; give a `PhysicsSettings` resource to set it up."""


@physics.setup
def _build(world: World) -> None:
    settings = world.find_resource(PhysicsSettings) or world.insert(PhysicsSettings())
    space = world.insert(Space(world, settings))
    world.participants["physics"] = space


@physics.on(Begin, phase=Phase.EARLY, priority=500)
def _look(world: World, begin: Begin) -> None:
    world.resource(Space).look()


@physics.on(Physics)
def _step(world: World, stage: Physics) -> None:
    world.resource(Space).step(stage.dt)


# The errors are raised by handlers of their own, so that a host that disables a failing handler goes on stepping.


@physics.on(Rejected)
def _report_rejected(world: World, rejected: Rejected) -> None:
    raise PhysicsError(rejected.reason)


@physics.on(FilterFailed)
def _report_filter(world: World, failed: FilterFailed) -> None:
    raise failed.error
