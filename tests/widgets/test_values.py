"""Toggles, sliders and choices: values changed by pointer, keys and gamepad."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.input import Key, PadButton
from engine.widgets import NEON, Button, Changed, Choice, Column, Slider, Toggle, Ui, WidgetError


def test_a_toggle_by_each_device(player: Any) -> None:
    seen: list[bool] = []
    toggle = Toggle("Shake", on_change=seen.append)
    player.ui.show(toggle)
    player.key(Key.SPACE)
    player.pad(PadButton.A)
    player.click(toggle)
    assert seen == [True, False, True]
    player.key(Key.RIGHT)
    assert toggle.value  # it is to the right already
    player.pad(PadButton.LEFT)
    assert player.heard == [Changed(toggle, value) for value in (True, False, True, False)]


def test_a_slider_by_keys_and_pad(player: Any) -> None:
    slider = Slider(0.0, 1.0, 0.5, label="Music")
    player.ui.show(Column(slider, Button("BACK")))
    player.key(Key.RIGHT, Key.RIGHT)
    player.pad(PadButton.LEFT)
    assert slider.value == 0.55
    player.key(Key.END, Key.RIGHT)
    assert slider.value == 1.0
    player.key(Key.HOME, Key.LEFT)
    assert slider.value == 0.0
    assert len(player.heard) == 5  # the two at the ends changed nothing
    player.key(Key.DOWN)
    assert player.ui.focus is not slider


def test_a_slider_dragged(player: Any) -> None:
    slider = Slider(0.0, 200.0, 0.0, step=50.0)
    player.ui.show(slider)
    track = slider.track(NEON)
    y = track.y + track.height / 2
    player.press(track.x + track.width * 0.45, y)
    assert slider.value == 100.0
    player.move(track.right + 500, y + 300)  # outside of it, still held
    assert slider.value == 200.0
    player.release(track.right + 500, y)
    player.move(track.x, y)
    assert slider.value == 200.0


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6), st.floats(-1e7, 1e7), st.one_of(st.none(), st.floats(0.01, 1e3)))
def test_a_slider_stays_between_its_ends(low: float, span: float, x: float, step: float | None) -> None:
    slider = Slider(low, low + span, low, step=step)
    ui = Ui()
    ui.show(slider)
    slider.drag(ui, x, 0.0)
    assert low <= slider.value <= low + span
    assert 0.0 <= slider.share <= 1.0


def test_a_slider_refuses_nonsense() -> None:
    with pytest.raises(WidgetError, match="low < high"):
        Slider(1.0, 1.0, 1.0)
    with pytest.raises(WidgetError, match="nan"):
        Slider(0.0, 1.0, math.nan)


def test_a_choice_by_each_device(player: Any) -> None:
    level = Choice(["easy", "normal", "hard"], "normal", label="Bots")
    player.ui.show(level)
    player.key(Key.RIGHT)
    assert level.value == "hard"
    player.pad(PadButton.A)
    assert level.value == "easy"
    player.click(level, across=0.97)
    assert level.value == "normal"
    player.click(level, across=0.42)
    player.pad(PadButton.LEFT)
    assert level.value == "hard"
    assert [event.value for event in player.heard] == ["hard", "easy", "normal", "easy", "hard"]


def test_a_choice_of_what_is_not_there() -> None:
    with pytest.raises(WidgetError, match="'insane' is no option"):
        Choice(["easy"], "insane")
    with pytest.raises(WidgetError, match="at least one"):
        Choice[str]([])


def test_changing_a_value_in_code_tells_nobody(player: Any) -> None:
    toggle, slider = Toggle("a"), Slider(0.0, 1.0, 0.0)
    player.ui.show(Column(toggle, slider))
    toggle.value, slider.value = True, 0.5
    player.wait()
    assert player.heard == []
