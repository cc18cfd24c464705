"""A screen with widgets on it, and a player who has keys, a pointer and a gamepad."""

from __future__ import annotations

import pytest

from engine.app import App, Plugin
from engine.ecs import World
from engine.graphics import NullCanvas, NullRenderer, Screen
from engine.input import (
    Key,
    KeyPressed,
    KeyReleased,
    PadAxis,
    PadButton,
    PadMoved,
    PadPressed,
    PadReleased,
    PointerMoved,
    PointerPressed,
    PointerReleased,
    PointerScrolled,
    TextEntered,
)
from engine.sound import NullMixer, Speakers
from engine.widgets import Cancelled, Changed, Pressed, Submitted, Ui, Widget, widgets

STEP = 1 / 60


class Player:
    """Acts on one app as a person would, a tick and a frame after each act; `heard` is what the game was told."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        watch = Plugin("watch", needs=[widgets])
        for kind in (Pressed, Changed, Submitted, Cancelled):
            watch.on(kind)(self._hear)
        self.renderer = NullRenderer(1280, 720)
        self.mixer = NullMixer()
        self.ui = Ui()
        self.app = App(watch, resources=[self.ui, Screen(self.renderer), Speakers(self.mixer)])
        self.now = 0.0

    def _hear(self, world: World, event: object) -> None:
        self.heard.append(event)

    @property
    def canvas(self) -> NullCanvas:
        return self.renderer.overlay

    def wait(self, seconds: float = STEP) -> None:
        for _ in range(max(1, round(seconds / STEP))):
            self.now += STEP
            self.app.run_ticks(1)
            self.renderer.begin()
            self.app.frame(self.now)

    def send(self, *events: object) -> None:
        for event in events:
            self.app.post(event)
        self.wait()

    def key(self, *keys: Key) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.send(KeyPressed(key))
            self.send(KeyReleased(key))

    def held(self, modifier: Key, *keys: Key) -> None:
        """Press keys while another is held."""
        self.send(KeyPressed(modifier))
        self.key(*keys)
        self.send(KeyReleased(modifier))

    def type(self, text: str) -> None:
        for letter in text:
            self.send(TextEntered(letter))

    def pad(self, *buttons: PadButton) -> None:
        for button in buttons:
            self.send(PadPressed(0, button))
            self.send(PadReleased(0, button))

    def tilt(self, axis: PadAxis, value: float) -> None:
        self.send(PadMoved(0, axis, value))

    def move(self, x: float, y: float) -> None:
        self.send(PointerMoved(x, y))

    def press(self, x: float, y: float, clicks: int = 1) -> None:
        self.send(PointerPressed(x, y, clicks=clicks))

    def release(self, x: float, y: float) -> None:
        self.send(PointerReleased(x, y))

    def click(self, widget: Widget, across: float = 0.5, down: float = 0.5, clicks: int = 1) -> None:
        """Click into a widget, at shares of its width and height."""
        x = widget.rect.x + widget.rect.width * across
        y = widget.rect.y + widget.rect.height * down
        self.move(x, y)
        self.press(x, y, clicks)
        self.release(x, y)

    def wheel(self, widget: Widget, notches: float) -> None:
        x, y = widget.rect.x + widget.rect.width / 2, widget.rect.y + widget.rect.height / 2
        self.send(PointerScrolled(x, y, 0.0, notches))


@pytest.fixture
def player() -> Player:
    return Player()
