"""Widgets: what they are, before any kind of them. A tree of plain objects; the `Ui` brings input and a canvas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from engine.graphics import Rect
from engine.input import Key
from engine.widgets.painter import Ease, Painter
from engine.widgets.theme import Theme

if TYPE_CHECKING:
    from engine.widgets.ui import Ui

Size = tuple[float, float]
"""Width and height."""

RING = 4.0
"""How far the focus ring is outside of a widget."""


class Direction(Enum):
    """Where the player moves the focus, as steps to the right and down."""

    LEFT = (-1, 0)
    RIGHT = (1, 0)
    UP = (0, -1)
    DOWN = (0, 1)


class Anchor(Enum):
    """Where on the screen something is shown, as shares of the room to its left and above."""

    TOP_LEFT = (0.0, 0.0)
    TOP = (0.5, 0.0)
    TOP_RIGHT = (1.0, 0.0)
    LEFT = (0.0, 0.5)
    CENTER = (0.5, 0.5)
    RIGHT = (1.0, 0.5)
    BOTTOM_LEFT = (0.0, 1.0)
    BOTTOM = (0.5, 1.0)
    BOTTOM_RIGHT = (1.0, 1.0)


class Widget:
    """Base of all widgets. `width` and `height` fix its size; None leaves it to the content and the layout."""

    takes_focus = False
    """Whether keys and gamepad can act on this kind of widget."""
    takes_text = False
    """Whether typed text goes into it while it has the focus."""

    def __init__(self, *, width: float | None = None, height: float | None = None, enabled: bool = True) -> None:
        self.width = width
        self.height = height
        self.anchor = Anchor.CENTER
        """Where it goes when it is shown by itself."""
        self.margin = 24.0
        """How far from the screen's edge it stays then."""
        self.parent: Widget | None = None
        self.rect = Rect(0.0, 0.0, 0.0, 0.0)
        """Where it is, once shown."""
        self.hidden = False
        """Out of sight because it was scrolled away."""
        self.hot = Ease()
        """How much it is lit, under the pointer or with the focus."""
        self.down = Ease()
        """How much it is pressed in."""
        self.stale = True
        """Whether the tree below has to be laid out anew."""
        self._enabled = enabled
        self._visible = True

    # State

    @property
    def enabled(self) -> bool:
        """Whether the player can use it. What is disabled is drawn faint and passed over by the focus."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled

    @property
    def visible(self) -> bool:
        """Whether it is there at all; what is not takes no room."""
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._visible = visible
        self.touch()

    @property
    def usable(self) -> bool:
        """Whether it and all it is in are there and enabled."""
        widget: Widget | None = self
        while widget is not None:
            if not (widget._enabled and widget._visible):
                return False
            widget = widget.parent
        return True

    @property
    def in_sight(self) -> bool:
        """Whether it and all it is in are there and not scrolled away."""
        widget: Widget | None = self
        while widget is not None:
            if widget.hidden or not widget._visible:
                return False
            widget = widget.parent
        return True

    # The tree

    @property
    def children(self) -> Sequence[Widget]:
        """What it holds, in the order of the focus."""
        return ()

    @property
    def root(self) -> Widget:
        """The outermost widget it is in."""
        widget: Widget = self
        while widget.parent is not None:
            widget = widget.parent
        return widget

    def walk(self) -> Iterator[Widget]:
        """It and all that is in it, in the order of the focus."""
        yield self
        for child in self.children:
            yield from child.walk()

    def touch(self) -> None:
        """Say that sizes may have changed."""
        self.root.stale = True

    # Layout

    def content_size(self, theme: Theme) -> Size:
        """What it needs."""
        return 0.0, 0.0

    def size(self, theme: Theme) -> Size:
        """What it needs, or was told to take."""
        width, height = self.content_size(theme)
        return (
            width if self.width is None else self.width,
            height if self.height is None else self.height,
        )

    def place(self, rect: Rect, theme: Theme) -> None:
        """Take this area."""
        self.rect = rect

    def reveal(self, widget: Widget) -> None:
        """Bring something in it into sight."""

    # Input. What returns a bool says whether it was used; what was not may move the focus.

    def activate(self, ui: Ui) -> None:
        """Enter, space, A on the gamepad, or a click that ends where it began."""

    def nudge(self, ui: Ui, direction: Direction) -> bool:
        """An arrow key, the d-pad or the stick."""
        return False

    def edit(self, ui: Ui, key: Key) -> bool:
        """Any other key."""
        return False

    def enter(self, ui: Ui, text: str) -> None:
        """Typed text."""

    def press(self, ui: Ui, x: float, y: float, clicks: int) -> None:
        """The pointer was pressed on it."""

    def drag(self, ui: Ui, x: float, y: float) -> None:
        """The pointer moved while it was pressed here; also outside."""

    def scroll(self, ui: Ui, notches: float) -> bool:
        """The wheel was turned over it, up for positive `notches`."""
        return False

    def focus_changed(self, focused: bool) -> None:
        """It has got or lost the focus."""

    # Drawing

    def advance(self, dt: float, theme: Theme) -> None:
        """Let `dt` seconds of animation pass."""
        self.hot.advance(dt, theme.quickness)
        self.down.advance(dt, theme.quickness * 2)

    def draw(self, painter: Painter, ui: Ui) -> None:
        """Draw it, and what is in it."""
        for child in self.children:
            if child.visible and not child.hidden:
                child.paint(painter, ui)

    def paint(self, painter: Painter, ui: Ui) -> None:
        """Draw it as it is: faint if disabled, ringed if it has the focus."""
        opacity = painter.opacity
        if not self._enabled:
            painter.opacity = opacity * painter.theme.unavailable
        self.draw(painter, ui)
        painter.opacity = opacity
        if ui.focus is self and ui.ring_visible and self.takes_focus:
            painter.box(
                grown(self.rect, RING),
                outline=painter.theme.focus,
                glow=painter.theme.glow,
                radius=painter.theme.radius + RING,
            )


def grown(rect: Rect, by: float) -> Rect:
    """The rectangle with every edge moved out, or in for a negative number."""
    return Rect(rect.x - by, rect.y - by, max(0.0, rect.width + 2 * by), max(0.0, rect.height + 2 * by))
