"""What a player can want in one tick. Commands carry intent only; what comes of it is for the rules to say."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, tau
from typing import Annotated

from engine.net.wire import Quantized

Stick = Annotated[float, Quantized(-1.0, 1.0, 1 / 127, clamp=True)]
Angle = Annotated[float, Quantized(-pi, pi, tau / 4096, clamp=True)]
"""The steps are those of the wire alone; a match at one machine has every bit."""


@dataclass(slots=True)
class Fly:
    """A pilot's stick and buttons, sampled once a tick. Buttons are held, not pressed."""

    thrust_x: Stick = 0.0
    thrust_y: Stick = 0.0
    """Where to accelerate, each from -1 to 1; a vector longer than 1 counts as 1."""
    aim: Angle = 0.0
    """Where to look and throw: radians, 0 to the right, clockwise on the screen."""
    fire: bool = False
    dash: bool = False
    shield: bool = False
