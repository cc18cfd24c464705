"""Sources: the keys, buttons, axes and chords an action can be bound to. An enum's value is its label for people.

Keys are named by their place on a US keyboard, so W A S D stay a cross on every layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from engine.input.errors import InputError


class Key(Enum):
    """A key of the keyboard, by place."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741
    J = "J"
    K = "K"
    L = "L"
    M = "M"
    N = "N"
    O = "O"  # noqa: E741
    P = "P"
    Q = "Q"
    R = "R"
    S = "S"
    T = "T"
    U = "U"
    V = "V"
    W = "W"
    X = "X"
    Y = "Y"
    Z = "Z"
    DIGIT_0 = "0"
    DIGIT_1 = "1"
    DIGIT_2 = "2"
    DIGIT_3 = "3"
    DIGIT_4 = "4"
    DIGIT_5 = "5"
    DIGIT_6 = "6"
    DIGIT_7 = "7"
    DIGIT_8 = "8"
    DIGIT_9 = "9"
    SPACE = "Space"
    ENTER = "Enter"
    ESCAPE = "Esc"
    TAB = "Tab"
    BACKSPACE = "Backspace"
    LEFT = "Left"
    RIGHT = "Right"
    UP = "Up"
    DOWN = "Down"
    INSERT = "Insert"
    DELETE = "Delete"
    HOME = "Home"
    END = "End"
    PAGE_UP = "Page up"
    PAGE_DOWN = "Page down"
    SHIFT_LEFT = "Left shift"
    SHIFT_RIGHT = "Right shift"
    CTRL_LEFT = "Left ctrl"
    CTRL_RIGHT = "Right ctrl"
    ALT_LEFT = "Left alt"
    ALT_RIGHT = "Right alt"
    META_LEFT = "Left meta"
    META_RIGHT = "Right meta"
    MENU = "Menu"
    CAPS_LOCK = "Caps lock"
    NUM_LOCK = "Num lock"
    SCROLL_LOCK = "Scroll lock"
    PRINT_SCREEN = "Print screen"
    PAUSE = "Pause"
    MINUS = "-"
    EQUALS = "="
    BRACKET_LEFT = "["
    BRACKET_RIGHT = "]"
    BACKSLASH = "\\"
    BACKSLASH_ISO = "< >"
    SEMICOLON = ";"
    APOSTROPHE = "'"
    GRAVE = "`"
    COMMA = ","
    PERIOD = "."
    SLASH = "/"
    F1 = "F1"
    F2 = "F2"
    F3 = "F3"
    F4 = "F4"
    F5 = "F5"
    F6 = "F6"
    F7 = "F7"
    F8 = "F8"
    F9 = "F9"
    F10 = "F10"
    F11 = "F11"
    F12 = "F12"
    KEYPAD_0 = "Keypad 0"
    KEYPAD_1 = "Keypad 1"
    KEYPAD_2 = "Keypad 2"
    KEYPAD_3 = "Keypad 3"
    KEYPAD_4 = "Keypad 4"
    KEYPAD_5 = "Keypad 5"
    KEYPAD_6 = "Keypad 6"
    KEYPAD_7 = "Keypad 7"
    KEYPAD_8 = "Keypad 8"
    KEYPAD_9 = "Keypad 9"
    KEYPAD_PERIOD = "Keypad ."
    KEYPAD_DIVIDE = "Keypad /"
    KEYPAD_MULTIPLY = "Keypad *"
    KEYPAD_MINUS = "Keypad -"
    KEYPAD_PLUS = "Keypad +"
    KEYPAD_ENTER = "Keypad enter"

    @property
    def is_modifier(self) -> bool:
        """Whether the key is a shift, ctrl, alt or meta key."""
        return self.name.startswith(("SHIFT_", "CTRL_", "ALT_", "META_"))


class MouseButton(Enum):
    """A button of the mouse."""

    LEFT = "Left mouse"
    MIDDLE = "Middle mouse"
    RIGHT = "Right mouse"
    BACK = "Mouse back"
    FORWARD = "Mouse forward"


class Wheel(Enum):
    """A direction of the mouse wheel. Each notch counts as a press and a release."""

    UP = "Wheel up"
    DOWN = "Wheel down"
    LEFT = "Wheel left"
    RIGHT = "Wheel right"


class PadButton(Enum):
    """A button of a gamepad, by its place on an Xbox pad: A is the lower one of the four."""

    A = "A"
    B = "B"
    X = "X"
    Y = "Y"
    LEFT_SHOULDER = "LB"
    RIGHT_SHOULDER = "RB"
    LEFT_STICK = "LS"
    RIGHT_STICK = "RS"
    BACK = "Back"
    START = "Start"
    GUIDE = "Guide"
    UP = "D-pad up"
    DOWN = "D-pad down"
    LEFT = "D-pad left"
    RIGHT = "D-pad right"


