"""What every scene of Ricochet that is seen or heard has: its pictures and sounds, and the player's settings."""

from __future__ import annotations

from engine.app import Frame, Plugin
from engine.assets import Assets
from engine.ecs import World
from engine.events import Phase
from engine.graphics import Camera, graphics
from engine.sound import Volumes, sound
from games.ricochet.presentation.settings import Settings

base = Plugin("ricochet.presentation.base", needs=[graphics, sound])


@base.setup
def prepare(world: World) -> None:
    if world.find_resource(Assets) is None:
        world.insert(Assets.of("ricochet"))
    if world.find_resource(Settings) is None:
        world.insert(Settings())


@base.on(Frame, phase=Phase.EARLY)
def obey_settings(world: World, frame: Frame) -> None:
    settings, volumes = world.resource(Settings), world.resource(Volumes)
    world.resource(Camera).effects = settings.camera_kick
    volumes.effects, volumes.music = settings.effects_volume, settings.music_volume
