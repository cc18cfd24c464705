"""Choices: one of a few, stepped through with the arrows on its sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from engine.graphics import Rect
from engine.widgets.errors import WidgetError
from engine.widgets.events import Changed
from engine.widgets.painter import Painter, mixed
from engine.widgets.theme import Theme
from engine.widgets.widget import Direction, Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui

T = TypeVar("T")

ARROW = 28.0
"""The width of an arrow's part."""


class Choice(Widget, Generic[T]):
    """A label and one of `options`. Posts `Changed` with the option, and calls `on_change(option)` before.

    `shown` makes the text of an option. Raises `WidgetError` without options, or if `value` is none of them.
    """

    takes_focus = True

    def __init__(
        self,
        options: Sequence[T],
        value: T | None = None,
        *,
        label: str = "",
        shown: Callable[[T], str] = str,
        on_change: Callable[[T], object] | None = None,
        width: float | None = None,
        enabled: bool = True,
    ) -> None:
        super().__init__(width=width, enabled=enabled)
        if not options:
            raise WidgetError("a choice needs at least one option")
        self.options = list(options)
        self.label = label
        self.shown = shown
        self.on_change = on_change
        self.index = 0
        if value is not None:
            self.value = value

    @property
    def value(self) -> T:
        """The option chosen."""
        return self.options[self.index]

    @value.setter
    def value(self, value: T) -> None:
        if value not in self.options:
            raise WidgetError(f"{value!r} is no option of this choice; there are {self.options!r}")
        self.index = self.options.index(value)

    def _step(self, ui: Ui, steps: int) -> None:
        before = self.index
        self.index = (self.index + steps) % len(self.options)
        if self.index != before:
            if self.on_change is not None:
                self.on_change(self.value)
            ui.post(Changed(self, self.value))

    def content_size(self, theme: Theme) -> Size:
        label = theme.text_width(self.label) + theme.padding if self.label else 0.0
        widest = max(theme.text_width(self.shown(option)) for option in self.options)
        return label + widest + 2 * ARROW + 2 * theme.padding, theme.row

    def activate(self, ui: Ui) -> None:
        if ui.pressed_at is None or ui.pressed_at[0] >= self._options_rect(ui.theme).x + ARROW:
            self._step(ui, 1)
        else:
            self._step(ui, -1)

    def nudge(self, ui: Ui, direction: Direction) -> bool:
        if direction in (Direction.LEFT, Direction.RIGHT):
            self._step(ui, direction.value[0])
            return True
        return False

    def _options_rect(self, theme: Theme) -> Rect:
        rect = self.rect
        label = max(theme.text_width(self.label) + theme.padding, rect.width * 0.36) if self.label else 0.0
        left = rect.x + theme.padding / 2 + label
        return Rect(left, rect.y, rect.right - theme.padding / 2 - left, rect.height)

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme, rect = painter.theme, self.rect
        hot = self.hot.level
        painter.box(rect, fill=mixed(theme.field, theme.lit, hot))
        options = self._options_rect(theme)
        left = rect.x + theme.padding
        painter.text(self.label, Rect(left, rect.y, options.x - left, rect.height), theme.ink)
        inner = Rect(options.x + ARROW, rect.y, options.width - 2 * ARROW, rect.height)
        painter.text(self.shown(self.value), inner, mixed(theme.accent, 0xFFFFFFFF, hot), align="center")
        middle = rect.y + rect.height / 2
        color = mixed(theme.faint, theme.accent, hot)
        painter.chevron(options.x + ARROW / 2, middle, 6.0, -1, color)
        painter.chevron(options.right - ARROW / 2, middle, 6.0, 1, color)
