"""From pygame's queue to the engine's events, with a window that shows nothing."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pygame
import pytest

from engine.desktop.pump import Pump
from engine.desktop.window import Window
from engine.input import (
    FocusGained,
    FocusLost,
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
from engine.testing import ManualClock


class Desk:
    """A window twice as large as its virtual screen of 320 × 180, with bars of 20 above and below; its pump."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.clock = ManualClock()
        self.posted: list[object] = []
        self.pump = Pump(window, self.posted.append, clock=self.clock)

    def happen(self, *events: tuple[int, dict[str, Any]]) -> list[object]:
        """What the pump makes of some pygame events."""
        for kind, fields in events:
            pygame.event.post(pygame.event.Event(kind, fields))
        self.pump.pump()
        return self.take()

    def take(self) -> list[object]:
        posted, self.posted[:] = list(self.posted), []
        return posted


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("pump", (320, 180), vsync=False) as window:
        pygame.display.set_mode((640, 400))
        desk = Desk(window)
        desk.pump.pump()
        desk.take()
        yield desk
        desk.pump.close()


def key(down: bool, scancode: int, mod: int = 0) -> tuple[int, dict[str, Any]]:
    return (pygame.KEYDOWN if down else pygame.KEYUP), {"key": 0, "scancode": scancode, "mod": mod, "unicode": ""}


def mouse(kind: int, x: int, y: int, button: int = 1, touch: bool = False) -> tuple[int, dict[str, Any]]:
    return kind, {"pos": (x, y), "button": button, "touch": touch}


def motion(x: int, y: int, dx: int, dy: int, touch: bool = False) -> tuple[int, dict[str, Any]]:
    return pygame.MOUSEMOTION, {"pos": (x, y), "rel": (dx, dy), "buttons": (0, 0, 0), "touch": touch}


def test_keys_go_by_their_place(desk: Desk) -> None:
    assert desk.happen(key(True, pygame.KSCAN_W), key(False, pygame.KSCAN_W)) == [
        KeyPressed(Key.W),
        KeyReleased(Key.W),
    ]
    assert desk.happen(key(True, pygame.KSCAN_UNKNOWN), key(False, pygame.KSCAN_UNKNOWN)) == []


def test_every_key_can_be_pressed(desk: Desk) -> None:
    scancodes = {value for name, value in vars(pygame).items() if name.startswith("KSCAN_")}
    pressed: set[Key] = set()
    for scancode in scancodes:
        keys = [event.key for event in desk.happen(key(True, scancode)) if isinstance(event, KeyPressed)]
        assert pressed.isdisjoint(keys), "no two places are the same key"
        pressed.update(keys)
    assert set(Key) - pressed == {Key.F11}, "F11 is the window's"


def test_a_key_held_repeats_as_such(desk: Desk) -> None:
    down = key(True, pygame.KSCAN_A)
    assert desk.happen(down, down) == [KeyPressed(Key.A), KeyPressed(Key.A, repeat=True)]
    assert desk.happen((pygame.WINDOWFOCUSLOST, {}), down) == [FocusLost(), KeyPressed(Key.A)]


def test_fullscreen_is_the_windows_affair(desk: Desk) -> None:
    pressed = desk.happen(key(True, pygame.KSCAN_F11), key(True, pygame.KSCAN_F11))
    assert not any(isinstance(event, KeyPressed) for event in pressed)
    assert any(isinstance(event, WindowResized) for event in pressed)
    assert desk.window.fullscreen, "held down it switches once"
    desk.happen(key(False, pygame.KSCAN_F11))
    assert KeyPressed(Key.ENTER) not in desk.happen(key(True, pygame.KSCAN_RETURN, pygame.KMOD_LALT))
    assert not desk.window.fullscreen
    desk.happen(key(False, pygame.KSCAN_RETURN))
    assert KeyPressed(Key.ENTER) in desk.happen(key(True, pygame.KSCAN_RETURN)), "without Alt it is the game's"


def test_text_comes_without_control_characters(desk: Desk) -> None:
    assert desk.happen((pygame.TEXTINPUT, {"text": "Grüß 👋\x08"})) == [TextEntered("Grüß 👋")]
    assert desk.happen((pygame.TEXTINPUT, {"text": "\x1b"})) == []


def test_the_pointer_is_in_virtual_units(desk: Desk) -> None:
    assert desk.happen(motion(100, 120, 10, -20)) == [PointerMoved(50.0, 50.0, 5.0, -10.0)]
    assert desk.happen(motion(0, 0, 0, 0)) == [PointerMoved(0.0, -10.0)], "on a bar it is outside of the screen"


