"""The kit itself: a small game, played by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

import engine.testing
from engine.app import App, AppError, Commanded, Frame, Game, Options, Plugin, Recorder, Scene, Tick
from engine.ecs import F64, Component, World, f64
from engine.input import (
    BindingsFile,
    Controls,
    Key,
    MouseButton,
    PadAxis,
    PadButton,
    PointerScrolled,
    Stick,
    TextEntered,
    axis2,
    button,
    input_plugin,
)
from engine.testing import (
    Harness,
    InlineExecutor,
    ManualClock,
    SyncError,
    assert_replays,
    harness,
    play,
    record_golden,
    sync_test,
)


@dataclass(slots=True)
class Steer:
    x: float
    throw: bool


@dataclass(slots=True)
class Thrown:
    at: float


class Kite(Component):
    x: F64 = f64()


class KiteControls(Controls):
    steer = axis2(keys=(Key.A, Key.D, (), ()), pad=Stick.LEFT)
    throw = button(MouseButton.LEFT, PadAxis.RIGHT_TRIGGER, PadButton.A)


rules = Plugin("kite.rules")


@rules.setup
def launch(world: World) -> None:
    world.spawn(Kite(world.rng.random()))


@rules.on(Commanded[Steer])
def steer(world: World, event: Commanded[Steer]) -> None:
    for kite in world.rows(Kite):
        kite.x += event.command.x
        if event.command.throw:
            world.post(Thrown(kite.x))
            world.spawn(Kite(kite.x * world.rng.random()))


pilot = Plugin("kite.pilot", needs=[input_plugin(KiteControls)])


@pilot.commands()
def sample(world: World) -> Iterable[Commanded[Steer]]:
    controls = world.resource(KiteControls)
    yield Commanded(0, Steer(controls.steer.x, controls.throw.pressed))


GAME = Game("kite", "Kite", 1, lambda o: [rules], lambda o: [], lambda o: [], lambda o: [pilot])


def test_a_game_is_played_by_hand() -> None:
    match = play(GAME, Options(seed=1))
    thrown = match.events(Thrown)
    start = next(iter(match.world.rows(Kite))).x
    match.hold(Key.D, ticks=10)
    match.run_ticks(5)
    assert next(iter(match.world.rows(Kite))).x == pytest.approx(start + 10)
    match.tap(MouseButton.LEFT)
    match.run_ticks(1)
    assert len(thrown) == 1
    assert match.tick == 16
    assert not match.controls(KiteControls).throw.held


def test_every_device_can_be_played_on() -> None:
    match = play(GAME)
    typed, wheel = match.events(TextEntered), match.events(PointerScrolled)
    controls = match.controls(KiteControls)
    match.pad().push(Stick.LEFT, -1.0, 0.0)
    match.pad().move(PadAxis.RIGHT_TRIGGER, 1.0)
    match.run_ticks(1)
    assert controls.connected == {0: "Virtual pad"}
    assert controls.steer.x == -1.0
    assert controls.throw.pressed
    match.pad().disconnect()
    match.run_ticks(1)
    assert controls.steer.x == 0.0
    match.pad(1).tap(PadButton.A)
    match.run_ticks(1)
    assert controls.throw.pressed
    match.click(30, 40)
    match.type_text("hé")
    match.scroll(-1)
    match.run_ticks(1)
    assert controls.pointer == (30, 40)
    assert controls.throw.pressed
    assert [event.text for event in typed] == ["h", "é"]
    assert wheel == [PointerScrolled(30, 40, 0.0, -1)]


def test_time_passes_in_ticks_in_seconds_or_as_in_a_window() -> None:
    frames: list[Frame] = []
    looking = Plugin("looking")
    looking.on(Frame)(lambda world, frame: frames.append(frame))
    match = harness(rules, looking)
    match.run_ticks()
    match.run_seconds(0.5)
    assert match.tick == 31
    assert match.advance(0.0) == 0
    assert match.advance(1.5 / 60) == 1
    match.frame()
    assert frames[0].alpha == pytest.approx(0.5)
    match.app.pause()
    assert match.advance(10.0) == 0


def test_the_same_seed_gives_the_same_state() -> None:
    one, two, other = (play(GAME, Options(seed=seed)) for seed in (4, 4, 5))
    for match in (one, two, other):
        match.hold(Key.A, ticks=3)
    assert one.state_hash() == two.state_hash() != other.state_hash()
    assert one.component_hashes() == two.component_hashes()


def test_a_server_has_no_pilot() -> None:
    match = play(GAME, pilot=False)
    assert match.world.find_resource(KiteControls) is None
    match.run_ticks(1)


def test_a_harness_takes_an_app_a_scene_or_plugins() -> None:
    app = App(rules, seed=3)
    assert harness(app).app is app
    scene = Scene(rules, rate=144.0, seed=3)
    assert harness(scene).scene is scene
    made = harness(rules, seed=3, resources=[BindingsFile(None)])
    assert isinstance(made, Harness)
    assert made.component_hashes()["Kite"] == harness(scene).component_hashes()["Kite"]


def test_a_picture_needs_to_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="draw=True"):
        play(GAME).screenshot(tmp_path / "a.png")
    match = play(GAME, draw=True)
    match.run_ticks(2)
    assert match.screenshot(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


# Golden replays


def fly(match: Harness) -> None:
    match.hold(Key.D, ticks=20)
    match.tap(MouseButton.LEFT)
    match.run_ticks(3)


def test_a_golden_replay_is_recorded_and_replays(tmp_path: Path) -> None:
    path = record_golden(tmp_path / "golden.twr", GAME, Options(seed=9), ticks=60, script=fly)
    assert assert_replays(path, GAME) == 60


def test_a_golden_replay_fails_when_the_rules_change(tmp_path: Path) -> None:
    path = record_golden(tmp_path / "golden.twr", GAME, ticks=60, script=fly)
    gravity = Plugin("gravity")

    @gravity.on(Tick)
    def fall(world: World, tick: Tick) -> None:
        if tick.number == 33:
            for kite in world.rows(Kite):
                kite.x += 1e-12

    changed = Game("kite", "Kite", 1, lambda o: [rules, gravity], lambda o: [], lambda o: [], lambda o: [])
    with pytest.raises(AssertionError, match="tick 33 differs in Kite; 32 ticks"):
        assert_replays(path, changed)
    newer = Game("kite", "Kite", 2, lambda o: [rules], lambda o: [], lambda o: [], lambda o: [])
    with pytest.raises(AssertionError, match="version 1, not kite version 2"):
        assert_replays(path, newer)


def test_a_golden_replay_that_proves_nothing_fails(tmp_path: Path) -> None:
    path = record_golden(tmp_path / "golden.twr", GAME, ticks=10)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(AssertionError, match=r"cut off|damaged"):
        assert_replays(path, GAME)
    scene = GAME.scene(Options())
    scene.recorder = Recorder(
        path, {"game": "kite", "game_version": 1, "options": Options().to_header()}, hash_every=100
    )
    scene.run_tick()
    scene.close()
    with pytest.raises(AssertionError, match="no state hashes"):
        assert_replays(path, GAME)


# The sync test


def press_often(scene: Scene, tick: int) -> None:
    from engine.input import KeyPressed, KeyReleased, PointerPressed, PointerReleased

    if tick % 7 == 0:
        scene.receive(KeyPressed(Key.D))
        scene.receive(PointerPressed(0, 0))
    if tick % 7 == 3:
        scene.receive(KeyReleased(Key.D))
        scene.receive(PointerReleased(0, 0))


def test_a_sound_game_passes_the_sync_test() -> None:
    def build() -> Scene:
        return GAME.scene(Options(seed=2), [pilot], resources=[BindingsFile(None)])

    assert sync_test(build, 95, 10, drive=press_often, frames=True) == 95


def leaky() -> Scene:
    """A scene with state that no snapshot sees."""
    plugin = Plugin("leaky")
    hidden = [0]

    @plugin.on(Tick)
    def leak(world: World, tick: Tick) -> None:
        hidden[0] += 1
        if tick.number >= 14:
            for kite in world.rows(Kite):
                kite.x += hidden[0]

    return Scene(rules, plugin)


def test_hidden_state_fails_the_sync_test_at_its_first_effect() -> None:
    with pytest.raises(SyncError, match="checkpoint at tick 10") as caught:
        sync_test(leaky, 60, 10)
    assert (caught.value.tick, caught.value.component) == (14, "Kite")


def test_a_frame_that_writes_fails_the_sync_test() -> None:
    plugin = Plugin("rude")

    @plugin.on(Frame)
    def nudge(world: World, frame: Frame) -> None:
        if frame.time > 0.1:
            world.rng.random()

    def build() -> Scene:
        return Scene(rules, plugin)

    assert sync_test(build, 30, 10) == 30
    with pytest.raises(SyncError, match="handler of Frame") as caught:
        sync_test(build, 30, 10, frames=True)
    assert (caught.value.tick, caught.value.component) == (7, "rng")


def test_work_is_not_done_twice_by_the_sync_test() -> None:
    plugin = Plugin("work")

    @plugin.on(Tick)
    def ask(world: World, tick: Tick) -> None:
        if tick.number % 10 == 0:
            world.resource(Scene).work(float, tick.number, done=Thrown)

    @plugin.on(Thrown)
    def came(world: World, event: Thrown) -> None:
        world.spawn(Kite(event.at))

    scenes: list[Scene] = []

    def build() -> Scene:
        scenes.append(Scene(rules, plugin))
        return scenes[-1]

    assert sync_test(build, 50, 10) == 50
    assert [kite.x for kite in scenes[0].world.rows(Kite)][1:] == [5.0 * n for n in range(2, 10, 2)]


def test_an_input_that_cannot_be_noted_is_no_pass() -> None:
    with pytest.raises(AssertionError, match="could not be noted"):
        sync_test(lambda: Scene(rules), 10, 10, drive=lambda scene, tick: scene.receive(object()))


# Small parts


def test_the_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(5.0)
    assert (clock(), clock()) == (5.0, 5.0)
    assert clock.advance(0.5) == clock() == 5.5
    assert clock.advance(-1.0) == 4.5


def test_the_inline_executor_gives_results_and_errors() -> None:
    executor = InlineExecutor()
    assert executor.submit(pow, 2, 5).result() == 32
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0).result()


def test_every_public_name_is_there() -> None:
    for name in engine.testing.__all__:
        assert getattr(engine.testing, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        engine.testing.__getattr__("nothing")


def test_the_kit_loads_neither_pygame_nor_physics() -> None:
    code = (
        "import sys, engine.testing.pytest_plugin\n"
        "assert not {'numpy', 'engine.app', 'pygame', 'pymunk'} & set(sys.modules), 'the plugin loads too much'\n"
        "from engine.testing import play, sync_test, record_golden\n"
        "assert not {'pygame', 'pymunk'} & set(sys.modules), 'the kit loads too much'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
