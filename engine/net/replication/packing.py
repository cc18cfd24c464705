"""Columns of whole numbers as few bits, a whole snapshot at a time, without a loop over numbers.

Most changes are small, some are not, and few are large; in one width, the few would make all the others long. So a
column has up to three classes of numbers by their lengths in bits: of up to a, of more than a and up to b, and of more
than b and up to c, the longest. Which a and b take the fewest bits is found from how many numbers have which length.

    headers     1 bit a column: whether it holds anything but zeros; then for each such column c in 6 bits (63 standing
                for 64, as 63 is never used), c - b in 4, and b - a in 4. One class is a = b = c, two are a < b = c.
    classes     1 bit a number, in columns of several classes: whether it is longer than a;
                then 1 bit for each of those that are, in columns of three: whether it is longer than b
    --          zeros up to the next byte
    numbers     as many of the low bits of each as the longest of its class has; one less where all of its class are of
                the same length, as their highest bit is known then
    --          zeros up to the next byte

Bits fill bytes from the lowest up, as in `engine.net.wire.bits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.compiled import has
from engine.net.wire.errors import ProtocolError

if TYPE_CHECKING or has("engine.net.replication.kernel"):
    from engine.net.replication import kernel

COMPILED = has("engine.net.replication.kernel")
"""Whether the kernel does what is written here, too."""

Ints = NDArray[np.int64]
Unsigned = NDArray[np.uint64]

WORD = 64
EXACT = 53
"""Bits of numbers that floating point has exactly."""
LONGEST = 63
"""How the width 64 is written; no number of 63 bits is, it takes 64."""
WIDTH_BITS, STEP_BITS = 6, 4
HEAD_BITS = WIDTH_BITS + 2 * STEP_BITS
FURTHEST = (1 << STEP_BITS) - 1
"""Between the longest of one class and of the next."""
NEVER = np.iinfo(np.int64).max
SPARE = 24
"""Bytes behind the end that unpacking may look at, and never uses."""
FEW = 200
"""So many numbers other than zero are packed sooner one by one than as arrays."""

_MASKS: Unsigned = np.array([(1 << width) - 1 for width in range(WORD + 1)], np.uint64)
_PLACES: Ints = np.arange(HEAD_BITS)
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
    if COMPILED:
        return kernel.pack(numbers, counts)
    places = numbers.nonzero()[0]
    return pack_few(numbers, counts, places) if len(places) <= FEW else pack_many(numbers, counts)


def pack_few(numbers: Unsigned, counts: Ints, places: NDArray[np.intp]) -> bytes:
    """As `pack`, one by one for those at `places`, which are all that are not zero."""
    columns = len(counts)
    ends = counts.cumsum()
    of = ends.searchsorted(places, "right")
    values: list[int] = numbers[places].tolist()
    if max(values, default=0) >> LONGEST - 1:
        return pack_many(numbers, counts)
    rows: list[int] = (places - (ends - counts)[of]).tolist()
    sizes: list[int] = counts.tolist()
    some = heads = above = higher = content = 0  # bits, from the lowest up
    head_at = above_at = higher_at = at = 0  # how many there are of each
    first = 0
    for column, last in _runs(of.tolist()):
        size = sizes[column]
        lengths = [value.bit_length() for value in values[first:last]]
        a, b, c = _choose_one(size, lengths)
        some |= 1 << column
        heads |= (c | (c - b) << WIDTH_BITS | (b - a) << WIDTH_BITS + STEP_BITS) << head_at
        head_at += HEAD_BITS
        middle, high = b - (b == a + 1), c - (c == b + 1)
        next_row = 0
        for row, value, length in zip(rows[first:last], values[first:last], lengths, strict=True):
            at += (row - next_row) * a
            next_row = row + 1
            if length <= a:
                content |= value << at
                at += a
                continue
            above |= 1 << above_at + row
            if length <= b:
                width = middle
            else:
                width = high
                higher |= 1 << higher_at
            higher_at += b < c
            content |= (value & (1 << width) - 1) << at
            at += width
        at += (size - next_row) * a
        above_at += size if a < c else 0
        first = last
    flags = some | heads << columns | above << columns + head_at | higher << columns + head_at + above_at
    length = columns + head_at + above_at + higher_at
    return flags.to_bytes((length + 7) >> 3, "little") + content.to_bytes((at + 7) >> 3, "little")


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Each of these ascending numbers once, and where its run ends."""
    end = 0
    for number, run in groupby(numbers):
        end += len(list(run))
        yield number, end


