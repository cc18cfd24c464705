"""Actions: from device events to values in a tick."""

from __future__ import annotations

from math import hypot, inf, isclose, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.input import (
    INPUT_EVENTS,
    Button,
    Chord,
    Controls,
    Device,
    FocusLost,
    InputError,
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
    Stick,
    TouchBegan,
    Wheel,
    axis,
    axis2,
    button,
)


class Pilot(Controls):
    thrust = axis2(keys=(Key.A, Key.D, (Key.W, Key.UP), Key.S), pad=Stick.LEFT, dead_zone=0.2)
    fire = button(MouseButton.LEFT, PadAxis.RIGHT_TRIGGER)
    dash = button(Key.SPACE, PadButton.A)
    zoom = axis(negative=(Key.Q, Wheel.DOWN), positive=(Key.E, Wheel.UP), pad=PadAxis.RIGHT_Y, dead_zone=0.1)
    save = button(Chord(Key.CTRL_LEFT, Key.S))
    save_as = button(Chord(Key.CTRL_LEFT, Key.SHIFT_LEFT, Key.S))
    down = button(PadAxis.LEFT_Y.positive)


def tick(controls: Controls, *events: InputEvent) -> None:
    for event in events:
        controls.handle(event)
    controls.sample()


def state(value: Button) -> tuple[bool, bool, bool]:
    return value.held, value.pressed, value.released


def test_a_button_is_pressed_held_and_released_once_each() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.SPACE))
    assert state(pilot.dash) == (True, True, False)
    tick(pilot)
    assert state(pilot.dash) == (True, False, False)
    tick(pilot, KeyReleased(Key.SPACE))
    assert state(pilot.dash) == (False, False, True)
    tick(pilot)
    assert state(pilot.dash) == (False, False, False)


def test_a_tap_within_a_tick_is_not_lost() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.SPACE), KeyReleased(Key.SPACE), KeyPressed(Key.D), KeyReleased(Key.D))
    assert state(pilot.dash) == (False, True, True)
    assert pilot.thrust.value == (1.0, 0.0)
    tick(pilot)
    assert state(pilot.dash) == (False, False, False)
    assert pilot.thrust.value == (0.0, 0.0)


def test_a_held_direction_ends_in_the_tick_of_its_release() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.D))
    tick(pilot, KeyReleased(Key.D))
    assert pilot.thrust.value == (0.0, 0.0)


def test_two_bindings_of_a_button_make_one_press() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.SPACE))
    tick(pilot, PadPressed(0, PadButton.A))
    assert state(pilot.dash) == (True, False, False)
    tick(pilot, KeyReleased(Key.SPACE))
    assert state(pilot.dash) == (True, False, False)
    tick(pilot, PadReleased(0, PadButton.A))
    assert state(pilot.dash) == (False, False, True)


def test_a_system_repeat_is_no_new_press() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.SPACE, repeat=True))
    assert state(pilot.dash) == (False, False, False)


def test_keys_make_a_unit_vector_with_y_down() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.D), KeyPressed(Key.W))
    x, y = pilot.thrust.value
    assert x > 0 > y
    assert isclose(hypot(x, y), 1.0)
    tick(pilot, KeyPressed(Key.UP), KeyReleased(Key.W))
    assert pilot.thrust.y < 0
    tick(pilot, KeyPressed(Key.A), KeyPressed(Key.S))
    assert pilot.thrust.value == (0.0, 0.0)


def test_the_dead_zone_is_radial_and_rescaled() -> None:
    pilot = Pilot()
    tick(pilot, PadMoved(0, PadAxis.LEFT_X, 0.13), PadMoved(0, PadAxis.LEFT_Y, -0.13))
    assert pilot.thrust.value == (0.0, 0.0)
    tick(pilot, PadMoved(0, PadAxis.LEFT_X, 0.6), PadMoved(0, PadAxis.LEFT_Y, 0.0))
    assert pilot.thrust.x == pytest.approx((0.6 - 0.2) / 0.8)
    tick(pilot, PadMoved(0, PadAxis.LEFT_X, 1.0), PadMoved(0, PadAxis.LEFT_Y, 0.1))
    assert pilot.thrust.y > 0  # beyond the zone no direction is snapped to an axis


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True, allow_infinity=True))
def test_a_stick_never_leaves_the_unit_disc(x: float, y: float) -> None:
    pilot = Pilot()
    tick(pilot, PadMoved(0, PadAxis.LEFT_X, x), PadMoved(0, PadAxis.LEFT_Y, y), KeyPressed(Key.D))
    assert hypot(*pilot.thrust.value) <= 1.0 + 1e-12


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_an_axis_that_says_no_number_is_not_moved(value: float) -> None:
    pilot = Pilot()
    tick(pilot, PadMoved(0, PadAxis.LEFT_X, 0.5))
    before = pilot.thrust.value
    tick(pilot, PadMoved(0, PadAxis.LEFT_X, value))
    assert pilot.thrust.value == before


