"""Editing a line of text: the text, the caret and the selection, without any picture of it."""

from __future__ import annotations

import unicodedata

JOINER = "\u200d"


class Line:
    """A line being edited. Positions count code points; the caret never stands inside of a letter made of several.

    `mark` is where a selection began; text between `mark` and `caret` is selected.
    """

    def __init__(self, text: str = "", limit: int | None = None) -> None:
        self.limit = limit
        """The most code points it holds; None for any number."""
        self.text = ""
        self.caret = 0
        self.mark = 0
        self.insert(text)

    # Looking

    @property
    def selection(self) -> tuple[int, int]:
        """Where the selected text begins and ends; twice the caret if there is none."""
        return min(self.caret, self.mark), max(self.caret, self.mark)

    @property
    def selected(self) -> str:
        """The selected text."""
        start, end = self.selection
        return self.text[start:end]

    # Changing

    def insert(self, text: str) -> None:
        """Put text in place of the selection; as much of it as the limit allows. What cannot be seen is left out."""
        start, end = self.selection
        text = "".join(letter for letter in text.replace("\t", " ") if _is_shown(letter))
        if self.limit is not None:
            text = text[: self.limit - (len(self.text) - (end - start))]
        self.text = self.text[:start] + text + self.text[end:]
        self._go(start + len(text))

    def backspace(self, word: bool = False) -> None:
        """Delete the selection, or else the letter or word before the caret."""
        if self.caret == self.mark:
            self.mark = self.word_before(self.caret) if word else self.before(self.caret)
        self.insert("")

    def delete(self, word: bool = False) -> None:
        """Delete the selection, or else the letter or word after the caret."""
        if self.caret == self.mark:
            self.mark = self.word_after(self.caret) if word else self.after(self.caret)
        self.insert("")

    def replace(self, text: str) -> None:
        """Put this in place of everything."""
        self.select_all()
        self.insert(text)

    # Moving. With `select` the mark stays where it is.

    def left(self, *, select: bool = False, word: bool = False) -> None:
        """One letter or word to the left; out of a selection, to its beginning."""
        if self.caret != self.mark and not select:
            self._go(self.selection[0])
        else:
            self._go(self.word_before(self.caret) if word else self.before(self.caret), select)

    def right(self, *, select: bool = False, word: bool = False) -> None:
        """One letter or word to the right; out of a selection, to its end."""
        if self.caret != self.mark and not select:
            self._go(self.selection[1])
        else:
            self._go(self.word_after(self.caret) if word else self.after(self.caret), select)

    def home(self, *, select: bool = False) -> None:
        """To the beginning."""
        self._go(0, select)

    def end(self, *, select: bool = False) -> None:
        """To the end."""
        self._go(len(self.text), select)

    def go(self, position: int, *, select: bool = False) -> None:
        """To the nearest place at or before `position` where a caret can stand."""
        position = max(0, min(len(self.text), position))
        while position and self._is_inside(position):
            position -= 1
        self._go(position, select)

    def select_all(self) -> None:
        """Select everything."""
        self.mark, self.caret = 0, len(self.text)

    def _go(self, position: int, select: bool = False) -> None:
        self.caret = position
        while self._is_inside(self.caret):
            self.caret += 1
        if not select:
            self.mark = self.caret

    # Where carets can stand

    def before(self, position: int) -> int:
        """The next such place to the left."""
        position = max(0, position - 1)
        while position and self._is_inside(position):
            position -= 1
        return position

    def after(self, position: int) -> int:
        """The next such place to the right."""
        position = min(len(self.text), position + 1)
        while self._is_inside(position):
            position += 1
        return position

    def word_before(self, position: int) -> int:
        """The beginning of the word that ends at or before `position`."""
        while position and self.text[position - 1].isspace():
            position -= 1
        while position and not self.text[position - 1].isspace():
            position -= 1
        return position

    def word_after(self, position: int) -> int:
        """The end of the word that begins at or after `position`."""
        end = len(self.text)
        while position < end and self.text[position].isspace():
            position += 1
        while position < end and not self.text[position].isspace():
            position += 1
        return position

    def _is_inside(self, position: int) -> bool:
        """Whether a caret there would part a letter from its accents, or a picture from what it is joined to."""
        if not 0 < position < len(self.text):
            return False
        here = self.text[position]
        return here == JOINER or self.text[position - 1] == JOINER or unicodedata.category(here) in ("Mn", "Me", "Mc")


def _is_shown(letter: str) -> bool:
    return letter == JOINER or unicodedata.category(letter) not in ("Cc", "Cs", "Cn", "Zl", "Zp")
