"""Colours: one integer, 0xRRGGBBAA, so that a colour is a value in a column."""

from __future__ import annotations

import re
from typing import ClassVar


class Color(int):
    """A colour with straight alpha, made from channels 0 to 255::

        Color(255, 95, 69)          # opaque
        Color.parse("#ff5f45")      # or "#ff5f4580" with alpha

    It is an `int` of the form 0xRRGGBBAA; wherever the engine takes a colour, such an integer will do, and
    `Color.of(row.tint)` names its channels again. Raises `ValueError` if a channel is out of range.
    """

    WHITE: ClassVar[Color]
    BLACK: ClassVar[Color]
    CLEAR: ClassVar[Color]

    def __new__(cls, r: int, g: int, b: int, a: int = 255) -> Color:
        for channel in (r, g, b, a):
            if not 0 <= channel <= 255:
                raise ValueError(f"a colour channel lies between 0 and 255, not {channel} as in ({r}, {g}, {b}, {a})")
        return int.__new__(cls, r << 24 | g << 16 | b << 8 | a)

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return Color.of, (int(self),)  # or a copy would be asked for four channels

    @classmethod
    def of(cls, value: int) -> Color:
        """The colour that an integer 0xRRGGBBAA stands for."""
        return int.__new__(cls, value & 0xFFFFFFFF)

    @classmethod
    def parse(cls, text: str) -> Color:
        """From `#rrggbb` or `#rrggbbaa`. Raises `ValueError` for anything else."""
        match = re.fullmatch(r"#([0-9a-fA-F]{6})([0-9a-fA-F]{2})?", text)
        if match is None:
            raise ValueError(f"{text!r} is no colour; write #rrggbb or #rrggbbaa, e.g. #ff5f45")
        return cls.of(int(match[1], 16) << 8 | int(match[2] or "ff", 16))

    @property
    def r(self) -> int:
        return self >> 24 & 255

    @property
    def g(self) -> int:
        return self >> 16 & 255

    @property
    def b(self) -> int:
        return self >> 8 & 255

    @property
    def a(self) -> int:
        return self & 255

    @property
    def rgb(self) -> tuple[int, int, int]:
        return self.r, self.g, self.b

    @property
    def rgba(self) -> tuple[int, int, int, int]:
        return self.r, self.g, self.b, self.a

    def fade(self, opacity: float) -> Color:
        """The same colour with its alpha multiplied by `opacity`, 0 to 1."""
        return Color.of(self & 0xFFFFFF00 | round(self.a * min(1.0, max(0.0, opacity))))

    def mix(self, other: int, share: float) -> Color:
        """This colour with `share` (0 to 1) of `other` in it, channel by channel."""
        share = min(1.0, max(0.0, share))
        there = Color.of(other).rgba
        return Color(*(round(a + (b - a) * share) for a, b in zip(self.rgba, there, strict=True)))

    def __repr__(self) -> str:
        return f"Color{self.rgba}"


Color.WHITE = Color(255, 255, 255)
Color.BLACK = Color(0, 0, 0)
Color.CLEAR = Color(0, 0, 0, 0)
WHITE = 0xFFFFFFFF
