"""Ricochet's menus, driven as a player drives them: by keys, by pointer and by gamepad, from the menu into a match
and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.app import App, Options
from engine.graphics import Display
from engine.input import BindingsFile, FocusLost, Key, MouseButton, PadButton, Stick
from engine.sound import PlaySound
from engine.testing import Harness, InlineExecutor, play
from engine.widgets import Button, Choice, KeyButton, Label, Slider, TextField, Toggle, Ui, Widget
from games.ricochet.components import Player
from games.ricochet.game import GAME
from games.ricochet.match import Match, Mode
from games.ricochet.presentation.controls import RicochetControls
from games.ricochet.presentation.settings import Settings
from games.ricochet.seats import player_in


class Player1(Harness):
    """Someone at the machine: knows what is on the screen, and how to get to it."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.run_ticks(2)

    @property
    def ui(self) -> Ui:
        return self.world.resource(Ui)

    def widgets(self) -> list[Widget]:
        return list(self.ui.shown[-1].walk())

    @property
    def buttons(self) -> list[str]:
        return [widget.text for widget in self.widgets() if isinstance(widget, Button)]

    def button(self, text: str) -> Button:
        return next(widget for widget in self.widgets() if isinstance(widget, Button) and widget.text == text)

    def labelled(self, kind: type[Widget], label: str) -> Widget:
        return next(w for w in self.widgets() if isinstance(w, kind) and getattr(w, "label", None) == label)

    def click_on(self, widget: Widget) -> None:
        self.click(widget.rect.x + widget.rect.width * 0.8, widget.rect.y + widget.rect.height / 2)
        self.run_ticks(2)

    def press_button(self, text: str) -> None:
        self.click_on(self.button(text))

    def key(self, *keys: Key) -> None:
        for key in keys:
            self.tap(key)
            self.run_ticks(1)

    def pad_button(self, *buttons: PadButton) -> None:
        for button in buttons:
            self.pad().tap(button)
            self.run_ticks(1)

    def focus_on(self, text: str, move: Callable[[], None]) -> None:
        """Move on until that button has the focus."""
        for _ in range(30):
            focus = self.ui.focus
            if isinstance(focus, Button) and focus.text == text:
                return
            move()
        raise AssertionError(f"{text} cannot be reached")

    def start_match(self) -> None:
        self.press_button("PLAY")
        self.press_button("START")
        self.run_ticks(2)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture
def open_game(config: Path) -> Iterator[Callable[..., Player1]]:
    apps: list[App] = []

    def start(*shared: object) -> Player1:
        app = App(executor=InlineExecutor())
        apps.append(app)
        app.shared += [BindingsFile(config / "controls.json"), *shared]
        app.push(GAME.opening(app, Options(seed=4)) if GAME.opening is not None else pytest.fail("no opening"))
        return Player1(app)

    yield start
    for app in apps:
        app.close()


OpenGame = Callable[..., Player1]


def names(app: App) -> list[str]:
    return [scene.name for scene in app.scenes]


def test_the_menu_lies_over_a_match_of_bots_that_goes_on(open_game: OpenGame) -> None:
    game = open_game()
    assert names(game.app) == ["ricochet", "menu"]
    assert game.buttons == ["PLAY", "HOST", "JOIN", "SETTINGS", "CONTROLS", "NETWORK", "QUIT"]
    before = game.app.scenes[0].tick
    game.run_ticks(30)
    assert game.app.scenes[0].tick == before + 30
    assert game.app.visible() == game.app.scenes


def test_by_pointer_into_a_match_paused_and_left(open_game: OpenGame) -> None:
    game = open_game()
    game.start_match()
    assert names(game.app) == ["ricochet"]
    game.run_ticks(20)
    game.key(Key.ESCAPE)
    assert names(game.app) == ["ricochet", "pause"]
    standing = game.app.scenes[0].tick
    game.run_ticks(10)
    assert game.app.scenes[0].tick == standing
    game.press_button("RESUME")
    assert names(game.app) == ["ricochet"]
    game.run_ticks(10)
    assert game.tick > standing
    game.key(Key.ESCAPE)
    game.press_button("LEAVE MATCH")
    assert names(game.app) == ["ricochet", "menu"]
    game.press_button("QUIT")
    assert game.app.is_over


def test_by_keyboard_alone(open_game: OpenGame) -> None:
    game = open_game()
    game.key(Key.ENTER)
    game.focus_on("START", lambda: game.key(Key.TAB))
    game.key(Key.ENTER)
    assert names(game.app) == ["ricochet"]
    game.key(Key.ESCAPE)
    game.focus_on("RESTART", lambda: game.key(Key.DOWN))
    before = game.app.scenes[0]
    game.key(Key.ENTER)
    assert names(game.app) == ["ricochet"]
    assert game.scene is not before
    game.key(Key.ESCAPE, Key.ESCAPE)
    assert names(game.app) == ["ricochet"]
    game.key(Key.ESCAPE)
    game.focus_on("LEAVE MATCH", lambda: game.key(Key.UP))
    game.key(Key.ENTER)
    assert names(game.app) == ["ricochet", "menu"]


def test_by_gamepad_alone(open_game: OpenGame) -> None:
    game = open_game()
    game.pad_button(PadButton.A)
    game.focus_on("START", lambda: game.pad_button(PadButton.DOWN))
    game.pad_button(PadButton.A)
    assert names(game.app) == ["ricochet"]
    game.pad_button(PadButton.START)
    assert names(game.app) == ["ricochet", "pause"]
    game.pad_button(PadButton.START)
    assert names(game.app) == ["ricochet"]
    game.pad_button(PadButton.START)
    game.focus_on("SETTINGS", lambda: game.pad_button(PadButton.DOWN))
    game.pad_button(PadButton.A, PadButton.B)
    assert game.ui.focus is game.button("SETTINGS")
    game.pad_button(PadButton.B)
    assert names(game.app) == ["ricochet"]


def test_what_is_chosen_is_what_is_played(open_game: OpenGame) -> None:
    game = open_game()
    game.press_button("PLAY")
    game.click_on(game.labelled(Choice, "Mode"))
    game.click_on(game.labelled(Choice, "Arena"))
    bots = game.labelled(Slider, "Bots")
    assert isinstance(bots, Slider)
    game.ui.focus = bots
    game.key(Key.HOME, Key.RIGHT, Key.RIGHT)
    name = game.labelled(TextField, "Pilot")
    game.ui.focus = name
    game.press(Key.CTRL_LEFT)
    game.key(Key.A)
    game.release(Key.CTRL_LEFT)
    game.type_text("Zoë")
    game.run_ticks(1)
    game.press_button("START")
    match = game.world.resource(Match)
    assert (match.bots, match.people, match.mode, match.arena) == (3, 1, Mode.TEAMS, "foundry")
    me = player_in(game.world, 0)
    assert me is not None
    assert me[Player].name == "Zoë"


def test_the_next_match_has_other_chances_and_the_same_choices(open_game: OpenGame) -> None:
    game = open_game()
    game.start_match()
    first = game.scene.seed
    game.key(Key.ESCAPE)
    game.press_button("RESTART")
    second = game.scene.seed
    game.key(Key.ESCAPE)
    game.press_button("LEAVE MATCH")
    game.start_match()
    assert len({first, second, game.scene.seed}) == 3


def test_a_window_that_loses_the_keyboard_pauses_once(open_game: OpenGame) -> None:
    game = open_game()
    game.start_match()
    game.post(FocusLost())
    game.tap(Key.ESCAPE)
    game.run_ticks(1)
    assert names(game.app) == ["ricochet", "pause"]
    game.tap(Key.ENTER)
    game.tap(Key.ENTER)
    game.run_ticks(1)
    assert names(game.app) == ["ricochet"]
    game.post(FocusLost())
    game.run_ticks(1)
    assert names(game.app) == ["ricochet", "pause"]


