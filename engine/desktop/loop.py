"""The loop of a windowed app: pump, tick, draw, show, and sleep until the next image is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from engine.app import App, Scene
from engine.app.garbage import Sweeper, set_aside, take_back
from engine.assets import Assets
from engine.desktop.software import SoftwareRenderer
from engine.desktop.window import Window
from engine.graphics import Renderer, Screen

HIDDEN_RATE = 10.0
"""Looks at the app per second while the window is minimised."""


async def show(
    app: App,
    window: Window,
    *,
    pump: Callable[[], object],
    renderer: Renderer | None = None,
    assets: Assets | None = None,
    before_present: Callable[[float], object] | None = None,
    frame_rate: float | None = None,
    seconds: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Run `app` in `window` until it is over, or for `seconds`.

    `pump()` is called before each image to post what people did. All visible scenes are drawn, the lowest first, by
    one renderer, which every scene gets as its `Screen`. `before_present(now)` may draw over the finished image, as
    widgets do. `frame_rate` is the window's own unless given. An exception from a tick or an image ends the loop and
    is raised.
    """
    rate = frame_rate or window.frame_rate
    drawn_by = renderer or SoftwareRenderer(assets=assets, surface=window.surface)
    started = due = clock()
    settled: list[Scene] = []
    sweeper = Sweeper(clock)
    try:
        while not app.is_over:
            now = clock()
            if seconds is not None and now - started >= seconds:
                return
            pump()
            app.advance(now)
            if app.is_over:
                return
            if window.is_shown:
                draw(app, drawn_by, now)
                if before_present is not None:
                    before_present(now)
                window.present()
            if app.scenes[:1] != settled:
                # Where all of the picture has just changed, the time this takes is not seen.
                settled = app.scenes[:1]
                set_aside()
            sweeper.sweep()
            now = clock()
            due = max(due + 1.0 / (rate if window.is_shown else HIDDEN_RATE), now - 1.0 / rate)
            await asyncio.sleep(max(0.0, due - now))
    finally:
        take_back()


def draw(app: App, renderer: Renderer, now: float) -> None:
    """Draw the visible scenes of `app` as they are at `now`, into one image."""
    renderer.begin()
    for scene in app.visible():
        screen = scene.world.find_resource(Screen)
        if screen is None or screen.renderer is not renderer:
            scene.world.insert(Screen(renderer))
    app.frame(now)
