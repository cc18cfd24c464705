"""Work on other threads, and the watchdog that looks on from one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from engine.app import (
    App,
    AppError,
    Commanded,
    Overrun,
    Plugin,
    Scene,
    SceneEntered,
    Tick,
    Watchdog,
    WorkFailed,
)
from engine.ecs import World
from engine.testing import InlineExecutor, ManualClock


@dataclass(slots=True)
class Found:
    path: list[int]


def search(goal: int) -> list[int]:
    if goal < 0:
        raise ValueError("no way there")
    return list(range(goal))


def seeker(goal: int, done: Callable[[list[int]], object] = Found) -> tuple[Plugin, list[tuple[int, object]]]:
    plugin = Plugin("seeker")
    came: list[tuple[int, object]] = []

    @plugin.on(Tick)
    def ask(world: World, tick: Tick) -> None:
        if tick.number == 2:
            world.resource(Scene).work(search, goal, done=done)

    for kind in (Found, WorkFailed):

        def note(world: World, event: object) -> None:
            came.append((world.resource(Scene).tick, event))

        plugin.on(kind)(note)
    return plugin, came


def test_work_comes_back_as_an_event_of_the_next_tick() -> None:
    plugin, came = seeker(3)
    app = App(plugin, executor=InlineExecutor())
    app.run_ticks(5)
    assert came == [(3, Found([0, 1, 2]))]


def test_work_that_fails_says_so() -> None:
    plugin, came = seeker(-1)
    App(plugin, executor=InlineExecutor()).run_ticks(5)
    assert came == [(3, WorkFailed("search", "ValueError('no way there')"))]


def test_a_result_that_makes_no_event_says_so() -> None:
    def done(path: list[int]) -> object:
        raise KeyError("what")

    plugin, came = seeker(3, done)
    App(plugin, executor=InlineExecutor()).run_ticks(5)
    assert came == [(3, WorkFailed("search", "KeyError('what')"))]


def test_work_runs_on_another_thread() -> None:
    plugin = Plugin("threads")
    threads: list[threading.Thread] = []
    arrived = threading.Event()

    @plugin.on(SceneEntered)
    def start(world: World, event: SceneEntered) -> None:
        def done(thread: threading.Thread) -> object:
            arrived.set()
            return thread

        world.resource(Scene).work(threading.current_thread, done=done)

    plugin.on(threading.Thread)(lambda world, thread: threads.append(thread))
    app = App(plugin)
    assert arrived.wait(10)
    app.executor.shutdown(wait=True)
    app.run_ticks(1)
    app.close()
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_a_scene_without_an_app_has_no_workers() -> None:
    with pytest.raises(AppError, match="push it onto an App"):
        Scene().work(search, 1, done=Found)


class Waiting(InlineExecutor):
    """Holds its work until the end, as a busy pool does."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.futures.append(Future())
        return self.futures[-1]


def test_work_cancelled_at_the_end_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    plugin, came = seeker(3)
    waiting = Waiting()
    app = App(plugin, executor=waiting)
    app.run_ticks(2)
    with caplog.at_level(logging.ERROR):
        waiting.futures[0].cancel()
    app.run_ticks(2)
    assert came == []
    assert not caplog.records


def test_workers_from_outside_outlive_the_app() -> None:
    with ThreadPoolExecutor(1) as shared:
        App(Plugin("one"), executor=shared).close()
        assert shared.submit(search, 2).result() == [0, 1]


# The watchdog


def slow_plugin(happen: Callable[[], object], *, in_source: bool = False) -> Plugin:
    plugin = Plugin("slow")

    @plugin.on(Tick)
    def path_search(world: World, tick: Tick) -> None:
        if not in_source:
            deeper(happen)

    @plugin.commands()
    def slow_bot(world: World) -> Iterable[Commanded[Found]]:
        if in_source:
            deeper(happen)
        return ()

    return plugin


def deeper(happen: Callable[[], object]) -> None:
    happen()


@pytest.mark.parametrize("in_source", [False, True])
def test_the_watchdog_names_what_overruns_while_it_does(in_source: bool) -> None:
    clock = ManualClock()
    heard: list[Overrun] = []

    def happen() -> None:
        clock.advance(0.01)
        assert watchdog.check() is None, "within its budget"
        clock.advance(0.05)
        looked = threading.Thread(target=watchdog.check)
        looked.start()
        looked.join()
        assert watchdog.check() is None, "once a tick is enough"

    app = App(slow_plugin(happen, in_source=in_source))
    watchdog = app.watchdog = Watchdog(1 / 60, clock, heard.append)
    app.run_ticks(2)
    assert watchdog.check() is None
    assert [overrun.tick for overrun in heard] == [1, 2]
    overrun = heard[0]
    assert overrun.seconds == pytest.approx(0.06)
    assert ("slow_bot" if in_source else "path_search") in overrun.handler
    assert "test_work.py" in overrun.handler
    assert overrun.at.rpartition(":")[0] == threading.__file__, "where it waits right now"
    assert "tick 1 has been running for 0.060 s" in str(overrun)


def test_the_watchdog_tells_scenes_with_the_same_tick_apart() -> None:
    clock = ManualClock()
    app = App(slow_plugin(lambda: (clock.advance(1), watchdog.check())))
    app.push(Scene(slow_plugin(lambda: (clock.advance(1), watchdog.check())), pauses_below=False))
    watchdog = app.watchdog = Watchdog(0.5, clock)
    app.run_ticks(1)
    assert watchdog.overruns == 2


def test_the_watchdog_thread_can_be_stopped_and_started_again() -> None:
    clock = ManualClock()
    seen = threading.Event()
    watchdog = Watchdog(0.001, clock, lambda overrun: seen.set())
    for _ in range(2):
        seen.clear()
        watchdog.start()
        watchdog.start()
        assert sum(thread.name == "tickwire-watchdog" for thread in threading.enumerate()) == 1
        watchdog.tick_started(1)
        clock.advance(1.0)
        assert seen.wait(10)
        watchdog.tick_ended()
        watchdog.stop()
        watchdog.stop()
        assert not any(thread.name == "tickwire-watchdog" for thread in threading.enumerate())


def test_a_report_that_fails_does_not_end_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    reports: list[Overrun] = []
    twice = threading.Event()

    def report(overrun: Overrun) -> None:
        reports.append(overrun)
        if len(reports) == 2:
            twice.set()
        raise RuntimeError("cannot report")

    watchdog = Watchdog(0.001, clock, report)
    watchdog.start()
    for tick in (1, 2):
        watchdog.tick_started(tick)
        clock.advance(1.0)
        while len(reports) < tick:
            assert not twice.wait(0.001) or tick == 2
        watchdog.tick_ended()
    watchdog.stop()
    assert [overrun.tick for overrun in reports] == [1, 2]


def test_a_budget_must_be_a_time() -> None:
    with pytest.raises(AppError, match="budget"):
        Watchdog(0, ManualClock())
