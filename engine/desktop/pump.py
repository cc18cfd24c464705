"""The pump: what pygame saw becomes events of `engine.input`, posted to the app.

Gamepads go through SDL's controller interface, which knows the layout of each model; a joystick it does not know is
named in the log and left alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from math import hypot
from typing import ClassVar, Protocol

import pygame
from pygame._sdl2 import controller

from engine.input import (
    FocusGained,
    FocusLost,
    InputEvent,
    Key,
    KeyPressed,
    KeyReleased,
    MouseButton,
    PadAxis,
    PadButton,
    PadConnected,
    PadDisconnected,
    PadMoved,
    PadPressed,
    PadReleased,
    PointerMoved,
    PointerPressed,
    PointerReleased,
    PointerScrolled,
    QuitRequested,
    TextEntered,
    TouchBegan,
    TouchEnded,
    TouchMoved,
    WindowResized,
)

log = logging.getLogger("tickwire.desktop")

DOUBLE_CLICK_SECONDS = 0.4
DOUBLE_CLICK_PIXELS = 5.0
REPEAT_AFTER, REPEAT_EVERY = 500, 33
"""Milliseconds until a held key repeats, and between repeats; games go by presses, text fields by repeats."""
AXIS_END = 32767
"""SDL's greatest axis value; the least is one more, negated."""
AXIS_STEP = 0.004
"""Smaller changes of an axis are noise and are not posted, unless they reach the middle or an end."""

