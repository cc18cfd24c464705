"""The stack of scenes: who ticks, who is drawn, who is told what and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.app import (
    App,
    AppError,
    Begin,
    Frame,
    Plugin,
    Recorder,
    Scene,
    SceneCovered,
    SceneEntered,
    SceneLeft,
    SceneUncovered,
    Tick,
    Watchdog,
    run,
)
from engine.ecs import World
from engine.events import read_journal
from engine.testing import ManualClock

Log = list[str]


class Talk:
    """Scenes that write down what they are told and when they run."""

    def __init__(self) -> None:
        self.log: Log = []

    def scene(
        self,
        name: str,
        *,
        on_tick: Callable[[App], object] | None = None,
        on_enter: Callable[[App], object] | None = None,
        pauses_below: bool = True,
        shows_below: bool = False,
    ) -> Scene:
        plugin = Plugin(name)
        for kind in (SceneEntered, SceneCovered, SceneUncovered, SceneLeft):

            def told(world: World, event: object) -> None:
                self.log.append(f"{name} {type(event).__name__.removeprefix('Scene').lower()}")

            plugin.on(kind)(told)

        @plugin.on(SceneEntered, priority=-1)
        def entered(world: World, event: SceneEntered) -> None:
            if on_enter is not None:
                on_enter(world.resource(App))

        @plugin.on(Tick)
        def tick(world: World, event: Tick) -> None:
            self.log.append(f"{name} {event.number}")
            if on_tick is not None:
                on_tick(world.resource(App))

        @plugin.on(Frame)
        def frame(world: World, event: Frame) -> None:
            self.log.append(f"{name} at {event.alpha:g}")

        return Scene(plugin, name=name, pauses_below=pauses_below, shows_below=shows_below)

    def take(self) -> Log:
        log, self.log = self.log, []
        return log


def test_push_and_pop_between_ticks() -> None:
    talk, app = Talk(), App()
    app.push(talk.scene("game"))
    app.run_ticks(1)
    app.push(talk.scene("pause"))
    app.run_ticks(1)
    app.pop()
    app.run_ticks(1)
    assert talk.take() == [
        *("game entered", "game 1"),
        *("game covered", "pause entered", "pause 1"),
        *("pause left", "game uncovered", "game 2"),
    ]


def test_replace_leaves_all_from_the_top() -> None:
    talk, app = Talk(), App()
    app.push(talk.scene("game"))
    app.push(talk.scene("pause"))
    talk.take()
    app.replace(talk.scene("menu"))
    assert talk.take() == ["pause left", "game left", "menu entered"]
    assert [scene.name for scene in app.scenes] == ["menu"]


def test_changes_inside_a_tick_wait_until_every_scene_has_ticked() -> None:
    talk, app = Talk(), App()

    def swap(app: App) -> None:
        app.pop()
        app.push(talk.scene("podium"))
        talk.log.append("asked")

    app.push(talk.scene("game", on_tick=lambda app: swap(app) if app.scenes[0].tick == 1 else None))
    app.push(talk.scene("overlay", pauses_below=False))
    talk.take()
    app.run_ticks(1)
    assert talk.take() == [
        *("game 1", "asked", "overlay 1"),
        *("overlay left", "game uncovered", "game covered", "podium entered"),
    ]


def test_changes_from_being_told_follow_in_order() -> None:
    talk, app = Talk(), App()
    app.push(talk.scene("menu", on_enter=lambda app: app.push(talk.scene("news"))))
    assert talk.take() == ["menu entered", "menu covered", "news entered"]
    assert [scene.name for scene in app.scenes] == ["menu", "news"]


def test_scenes_that_change_scenes_without_end_are_an_error() -> None:
    talk, app = Talk(), App()

    def again(app: App) -> None:
        app.push(talk.scene("again", on_enter=again))

    with pytest.raises(AppError, match="without end"):
        app.push(talk.scene("first", on_enter=again))


def test_who_ticks_and_who_is_drawn() -> None:
    talk, app = Talk(), App()
    clock = ManualClock()
    app.push(talk.scene("game"))
    app.push(talk.scene("hud", pauses_below=False, shows_below=True))
    app.push(talk.scene("menu", pauses_below=True, shows_below=True))
    app.advance(clock())
    talk.take()
    app.advance(clock.advance(1.25 / 60))
    app.frame(clock())
    assert talk.take() == ["menu 1", "game at 1", "hud at 1", "menu at 0.25"], "what stands still is shown where it is"
    app.pop()
    talk.take()
    app.advance(clock.advance(1 / 60))
    app.frame(clock())
    assert talk.take() == ["game 1", "hud 1", "game at 0.25", "hud at 0.25"]
    app.push(talk.scene("title"))
    talk.take()
    app.frame(clock())
    assert talk.take() == ["title at 0.25"]


def test_a_scene_may_go_while_the_frame_is_drawn() -> None:
    talk, app = Talk(), App()
    bottom = Plugin("bottom")
    bottom.on(Frame)(lambda world, frame: world.resource(App).pop())
    app.push(Scene(bottom, name="bottom"))
    app.push(talk.scene("top", shows_below=True))
    app.frame(0.0)
    assert [scene.name for scene in app.scenes] == ["bottom"]
    assert talk.take() == ["top entered", "top at 0", "top left"]


def test_frames_know_real_time() -> None:
    frames: list[Frame] = []
    plugin = Plugin("frames")
    plugin.on(Frame)(lambda world, frame: frames.append(frame))
    app = App(plugin)
    for now in (10.0, 10.5, 10.25, 11.0):
        app.frame(now)
    assert [frame.time for frame in frames] == [0.0, 0.5, 0.25, 1.0]
    assert [frame.dt for frame in frames] == [0.0, 0.5, 0.0, 0.75]


def test_events_from_outside_go_to_the_top_and_are_delivered_while_paused() -> None:
    heard: list[str] = []
    app = App()

    def listening(name: str) -> Scene:
        plugin = Plugin(name)
        plugin.on(str)(lambda world, event: heard.append(f"{name} {event}"))
        return Scene(plugin, name=name)

    app.post("nobody")
    app.push(listening("game"))
    app.advance(0.0)
    app.pause()
    app.post("key")
    assert app.advance(5.0) == 0
    assert heard == ["game key"]
    app.push(listening("menu"))
    app.post("click")
    app.advance(6.0)
    assert heard == ["game key", "menu click"]
    app.resume()
    assert app.advance(6.0 + 1 / 60) == 1


def test_quit_ends_catching_up() -> None:
    talk, app = Talk(), App()
    app.push(talk.scene("game", on_tick=lambda app: app.quit()))
    app.advance(0.0)
    talk.take()
    assert app.advance(1.0) == 1, "the number of ticks that ran"
    assert app.is_over


def test_the_stack_refuses_what_makes_no_sense() -> None:
    app = App(rate=30)
    with pytest.raises(AppError, match="no scene"):
        _ = app.world
    with pytest.raises(AppError, match="same rate"):
        app.push(Scene(rate=60))
    scene = Scene(rate=30)
    app.push(scene)
    with pytest.raises(AppError, match="already"):
        app.push(scene)
    with pytest.raises(AppError, match="already"):
        app.replace(scene)
    assert app.scenes == [scene]


def test_close_from_inside_a_tick_is_refused() -> None:
    rules = Plugin("rules")
    rules.on(Begin)(lambda world, begin: world.resource(App).close())
    app = App(rules)
    with pytest.raises(AppError, match="quit"):
        app.run_ticks(1)
    app.close()
    assert app.is_over


def test_close_ends_recordings_and_the_watchdog_even_if_a_scene_fails_to_leave(tmp_path: Path) -> None:
    rules = Plugin("rules")

    @rules.on(SceneLeft)
    def fail(world: World, event: SceneLeft) -> None:
        raise RuntimeError("no")

    app = App(rules)
    app.watchdog = Watchdog(1.0, ManualClock())
    app.watchdog.start()
    app.scene.recorder = Recorder(tmp_path / "a.twr", {})
    app.run_ticks(3)
    with pytest.raises(RuntimeError, match="no"):
        app.close()
    journal = read_journal(tmp_path / "a.twr")
    assert (journal.damage, journal.last_tick) == (None, 3)


def test_the_reactor_drives_an_app_by_any_clock() -> None:
    clock = ManualClock()
    app = App(Plugin("nothing"))
    seen: list[float] = []

    def each(now: float) -> None:
        seen.append(now)
        clock.advance(1 / 60)

    asyncio.run(run(app, clock=clock, each=each, seconds=0.51))
    assert app.scene.tick == 30
    assert seen[0] == 0.0

    async def beside() -> list[str]:
        log: list[str] = []

        async def other() -> None:
            log.append("other")
            app.quit()

        await asyncio.gather(run(app, clock=clock, each=each), other())
        return log

    assert asyncio.run(beside()) == ["other"], "other tasks run beside the ticks"


def test_an_error_ends_the_reactor() -> None:
    rules = Plugin("rules")

    @rules.on(Tick)
    def fail(world: World, tick: Tick) -> None:
        raise RuntimeError("no")

    clock = ManualClock()
    with pytest.raises(RuntimeError, match="no"):
        asyncio.run(run(App(rules), clock=clock, each=lambda now: clock.advance(0.1)))