def _choose_one(size: int, lengths: list[int]) -> tuple[int, int, int]:
    """As `_choose`, for one column of `size` numbers, of which these are the lengths of those that are not zero.

    A class ends at a length that there is, or one below the next, whose highest bits are known then: any other end
    takes more. So b is less than c: where it might as well be c, c - 1 takes no more.
    """
    lengths = sorted(lengths)
    c = lengths[-1]
    count = size - len(lengths)
    if lengths[0] == c <= FURTHEST + 1:
        return (0, c - 1, c) if size + len(lengths) * c < size * c else (c, c, c)
    ends = [(0, count)] if count else []  # and how many numbers there are up to each
    for shorter, longer in pairwise(lengths):
        count += 1
        if shorter < longer:
            ends.append((shorter, count))
    if ends and ends[-1][0] < c - 1:
        ends.append((c - 1, ends[-1][1]))
    if c > FURTHEST + 1 and ends:
        ends.append((c - FURTHEST, max([upto for end, upto in ends if end <= c - FURTHEST], default=0)))
        ends = sorted(dict(ends).items())
    single = best = size * c << 2 * WIDTH_BITS  # bits, then a, then b, in one number
    for place in range(1, len(ends)):
        b, in_b = ends[place]
        if b < c - FURTHEST:
            b = c - FURTHEST
        rest = 2 * size + (size - in_b) * (c - (c == b + 1))
        for a, in_a in (*ends[:place], (b - 1, ends[place - 1][1])):
            if a < b - FURTHEST:
                a = b - FURTHEST
            bits = rest + in_a * (a - 1) + (in_b - in_a) * (b - (b == a + 1))
            found = bits << 2 * WIDTH_BITS | a << WIDTH_BITS | b
            if found < best:
                best = found
    if best == single:
        return c, c, c
    return best >> WIDTH_BITS & LONGEST, best & LONGEST, c


def pack_many(numbers: Unsigned, counts: Ints) -> bytes:
    """As `pack`, all at once."""
    columns = len(counts)
    lengths = np.frexp(numbers.astype(np.float64))[1]
    longest = int(lengths.max(initial=0))
    if not longest:
        return bytes((columns + 7) >> 3)
    if longest > EXACT:  # some were rounded up to the next power of two
        lengths -= (numbers >> (np.maximum(lengths, 1) - 1).astype(np.uint64)) == 0
        lengths[numbers == 0] = 0
        lengths[lengths == LONGEST] = WORD
        longest = int(lengths.max())
    column = np.repeat(np.arange(columns), counts)
    ends = longest + 1
    histogram = np.bincount(column * ends + lengths, minlength=columns * ends).reshape(columns, ends)
    some = histogram[:, 1:].any(axis=1)
    classes = np.zeros((columns, 3), np.int64)
    classes[some] = _choose(histogram[some])
    a, b, c = classes.T
    above = lengths > a[column]  # of one class, nothing is
    higher = np.zeros(len(lengths), np.bool_)
    higher[above] = lengths[above] > b[column[above]]
    heads = np.minimum(c, LONGEST) | (c - b) << WIDTH_BITS | (b - a) << (WIDTH_BITS + STEP_BITS)
    flags = (
        some,
        (heads[some][:, None] >> _PLACES & 1).ravel(),
        above[(a < c)[column]],
        higher[above & (b < c)[column]],
    )
    packed = np.packbits(np.concatenate(flags).astype(np.uint8), bitorder="little").tobytes()
    widths = _widths(classes)[0].ravel()[column * 3 + above + higher]
    return packed + _join(numbers & _MASKS[widths], widths)


