"""Text fields: typed into, edited, pasted into."""

from __future__ import annotations

from typing import Any

import pytest

from engine.ecs import World
from engine.input import Key, KeyPressed, TextEntered
from engine.widgets import Button, Changed, Column, Pressed, Submitted, TextField


@pytest.fixture
def field(player: Any) -> TextField:
    field = TextField("Pilot", limit=16)
    player.ui.show(Column(field, Button("OK")))
    return field


def test_typing_goes_to_the_end(player: Any, field: TextField) -> None:
    player.type(" Ä7")
    assert field.value == "Pilot Ä7"
    assert player.heard[-1] == Changed(field, "Pilot Ä7")
    assert player.ui.typing


def test_enter_submits_and_space_does_not(player: Any, field: TextField) -> None:
    player.key(Key.SPACE)
    assert player.heard == []
    player.key(Key.ENTER)
    assert player.heard == [Submitted(field, "Pilot")]


def test_keys_edit(player: Any, field: TextField) -> None:
    player.key(Key.HOME, Key.DELETE, Key.END, Key.BACKSPACE, Key.LEFT, Key.LEFT, Key.RIGHT)
    player.type("X")
    assert field.value == "ilXo"


def test_the_limit_holds(player: Any, field: TextField) -> None:
    player.type("x" * 40)
    assert len(field.value) == 16


def test_up_and_down_leave_it(player: Any, field: TextField) -> None:
    player.key(Key.DOWN)
    assert not player.ui.typing
    player.type("zzz")
    assert field.value == "Pilot"


def test_selecting_cutting_and_pasting(player: Any, field: TextField) -> None:
    player.held(Key.CTRL_LEFT, Key.A, Key.X)
    assert (field.value, player.ui.clipboard.get()) == ("", "Pilot")
    player.held(Key.META_LEFT, Key.V, Key.V)
    assert field.value == "PilotPilot"
    player.held(Key.SHIFT_LEFT, Key.LEFT, Key.LEFT)
    player.type("x")
    assert field.value == "PilotPilx"
    player.held(Key.CTRL_RIGHT, Key.A, Key.C)
    player.key(Key.DELETE)
    assert (field.value, player.ui.clipboard.get()) == ("", "PilotPilx")


def test_commands_do_not_type(player: Any, field: TextField) -> None:
    player.send(KeyPressed(Key.CTRL_LEFT), KeyPressed(Key.B), TextEntered("b"))
    assert field.value == "Pilot"


def test_only_what_is_allowed(player: Any) -> None:
    field = TextField(allowed=str.isdigit)
    player.ui.show(field)
    player.type("a1b2")
    player.ui.clipboard.put("x34y")
    player.held(Key.CTRL_LEFT, Key.V)
    assert field.value == "1234"


def test_the_key_that_opens_it_types_nothing(player: Any) -> None:
    field = TextField()
    player.app.post(KeyPressed(Key.T))

    def open_chat(world: World, event: KeyPressed) -> None:
        player.ui.show(field)

    player.app.scene.dispatcher.subscribe(KeyPressed, open_chat)
    player.send(TextEntered("t"))
    assert field.value == ""
    player.type("hi")
    assert field.value == "hi"


def test_a_click_sets_the_caret_and_a_double_click_selects(player: Any, field: TextField) -> None:
    player.click(field, across=0.01)
    assert field.line.caret == 0
    player.click(field, across=0.99)
    assert field.line.caret == 5
    player.click(field, clicks=2)
    player.type("x")
    assert field.value == "x"


def test_dragging_selects(player: Any, field: TextField) -> None:
    y = field.rect.y + 5
    player.press(field.rect.x + 1, y)
    player.move(field.rect.right - 1, y)
    player.release(field.rect.right - 1, y)
    player.type("new")
    assert field.value == "new"


def test_a_long_text_is_drawn_around_its_caret(player: Any) -> None:
    field = TextField("abcdefghij" * 20, width=300.0)
    player.ui.show(field)
    player.wait(0.2)
    assert player.canvas.texts[-1].endswith("hij")
    player.key(Key.HOME)
    assert player.canvas.texts[-1].startswith("abc")
    assert len(player.canvas.texts[-1]) < 40


def test_the_hint_shows_while_it_is_empty_and_unfocused(player: Any) -> None:
    player.ui.show(Column(Button("first"), TextField(hint="your name")))
    player.wait(0.2)
    assert "your name" in player.canvas.texts
    player.key(Key.DOWN)
    assert "your name" not in player.canvas.texts


def test_enter_in_a_field_does_not_press_a_button(player: Any, field: TextField) -> None:
    player.key(Key.ENTER)
    assert not any(isinstance(event, Pressed) for event in player.heard)
