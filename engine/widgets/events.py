"""What widgets tell the game: posted to the world they are shown in, delivered like any other event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.widgets.widget import Widget


@dataclass(slots=True)
class Pressed:
    """The player pressed a button."""

    widget: Widget


@dataclass(slots=True)
class Changed:
    """The player changed a widget's value; `widget.value` has the same, with its type."""

    widget: Widget
    value: object


@dataclass(slots=True)
class Submitted:
    """The player confirmed a text field, or an entry of a list, whose label is the text."""

    widget: Widget
    text: str


@dataclass(slots=True)
class Cancelled:
    """The player wants out of what is shown: Esc, or B on a gamepad. `widget` is what was shown last."""

    widget: Widget
