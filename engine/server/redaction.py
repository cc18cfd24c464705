"""Takes out of texts what must not be read by whoever reads logs: keys, tokens, passwords, and control characters."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.server.secret import Secret

HIDDEN = "[hidden]"
MIN_LITERAL = 4
"""Characters a secret must have to be looked for anywhere: shorter ones would hide half of every text."""

_NAMES = r"(?:password|passwd|secret|token|private_key|api_key)"
_PATTERNS = (
    re.compile(r"(tickwire://[^\s?\"']*\?(?:[^\s\"'&]*&)*key=)[^\s&\"']+"),  # an invite
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"),  # RFC 6750, 2.1; RFC 7617, 2
    re.compile(rf"(?i)({_NAMES}[\"']?\s*=\s*)(?!\[hidden)(?:\"[^\"]*\"?|'[^']*'?|[^\s,;&\"')\]}}]+)"),
    re.compile(rf"(?i)({_NAMES}[\"']\s*:\s*)(?!\[hidden)(?:\"[^\"]*\"?|'[^']*'?|[^\s,;&\"')\]}}]+)"),  # JSON
    re.compile(rf"(?i)({_NAMES}:\s*)(?!\[hidden)[^\s,;&\"')\]}}]{{16,}}"),  # a header; shorter is a word
    re.compile(r"()\b[0-9A-Fa-f]{64}\b"),  # 32 bytes in hex: a key, or as good as one
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Redaction:
    """Hides what looks like a key or token, and the given secrets wherever they stand."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        literals = sorted({secret.reveal() for secret in secrets if len(secret) >= MIN_LITERAL}, key=len, reverse=True)
        self._literals = re.compile("|".join(map(re.escape, literals))) if literals else None

    def __call__(self, text: str) -> str:
        """The text without what is to be hidden."""
        if self._literals is not None:
            text = self._literals.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{HIDDEN}", text)
        return text


def one_line(text: str) -> str:
    """The text with control characters written out: what a player is called must not move a terminal's cursor."""
    return _CONTROLS.sub(_written_out, text)


def printable(text: str) -> str:
    """As `one_line`, but line ends and tabs stay."""
    return _BUT_LINES.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
