"""Playing in a window: opens it, wires input, picture and sound to an app, and runs it until it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.app import App, Game, Options, Plugin, Recorder, Scene, Watchdog
from engine.assets import AssetError, Assets
from engine.desktop.loop import show
from engine.desktop.mixer import open_mixer
from engine.desktop.offscreen import Offscreen
from engine.desktop.pump import Pump
from engine.desktop.software import SoftwareRenderer
from engine.desktop.widgets import system_clipboard
from engine.desktop.window import Window, WindowError
from engine.events import OnError, Trace
from engine.graphics import Camera, Display, Screen, graphics
from engine.input import Key, KeyPressed, QuitRequested
from engine.sound import NullMixer, Speakers

SIZE = (1280, 720)
SLOW_TICK = 0.25
"""Seconds a tick may take before the watchdog names the handler that holds it up."""
UNSEEN_SECONDS = 5.0
SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Speeds of a replay, changed by the up and down arrows."""


def play(
    *plugins: Plugin,
    title: str = "Tickwire",
    size: tuple[int, int] = SIZE,
    assets: Path | str | None = None,
    resources: Sequence[object] = (),
    seed: int = 0,
    seconds: float | None = None,
) -> None:
    """Open a window and run these plugins in it until it is closed, or Esc or Ctrl-C is pressed. For small programs.

    The world's origin is in the middle of the window. Pictures and sounds are looked for below `assets`, else below
    the current folder. Without a display the program runs unseen, for `seconds` or five of its own seconds, and leaves
    a picture of the end, named after the title.
    """
    files = Assets(assets) if assets is not None else Assets()
    scene = Scene(graphics, *plugins, seed=seed, resources=[files, *resources])
    scene.world.resource(Camera).look_at(0.0, 0.0)
    app = App(rate=60)
    with suppress(KeyboardInterrupt):
        try:
            window = Window(title, size)
        except WindowError as error:
            print(f"{error}")
            _play_unseen(app, scene, title, size, UNSEEN_SECONDS if seconds is None else seconds)
            return
        with window:
            stage = Stage(app, window, files, mute=False)
            app.push(scene)
            stage.run(seconds=seconds, on_key=lambda key: app.quit() if key is Key.ESCAPE else None)


def _play_unseen(app: App, scene: Scene, title: str, size: tuple[int, int], seconds: float) -> None:
    offscreen = Offscreen(size)
    app.shared += offscreen.resources()
    app.push(scene)
    ticks = max(1, round(seconds / scene.time.dt))
    for tick in range(ticks):
        app.run_ticks(1)
        if app.is_over:
            return
        if tick >= ticks - offscreen.warm_up_ticks:
            offscreen.draw(scene)
    picture = Path("".join(c if c.isalnum() else "-" for c in title.lower()) + ".png")
    offscreen.save(picture)
    app.close()
    print(f"ran {seconds:g} s unseen; {picture} shows the end")


def play_game(
    game: Game,
    options: Options,
    *,
    skip_opening: bool = False,
    fullscreen: bool = False,
    mute: bool = False,
    seconds: float | None = None,
    screenshot: Path | None = None,
    record: Path | None = None,
    header: Mapping[str, Any] | None = None,
    trace: Path | None = None,
) -> None:
    """Play a game in a window: from its opening, or a match at once.

    `seconds` of real time, if given, end it. `record` keeps the match, `screenshot` the last image, `trace` which
    handler ran when.
    """
    app = App(rate=60)
    with Window(game.title, SIZE, fullscreen=fullscreen, icon=icon_of(game)) as window:
        stage = Stage(app, window, assets_of(game), mute=mute)
        if game.opening is not None and not skip_opening:
            app.push(game.opening(app, options))
        else:
            plugins = [*game.view(options), *game.pilot(options)]
            scene = game.scene(options, plugins, resources=stage.resources(), on_error=OnError.ISOLATE)
            if record is not None:
                scene.recorder = Recorder(record, header or {}, only=game.journalled)
            app.push(scene)
        spans = Trace(time.perf_counter) if trace is not None else None
        app.scene.dispatcher.tracer = spans
        stage.run(seconds=seconds)
        if screenshot is not None:
            stage.renderer.save(screenshot)
        if trace is not None and spans is not None:
            spans.write(trace)


def show_replay(scene: Scene, title: str, *, speed: float = 1.0, seconds: float | None = None) -> None:
    """Show a scene that is fed from a recording, until its end or until Esc.

    Space pauses, the right arrow steps while paused, up and down change the speed.
    """
    app = App(rate=round(1 / scene.time.dt))
    replay = scene.replay
    assert replay is not None

    def steer(key: Key) -> None:
        step = app.step
        if key is Key.ESCAPE:
            app.quit()
        elif key is Key.SPACE:
            step.paused = not step.paused
        elif key is Key.RIGHT:
            app.pause()
            step.step()
        elif key in (Key.UP, Key.DOWN):
            faster = [s for s in SPEEDS if s > step.speed][:1] or [SPEEDS[-1]]
            slower = [s for s in SPEEDS if s < step.speed][-1:] or [SPEEDS[0]]
            step.speed = (faster if key is Key.UP else slower)[0]

    with Window(f"{title} — replay", SIZE) as window:
        assets = scene.world.find_resource(Assets) or Assets()
        stage = Stage(app, window, assets, mute=False)
        app.step.speed = speed
        app.push(scene)
        stage.run(
            seconds=seconds,
            on_key=steer,
            before_present=lambda now: app.quit() if scene.tick >= replay.last_tick else None,
        )


class Stage:
    """One window with its input, picture and sound, shared by all scenes of an app."""

    def __init__(self, app: App, window: Window, assets: Assets, *, mute: bool) -> None:
        self.app = app
        self.window = window
        self.renderer = SoftwareRenderer(assets=assets, surface=window.surface)
        self.speakers = Speakers(NullMixer(keep=0) if mute else open_mixer(assets))
        display = Display(lambda: window.fullscreen, window.toggle_fullscreen, window.show_pointer)
        app.shared += [Screen(self.renderer), self.speakers, display, system_clipboard()]

    def resources(self) -> list[object]:
        """What scenes are shown and heard through."""
        return list(self.app.shared)

    def run(
        self,
        *,
        seconds: float | None = None,
        on_key: Callable[[Key], object] | None = None,
        before_present: Callable[[float], object] | None = None,
    ) -> None:
        app = self.app

        def post(event: object) -> None:
            if isinstance(event, QuitRequested):
                app.quit()
                return
            if on_key is not None and isinstance(event, KeyPressed) and not event.repeat:
                on_key(event.key)
            app.post(event)

        pump = Pump(self.window, post)
        app.watchdog = Watchdog(SLOW_TICK, time.perf_counter)
        app.watchdog.start()
        try:
            asyncio.run(
                show(
                    app,
                    self.window,
                    pump=pump.pump,
                    renderer=self.renderer,
                    before_present=before_present,
                    seconds=seconds,
                )
            )
        finally:
            app.watchdog.stop()
            pump.close()
            app.close()
            self.speakers.mixer.close()


def assets_of(game: Game) -> Assets:
    """A game's pictures and sounds; if it has none, those below the current folder."""
    try:
        return Assets.of(game.name)
    except AssetError:
        return Assets()


def icon_of(game: Game) -> Path | None:
    """The picture for its window, if it has one."""
    return assets_of(game).find("sprites/icon.png")
