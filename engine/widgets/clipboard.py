"""The clipboard that text fields cut to and paste from."""

from __future__ import annotations

from typing import Protocol


class Clipboard(Protocol):
    """A text that can be put aside and got back."""

    def get(self) -> str:
        """The text on the clipboard; empty if there is none."""
        ...

    def put(self, text: str) -> None:
        """Replace it."""
        ...


class OwnClipboard:
    """A clipboard of this program alone."""

    def __init__(self) -> None:
        self.text = ""

    def get(self) -> str:
        return self.text

    def put(self, text: str) -> None:
        self.text = text
