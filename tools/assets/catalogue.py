"""Every file the script makes, by its path under assets/ricochet, with the call that makes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from . import arenas, interface, lights, music, ships, sounds, things
from .paint import Pixels, strip
from .synth import Sound


def pictures() -> dict[str, Callable[[], Pixels]]:
    made: dict[str, Callable[[], Pixels]] = {}
    for name in ships.HULLS:
        made[f"sprites/ships/{name}.png"] = partial(ships.hull, name)
        made[f"sprites/ships/{name}_core.png"] = partial(ships.core, name)
    made["sprites/flame.png"] = lambda: strip([ships.flame(frame) for frame in range(4)])
    for bounces in range(4):
        made[f"sprites/disc_{bounces}.png"] = partial(things.disc, bounces)
        made[f"sprites/disc_{bounces}_core.png"] = partial(things.disc_core, bounces)
    made["sprites/shield.png"] = things.shield
    made["sprites/bumper.png"] = partial(things.bumper, False)
    made["sprites/bumper_lit.png"] = partial(things.bumper, True)
    for damage, name in enumerate(("crate", "crate_cracked", "crate_broken")):
        made[f"sprites/{name}.png"] = partial(things.crate, damage)
    made["sprites/ball.png"] = things.ball
    for kind in ("triple", "overcharge", "repair", "dash"):
        made[f"sprites/pickup_{kind}.png"] = partial(things.pickup, kind)
    made["sprites/pad.png"] = things.pad
    made["sprites/grid.png"] = things.ground
    for size in (8, 16, 32):
        made[f"sprites/spark_{size}.png"] = partial(lights.spark, size)
    made["sprites/streak.png"] = lights.streak
    made["sprites/ring.png"] = lights.ring
    made["sprites/vignette.png"] = lights.vignette
    made["sprites/title.png"] = interface.title
    made["sprites/crosshair.png"] = interface.crosshair
    made["sprites/team_a.png"] = partial(interface.emblem, "a")
    made["sprites/team_b.png"] = partial(interface.emblem, "b")
    made["sprites/podium.png"] = interface.podium
    made["sprites/icon.png"] = interface.icon
    for name in arenas.ARENAS:
        made[f"maps/{name}.png"] = partial(arenas.preview, name)
    return made


def recordings() -> dict[str, Callable[[], Sound]]:
    made: dict[str, Callable[[], Sound]] = {f"sounds/{name}.wav": make for name, make in sounds.SOUNDS.items()}
    made["sounds/music.wav"] = music.loop
    return made


def texts() -> dict[str, Callable[[], str]]:
    return {f"maps/{name}.json": partial(arenas.written, name) for name in arenas.ARENAS}