def test_motion_is_gathered_but_never_passes_a_click(desk: Desk) -> None:
    assert desk.happen(
        motion(10, 20, 10, 0),
        motion(30, 20, 20, 0),
        mouse(pygame.MOUSEBUTTONDOWN, 30, 20),
        motion(40, 20, 10, 0),
        mouse(pygame.MOUSEBUTTONUP, 40, 20),
    ) == [
        PointerMoved(15.0, 0.0, 15.0, 0.0),
        PointerPressed(15.0, 0.0),
        PointerMoved(20.0, 0.0, 5.0, 0.0),
        PointerReleased(20.0, 0.0),
    ]


def test_buttons_and_the_wheel(desk: Desk) -> None:
    buttons = {
        pygame.BUTTON_MIDDLE: MouseButton.MIDDLE,
        pygame.BUTTON_RIGHT: MouseButton.RIGHT,
        pygame.BUTTON_X1: MouseButton.BACK,
        pygame.BUTTON_X2: MouseButton.FORWARD,
    }
    for number, button in buttons.items():
        assert desk.happen(mouse(pygame.MOUSEBUTTONDOWN, 2, 22, number)) == [PointerPressed(1.0, 1.0, button)]
    wheel = {"x": 0, "y": 1, "precise_x": 0.0, "precise_y": 1.5, "flipped": False, "touch": False}
    assert desk.happen(mouse(pygame.MOUSEBUTTONDOWN, 2, 22, 4), (pygame.MOUSEWHEEL, wheel)) == [
        PointerScrolled(1.0, 1.0, 0.0, 1.5)
    ]


def test_clicks_are_counted_while_they_are_quick_and_near(desk: Desk) -> None:
    def clicks(x: int, wait: float, button: int = 1) -> int:
        desk.clock.advance(wait)
        (event,) = desk.happen(mouse(pygame.MOUSEBUTTONDOWN, x, 50, button))
        assert isinstance(event, PointerPressed)
        return event.clicks

    assert [clicks(10, 0.0), clicks(11, 0.2), clicks(12, 0.2)] == [1, 2, 3]
    assert clicks(12, 0.5) == 1
    assert clicks(40, 0.1) == 1
    assert clicks(40, 0.1, 3) == 1


def test_touch_numbers_its_fingers(desk: Desk) -> None:
    def finger(kind: int, number: int, x: float, y: float) -> tuple[int, dict[str, Any]]:
        return kind, {"finger_id": number, "touch_id": 1, "x": x, "y": y, "dx": 0.0, "dy": 0.0, "pressure": 1.0}

    assert desk.happen(
        finger(pygame.FINGERDOWN, 9_000_000_001, 0.5, 0.5),
        finger(pygame.FINGERDOWN, 77, 0.0, 0.05),
        finger(pygame.FINGERMOTION, 77, 1.0, 0.95),
        finger(pygame.FINGERUP, 9_000_000_001, 0.5, 0.5),
        finger(pygame.FINGERDOWN, 5, 0.5, 0.5),
    ) == [
        TouchBegan(0, 160.0, 90.0),
        TouchBegan(1, 0.0, 0.0),
        TouchMoved(1, 320.0, 180.0),
        TouchEnded(0, 160.0, 90.0),
        TouchBegan(0, 160.0, 90.0),
    ]
    assert desk.happen(mouse(pygame.MOUSEBUTTONDOWN, 2, 22, touch=True)) == [PointerPressed(1.0, 1.0, touch=True)]


def test_the_window_speaks_too(desk: Desk) -> None:
    assert desk.happen(
        (pygame.WINDOWFOCUSGAINED, {}),
        (pygame.QUIT, {}),
    ) == [FocusGained(), QuitRequested()]


def test_a_new_size_is_noticed_whoever_made_it(desk: Desk) -> None:
    pygame.display.set_mode((800, 600))
    assert [event for event in desk.happen() if isinstance(event, WindowResized)] == [WindowResized(800, 600)]
    assert desk.happen() == []


def test_widgets_may_keep_presses_but_never_releases(desk: Desk) -> None:
    seen: list[int] = []

    def widgets(event: pygame.Event) -> bool:
        seen.append(event.type)
        return True

    desk.pump.first = widgets
    assert desk.happen(
        key(True, pygame.KSCAN_A),
        key(False, pygame.KSCAN_A),
        mouse(pygame.MOUSEBUTTONDOWN, 2, 22),
        mouse(pygame.MOUSEBUTTONUP, 2, 22),
        (pygame.TEXTINPUT, {"text": "a"}),
    ) == [KeyReleased(Key.A), PointerReleased(1.0, 1.0)]
    assert len(seen) == 5


