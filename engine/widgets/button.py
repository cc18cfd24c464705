"""Buttons: a word to press."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.widgets.events import Pressed
from engine.widgets.painter import Painter, mixed
from engine.widgets.theme import Theme
from engine.widgets.widget import Size, Widget, grown

if TYPE_CHECKING:
    from engine.widgets.ui import Ui


class Button(Widget):
    """Posts `Pressed`, and calls `on_press()` before. `color` is that of its outline; None is the theme's."""

    takes_focus = True

    def __init__(
        self,
        text: str,
        on_press: Callable[[], object] | None = None,
        *,
        color: int | None = None,
        width: float | None = None,
        height: float | None = None,
        enabled: bool = True,
    ) -> None:
        super().__init__(width=width, height=height, enabled=enabled)
        self._text = text
        self.on_press = on_press
        self.color = color

    @property
    def text(self) -> str:
        """What it says."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.touch()

    def content_size(self, theme: Theme) -> Size:
        return theme.text_width(self._text) + 2 * theme.padding, theme.row

    def activate(self, ui: Ui) -> None:
        self.down.value = 1.0
        if self.on_press is not None:
            self.on_press()
        ui.post(Pressed(self))

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme = painter.theme
        accent = theme.accent if self.color is None else self.color
        hot, down = self.hot.level, self.down.level
        rest = theme.line if self.color is None else mixed(theme.line, self.color, 0.5)
        painter.box(
            grown(self.rect, -2.0 * down),
            fill=mixed(mixed(theme.field, theme.lit, hot), accent, 0.35 * down),
            outline=mixed(rest, accent, hot),
            glow=theme.glow * hot,
        )
        painter.text(
            self._text,
            grown(self.rect, -theme.padding / 2),
            mixed(theme.ink, 0xFFFFFFFF, hot),
            align="center",
            glow=theme.glow / 3 * hot,
        )
