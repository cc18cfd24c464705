"""How wide a text is, near enough to lay out widgets by, and the same on every machine.

A layout measured with the renderer's font would differ between a window and a headless run, and so would what lies
under a recorded pointer. What a text really takes is measured when it is drawn; there it is cut if it must be.
"""

from __future__ import annotations

# Advance widths in thousandths of the size, of ASCII 32 to 126: those of Helvetica in Adobe's font metrics.
_WIDTHS = (
    (278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278)
    + (556,) * 10
    + (278, 278, 584, 584, 584, 556, 1015)
    + (667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833)
    + (722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611)
    + (278, 278, 278, 469, 556, 333)
    + (556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833)
    + (556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500)
    + (334, 260, 334, 584)
)
_OTHER = 620
_WIDE = 1000
"""Of East Asian scripts and pictures, from U+1100 and U+2E80 on."""
_ROOM = 1.08
"""What bolder faces take more."""


def text_width(text: str, size: float) -> float:
    """About how wide a line of text is."""
    total = 0
    for letter in text:
        code = ord(letter)
        if 32 <= code <= 126:
            total += _WIDTHS[code - 32]
        else:
            total += _WIDE if code >= 0x2E80 or 0x1100 <= code < 0x1200 else _OTHER
    return total * size * _ROOM / 1000


def wrapped(text: str, size: float, width: float) -> list[str]:
    """The text in lines of at most this width, broken at spaces; a longer word has a line of its own."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines
