"""Layouts: widgets above each other, side by side, in a grid, or scrolling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.graphics import Rect
from engine.widgets.errors import WidgetError
from engine.widgets.painter import Painter
from engine.widgets.theme import Theme
from engine.widgets.widget import Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui

SCROLL_BAR = 14.0
"""The room at the right of what scrolls."""
SLACK = 0.01
"""What sums of sizes may be off."""


class Container(Widget):
    """Base of widgets that hold others. `spacing` is the room between them; None leaves it to the theme."""

    def __init__(
        self,
        *children: Widget,
        spacing: float | None = None,
        width: float | None = None,
        height: float | None = None,
        enabled: bool = True,
    ) -> None:
        super().__init__(width=width, height=height, enabled=enabled)
        self.spacing = spacing
        self._children: list[Widget] = []
        self.fill(*children)

    @property
    def children(self) -> Sequence[Widget]:
        return self._children

    def fill(self, *children: Widget) -> None:
        """Hold these widgets instead. Raises `WidgetError` if one is in another container already."""
        for child in self._children:
            child.parent = None
        self._children = []
        for child in children:
            self.add(child)
        self.touch()

    def add(self, child: Widget) -> None:
        """Hold one more. Raises `WidgetError` if it is in a container already."""
        if child.parent is not None or child is self.root:
            raise WidgetError(
                f"a {type(child).__name__} was put into a {type(self).__name__} but is in a "
                f"{type(child.parent or child).__name__} already; make a second widget"
            )
        child.parent = self
        self._children.append(child)
        self.touch()

    def remove(self, child: Widget) -> None:
        """Hold it no longer. Raises `WidgetError` if it is not in here."""
        if child.parent is not self:
            raise WidgetError(f"this {type(self).__name__} does not hold that {type(child).__name__}")
        child.parent = None
        self._children.remove(child)
        self.touch()

    def _present(self) -> list[Widget]:
        return [child for child in self._children if child.visible]

    def _gap(self, theme: Theme) -> float:
        return theme.spacing if self.spacing is None else self.spacing


class Column(Container):
    """Widgets above each other, all as wide as the column. Room that is left goes to `Space`s, if there are any."""

    def content_size(self, theme: Theme) -> Size:
        sizes = [child.size(theme) for child in self._present()]
        gaps = self._gap(theme) * max(0, len(sizes) - 1)
        return max((width for width, _ in sizes), default=0.0), sum(height for _, height in sizes) + gaps

    def place(self, rect: Rect, theme: Theme) -> None:
        super().place(rect, theme)
        children = self._present()
        spare = max(0.0, rect.height - self.content_size(theme)[1])
        springs = sum(isinstance(child, Space) and child.springy for child in children)
        y = rect.y
        for child in children:
            height = child.size(theme)[1]
            if isinstance(child, Space) and child.springy:
                height += spare / springs
            width = rect.width if child.width is None else min(child.width, rect.width)
            child.place(Rect(rect.x + (rect.width - width) / 2, y, width, height), theme)
            y += height + self._gap(theme)


class Row(Container):
    """Widgets side by side, all as high as the row. They share its width by `weights`.

    A weight of 0 gives a widget just the width it needs; without weights all get the same.
    """

    def __init__(
        self,
        *children: Widget,
        weights: Sequence[float] | None = None,
        spacing: float | None = None,
        width: float | None = None,
        height: float | None = None,
        enabled: bool = True,
    ) -> None:
        if weights is not None and (len(weights) != len(children) or min(weights, default=0.0) < 0):
            raise WidgetError(f"a row of {len(children)} widgets needs as many weights, none negative, not {weights!r}")
        self._weights = dict(zip(map(id, children), weights or (), strict=False))
        super().__init__(*children, spacing=spacing, width=width, height=height, enabled=enabled)

    def _weight(self, child: Widget) -> float:
        if child.width is not None:
            return 0.0
        return self._weights.get(id(child), 1.0)

    def content_size(self, theme: Theme) -> Size:
        children = self._present()
        sizes = [child.size(theme) for child in children]
        per_weight = max(
            (
                width / self._weight(child)
                for child, (width, _) in zip(children, sizes, strict=True)
                if self._weight(child)
            ),
            default=0.0,
        )
        widths = [per_weight * self._weight(child) or width for child, (width, _) in zip(children, sizes, strict=True)]
        gaps = self._gap(theme) * max(0, len(sizes) - 1)
        return sum(widths) + gaps, max((height for _, height in sizes), default=0.0)

    def place(self, rect: Rect, theme: Theme) -> None:
        super().place(rect, theme)
        children = self._present()
        gap = self._gap(theme)
        fixed = {id(child): child.size(theme)[0] for child in children if not self._weight(child)}
        room = max(0.0, rect.width - sum(fixed.values()) - gap * max(0, len(children) - 1))
        total = sum(self._weight(child) for child in children)
        x = rect.x
        for child in children:
            width = fixed[id(child)] if id(child) in fixed else room * self._weight(child) / total
            height = rect.height if child.height is None else min(child.height, rect.height)
            child.place(Rect(x, rect.y + (rect.height - height) / 2, width, height), theme)
            x += width + gap


class Grid(Container):
    """Widgets in rows of `columns`, all columns as wide as each other."""

    def __init__(
        self,
        *children: Widget,
        columns: int,
        spacing: float | None = None,
        width: float | None = None,
        enabled: bool = True,
    ) -> None:
        if columns < 1:
            raise WidgetError(f"a grid needs at least one column, not {columns}")
        self.columns = columns
        super().__init__(*children, spacing=spacing, width=width, enabled=enabled)

    def _rows(self) -> list[list[Widget]]:
        children = self._present()
        return [children[at : at + self.columns] for at in range(0, len(children), self.columns)]

    def content_size(self, theme: Theme) -> Size:
        gap = self._gap(theme)
        sizes = [[child.size(theme) for child in row] for row in self._rows()]
        widest = max((width for row in sizes for width, _ in row), default=0.0)
        heights = [max(height for _, height in row) for row in sizes]
        return widest * self.columns + gap * (self.columns - 1), sum(heights) + gap * max(0, len(heights) - 1)

    def place(self, rect: Rect, theme: Theme) -> None:
        super().place(rect, theme)
        gap = self._gap(theme)
        width = max(0.0, (rect.width - gap * (self.columns - 1)) / self.columns)
        y = rect.y
        for row in self._rows():
            height = max(child.size(theme)[1] for child in row)
            for column, child in enumerate(row):
                child.place(Rect(rect.x + column * (width + gap), y, width, height), theme)
            y += height + gap


class Space(Widget):
    """Empty room of a `height` (in a column) or `width` (in a row); without either it takes what is left."""

    @property
    def springy(self) -> bool:
        """Whether it takes what is left."""
        return self.width is None and self.height is None


class Scroll(Container):
    """A column of which `height` pixels are seen. The wheel moves it, and the focus takes it along.

    It moves by whole widgets: those that do not fit are not drawn. Raises `WidgetError` if the height is not positive.
    """

    def __init__(
        self, *children: Widget, height: float, spacing: float | None = None, width: float | None = None
    ) -> None:
        if not height > 0:
            raise WidgetError(f"a scrolling column needs a height above 0, not {height!r}")
        self.first = 0
        """How many of the widgets are scrolled away at the top."""
        self.sight = height
        """The least height, of which a row may give it more."""
        self._theme: Theme | None = None
        super().__init__(*children, spacing=spacing, width=width)

    def content_size(self, theme: Theme) -> Size:
        return max((child.size(theme)[0] for child in self._present()), default=0.0) + SCROLL_BAR, self.sight

    def place(self, rect: Rect, theme: Theme) -> None:
        super().place(rect, theme)
        self._theme = theme
        children, tops, total = self._stack(theme)
        last = self._last_first(tops, total, rect.height)
        self.first = max(0, min(self.first, last))
        offset = tops[self.first] if children else 0.0
        width = rect.width - (SCROLL_BAR if total > rect.height else 0.0)
        for child, top in zip(children, tops, strict=True):
            height = child.size(theme)[1]
            child.place(Rect(rect.x, rect.y + top - offset, width, height), theme)
            child.hidden = top < offset or top - offset + height > rect.height + SLACK

    def _stack(self, theme: Theme) -> tuple[list[Widget], list[float], float]:
        """The widgets there are, the top of each below the first one's, and the height of all."""
        children = self._present()
        tops: list[float] = []
        y = 0.0
        for child in children:
            tops.append(y)
            y += child.size(theme)[1] + self._gap(theme)
        return children, tops, max(0.0, y - self._gap(theme))

    @staticmethod
    def _last_first(tops: list[float], total: float, height: float) -> int:
        """The least number of widgets to scroll away so that the last one is seen."""
        return next((n for n, top in enumerate(tops) if total - top <= height + SLACK), max(0, len(tops) - 1))

    def reveal(self, widget: Widget) -> None:
        if self._theme is None:
            return
        children = self._present()
        child: Widget | None = widget
        while child is not None and child.parent is not self:
            child = child.parent
        if child not in children:
            return
        number = children.index(child)
        if number < self.first:
            self.first = number
            self.place(self.rect, self._theme)
        while child.hidden and self.first < number:
            self.first += 1
            self.place(self.rect, self._theme)

    def scroll(self, ui: Ui, notches: float) -> bool:
        before = self.first
        self.first = max(0, self.first + (-1 if notches > 0 else 1))
        if self._theme is not None:
            self.place(self.rect, self._theme)
        return self.first != before

    def draw(self, painter: Painter, ui: Ui) -> None:
        super().draw(painter, ui)
        _, tops, total = self._stack(painter.theme)
        if total > self.rect.height and tops:
            scroll_bar(painter, self.rect, tops[self.first] / total, self.rect.height / total)


def scroll_bar(painter: Painter, rect: Rect, above: float, seen: float) -> None:
    """A bar at the right edge of `rect`; `above` and `seen` are shares of the whole."""
    theme = painter.theme
    track = Rect(rect.right - 6.0, rect.y + 4.0, 4.0, rect.height - 8.0)
    painter.box(track, fill=theme.lit, radius=2.0)
    above, seen = max(0.0, min(1.0, above)), max(0.05, min(1.0, seen))
    top = track.y + min(above, 1.0 - seen) * track.height
    painter.box(Rect(track.x, top, track.width, seen * track.height), fill=theme.accent, radius=2.0)
