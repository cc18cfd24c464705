"""The window and its loop, on SDL's dummy display, and the letterbox on paper."""

import asyncio
import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pygame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import App, Plugin, Scene
from engine.assets import Assets
from engine.desktop.letterbox import Letterbox
from engine.desktop.loop import show
from engine.desktop.window import Window, WindowError, display_available
from engine.ecs import World
from engine.graphics import Camera, Color, DrawOverlay, Screen, graphics

SIZES = st.tuples(st.integers(1, 5000), st.integers(1, 5000))


@given(SIZES, SIZES, st.floats(-5000, 5000), st.floats(-5000, 5000))
def test_window_and_virtual_points_map_both_ways(virtual: tuple[int, int], window: tuple[int, int], x: float, y: float):
    box = Letterbox.fit(virtual, window)
    assert box.to_window(*box.to_virtual(x, y)) == pytest.approx((x, y), abs=1e-5)
    assert box.to_virtual(*box.to_window(x, y)) == pytest.approx((x, y), abs=1e-5)


@given(SIZES, SIZES)
def test_the_virtual_screen_is_in_the_middle_and_as_large_as_fits(virtual: tuple[int, int], window: tuple[int, int]):
    box = Letterbox.fit(virtual, window)
    assert box.left >= 0
    assert box.top >= 0
    assert box.left + box.width <= window[0]
    assert box.top + box.height <= window[1]
    assert box.width == window[0] or box.height == window[1]
    assert abs((window[0] - box.width) - 2 * box.left) <= 1
    assert abs((window[1] - box.height) - 2 * box.top) <= 1
    if min(window) > 50 and max(virtual) < 20 * min(virtual):
        assert box.width / box.height == pytest.approx(virtual[0] / virtual[1], rel=0.05)


def test_corners_of_a_wide_window():
    box = Letterbox.fit((1280, 720), (2000, 720))
    assert box.to_virtual(360, 0) == (0, 0)
    assert box.to_virtual(1640, 720) == (1280, 720)
    assert box.to_virtual(0, 0)[0] < 0


@pytest.fixture
def dummy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    yield
    pygame.display.quit()


def test_a_window_shows_its_virtual_screen(dummy: None):
    with Window("Test", (320, 180)) as window:
        assert window.size == (320, 180)
        window.surface.fill((10, 20, 30))
        window.present()
        shown = pygame.display.get_surface()
        assert shown is not None
        assert tuple(shown.get_at((160, 90)))[:3] == (10, 20, 30)
        assert window.to_virtual(12, 34) == (12, 34)
        assert pygame.display.get_caption()[0] == "Test"
    assert pygame.display.get_surface() is None


def test_fullscreen_letterboxes_and_comes_back(dummy: None):
    with Window("Test", (300, 300)) as window:
        window.surface.fill((10, 20, 30))
        assert window.toggle_fullscreen() is True
        assert window.fullscreen
        window.present()
        shown = pygame.display.get_surface()
        assert shown is not None
        width, height = shown.get_size()
        assert width > height > 300
        assert tuple(shown.get_at((5, height // 2)))[:3] == (0, 0, 0)
        assert tuple(shown.get_at((width // 2, height // 2)))[:3] == (10, 20, 30)
        assert window.to_virtual(width / 2, height / 2) == pytest.approx((150, 150), abs=1)
        assert window.toggle_fullscreen() is False
        assert window.size == (300, 300)


def test_the_pointer_can_be_hidden(dummy: None):
    with Window("Test", (320, 180)) as window:
        window.show_pointer(False)
        assert not pygame.mouse.get_visible()
        window.show_pointer(True)
        assert pygame.mouse.get_visible()


def test_a_bad_icon_is_an_error_that_names_it(dummy: None, tmp_path: Path):
    with pytest.raises(WindowError, match=r"icon\.png"):
        Window("Test", icon=tmp_path / "icon.png")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_the_error_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    assert not display_available()
    code = (
        "from engine.desktop.window import Window, WindowError\n"
        "try: Window('x')\n"
        "except WindowError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "no display" in said
    assert "DISPLAY" in said


class Clock:
    """Each look at it takes a hundredth of a second."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.01
        return self.now


def overlay(label: str, order: list[str]):
    plugin = Plugin(label, needs=[graphics])

    @plugin.on(DrawOverlay)
    def _(world: World, draw: DrawOverlay) -> None:
        order.append(label)

    return plugin


def run(app: App, window: Window, **options: Any):
    asyncio.run(show(app, window, clock=Clock(), frame_rate=1e6, assets=Assets(), **options))


def test_the_loop_pumps_ticks_and_draws_all_visible_scenes(dummy: None):
    order: list[str] = []
    app = App()
    below = Scene(overlay("match", order), name="match")
    below.world.resource(Camera).background = Color(50, 60, 70)
    app.push(below)
    app.push(Scene(overlay("pause", order), name="pause", shows_below=True))
    with Window("Test", (320, 180)) as window:
        seen: list[float] = []
        run(app, window, pump=lambda: order.append("pump"), before_present=seen.append, seconds=1.0)
        assert order[:3] == ["pump", "match", "pause"]
        assert len(seen) == order.count("pump") > 5
        assert app.scene.tick > 5
        assert below.tick == 0
        assert tuple(window.surface.get_at((5, 5)))[:3] == (50, 60, 70)
        assert below.world.resource(Screen).renderer is app.world.resource(Screen).renderer


def test_the_loop_ends_when_the_app_is_over(dummy: None):
    app = App(graphics)
    frames: list[int] = []

    def pump():
        frames.append(1)
        if len(frames) == 3:
            app.quit()

    with Window("Test", (320, 180)) as window:
        run(app, window, pump=pump)
    assert len(frames) == 3


def test_an_error_in_drawing_ends_the_loop_and_is_raised(dummy: None):
    plugin = Plugin("broken", needs=[graphics])

    @plugin.on(DrawOverlay)
    def _(world: World, draw: DrawOverlay) -> None:
        raise RuntimeError("broken overlay")

    with Window("Test", (320, 180)) as window, pytest.raises(RuntimeError, match="broken overlay"):
        run(App(plugin), window, pump=lambda: None, seconds=1.0)


def test_what_stays_is_spared_from_collections_and_a_scene_that_has_gone_is_freed(dummy: None):
    app = App(graphics)
    gone = weakref.ref(app.scene)
    spared: list[int] = []

    def pump():
        spared.append(gc.get_freeze_count())
        if len(spared) == 3:
            app.replace(Scene(graphics))
        if len(spared) == 6:
            app.quit()

    with Window("Test", (320, 180)) as window:
        run(app, window, pump=pump)
    assert spared[0] == 0
    assert min(spared[1:]) > 0
    assert gone() is None
    assert gc.get_freeze_count() == 0