def test_an_axis_takes_keys_wheel_and_stick() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.E))
    assert pilot.zoom.value == 1.0
    tick(pilot, KeyReleased(Key.E), PointerScrolled(0, 0, 0, -2))
    assert pilot.zoom.value == -1.0
    tick(pilot)
    assert pilot.zoom.value == 0.0
    tick(pilot, PadMoved(0, PadAxis.RIGHT_Y, -0.55))
    assert pilot.zoom.value == pytest.approx(-0.5)


def test_a_trembling_trigger_makes_one_press() -> None:
    pilot = Pilot()
    presses = 0
    for value in (0.3, 0.52, 0.49, 0.53, 0.48, 0.55, 1.0):
        tick(pilot, PadMoved(0, PadAxis.RIGHT_TRIGGER, value))
        presses += pilot.fire.pressed
    assert presses == 1
    tick(pilot, PadMoved(0, PadAxis.RIGHT_TRIGGER, 0.1))
    assert pilot.fire.released


def test_a_stick_direction_serves_as_a_button() -> None:
    pilot = Pilot()
    tick(pilot, PadMoved(0, PadAxis.LEFT_Y, -1.0))
    assert not pilot.down.held
    tick(pilot, PadMoved(0, PadAxis.LEFT_Y, 0.9))
    assert pilot.down.pressed


def test_the_longest_chord_has_the_press_alone() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.CTRL_LEFT), KeyPressed(Key.S))
    assert (pilot.save.pressed, pilot.save_as.pressed, pilot.thrust.y) == (True, False, 0.0)
    tick(pilot, KeyReleased(Key.S), KeyPressed(Key.SHIFT_LEFT), KeyPressed(Key.S))
    assert (pilot.save.pressed, pilot.save_as.pressed, pilot.thrust.y) == (False, True, 0.0)
    tick(pilot, KeyReleased(Key.CTRL_LEFT), KeyReleased(Key.SHIFT_LEFT))
    assert (pilot.save_as.released, pilot.thrust.y) == (True, 0.0)  # S does not turn into "down" while it stays held
    tick(pilot, KeyReleased(Key.S), KeyPressed(Key.S))
    assert pilot.thrust.y == 1.0


def test_a_chord_needs_its_keys_in_order() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.S), KeyPressed(Key.CTRL_LEFT))
    assert (pilot.save.pressed, pilot.thrust.y) == (False, 1.0)


def test_losing_focus_releases_everything() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.SPACE), KeyPressed(Key.D), PadMoved(0, PadAxis.LEFT_Y, 1.0))
    tick(pilot, FocusLost())
    assert state(pilot.dash) == (False, False, True)
    assert pilot.thrust.value == (0.0, 0.0)
    tick(pilot, KeyReleased(Key.SPACE))
    assert not pilot.dash.released


def test_unplugging_a_pad_releases_what_it_held_and_nothing_else() -> None:
    pilot = Pilot()
    tick(pilot, PadConnected(0, "one"), PadConnected(1, "two"), KeyPressed(Key.D))
    tick(pilot, PadPressed(1, PadButton.A), PadMoved(1, PadAxis.LEFT_Y, -1.0))
    assert pilot.connected == {0: "one", 1: "two"}
    assert pilot.device is Device.PAD
    tick(pilot, PadDisconnected(1))
    assert pilot.dash.released
    assert pilot.thrust.value == (1.0, 0.0)
    assert pilot.device is Device.PAD  # the other pad is still there
    tick(pilot, PadDisconnected(0))
    assert pilot.device is Device.KEYBOARD


def test_pads_can_be_given_to_players() -> None:
    first, second = Pilot(), Pilot()
    first.pads, second.pads, second.keyboard = {0}, {1}, False
    for controls in (first, second):
        tick(controls, PadPressed(1, PadButton.A), KeyPressed(Key.D), PointerPressed(3, 4), PointerMoved(5, 6, 1, 1))
    assert (first.dash.held, first.thrust.x, first.fire.held, first.pointer) == (False, 1.0, True, (5, 6))
    assert (second.dash.held, second.thrust.x, second.fire.held, second.pointer) == (True, 0.0, False, (0.0, 0.0))


def test_two_pads_at_once_do_not_mix_their_sticks() -> None:
    pilot = Pilot()
    tick(pilot, PadMoved(0, PadAxis.LEFT_X, 0.5), PadMoved(1, PadAxis.LEFT_Y, 1.0))
    assert pilot.thrust.value == (0.0, 1.0)


