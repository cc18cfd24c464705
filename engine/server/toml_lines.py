"""On which line of a TOML text each key is: `tomllib` keeps only the values."""

from __future__ import annotations

import re
import tomllib
from typing import Any, cast

_SYNTAX = re.compile(r"(?P<problem>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)


def key_lines(text: str) -> dict[str, int]:
    """The line, counted from 1, of every key and table of a valid TOML text, by dotted name; the last where repeated.

    A statement is the fewest lines, after the one before, that are valid on their own; so the parser itself says where
    strings and arrays of many lines end.
    """
    found: dict[str, int] = {}
    table = ""
    begin = 0
    lines = text.split("\n")
    for end in range(1, len(lines) + 1):
        try:
            statement = tomllib.loads("\n".join(lines[begin:end]))
        except tomllib.TOMLDecodeError:
            continue
        is_header = lines[begin].lstrip().startswith("[")
        if is_header:
            table = ""
        names = _names(statement, table)
        if is_header and names:
            table = names[-1]
        for name in names:
            found[name] = begin + 1
        begin = end
    return found


def _names(value: object, above: str) -> list[str]:
    """The dotted names of all keys in `value`, outermost first; tables in an array share one."""
    if isinstance(value, list):
        return [name for item in cast("list[object]", value) for name in _names(item, above)]
    names: list[str] = []
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            name = f"{above}.{key}" if above else key
            names += [name, *_names(inner, name)]
    return names


def syntax_problem(error: Exception, text: str) -> tuple[int, str]:
    """The line an error of `tomllib` is on, the first if it does not say, and what it is."""
    known = _SYNTAX.fullmatch(str(error))
    if known is None:
        return 1, str(error)
    return int(known["line"] or text.rstrip("\n").count("\n") + 1), known["problem"]
