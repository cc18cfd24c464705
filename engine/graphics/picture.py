"""Pictures by number: a name stands in columns as a small integer, the same in all worlds of this process.

Numbers are handed out as names appear and never taken back. They mean nothing outside of the process, so they
belong in local components only.

A name is a path below the asset roots, such as `ships/arrow.png`. `disc.png#2/6` is the third of six frames lying
side by side in one file. Names that begin with a colon are drawn by the renderer itself: `:glow` is a soft light
with a white heart, `:soft` the light without it, `:dot` a disc with a sharp rim, each 64 pixels wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

GLOW, SOFT, DOT = ":glow", ":soft", ":dot"
DRAWN_SIZE = 64
"""Width and height in pixels of the pictures drawn by the renderer itself."""

_lock = Lock()
_names: list[str] = [""]
_numbers: dict[str, int] = {"": 0}
_runs: dict[tuple[str, ...], int] = {}


def picture_number(name: str) -> int:
    """The number of a name; 0 is the number of no picture."""
    number = _numbers.get(name)
    if number is None:
        with _lock:
            number = _numbers.setdefault(name, len(_names))
            if number == len(_names):
                _names.append(name)
    return number


def picture_run(names: Sequence[str]) -> int:
    """The first of consecutive numbers for these names, so that a frame is the first plus its place."""
    key = tuple(names)
    with _lock:
        first = _runs.get(key)
        if first is None:
            first = _runs[key] = len(_names)
            _names.extend(key)
    return first


def picture_name(number: int) -> str:
    """The name behind a number."""
    return _names[number]


def picture_count() -> int:
    """One more than the highest number handed out."""
    return len(_names)


def strip(name: str, count: int) -> tuple[str, ...]:
    """The names of `count` frames that lie side by side in one file, left to right."""
    return tuple(f"{name}#{place}/{count}" for place in range(count))
