"""The display a scene is shown on, as far as a game may want to change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Display:
    """A resource of every scene shown in a window; headless there is none, so ask with `find_resource`."""

    is_fullscreen: Callable[[], bool]
    toggle_fullscreen: Callable[[], object]
    show_pointer: Callable[[bool], object] = lambda visible: None
    """Show the desktop's pointer, or hide it where the game draws its own."""