class PadAxis(Enum):
    """An axis of a gamepad: a stick's from -1 (left, up) to 1 (right, down), a trigger from 0 to 1."""

    LEFT_X = "Left stick ↔"
    LEFT_Y = "Left stick ↕"
    RIGHT_X = "Right stick ↔"
    RIGHT_Y = "Right stick ↕"
    LEFT_TRIGGER = "LT"
    RIGHT_TRIGGER = "RT"

    @property
    def is_trigger(self) -> bool:
        """Whether it is a trigger, which has only one direction."""
        return self in (PadAxis.LEFT_TRIGGER, PadAxis.RIGHT_TRIGGER)

    @property
    def negative(self) -> HalfAxis:
        """The stick pushed left or up, as a source of its own."""
        return HalfAxis(self, -1)

    @property
    def positive(self) -> HalfAxis:
        """The stick pushed right or down, as a source of its own."""
        return HalfAxis(self, 1)


class Stick(Enum):
    """A stick of a gamepad, both its axes together."""

    LEFT = "Left stick"
    RIGHT = "Right stick"

    @property
    def axes(self) -> tuple[PadAxis, PadAxis]:
        """Its x and y axis."""
        if self is Stick.LEFT:
            return PadAxis.LEFT_X, PadAxis.LEFT_Y
        return PadAxis.RIGHT_X, PadAxis.RIGHT_Y


@dataclass(frozen=True, slots=True)
class HalfAxis:
    """One direction of a stick's axis, used as a button. `sign` is -1 or 1."""

    axis: PadAxis
    sign: int


Atom: TypeAlias = Key | MouseButton | Wheel | PadButton | PadAxis | HalfAxis
"""A source that is up or down, by itself or by a threshold."""


class Chord:
    """`Chord(Key.CTRL_LEFT, Key.S)`: the last is pressed while the ones before are held.

    Where chords and plain bindings compete for a press, the longest chord alone has it. Raises `InputError` with
    fewer than two sources or the same one twice.
    """

    __slots__ = ("atoms",)

    def __init__(self, *atoms: Atom) -> None:
        if len(atoms) < 2 or len(set(atoms)) < len(atoms):
            raise InputError(f"a chord takes two or more different keys or buttons, not {atoms!r}")
        self.atoms = atoms

    @property
    def held(self) -> tuple[Atom, ...]:
        """What must be held already."""
        return self.atoms[:-1]

    @property
    def trigger(self) -> Atom:
        """What is pressed last."""
        return self.atoms[-1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chord) and self.trigger == other.trigger and set(self.held) == set(other.held)

    def __hash__(self) -> int:
        return hash((frozenset(self.held), self.trigger))

    def __repr__(self) -> str:
        return f"Chord({', '.join(map(str, self.atoms))})"


Source: TypeAlias = Atom | Chord | Stick
"""Anything an action can be bound to."""


class Device(Enum):
    """What the player last played with, so that prompts can show the right labels."""

    KEYBOARD = "Keyboard and mouse"
    PAD = "Gamepad"
    TOUCH = "Touch"


def device_of(source: Source) -> Device:
    """The device a source is on; a chord's is that of its trigger."""
    if isinstance(source, Chord):
        source = source.trigger
    return Device.KEYBOARD if isinstance(source, (Key, MouseButton, Wheel)) else Device.PAD


def label(source: Source) -> str:
    """What to call a source on screen: `Space`, `Left mouse`, `RT`, `Left ctrl + S`, `Left stick up`."""
    if isinstance(source, Chord):
        return " + ".join(label(atom) for atom in source.atoms)
    if isinstance(source, HalfAxis):
        if source.axis.is_trigger:
            return source.axis.value
        names = ("left", "right") if source.axis.name.endswith("_X") else ("up", "down")
        return f"{source.axis.value[:-2]} {names[source.sign > 0]}"
    return source.value


# The form in a bindings file: `key.SPACE`, `pad_axis.LEFT_X-`, `key.CTRL_LEFT + key.S`.

_KINDS: dict[str, type[Enum]] = {
    "key": Key,
    "mouse": MouseButton,
    "wheel": Wheel,
    "pad": PadButton,
    "pad_axis": PadAxis,
    "stick": Stick,
}
_PREFIXES = {kind: prefix for prefix, kind in _KINDS.items()}


def source_to_text(source: Source) -> str:
    """The form of a source in a bindings file."""
    if isinstance(source, Chord):
        return " + ".join(source_to_text(atom) for atom in source.atoms)
    if isinstance(source, HalfAxis):
        return f"{source_to_text(source.axis)}{'+' if source.sign > 0 else '-'}"
    return f"{_PREFIXES[type(source)]}.{source.name}"


def source_from_text(text: str) -> Source:
    """Back from a bindings file. Raises `InputError` if there is no such source."""
    if " + " in text:
        atoms = [source_from_text(part) for part in text.split(" + ")]
        flat: list[Atom] = []
        for atom in atoms:
            if isinstance(atom, (Chord, Stick)):
                raise InputError(f"{text!r} is no chord; it joins keys and buttons only")
            flat.append(atom)
        return Chord(*flat)
    prefix, _, name = text.partition(".")
    kind = _KINDS.get(prefix)
    if kind is PadAxis and name[-1:] in ("+", "-") and name[:-1] in PadAxis.__members__:
        return HalfAxis(PadAxis[name[:-1]], 1 if name[-1] == "+" else -1)
    if kind is None or name not in kind.__members__:
        raise InputError(f"there is no input {text!r}; inputs are written like key.SPACE, mouse.LEFT or pad.A")
    found: object = kind[name]
    assert isinstance(found, (Key, MouseButton, Wheel, PadButton, PadAxis, Stick))
    return found
