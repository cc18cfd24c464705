"""Recording a scene and playing it back."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass, make_dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

import pytest

from engine.app import (
    App,
    AppError,
    Commanded,
    Game,
    Options,
    Plugin,
    Recorder,
    Replay,
    ReplayError,
    Scene,
    Tick,
)
from engine.ecs import F64, Component, World, f64, state_hash
from engine.events import Journal, parse_journal, read_journal
from engine.testing import InlineExecutor


@dataclass(slots=True)
class Gust:
    """The weather, from outside."""

    strength: float


class Weather(Enum):
    """An event can be an enum member as well."""

    CALM = auto()
    STORM = auto()


@dataclass(slots=True)
class Sparkle:
    """From outside, and nobody's business."""


@dataclass(slots=True)
class Steer:
    by: float


@dataclass(slots=True)
class Routed:
    """What a search brought back."""

    length: int


class Boat(Component):
    x: F64 = f64()


class Wind:
    """What the pilot feels; not part of the state."""

    def __init__(self) -> None:
        self.steer = 0.0


def rules(*, drag: float = 0.99) -> Plugin:
    plugin = Plugin("boat")

    @plugin.setup
    def prepare(world: World) -> None:
        world.spawn(Boat())

    @plugin.on(Gust)
    def gust(world: World, event: Gust) -> None:
        for boat in world.rows(Boat):
            boat.x += event.strength * world.rng.random()

    @plugin.on(Weather)
    def change(world: World, event: Weather) -> None:
        for boat in world.rows(Boat):
            boat.x += event.value

    @plugin.on(Sparkle)
    def sparkle(world: World, event: Sparkle) -> None:
        world.resource(Scene)

    @plugin.on(Commanded[Steer])
    def steer(world: World, event: Commanded[Steer]) -> None:
        for boat in world.rows(Boat):
            boat.x += event.command.by

    @plugin.on(Tick)
    def move(world: World, tick: Tick) -> None:
        for boat in world.rows(Boat):
            boat.x *= drag

    @plugin.on(Tick)
    def ask(world: World, tick: Tick) -> None:
        if tick.number == 5:
            world.resource(Scene).work(len, "path", done=Routed)

    @plugin.on(Routed)
    def routed(world: World, event: Routed) -> None:
        for boat in world.rows(Boat):
            boat.x += event.length

    @plugin.commands(simulated=True)
    def bot(world: World) -> Iterable[Commanded[Steer]]:
        yield Commanded(2, Steer(world.rng.random()))

    return plugin


def pilot() -> Plugin:
    plugin = Plugin("pilot")

    @plugin.setup
    def prepare(world: World) -> None:
        world.insert(Wind())

    @plugin.commands()
    def sample(world: World) -> Iterable[Commanded[Steer]]:
        wind = world.resource(Wind)
        if wind.steer:
            yield Commanded(1, Steer(wind.steer))

    return plugin


def scene_of(*plugins: Plugin) -> Scene:
    scene = Scene(*plugins, seed=3)
    scene.executor = InlineExecutor()
    return scene


def record(target: Path | Any, *, only: tuple[type, ...] | None = None, ticks: int = 20) -> Scene:
    scene = scene_of(rules(), pilot())
    scene.recorder = Recorder(target, {"game": "boat"}, only=only)
    for tick in range(1, ticks + 1):
        if tick == 4:
            scene.receive(Gust(2.5))
            scene.receive(Sparkle())
            scene.receive(Weather.STORM)
        if tick == 9:
            scene.world.resource(Wind).steer = -1.5
        scene.run_tick()
    return scene


def play(journal: Journal, scene: Scene, ticks: int = 20) -> Replay:
    replay = scene.replay = Replay(journal)
    while scene.tick < ticks:
        scene.run_tick()
    return replay


def test_a_recording_plays_back_to_the_same_state(tmp_path: Path) -> None:
    recorded = record(tmp_path / "a.twr")
    recorded.close()
    journal = read_journal(tmp_path / "a.twr")
    assert journal.damage is None
    scene = scene_of(rules(), pilot())
    scene.world.resource(Wind).steer = 99.0  # a player at the controls of a replay changes nothing
    replay = play(journal, scene)
    assert (replay.verified, replay.difference) == (20, None)
    assert state_hash(scene.world) == state_hash(recorded.world)


def test_a_replay_needs_no_pilot(tmp_path: Path) -> None:
    record(tmp_path / "a.twr").close()
    assert play(read_journal(tmp_path / "a.twr"), scene_of(rules())).verified == 20


def test_live_events_that_the_journal_has_are_void_in_a_replay() -> None:
    tape = io.BytesIO()
    record(tape)
    scene = scene_of(rules())
    scene.receive(Gust(1000.0))
    assert play(parse_journal(tape.getvalue()), scene).difference is None


def test_only_limits_events_but_never_commands() -> None:
    tape = io.BytesIO()
    record(tape, only=(Gust, Routed, Weather))
    journal = parse_journal(tape.getvalue())
    names = [plain["$"].rpartition(".")[2] for events in journal.events.values() for plain in events]
    assert set(names) == {"Gust", "Routed", "Weather", "Commanded"}
    assert play(journal, scene_of(rules())).verified == 20


