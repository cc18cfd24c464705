"""F3: where the time goes. While it is off, nothing of it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from engine.app import Begin, End, Frame, Plugin, Scene
from engine.ecs import World
from engine.events import Phase, Subscription, Trace
from engine.events.trace import Span
from engine.graphics import Canvas, DrawOverlay, Particles
from engine.input import Key, KeyPressed
from games.ricochet.presentation.looks import BRIGHT, CALM, GOLD

profiler = Plugin("ricochet.presentation.profiler")

FIRST = 1_000_000
"""Priority of what must come before, or, negated, after everything else of its stage."""
REFRESH = 0.5
"""Seconds between two looks at what was measured."""
MOST_SPANS = 60_000
"""Handler calls noted between two looks; a busy match makes some 20,000."""
SLOWEST = 10
"""Handlers shown."""


class Tracing(Trace):
    """A trace that also counts the events. Those delivered in a batch count as one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock, limit=MOST_SPANS)
        self.events = 0
        self._last: object = None

    def around(self, subscription: Subscription, call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        traced = super().around(subscription, call)

        def counted(context: object, event: object) -> None:
            if event is not self._last:
                self._last = event
                self.events += 1
            traced(context, event)

        return counted

    def clear(self) -> None:
        """Forget what was noted."""
        self.spans.clear()
        self.dropped = self.events = 0


@dataclass
class Timing:
    """How long something took since the last look, in seconds."""

    started: float = 0.0
    total: float = 0.0
    longest: float = 0.0
    count: int = 0

    def stop(self, now: float) -> None:
        if self.started:
            self.total += now - self.started
            self.longest = max(self.longest, now - self.started)
            self.count += 1

    def shown(self, name: str, seconds: float) -> str:
        """For example: 60 ticks/s · 3.1 ms · at most 5.0 ms."""
        mean = self.total / max(1, self.count) * 1000
        return f"{self.count / seconds:.0f} {name}/s  ·  {mean:.1f} ms  ·  at most {self.longest * 1000:.1f} ms"


@dataclass
class Profiler:
    """What is measured: a resource of every match that is shown. Insert one with a `clock` to say what time it is."""

    clock: Callable[[], float] = perf_counter
    trace: Tracing | None = None
    subscriptions: list[Subscription] = field(default_factory=lambda: list[Subscription]())
    ticks: Timing = field(default_factory=Timing)
    frames: Timing = field(default_factory=Timing)
    since: float = 0.0
    lines: list[str] = field(default_factory=lambda: list[str]())
    handlers: list[tuple[str, str]] = field(default_factory=lambda: list[tuple[str, str]]())
    """The slowest ones, with their milliseconds a second."""

    @property
    def on(self) -> bool:
        return self.trace is not None


@profiler.setup
def prepare(world: World) -> None:
    if world.find_resource(Profiler) is None:
        world.insert(Profiler())


@profiler.on(KeyPressed)
def toggle(world: World, pressed: KeyPressed) -> None:
    if pressed.key is not Key.F3 or pressed.repeat:
        return
    state, dispatcher = world.resource(Profiler), world.resource(Scene).dispatcher
    if state.on:
        for subscription in state.subscriptions:
            subscription.cancel()
        state.subscriptions.clear()
        state.trace = dispatcher.tracer = None
        return
    state.trace = dispatcher.tracer = Tracing(state.clock)
    state.lines, state.handlers = ["measuring ..."], []
    _reset(state)
    state.subscriptions = [
        dispatcher.subscribe(Begin, _tick_begins, phase=Phase.EARLY, priority=FIRST),
        dispatcher.subscribe(End, _tick_ends, phase=Phase.LATE, priority=-FIRST),
        dispatcher.subscribe(Frame, _frame_begins, phase=Phase.EARLY, priority=FIRST),
        dispatcher.subscribe(Frame, _frame_ends, phase=Phase.LATE, priority=-FIRST),
        dispatcher.subscribe(DrawOverlay, _draw, phase=Phase.LATE, priority=-FIRST),
    ]


def _reset(state: Profiler) -> None:
    state.ticks, state.frames = Timing(), Timing()
    state.since = state.clock()
    if state.trace is not None:
        state.trace.clear()


def _tick_begins(world: World, stage: Begin) -> None:
    state = world.resource(Profiler)
    state.ticks.started = state.clock()


def _tick_ends(world: World, stage: End) -> None:
    state = world.resource(Profiler)
    state.ticks.stop(state.clock())


def _frame_begins(world: World, frame: Frame) -> None:
    state = world.resource(Profiler)
    state.frames.started = state.clock()


def _frame_ends(world: World, frame: Frame) -> None:
    state = world.resource(Profiler)
    now = state.clock()
    state.frames.stop(now)
    if now - state.since >= REFRESH:
        _look(world, state, now - state.since)
        _reset(state)


def _look(world: World, state: Profiler, seconds: float) -> None:
    trace = state.trace
    if trace is None:
        return
    events = trace.events / max(1, state.ticks.count)
    state.lines = [
        state.ticks.shown("ticks", seconds),
        state.frames.shown("frames", seconds),
        f"{len(world)} entities  ·  {len(world.resource(Particles))} particles  ·  {events:.0f} events a tick",
    ]
    slowest = sorted(own_times(trace.spans).items(), key=lambda entry: -entry[1])[:SLOWEST]
    state.handlers = [(name, f"{total * 1000 / seconds:.1f}") for name, total in slowest]


def own_times(spans: Iterable[Span]) -> dict[str, float]:
    """Seconds by handler and event, without those of the handlers that ran inside. Spans come in order of their end."""
    times: defaultdict[str, float] = defaultdict(float)
    ended: list[tuple[float, float]] = []
    for span in spans:
        inside = 0.0
        while ended and ended[-1][0] >= span.start:
            inside += ended.pop()[1]
        ended.append((span.start, span.length))
        times[f"{span.handler.lstrip('_')} ({span.event})"] += span.length - inside
    return dict(times)


def _draw(world: World, overlay: DrawOverlay) -> None:
    state = world.resource(Profiler)
    canvas: Canvas = overlay.canvas
    left, top, width, step = 14.0, 150.0, 400.0, 19.0
    rows = len(state.lines) + len(state.handlers) + (1 if state.handlers else 0)
    canvas.rect(left, top, width, 20 + step * rows, fill=0x04060CD8, color=CALM.fade(0.4), line=1, radius=10)
    y = top + 11
    for line in state.lines:
        canvas.text(line, left + 14, y, size=16, color=BRIGHT)
        y += step
    if state.handlers:
        canvas.text("slowest handlers", left + 14, y, size=14, color=CALM)
        canvas.text("ms a second", left + width - 14, y, size=14, color=CALM, align="right")
        y += step
    for name, amount in state.handlers:
        canvas.text(name, left + 14, y, size=15, color=CALM)
        canvas.text(amount, left + width - 14, y, size=15, color=GOLD, align="right")
        y += step
