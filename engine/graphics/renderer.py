"""Renderers: what draws. The graphics plugin works out what is seen and hands it over in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.assets import Assets
from engine.graphics.camera import View
from engine.graphics.canvas import Canvas, NullCanvas
from engine.graphics.line import Point

Floats = NDArray[np.float64]


@dataclass(slots=True)
class SpriteBatch:
    """Pictures to draw in the order given, each column of shape (sprites,)."""

    picture: NDArray[np.uint32]
    """Numbers; see `engine.graphics.picture`."""
    x: Floats
    """The middle, in virtual screen pixels."""
    y: Floats
    angle: NDArray[np.floating]
    """Radians, clockwise on the screen."""
    scale: NDArray[np.floating]
    """Screen pixels per picture pixel."""
    tint: NDArray[np.uint32]
    opacity: NDArray[np.floating]
    flip_x: NDArray[np.bool_]
    additive: bool

    def __len__(self) -> int:
        return len(self.x)


class Stroke(NamedTuple):
    """A line through points; widths are in the same units as the points."""

    points: tuple[Point, ...]
    color: int
    width: float
    glow: float
    closed: bool


class Renderer(Protocol):
    """Draws images of a fixed virtual size. An image: `begin`, then any of the others; what comes later covers."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image in virtual pixels."""
        ...

    @property
    def is_blank(self) -> bool:
        """Whether nothing has been drawn since `begin`."""
        ...

    def begin(self) -> None:
        """Start the next image."""
        ...

    def use(self, assets: Assets) -> None:
        """Take the pictures and fonts named from now on from there."""
        ...

    def fill(self, color: int) -> None:
        """Cover the whole image."""
        ...

    def radii(self, pictures: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Half of each picture's diagonal in picture pixels, for culling; shape as given."""
        ...

    def sprites(self, batch: SpriteBatch) -> None:
        """Draw sprites."""
        ...

    def geometry(self, key: object, strokes: Sequence[Stroke], view: View) -> None:
        """Draw lines that stand in the world and rarely change; `key` tells one such set from another."""
        ...

    def stroke(self, stroke: Stroke, x: float, y: float, angle: float, view: View) -> None:
        """Draw a line that moves: its points turned by `angle` and put at the world point (x, y)."""
        ...

    def tiling(self, image: str, x: float, y: float, zoom: float) -> None:
        """Cover the image with a picture repeated, one of its corners at the screen point (x, y)."""
        ...

    def canvas(self, view: View | None = None) -> Canvas:
        """A canvas in virtual screen coordinates, or in world coordinates as seen in `view`."""
        ...


@dataclass(slots=True)
class Screen:
    """The resource through which a world is drawn. Whoever shows a scene inserts it; without it nothing is drawn."""

    renderer: Renderer


class NullRenderer:
    """Draws nothing and keeps what it was given, for tests and for machines that only need the work done."""

    def __init__(self, width: int = 1280, height: int = 720, *, radius: float = 8.0) -> None:
        self.size = (width, height)
        self.assets: Assets | None = None
        self.radius = radius
        self.is_blank = True
        self.filled: list[int] = []
        self.batches: list[SpriteBatch] = []
        self.strokes: list[Stroke] = []
        self.tilings: list[str] = []
        self.calls: list[str] = []
        """The names of the drawing methods called for this image, in order."""
        self.overlay = NullCanvas(width, height)
        """The canvas in screen coordinates."""
        self.world_canvas = NullCanvas(width, height)

    @property
    def sprite_count(self) -> int:
        """How many sprites were drawn in this image."""
        return sum(len(batch) for batch in self.batches)

    def begin(self) -> None:
        self.is_blank = True
        for given in (self.filled, self.batches, self.strokes, self.tilings, self.calls):
            given.clear()
        for canvas in (self.overlay, self.world_canvas):
            canvas.calls.clear()
            canvas.texts.clear()

    def use(self, assets: Assets) -> None:
        self.assets = assets

    def _drawn(self, what: str) -> None:
        self.is_blank = False
        self.calls.append(what)

    def fill(self, color: int) -> None:
        self._drawn("fill")
        self.filled.append(color)

    def radii(self, pictures: NDArray[np.uint32]) -> NDArray[np.float64]:
        return np.full(pictures.shape, self.radius)

    def sprites(self, batch: SpriteBatch) -> None:
        self._drawn("sprites")
        self.batches.append(batch)

    def geometry(self, key: object, strokes: Sequence[Stroke], view: View) -> None:
        self._drawn("geometry")
        self.strokes.extend(strokes)

    def stroke(self, stroke: Stroke, x: float, y: float, angle: float, view: View) -> None:
        self._drawn("stroke")
        self.strokes.append(stroke)

    def tiling(self, image: str, x: float, y: float, zoom: float) -> None:
        self._drawn("tiling")
        self.tilings.append(image)

    def canvas(self, view: View | None = None) -> Canvas:
        return self.overlay if view is None else self.world_canvas