def test_the_last_used_device_decides_the_prompt() -> None:
    pilot = Pilot()
    assert pilot.prompt(Pilot.dash) == "Space"
    assert pilot.prompt(Pilot.fire) == "Left mouse"
    assert pilot.prompt(Pilot.save) == "Left ctrl + S"
    pilot.handle(PadMoved(0, PadAxis.LEFT_X, 0.1))
    assert pilot.device is Device.KEYBOARD, "a drifting stick is nobody playing"
    pilot.handle(PadMoved(0, PadAxis.RIGHT_TRIGGER, 0.9))
    assert (pilot.prompt(Pilot.dash), pilot.prompt(Pilot.fire)) == ("A", "RT")
    assert pilot.prompt(Pilot.down) == "Left stick down"
    assert pilot.prompt(Pilot.thrust) == "Left stick"
    pilot.handle(PointerMoved(1, 1, 1, 1))
    assert pilot.device is Device.KEYBOARD
    assert pilot.prompt(Pilot.thrust) == "A / D / W / Up / S"
    pilot.handle(TouchBegan(0, 1, 1))
    assert pilot.device is Device.TOUCH


def test_the_pointer_is_followed() -> None:
    pilot = Pilot()
    tick(pilot, PointerMoved(10, 20, 10, 20), PointerReleased(11, 22))
    assert pilot.pointer == (11, 22)
    assert pilot.pointer_moved
    tick(pilot)
    assert not pilot.pointer_moved


def test_controls_can_be_switched_off_while_text_is_typed() -> None:
    pilot = Pilot()
    tick(pilot, KeyPressed(Key.D))
    pilot.enabled = False
    tick(pilot, KeyPressed(Key.SPACE))
    assert (pilot.dash.held, pilot.thrust.x) == (False, 0.0)
    pilot.enabled = True
    tick(pilot)
    assert not pilot.dash.held, "what was pressed while switched off counts only after it was let go"
    tick(pilot, KeyReleased(Key.SPACE), KeyPressed(Key.SPACE))
    assert pilot.dash.pressed
    tick(pilot, PadMoved(0, PadAxis.LEFT_X, -1.0), KeyReleased(Key.D))
    pilot.enabled = False
    tick(pilot)
    assert pilot.thrust.x == 0.0
    pilot.enabled = True
    tick(pilot)
    assert pilot.thrust.x == -1.0, "a stick that was held all the time needs not be moved to count again"


def test_actions_are_inherited_and_can_be_replaced() -> None:
    class Second(Pilot):
        dash = button(Key.ENTER)

    second = Second()
    tick(second, KeyPressed(Key.SPACE), KeyPressed(Key.D))
    assert not second.dash.held
    assert second.thrust.x == 1.0
    assert list(Second.actions) == list(Pilot.actions)
    assert Pilot.dash is not Second.dash


def test_a_button_alone_never_answers_to_a_whole_stick() -> None:
    with pytest.raises(InputError, match=r"PadAxis\.LEFT_X\.positive"):
        button(Stick.LEFT)
    with pytest.raises(InputError, match="two directions"):
        button(PadAxis.LEFT_X)
    with pytest.raises(InputError, match="dead zone"):
        axis(pad=PadAxis.LEFT_X, dead_zone=1.0)
    with pytest.raises(InputError, match="dead zone"):
        axis(pad=PadAxis.LEFT_X, dead_zone=nan)
    with pytest.raises(InputError, match="different keys"):
        Chord(Key.A)
    with pytest.raises(InputError, match="different keys"):
        Chord(Key.A, Key.A)


def test_an_action_cannot_hide_a_part_of_controls() -> None:
    with pytest.raises(InputError, match="hides"):
        type("Bad", (Controls,), {"device": button(Key.A)})


KEYS = st.sampled_from([Key.A, Key.D, Key.S, Key.W, Key.SPACE, Key.CTRL_LEFT, Key.SHIFT_LEFT])
PRESSES = st.one_of(
    st.builds(KeyPressed, KEYS),
    st.builds(KeyReleased, KEYS),
    st.builds(PadPressed, st.integers(0, 1), st.just(PadButton.A)),
    st.builds(PadReleased, st.integers(0, 1), st.just(PadButton.A)),
    st.builds(PadMoved, st.integers(0, 1), st.sampled_from(PadAxis), st.floats(-1, 1)),
    st.builds(PadDisconnected, st.integers(0, 1)),
    st.just(FocusLost()),
)


@given(st.lists(st.lists(PRESSES, max_size=5), max_size=20))
def test_edges_always_agree_with_what_is_held(ticks: list[list[InputEvent]]) -> None:
    pilot = Pilot()
    before = dict.fromkeys(("fire", "dash", "save", "save_as", "down"), False)
    for events in ticks:
        tick(pilot, *events)
        for name, was in before.items():
            value: Button = getattr(pilot, name)
            if value.held and not was:
                assert value.pressed
            if was and not value.held:
                assert value.released
            if was == value.held:
                assert value.pressed == value.released
            before[name] = value.held
        assert hypot(*pilot.thrust.value) <= 1.0 + 1e-12
        assert -1.0 <= pilot.zoom.value <= 1.0
    tick(pilot, FocusLost())
    assert not any(getattr(pilot, name).held for name in before)


def test_every_event_type_is_accepted() -> None:
    assert len(INPUT_EVENTS) == 19
    assert all(hasattr(kind, "__slots__") for kind in INPUT_EVENTS)
