"""The sound plugin: hands the sounds and the music that a world asks for to its speakers."""

from __future__ import annotations

from collections.abc import Sequence

from engine.app import Begin, Frame, Plugin
from engine.ecs import World
from engine.events import Phase
from engine.sound.events import PlayMusic, PlaySound, StopMusic, StopSound
from engine.sound.listener import Listener
from engine.sound.speakers import Speakers
from engine.sound.volumes import Volumes

sound = Plugin("engine.sound")
"""Gives a world its `Listener` and its `Volumes`, and makes it heard through its `Speakers`, if it has them."""


@sound.setup
def _prepare(world: World) -> None:
    for kind in (Listener, Volumes):
        if world.find_resource(kind) is None:
            world.insert(kind())


@sound.on(Begin, phase=Phase.EARLY)
def _tick(world: World, stage: Begin) -> None:
    speakers = world.find_resource(Speakers)
    if speakers is not None:
        speakers.ticked(stage.dt)


@sound.on(Frame, phase=Phase.LATE)
def _frame(world: World, frame: Frame) -> None:
    speakers = world.find_resource(Speakers)
    if speakers is not None:
        speakers.framed(frame.time)
        speakers.follow(world.resource(Volumes))


@sound.on_batch(PlaySound)
def _play(world: World, sounds: Sequence[PlaySound]) -> None:
    speakers = world.find_resource(Speakers)
    if speakers is not None:
        speakers.play(sounds, world.resource(Listener), world.resource(Volumes))


@sound.on(StopSound)
def _stop(world: World, event: StopSound) -> None:
    speakers = world.find_resource(Speakers)
    if speakers is not None:
        speakers.stop(event.name, event.within)


@sound.on(PlayMusic)
def _play_music(world: World, music: PlayMusic) -> None:
    speakers = world.find_resource(Speakers)
    if speakers is not None:
        speakers.play_music(music, world.resource(Volumes))


@sound.on(StopMusic)
def _stop_music(world: World, event: StopMusic) -> None:
    speakers = world.find_resource(Speakers)
    if speakers is not None:
        speakers.stop_music(event.fade)
