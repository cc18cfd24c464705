"""Text fields: a line to type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.graphics import Rect
from engine.input import Key
from engine.widgets.editing import Line
from engine.widgets.events import Changed, Submitted
from engine.widgets.painter import Painter, mixed
from engine.widgets.theme import Theme
from engine.widgets.widget import Direction, Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui

BLINK = 1.06
"""Seconds of a blink of the caret, half of them lit."""
LEAST = 160.0
"""The least width of the part to type in."""


class TextField(Widget):
    """A line to type. Posts `Changed` with each change and `Submitted` on enter, and calls `on_change` or `on_submit`.

    `limit` is the most letters, `hint` what is shown faintly while it is empty, and `allowed` says of a letter
    whether it can be typed.
    """

    takes_focus = True
    takes_text = True

    def __init__(
        self,
        value: str = "",
        *,
        limit: int | None = None,
        label: str = "",
        hint: str = "",
        allowed: Callable[[str], bool] | None = None,
        on_change: Callable[[str], object] | None = None,
        on_submit: Callable[[str], object] | None = None,
        width: float | None = None,
        enabled: bool = True,
    ) -> None:
        super().__init__(width=width, enabled=enabled)
        self.line = Line(value, limit)
        """The text with its caret and selection."""
        self.label = label
        self.hint = hint
        self.allowed = allowed
        self.on_change = on_change
        self.on_submit = on_submit
        self._blink = 0.0
        self._first = 0
        """The first letter in sight."""

    @property
    def value(self) -> str:
        """The text."""
        return self.line.text

    @value.setter
    def value(self, text: str) -> None:
        self.line.replace(text)

    def content_size(self, theme: Theme) -> Size:
        label = theme.text_width(self.label) + theme.padding if self.label else 0.0
        return label + LEAST + 2 * theme.padding, theme.row

    # Input

    def activate(self, ui: Ui) -> None:
        if ui.pressed_at is not None:
            return
        if self.on_submit is not None:
            self.on_submit(self.value)
        ui.post(Submitted(self, self.value))

    def enter(self, ui: Ui, text: str) -> None:
        if self.allowed is not None:
            text = "".join(filter(self.allowed, text))
        self._do(ui, lambda: self.line.insert(text))

    def nudge(self, ui: Ui, direction: Direction) -> bool:
        if direction not in (Direction.LEFT, Direction.RIGHT):
            return False
        move = self.line.left if direction is Direction.LEFT else self.line.right
        self._do(ui, lambda: move(select=ui.shift, word=ui.ctrl))
        return True

    def edit(self, ui: Ui, key: Key) -> bool:
        line = self.line
        match key:
            case Key.BACKSPACE:
                self._do(ui, lambda: line.backspace(ui.ctrl))
            case Key.DELETE:
                self._do(ui, lambda: line.delete(ui.ctrl))
            case Key.HOME:
                self._do(ui, lambda: line.home(select=ui.shift))
            case Key.END:
                self._do(ui, lambda: line.end(select=ui.shift))
            case Key.A if ui.ctrl:
                self._do(ui, line.select_all)
            case Key.C if ui.ctrl:
                ui.clipboard.put(line.selected)
            case Key.X if ui.ctrl:
                ui.clipboard.put(line.selected)
                self._do(ui, lambda: line.insert(""))
            case Key.V if ui.ctrl:
                self.enter(ui, ui.clipboard.get())
            case _:
                return False
        return True

    def _do(self, ui: Ui, change: Callable[[], object]) -> None:
        before = self.line.text
        change()
        self._blink = 0.0
        if self.line.text != before:
            if self.on_change is not None:
                self.on_change(self.line.text)
            ui.post(Changed(self, self.line.text))

    def press(self, ui: Ui, x: float, y: float, clicks: int) -> None:
        if clicks >= 2:
            self.line.select_all()
        else:
            self._point(ui, x, select=ui.shift)

    def drag(self, ui: Ui, x: float, y: float) -> None:
        self._point(ui, x, select=True)

    def _point(self, ui: Ui, x: float, *, select: bool) -> None:
        """Put the caret nearest to `x`."""
        self._blink = 0.0
        text, left = self.line.text, self._text_rect(ui.theme).x
        nearest = min(
            range(self._first, len(text) + 1),
            key=lambda end: abs(left + ui.measure(text[self._first : end], ui.theme.size) - x),
        )
        self.line.go(nearest, select=select)

    def focus_changed(self, focused: bool) -> None:
        self._blink = 0.0
        if focused:
            self.line.end()
        else:
            self.line.mark = self.line.caret

    # Drawing

    def advance(self, dt: float, theme: Theme) -> None:
        super().advance(dt, theme)
        self._blink = (self._blink + dt) % BLINK

    def _box(self, theme: Theme) -> Rect:
        rect = self.rect
        if not self.label:
            return rect
        left = theme.padding + max(theme.text_width(self.label) + theme.padding, rect.width * 0.36)
        return Rect(rect.x + left, rect.y, rect.width - left, rect.height)

    def _text_rect(self, theme: Theme) -> Rect:
        box = self._box(theme)
        return Rect(box.x + theme.padding, box.y, box.width - 2 * theme.padding, box.height)

    def _window(self, painter: Painter, width: float) -> str:
        """The part of the text that fits, chosen so that the caret is in it."""
        text, size = self.line.text, painter.theme.size
        self._first = min(self._first, self.line.caret)
        while self._first < self.line.caret and painter.measure(text[self._first : self.line.caret], size)[0] > width:
            self._first += 1
        while self._first and painter.measure(text[self._first - 1 :], size)[0] <= width:
            self._first -= 1
        end = len(text)
        while end > self.line.caret and painter.measure(text[self._first : end], size)[0] > width:
            end -= 1
        return text[self._first : end]

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme = painter.theme
        hot, focused = self.hot.level, ui.focus is self
        box, inner = self._box(theme), self._text_rect(theme)
        if self.label:
            left = self.rect.x + theme.padding
            painter.text(self.label, Rect(left, box.y, box.x - left, box.height), theme.ink)
        painter.box(
            box,
            fill=mixed(theme.panel, theme.lit, hot * 0.6),
            outline=theme.accent if focused else mixed(theme.line, theme.accent, hot),
            glow=theme.glow * 0.5 if focused else 0.0,
        )
        if not self.line.text and not focused:
            painter.text(self.hint, inner, theme.faint)
            return
        shown = self._window(painter, inner.width)
        self._draw_selection(painter, inner, shown)
        painter.text(shown, inner, theme.ink)
        if focused and self._blink < BLINK / 2:
            x = inner.x + painter.measure(self.line.text[self._first : self.line.caret], theme.size)[0] + 1.0
            middle = inner.y + inner.height / 2
            painter.line(x, middle - theme.size * 0.6, x, middle + theme.size * 0.6, theme.focus, width=2.0)

    def _draw_selection(self, painter: Painter, inner: Rect, shown: str) -> None:
        start, end = (max(0, min(len(shown), place - self._first)) for place in self.line.selection)
        if start == end:
            return
        size = painter.theme.size
        left, right = (inner.x + painter.measure(shown[:place], size)[0] for place in (start, end))
        top = inner.y + inner.height / 2 - size * 0.65
        painter.box(Rect(left, top, right - left, size * 1.3), fill=0x2A6FA8FF, radius=3.0)
