"""The ui: what is on top, where the focus goes, and what held directions and captured input do."""

from __future__ import annotations

from typing import Any

import pytest

from engine.app import App, Plugin, Scene
from engine.ecs import World
from engine.input import (
    Controls,
    Device,
    FocusLost,
    Key,
    KeyPressed,
    KeyReleased,
    MouseButton,
    PadAxis,
    PadButton,
    PadDisconnected,
    PadPressed,
    PointerPressed,
    button,
    input_plugin,
)
from engine.widgets import (
    Button,
    Changed,
    Clipboard,
    Column,
    Grid,
    KeyButton,
    Label,
    Panel,
    Pressed,
    Row,
    Slider,
    TextField,
    Ui,
    WidgetError,
    widgets,
)


def test_arrows_go_to_what_lies_there(player: Any) -> None:
    a, b, c, d, e = buttons = [Button(letter) for letter in "abcde"]
    wide = Button("wide")
    player.ui.show(Column(Grid(*buttons[:4], columns=2), Row(e, width=300.0), wide))
    for key, expected in (
        (Key.RIGHT, b),
        (Key.DOWN, d),
        (Key.LEFT, c),
        (Key.LEFT, c),
        (Key.DOWN, e),
        (Key.DOWN, wide),
        (Key.DOWN, a),
        (Key.UP, wide),
    ):
        player.key(key)
        assert player.ui.focus is expected, key


def test_shift_tab_goes_back(player: Any) -> None:
    a, b, c = Button("a"), Button("b"), Button("c")
    player.ui.show(Column(a, b, c))
    player.held(Key.SHIFT_LEFT, Key.TAB)
    assert player.ui.focus is c
    player.key(Key.TAB, Key.TAB)
    assert player.ui.focus is b


def test_the_pad_repeats_while_held(player: Any) -> None:
    slider = Slider(0.0, 1.0, 0.0)
    player.ui.show(slider)
    player.send(PadPressed(0, PadButton.RIGHT))
    assert slider.value == pytest.approx(0.05)
    player.wait(0.3)
    assert slider.value == pytest.approx(0.05)
    player.wait(0.5)
    assert slider.value > 0.2
    player.send(PadDisconnected(0))
    before = slider.value
    player.wait(1.0)
    assert slider.value == before


def test_the_stick_moves_once_a_tilt_and_repeats(player: Any) -> None:
    rows = [Button(str(number)) for number in range(6)]
    player.ui.show(Column(*rows))
    for value in (0.3, 0.7, 0.9, 0.5, 1.0):
        player.tilt(PadAxis.LEFT_Y, value)
    assert player.ui.focus is rows[1]
    player.tilt(PadAxis.LEFT_Y, 0.1)
    player.tilt(PadAxis.LEFT_Y, 1.0)
    assert player.ui.focus is rows[2]
    player.tilt(PadAxis.LEFT_Y, -1.0)
    assert player.ui.focus is rows[1]
    player.tilt(PadAxis.LEFT_Y, 1.0)
    player.wait(0.45)
    assert player.ui.focus is rows[3]
    player.tilt(PadAxis.LEFT_Y, 0.0)
    player.tilt(PadAxis.RIGHT_Y, 1.0)
    assert player.ui.focus is rows[3]


def test_a_modal_panel_keeps_the_pointer_from_what_is_below(player: Any) -> None:
    below, above = Button("below", width=900.0, height=600.0), Button("above")
    player.ui.show(below)
    panel = Panel(above)
    player.ui.show(panel)
    player.press(200, 100)
    player.release(200, 100)
    assert player.heard == []
    player.click(above)
    assert player.heard == [Pressed(above)]
    player.ui.hide(panel)
    assert player.ui.focus is below
    player.press(200, 100)
    player.release(200, 100)
    assert player.heard == [Pressed(above), Pressed(below)]


def test_what_is_not_modal_lets_the_pointer_through(player: Any) -> None:
    below = Button("below", width=900.0, height=600.0)
    player.ui.show(below, modal=False)
    player.ui.show(Label("hello"), modal=False)
    assert not player.ui.is_open
    player.press(200, 100)
    player.release(200, 100)
    assert player.heard == [Pressed(below)]