def test_thrust_held_when_the_pause_comes_is_let_go(open_game: OpenGame) -> None:
    game = open_game()
    game.start_match()
    game.press(Key.D)
    game.run_ticks(2)
    assert game.controls(RicochetControls).thrust.value == (1.0, 0.0)
    game.key(Key.ESCAPE)
    game.release(Key.D)
    game.key(Key.ESCAPE)
    game.run_ticks(2)
    assert game.controls(RicochetControls).thrust.value == (0.0, 0.0)


def test_settings_take_effect_and_are_kept_at_once(open_game: OpenGame, config: Path) -> None:
    game = open_game()
    game.press_button("SETTINGS")
    for label in ("Effects", "Music"):
        game.ui.focus = game.labelled(Slider, label)
        game.key(Key.HOME)
    toggle = game.labelled(Toggle, "Hit-stop on kills")
    game.click_on(toggle)
    kept = json.loads((config / "settings.json").read_text(encoding="utf-8"))
    assert (kept["effects_volume"], kept["music_volume"], kept["hit_stop"]) == (0.0, 0.0, False)
    again = open_game()
    settings = again.world.resource(Settings)
    assert (settings.effects_volume, settings.hit_stop, settings.camera_kick) == (0.0, False, True)


def test_settings_changed_in_a_pause_count_in_the_match_below(open_game: OpenGame) -> None:
    game = open_game()
    game.start_match()
    below = game.world
    game.key(Key.ESCAPE)
    game.press_button("SETTINGS")
    game.click_on(game.labelled(Toggle, "Camera kicks and shakes"))
    assert below.resource(Settings).camera_kick is False


def test_a_broken_settings_file_is_kept_aside(open_game: OpenGame, config: Path) -> None:
    config.mkdir()
    (config / "settings.json").write_text("{ no", encoding="utf-8")
    game = open_game()
    assert game.world.resource(Settings) == Settings()
    assert (config / "settings.json.broken").exists()


def test_settings_that_make_no_sense_are_left_out(open_game: OpenGame, config: Path) -> None:
    config.mkdir()
    odd = {"bots": 900, "level": "godlike", "arena": 3, "mode": "chess", "effects_volume": float("nan"), "name": "\n"}
    (config / "settings.json").write_text(json.dumps(odd), encoding="utf-8")
    game = open_game()
    settings = game.world.resource(Settings)
    assert (settings.bots, settings.level, settings.arena, settings.mode) == (31, "normal", "", "")
    assert (settings.effects_volume, settings.name) == (0.0, "Pilot")
    game.start_match()
    assert game.world.resource(Match).bots == 31


def test_fullscreen_goes_through_the_display_and_is_kept(open_game: OpenGame) -> None:
    covering = [False]

    def toggle() -> None:
        covering[0] = not covering[0]

    game = open_game(Display(lambda: covering[0], toggle))
    game.press_button("SETTINGS")
    game.click_on(game.labelled(Toggle, "Fullscreen"))
    assert covering == [True]
    covering[0] = False
    open_game(Display(lambda: covering[0], toggle))
    assert covering == [True]


def test_without_a_display_there_is_no_fullscreen(open_game: OpenGame) -> None:
    game = open_game()
    game.press_button("SETTINGS")
    assert not [w for w in game.widgets() if isinstance(w, Toggle) and w.label == "Fullscreen"]


def key_button(game: Player1, slot: str, at: int = 0) -> KeyButton:
    return [w for w in game.widgets() if isinstance(w, KeyButton) and w.slot.name == slot][at]


