"""Panels: a framed box with a title around other widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.graphics import Rect
from engine.widgets.layout import Container
from engine.widgets.painter import Painter
from engine.widgets.theme import Theme
from engine.widgets.widget import Anchor, Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui


class Panel(Container):
    """A box around one widget, usually a `Column`. `anchor` and `margin` say where on the screen it is shown."""

    def __init__(
        self,
        child: Widget,
        *,
        title: str = "",
        width: float | None = None,
        height: float | None = None,
        anchor: Anchor = Anchor.CENTER,
        margin: float = 24.0,
        enabled: bool = True,
    ) -> None:
        super().__init__(child, width=width, height=height, enabled=enabled)
        self.title = title
        self.anchor = anchor
        self.margin = margin

    def _top(self, theme: Theme) -> float:
        """The room above the child."""
        return theme.inset + (theme.text_height(theme.title) + theme.spacing * 1.5 if self.title else 0.0)

    def content_size(self, theme: Theme) -> Size:
        width, height = self.children[0].size(theme)
        title = theme.text_width(self.title, theme.title) if self.title else 0.0
        return max(width, title) + 2 * theme.inset, height + self._top(theme) + theme.inset

    def place(self, rect: Rect, theme: Theme) -> None:
        super().place(rect, theme)
        top = self._top(theme)
        inner = Rect(rect.x + theme.inset, rect.y + top, rect.width - 2 * theme.inset, rect.height - top - theme.inset)
        self.children[0].place(inner, theme)

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme, rect = painter.theme, self.rect
        painter.box(rect, fill=theme.panel, outline=theme.accent, glow=theme.glow, radius=theme.radius * 1.6)
        if self.title:
            line = theme.text_height(theme.title)
            painter.text(
                self.title,
                Rect(rect.x + theme.inset, rect.y + theme.inset, rect.width - 2 * theme.inset, line),
                theme.accent,
                size=theme.title,
                align="center",
                glow=theme.glow * 0.5,
            )
            y = rect.y + theme.inset + line + theme.spacing * 0.6
            painter.line(rect.x + theme.inset, y, rect.right - theme.inset, y, theme.line, width=1.0)
        super().draw(painter, ui)