_KEY_NAMES: dict[str, Key] = {
    **{name: Key[name] for name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    **{name: Key[f"DIGIT_{name}"] for name in "0123456789"},
    **{f"KP_{name}": Key[f"KEYPAD_{name}"] for name in "0123456789"},
    **{f"F{number}": Key[f"F{number}"] for number in range(1, 13)},
    "SPACE": Key.SPACE,
    "RETURN": Key.ENTER,
    "ESCAPE": Key.ESCAPE,
    "TAB": Key.TAB,
    "BACKSPACE": Key.BACKSPACE,
    "LEFT": Key.LEFT,
    "RIGHT": Key.RIGHT,
    "UP": Key.UP,
    "DOWN": Key.DOWN,
    "INSERT": Key.INSERT,
    "DELETE": Key.DELETE,
    "HOME": Key.HOME,
    "END": Key.END,
    "PAGEUP": Key.PAGE_UP,
    "PAGEDOWN": Key.PAGE_DOWN,
    "LSHIFT": Key.SHIFT_LEFT,
    "RSHIFT": Key.SHIFT_RIGHT,
    "LCTRL": Key.CTRL_LEFT,
    "RCTRL": Key.CTRL_RIGHT,
    "LALT": Key.ALT_LEFT,
    "RALT": Key.ALT_RIGHT,
    "LGUI": Key.META_LEFT,
    "RGUI": Key.META_RIGHT,
    "MENU": Key.MENU,
    "CAPSLOCK": Key.CAPS_LOCK,
    "NUMLOCK": Key.NUM_LOCK,
    "SCROLLLOCK": Key.SCROLL_LOCK,
    "PRINTSCREEN": Key.PRINT_SCREEN,
    "PAUSE": Key.PAUSE,
    "MINUS": Key.MINUS,
    "EQUALS": Key.EQUALS,
    "LEFTBRACKET": Key.BRACKET_LEFT,
    "RIGHTBRACKET": Key.BRACKET_RIGHT,
    "BACKSLASH": Key.BACKSLASH,
    "NONUSBACKSLASH": Key.BACKSLASH_ISO,
    "SEMICOLON": Key.SEMICOLON,
    "APOSTROPHE": Key.APOSTROPHE,
    "GRAVE": Key.GRAVE,
    "COMMA": Key.COMMA,
    "PERIOD": Key.PERIOD,
    "SLASH": Key.SLASH,
    "KP_PERIOD": Key.KEYPAD_PERIOD,
    "KP_DIVIDE": Key.KEYPAD_DIVIDE,
    "KP_MULTIPLY": Key.KEYPAD_MULTIPLY,
    "KP_MINUS": Key.KEYPAD_MINUS,
    "KP_PLUS": Key.KEYPAD_PLUS,
    "KP_ENTER": Key.KEYPAD_ENTER,
}
_KEYS: dict[int, Key] = {getattr(pygame, f"KSCAN_{name}"): key for name, key in _KEY_NAMES.items()}

_BUTTONS: dict[int, MouseButton] = {
    pygame.BUTTON_LEFT: MouseButton.LEFT,
    pygame.BUTTON_MIDDLE: MouseButton.MIDDLE,
    pygame.BUTTON_RIGHT: MouseButton.RIGHT,
    pygame.BUTTON_X1: MouseButton.BACK,
    pygame.BUTTON_X2: MouseButton.FORWARD,
}  # 4 and 5 are the wheel once more, as pygame 1 knew it

_PAD_BUTTONS: dict[int, PadButton] = {
    pygame.CONTROLLER_BUTTON_A: PadButton.A,
    pygame.CONTROLLER_BUTTON_B: PadButton.B,
    pygame.CONTROLLER_BUTTON_X: PadButton.X,
    pygame.CONTROLLER_BUTTON_Y: PadButton.Y,
    pygame.CONTROLLER_BUTTON_LEFTSHOULDER: PadButton.LEFT_SHOULDER,
    pygame.CONTROLLER_BUTTON_RIGHTSHOULDER: PadButton.RIGHT_SHOULDER,
    pygame.CONTROLLER_BUTTON_LEFTSTICK: PadButton.LEFT_STICK,
    pygame.CONTROLLER_BUTTON_RIGHTSTICK: PadButton.RIGHT_STICK,
    pygame.CONTROLLER_BUTTON_BACK: PadButton.BACK,
    pygame.CONTROLLER_BUTTON_START: PadButton.START,
    pygame.CONTROLLER_BUTTON_GUIDE: PadButton.GUIDE,
    pygame.CONTROLLER_BUTTON_DPAD_UP: PadButton.UP,
    pygame.CONTROLLER_BUTTON_DPAD_DOWN: PadButton.DOWN,
    pygame.CONTROLLER_BUTTON_DPAD_LEFT: PadButton.LEFT,
    pygame.CONTROLLER_BUTTON_DPAD_RIGHT: PadButton.RIGHT,
}

_PAD_AXES: dict[int, PadAxis] = {
    pygame.CONTROLLER_AXIS_LEFTX: PadAxis.LEFT_X,
    pygame.CONTROLLER_AXIS_LEFTY: PadAxis.LEFT_Y,
    pygame.CONTROLLER_AXIS_RIGHTX: PadAxis.RIGHT_X,
    pygame.CONTROLLER_AXIS_RIGHTY: PadAxis.RIGHT_Y,
    pygame.CONTROLLER_AXIS_TRIGGERLEFT: PadAxis.LEFT_TRIGGER,
    pygame.CONTROLLER_AXIS_TRIGGERRIGHT: PadAxis.RIGHT_TRIGGER,
}

_CONSUMABLE = frozenset(
    {pygame.KEYDOWN, pygame.TEXTINPUT, pygame.MOUSEBUTTONDOWN, pygame.MOUSEWHEEL, pygame.FINGERDOWN}
)
"""What widgets can keep from the game. Releases always pass, so that nothing stays held."""


class Screen(Protocol):
    """What the pump asks of a window."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the window, in the units of pygame's mouse positions."""
        ...

    def to_virtual(self, x: float, y: float) -> tuple[float, float]:
        """The virtual screen position that lies under a position in the window."""
        ...

    def toggle_fullscreen(self) -> object: ...


class Pump:
    """Moves pygame's events to `post`; call `pump` once a frame.

    `first(event)` sees each pygame event before; if it returns True the event is the widgets', and only what it
    releases is posted. `clock` gives seconds, to tell double clicks.
    """

    def __init__(
        self,
        screen: Screen,
        post: Callable[[object], object],
        *,
        first: Callable[[pygame.Event], bool] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.screen = screen
        self.post = post
        self.first = first
        self.clock = clock
        self._held: set[Key] = set()
        self._pointer = (0.0, 0.0)
        self._motion: PointerMoved | None = None
        self._click: tuple[float, int, tuple[int, int], int] = (float("-inf"), 0, (0, 0), 0)
        self._fingers: dict[int, int] = {}
        self._size = screen.size
        self._pads: dict[int, _Pad] = {}
        """By SDL's instance id, which is never used twice."""
        self._found_pads = False
        pygame.joystick.init()
        controller.init()
        pygame.key.set_repeat(REPEAT_AFTER, REPEAT_EVERY)

    def pump(self) -> None:
        """Post everything that happened since the last call."""
        if not self._found_pads:
            self._found_pads = True
            for index in range(pygame.joystick.get_count()):  # the queue tells only of those that came since
                if controller.is_controller(index):
                    self._open_pad(index)
        for event in pygame.event.get():
            self.handle(event)
        self._flush()
        size = self.screen.size
        if size != self._size:  # asked, as going back from full screen makes no event on some desktops
            self._size = size
            self._post(WindowResized(*size))

    def close(self) -> None:
        """Let go of the gamepads."""
        for pad in self._pads.values():
            pad.controller.quit()
        self._pads.clear()

    def handle(self, event: pygame.Event) -> None:
        """Translate one pygame event. Motion is held back until something else happens, or until `pump` ends."""
        consumed = self.first is not None and self.first(event)
        translate = self._translations.get(event.type)
        if translate is None:
            return
        if event.type != pygame.MOUSEMOTION:
            self._flush()
        if not consumed or event.type not in _CONSUMABLE:
            translate(self, event)

    def _post(self, event: InputEvent) -> None:
        self.post(event)

    def _flush(self) -> None:
        if self._motion is not None:
            self._post(self._motion)
            self._motion = None

    # Keyboard

    def _key_down(self, event: pygame.Event) -> None:
        key = _KEYS.get(event.scancode)
        if key is None:
            return
        repeat = key in self._held
        self._held.add(key)
        if key is Key.F11 or (key is Key.ENTER and event.mod & pygame.KMOD_ALT):
            if not repeat:
                self.screen.toggle_fullscreen()
            return
        self._post(KeyPressed(key, repeat))

    def _key_up(self, event: pygame.Event) -> None:
        key = _KEYS.get(event.scancode)
        if key is not None:
            self._held.discard(key)
            self._post(KeyReleased(key))

    def _text(self, event: pygame.Event) -> None:
        text = "".join(character for character in event.text if character.isprintable())
        if text:
            self._post(TextEntered(text))

    # Mouse

    def _mouse_move(self, event: pygame.Event) -> None:
        x, y = self.screen.to_virtual(*event.pos)
        before = self.screen.to_virtual(event.pos[0] - event.rel[0], event.pos[1] - event.rel[1])
        moved = PointerMoved(x, y, x - before[0], y - before[1], bool(event.touch))
        held = self._motion
        if held is not None:
            if held.touch == moved.touch:
                moved.dx += held.dx
                moved.dy += held.dy
            else:
                self._flush()
        self._pointer = (x, y)
        self._motion = moved

    def _mouse_down(self, event: pygame.Event) -> None:
        button = _BUTTONS.get(event.button)
        if button is None:
            return
        now = self.clock()
        at, last, place, count = self._click
        near = hypot(event.pos[0] - place[0], event.pos[1] - place[1]) <= DOUBLE_CLICK_PIXELS
        count = count + 1 if last == event.button and now - at <= DOUBLE_CLICK_SECONDS and near else 1
        self._click = (now, event.button, event.pos, count)
        self._pointer = self.screen.to_virtual(*event.pos)
        self._post(PointerPressed(*self._pointer, button, count, bool(event.touch)))

    def _mouse_up(self, event: pygame.Event) -> None:
        button = _BUTTONS.get(event.button)
        if button is not None:
            self._pointer = self.screen.to_virtual(*event.pos)
            self._post(PointerReleased(*self._pointer, button, bool(event.touch)))

    def _wheel(self, event: pygame.Event) -> None:
        self._post(PointerScrolled(*self._pointer, float(event.precise_x), float(event.precise_y)))

    # Touch

    def _touch(self, event: pygame.Event) -> tuple[int, float, float]:
        """The finger's own small number, and where it is. SDL gives shares of the window and arbitrary numbers."""
        finger = self._fingers.setdefault(event.finger_id, _lowest_free(self._fingers.values()))
        width, height = self.screen.size
        return finger, *self.screen.to_virtual(event.x * width, event.y * height)

    def _finger_down(self, event: pygame.Event) -> None:
        self._post(TouchBegan(*self._touch(event)))

    def _finger_move(self, event: pygame.Event) -> None:
        self._post(TouchMoved(*self._touch(event)))

    def _finger_up(self, event: pygame.Event) -> None:
        self._post(TouchEnded(*self._touch(event)))
        self._fingers.pop(event.finger_id, None)

    # Gamepads

    def _pad_added(self, event: pygame.Event) -> None:
        self._open_pad(event.device_index)

    def _open_pad(self, index: int) -> None:
        try:
            opened = controller.Controller(index)
            instance = opened.as_joystick().get_instance_id()
        except (pygame.error, ValueError) as error:
            log.warning("gamepad %s cannot be used: %s", index, error)
            return
        if instance not in self._pads:
            seat = _lowest_free(pad.seat for pad in self._pads.values())
            self._pads[instance] = _Pad(opened, seat)
            self._post(PadConnected(seat, opened.name))

    def _pad_removed(self, event: pygame.Event) -> None:
        pad = self._pads.pop(event.instance_id, None)
        if pad is not None:
            pad.controller.quit()
            self._post(PadDisconnected(pad.seat))

    def _pad_down(self, event: pygame.Event) -> None:
        pad, button = self._pads.get(event.instance_id), _PAD_BUTTONS.get(event.button)
        if pad is not None and button is not None:
            self._post(PadPressed(pad.seat, button))

    def _pad_up(self, event: pygame.Event) -> None:
        pad, button = self._pads.get(event.instance_id), _PAD_BUTTONS.get(event.button)
        if pad is not None and button is not None:
            self._post(PadReleased(pad.seat, button))

    def _pad_moved(self, event: pygame.Event) -> None:
        pad, axis = self._pads.get(event.instance_id), _PAD_AXES.get(event.axis)
        if pad is None or axis is None:
            return
        value = max(-1.0, event.value / AXIS_END)
        before = pad.axes.get(axis, 0.0)
        if value != before and (abs(value - before) >= AXIS_STEP or value in (-1.0, 0.0, 1.0)):
            pad.axes[axis] = value
            self._post(PadMoved(pad.seat, axis, value))

    def _joystick_added(self, event: pygame.Event) -> None:
        if not controller.is_controller(event.device_index):
            name = pygame.joystick.Joystick(event.device_index).get_name()
            log.warning(
                "the layout of joystick %r is not known, so it is not used; "
                "SDL reads more layouts from the environment variable SDL_GAMECONTROLLERCONFIG",
                name,
            )

    # Window

    def _focus_lost(self, event: pygame.Event) -> None:
        self._held.clear()
        self._post(FocusLost())

    def _focus_gained(self, event: pygame.Event) -> None:
        self._post(FocusGained())

    def _quit(self, event: pygame.Event) -> None:
        self._post(QuitRequested())

    _translations: ClassVar[dict[int, Callable[[Pump, pygame.Event], None]]] = {
        pygame.KEYDOWN: _key_down,
        pygame.KEYUP: _key_up,
        pygame.TEXTINPUT: _text,
        pygame.MOUSEMOTION: _mouse_move,
        pygame.MOUSEBUTTONDOWN: _mouse_down,
        pygame.MOUSEBUTTONUP: _mouse_up,
        pygame.MOUSEWHEEL: _wheel,
        pygame.FINGERDOWN: _finger_down,
        pygame.FINGERMOTION: _finger_move,
        pygame.FINGERUP: _finger_up,
        pygame.CONTROLLERDEVICEADDED: _pad_added,
        pygame.CONTROLLERDEVICEREMOVED: _pad_removed,
        pygame.CONTROLLERBUTTONDOWN: _pad_down,
        pygame.CONTROLLERBUTTONUP: _pad_up,
        pygame.CONTROLLERAXISMOTION: _pad_moved,
        pygame.JOYDEVICEADDED: _joystick_added,
        pygame.WINDOWFOCUSLOST: _focus_lost,
        pygame.WINDOWFOCUSGAINED: _focus_gained,
        pygame.QUIT: _quit,
    }


class _Pad:
    """A gamepad that is plugged in."""

    __slots__ = ("axes", "controller", "seat")

    def __init__(self, opened: controller.Controller, seat: int) -> None:
        self.controller = opened
        self.seat = seat
        self.axes: dict[PadAxis, float] = {}


def _lowest_free(taken: Iterable[int]) -> int:
    used = set(taken)
    return next(number for number in range(len(used) + 1) if number not in used)
