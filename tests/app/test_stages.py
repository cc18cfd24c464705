"""One tick: the order of stages, when entities come and go, and what happens when handlers fail."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from engine.app import (
    App,
    AppError,
    Begin,
    Commanded,
    Commands,
    End,
    Frame,
    Physics,
    Plugin,
    Scene,
    Stage,
    Tick,
    Time,
)
from engine.ecs import I32, Added, Component, Entity, Spawned, World, i32
from engine.events import CascadeError, Failure, OnError


@dataclass(slots=True)
class Knock:
    """Comes from outside."""


@dataclass(slots=True)
class Echo:
    """What a knock causes."""


@dataclass(slots=True)
class Go:
    way: int


class Mark(Component):
    number: I32 = i32()


class Diary(list[str]):
    """What happened, as a resource."""


def diary_plugin() -> Plugin:
    plugin = Plugin("diary")

    @plugin.setup
    def prepare(world: World) -> None:
        world.insert(Diary())

    for stage in (Begin, Commands, Tick, Physics, End):

        def note(world: World, event: Stage) -> None:
            world.resource(Diary).append(f"{type(event).__name__} {event.number}")

        plugin.on(stage)(note)

    @plugin.on(Knock)
    def knock(world: World, event: Knock) -> None:
        world.resource(Diary).append("knock")
        world.post(Echo())

    @plugin.on(Echo)
    def echo(world: World, event: Echo) -> None:
        world.resource(Diary).append("echo")

    @plugin.commands()
    def sample(world: World) -> Iterable[Commanded[Go]]:
        world.resource(Diary).append("sample")
        yield Commanded(1, Go(world.resource(Time).tick))

    @plugin.on(Commanded[Go])
    def go(world: World, command: Commanded[Go]) -> None:
        world.resource(Diary).append(f"go {command.command.way}")

    return plugin


def test_a_tick_is_five_stages_with_what_they_cause_in_between() -> None:
    app = App(diary_plugin())
    app.post(Knock())
    app.run_ticks(2)
    assert list(app.world.resource(Diary)) == [
        *("Begin 1", "knock", "echo", "Commands 1", "sample", "go 1", "Tick 1", "Physics 1", "End 1"),
        *("Begin 2", "Commands 2", "sample", "go 2", "Tick 2", "Physics 2", "End 2"),
    ]


def test_a_stage_sees_a_fixed_set_of_entities_and_the_next_what_it_made() -> None:
    rules = Plugin("rules")
    seen: list[tuple[str, int]] = []
    lifecycle: list[str] = []

    @rules.on(Tick)
    def spawn(world: World, tick: Tick) -> None:
        if tick.number == 1:
            made = world.spawn(Mark(7))
            assert made[Mark].number == 7, "a new entity can be filled at once"
            seen.append(("tick", len(list(world.rows(Mark)))))

    @rules.on(Spawned)
    def spawned(world: World, event: Spawned) -> None:
        lifecycle.append("spawned")
        assert event.entity[Mark].number == 7

    @rules.on(Added[Mark])
    def added(world: World, event: Added[Mark]) -> None:
        lifecycle.append("added")

    @rules.on(Physics)
    def look(world: World, stage: Physics) -> None:
        seen.append(("physics", len(list(world.rows(Mark)))))
        for entity in list(world.rows(Entity, having=(Mark,))):
            world.despawn(entity)
            world.despawn(entity)
            assert not entity.alive

    @rules.on(End)
    def end(world: World, stage: End) -> None:
        seen.append(("end", len(list(world.rows(Mark)))))

    App(rules).run_ticks(1)
    assert seen == [("tick", 0), ("physics", 1), ("end", 0)]
    assert lifecycle == ["spawned", "added"]


def test_plugins_come_once_and_needed_ones_first() -> None:
    order: list[str] = []

    def named(name: str, *needs: Plugin) -> Plugin:
        plugin = Plugin(name, needs=needs)
        plugin.setup(lambda world: order.append(name))
        return plugin

    base = named("base")
    left, right = named("left", base), named("right", base)
    App(named("top", left, right), base)
    assert order == ["base", "left", "right", "top"]


def test_plugins_in_a_circle_are_an_error_that_shows_it() -> None:
    one = Plugin("one")
    two = Plugin("two", needs=[one])
    one.needs.append(two)
    with pytest.raises(AppError, match="one → two → one"):
        App(one)


def test_scenes_of_one_plugin_share_nothing() -> None:
    plugin = diary_plugin()
    one, two = Scene(plugin, seed=1), Scene(plugin, seed=1)
    one.run_tick()
    assert one.world.resource(Diary)
    assert not two.world.resource(Diary)
    assert one.world.rng.random() == two.world.rng.random()


def test_a_raising_handler_comes_out_with_its_name_by_default() -> None:
    rules = Plugin("rules")

    @rules.on(Tick)
    def broken(world: World, tick: Tick) -> None:
        raise ZeroDivisionError("oh")

    app = App(rules)
    with pytest.raises(ZeroDivisionError) as caught:
        app.run_ticks(1)
    notes = "".join(caught.value.__notes__)
    assert "broken" in notes
    assert "test_stages.py" in notes


def hostile_plugin() -> tuple[Plugin, list[int]]:
    """A plugin in which everything fails, and the list of ticks that came to their end all the same."""
    plugin = Plugin("hostile")
    ended: list[int] = []

    for stage in (Begin, Commands, Tick, Physics, End, Frame):

        def fail(world: World, event: object) -> None:
            raise RuntimeError("in a stage")

        plugin.on(stage)(fail)

    @plugin.on(Tick)
    def breed(world: World, tick: Tick) -> None:
        if tick.number == 2:
            world.spawn(Mark())

    @plugin.on(Spawned)
    def again(world: World, event: Spawned) -> None:
        world.spawn(Mark())

    @plugin.on(Knock)
    def loop(world: World, event: Knock) -> None:
        world.post(Knock())

    @plugin.commands()
    def no_command(world: World) -> Iterable[Commanded[Go]]:
        yield Commanded(1, Go(1))
        raise RuntimeError("in a command source")

    @plugin.on(Commanded[Go])
    def bad_command(world: World, event: Commanded[Go]) -> None:
        raise RuntimeError("in a command")

    @plugin.on(End, priority=-1)
    def end(world: World, event: End) -> None:
        ended.append(event.number)

    return plugin, ended


def test_nothing_a_plugin_does_stops_an_isolating_app(caplog: pytest.LogCaptureFixture) -> None:
    plugin, ended = hostile_plugin()
    failures: list[Failure] = []
    app = App(plugin, on_error=OnError.ISOLATE, on_failure=failures.append)
    with caplog.at_level(logging.ERROR):
        app.post(Knock())
        for number in range(30):
            app.run_ticks(1)
            app.frame(float(number))
    assert ended == list(range(1, 31))
    assert any(failure.disabled for failure in failures)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert said.count("coming and going") == 1, "the chain is cut, not carried on"
    assert "no_command" in said
    assert "disabled after 10 failures" in said
    assert said.count("no_command") == 10, "a source that always fails is asked no more"


def test_a_failing_command_source_is_named() -> None:
    rules = Plugin("rules")

    @rules.commands()
    def bot(world: World) -> Iterable[Commanded[Go]]:
        raise RuntimeError("no idea")

    with pytest.raises(RuntimeError) as caught:
        App(rules).run_ticks(1)
    assert "bot, asked for the commands of tick 1" in caught.value.__notes__[0]


def test_endless_spawning_names_its_cause() -> None:
    rules = Plugin("rules")

    @rules.on(Spawned)
    def again(world: World, event: Spawned) -> None:
        world.spawn(Mark())

    app = App(rules)
    app.world.spawn(Mark())
    with pytest.raises(CascadeError, match="coming and going"):
        app.run_ticks(1)


def test_time_is_state() -> None:
    app = App(Plugin("nothing"), rate=50)
    app.run_ticks(25)
    time = app.world.resource(Time)
    assert (time.tick, time.dt, time.seconds) == (25, 0.02, 0.5)
