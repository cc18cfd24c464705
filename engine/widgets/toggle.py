"""Toggles: a setting that is on or off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.graphics import Rect
from engine.widgets.events import Changed
from engine.widgets.painter import Ease, Painter, mixed
from engine.widgets.theme import Theme
from engine.widgets.widget import Direction, Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui

SWITCH_WIDTH = 52.0
SWITCH_HEIGHT = 26.0


class Toggle(Widget):
    """A label and a switch. Posts `Changed` with a bool, and calls `on_change(value)` before."""

    takes_focus = True

    def __init__(
        self,
        label: str,
        value: bool = False,
        on_change: Callable[[bool], object] | None = None,
        *,
        width: float | None = None,
        enabled: bool = True,
    ) -> None:
        super().__init__(width=width, enabled=enabled)
        self.label = label
        self.on_change = on_change
        self._value = value
        self._on = Ease(float(value))

    @property
    def value(self) -> bool:
        """Whether it is on."""
        return self._value

    @value.setter
    def value(self, value: bool) -> None:
        self._value = value
        self._on.target = float(value)

    def _change(self, ui: Ui, value: bool) -> None:
        if value == self._value:
            return
        self.value = value
        if self.on_change is not None:
            self.on_change(value)
        ui.post(Changed(self, value))

    def content_size(self, theme: Theme) -> Size:
        return theme.text_width(self.label) + 2 * theme.padding + SWITCH_WIDTH + theme.spacing, theme.row

    def activate(self, ui: Ui) -> None:
        self._change(ui, not self._value)

    def nudge(self, ui: Ui, direction: Direction) -> bool:
        if direction in (Direction.LEFT, Direction.RIGHT):
            self._change(ui, direction is Direction.RIGHT)
            return True
        return False

    def advance(self, dt: float, theme: Theme) -> None:
        super().advance(dt, theme)
        self._on.advance(dt, theme.quickness)

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme, rect = painter.theme, self.rect
        hot, on = self.hot.level, self._on.level
        painter.box(rect, fill=mixed(theme.field, theme.lit, hot))
        left = rect.right - theme.padding - SWITCH_WIDTH
        painter.text(
            self.label, Rect(rect.x + theme.padding, rect.y, left - rect.x - 2 * theme.padding, rect.height), theme.ink
        )
        middle = rect.y + rect.height / 2
        track = Rect(left, middle - SWITCH_HEIGHT / 2, SWITCH_WIDTH, SWITCH_HEIGHT)
        painter.box(
            track,
            fill=mixed(theme.panel, theme.accent, 0.3 * on),
            outline=mixed(theme.line, theme.accent, max(on, hot * 0.7)),
            glow=theme.glow * on * 0.7,
            radius=SWITCH_HEIGHT / 2,
        )
        way = SWITCH_WIDTH - SWITCH_HEIGHT
        painter.disc(left + SWITCH_HEIGHT / 2 + way * self._on.value, middle, 7.0, mixed(theme.faint, 0xFFFFFFFF, on))
