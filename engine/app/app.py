"""The app: a stack of scenes and the fixed step that drives them. `advance(now)` is synchronous and told the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from engine.app.clock import FixedStep
from engine.app.errors import AppError
from engine.app.plugin import Plugin
from engine.app.scene import Scene, SceneCovered, SceneEntered, SceneLeft, SceneUncovered
from engine.app.stages import Frame
from engine.app.watchdog import Watchdog
from engine.ecs import World
from engine.events import Failure, OnError

WORKERS = 2
MOST_CHANGES = 100
"""Scene changes that scene changes may cause before they are called endless."""


class App:
    """Runs scenes::

    app = App(rules, seed=7)
    app.run_ticks(60)
    """

    def __init__(
        self,
        *plugins: Plugin,
        seed: int = 0,
        rate: float = 60.0,
        resources: Sequence[object] = (),
        on_error: OnError = OnError.RAISE,
        on_failure: Callable[[Failure], None] | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.step = FixedStep(rate)
        self.scenes: list[Scene] = []
        """The stack, bottom first."""
        self.shared: list[object] = []
        """Resources that every scene gets when it is pushed, such as the screen it is shown on."""
        self.watchdog: Watchdog | None = None
        self._executor = executor
        self._owns_executor = executor is None
        self._changes: list[tuple[str, Scene | None]] = []
        self._running = False
        self._quit = False
        self._first_frame: float | None = None
        self._last_frame = 0.0
        if plugins or resources:
            self.push(
                Scene(
                    *plugins,
                    name="main",
                    seed=seed,
                    rate=rate,
                    resources=[self, *resources],
                    on_error=on_error,
                    on_failure=on_failure,
                )
            )

    # The stack

    @property
    def scene(self) -> Scene:
        """The scene on top. Raises `AppError` if there is none."""
        if not self.scenes:
            raise AppError("the app has no scene; push one, or make the app from plugins")
        return self.scenes[-1]

    @property
    def world(self) -> World:
        """The world of the scene on top."""
        return self.scene.world

    def push(self, scene: Scene) -> None:
        """Put a scene on top; inside a tick, when the tick is over.

        Raises `AppError` if the scene has another rate than the app, or is on the stack already.
        """
        self._check(scene)
        self._change("push", scene)

    def pop(self) -> None:
        """Take the top scene off; inside a tick, when the tick is over."""
        self._change("pop", None)

    def replace(self, scene: Scene) -> None:
        """Take all scenes off and start with this one; inside a tick, when the tick is over.

        Raises `AppError` like `push`.
        """
        self._check(scene)
        self._change("replace", scene)

    def quit(self) -> None:
        """Ask whoever drives the app to stop."""
        self._quit = True

    @property
    def is_over(self) -> bool:
        """Whether `quit` was called or no scene is left."""
        return self._quit or not (self.scenes or self._changes)

    def _check(self, scene: Scene) -> None:
        if scene.time.dt != self.step.dt:
            raise AppError(
                f"{scene} ticks every {scene.time.dt:.6f} s but its app every {self.step.dt:.6f} s; "
                "give both the same rate"
            )
        if scene in self.scenes or any(scene is coming for _, coming in self._changes):
            raise AppError(f"{scene} is on the stack already; make another scene from the same plugins")

    def _change(self, what: str, scene: Scene | None) -> None:
        self._changes.append((what, scene))
        if not self._running:
            self._apply_changes()

    def _apply_changes(self) -> None:
        """Make the changes asked for, and those that the scenes ask for when told, in order."""
        self._running = True
        try:
            made = 0
            while self._changes:
                what, scene = self._changes.pop(0)
                made += 1
                if made > MOST_CHANGES:
                    self._changes.clear()
                    raise AppError(
                        f"scenes were still being changed after {MOST_CHANGES} times (the last was to {what} {scene}); "
                        "a handler of SceneEntered, SceneUncovered or SceneLeft causes the next change without end"
                    )
                self._apply(what, scene)
        finally:
            self._running = False

    def _apply(self, what: str, scene: Scene | None) -> None:
        if what in ("pop", "replace"):
            leaving = self.scenes[-1:] if what == "pop" else self.scenes[::-1]
            for old in leaving:
                self.scenes.remove(old)
                try:
                    self._tell(old, SceneLeft())
                finally:
                    old.close()
            if what == "pop" and self.scenes:
                self._tell(self.scenes[-1], SceneUncovered())
        if scene is not None:
            if self.scenes:
                self._tell(self.scenes[-1], SceneCovered())
            scene.executor = self.executor
            scene.world.insert(self)
            for resource in self.shared:
                scene.world.insert(resource)
            self.scenes.append(scene)
            self._tell(scene, SceneEntered())

    def _tell(self, scene: Scene, event: object) -> None:
        scene.dispatcher.post(event)
        scene.deliver_posted()

    # The outside world

    def post(self, event: object) -> None:
        """Hand an event from outside to the top scene, for its next tick. Safe from any thread."""
        for scene in self.scenes[-1:]:  # a slice, as another thread may see the last scene go
            scene.receive(event)

    @property
    def executor(self) -> Executor:
        """The workers for `Scene.work`."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="tickwire-work")
        return self._executor

    def close(self) -> None:
        """Leave all scenes, closing recordings, and end the watchdog and the workers, unless these came from outside.

        Raises `AppError` inside a tick.
        """
        if self._running:
            raise AppError("an app cannot be closed from inside a tick; call quit(), and close() when it has ended")
        try:
            while self.scenes:
                self.pop()
        finally:
            if self.watchdog is not None:
                self.watchdog.stop()
            if self._executor is not None and self._owns_executor:
                self._executor.shutdown(wait=False, cancel_futures=True)
                self._executor = None

    # Time

    def pause(self) -> None:
        """Stop ticking; events from outside are still delivered."""
        self.step.paused = True

    def resume(self) -> None:
        """Tick on; the time spent paused is not caught up."""
        self.step.paused = False

    def advance(self, now: float) -> int:
        """Run the ticks due at `now`, in seconds of any steady clock. Returns how many ran."""
        due = self.step.advance(now)
        ran = 0
        while ran < due and not self.is_over:
            self.step.waiting = due - ran
            self._tick()
            ran += 1
        self.step.waiting = 0
        if not due and self.step.paused and self.scenes:
            self._guarded(self.scene.deliver_external)
        return ran

    def run_ticks(self, count: int) -> None:
        """Run this many ticks at once, whatever the time. For tests and headless runs."""
        for _ in range(count):
            self._tick()

    def frame(self, now: float) -> None:
        """Let the visible scenes prepare an image, bottom first, `now` as in `advance`."""
        if self._first_frame is None:
            self._first_frame = self._last_frame = now
        alpha = self.step.alpha
        frame = Frame(alpha, max(0.0, now - self._last_frame), now - self._first_frame)
        self._last_frame = now
        still = Frame(1.0, frame.dt, frame.time)

        def show() -> None:
            for scene in self.visible():
                scene.run_frame(frame if self._ticks(scene) else still)

        self._guarded(show)

    def visible(self) -> list[Scene]:
        """The scenes that are drawn, bottom first."""
        first = len(self.scenes) - 1
        while first > 0 and self.scenes[first].shows_below:
            first -= 1
        return self.scenes[max(0, first) :]

    def _ticks(self, scene: Scene) -> bool:
        """Whether no scene above pauses this one."""
        above = self.scenes[self.scenes.index(scene) + 1 :]
        return not any(other.pauses_below for other in above)

    def _tick(self) -> None:
        def tick() -> None:
            for scene in [scene for scene in self.scenes if self._ticks(scene)]:
                self._watched(scene)

        self._guarded(tick)

    def _watched(self, scene: Scene) -> None:
        watchdog = self.watchdog
        if watchdog is None:
            scene.run_tick()
            return
        watchdog.tick_started(scene.tick + 1)
        try:
            scene.run_tick()
        finally:
            watchdog.tick_ended()

    def _guarded(self, run: Callable[[], None]) -> None:
        """Run with stack changes held back until it is over."""
        outer, self._running = self._running, True
        try:
            run()
        finally:
            self._running = outer
            if not outer and self._changes:
                self._apply_changes()
