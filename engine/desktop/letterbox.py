"""Letterboxing: a virtual screen of fixed size shown as large as a window allows, with bars at two sides."""

from __future__ import annotations

from typing import NamedTuple


class Letterbox(NamedTuple):
    """Where in the window the virtual screen lies, in window pixels."""

    virtual: tuple[int, int]
    left: int
    top: int
    width: int
    height: int

    @classmethod
    def fit(cls, virtual: tuple[int, int], window: tuple[int, int]) -> Letterbox:
        """The largest place of the right shape in the middle of the window."""
        scale = min(window[0] / virtual[0], window[1] / virtual[1])
        width, height = max(1, round(virtual[0] * scale)), max(1, round(virtual[1] * scale))
        return cls(virtual, (window[0] - width) // 2, (window[1] - height) // 2, width, height)

    def to_virtual(self, x: float, y: float) -> tuple[float, float]:
        """The virtual point under a window point; outside of the virtual screen if it is on a bar."""
        return (x - self.left) * self.virtual[0] / self.width, (y - self.top) * self.virtual[1] / self.height

    def to_window(self, x: float, y: float) -> tuple[float, float]:
        """The window point at which a virtual point is shown."""
        return x * self.width / self.virtual[0] + self.left, y * self.height / self.virtual[1] + self.top
