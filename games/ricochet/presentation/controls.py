"""What a player can do at this machine, and with which keys: one set of bindings for all scenes of the game."""

from __future__ import annotations

from engine.app import Plugin
from engine.ecs import World
from engine.input import (
    Bindings,
    Controls,
    Key,
    MouseButton,
    PadAxis,
    PadButton,
    Stick,
    axis2,
    button,
    input_plugin,
    user_bindings,
)


class RicochetControls(Controls):
    """What a player can do."""

    thrust = axis2(keys=(Key.A, Key.D, Key.W, Key.S), pad=Stick.LEFT, label="Thrust")
    aim = axis2(pad=Stick.RIGHT, label="Aim")
    fire = button(MouseButton.LEFT, PadAxis.RIGHT_TRIGGER, label="Throw a disc")
    dash = button(Key.SPACE, PadButton.A, label="Dash")
    shield = button(MouseButton.RIGHT, PadButton.B, label="Shield")
    scores = button(Key.TAB, PadButton.BACK, label="Scoreboard")


controls = Plugin("ricochet.controls", needs=[input_plugin(RicochetControls, file=user_bindings("ricochet"))])


@controls.setup
def share(world: World) -> None:
    """A scene that is given `Bindings` uses these, so that what is rebound in a pause counts in the match below."""
    wanted = world.resource(RicochetControls)
    shared = world.find_resource(Bindings)
    if shared is None:
        world.insert(wanted.bindings)
    else:
        wanted.bindings = shared
