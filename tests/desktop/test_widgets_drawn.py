"""Widgets as the software renderer draws them, without a window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pygame
import pytest

from engine.app import Plugin, Scene
from engine.assets import Assets
from engine.desktop.offscreen import Offscreen
from engine.graphics import Rect
from engine.input import Key, KeyPressed, PointerMoved
from engine.widgets import (
    Button,
    Choice,
    Column,
    Label,
    ListBox,
    Panel,
    Row,
    Scroll,
    Slider,
    TextField,
    Toggle,
    Ui,
    Widget,
    widgets,
)


class Page:
    """A scene with one widget on it, drawn offscreen until nothing moves any more."""

    def __init__(self, tmp_path: Path, widget: Widget) -> None:
        self.offscreen = Offscreen((640, 480), Assets(tmp_path))
        self.scene = Scene(Plugin("page", needs=[widgets]), resources=self.offscreen.resources())
        self.ui = self.scene.world.resource(Ui)
        self.ui.show(widget)

    def send(self, *events: object) -> None:
        for event in events:
            self.scene.receive(event)
        self.scene.run_tick()

    def pixels(self) -> np.ndarray:
        """The settled picture, shape (width, height, 3)."""
        for _ in range(60):
            self.offscreen.draw(self.scene)
        return pygame.surfarray.array3d(self.offscreen.renderer.surface).astype(int)


def everything() -> list[Widget]:
    return [
        Label("Words of\ntwo lines"),
        Button("PLAY"),
        Button("OFF", enabled=False),
        Slider(0.0, 1.0, 0.5, label="Effects"),
        Toggle("Shake", True),
        Choice(["easy", "hard"], label="Bots"),
        TextField("Pilot", label="Name"),
        TextField(hint="empty"),
        ListBox(["Foundry\t3/8", "Crossfire"], rows=3),
        Scroll(*[Button(str(number)) for number in range(9)], height=120.0),
        Panel(Row(Button("a"), Button("b")), title="TITLE"),
    ]


@pytest.mark.parametrize("widget", everything(), ids=lambda widget: type(widget).__name__)
def test_every_widget_leaves_something_where_it_is(tmp_path: Path, widget: Widget) -> None:
    page = Page(tmp_path, widget)
    inside = cut(page.pixels(), widget.rect)
    assert inside.max() > 60
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) > 5


def test_the_ring_is_around_the_focus_and_goes_when_the_player_points(tmp_path: Path) -> None:
    play, leave = Button("PLAY", width=300.0), Button("QUIT", width=300.0)
    page = Page(tmp_path, Column(play, leave, spacing=40.0))
    assert ring(page, play) > 0.9
    assert ring(page, leave) < 0.1
    page.send(KeyPressed(Key.DOWN))
    assert ring(page, play) < 0.1
    assert ring(page, leave) > 0.9
    page.send(PointerMoved(1.0, 1.0))
    assert ring(page, leave) < 0.1


def test_what_is_lit_is_brighter_and_what_is_disabled_fainter(tmp_path: Path) -> None:
    button, off = Button("PLAY", width=300.0), Button("PLAY", width=300.0, enabled=False)
    page = Page(tmp_path, Column(button, off, spacing=60.0))
    page.send(PointerMoved(1.0, 1.0))
    at_rest = cut(page.pixels(), button.rect).mean()
    disabled = cut(page.pixels(), off.rect).mean()
    page.send(PointerMoved(button.rect.x + 9, button.rect.y + 9))
    lit = cut(page.pixels(), button.rect).mean()
    assert lit > at_rest * 1.3
    assert disabled < at_rest * 0.7


def test_a_text_too_long_stays_inside(tmp_path: Path) -> None:
    button = Button("a very long text that cannot possibly fit", width=160.0)
    page = Page(tmp_path, button)
    page.send(PointerMoved(1.0, 1.0))
    pixels = page.pixels()
    rect = button.rect
    outside = [
        cut(pixels, Rect(rect.x - 100, rect.y, 96, rect.height)),
        cut(pixels, Rect(rect.right + 4, rect.y, 96, rect.height)),
    ]
    for side in outside:
        assert side.max() < 30


def cut(pixels: np.ndarray, rect: Rect) -> np.ndarray:
    return pixels[round(rect.x) : round(rect.right), round(rect.y) : round(rect.bottom)]


def ring(page: Page, widget: Widget) -> float:
    """How much of the strip outside of a widget's focus ring shines in its colour, more red than green."""
    rect = widget.rect
    strip = page.pixels()[round(rect.x + 20) : round(rect.right - 20), round(rect.bottom + 5) : round(rect.bottom + 7)]
    return float(((strip[..., 0] > 80) & (strip[..., 0] > strip[..., 1] + 30)).any(axis=1).mean())
