"""A text that is used but not shown."""

from __future__ import annotations

import hmac

MASK = "********"


class Secret:
    """A password or token. Printed, logged or formatted it is a row of stars; `reveal` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def matches(self, text: str) -> bool:
        """Whether `text` is the secret; takes as long wherever they differ."""
        return hmac.compare_digest(self._text.encode(), text.encode("utf-8", "surrogatepass"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __len__(self) -> int:
        return len(self._text)

    def __repr__(self) -> str:
        return MASK if self._text else "''"
