"""Labels and pictures: widgets that are only looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.graphics import Align, Rect
from engine.widgets.painter import Painter
from engine.widgets.theme import Theme
from engine.widgets.widget import Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui


class Label(Widget):
    """Text of one or more lines; with a `width` it is broken to fit. Colour and size are the theme's if not given."""

    def __init__(
        self,
        text: str,
        *,
        size: float | None = None,
        color: int | None = None,
        align: Align = "left",
        glow: float = 0.0,
        width: float | None = None,
    ) -> None:
        super().__init__(width=width)
        self._text = text
        self.text_size = size
        self.color = color
        self.align: Align = align
        self.glow = glow

    @property
    def text(self) -> str:
        """What it says."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.touch()

    def _lines(self, theme: Theme) -> list[str]:
        size = self.text_size or theme.size
        return self._text.split("\n") if self.width is None else theme.wrapped(self._text, size, self.width)

    def content_size(self, theme: Theme) -> Size:
        size = self.text_size or theme.size
        lines = self._lines(theme)
        return max(theme.text_width(line, size) for line in lines), theme.text_height(size) * len(lines)

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme, rect = painter.theme, self.rect
        size = self.text_size or theme.size
        lines = self._lines(theme)
        height = theme.text_height(size)
        top = rect.y + (rect.height - height * len(lines)) / 2
        for number, line in enumerate(lines):
            painter.text(
                line,
                Rect(rect.x, top + number * height, rect.width, height),
                theme.ink if self.color is None else self.color,
                size=size,
                align=self.align,
                glow=self.glow,
            )


class Picture(Widget):
    """A picture by its asset name, drawn `width` by `height`, with a frame if wanted."""

    def __init__(self, image: str, width: float, height: float, *, framed: bool = False) -> None:
        super().__init__(width=width, height=height)
        self.image = image
        self.framed = framed

    def draw(self, painter: Painter, ui: Ui) -> None:
        rect = self.rect
        if self.image:
            painter.canvas.picture(
                self.image, rect.x, rect.y + painter.dy, rect.width, rect.height, opacity=painter.opacity
            )
        if self.framed:
            painter.box(rect, outline=painter.theme.line, radius=4.0)