def test_rebinding_in_a_pause_counts_in_the_match_and_is_kept(open_game: OpenGame, config: Path) -> None:
    game = open_game()
    game.start_match()
    game.key(Key.ESCAPE)
    game.press_button("CONTROLS")
    dash = key_button(game, "dash")
    assert dash.text == "Space"
    game.click_on(dash)
    assert dash.waiting
    game.key(Key.F)
    assert dash.text == "F"
    game.key(Key.ESCAPE, Key.ESCAPE)
    assert names(game.app) == ["ricochet"]
    game.press(Key.F)
    game.run_ticks(1)
    assert game.controls(RicochetControls).dash.held
    assert "key.F" in (config / "controls.json").read_text(encoding="utf-8")
    again = open_game()
    again.press_button("CONTROLS")
    assert key_button(again, "dash").text == "F"
    again.press_button("DEFAULTS")
    assert key_button(again, "dash").text == "Space"


def test_every_default_binding_has_its_button(open_game: OpenGame) -> None:
    game = open_game()
    game.press_button("CONTROLS")
    texts = [widget.text for widget in game.widgets() if isinstance(widget, KeyButton)]
    assert texts == [
        *("A", "D", "W", "S", "Left stick", "Right stick", "Left mouse", "RT"),
        *("Space", "A", "Right mouse", "B", "Tab", "Back"),
    ]


def test_a_key_bound_twice_is_named(open_game: OpenGame) -> None:
    game = open_game()
    game.press_button("CONTROLS")
    game.click_on(key_button(game, "dash"))
    game.key(Key.W)
    assert [w.text for w in game.widgets() if isinstance(w, Label) and "does both" in w.text] == [
        "W does both: Thrust up and Dash"
    ]


def test_a_pad_button_is_rebound_by_pad(open_game: OpenGame) -> None:
    game = open_game()
    game.focus_on("CONTROLS", lambda: game.pad_button(PadButton.DOWN))
    game.pad_button(PadButton.A)
    game.ui.focus = key_button(game, "shield", 1)
    game.pad_button(PadButton.A, PadButton.X)
    assert key_button(game, "shield", 1).text == "X"
    game.ui.focus = key_button(game, "aim.analog")
    game.pad_button(PadButton.A)
    game.pad().push(Stick.LEFT, 1.0, 0.0)
    game.run_ticks(1)
    assert key_button(game, "aim.analog").text == "Left stick"


def test_menus_are_heard(open_game: OpenGame) -> None:
    game = open_game()
    heard = game.events(PlaySound)
    game.key(Key.DOWN, Key.ENTER)
    assert [sound.name for sound in heard] == ["ui_move", "ui_press"]


def test_the_right_mouse_button_presses_nothing(open_game: OpenGame) -> None:
    game = open_game()
    quit_button = game.button("QUIT")
    game.click(quit_button.rect.x + 5, quit_button.rect.y + 5, MouseButton.RIGHT)
    game.run_ticks(2)
    assert not game.app.is_over


def test_a_match_started_without_the_menu_can_be_left_for_it() -> None:
    game = play(GAME, Options(seed=1, bots=2, humans=1))
    game.run_ticks(2)
    game.tap(Key.ESCAPE)
    game.run_ticks(1)
    assert names(game.app) == ["ricochet", "pause"]


def test_the_pointer_gives_way_to_the_crosshair_and_comes_back(open_game: OpenGame) -> None:
    visible = [True]

    def show(shown: bool) -> None:
        visible[0] = shown

    game = open_game(Display(lambda: False, lambda: None, show))
    game.start_match()
    assert visible == [False]
    game.key(Key.ESCAPE)
    assert visible == [True]
    game.key(Key.ESCAPE)
    assert visible == [False]
    game.key(Key.ESCAPE)
    game.press_button("LEAVE MATCH")
    assert visible == [True]


def test_looking_at_pages_keeps_nothing(open_game: OpenGame, config: Path) -> None:
    game = open_game()
    for page in ("PLAY", "SETTINGS", "CONTROLS"):
        game.press_button(page)
        game.press_button("BACK")
    assert not config.exists()
