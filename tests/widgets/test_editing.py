"""The line editor against a plain string."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.widgets import Line

letters = st.text(st.sampled_from("ab cäß漢🚀"), max_size=6)


class Editing(RuleBasedStateMachine):
    """The model: the text before the caret and the text after it, or a selection between the two."""

    @initialize(text=letters, limit=st.one_of(st.none(), st.integers(0, 12)))
    def begin(self, text: str, limit: int | None) -> None:
        self.line = Line(text, limit)
        self.limit = limit
        self.text = text if limit is None else text[:limit]
        self.caret = self.mark = len(self.text)

    def _span(self) -> tuple[int, int]:
        return min(self.caret, self.mark), max(self.caret, self.mark)

    def _put(self, start: int, end: int, text: str) -> None:
        if self.limit is not None:
            text = text[: max(0, self.limit - len(self.text) + end - start)]
        self.text = self.text[:start] + text + self.text[end:]
        self.caret = self.mark = start + len(text)

    @rule(text=letters)
    def insert(self, text: str) -> None:
        self.line.insert(text)
        self._put(*self._span(), text)

    @rule()
    def backspace(self) -> None:
        self.line.backspace()
        start, end = self._span()
        self._put(max(0, start - 1) if start == end else start, end, "")

    @rule()
    def delete(self) -> None:
        self.line.delete()
        start, end = self._span()
        self._put(start, end + 1 if start == end else end, "")

    @rule(select=st.booleans())
    def left(self, select: bool) -> None:
        self.line.left(select=select)
        start, end = self._span()
        self._to(start if start != end and not select else max(0, self.caret - 1), select)

    @rule(select=st.booleans())
    def right(self, select: bool) -> None:
        self.line.right(select=select)
        start, end = self._span()
        self._to(end if start != end and not select else min(len(self.text), self.caret + 1), select)

    @rule(select=st.booleans())
    def home(self, select: bool) -> None:
        self.line.home(select=select)
        self._to(0, select)

    @rule(select=st.booleans())
    def end(self, select: bool) -> None:
        self.line.end(select=select)
        self._to(len(self.text), select)

    @rule(place=st.integers(-3, 20), select=st.booleans())
    def go(self, place: int, select: bool) -> None:
        self.line.go(place, select=select)
        self._to(max(0, min(len(self.text), place)), select)

    @rule()
    def select_all(self) -> None:
        self.line.select_all()
        self.mark, self.caret = 0, len(self.text)

    def _to(self, place: int, select: bool) -> None:
        self.caret = place
        if not select:
            self.mark = place

    @invariant()
    def same(self) -> None:
        if hasattr(self, "line"):
            assert (self.line.text, self.line.caret, self.line.mark) == (self.text, self.caret, self.mark)
            assert self.line.selected == self.text[self._span()[0] : self._span()[1]]


TestEditing = Editing.TestCase


ACTIONS = ("left", "right", "home", "end", "backspace", "delete", "select_all")


@given(
    st.text(max_size=12),
    st.lists(st.one_of(st.sampled_from(ACTIONS), st.text(max_size=4).map(lambda text: f"+{text}"))),
    st.integers(0, 10),
)
def test_any_unicode_keeps_the_caret_inside_and_letters_whole(text: str, actions: list[str], limit: int) -> None:
    line = Line(text, limit)
    for action in actions:
        if action.startswith("+"):
            line.insert(action[1:])
        else:
            getattr(line, action)()
        assert len(line.text) <= limit
        assert 0 <= line.mark <= len(line.text)
        assert 0 <= line.caret <= len(line.text)
        assert not any(unicodedata.category(letter) == "Cc" for letter in line.text)
        assert line.caret in (0, len(line.text)) or unicodedata.category(line.text[line.caret]) not in ("Mn", "Me")


def test_an_accent_goes_with_its_letter() -> None:
    line = Line("ae\u0301x")
    line.left()
    line.backspace()
    assert line.text == "ax"
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{BOY}"
    line = Line(f"a{family}")
    line.backspace()
    assert line.text == "a"


def test_words() -> None:
    line = Line("one two  three")
    line.backspace(word=True)
    assert line.text == "one two  "
    line.left(word=True)
    assert line.caret == 4
    line.left(word=True, select=True)
    assert line.selected == "one "
    line.home()
    line.delete(word=True)
    assert line.text == " two  "
