"""Lists: entries to choose from, as many as there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from engine.graphics import Rect
from engine.input import Key
from engine.widgets.errors import WidgetError
from engine.widgets.events import Changed, Submitted
from engine.widgets.layout import SCROLL_BAR, scroll_bar
from engine.widgets.painter import Painter, mixed
from engine.widgets.theme import Theme
from engine.widgets.widget import Direction, Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui

T = TypeVar("T")

EDGE = 4.0
"""Between the list's outline and its entries."""
LEAST = 200.0
"""The least width."""


class ListBox(Widget, Generic[T]):
    """A list of `entries`, `rows` of them in sight. Posts `Changed` and calls `on_change` with the entry chosen.

    Enter or a double click posts `Submitted` with the entry's text, and calls `on_submit(entry)`. `shown` makes the
    text of an entry; parts of it after a tab are set to the right. Raises `WidgetError` if `rows` is not positive.
    """

    takes_focus = True

    def __init__(
        self,
        entries: Sequence[T] = (),
        *,
        rows: int = 6,
        chosen: int | None = 0,
        shown: Callable[[T], str] = str,
        empty: str = "",
        on_change: Callable[[T], object] | None = None,
        on_submit: Callable[[T], object] | None = None,
        width: float | None = None,
        enabled: bool = True,
    ) -> None:
        if rows < 1:
            raise WidgetError(f"a list needs at least one row in sight, not {rows}")
        super().__init__(width=width, enabled=enabled)
        self.rows = rows
        self.shown = shown
        self.empty = empty
        """What is shown faintly while there are no entries."""
        self.on_change = on_change
        self.on_submit = on_submit
        self.first = 0
        """How many entries are scrolled away at the top."""
        self._entries = list(entries)
        self.index = chosen if chosen is not None and 0 <= chosen < len(self._entries) else None
        """The place of the entry chosen, or None."""
        self._show_chosen()

    @property
    def entries(self) -> Sequence[T]:
        """What can be chosen."""
        return self._entries

    @entries.setter
    def entries(self, entries: Sequence[T]) -> None:
        chosen = self.value
        self._entries = list(entries)
        if chosen is not None and chosen in self._entries:
            self.index = self._entries.index(chosen)
        elif self.index is not None:
            self.index = min(self.index, len(self._entries) - 1) if self._entries else None
        self.first = max(0, min(self.first, len(self._entries) - self.rows))

    @property
    def value(self) -> T | None:
        """The entry chosen, or None."""
        return None if self.index is None else self._entries[self.index]

    # Choosing

    def _choose(self, ui: Ui, index: int) -> bool:
        """Choose that entry or the nearest; False if nothing changes."""
        if not self._entries:
            return False
        index = max(0, min(len(self._entries) - 1, index))
        changed = index != self.index
        self.index = index
        self._show_chosen()
        if changed:
            entry = self._entries[index]
            if self.on_change is not None:
                self.on_change(entry)
            ui.post(Changed(self, entry))
        return changed

    def _show_chosen(self) -> None:
        if self.index is not None:
            self.first = max(self.index - self.rows + 1, min(self.first, self.index))
        self.first = max(0, min(self.first, len(self._entries) - self.rows))

    def activate(self, ui: Ui) -> None:
        value = self.value
        if ui.pressed_at is not None or value is None:
            return
        if self.on_submit is not None:
            self.on_submit(value)
        ui.post(Submitted(self, self.shown(value)))

    def nudge(self, ui: Ui, direction: Direction) -> bool:
        if direction in (Direction.LEFT, Direction.RIGHT):
            return False
        return self._choose(ui, 0 if self.index is None else self.index + direction.value[1])

    def edit(self, ui: Ui, key: Key) -> bool:
        index = self.index or 0
        targets = {
            Key.HOME: 0,
            Key.END: len(self._entries) - 1,
            Key.PAGE_UP: index - self.rows,
            Key.PAGE_DOWN: index + self.rows,
        }
        if key not in targets:
            return False
        self._choose(ui, targets[key])
        return True

    def press(self, ui: Ui, x: float, y: float, clicks: int) -> None:
        at = self.entry_at(y, ui.theme)
        if at is None:
            return
        self._choose(ui, at)
        if clicks == 2:
            pressed, ui.pressed_at = ui.pressed_at, None
            self.activate(ui)
            ui.pressed_at = pressed

    def scroll(self, ui: Ui, notches: float) -> bool:
        before = self.first
        self.first = max(0, min(self.first + (-1 if notches > 0 else 1), len(self._entries) - self.rows))
        return self.first != before

    # Where entries are

    def entry_rect(self, index: int, theme: Theme) -> Rect:
        """Where an entry is, whether in sight or not."""
        rect = self.rect
        bar = SCROLL_BAR if len(self._entries) > self.rows else 0.0
        top = rect.y + EDGE + (index - self.first) * theme.entry
        return Rect(rect.x + EDGE, top, rect.width - 2 * EDGE - bar, theme.entry)

    def entry_at(self, y: float, theme: Theme) -> int | None:
        """The place of the entry at that height, if there is one."""
        row = int((y - self.rect.y - EDGE) // theme.entry)
        index = self.first + row
        return index if 0 <= row < self.rows and index < len(self._entries) else None

    def content_size(self, theme: Theme) -> Size:
        texts = [self.empty, *map(self.shown, self._entries)]
        widest = max(theme.text_width(text) + (2 * theme.padding if "\t" in text else 0.0) for text in texts)
        return max(LEAST, widest + 2 * theme.padding + SCROLL_BAR + 2 * EDGE), self.rows * theme.entry + 2 * EDGE

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme, rect = painter.theme, self.rect
        hot = self.hot.level
        painter.box(rect, fill=theme.panel, outline=mixed(theme.line, theme.accent, hot * 0.7))
        if not self._entries:
            painter.text(self.empty, rect, theme.faint, align="center")
        hovered = self.entry_at(ui.pointer[1], theme) if ui.hovered is self else None
        for index in range(self.first, min(self.first + self.rows, len(self._entries))):
            row = self.entry_rect(index, theme)
            chosen = index == self.index
            if chosen or index == hovered:
                painter.box(row, fill=theme.lit if chosen else theme.field, radius=theme.radius - EDGE)
            if chosen:
                mark = Rect(row.x + 3.0, row.y + 7.0, 3.0, row.height - 14.0)
                painter.box(mark, fill=theme.accent, radius=1.5)
            self._draw_entry(painter, row, self.shown(self._entries[index]), chosen)
        if len(self._entries) > self.rows:
            count = len(self._entries)
            scroll_bar(painter, rect, self.first / count, self.rows / count)

    @staticmethod
    def _draw_entry(painter: Painter, row: Rect, text: str, chosen: bool) -> None:
        theme = painter.theme
        inner = Rect(row.x + theme.padding, row.y, row.width - 2 * theme.padding, row.height)
        left, _, right = text.partition("\t")
        taken = 0.0
        if right:
            painter.text(right, inner, theme.faint, align="right")
            taken = painter.measure(right, theme.size)[0] + theme.padding
        color = 0xFFFFFFFF if chosen else theme.ink
        painter.text(left, Rect(inner.x, inner.y, inner.width - taken, inner.height), color)
