"""Columns of whole numbers as few bits, a whole snapshot at a time, without a loop over numbers.

The numbers of a column that has any are written in one of two widths, chosen for it from how long its numbers are:
most changes are small, a few are not, and the few would make all the others long.

    headers     1 bit a column: whether it holds anything but zeros; then 6 + 6 bits for each such column: the wide
                width and the narrow one, 63 standing for 64
    classes     1 bit a number, in the columns whose widths differ: whether it is wide
    --          zeros up to the next byte
    numbers     the low bits of each, as many as its width
    --          zeros up to the next byte

Bits fill bytes from the lowest up, as in `engine.net.wire.bits`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.net.wire.errors import ProtocolError

Ints = NDArray[np.int64]
Unsigned = NDArray[np.uint64]

WORD = 64
LONGEST = 63
"""How the width 64 is written; no number of 63 bits is, it takes 64."""
WIDTH_BITS = 6
SPARE = 24
"""Bytes behind the end that unpacking may look at, and never uses."""

_MASKS: Unsigned = np.array([(1 << width) - 1 for width in range(WORD + 1)], np.uint64)
_PLACES: Ints = np.arange(WIDTH_BITS)
_ONE = np.uint64(1)
_LAST = np.uint64(WORD - 1)


def fold(numbers: Ints) -> Unsigned:
    """Small numbers of either sign as small unsigned ones: 0, -1, 1, -2 … become 0, 1, 2, 3 …"""
    return ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)


def unfold(folded: Unsigned) -> Ints:
    """The inverse of `fold`."""
    return (folded >> _ONE).view(np.int64) ^ -(folded & _ONE).view(np.int64)


def pack(numbers: Unsigned, counts: Ints) -> bytes:
    """`numbers` hold the columns one after the other, `counts` how many belong to each."""
    columns = len(counts)
    lengths = np.frexp(numbers.astype(np.float64))[1]  # of 54 bits and more maybe one too many, which does no harm
    longest = int(lengths.max(initial=0))
    if not longest:
        return bytes((columns + 7) >> 3)
    if longest >= LONGEST:
        longest = WORD
        lengths[lengths >= LONGEST] = WORD
    column = np.repeat(np.arange(columns), counts)
    shape = longest + 1
    histogram = np.bincount(column * shape + lengths, minlength=columns * shape).reshape(columns, shape)
    wide = longest - (histogram[:, ::-1] > 0).argmax(axis=1)
    wide[counts == 0] = 0
    # Bits with the narrow width w: a class bit each, w bits for those that are as short, the wide width for the others.
    short = histogram.cumsum(axis=1)
    bits = counts[:, None] + short * np.arange(shape) + (counts[:, None] - short) * wide[:, None]
    bits[np.arange(columns), wide] -= counts
    if longest == WORD:
        bits[:, LONGEST] = np.iinfo(np.int64).max
    narrow: Ints = bits.argmin(axis=1)
    used = wide > 0
    narrow[~used] = 0
    split = narrow < wide
    is_wide = lengths > narrow[column]
    widths: Ints = narrow[column]
    widths[is_wide] = wide[column[is_wide]]
    written = np.column_stack((wide[used], narrow[used]))
    written[written == WORD] = LONGEST
    head = (written[:, :, None] >> _PLACES) & 1
    flags = np.concatenate((used, head.ravel(), is_wide[split[column]])).astype(np.uint8)
    return np.packbits(flags, bitorder="little").tobytes() + _join(numbers, widths)


def _join(numbers: Unsigned, widths: Ints) -> bytes:
    """The low bits of every number, as many as its width, one after the other."""
    some = widths > 0
    if not some.all():
        numbers, widths = numbers[some], widths[some]
    ends = widths.cumsum()
    total = int(ends[-1])
    starts = ends - widths
    places = starts >> 6
    shifts = (starts & 63).view(np.uint64)
    words = np.zeros((total >> 6) + 2, "<u8")
    # Numbers are in order, so those of one word follow each other; only the last of them may reach into the next.
    first = np.flatnonzero(np.diff(places, prepend=-1))
    last = np.append(first[1:], len(places)) - 1
    words[places[first]] = np.bitwise_or.reduceat(numbers << shifts, first)
    words[places[last] + 1] |= numbers[last] >> _ONE >> (_LAST - shifts[last])
    return words.tobytes()[: (total + 7) >> 3]


def unpack(packed: bytes, at: int, counts: Ints) -> tuple[Unsigned, int]:
    """The numbers that `pack` wrote at offset `at`, and the offset after them. Raises `ProtocolError`."""
    columns = len(counts)
    total = int(counts.sum())
    bits = np.unpackbits(np.frombuffer(packed, np.uint8, offset=min(at, len(packed))), bitorder="little")
    used = np.flatnonzero(bits[:columns])
    headed = columns + 2 * WIDTH_BITS * len(used)
    if headed > len(bits):
        raise ProtocolError("packed columns are cut off in their headers")
    if not len(used):
        return np.zeros(total, np.uint64), at + ((columns + 7) >> 3)
    written = bits[columns:headed].reshape(-1, 2, WIDTH_BITS) @ (1 << _PLACES)
    written[written == LONGEST] = WORD
    wide, narrow = np.zeros(columns, np.int64), np.zeros(columns, np.int64)
    wide[used], narrow[used] = written[:, 0], written[:, 1]
    if (narrow > wide).any():
        raise ProtocolError("a packed column's narrow width is over its wide one")
    column = np.repeat(np.arange(columns), counts)
    widths = narrow[column]
    classed = np.flatnonzero((narrow < wide)[column])
    end = headed + len(classed)
    if end > len(bits):
        raise ProtocolError("packed columns are cut off in their classes")
    chosen = classed[bits[headed:end] != 0]
    widths[chosen] = wide[column[chosen]]
    at += (end + 7) >> 3
    ends = widths.cumsum()
    length = (int(ends[-1]) + 7) >> 3 if total else 0
    if at + length > len(packed):
        raise ProtocolError("packed columns are cut off in their numbers")
    return _part(packed[at : at + length], ends - widths, widths), at + length


def _part(packed: bytes, starts: Ints, widths: Ints) -> Unsigned:
    """The numbers of these widths that begin at these bits."""
    padded = packed + bytes(SPARE)
    words = np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,))  # a word from every byte on
    places = starts >> 3
    shifts = (starts & 7).view(np.uint64)
    numbers = words[places] >> shifts
    if int(widths.max(initial=0)) > WORD - 7:
        numbers |= words[places + 8] << _ONE << (_LAST - shifts)
    return numbers & _MASKS[widths]
