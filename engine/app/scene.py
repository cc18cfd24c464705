"""Scenes: a world, its dispatcher and the plugins it is built from, run tick by tick. Reads no clock.

An app stacks scenes: a menu over a match, a pause screen over both. Everything a scene needs from the outside
comes through `receive`, is stamped with the tick it is delivered in, and can be recorded and replayed.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from enum import Enum
from typing import Any, TypeVar, cast

from engine.app.command import Commanded, CommandSource
from engine.app.errors import AppError
from engine.app.plugin import Plugin, in_order
from engine.app.recording import Recorder, Replay
from engine.app.stages import Begin, Commands, End, Frame, Physics, Tick
from engine.ecs import Resource, Snapshot, World, capture, restore
from engine.events import CascadeError, Dispatcher, Failure, OnError

T = TypeVar("T")

log = logging.getLogger("tickwire.app")


class Time(Resource):
    """The simulation's own time, part of its state."""

    dt: float = 1 / 60
    """The length of a tick in seconds."""
    tick: int = 0
    """The number of the tick being run, or of the last one run."""

    @property
    def seconds(self) -> float:
        """Simulated seconds since the start."""
        return self.tick * self.dt


@dataclasses.dataclass(slots=True)
class SceneEntered:
    """The scene has been put on top of the stack."""


@dataclasses.dataclass(slots=True)
class SceneCovered:
    """Another scene has been put above this one."""


@dataclasses.dataclass(slots=True)
class SceneUncovered:
    """The scene above has gone; this one is on top again."""


@dataclasses.dataclass(slots=True)
class SceneLeft:
    """The scene has been taken off the stack."""


@dataclasses.dataclass(slots=True)
class WorkFailed:
    """Work given to `Scene.work` raised; `task` names the function."""

    task: str
    error: str