def _choose(histogram: Ints) -> Ints:
    """The a, b and c that take the fewest bits, shape (columns, 3), for columns with so many numbers of each length."""
    columns, ends = histogram.shape
    short = histogram.cumsum(axis=1)
    count = short[:, -1:]
    c = ends - 1 - (histogram[:, ::-1] > 0).argmax(axis=1)[:, None]
    a, b, width = _pairs(ends)
    in_a, in_b = short[:, a], short[:, b]
    bits = count + in_a * a + (in_b - in_a) * width
    bits += (b < c) * (count - in_a + (count - in_b) * (c - (c == b + 1)))
    bits[(b > c) | (c - b > FURTHEST)] = NEVER
    best = bits.argmin(axis=1)
    chosen = np.column_stack((a[best], b[best], c[:, 0]))
    single = bits[np.arange(columns), best] >= (count * c)[:, 0]
    chosen[single] = c[single]
    return chosen


@cache
def _pairs(ends: int) -> tuple[Ints, Ints, Ints]:
    """Every a below every b below `ends` that a header can tell, and the width of the second class."""
    a, b = np.triu_indices(ends, 1)
    near = (b - a <= FURTHEST) & (b != LONGEST) & (a != LONGEST)
    a, b = a[near].astype(np.int64), b[near].astype(np.int64)
    return a, b, b - (b == a + 1)


def _widths(classes: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """By column and class: how many bits its numbers take, and whether their highest is left out."""
    known = np.zeros(classes.shape, np.bool_)
    known[:, 1:] = classes[:, 1:] == classes[:, :-1] + 1
    return classes - known, known


def _join(numbers: Unsigned, widths: Ints) -> bytes:
    """The low bits of every number, as many as its width, one after the other."""
    some = widths > 0
    if not some.all():
        numbers, widths = numbers[some], widths[some]
        if not len(widths):
            return b""
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
    if COMPILED:
        numbers = np.empty(total, np.uint64)
        return numbers, kernel.unpack(packed, at, counts, numbers)
    bits = np.unpackbits(np.frombuffer(packed, np.uint8, offset=min(at, len(packed))), bitorder="little")
    some = np.flatnonzero(bits[:columns])
    headed = columns + HEAD_BITS * len(some)
    if headed > len(bits):
        raise ProtocolError("packed columns are cut off in their headers")
    if not len(some):
        return np.zeros(total, np.uint64), at + ((columns + 7) >> 3)
    heads = bits[columns:headed].reshape(-1, HEAD_BITS) @ (1 << _PLACES)
    c = heads & LONGEST
    c[c == LONGEST] = WORD
    b = c - (heads >> WIDTH_BITS & FURTHEST)
    a = b - (heads >> WIDTH_BITS + STEP_BITS)
    if (a < 0).any() or ((a == b) & (b < c)).any():
        raise ProtocolError("a packed column has classes below zero, or two of one length")
    classes = np.zeros((columns, 3), np.int64)
    classes[some] = np.column_stack((a, b, c))
    a, b, c = classes.T
    column = np.repeat(np.arange(columns), counts)
    place = column * 3
    asked = np.flatnonzero((a < c)[column])
    end = headed + len(asked)
    above = asked[bits[headed:end].nonzero()] if end <= len(bits) else asked
    place[above] += 1
    asked = above[(b < c)[column[above]]]
    last = end + len(asked)
    if last > len(bits):
        raise ProtocolError("packed columns are cut off in their classes")
    place[asked[bits[end:last].nonzero()]] += 1
    of_class, known = _widths(classes)
    widths = of_class.ravel()[place]
    at += (last + 7) >> 3
    ends = widths.cumsum()
    length = (int(ends[-1]) + 7) >> 3 if total else 0
    if at + length > len(packed):
        raise ProtocolError("packed columns are cut off in their numbers")
    numbers = _part(packed[at : at + length], ends - widths, widths)
    highest = known.ravel()[place].nonzero()
    numbers[highest] |= _ONE << widths[highest].view(np.uint64)
    return numbers, at + length


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
