from dataclasses import dataclass

import pytest

from engine.app import App, AppError, Plugin
from engine.ecs import World
from engine.scene import Timers, timers


@dataclass(slots=True)
class Rang:
    name: str


def ringing() -> tuple[App, list[tuple[int, str]]]:
    heard: list[tuple[int, str]] = []
    listener = Plugin("listener", needs=[timers])

    @listener.on(Rang)
    def hear(world: World, rang: Rang) -> None:
        heard.append((app.scene.tick, rang.name))

    app = App(listener)
    return app, heard


def test_a_timer_rings_once_at_its_tick():
    app, heard = ringing()
    app.world.resource(Timers).after(app.world, 0.5, Rang("half"))
    app.run_ticks(100)
    assert heard == [(30, "half")]


def test_timers_due_together_ring_in_the_order_they_were_made():
    app, heard = ringing()
    clock = app.world.resource(Timers)
    for name in ("a", "b", "c"):
        clock.after(app.world, 0.1, Rang(name))
    app.run_ticks(6)
    assert heard == [(6, "a"), (6, "b"), (6, "c")]


def test_no_time_at_all_means_the_next_tick():
    app, heard = ringing()
    app.world.resource(Timers).after(app.world, 0.0, Rang("now"))
    app.run_ticks(2)
    assert heard == [(1, "now")]


def test_repeating_until_cancelled():
    app, heard = ringing()
    clock = app.world.resource(Timers)
    number = clock.every(app.world, 1 / 60 * 10, Rang("beat"))
    app.run_ticks(35)
    assert [tick for tick, _ in heard] == [10, 20, 30]
    assert clock.cancel(number)
    assert not clock.cancel(number)
    app.run_ticks(35)
    assert len(heard) == 3


def test_timers_are_part_of_a_snapshot():
    app, heard = ringing()
    app.world.resource(Timers).after(app.world, 0.5, Rang("half"))
    snapshot = app.scene.capture()
    app.run_ticks(40)
    app.scene.restore(snapshot)
    app.run_ticks(40)
    assert heard == [(30, "half"), (30, "half")]


def test_a_negative_time_is_refused():
    app, _ = ringing()
    with pytest.raises(AppError, match="at least 0"):
        app.world.resource(Timers).after(app.world, -1.0, Rang("never"))