class Scene:
    """A world in motion.

    `resources` are inserted before the plugins' set-ups run, so they are where a game's options go. `pauses_below`
    says whether scenes under this one stand still, `shows_below` whether they are drawn.
    """

    def __init__(
        self,
        *plugins: Plugin,
        name: str = "scene",
        seed: int = 0,
        rate: float = 60.0,
        resources: Sequence[object] = (),
        on_error: OnError = OnError.RAISE,
        on_failure: Callable[[Failure], None] | None = None,
        pauses_below: bool = True,
        shows_below: bool = False,
    ) -> None:
        self.name = name
        self.seed = seed
        self.pauses_below = pauses_below
        self.shows_below = shows_below
        self.plugins = in_order(plugins)
        unset: Any = None
        self.dispatcher: Dispatcher[World] = Dispatcher(unset, on_error=on_error, on_failure=on_failure)
        self.world = World(seed=seed, outlet=self.dispatcher)
        self.dispatcher.context = self.world
        self.time = self.world.insert(Time(dt=1.0 / rate))
        self.world.insert(self)
        self.recorder: Recorder | None = None
        self.replay: Replay | None = None
        self.executor: Executor | None = None
        self._sources: list[CommandSource] = []
        self._source_failures: dict[int, int] = {}
        self._command_keys: dict[type, Any] = {}
        """`Commanded[...]` by type of command."""
        self._inbox: deque[object] = deque()
        self._known: tuple[int, dict[str, type]] = (-1, {})
        for resource in resources:
            self.world.insert(resource)
        for plugin in self.plugins:
            self._subscribe(plugin)
        self._sources.sort(key=lambda source: source.simulated)  # as in a replay, which has people's commands first
        for plugin in self.plugins:
            for build in plugin.setups:
                build(self.world)
        self._settle()

    def _subscribe(self, plugin: Plugin) -> None:
        for b in plugin.bindings:
            subscribe = self.dispatcher.subscribe_batch if b.batch else self.dispatcher.subscribe
            subscribe(b.key, cast(Any, b.handler), phase=b.phase, priority=b.priority, site=b.site)
        self._sources.extend(plugin.sources)

    # The outside world

    @property
    def tick(self) -> int:
        """The number of the last tick run, or of the one running; 0 before the first."""
        return self.time.tick

    def receive(self, event: object) -> None:
        """Take an event from outside; it is delivered at the beginning of the next tick. Safe from any thread."""
        self._inbox.append(event)

    def work(self, task: Callable[..., T], *arguments: Any, done: Callable[[T], object]) -> None:
        """Run `task(*arguments)` on a worker thread; `done(result)` makes the event that comes back for it.

        The task must not touch the world, nor must `done`. If one raises, `WorkFailed` comes back instead. In a replay
        the journal's results count, if it has them. Raises `AppError` if the
        scene has no executor, that is, if it is in no app.
        """
        if self.executor is None:
            raise AppError(f"scene {self.name!r} has no workers; push it onto an App, or set scene.executor")
        name = getattr(task, "__qualname__", repr(task))

        def deliver(future: Future[T]) -> None:
            if future.cancelled():  # the app was closed
                return
            try:
                event = done(future.result())
            except BaseException as error:
                event = WorkFailed(name, repr(error))
            self.receive(event)

        self.executor.submit(task, *arguments).add_done_callback(deliver)

    # Ticks and frames

    def run_tick(self) -> None:
        """Run one tick: Begin, Commands, Tick, Physics, End."""
        time = self.time
        time.tick += 1
        number, dt = time.tick, time.dt
        events, commands = self._taken_in(number)
        for event in events:
            if self.recorder is not None:
                self.recorder.event(number, event)
        self._run(Begin(number, dt), events)
        self._run_commands(Commands(number, dt), commands)
        self._run(Tick(number, dt))
        self._run(Physics(number, dt))
        self._run(End(number, dt))
        if self.recorder is not None:
            self.recorder.tick_done(self)
        if self.replay is not None:
            self.replay.tick_done(self)

    def run_frame(self, frame: Frame) -> None:
        """Let the presentation prepare an image."""
        self._run(frame)

    def deliver_external(self) -> None:
        """Deliver what has arrived without running a tick, as while paused; stamped with the coming tick."""
        events = self.take_waiting()
        for event in events:
            if self.recorder is not None:
                self.recorder.event(self.tick + 1, event)
        if events:
            for event in events:
                self.dispatcher.post(event)
            self.deliver_posted()

    def deliver_posted(self) -> None:
        """Deliver what is queued inside the scene, outside of any tick."""
        with self.world.deferred():
            self.dispatcher.deliver()
        self._settle()

    def take_waiting(self) -> list[object]:
        """Take back the events from outside that have not been delivered."""
        inbox = self._inbox
        return [inbox.popleft() for _ in range(len(inbox))]

    def _taken_in(self, number: int) -> tuple[list[object], list[Commanded[Any]] | None]:
        events = self.take_waiting()
        if self.replay is None:
            return events, None
        replayed, commands = self.replay.take(self, number)
        return [*replayed, *(event for event in events if not self.replay.has_noted(event))], commands

    def _run(self, stage: object, events: Iterable[object] = ()) -> None:
        dispatcher = self.dispatcher
        with self.world.deferred():
            dispatcher.trigger(stage)
            for event in events:
                dispatcher.post(event)
            if dispatcher.pending:
                dispatcher.deliver()
        self._settle()

    def _run_commands(self, stage: Commands, replayed: list[Commanded[Any]] | None) -> None:
        dispatcher = self.dispatcher
        with self.world.deferred():
            dispatcher.trigger(stage)
            for command in replayed or ():
                self._post_command(command)
            for source in self._sources:
                if replayed is not None and not source.simulated:
                    continue
                try:
                    for command in source.sample(self.world):
                        if self.recorder is not None and not source.simulated:
                            self.recorder.event(stage.number, command)
                        self._post_command(command)
                except Exception as error:
                    self._source_failed(source, error)
            if dispatcher.pending:
                dispatcher.deliver()
        self._settle()

    def _source_failed(self, source: CommandSource, error: Exception) -> None:
        """As the dispatcher does with a handler: let the error out, or report it and disable what fails often."""
        name = getattr(source.sample, "__qualname__", repr(source.sample))
        if self.dispatcher.on_error is OnError.RAISE:
            error.add_note(f"in {name}, asked for the commands of tick {self.tick}")
            raise error
        failures = self._source_failures[id(source)] = self._source_failures.get(id(source), 0) + 1
        disabled = failures >= self.dispatcher.patience
        if disabled:
            self._sources = [other for other in self._sources if other is not source]
        end = f"; disabled after {failures} failures" if disabled else ""
        log.error("%s raised %r when asked for the commands of tick %d%s", name, error, self.tick, end, exc_info=error)

    def _post_command(self, command: Commanded[Any]) -> None:
        commanded: Any = Commanded
        wanted: object = command.command
        key = self._command_keys.get(type(wanted))
        if key is None:
            key = self._command_keys[type(wanted)] = commanded[type(wanted)]
        self.dispatcher.post_as(key, command)

    def _settle(self) -> None:
        """Deliver the lifecycle events that the stage's structural changes caused, and what follows from them."""
        rounds = 0
        while self.dispatcher.pending:
            rounds += 1
            if rounds > self.dispatcher.depth:
                self.dispatcher.clear()
                error = CascadeError(
                    f"entities were still coming and going {self.dispatcher.depth} times after a stage of tick "
                    f"{self.tick}; a handler of Spawned, Despawned, Added or Removed causes the next one without end"
                )
                if self.dispatcher.on_error is OnError.RAISE:
                    raise error
                log.error("%s", error)
                return
            with self.world.deferred():
                self.dispatcher.deliver()

    # State

    def capture(self) -> Snapshot:
        """A snapshot of the world between ticks; see `engine.ecs.capture`."""
        return capture(self.world)

    def restore(self, snapshot: Snapshot) -> None:
        """Put the world back to a snapshot of it; see `engine.ecs.restore`."""
        restore(self.world, snapshot)
        self._settle()

    def known_types(self) -> dict[str, type]:
        """The dataclasses and enums this scene has handlers for, by name: what a journal may name.

        A name that several of them have stands for none: better no replay than one with the wrong events.
        """
        version, known = self._known
        if version != self.dispatcher.version:
            found: dict[str, set[type]] = {Commanded.__name__: {Commanded}}
            for key in self.dispatcher.keys():  # noqa: SIM118
                for kind in (getattr(key, "__origin__", key), *getattr(key, "__args__", ())):
                    if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or issubclass(kind, Enum)):
                        found.setdefault(kind.__name__, set()).add(kind)
            known = {name: kinds.pop() for name, kinds in found.items() if len(kinds) == 1}
            self._known = (self.dispatcher.version, known)
        return known

    def close(self) -> None:
        """End a recording in order."""
        if self.recorder is not None:
            self.recorder.close(self.tick)
            self.recorder = None

    def __repr__(self) -> str:
        return f"<Scene {self.name!r} at tick {self.tick}>"
