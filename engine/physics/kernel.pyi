from typing import Any, TypeAlias

import typing_extensions
from numpy.typing import NDArray

Buffer: TypeAlias = typing_extensions.Buffer | NDArray[Any]
Addresses: TypeAlias = Buffer
"""Of the solver's functions, in the order of `SIGNATURES`."""
Block: TypeAlias = tuple[Buffer, Buffer, Buffer, Buffer | None, Buffer]
"""Slots; places, live and as last seen; velocities, live and as last seen."""
Table: TypeAlias = tuple[Buffer, Buffer, Buffer]
"""Bodies and slots, as `index` fills them, and ids by slot."""

SIGNATURES: dict[str, str]
SORTED: int

def move(
    addresses: Addresses,
    space: int,
    pointers: Buffer,
    is_round: Buffer,
    blocks: tuple[Block, ...],
    first: int,
    short: int,
) -> int:
    """Move the bodies whose place was written, of the blocks from `first` on.

    Returns the number of the first block of which more is to be done, and nothing was; how many there are without one.
    In a block of up to `short` rows numbers are compared instead of bits, and round bodies only turned if that will do.
    """

def move_all(addresses: Addresses, space: int, pointers: Buffer, blocks: tuple[Block, ...], few: int) -> bool:
    """Put all bodies where their rows are. False, with nothing done, if few have moved, or it takes more than that."""

def drive(addresses: Addresses, pointers: Buffer, is_static: Buffer, blocks: tuple[Block, ...], first: int) -> int:
    """Give bodies the velocities that were written, of the blocks from `first` on. Returns what `move` does."""

def write_back(addresses: Addresses, pointers: Buffer, blocks: tuple[Block, ...]) -> bool:
    """Write into the rows where bodies are and how they move, and take that for seen. False if one is not finite."""

def index(pointers: Buffer, keys: Buffer, places: Buffer) -> None:
    """Fill a hash table, zeroed and of a size that is a power of two and twice what it takes, of slots by body."""

def contacts(
    addresses: Addresses, space: int, table: Table, pairs: Buffer, before: Buffer, fresh: Buffer, values: Buffer
) -> tuple[int, int]:
    """The pairs that touch, up to `SORTED` in order; and how those touch that are not among the sorted ones `before`.

    Returns how many pairs there are, and how many are fresh, though there be room for fewer. `values` have six numbers
    for each of these, as in `Touches`.
    """

def distinct(pairs: Buffer, count: int, before: Buffer) -> int:
    """Keep each of the first `count` sorted pairs once. Returns how many, as `~many` if they are what was before."""

def touches(addresses: Addresses, space: int, table: Table, pairs: Buffer, values: Buffer) -> bool:
    """How and where some pairs touch, sorted; `values` as in `Touches`. False if that is not one contact each."""

def near(
    points: Buffer,
    count: int,
    rows: Buffer,
    columns: Buffer | None,
    start: Buffer,
    end: Buffer,
    reach: Buffer,
    found: Buffer,
) -> int:
    """Which of the points of some rows may come within reach of ways. Returns how many were found.

    `points` have x, y and angle in rows of shape (3, count); each way looks at one row of them, in all columns or in
    the given ones. `found` gets the places in `reach`, of shape (ways, columns).
    """

def without(pairs: Buffer, others: Buffer, found: Buffer) -> int:
    """Those of the sorted, distinct `pairs` that are not among the sorted `others`. Returns how many were found."""