# Gamepads: SDL can make virtual ones, though pygame does not offer it


def _sdl() -> ctypes.CDLL | None:
    """The very SDL library that pygame has loaded, where the wheel keeps it."""
    package = Path(pygame.__file__).parent
    places = (
        (package.parent / "pygame_ce.libs", "libSDL2-2*"),
        (package / ".dylibs", "libSDL2-2*"),
        (package, "SDL2.dll"),
    )
    found = [path for folder, pattern in places for path in folder.glob(pattern)]
    return ctypes.CDLL(str(found[0])) if found else None


class Pads:
    """Plugs virtual gamepads in and out."""

    def __init__(self, sdl: ctypes.CDLL) -> None:
        self.sdl = sdl
        sdl.SDL_JoystickOpen.restype = ctypes.c_void_p
        self.open: list[ctypes.c_void_p] = []

    def plug_in(self) -> int:
        index = int(self.sdl.SDL_JoystickAttachVirtual(1, 6, 15, 0))  # 1: a game controller
        assert index >= 0
        self.open.append(ctypes.c_void_p(self.sdl.SDL_JoystickOpen(index)))
        return len(self.open) - 1

    def unplug(self, device_index: int) -> None:
        assert self.sdl.SDL_JoystickDetachVirtual(device_index) == 0

    def move(self, pad: int, axis: int, value: int) -> None:
        self.sdl.SDL_JoystickSetVirtualAxis(self.open[pad], axis, ctypes.c_int16(value))

    def set_button(self, pad: int, button: int, down: bool) -> None:
        self.sdl.SDL_JoystickSetVirtualButton(self.open[pad], button, int(down))


@pytest.fixture
def pads(desk: Desk) -> Iterator[Pads]:
    sdl = _sdl()
    if sdl is None:
        pytest.skip("this build of pygame keeps SDL elsewhere")
    made = Pads(sdl)
    yield made
    while sdl.SDL_NumJoysticks() > 0 and sdl.SDL_JoystickIsVirtual(0):
        made.unplug(0)
    desk.pump.pump()
    for pad in made.open:
        sdl.SDL_JoystickClose(pad)


def test_a_pad_is_heard_from_when_it_is_plugged_in(desk: Desk, pads: Pads) -> None:
    pad = pads.plug_in()
    (connected,) = desk.happen()
    assert isinstance(connected, PadConnected)
    assert connected.pad == 0
    assert connected.name
    pads.set_button(pad, 0, True)
    pads.move(pad, 0, -32768)
    pads.move(pad, 5, 32767)
    assert desk.happen() == [
        PadMoved(0, PadAxis.LEFT_X, -1.0),
        PadMoved(0, PadAxis.RIGHT_TRIGGER, 1.0),
        PadPressed(0, PadButton.A),
    ]
    pads.set_button(pad, 0, False)
    assert desk.happen() == [PadReleased(0, PadButton.A)]


def test_the_noise_of_a_stick_is_not_posted(desk: Desk, pads: Pads) -> None:
    pad = pads.plug_in()
    desk.happen()
    pads.move(pad, 1, 16000)
    assert len(desk.happen()) == 1
    pads.move(pad, 1, 16050)
    assert desk.happen() == []
    pads.move(pad, 1, 50)
    desk.happen()
    pads.move(pad, 1, 0)
    assert desk.happen() == [PadMoved(0, PadAxis.LEFT_Y, 0.0)], "but the middle is reached exactly"


def test_a_pad_takes_the_lowest_free_seat(desk: Desk, pads: Pads) -> None:
    for _ in range(3):
        pads.plug_in()
    assert [event.pad for event in desk.happen() if isinstance(event, PadConnected)] == [0, 1, 2]
    pads.unplug(1)
    assert [event for event in desk.happen() if isinstance(event, PadDisconnected)] == [PadDisconnected(1)]
    again = pads.plug_in()
    (connected,) = desk.happen()
    assert isinstance(connected, PadConnected)
    assert connected.pad == 1
    pads.set_button(again, 1, True)
    assert desk.happen() == [PadPressed(1, PadButton.B)]


def test_a_pad_that_was_there_before_the_pump_is_found(desk: Desk, pads: Pads) -> None:
    pads.plug_in()
    desk.happen()
    posted: list[object] = []
    late = Pump(desk.window, posted.append)
    late.pump()
    assert [type(event) for event in posted] == [PadConnected]
    late.close()


def test_a_pad_that_cannot_be_opened_is_said_and_left(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert desk.happen((pygame.CONTROLLERDEVICEADDED, {"device_index": 55, "guid": ""})) == []
    assert "gamepad 55 cannot be used" in caplog.text
