"""The canvas: drawing at once, for HUDs and debug views, in virtual screen or world coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.graphics.color import WHITE
from engine.graphics.line import Point
from engine.graphics.text import Align


class Canvas(Protocol):
    """Draws shapes, text and pictures over what is there. Colours are 0xRRGGBBAA with straight alpha.

    A `fill` of None leaves a shape empty, a `width` of 0 leaves out its outline. With `glow`, the reach of its light
    in pixels, an outline or a text is light added to what is below. What repeats from image to image is kept, so
    drawing the same shape again is cheap.
    """

    @property
    def width(self) -> float:
        """Of the drawable area, in the canvas' own units."""
        ...

    @property
    def height(self) -> float: ...

    def line(
        self, x1: float, y1: float, x2: float, y2: float, color: int = WHITE, *, width: float = 1.0, glow: float = 0.0
    ) -> None: ...

    def polyline(
        self,
        points: Sequence[Point],
        color: int = WHITE,
        *,
        width: float = 1.0,
        glow: float = 0.0,
        closed: bool = False,
    ) -> None: ...

    def polygon(
        self,
        points: Sequence[Point],
        *,
        fill: int | None = None,
        color: int = WHITE,
        width: float = 0.0,
        glow: float = 0.0,
    ) -> None: ...

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: int | None = None,
        color: int = WHITE,
        width: float = 1.0,
        glow: float = 0.0,
    ) -> None: ...

    def arc(
        self,
        x: float,
        y: float,
        radius: float,
        start: float,
        end: float,
        color: int = WHITE,
        *,
        width: float = 2.0,
        glow: float = 0.0,
    ) -> None:
        """A part of a circle from angle `start` to `end`, in radians, clockwise from the right."""
        ...

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: int | None = None,
        color: int = WHITE,
        line: float = 0.0,
        glow: float = 0.0,
        radius: float = 0.0,
    ) -> None:
        """A rectangle from its top left corner; `line` is the outline's width, `radius` rounds the corners."""
        ...

    def bar(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        share: float,
        color: int = WHITE,
        *,
        back: int = 0x00000080,
        radius: float = 0.0,
        segments: int = 1,
    ) -> None:
        """A gauge filled from the left by `share`, 0 to 1, perhaps cut into `segments`."""
        ...

    def text(
        self,
        text: str,
        x: float,
        y: float,
        *,
        size: float = 20.0,
        color: int = WHITE,
        align: Align = "left",
        glow: float = 0.0,
        font: str = "",
    ) -> None:
        """A line of text; `y` is its top. Capital letters are about half as high as `size`.

        `font` is a path below the asset roots, or empty for the default font.
        """
        ...

    def measure(self, text: str, *, size: float = 20.0, font: str = "") -> tuple[float, float]:
        """Width and height that `text` would take, in the canvas' units."""
        ...

    def sprite(
        self,
        image: str,
        x: float,
        y: float,
        *,
        scale: float = 1.0,
        angle: float = 0.0,
        tint: int = WHITE,
        opacity: float = 1.0,
        additive: bool = False,
    ) -> None:
        """A picture with its middle at (x, y)."""
        ...

    def picture(self, image: str, x: float, y: float, width: float, height: float, *, opacity: float = 1.0) -> None:
        """A picture stretched into a rectangle given by its top left corner."""
        ...


class NullCanvas:
    """Draws nothing and counts the calls; text is measured as if every letter were as wide as half its height."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self.calls: list[str] = []
        """The names of the methods called, in order."""
        self.texts: list[str] = []
        """The texts drawn, in order."""

    def line(
        self, x1: float, y1: float, x2: float, y2: float, color: int = WHITE, *, width: float = 1.0, glow: float = 0.0
    ) -> None:
        self.calls.append("line")

    def polyline(
        self,
        points: Sequence[Point],
        color: int = WHITE,
        *,
        width: float = 1.0,
        glow: float = 0.0,
        closed: bool = False,
    ) -> None:
        self.calls.append("polyline")

    def polygon(
        self,
        points: Sequence[Point],
        *,
        fill: int | None = None,
        color: int = WHITE,
        width: float = 0.0,
        glow: float = 0.0,
    ) -> None:
        self.calls.append("polygon")

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: int | None = None,
        color: int = WHITE,
        width: float = 1.0,
        glow: float = 0.0,
    ) -> None:
        self.calls.append("circle")

    def arc(
        self,
        x: float,
        y: float,
        radius: float,
        start: float,
        end: float,
        color: int = WHITE,
        *,
        width: float = 2.0,
        glow: float = 0.0,
    ) -> None:
        self.calls.append("arc")

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: int | None = None,
        color: int = WHITE,
        line: float = 0.0,
        glow: float = 0.0,
        radius: float = 0.0,
    ) -> None:
        self.calls.append("rect")

    def bar(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        share: float,
        color: int = WHITE,
        *,
        back: int = 0x00000080,
        radius: float = 0.0,
        segments: int = 1,
    ) -> None:
        self.calls.append("bar")

    def text(
        self,
        text: str,
        x: float,
        y: float,
        *,
        size: float = 20.0,
        color: int = WHITE,
        align: Align = "left",
        glow: float = 0.0,
        font: str = "",
    ) -> None:
        self.calls.append("text")
        self.texts.append(text)

    def measure(self, text: str, *, size: float = 20.0, font: str = "") -> tuple[float, float]:
        return len(text) * size / 2, size

    def sprite(
        self,
        image: str,
        x: float,
        y: float,
        *,
        scale: float = 1.0,
        angle: float = 0.0,
        tint: int = WHITE,
        opacity: float = 1.0,
        additive: bool = False,
    ) -> None:
        self.calls.append("sprite")

    def picture(self, image: str, x: float, y: float, width: float, height: float, *, opacity: float = 1.0) -> None:
        self.calls.append("picture")