def test_a_difference_names_its_tick_and_component() -> None:
    tape = io.BytesIO()
    record(tape)
    replay = play(parse_journal(tape.getvalue()), scene_of(rules(drag=0.98)))
    assert replay.difference == (1, "Boat")
    assert replay.verified == 0


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_cut_off_journal_replays_up_to_the_damage(share: float) -> None:
    tape = io.BytesIO()
    record(tape)
    raw = tape.getvalue()
    journal = parse_journal(raw[: int(len(raw) * share)])
    assert journal.damage is not None
    last = max(journal.hashes)
    assert 0 < last < 20
    replay = play(journal, scene_of(rules()), last)
    assert (replay.verified, replay.difference) == (last, None)


def test_a_journal_of_an_unknown_event_says_so() -> None:
    tape = io.BytesIO()
    record(tape)
    scene = scene_of(Plugin("another game"))
    with pytest.raises(ReplayError, match=r"tick 4: .*Gust"):
        play(parse_journal(tape.getvalue()), scene)


def test_an_event_that_cannot_be_noted_ends_the_recording_not_the_game(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = scene_of(rules())
    recorder = scene.recorder = Recorder(tmp_path / "a.twr", {})
    scene.run_tick()
    with caplog.at_level(logging.ERROR):
        scene.receive(Gust(lambda: 1))  # type: ignore[arg-type]
        with pytest.raises(TypeError):  # the handler's own failure
            scene.run_tick()
        scene.run_tick()
    assert recorder.stopped is not None
    assert "ended at tick 2" in recorder.stopped
    assert len(caplog.records) == 1
    assert "goes on unrecorded" in caplog.text
    scene.close()


class FullDisk(io.BytesIO):
    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > self.room:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_ends_the_recording_not_the_game(caplog: pytest.LogCaptureFixture) -> None:
    disk = FullDisk(900)
    with caplog.at_level(logging.ERROR):
        scene = record(disk)
        assert scene.tick == 20
        scene.close()
    assert "No space left" in caplog.text
    assert len(caplog.records) == 1
    journal = parse_journal(disk.getvalue())
    last = max(journal.hashes)
    assert play(journal, scene_of(rules()), last).verified == last


def test_a_stream_closed_by_others_ends_the_recording_not_the_game() -> None:
    tape = io.BytesIO()
    scene = scene_of(rules())
    recorder = scene.recorder = Recorder(tape, {})
    tape.close()
    scene.run_tick()
    assert recorder.stopped is not None


def test_hashes_can_be_sparse() -> None:
    tape = io.BytesIO()
    scene = scene_of(rules())
    scene.recorder = Recorder(tape, {}, hash_every=6)
    for _ in range(20):
        scene.run_tick()
    journal = parse_journal(tape.getvalue())
    assert list(journal.hashes) == [6, 12, 18]
    assert play(journal, scene_of(rules())).verified == 3


def test_events_taken_while_paused_belong_to_the_coming_tick() -> None:
    tape = io.BytesIO()
    app = App(rules(), seed=3, executor=InlineExecutor())
    app.scene.recorder = Recorder(tape, {})
    app.run_ticks(2)
    app.advance(0.0)
    app.pause()
    app.post(Gust(4.0))
    app.advance(1.0)
    app.run_ticks(8)
    journal = parse_journal(tape.getvalue())
    assert play(journal, scene_of(rules()), 10).verified == 10


def test_known_types_are_what_handlers_name() -> None:
    known = scene_of(rules()).known_types()
    assert {"Gust", "Sparkle", "Steer", "Commanded", "Routed", "Tick"} <= {name.rpartition(".")[2] for name in known}


def ignore(world: World, event: object) -> None:
    """A handler of anything."""


def test_a_name_that_two_event_types_have_is_not_guessed_at() -> None:
    one, other = (make_dataclass("Twin", [("x", float)]) for _ in range(2))
    plugin = Plugin("twins")
    kinds: tuple[type[object], ...] = (one, other, Gust)
    for kind in kinds:
        plugin.on(kind)(ignore)
    known = Scene(plugin).known_types()
    assert "Twin" not in known
    assert known["Gust"] is Gust


def test_options_come_back_from_a_header() -> None:
    options = Options(seed=4, bots=2, level="hard", humans=1, arena="foundry")
    assert Options.from_header(options.to_header()) == options
    assert Options.from_header({"seed": 9, "later": 1}) == Options(seed=9)
    bad: list[Any] = [{"seed": "nine"}, {"bots": True}, {"arena": None}, [1], "x", 3]
    for header in bad:
        with pytest.raises(AppError, match=r"option"):
            Options.from_header(header)


def test_a_game_refuses_levels_and_arenas_it_does_not_have() -> None:
    game = Game("g", "G", 1, lambda o: [], lambda o: [], lambda o: [], lambda o: [], arenas=("pit",))
    with pytest.raises(AppError, match="easy, normal, hard"):
        game.scene(Options(level="absurd"))
    with pytest.raises(AppError, match="pit"):
        game.scene(Options(arena="moon"))
    assert game.scene(Options(arena="pit")).name == "g"