def test_focus_returns_to_where_it_was(player: Any) -> None:
    a, b = Button("a"), Button("b")
    player.ui.show(Column(a, b))
    player.key(Key.DOWN)
    player.ui.show(Column(Button("c"), Button("d")))
    player.ui.hide()
    assert player.ui.focus is b
    player.ui.clear()
    assert (player.ui.focus, player.ui.is_open) == (None, False)


def test_showing_and_hiding_from_a_handler(player: Any) -> None:
    play = Button("PLAY")
    other = Column(Button("one"))
    play.on_press = lambda: player.ui.replace(other)
    player.ui.show(play)
    player.click(play)
    assert player.ui.shown == [other]
    player.key(Key.ENTER)
    assert player.heard[-1].widget is other.children[0]


def test_losing_the_window_lets_go(player: Any) -> None:
    play = Button("PLAY")
    player.ui.show(play)
    x, y = play.rect.x + 5, play.rect.y + 5
    player.send(PointerPressed(x, y), KeyPressed(Key.CTRL_LEFT), FocusLost())
    player.release(x, y)
    assert player.heard == []
    assert not player.ui.ctrl


def test_errors_name_the_cure(player: Any) -> None:
    inner = Button("x")
    column = Column(inner)
    with pytest.raises(WidgetError, match="show the outermost"):
        player.ui.show(inner)
    player.ui.show(column)
    with pytest.raises(WidgetError, match="hide it first"):
        player.ui.show(column)
    with pytest.raises(WidgetError, match="not in what is shown on top"):
        player.ui.focus = Button("elsewhere")


def test_input_with_nothing_shown_does_nothing(player: Any) -> None:
    player.key(Key.ENTER, Key.ESCAPE, Key.TAB, Key.DOWN)
    player.pad(PadButton.A, PadButton.B, PadButton.UP)
    player.tilt(PadAxis.LEFT_X, 1.0)
    player.press(5, 5)
    player.release(5, 5)
    player.type("x")
    assert player.heard == []


def test_the_key_that_closes_a_panel_is_not_the_games(player: Any) -> None:
    opened: list[Key] = []

    def pause(world: World, event: KeyPressed) -> None:
        if not player.ui.took(event):
            opened.append(event.key)
            player.ui.show(Label("paused"), on_cancel=player.ui.hide)

    player.app.scene.dispatcher.subscribe(KeyPressed, pause)
    player.key(Key.ESCAPE)
    assert player.ui.is_open
    player.key(Key.ESCAPE)
    assert not player.ui.is_open
    player.key(Key.ESCAPE)
    assert opened == [Key.ESCAPE] * 2


def test_clicks_on_what_is_not_modal_are_not_the_games(player: Any) -> None:
    shots: list[float] = []

    def shoot(world: World, event: PointerPressed) -> None:
        if not player.ui.took(event):
            shots.append(event.x)

    player.app.scene.dispatcher.subscribe(PointerPressed, shoot)
    chat = Button("chat")
    player.ui.show(chat, modal=False)
    player.click(chat)
    player.press(3, 3)
    assert shots == [3]


def test_typing_is_told(player: Any) -> None:
    player.ui.show(Column(TextField(), Button("x")))
    assert player.ui.typing
    player.key(Key.TAB)
    assert not player.ui.typing


def test_the_worlds_clipboard_is_used() -> None:
    outside = ["from elsewhere"]
    clipboard = Clipboard(lambda: outside[-1], outside.append)
    app = App(widgets)
    app.world.insert(clipboard)
    other = Scene(widgets)
    app.shared.append(clipboard)
    app.push(other)
    ui = other.world.resource(Ui)
    field = TextField()
    ui.show(field)
    for key in (Key.CTRL_LEFT, Key.V, Key.A, Key.X):
        ui.handle(KeyPressed(key))
    assert outside == ["from elsewhere", "from elsewhere"]
    assert field.value == ""


