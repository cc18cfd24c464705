"""Drawing without a window: the same renderer on a surface in memory, for pictures of headless matches."""

from __future__ import annotations

from pathlib import Path

from engine.app import Frame, Scene
from engine.assets import Assets
from engine.desktop.software import SoftwareRenderer
from engine.graphics import Screen


class Offscreen:
    """Shows scenes to nobody::

    offscreen = Offscreen()
    scene = Scene(rules, view, resources=offscreen.resources())
    offscreen.draw(scene)
    offscreen.save("match.png")
    """

    warm_up_ticks = 45
    """How many ticks before a picture to begin drawing, one image a tick, so that trails and particles are in it."""

    def __init__(self, size: tuple[int, int] = (1280, 720), assets: Assets | None = None) -> None:
        self.renderer = SoftwareRenderer(size, assets)

    def resources(self) -> list[object]:
        """What a scene needs to be drawn here."""
        return [Screen(self.renderer)]

    def draw(self, *scenes: Scene) -> None:
        """Draw scenes as they are now, the lowest first."""
        self.renderer.begin()
        for scene in scenes:
            if scene.world.find_resource(Screen) is None:
                scene.world.insert(Screen(self.renderer))
            time = scene.time
            scene.run_frame(Frame(1.0, time.dt, time.seconds))

    def save(self, path: Path | str) -> None:
        """Write the last image. Raises `OSError` if that cannot be."""
        self.renderer.save(path)
