"""How widgets look: colours, sizes and how fast they light up, in one value."""

from __future__ import annotations

from dataclasses import dataclass

from engine.widgets.metrics import text_width, wrapped


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours are 0xRRGGBBAA, lengths virtual screen pixels. The default is a dark room with neon tubes."""

    ink: int = 0xE9F7FFFF
    """Text."""
    faint: int = 0x86A3BDFF
    """Text of less weight: captions, hints."""
    accent: int = 0x35E2FFFF
    """Outlines, titles, and what is switched on."""
    focus: int = 0xFF4FD0FF
    """The ring around the widget that keys and gamepad act on."""
    warning: int = 0xFFB347FF
    """What needs a second look, such as a key bound twice."""
    panel: int = 0x080D1CE8
    """Behind a panel."""
    field: int = 0x101A30F2
    """Behind buttons, text fields and lists."""
    lit: int = 0x1C3B5CF2
    """The same under the pointer, or chosen in a list."""
    line: int = 0x2E5A7AFF
    """Outlines at rest."""
    scrim: int = 0x02040AB0
    """Over everything below a modal widget."""
    font: str = ""
    """A path below the asset roots; empty is the renderer's own."""
    breadth: float = 0.8
    """How wide the font's letters are, as a share of Helvetica's at the same size. The renderer's own are small."""
    leading: float = 1.0
    """The height of a line of text, as a share of its size."""
    size: float = 27.0
    """Of text."""
    small: float = 21.0
    """Of captions and hints."""
    title: float = 52.0
    """Of panel titles."""
    row: float = 44.0
    """The height of buttons, fields and sliders."""
    entry: float = 36.0
    """The height of an entry of a list."""
    padding: float = 16.0
    """Between a widget's edge and its text."""
    inset: float = 28.0
    """Between a panel's edge and what is in it."""
    spacing: float = 12.0
    """Between widgets."""
    radius: float = 10.0
    """Of corners."""
    stroke: float = 2.0
    """The width of outlines."""
    glow: float = 12.0
    """How far a lit outline shines."""
    quickness: float = 16.0
    """How fast widgets light up and appear: after 1 / quickness seconds two thirds are done."""
    unavailable: float = 0.38
    """The opacity of what is disabled."""

    def text_width(self, text: str, size: float | None = None) -> float:
        """About how wide a line of text is: for layouts, see `engine.widgets.metrics`."""
        return text_width(text, (self.size if size is None else size) * self.breadth)

    def text_height(self, size: float | None = None) -> float:
        """How high a line of text is."""
        return (self.size if size is None else size) * self.leading

    def wrapped(self, text: str, size: float, width: float) -> list[str]:
        """The text in lines of about this width."""
        return wrapped(text, size * self.breadth, width)


NEON = Theme()
"""The default."""
