"""The window: a virtual screen of fixed size, letterboxed into whatever size the desktop gives it."""

from __future__ import annotations

import os
import sys
from math import ceil
from pathlib import Path

import pygame

from engine.desktop.letterbox import Letterbox
from engine.desktop.quiet import quiet
from engine.errors import TickwireError

BAR_COLOR = (0, 0, 0)
USUAL_FRAMES = 60.0
"""Images per second where the screen does not tell its rate."""
MOST_FRAMES = 80
"""Images per second beyond which only every second or third of the screen's is drawn anew."""
_SCREENLESS = ("dummy", "offscreen")
"""SDL's video drivers that show nothing; fine if asked for by SDL_VIDEODRIVER, not as a way out."""
_CURE = "run where there is one (on Linux: DISPLAY or WAYLAND_DISPLAY set)"


class WindowError(TickwireError):
    """There is no display, or it does not give a window. The message says how to go on."""


def display_available() -> bool:
    """Whether this machine looks able to show a window; asked without opening one."""
    if os.environ.get("SDL_VIDEODRIVER") or sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Window:
    """A window with a virtual screen of `size` pixels::

        with Window("Ricochet") as window:
            window.surface.fill("navy")
            window.present()

    One at a time in a process. Raises `WindowError` if there is no display.
    """

    def __init__(
        self,
        title: str,
        size: tuple[int, int] = (1280, 720),
        *,
        fullscreen: bool = False,
        resizable: bool = True,
        vsync: bool = True,
        icon: Path | str | None = None,
    ) -> None:
        self.title = title
        self.virtual = size
        self.resizable = resizable
        self.vsync = vsync
        """Whether `present` waits for the screen; false if it was asked for and cannot be had."""
        self._fullscreen = False
        self._windowed = size
        _open_display()
        if pygame.display.get_driver() in _SCREENLESS:
            self.vsync = False  # there is no screen to wait for, and asking these drivers can end the process
        if icon is not None:
            _set_icon(icon)
        pygame.display.set_caption(title)
        self._set_mode(self._first_size(), fullscreen)
        self.surface = pygame.Surface(size, 0, 32)
        """The virtual screen; draw here, then `present`."""

    # Shape

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the window, in the units of pygame's mouse positions."""
        return pygame.display.get_window_size()

    @property
    def letterbox(self) -> Letterbox:
        """Where the virtual screen lies in the window."""
        return Letterbox.fit(self.virtual, self.size)

    def to_virtual(self, x: float, y: float) -> tuple[float, float]:
        """The virtual point under a window point."""
        return self.letterbox.to_virtual(x, y)

    def to_window(self, x: float, y: float) -> tuple[float, float]:
        """The window point at which a virtual point is shown."""
        return self.letterbox.to_window(x, y)

    @property
    def fullscreen(self) -> bool:
        """Whether the window covers the screen."""
        return self._fullscreen

    def toggle_fullscreen(self) -> bool:
        """Cover the screen, or go back to a window. Returns whether it covers the screen now."""
        if not self._fullscreen:
            self._windowed = self.size
        self._set_mode(self._windowed, not self._fullscreen)
        return self._fullscreen

    def _first_size(self) -> tuple[int, int]:
        """The virtual size, or as much of it as the desktop has room for."""
        desktops = pygame.display.get_desktop_sizes()
        width, height = desktops[0] if desktops else self.virtual
        scale = min(1.0, 0.95 * width / self.virtual[0], 0.9 * height / self.virtual[1])
        if self.virtual[0] <= width and self.virtual[1] <= height:
            scale = 1.0
        return round(self.virtual[0] * scale), round(self.virtual[1] * scale)

    def _set_mode(self, size: tuple[int, int], fullscreen: bool) -> None:
        flags = pygame.FULLSCREEN if fullscreen else pygame.RESIZABLE if self.resizable else 0
        target = (0, 0) if fullscreen else size
        try:
            try:
                pygame.display.set_mode(target, flags, vsync=int(self.vsync))
            except pygame.error:
                if not self.vsync:
                    raise
                self.vsync = False
                pygame.display.set_mode(target, flags)
        except pygame.error as error:
            raise WindowError(f"the display gives no window of {size[0]} × {size[1]}: {error}; {_CURE}") from None
        self._fullscreen = fullscreen

    @property
    def frame_rate(self) -> float:
        """Images per second to aim at: the screen's own rate, or an even part of it where that is high."""
        refresh = pygame.display.get_current_refresh_rate()
        return refresh / ceil(refresh / MOST_FRAMES) if refresh > 0 else USUAL_FRAMES

    # Showing

    def present(self) -> None:
        """Show the virtual screen."""
        shown = pygame.display.get_surface()
        if shown is None:
            return
        box = Letterbox.fit(self.virtual, shown.get_size())
        if (box.width, box.height) != shown.get_size():
            shown.fill(BAR_COLOR)
        if (box.width, box.height) == self.virtual:
            shown.blit(self.surface, (box.left, box.top))
        else:
            place = shown.subsurface((box.left, box.top, box.width, box.height))
            if place.get_bitsize() == 32:
                pygame.transform.smoothscale(self.surface, place.get_size(), place)
            else:
                place.blit(pygame.transform.smoothscale(self.surface, place.get_size()), (0, 0))
        pygame.display.flip()

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to see, that is, whether the window is not minimised."""
        return bool(pygame.display.get_active())

    def show_pointer(self, visible: bool) -> None:
        """Show the desktop's pointer over the window, or hide it where the game draws its own."""
        pygame.mouse.set_visible(visible)

    def save(self, path: Path | str) -> None:
        """Write the virtual screen as a picture. Raises `OSError` if that cannot be."""
        try:
            pygame.image.save(self.surface, path)
        except pygame.error as error:
            raise OSError(f"cannot write the picture {path}: {error}") from None

    def close(self) -> None:
        """Close the window."""
        pygame.display.quit()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open_display() -> None:
    try:
        with quiet():
            pygame.display.init()
    except pygame.error as error:
        raise WindowError(f"there is no display ({error}); {_CURE}") from None
    if pygame.display.get_driver() in _SCREENLESS and not os.environ.get("SDL_VIDEODRIVER"):
        pygame.display.quit()
        raise WindowError(f"there is no display; {_CURE}")


def _set_icon(icon: Path | str) -> None:
    try:
        pygame.display.set_icon(pygame.image.load(icon))
    except (pygame.error, OSError) as error:
        raise WindowError(
            f"the window's icon {icon} cannot be read: {error}; leave it out, or save it as PNG"
        ) from None