def test_a_scene_put_above_lets_go_of_everything(player: Any) -> None:
    play = Button("PLAY")
    player.ui.show(play)
    x, y = play.rect.x + 5, play.rect.y + 5
    player.send(PointerPressed(x, y), KeyPressed(Key.SHIFT_LEFT))
    below = player.app.scene
    player.app.push(Scene(widgets))
    player.app.pop()
    assert player.app.scene is below
    player.release(x, y)
    assert player.heard == []
    assert not player.ui.shift


def test_two_worlds_have_two_uis() -> None:
    first, second = App(widgets), App(widgets)
    first.world.resource(Ui).show(Label("only here"))
    assert second.world.resource(Ui).shown == []


# Rebinding


class Pilot(Controls):
    fire = button(MouseButton.LEFT, PadAxis.RIGHT_TRIGGER)
    dash = button(Key.SPACE, PadButton.A)


class Settings:
    """A settings page with a row for each slot, and a game that listens to the controls."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        page = Plugin("page", needs=[input_plugin(Pilot), widgets])
        page.on(Changed)(self._hear)
        page.on(Pressed)(self._hear)
        self.app = App(page)
        self.ui = self.app.world.resource(Ui)
        self.pilot = self.app.world.resource(Pilot)
        self.rows = [KeyButton(self.pilot, slot, device=Device.KEYBOARD) for slot in self.pilot.bindings.slots]
        self.back = Button("BACK")
        self.ui.show(Column(*self.rows, self.back))

    def _hear(self, world: World, event: object) -> None:
        self.heard.append(event)

    def send(self, *events: object) -> None:
        for event in events:
            self.app.post(event)
            self.app.run_ticks(1)


def test_rebinding_with_the_keyboard() -> None:
    page = Settings()
    fire, dash = page.rows
    page.send(KeyPressed(Key.ENTER), KeyReleased(Key.ENTER))
    assert fire.waiting
    page.send(KeyPressed(Key.DOWN), KeyReleased(Key.DOWN))
    assert (fire.text, fire.waiting) == ("Down", False)
    assert page.ui.focus is fire  # the arrow was taken as the binding and moved nothing
    assert page.heard == [Changed(fire, Key.DOWN)]
    page.send(KeyPressed(Key.DOWN))
    assert page.ui.focus is dash


def test_escape_leaves_the_binding() -> None:
    page = Settings()
    page.send(KeyPressed(Key.ENTER), KeyReleased(Key.ENTER), KeyPressed(Key.ESCAPE))
    assert page.rows[0].text == "Left mouse"
    assert page.heard == []


def test_a_click_taken_as_a_binding_presses_nothing() -> None:
    page = Settings()
    page.send(KeyPressed(Key.TAB), KeyPressed(Key.ENTER))
    x, y = page.back.rect.x + 5, page.back.rect.y + 5
    page.send(PointerPressed(x, y, MouseButton.RIGHT), PointerPressed(x, y))
    assert page.rows[1].text == "Right mouse"
    assert page.heard == [Changed(page.rows[1], MouseButton.RIGHT)]


def test_clearing_and_conflicts() -> None:
    page = Settings()
    fire, dash = page.rows
    page.send(KeyPressed(Key.ENTER), KeyReleased(Key.ENTER), KeyPressed(Key.SPACE), KeyReleased(Key.SPACE))
    assert fire.conflicts == [dash.slot]
    page.send(KeyPressed(Key.DELETE))
    assert (fire.text, fire.conflicts) == ("—", [])
    assert page.pilot.labels(fire.slot) == ["RT"]  # the gamepad's stays


def test_a_row_for_keys_and_one_for_the_pad() -> None:
    page = Settings()
    page.ui.clear()
    fire = page.pilot.bindings.slots[0]
    keys, pad = (KeyButton(page.pilot, fire, device=device) for device in (Device.KEYBOARD, Device.PAD))
    page.ui.show(Column(keys, pad))
    page.send(KeyPressed(Key.DOWN), KeyPressed(Key.ENTER), KeyReleased(Key.ENTER))
    assert (keys.waiting, pad.waiting) == (False, True)
    page.send(PadPressed(0, PadButton.X))
    assert (keys.text, pad.text) == ("Left mouse", "X")
    assert not pad.waiting
