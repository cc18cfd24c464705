"""Sliders: a number between two others."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING

from engine.graphics import Rect
from engine.input import Key
from engine.widgets.errors import WidgetError
from engine.widgets.events import Changed
from engine.widgets.painter import Painter, mixed
from engine.widgets.theme import Theme
from engine.widgets.widget import Direction, Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui

TRACK = 180.0
"""The least width of the track."""
STEPS = 20
"""Steps of the keys over the whole way, unless a `step` is given."""


class Slider(Widget):
    """A label, a track with a knob, and the value. Posts `Changed` with a float, and calls `on_change(value)` before.

    With a `step` only multiples of it above `low` can be chosen. `shown` makes the text of a value; without it a
    slider from 0 to 1 shows per cent. Raises `WidgetError` if `low` is not below `high`.
    """

    takes_focus = True

    def __init__(
        self,
        low: float,
        high: float,
        value: float,
        *,
        label: str = "",
        step: float | None = None,
        shown: Callable[[float], str] | None = None,
        on_change: Callable[[float], object] | None = None,
        width: float | None = None,
        enabled: bool = True,
    ) -> None:
        if not (isfinite(low) and isfinite(high) and low < high) or (step is not None and not step > 0):
            raise WidgetError(f"a slider needs low < high and a step above 0, not {low!r}, {high!r} and {step!r}")
        super().__init__(width=width, enabled=enabled)
        self.low = low
        self.high = high
        self.step = step
        self.label = label
        self.shown = shown or (_percent if (low, high) == (0.0, 1.0) else _number)
        self.on_change = on_change
        self._value = low
        self.value = value

    @property
    def value(self) -> float:
        """The number chosen."""
        return self._value

    @value.setter
    def value(self, value: float) -> None:
        if not isfinite(value):
            raise WidgetError(f"a slider cannot show {value!r}; give a number from {self.low!r} to {self.high!r}")
        if self.step is not None:
            value = self.low + round((value - self.low) / self.step) * self.step
        self._value = max(self.low, min(self.high, value))

    @property
    def share(self) -> float:
        """How far the knob is along the track, 0 to 1."""
        return (self._value - self.low) / (self.high - self.low)

    def _choose(self, ui: Ui, value: float) -> None:
        before = self._value
        self.value = value
        if self._value != before:
            if self.on_change is not None:
                self.on_change(self._value)
            ui.post(Changed(self, self._value))

    def content_size(self, theme: Theme) -> Size:
        label = theme.text_width(self.label) + theme.padding if self.label else 0.0
        return label + TRACK + self._value_width(theme) + 3 * theme.padding, theme.row

    def _value_width(self, theme: Theme) -> float:
        return max(theme.text_width(self.shown(end)) for end in (self.low, self.high))

    def track(self, theme: Theme) -> Rect:
        """Where the knob moves."""
        rect = self.rect
        label = max(theme.text_width(self.label) + theme.padding, rect.width * 0.36) if self.label else 0.0
        left = rect.x + theme.padding + label
        right = rect.right - 2 * theme.padding - self._value_width(theme)
        return Rect(left, rect.y, max(1.0, right - left), rect.height)

    def nudge(self, ui: Ui, direction: Direction) -> bool:
        if direction in (Direction.UP, Direction.DOWN):
            return False
        step = self.step or (self.high - self.low) / STEPS
        value = self._value + direction.value[0] * step
        self._choose(ui, float(f"{value:.12g}"))  # so that 0.55 + 0.05 is 0.6
        return True

    def edit(self, ui: Ui, key: Key) -> bool:
        if key not in (Key.HOME, Key.END):
            return False
        self._choose(ui, self.low if key is Key.HOME else self.high)
        return True

    def press(self, ui: Ui, x: float, y: float, clicks: int) -> None:
        self.drag(ui, x, y)

    def drag(self, ui: Ui, x: float, y: float) -> None:
        track = self.track(ui.theme)
        self._choose(ui, self.low + (self.high - self.low) * (x - track.x) / track.width)

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme, rect = painter.theme, self.rect
        hot = self.hot.level
        painter.box(rect, fill=mixed(theme.field, theme.lit, hot))
        track = self.track(theme)
        left = rect.x + theme.padding
        painter.text(self.label, Rect(left, rect.y, track.x - left - theme.padding / 2, rect.height), theme.ink)
        middle = rect.y + rect.height / 2
        knob = track.x + track.width * self.share
        painter.line(track.x, middle, track.right, middle, theme.line, width=4.0)
        if knob > track.x:
            painter.line(track.x, middle, knob, middle, theme.accent, width=4.0, glow=theme.glow * 0.6)
        painter.disc(knob, middle, 8.0 + 2.0 * hot, mixed(theme.accent, 0xFFFFFFFF, 0.4 + 0.6 * hot))
        right = Rect(track.right, rect.y, rect.right - theme.padding - track.right, rect.height)
        painter.text(self.shown(self._value), right, theme.faint, align="right")


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) >= 100 else f"{value:.3g}"
