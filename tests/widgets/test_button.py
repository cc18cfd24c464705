"""Buttons: pressed by pointer, keys and gamepad."""

from __future__ import annotations

from typing import Any

import pytest

from engine.input import Key, KeyPressed, PadButton, PointerMoved, PointerPressed, PointerReleased
from engine.widgets import Button, Cancelled, Column, Pressed


@pytest.fixture
def menu(player: Any) -> tuple[Button, Button]:
    play, leave = Button("PLAY"), Button("QUIT")
    player.ui.show(Column(play, leave))
    return play, leave


def test_each_device_presses(player: Any, menu: tuple[Button, Button]) -> None:
    play, leave = menu
    player.click(play)
    player.key(Key.ENTER, Key.SPACE, Key.KEYPAD_ENTER)
    player.pad(PadButton.A)
    assert player.heard == [Pressed(play)] * 5
    player.key(Key.DOWN, Key.ENTER)
    player.pad(PadButton.UP, PadButton.A)
    assert player.heard[5:] == [Pressed(leave), Pressed(play)]


def test_the_callback_comes_before_the_event(player: Any) -> None:
    button = Button("GO", lambda: player.heard.append("called"))
    player.ui.show(button)
    player.key(Key.ENTER)
    assert player.heard == ["called", Pressed(button)]


def test_a_press_let_go_elsewhere_does_nothing(player: Any, menu: tuple[Button, Button]) -> None:
    play, leave = menu
    player.press(play.rect.x + 5, play.rect.y + 5)
    player.release(leave.rect.x + 5, leave.rect.y + 5)
    player.press(2, 2)
    player.release(play.rect.x + 5, play.rect.y + 5)
    assert player.heard == []


def test_a_click_within_one_tick_counts(player: Any, menu: tuple[Button, Button]) -> None:
    x, y = menu[1].rect.x + 5, menu[1].rect.y + 5
    player.send(PointerMoved(x, y), PointerPressed(x, y), PointerReleased(x, y))
    assert player.heard == [Pressed(menu[1])]


def test_what_is_disabled_is_passed_over(player: Any) -> None:
    first, off, last = Button("1"), Button("2", enabled=False), Button("3")
    player.ui.show(Column(first, off, last))
    player.click(off)
    player.key(Key.DOWN)
    assert player.ui.focus is last
    assert player.heard == []


def test_disabling_what_has_the_focus_moves_it(player: Any, menu: tuple[Button, Button]) -> None:
    play, leave = menu
    play.enabled = False
    player.key(Key.ENTER)
    assert player.ui.focus is leave
    assert player.heard == [Pressed(leave)]


def test_a_key_held_down_presses_once(player: Any, menu: tuple[Button, Button]) -> None:
    player.send(KeyPressed(Key.ENTER), KeyPressed(Key.ENTER, repeat=True), KeyPressed(Key.ENTER, repeat=True))
    assert player.heard == [Pressed(menu[0])]


def test_widgets_work_while_the_app_is_paused(player: Any, menu: tuple[Button, Button]) -> None:
    player.app.pause()
    for event in (KeyPressed(Key.DOWN), KeyPressed(Key.ENTER)):
        player.app.post(event)
    player.app.advance(1.0)
    assert player.heard == [Pressed(menu[1])]


def test_escape_and_b_cancel(player: Any) -> None:
    panel = Column(Button("x"))
    player.ui.show(panel, on_cancel=lambda: player.heard.append("back"))
    player.key(Key.ESCAPE)
    player.pad(PadButton.B)
    assert player.heard == ["back", Cancelled(panel)] * 2


def test_sounds_are_asked_for(player: Any, menu: tuple[Button, Button]) -> None:
    player.ui.move_sound, player.ui.press_sound, player.ui.cancel_sound = "ui_move", "ui_press", "ui_back"
    player.key(Key.DOWN, Key.ENTER, Key.ESCAPE)
    assert player.mixer.names == ["ui_move", "ui_press", "ui_back"]


def test_lights_up_under_the_pointer_and_with_the_focus(player: Any, menu: tuple[Button, Button]) -> None:
    play, leave = menu
    player.wait(0.5)
    assert (play.hot.level, leave.hot.level) == (1.0, 0.0)  # the focus, with keys
    player.move(leave.rect.x + 5, leave.rect.y + 5)
    player.wait(0.5)
    assert (play.hot.level, leave.hot.level) == (0.0, 1.0)
    assert not player.ui.ring_visible
    player.key(Key.TAB)
    assert player.ui.ring_visible


def test_a_lifted_finger_leaves_nothing_lit(player: Any, menu: tuple[Button, Button]) -> None:
    x, y = menu[1].rect.x + 5, menu[1].rect.y + 5
    player.send(PointerMoved(x, y, touch=True), PointerPressed(x, y, touch=True))
    player.wait(0.5)
    assert menu[1].hot.level == 1.0
    player.send(PointerReleased(x, y, touch=True))
    player.wait(0.5)
    assert menu[1].hot.level == 0.0
    assert player.heard == [Pressed(menu[1])]
