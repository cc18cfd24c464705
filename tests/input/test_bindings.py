"""Rebinding, capturing the next input, conflicts, labels, and the bindings file."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.input import (
    BindingsFile,
    Captured,
    Chord,
    Controls,
    Device,
    HalfAxis,
    InputError,
    Key,
    KeyPressed,
    KeyReleased,
    MouseButton,
    PadAxis,
    PadButton,
    PadMoved,
    PadPressed,
    Part,
    PointerPressed,
    PointerReleased,
    PointerScrolled,
    Source,
    Stick,
    Wheel,
    axis,
    axis2,
    button,
    label,
    user_bindings,
)
from engine.input.source import source_from_text, source_to_text


class Ship(Controls):
    thrust = axis2(keys=(Key.A, Key.D, Key.W, Key.S), pad=Stick.LEFT)
    fire = button(MouseButton.LEFT, PadAxis.RIGHT_TRIGGER, label="Throw a disc")
    dash = button(Key.SPACE, PadButton.A)
    zoom = axis(negative=Key.Q, positive=Key.E, pad=PadAxis.RIGHT_Y)


ATOMS = st.one_of(
    st.sampled_from([*Key, *MouseButton, *Wheel, *PadButton, *PadAxis]),
    st.builds(HalfAxis, st.sampled_from([a for a in PadAxis if not a.is_trigger]), st.sampled_from([-1, 1])),
)
SOURCES = st.one_of(
    ATOMS,
    st.sampled_from(Stick),
    st.lists(ATOMS, min_size=2, max_size=4, unique=True).map(lambda atoms: Chord(*atoms)),
)


@given(SOURCES)
def test_every_source_survives_its_text_and_has_a_label(source: Source) -> None:
    assert source_from_text(source_to_text(source)) == source
    assert label(source)


@given(st.text())
def test_any_text_is_a_source_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        source_from_text(text)


def test_labels_read_like_a_manual() -> None:
    assert label(Key.SPACE) == "Space"
    assert label(MouseButton.LEFT) == "Left mouse"
    assert label(PadAxis.RIGHT_TRIGGER) == "RT"
    assert label(PadAxis.LEFT_Y.negative) == "Left stick up"
    assert label(PadAxis.RIGHT_X.positive) == "Right stick right"
    assert label(Chord(Key.CTRL_LEFT, Key.S)) == "Left ctrl + S"
    ship = Ship()
    assert ship.labels(Ship.fire) == ["Left mouse", "RT"]
    assert ship.labels(Ship.fire, device=Device.PAD) == ["RT"]
    assert [slot.label for slot in ship.bindings.slots][:6] == [
        "Thrust left",
        "Thrust right",
        "Thrust up",
        "Thrust down",
        "Thrust analog",
        "Throw a disc",
    ]


def test_rebinding_takes_effect_at_once() -> None:
    ship = Ship()
    ship.rebind(Ship.dash, Key.X, Key.X)
    ship.handle(KeyPressed(Key.SPACE))
    ship.sample()
    assert not ship.dash.held
    ship.handle(KeyPressed(Key.X))
    ship.sample()
    assert ship.dash.pressed
    assert ship.labels(Ship.dash) == ["X"]
    ship.rebind(Ship.thrust, Key.LEFT, part=Part.LEFT)
    ship.handle(KeyPressed(Key.LEFT))
    ship.sample()
    assert ship.thrust.x == -1.0
    assert Ship().labels(Ship.dash) == ["Space", "A"], "one player's bindings are nobody else's"


def test_a_binding_taken_away_while_held_lets_go() -> None:
    ship = Ship()
    ship.handle(KeyPressed(Key.SPACE))
    ship.sample()
    ship.bindings.bind(Ship.dash.slot(), Key.X)
    ship.sample()
    assert not ship.dash.held
    ship.bindings.reset()
    ship.sample()
    assert not ship.dash.held, "the press from before counts no more"
    ship.handle(KeyReleased(Key.SPACE))
    ship.handle(KeyPressed(Key.SPACE))
    ship.sample()
    assert ship.dash.pressed


def test_rebinding_refuses_what_makes_no_sense() -> None:
    ship = Ship()
    with pytest.raises(InputError, match=r"Part\.LEFT, Part\.RIGHT"):
        ship.rebind(Ship.thrust, Key.LEFT)
    with pytest.raises(InputError, match="takes a Stick"):
        ship.rebind(Ship.thrust, Key.LEFT, part=Part.ANALOG)
    with pytest.raises(InputError, match="whole stick"):
        ship.rebind(Ship.dash, Stick.RIGHT)

    class Other(Controls):
        jump = button(Key.J)

    with pytest.raises(InputError, match="other controls"):
        ship.rebind(Other.jump, Key.X)


def test_conflicts_are_found_also_between_a_stick_and_its_directions() -> None:
    ship = Ship()
    assert ship.bindings.all_conflicts() == []
    dash = Ship.dash.slot()
    assert [slot.name for slot in ship.bindings.conflicts(dash, Key.A)] == ["thrust.left"]
    assert [slot.name for slot in ship.bindings.conflicts(dash, PadAxis.LEFT_X.positive)] == ["thrust.analog"]
    assert ship.bindings.conflicts(dash, Chord(Key.CTRL_LEFT, Key.A)) == []
    ship.rebind(Ship.dash, Key.A, Key.Q)
    found = [(source, [slot.name for slot in slots]) for source, slots in ship.bindings.all_conflicts()]
    assert found == [(Key.A, ["thrust.left", "dash"]), (Key.Q, ["dash", "zoom.negative"])]


def test_capture_takes_the_next_input_and_no_action_reacts() -> None:
    ship = Ship()
    ship.capture(Ship.dash)
    assert ship.capturing == Ship.dash.slot()
    ship.handle(PointerPressed(0, 0))
    ship.sample()
    assert ship.capturing is None
    assert ship.labels(Ship.dash) == ["A", "Left mouse"], "only the binding on the same device is replaced"
    assert ship.labels(Ship.fire) == ["RT"], "and it is taken away from the action that had it"
    assert not ship.dash.held
    ship.handle(PointerReleased(0, 0))
    ship.handle(PointerPressed(0, 0))
    ship.sample()
    assert ship.dash.pressed


def test_capture_can_ask_before_it_assigns() -> None:
    ship = Ship()
    heard: list[Captured] = []
    ship.capture(Ship.dash, heard.append)
    ship.handle(KeyPressed(Key.A))
    assert [(c.slot.name, c.source, [s.name for s in c.conflicts]) for c in heard] == [("dash", Key.A, ["thrust.left"])]
    assert ship.labels(Ship.dash) == ["Space", "A"], "nothing is bound yet"
    shared = ship.bindings.assign(heard[0].slot, Key.A, steal=True)
    assert [slot.name for slot in shared] == ["thrust.left"]
    assert ship.bindings[Ship.thrust.slot(Part.LEFT)] == ()


def test_capture_is_cancelled_by_escape_and_by_call() -> None:
    ship = Ship()
    heard: list[Captured] = []
    ship.capture(Ship.dash, heard.append)
    ship.handle(KeyPressed(Key.ESCAPE))
    ship.capture(Ship.dash, heard.append)
    ship.cancel_capture()
    ship.cancel_capture()
    assert [c.source for c in heard] == [None, None]
    assert ship.labels(Ship.dash) == ["Space", "A"]


def test_capture_makes_chords_with_held_modifiers() -> None:
    ship = Ship()
    ship.capture(Ship.dash)
    ship.handle(KeyPressed(Key.CTRL_LEFT))
    assert ship.capturing
    ship.handle(KeyPressed(Key.X))
    assert "Left ctrl + X" in ship.labels(Ship.dash)
    ship.capture(Ship.dash)
    ship.handle(KeyPressed(Key.SHIFT_LEFT))
    ship.handle(KeyReleased(Key.SHIFT_LEFT))
    assert "Left shift" in ship.labels(Ship.dash)


def test_capture_takes_pads_and_wheels_but_not_a_stick_already_pushed() -> None:
    ship = Ship()
    ship.handle(PadMoved(0, PadAxis.LEFT_Y, 0.9))
    ship.capture(Ship.dash)
    ship.handle(PadMoved(0, PadAxis.LEFT_Y, 0.95))
    ship.handle(PadMoved(0, PadAxis.LEFT_Y, 0.65))
    ship.handle(PadMoved(0, PadAxis.LEFT_Y, 0.0))
    assert ship.capturing
    ship.handle(PadMoved(0, PadAxis.RIGHT_X, -0.9))
    assert ship.bindings[Ship.dash.slot()] == (Key.SPACE, PadAxis.RIGHT_X.negative)
    ship.capture(Ship.dash)
    ship.handle(PointerScrolled(0, 0, 0, 1))
    assert ship.bindings[Ship.dash.slot()] == (PadAxis.RIGHT_X.negative, Wheel.UP)
    ship.capture(Ship.dash)
    ship.handle(PadPressed(0, PadButton.Y))
    assert ship.bindings[Ship.dash.slot()] == (Wheel.UP, PadButton.Y)
    ship.capture(Ship.dash)
    ship.handle(PadMoved(0, PadAxis.LEFT_TRIGGER, 0.9))
    assert ship.bindings[Ship.dash.slot()] == (Wheel.UP, PadAxis.LEFT_TRIGGER)


def test_capture_of_a_whole_stick_or_axis_waits_for_one() -> None:
    ship = Ship()
    ship.capture(Ship.thrust, part=Part.ANALOG)
    for event in (KeyPressed(Key.X), PadPressed(0, PadButton.Y), PadMoved(0, PadAxis.LEFT_TRIGGER, 1.0)):
        ship.handle(event)
    assert ship.capturing
    ship.handle(PadMoved(0, PadAxis.RIGHT_Y, 1.0))
    assert ship.bindings[Ship.thrust.slot(Part.ANALOG)] == (Stick.RIGHT,)
    ship.handle(PadMoved(0, PadAxis.LEFT_TRIGGER, 0.0))
    ship.capture(Ship.zoom, part=Part.ANALOG)
    ship.handle(PadMoved(0, PadAxis.LEFT_TRIGGER, 1.0))
    assert ship.bindings[Ship.zoom.slot(Part.ANALOG)] == (PadAxis.LEFT_TRIGGER,)


# The file


def saved(path: Path, ship: Ship) -> Ship:
    BindingsFile(path).save(ship)
    again = Ship()
    assert BindingsFile(path).load(again) == []
    return again


def test_bindings_come_back_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "controls.json"
    ship = Ship()
    ship.rebind(Ship.dash, Chord(Key.CTRL_LEFT, Key.X), PadAxis.LEFT_Y.negative)
    ship.rebind(Ship.fire)
    again = saved(path, ship)
    assert again.bindings[Ship.dash.slot()] == ship.bindings[Ship.dash.slot()]
    assert again.labels(Ship.fire) == []
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "version": 1,
        "controls": {"Ship": {"dash": ["key.CTRL_LEFT + key.X", "pad_axis.LEFT_Y-"], "fire": []}},
    }
    assert [entry.name for entry in path.parent.iterdir()] == ["controls.json"], "no half-written file is left"


def test_controls_share_a_file(tmp_path: Path) -> None:
    class Menu(Controls):
        back = button(Key.ESCAPE)

    path = tmp_path / "controls.json"
    ship, menu = Ship(), Menu()
    ship.rebind(Ship.dash, Key.X)
    menu.rebind(Menu.back, Key.BACKSPACE)
    BindingsFile(path).save(ship)
    BindingsFile(path).save(menu)
    again = Ship()
    BindingsFile(path).load(again)
    assert again.labels(Ship.dash) == ["X"]


def test_no_file_means_defaults_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert BindingsFile(tmp_path / "none.json").load(Ship()) == []
    assert BindingsFile(None).load(Ship()) == []
    BindingsFile(None).save(Ship())
    assert not caplog.records


BROKEN: dict[str, bytes] = {
    "no JSON": b"{",
    "not UTF-8": b"\xff\xfe{}",
    "no object": b"[]",
    "another version": b'{"version": 2, "controls": {}}',
    "no version": b'{"controls": {}}',
    "no controls": b'{"version": 1}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_kept_aside(content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "controls.json"
    path.write_bytes(content)
    ship = Ship()
    with caplog.at_level(logging.WARNING):
        problems = BindingsFile(path).load(ship)
    assert len(problems) == 1
    assert str(path) in problems[0]
    assert "default controls are used" in problems[0]
    assert "controls.json.broken" in problems[0]
    assert [record.message for record in caplog.records] == problems
    assert not path.exists()
    assert (tmp_path / "controls.json.broken").read_bytes() == content
    assert ship.labels(Ship.dash) == ["Space", "A"]
    assert saved(path, ship).labels(Ship.dash) == ["Space", "A"]


def test_a_file_that_cannot_be_read_is_said_and_left(tmp_path: Path) -> None:
    path = tmp_path / "controls.json"
    path.mkdir()
    (problem,) = BindingsFile(path).load(Ship())
    assert "cannot be read" in problem


def test_what_the_game_does_not_know_is_reported_and_ignored(tmp_path: Path) -> None:
    path = tmp_path / "controls.json"
    section: dict[str, Any] = {
        "dash": ["key.X", "key.WARP", 7],
        "jump": ["key.J"],
        "fire": "key.F",
        "thrust.left": ["stick.LEFT"],
        "zoom.negative": ["key.NOPE"],
    }
    path.write_text(json.dumps({"version": 1, "controls": {"Ship": section, "Old": 3}}), encoding="utf-8")
    ship = Ship()
    problems = "\n".join(BindingsFile(path).load(ship))
    for expected in ("'key.WARP'", "'7'", "no action 'jump'", "fire: 'key.F' is no list", "whole stick", "'key.NOPE'"):
        assert expected in problems
    assert ship.labels(Ship.dash) == ["X"]
    assert ship.labels(Ship.fire) == ["Left mouse", "RT"]
    assert ship.bindings[Ship.thrust.slot(Part.LEFT)] == (Key.A,)
    assert ship.bindings[Ship.zoom.slot(Part.NEGATIVE)] == (Key.Q,)
    assert path.exists(), "one unknown name does not make the file broken"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["key.A", "dash", "version"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "controls", "Ship", "dash", "fire", "thrust.analog"]) | st.text(max_size=5),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_no_file_content_raises(tmp_path_factory: pytest.TempPathFactory, content: Any, wrapped: bool) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "controls.json"
    whole = {"version": 1, "controls": {"Ship": content}} if wrapped else content
    path.write_text(json.dumps(whole), encoding="utf-8")
    ship = Ship()
    BindingsFile(path).load(ship)
    ship.handle(KeyPressed(Key.SPACE))
    ship.sample()


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "controls.json"
    ship = Ship()
    BindingsFile(path).save(ship)
    before = path.read_bytes()
    ship.rebind(Ship.dash, Key.X)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        BindingsFile(path).save(ship)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["controls.json"]


def test_the_user_file_lies_in_the_folder_for_configuration() -> None:
    path = user_bindings("ricochet")
    assert path.name == "controls.json"
    assert "ricochet" in str(path.parent)
