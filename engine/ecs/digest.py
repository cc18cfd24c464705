"""A canonical digest of plain values, the same in every process of one build.

Accepted: None, bool, int, float, str, bytes, enums, tuples, lists, dicts (in insertion order), dataclasses,
components, entities, numpy arrays, `random.Random` and classes. Sets are refused: their order is not defined.
"""

from __future__ import annotations

import dataclasses
import random
import struct
from collections.abc import Callable
from enum import Enum
from hashlib import blake2b
from typing import Any

import numpy as np

from engine.ecs.component import Component
from engine.ecs.entity import Entity

Feed = Callable[[bytes], object]


def digest(value: object) -> int:
    """The 64-bit digest of `value`. Raises `TypeError` if it holds something without a canonical form."""
    state = blake2b(digest_size=8)
    feed_value(state.update, value)
    return int.from_bytes(state.digest(), "little")


def feed_value(feed: Feed, value: Any) -> None:
    """Feed the canonical bytes of `value`: a type letter, then the contents, lengths first."""
    if value is None:
        feed(b"n")
    elif isinstance(value, Enum):
        feed(b"e")
        feed_value(feed, f"{type(value).__qualname__}.{value.name}")
    elif isinstance(value, bool):
        feed(b"T" if value else b"F")
    elif isinstance(value, int):
        text = str(int(value)).encode()
        feed(b"i%d:" % len(text) + text)
    elif isinstance(value, float):
        feed(b"f" + struct.pack("<d", value))
    elif isinstance(value, str):
        raw = value.encode()
        feed(b"s%d:" % len(raw) + raw)
    elif isinstance(value, (bytes, bytearray)):
        feed(b"b%d:" % len(value) + bytes(value))
    elif isinstance(value, (tuple, list)):
        items: Any = value
        feed(b"l%d:" % len(items))
        for item in items:
            feed_value(feed, item)
    elif isinstance(value, dict):
        pairs: Any = value
        feed(b"d%d:" % len(pairs))
        for key, item in pairs.items():
            feed_value(feed, key)
            feed_value(feed, item)
    elif isinstance(value, Entity):
        feed(b"E%d" % value.id)
    elif isinstance(value, Component):
        feed_value(feed, type(value).__qualname__)
        feed_value(feed, value.values())
    elif isinstance(value, np.ndarray):
        array: Any = value
        feed(f"a{array.dtype.str}{array.shape}".encode())
        feed(np.ascontiguousarray(array).tobytes())
    elif isinstance(value, np.generic):
        feed_value(feed, value.item())
    elif isinstance(value, random.Random):
        feed_value(feed, value.getstate())
    elif isinstance(value, type):
        feed_value(feed, value.__qualname__)
    elif dataclasses.is_dataclass(value):
        feed(b"D")
        feed_value(feed, type(value).__qualname__)
        for item in dataclasses.fields(value):
            feed_value(feed, getattr(value, item.name))
    else:
        raise TypeError(
            f"{value!r} of type {type(value).__name__} has no canonical form, so it cannot be simulation state; "
            "use plain values, dataclasses, lists and dicts (no sets), or make its component or resource local"
        )
