"""Timers: events that come later, counted in ticks, so that a replay and a restored snapshot keep them."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.app import AppError, Begin, Plugin, Time
from engine.ecs import Resource, World
from engine.events import Phase


@dataclass(slots=True)
class Timer:
    """One event waiting for its tick."""

    tick: int
    serial: int
    event: object
    every: int


class Timers(Resource):
    """The events to come. They are part of the state, so they must be dataclasses of plain values and handles."""

    waiting: list[Timer] = field(default_factory=list[Timer])
    made: int = 0

    def after(self, world: World, seconds: float, event: object) -> int:
        """Post `event` once, at the beginning of the tick `seconds` from now, at least one tick ahead.

        Returns a number for `cancel`.
        """
        return self._add(world, seconds, event, repeat=False)

    def every(self, world: World, seconds: float, event: object) -> int:
        """Post `event` again and again, every `seconds`. Returns a number for `cancel`."""
        return self._add(world, seconds, event, repeat=True)

    def cancel(self, number: int) -> bool:
        """Forget a timer; returns whether it was still waiting."""
        before = len(self.waiting)
        self.waiting = [timer for timer in self.waiting if timer.serial != number]
        return len(self.waiting) < before

    def due(self, tick: int) -> list[object]:
        """Take the events whose tick has come, in the order of their ticks and of their making."""
        now = sorted((t for t in self.waiting if t.tick <= tick), key=lambda t: (t.tick, t.serial))
        if now:
            self.waiting = [timer for timer in self.waiting if timer.tick > tick]
            for timer in now:
                if timer.every:
                    self.waiting.append(Timer(timer.tick + timer.every, timer.serial, timer.event, timer.every))
        return [timer.event for timer in now]

    def _add(self, world: World, seconds: float, event: object, *, repeat: bool) -> int:
        if not seconds >= 0:
            raise AppError(f"a timer of {seconds!r} seconds makes no sense; give a number of at least 0")
        time = world.resource(Time)
        ticks = max(1, round(seconds / time.dt))
        self.made += 1
        self.waiting.append(Timer(time.tick + ticks, self.made, event, ticks if repeat else 0))
        return self.made


timers = Plugin("engine.timers")
"""Include this to have a `Timers` resource."""


@timers.setup
def _prepare(world: World) -> None:
    world.insert(Timers())


@timers.on(Begin, phase=Phase.EARLY)
def _post_due(world: World, begin: Begin) -> None:
    for event in world.resource(Timers).due(begin.number):
        world.post(event)
