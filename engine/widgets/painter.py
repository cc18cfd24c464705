"""The painter: a canvas with a theme, and what all widgets draw with it."""

from __future__ import annotations

from math import exp

from engine.graphics import Align, Canvas, Color, Rect
from engine.widgets.theme import Theme

LEVELS = 8
"""Steps of anything that fades, so that a canvas can keep what it has drawn."""
SETTLED = 0.01


class Ease:
    """A level from 0 to 1 on its way to where it should be."""

    __slots__ = ("target", "value")

    def __init__(self, value: float = 0.0) -> None:
        self.value = value
        self.target = value

    def advance(self, dt: float, quickness: float) -> None:
        """Go on for `dt` seconds."""
        self.value += (self.target - self.value) * (1.0 - exp(-quickness * dt))
        if abs(self.target - self.value) < SETTLED:
            self.value = self.target

    @property
    def level(self) -> float:
        """The value, in steps."""
        return round(self.value * LEVELS) / LEVELS


class Painter:
    """Draws on `canvas`, everything with `opacity` and moved down by `dy`."""

    def __init__(self, canvas: Canvas, theme: Theme) -> None:
        self.canvas = canvas
        self.theme = theme
        self.opacity = 1.0
        self.dy = 0.0

    def color(self, color: int) -> int:
        """The colour as it is drawn now."""
        return color if self.opacity >= 1.0 else Color.of(color).fade(self.opacity)

    def box(
        self,
        rect: Rect,
        *,
        fill: int | None = None,
        outline: int | None = None,
        line: float | None = None,
        glow: float = 0.0,
        radius: float | None = None,
    ) -> None:
        """A rectangle with round corners, filled, outlined or both."""
        radius = self.theme.radius if radius is None else radius
        x, y = rect.x, rect.y + self.dy
        if fill is not None:
            self.canvas.rect(x, y, rect.width, rect.height, fill=self.color(fill), radius=radius)
        if outline is not None:
            self.canvas.rect(
                x,
                y,
                rect.width,
                rect.height,
                color=self.color(outline),
                line=self.theme.stroke if line is None else line,
                glow=glow,
                radius=radius,
            )

    def line(
        self, x1: float, y1: float, x2: float, y2: float, color: int, *, width: float = 2.0, glow: float = 0.0
    ) -> None:
        """A straight line."""
        self.canvas.line(x1, y1 + self.dy, x2, y2 + self.dy, self.color(color), width=width, glow=glow)

    def disc(self, x: float, y: float, radius: float, color: int, *, glow: float = 0.0) -> None:
        """A filled circle, perhaps with a shine around it."""
        color = self.color(color)
        if glow:
            self.canvas.circle(x, y + self.dy, radius, color=color, width=2.0, glow=glow)
        self.canvas.circle(x, y + self.dy, radius, fill=color, width=0.0)

    def chevron(self, x: float, y: float, size: float, direction: int, color: int) -> None:
        """An arrow head with its middle at (x, y), to the right for 1 and to the left for -1."""
        back, tip = x - direction * size / 2, x + direction * size / 2
        y += self.dy
        points = [(back, y - size), (tip, y), (back, y + size)]
        self.canvas.polyline(points, self.color(color), width=2.0)

    def text(
        self,
        text: str,
        rect: Rect,
        color: int,
        *,
        size: float | None = None,
        align: Align = "left",
        glow: float = 0.0,
    ) -> None:
        """A line of text in the middle of the rectangle's height; cut with an ellipsis if it is too long."""
        if not text:
            return
        size = self.theme.size if size is None else size
        width, height = self.measure(text, size)
        if width > rect.width:
            text = self.cut(text, rect.width, size)
        x = {"left": rect.x, "center": rect.x + rect.width / 2, "right": rect.right}[align]
        y = rect.y + (rect.height - height) / 2 + self.dy
        self.canvas.text(text, x, y, size=size, color=self.color(color), align=align, glow=glow, font=self.theme.font)

    def measure(self, text: str, size: float) -> tuple[float, float]:
        """What a text really takes."""
        return self.canvas.measure(text, size=size, font=self.theme.font)

    def cut(self, text: str, width: float, size: float) -> str:
        """As much of the beginning of a text as fits with an ellipsis."""
        fits, beyond = 0, len(text)
        while beyond - fits > 1:
            middle = (fits + beyond) // 2
            if self.measure(text[:middle].rstrip() + "…", size)[0] <= width:
                fits = middle
            else:
                beyond = middle
        return text[:fits].rstrip() + "…"


def mixed(a: int, b: int, share: float) -> int:
    """Colour `a` with a share of `b` in it."""
    return a if share <= 0 else b if share >= 1 else Color.of(a).mix(b, share)
