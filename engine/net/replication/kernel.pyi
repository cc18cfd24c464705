"""Arrays are contiguous; see kernel.pyx. Flags of entities are bytes of 0 or 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_Ids = NDArray[np.uint64]
_Bools = NDArray[np.bool_]

def pack(numbers: _Ids, counts: _Ints) -> bytes: ...
def unpack(packed: bytes, at: int, counts: _Ints, numbers: _Ids) -> int: ...
def predict(
    cells: _Ints, later: _Ints, rated: _Ints, rates: _Ints, factors: _Floats, half: float, found: _Ints
) -> None: ...
def encode(
    cells: _Ints,
    base: _Ints,
    rated: _Ints,
    rates: _Ints,
    factors: _Floats,
    half: float,
    counts: _Ints,
    places: _Ints,
    entities: int,
    partial: bool,
    linked: bool,
    kept: _Ints,
    sources: _Ints,
    fresh: _Ints,
    fresh_counts: _Ints,
    firsts: _Ints,
) -> tuple[int, int, bytes]: ...
def apply(
    payload: bytes,
    at: int,
    mode: int,
    base: _Ints,
    rated: _Ints,
    rates: _Ints,
    factors: _Floats,
    half: float,
    counts: _Ints,
    places: _Ints,
    linked: bool,
    kept: _Ints,
    sources: _Ints,
    fresh: _Ints,
    fresh_counts: _Ints,
    firsts: _Ints,
    touched: _Bools,
    cells: _Ints,
) -> int: ...
def destine(
    width: int, has: _Bools, kinds: _Ints, rows: _Ints, order: _Ints, columns: _Ints, entities: _Ints, cells: _Ints
) -> None: ...
def take(
    columns: list[NDArray[Any]],
    codes: NDArray[np.uint8],
    has: _Bools,
    kinds: _Ints,
    rows: _Ints,
    places: _Ints,
    multiples: _Floats,
    whole_end: int,
    before: _Ints,
    linked: bool,
    kept: _Ints,
    sources: _Ints,
    fresh: _Ints,
    rated: _Ints,
    rates: _Ints,
    factors: _Floats,
    half: float,
    slot_of: _Ints,
    by_slot: _Ids,
    cells: _Ints,
) -> None: ...
def take_rows(
    columns: list[NDArray[Any]],
    codes: NDArray[np.uint8],
    steps: _Floats,
    rows: int,
    slot_of: _Ints,
    by_slot: _Ids,
) -> list[tuple[int, ...]]: ...
def encode_private(
    before: dict[int, tuple[int, ...]], now: dict[int, tuple[int, ...]], slots: list[int]
) -> bytes | None: ...
def firsts(
    rows: list[_Ints], stays: _Bools, entities: _Ints, columns: _Ints, fresh: _Ints, width: int, found: _Ints
) -> None: ...
def structure(
    gone: _Ints, spawned: _Ints, slots: _Ints, prefabs: _Ints, entities: _Ids, births: _Ints, tick: int
) -> bytes: ...
def match(
    entities: _Ids,
    kinds: _Ints,
    tick: int,
    slot_of: _Ints,
    old_slots: _Ints,
    old_ids: _Ids,
    old_kinds: _Ints,
    old_prefabs: _Ints,
    old_births: _Ints,
    old_serials: _Ints,
    told: _Ints,
    known: _Bools,
    stays: _Bools,
    gone: _Bools,
) -> None: ...
def settle(
    told: _Ints, entities: _Ids, kinds: _Ints, slot_of: _Ints, order: _Ints, sorted_ids: _Ids, settled: _Ints
) -> None: ...
def arrange(
    has: _Bools,
    kinds: _Ints,
    slots: _Ints,
    going: _Ints,
    factors: _Floats,
    columns: _Ints,
    entities: _Ints,
    keys: _Ints,
    counts: _Ints,
    rated: _Ints,
    rates: _Ints,
    by: _Floats,
) -> int: ...
def staying(slots: _Ints, serials: _Ints, later_slots: _Ints, later_serials: _Ints, stays: _Bools) -> None: ...
def link(
    slots: _Ints,
    entities: _Ints,
    later_slots: _Ints,
    later_entities: _Ints,
    later_columns: _Ints,
    stays: _Bools,
    spawned: _Ints,
    gone: _Ints,
    kept: _Ints,
    places: _Ints,
    sources: _Ints,
    fresh: _Ints,
    fresh_counts: _Ints,
) -> tuple[int, int, int, int]: ...
