"""What devices do, as events of plain values: they can be journalled, replayed and written by hand in a test.

Positions are in virtual screen units: x to the right, y down, (0, 0) at the top left of the picture. A pad's number
is its seat: the lowest free one when it was plugged in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.input.source import Key, MouseButton, PadAxis, PadButton


@dataclass(slots=True)
class KeyPressed:
    """A key went down; `repeat` if the system repeats one that is being held."""

    key: Key
    repeat: bool = False


@dataclass(slots=True)
class KeyReleased:
    """A key went up."""

    key: Key


@dataclass(slots=True)
class TextEntered:
    """Text was typed, with layout, shift and input method applied."""

    text: str


@dataclass(slots=True)
class PointerMoved:
    """The pointer moved to (x, y) by (dx, dy). `touch` if a finger stands in for a mouse."""

    x: float
    y: float
    dx: float = 0.0
    dy: float = 0.0
    touch: bool = False


@dataclass(slots=True)
class PointerPressed:
    """A mouse button went down at (x, y). `clicks` is 2 for the second of a double click."""

    x: float
    y: float
    button: MouseButton = MouseButton.LEFT
    clicks: int = 1
    touch: bool = False


@dataclass(slots=True)
class PointerReleased:
    """A mouse button went up at (x, y)."""

    x: float
    y: float
    button: MouseButton = MouseButton.LEFT
    touch: bool = False


@dataclass(slots=True)
class PointerScrolled:
    """The wheel turned, in notches: dy is positive away from the player, dx to the right."""

    x: float
    y: float
    dx: float
    dy: float


@dataclass(slots=True)
class PadConnected:
    """A gamepad was plugged in and took seat `pad`."""

    pad: int
    name: str


@dataclass(slots=True)
class PadDisconnected:
    """The gamepad in seat `pad` was unplugged; all it held is released."""

    pad: int


@dataclass(slots=True)
class PadPressed:
    """A gamepad button went down."""

    pad: int
    button: PadButton


@dataclass(slots=True)
class PadReleased:
    """A gamepad button went up."""

    pad: int
    button: PadButton


@dataclass(slots=True)
class PadMoved:
    """A gamepad axis moved to `value`: -1 to 1 for a stick, 0 to 1 for a trigger."""

    pad: int
    axis: PadAxis
    value: float


@dataclass(slots=True)
class TouchBegan:
    """A finger was put down; `finger` tells it from others until it is lifted."""

    finger: int
    x: float
    y: float


@dataclass(slots=True)
class TouchMoved:
    """A finger moved."""

    finger: int
    x: float
    y: float


@dataclass(slots=True)
class TouchEnded:
    """A finger was lifted."""

    finger: int
    x: float
    y: float


@dataclass(slots=True)
class FocusGained:
    """The window has the keyboard again."""


@dataclass(slots=True)
class FocusLost:
    """The window lost the keyboard; all that was held is released."""


@dataclass(slots=True)
class WindowResized:
    """The window is now this many pixels wide and high."""

    width: int
    height: int


@dataclass(slots=True)
class QuitRequested:
    """The player closed the window, or the system asks the game to end."""


InputEvent: TypeAlias = (
    KeyPressed
    | KeyReleased
    | TextEntered
    | PointerMoved
    | PointerPressed
    | PointerReleased
    | PointerScrolled
    | PadConnected
    | PadDisconnected
    | PadPressed
    | PadReleased
    | PadMoved
    | TouchBegan
    | TouchMoved
    | TouchEnded
    | FocusGained
    | FocusLost
    | WindowResized
    | QuitRequested
)
"""Any event a device or the window causes."""

INPUT_EVENTS: tuple[type, ...] = InputEvent.__args__
"""The types of `InputEvent`."""
