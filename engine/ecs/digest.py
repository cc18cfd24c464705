"""A canonical form and digest of plain values, the same in every process of one build.

Accepted: None, bool, int, float, str, bytes, enums, tuples, lists, dicts (in insertion order), dataclasses,
components, entities, numpy arrays, `random.Random` and classes. Sets are refused: their order is not defined.

Layout: a type letter, then the contents, lengths first, so that no two values have one form.
"""

from __future__ import annotations

import dataclasses
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine.ecs.component import Component
from engine.ecs.entity import Entity

Feed = Callable[[bytes], object]


def digest(value: object) -> int:
    """The 64-bit digest of `value`. Raises `TypeError` if it holds something without a canonical form."""
    return int.from_bytes(blake2b(canonical(value), digest_size=8).digest(), "little")


def canonical(value: object) -> bytes:
    """The canonical bytes of `value`. Raises `TypeError` if it holds something that has none."""
    parts: list[bytes] = []
    feed_value(parts.append, value)
    return b"".join(parts)


def feed_value(feed: Feed, value: object) -> None:
    """Feed the canonical bytes of `value`, piece by piece."""
    exact = _EXACT.get(type(value))
    if exact is not None:
        exact(feed, value)
    elif isinstance(value, Enum):
        feed(b"e")
        _feed_text(feed, f"{type(value).__qualname__}.{value.name}")
    elif isinstance(value, Component):
        feed(b"C")
        _feed_text(feed, type(value).__qualname__)
        _feed_mapping(feed, value.values())
    elif isinstance(value, np.generic):
        feed_value(feed, cast("np.generic[Any]", value).item())
    elif isinstance(value, random.Random):
        feed(b"r")
        feed_value(feed, value.getstate())
    elif isinstance(value, type):
        feed(b"t")
        _feed_text(feed, value.__qualname__)
    elif dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        feed(b"D%d:" % len(fields))
        _feed_text(feed, type(value).__qualname__)
        for field in fields:
            feed_value(feed, getattr(value, field.name))
    else:
        for kind, feeding in _EXACT.items():
            if isinstance(value, kind):  # a subclass, such as a named tuple or a counter
                feeding(feed, value)
                return
        raise TypeError(
            f"{value!r} of type {type(value).__name__} has no canonical form, so it cannot be simulation state; "
            "use plain values, dataclasses, lists and dicts (no sets), or make its component or resource local"
        )


def _feed_none(feed: Feed, value: object) -> None:
    feed(b"n")


def _feed_bool(feed: Feed, value: object) -> None:
    feed(b"T" if value else b"F")


def _feed_int(feed: Feed, value: Any) -> None:
    feed(b"i%d;" % value)


def _feed_float(feed: Feed, value: Any) -> None:
    feed(struct.pack("<cd", b"f", value))


def _feed_text(feed: Feed, value: Any) -> None:
    raw: bytes = value.encode("utf-8", "surrogatepass")
    feed(b"s%d:" % len(raw) + raw)


def _feed_bytes(feed: Feed, value: Any) -> None:
    feed(b"b%d:" % len(value) + bytes(value))


def _feed_sequence(feed: Feed, value: object) -> None:
    items = cast(Sequence[object], value)
    feed(b"l%d:" % len(items))
    for item in items:
        feed_value(feed, item)


def _feed_mapping(feed: Feed, value: object) -> None:
    pairs = cast(Mapping[object, object], value)
    feed(b"d%d:" % len(pairs))
    for key, item in pairs.items():
        feed_value(feed, key)
        feed_value(feed, item)


def _feed_entity(feed: Feed, value: Any) -> None:
    feed(b"E%d;" % value.id)


def _feed_array(feed: Feed, value: object) -> None:
    array = cast(NDArray[Any], value)
    if array.dtype.hasobject:
        raise TypeError("an array of Python objects has no canonical form; use numbers, or a list")
    feed(f"a{array.dtype.str}{array.shape}".encode())
    feed(array.tobytes())


_EXACT: dict[type, Callable[[Feed, object], None]] = {
    type(None): _feed_none,
    bool: _feed_bool,
    int: _feed_int,
    float: _feed_float,
    str: _feed_text,
    bytes: _feed_bytes,
    bytearray: _feed_bytes,
    tuple: _feed_sequence,
    list: _feed_sequence,
    dict: _feed_mapping,
    Entity: _feed_entity,
    np.ndarray: _feed_array,
}
