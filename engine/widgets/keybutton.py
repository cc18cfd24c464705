"""Key buttons: a row of a settings page that shows what an action is bound to and takes another input for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.graphics import Rect
from engine.input import Captured, Controls, Device, Key, Slot, Source
from engine.input.source import device_of
from engine.widgets.events import Changed
from engine.widgets.painter import Painter, mixed
from engine.widgets.theme import Theme
from engine.widgets.widget import Size, Widget

if TYPE_CHECKING:
    from engine.widgets.ui import Ui

LEAST = 150.0
"""The least width of the part that names the input."""
UNBOUND = "—"


class KeyButton(Widget):
    """Press it, then press what the action is to be bound to. Posts `Changed` with the source, or None if unbound.

    `on_change(source)` is called before. Esc leaves the binding as it is, Delete clears it. `device` says which of the
    slot's sources to show, None for all. With `steal` the source is taken away from other slots; without, a source
    bound twice is shown in the warning colour. The scene needs the `input_plugin` of these controls.
    """

    takes_focus = True

    def __init__(
        self,
        controls: Controls,
        slot: Slot,
        *,
        device: Device | None = None,
        label: str | None = None,
        steal: bool = False,
        on_change: Callable[[Source | None], object] | None = None,
        width: float | None = None,
        enabled: bool = True,
    ) -> None:
        super().__init__(width=width, enabled=enabled)
        self.controls = controls
        self.slot = slot
        self.device = device
        self.label = slot.label if label is None else label
        self.steal = steal
        self.on_change = on_change
        self._asked = False
        """Whether it was this button that asked: there may be one of the same slot for another device."""
        self._drawn = (-1, "", False)
        """The version of the bindings last drawn, what was bound, and whether there were conflicts."""

    @property
    def waiting(self) -> bool:
        """Whether the next input will be taken."""
        return self._asked and self.controls.capturing == self.slot

    @property
    def text(self) -> str:
        """What is bound."""
        return " / ".join(self.controls.labels(self.slot, device=self.device)) or UNBOUND

    @property
    def conflicts(self) -> list[Slot]:
        """Other slots that share a source shown here."""
        bindings = self.controls.bindings
        shown = [s for s in bindings[self.slot] if self.device is None or device_of(s) is self.device]
        return [slot for source in shown for slot in bindings.conflicts(self.slot, source)]

    def activate(self, ui: Ui) -> None:
        def then(captured: Captured) -> None:
            self._asked = False
            if captured.source is not None:
                self.controls.bindings.assign(self.slot, captured.source, steal=self.steal)
                self._changed(ui, captured.source)

        self.controls.capture(self.slot, then)
        self._asked = True
        ui.capture(lambda: self.waiting)

    def edit(self, ui: Ui, key: Key) -> bool:
        if key not in (Key.DELETE, Key.BACKSPACE):
            return False
        bindings = self.controls.bindings
        kept = [s for s in bindings[self.slot] if self.device is not None and device_of(s) is not self.device]
        bindings.bind(self.slot, *kept)
        self._changed(ui, None)
        return True

    def _changed(self, ui: Ui, source: Source | None) -> None:
        if self.on_change is not None:
            self.on_change(source)
        ui.post(Changed(self, source))

    def content_size(self, theme: Theme) -> Size:
        label = theme.text_width(self.label) + theme.padding if self.label else 0.0
        return label + LEAST + 2 * theme.padding, theme.row

    def draw(self, painter: Painter, ui: Ui) -> None:
        theme, rect = painter.theme, self.rect
        hot = self.hot.level
        painter.box(rect, fill=mixed(theme.field, theme.lit, hot))
        left = rect.x + theme.padding
        box = Rect(rect.x + 6.0, rect.y + 5.0, rect.width - 12.0, rect.height - 10.0)
        if self.label:
            box = Rect(rect.x + rect.width * 0.45, box.y, rect.width * 0.55 - 6.0, box.height)
        painter.text(self.label, Rect(left, rect.y, box.x - left - theme.padding / 2, rect.height), theme.ink)
        if self._drawn[0] != self.controls.bindings.version:
            self._drawn = self.controls.bindings.version, self.text, bool(self.conflicts)
        _, text, conflict = self._drawn
        color = theme.faint if text == UNBOUND else theme.warning if conflict else theme.ink
        if self.waiting:
            color, text = theme.focus, "press …"
        outline = theme.focus if self.waiting else mixed(theme.line, theme.accent, hot)
        painter.box(
            box, fill=theme.panel, outline=outline, glow=theme.glow if self.waiting else 0.0, radius=theme.radius - 3.0
        )
        painter.text(text, Rect(box.x + 8.0, box.y, box.width - 16.0, box.height), color, align="center")
