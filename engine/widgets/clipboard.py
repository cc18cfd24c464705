"""The clipboard that text fields cut to and paste from."""

from __future__ import annotations

from collections.abc import Callable


class Clipboard:
    """A text put aside, as a resource of the world: the system's where there is a desktop, else one of the world alone.

    `read()` and `write(text)` are how to get at a clipboard outside of the program.
    """

    def __init__(self, read: Callable[[], str] | None = None, write: Callable[[str], object] | None = None) -> None:
        self._text = ""
        self._read = read
        self._write = write

    def get(self) -> str:
        """The text on the clipboard; empty if there is none."""
        return self._text if self._read is None else self._read()

    def put(self, text: str) -> None:
        """Replace it."""
        self._text = text
        if self._write is not None:
            self._write(text)
