# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Snapshots made and read, compiled: what layout.py, quantise.py, delta.py and packing.py say in numpy, bit for bit.

The formats are told there. Whole numbers are added modulo 2**64, as in numpy. Arrays of places are looked through
before anything is read or written by them, so that no call reaches over the end of an array, whatever it is given.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS,
    PyBUF_FORMAT,
    PyBUF_STRIDED_RO,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.math cimport fabs, rint
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset, strchr

from engine.net.wire.errors import ProtocolError

cdef enum:
    WORD = 64
    LONGEST = 63  # how the width 64 is written; no length is
    WIDTH_BITS = 6
    STEP_BITS = 4
    HEAD_BITS = 14
    FURTHEST = 15
    LENGTHS = 65
    NONE = 0  # which of the entities that stay have changed: see delta.py
    ALL = 1
    GROUPS = 2
    EACH = 3
    GROUP = 8

cdef int64_t MOST_SLOTS = 1 << 16
cdef double MANY = 0.9
cdef double HOLD = 0.75
cdef int64_t MOST = <int64_t>1 << 61
cdef double CLIP = <double>(<int64_t>1 << 46)


# Arrays, lent for the length of a call


cdef struct Lent:
    int count
    Py_buffer buffers[20]


cdef struct Ints:
    int64_t* at
    Py_ssize_t size


cdef struct Ids:
    uint64_t* at
    Py_ssize_t size


cdef struct Floats:
    double* at
    Py_ssize_t size


cdef struct Bools:
    uint8_t* at
    Py_ssize_t size


cdef Py_buffer* lend(Lent* lent, object array, int flags, Py_ssize_t itemsize, const char* formats) except NULL:
    """An array's memory, contiguous. Raises `BufferError`, `TypeError` and `ValueError`."""
    cdef Py_buffer* buffer = &lent.buffers[lent.count]
    if lent.count == 20:
        raise ValueError("more arrays than there is room for")
    PyObject_GetBuffer(array, buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | flags)
    lent.count += 1
    if buffer.itemsize != itemsize or strchr(formats, buffer.format[0] if buffer.format != NULL else b"B") == NULL:
        raise TypeError(f"an array of other numbers, not {formats.decode()}")
    return buffer


cdef Ints ints(Lent* lent, object array, int flags) except *:
    cdef Py_buffer* buffer = lend(lent, array, flags, 8, b"lq")
    return Ints(<int64_t*>buffer.buf, buffer.len >> 3)


cdef Ids ids(Lent* lent, object array, int flags) except *:
    cdef Py_buffer* buffer = lend(lent, array, flags, 8, b"LQ")
    return Ids(<uint64_t*>buffer.buf, buffer.len >> 3)


cdef Floats floats(Lent* lent, object array, int flags) except *:
    cdef Py_buffer* buffer = lend(lent, array, flags, 8, b"d")
    return Floats(<double*>buffer.buf, buffer.len >> 3)


cdef Bools bools(Lent* lent, object array, int flags) except *:
    cdef Py_buffer* buffer = lend(lent, array, flags, 1, b"?B")
    return Bools(<uint8_t*>buffer.buf, buffer.len)


cdef void give_back(Lent* lent) noexcept:
    cdef int i
    for i in range(lent.count):
        PyBuffer_Release(&lent.buffers[i])


# Bounds


cdef void* room(size_t size) except NULL:
    """Memory for the length of a call."""
    cdef void* found = malloc(size + 1)
    if found == NULL:
        raise MemoryError
    return found


cdef int within(Ints places, int64_t end) except -1:
    """Raises `IndexError` unless all are places below `end`."""
    cdef Py_ssize_t i
    cdef uint64_t most = 0
    for i in range(places.size):
        if <uint64_t>places.at[i] > most:
            most = <uint64_t>places.at[i]
    if places.size and most >= <uint64_t>end:
        raise IndexError(f"a place is {most}, of {end}")
    return 0


cdef int same(Py_ssize_t length, Py_ssize_t other) except -1:
    if length != other:
        raise ValueError(f"arrays of {length} and {other} do not go together")
    return 0


cdef int64_t total(Ints counts) except -1:
    cdef int64_t found = 0
    cdef Py_ssize_t i
    for i in range(counts.size):
        if counts.at[i] < 0 or counts.at[i] > <int64_t>1 << 40:
            raise ValueError("a column of a length that none has")
        found += counts.at[i]
    return found


# Bits, from the lowest up


cdef struct Writer:
    uint8_t* at
    uint64_t held
    int filled


cdef inline void put(Writer* writer, uint64_t value, int width) noexcept nogil:
    """Write the low bits of a value that has no others set."""
    cdef int place
    writer.held |= value << writer.filled
    writer.filled += width
    if writer.filled >= WORD:
        for place in range(8):
            writer.at[place] = <uint8_t>(writer.held >> (8 * place))
        writer.at += 8
        writer.filled -= WORD
        writer.held = value >> (width - writer.filled) if writer.filled else 0


cdef inline void align(Writer* writer) noexcept nogil:
    """Go on with a whole byte."""
    while writer.filled > 0:
        writer.at[0] = <uint8_t>writer.held
        writer.at += 1
        writer.held >>= 8
        writer.filled -= 8
    writer.held = 0
    writer.filled = 0


cdef inline uint8_t* put_varint(uint8_t* at, uint64_t value) noexcept nogil:
    while value >= 0x80:
        at[0] = <uint8_t>(value & 0x7F | 0x80)
        at += 1
        value >>= 7
    at[0] = <uint8_t>value
    return at + 1


cdef inline uint64_t low(int width) noexcept nogil:
    return (<uint64_t>1 << width) - 1 if width < WORD else ~<uint64_t>0


cdef inline uint64_t bits(const uint8_t* packed, Py_ssize_t size, Py_ssize_t at, int width) noexcept nogil:
    """So many bits from a place on; those behind the end are zeros."""
    cdef Py_ssize_t place = at >> 3
    cdef int off = at & 7, byte
    cdef uint64_t found = 0
    if place + 9 <= size:
        for byte in range(8):
            found |= <uint64_t>packed[place + byte] << (8 * byte)
        found >>= off
        if width + off > WORD:
            found |= <uint64_t>packed[place + 8] << (WORD - off)
    else:
        for byte in range(9):
            if place + byte < size and 8 * byte - off < width:
                if byte == 0:
                    found = packed[place] >> off
                else:
                    found |= <uint64_t>packed[place + byte] << (8 * byte - off)
    return found & low(width)


cdef inline int bit_length(uint64_t value) noexcept nogil:
    """How many bits a number has; but 64 instead of 63."""
    cdef int found = 0
    if value >> 32:
        value >>= 32
        found = 32
    if value >> 16:
        value >>= 16
        found += 16
    if value >> 8:
        value >>= 8
        found += 8
    if value >> 4:
        value >>= 4
        found += 4
    if value >> 2:
        value >>= 2
        found += 2
    if value >> 1:
        found += 2
    elif value:
        found += 1
    return WORD if found == LONGEST else found


# Packed columns


cdef struct Classes:
    int a
    int b
    int c


cdef Classes choose(const int64_t* histogram) noexcept nogil:
    """The ends of classes that take the fewest bits, for so many numbers of each length."""
    cdef int64_t short[65]
    cdef int64_t count = 0, least = -1, found
    cdef int a, b, c = 0, width
    cdef Classes best
    for a in range(LENGTHS):
        count += histogram[a]
        short[a] = count
        if histogram[a]:
            c = a
    best.a = best.b = best.c = c
    if c == 0:
        return best
    for a in range(c):
        if a == LONGEST:
            continue
        for b in range(max(a + 1, c - FURTHEST), min(a + FURTHEST, c) + 1):
            if b == LONGEST:
                continue
            width = b - (b == a + 1)
            found = count + short[a] * a + (short[b] - short[a]) * width
            if b < c:
                found += count - short[a] + (count - short[b]) * (c - (c == b + 1))
            if least < 0 or found < least:
                least = found
                best.a = a
                best.b = b
    if least < 0 or least >= count * c:
        best.a = best.b = c
    return best


cdef bytes pack_behind(
    const uint8_t* before, Py_ssize_t size_before, const uint64_t* numbers, const int64_t* counts, Py_ssize_t columns
):
    """Some bytes, and columns packed behind them."""
    cdef Py_ssize_t column, i, n = 0, size
    cdef int64_t heads = columns, content = 0, above
    cdef int64_t histogram[65]
    cdef int length
    cdef Classes* classes = NULL
    cdef uint8_t* lengths = NULL
    cdef Classes* of
    cdef Writer writer
    cdef bytes packed
    for column in range(columns):
        n += counts[column]
    try:
        classes = <Classes*>room(columns * sizeof(Classes))
        lengths = <uint8_t*>room(n)
        i = 0
        for column in range(columns):
            n = i + counts[column]
            of = &classes[column]
            of.a = of.b = of.c = 0
            while i < n and numbers[i] == 0:
                lengths[i] = 0
                i += 1
            if i == n:
                continue
            memset(histogram, 0, sizeof(histogram))
            histogram[0] = counts[column] - (n - i)
            while i < n:
                lengths[i] = bit_length(numbers[i])
                histogram[lengths[i]] += 1
                i += 1
            of[0] = choose(histogram)
            heads += HEAD_BITS
            above = 0
            for length in range(of.c + 1):
                if length <= of.a:
                    content += histogram[length] * of.a
                    continue
                above += histogram[length]
                if length <= of.b:
                    content += histogram[length] * (of.b - (of.b == of.a + 1))
                else:
                    content += histogram[length] * (of.c - (of.c == of.b + 1))
            if of.a < of.c:
                heads += counts[column]
            if of.b < of.c:
                heads += above
        size = size_before + ((heads + 7) >> 3) + ((content + 7) >> 3)
        packed = PyBytes_FromStringAndSize(NULL, size)
        writer.at = <uint8_t*>PyBytes_AS_STRING(packed)
        writer.held = 0
        writer.filled = 0
        if size_before:
            memcpy(writer.at, before, size_before)
        writer.at += size_before
        for column in range(columns):
            put(&writer, classes[column].c > 0, 1)
        for column in range(columns):
            of = &classes[column]
            if of.c:
                put(
                    &writer,
                    (of.c if of.c < LONGEST else LONGEST)
                    | (of.c - of.b) << WIDTH_BITS
                    | (of.b - of.a) << (WIDTH_BITS + STEP_BITS),
                    HEAD_BITS,
                )
        i = 0
        for column in range(columns):
            of = &classes[column]
            n = i + counts[column]
            if of.a < of.c:
                while i < n:
                    put(&writer, lengths[i] > of.a, 1)
                    i += 1
            i = n
        i = 0
        for column in range(columns):
            of = &classes[column]
            n = i + counts[column]
            if of.b < of.c:
                while i < n:
                    if lengths[i] > of.a:
                        put(&writer, lengths[i] > of.b, 1)
                    i += 1
            i = n
        align(&writer)
        i = 0
        for column in range(columns):
            of = &classes[column]
            n = i + counts[column]
            if of.c == 0:
                i = n
            while i < n:
                length = of.a
                if lengths[i] > of.b:
                    length = of.c - (of.c == of.b + 1)
                elif lengths[i] > of.a:
                    length = of.b - (of.b == of.a + 1)
                put(&writer, numbers[i] & low(length), length)
                i += 1
        align(&writer)
        return packed
    finally:
        free(classes)
        free(lengths)


cdef Py_ssize_t unpack_into(
    const uint8_t* packed, Py_ssize_t size, Py_ssize_t at, const int64_t* counts, Py_ssize_t columns,
    uint64_t* numbers
) except -1:
    """Read columns at a place; returns the place behind them."""
    cdef Py_ssize_t bit, end, first, column, i, n = 0, asked
    cdef int head, length
    cdef uint64_t value
    cdef bint wrong = False
    cdef Classes* classes = NULL
    cdef uint8_t* places = NULL
    cdef Classes* of
    first = at if at < size else size
    packed += first
    size -= first
    end = 8 * size
    for column in range(columns):
        n += counts[column]
    try:
        classes = <Classes*>room(columns * sizeof(Classes))
        places = <uint8_t*>room(n)
        bit = columns
        for column in range(columns):
            classes[column].a = classes[column].b = classes[column].c = 0
            if bits(packed, size, column, 1):
                classes[column].c = 1
                bit += HEAD_BITS
        if bit > end:
            raise ProtocolError("packed columns are cut off in their headers")
        if bit == columns:
            memset(numbers, 0, n * sizeof(uint64_t))
            return at + ((columns + 7) >> 3)
        bit = columns
        for column in range(columns):
            of = &classes[column]
            if of.c:
                head = <int>bits(packed, size, bit, HEAD_BITS)
                bit += HEAD_BITS
                of.c = head & LONGEST
                if of.c == LONGEST:
                    of.c = WORD
                of.b = of.c - (head >> WIDTH_BITS & FURTHEST)
                of.a = of.b - (head >> (WIDTH_BITS + STEP_BITS))
                wrong = wrong or of.a < 0 or (of.a == of.b and of.b < of.c)
        if wrong:
            raise ProtocolError("a packed column has classes below zero, or two of one length")
        asked = 0
        for column in range(columns):
            if classes[column].a < classes[column].c:
                asked += counts[column]
        if bit + asked > end:
            raise ProtocolError("packed columns are cut off in their classes")
        memset(places, 0, n)
        i = 0
        for column in range(columns):
            of = &classes[column]
            n = i + counts[column]
            if of.a < of.c:
                while i < n:
                    places[i] = packed[bit >> 3] >> (bit & 7) & 1
                    bit += 1
                    i += 1
            i = n
        i = 0
        for column in range(columns):
            of = &classes[column]
            n = i + counts[column]
            if of.b < of.c:
                while i < n:
                    if places[i]:
                        if bit >= end:
                            raise ProtocolError("packed columns are cut off in their classes")
                        places[i] += packed[bit >> 3] >> (bit & 7) & 1
                        bit += 1
                    i += 1
            i = n
        bit = (bit + 7) >> 3 << 3
        i = 0
        for column in range(columns):
            of = &classes[column]
            n = i + counts[column]
            if of.c == 0:
                memset(&numbers[i], 0, (n - i) * sizeof(uint64_t))
                i = n
            while i < n:
                value = 0
                if places[i] == 0:
                    length = of.a
                elif places[i] == 1:
                    length = of.b
                    if of.b == of.a + 1:
                        length -= 1
                        value = <uint64_t>1 << length
                else:
                    length = of.c
                    if of.c == of.b + 1:
                        length -= 1
                        value = <uint64_t>1 << length
                if bit + length > end:
                    raise ProtocolError("packed columns are cut off in their numbers")
                numbers[i] = bits(packed, size, bit, length) | value
                bit += length
                i += 1
        return first + ((bit + 7) >> 3)
    finally:
        free(classes)
        free(places)


cdef bytes pack_within(Ids numbers, Ints counts):
    same(total(counts), numbers.size)
    return pack_behind(NULL, 0, numbers.at, counts.at, counts.size)


cdef Py_ssize_t unpack_within(bytes packed, Py_ssize_t at, Ints counts, Ids numbers) except -1:
    if at < 0:
        raise ValueError(f"offset {at}")
    same(total(counts), numbers.size)
    return unpack_into(
        <const uint8_t*>PyBytes_AS_STRING(packed), PyBytes_GET_SIZE(packed), at, counts.at, counts.size, numbers.at
    )


# From one state to the next


cdef inline int64_t fold_back(uint64_t folded) noexcept nogil:
    return <int64_t>(folded >> 1 ^ (0 - (folded & 1)))


cdef inline uint64_t fold(int64_t number) noexcept nogil:
    return <uint64_t>number << 1 ^ (~<uint64_t>0 if number < 0 else 0)


cdef inline uint64_t moved(uint64_t rates, double factor) noexcept nogil:
    """The steps that rates make, rounded to even: as `state.predicted`."""
    return <uint64_t><int64_t>rint(<double><int64_t>rates * factor)


cdef void carry_into(
    Ints cells, Ints kept, Ints sources, int64_t* carried, Py_ssize_t size
) noexcept nogil:
    """Cells of an earlier shape in the order of a later one."""
    cdef Py_ssize_t i
    memset(carried, 0, size * sizeof(int64_t))
    for i in range(kept.size):
        carried[kept.at[i]] = cells.at[sources.at[i]]


cdef int check_link(Ints cells, Ints kept, Ints sources, Ints fresh, int64_t size) except -1:
    same(kept.size, sources.size)
    within(kept, size)
    within(sources, cells.size)
    within(fresh, size)
    return 0


cdef int check_rates(Ints rated, Ints rates, Floats factors, int64_t size) except -1:
    same(rated.size, rates.size)
    same(rated.size, factors.size)
    within(rated, size)
    within(rates, size)
    return 0


cdef int predict_within(
    Ints cells, Ints later, Ints rated, Ints rates, Floats factors, double half, Ints found
) except -1:
    cdef Py_ssize_t i
    same(cells.size, later.size)
    same(cells.size, found.size)
    check_rates(rated, rates, factors, cells.size)
    if cells.size:
        memcpy(found.at, cells.at, cells.size * sizeof(int64_t))
    for i in range(rated.size):
        found.at[rated.at[i]] = <int64_t>(
            <uint64_t>found.at[rated.at[i]]
            + moved(<uint64_t>cells.at[rates.at[i]] + <uint64_t>later.at[rates.at[i]], factors.at[i] * half)
        )


cdef tuple encode_within(
    Ints cells, Ints base, Ints rated, Ints rates, Floats factors, double half, Ints counts, Ints places,
    Py_ssize_t entities, bint partial, bint linked, Ints kept, Ints sources, Ints fresh, Ints fresh_counts,
    Ints firsts
):
    cdef Py_ssize_t size = cells.size, stay = places.size, columns = counts.size
    cdef Py_ssize_t news = fresh.size if linked else 0
    cdef Py_ssize_t i, n, column, number = 0, some = 0, groups = (entities + GROUP - 1) // GROUP, each
    cdef Py_ssize_t marked = 0
    cdef int mode, bit
    cdef int64_t* held = NULL
    cdef uint64_t* residual = NULL
    cdef uint8_t* touched = NULL
    cdef uint8_t* marks = NULL
    cdef int64_t* chosen = NULL
    cdef Writer writer
    same(total(counts), stay)
    within(places, entities)
    check_rates(rated, rates, factors, size)
    if linked:
        check_link(base, kept, sources, fresh, size)
        same(kept.size, stay)
        same(news, firsts.size)
        same(total(fresh_counts), news)
        same(fresh_counts.size, columns)
    else:
        same(size, base.size)
        same(size, stay)
    try:
        held = <int64_t*>room(size * sizeof(int64_t))
        residual = <uint64_t*>room((stay + news) * sizeof(uint64_t))
        touched = <uint8_t*>room(groups * GROUP)
        marks = <uint8_t*>room(groups * (GROUP + 1) + 16)
        chosen = <int64_t*>room(2 * columns * sizeof(int64_t))
        if linked:
            carry_into(base, kept, sources, held, size)
        elif size:
            memcpy(held, base.at, size * sizeof(int64_t))
        # No column that goes by a rate is one.
        for i in range(rated.size):
            held[rated.at[i]] = <int64_t>(
                <uint64_t>held[rated.at[i]]
                + moved(<uint64_t>held[rates.at[i]] + <uint64_t>cells.at[rates.at[i]], factors.at[i] * half)
            )
        memset(touched, 0, groups * GROUP)
        for i in range(stay):
            n = kept.at[i] if linked else i
            residual[i] = fold(<int64_t>(<uint64_t>cells.at[n] - <uint64_t>held[n]))
            if residual[i]:
                touched[places.at[i]] = 1
        for i in range(groups):
            n = 0
            for bit in range(GROUP):
                n += touched[GROUP * i + bit]
            number += n
            some += n > 0
        if number == 0:
            mode = NONE
            stay = 0
            memset(chosen, 0, columns * sizeof(int64_t))
        elif <double>number >= MANY * <double>entities and not partial:
            mode = ALL
            memcpy(chosen, counts.at, columns * sizeof(int64_t))
        else:
            each = (entities + 7) >> 3
            writer.at = marks
            writer.held = 0
            writer.filled = 0
            if (groups + GROUP * some + 7) >> 3 < each:
                mode = GROUPS
                for i in range(groups):
                    n = 0
                    for bit in range(GROUP):
                        n |= touched[GROUP * i + bit] << bit
                    put(&writer, n > 0, 1)
                for i in range(groups):
                    n = 0
                    for bit in range(GROUP):
                        n |= touched[GROUP * i + bit] << bit
                    if n:
                        put(&writer, n, GROUP)
            else:
                mode = EACH
                for i in range(entities):
                    put(&writer, touched[i], 1)
            align(&writer)
            marked = writer.at - marks
            i = stay = n = 0
            for column in range(columns):
                each = stay
                n += counts.at[column]
                while i < n:
                    if touched[places.at[i]]:
                        residual[stay] = residual[i]
                        stay += 1
                    i += 1
                chosen[column] = stay - each
        if news:
            for i in range(news):
                residual[stay + i] = fold(<int64_t>(<uint64_t>cells.at[fresh.at[i]] - <uint64_t>firsts.at[i]))
            memcpy(chosen + columns, fresh_counts.at, columns * sizeof(int64_t))
            columns *= 2
        elif mode == NONE:
            columns = 0
        return mode, number, pack_behind(marks, marked, residual, chosen, columns)
    finally:
        free(held)
        free(residual)
        free(touched)
        free(marks)
        free(chosen)


cdef Py_ssize_t apply_within(
    bytes payload, Py_ssize_t at, int mode, Ints base, Ints rated, Ints rates, Floats factors, double half,
    Ints counts, Ints places, bint linked, Ints kept, Ints sources, Ints fresh, Ints fresh_counts, Ints firsts,
    Bools touched, Ints cells
) except -1:
    cdef Py_ssize_t size = cells.size, stay = places.size, columns = counts.size
    cdef Py_ssize_t entities = touched.size, groups = (entities + GROUP - 1) // GROUP
    cdef Py_ssize_t news = fresh.size if linked else 0
    cdef Py_ssize_t i, n, end, column, number, length = PyBytes_GET_SIZE(payload)
    cdef const uint8_t* packed = <const uint8_t*>PyBytes_AS_STRING(payload)
    cdef int64_t* held = NULL
    cdef int64_t* chosen = NULL
    cdef uint64_t* changes = NULL
    if not 0 <= at <= length:
        raise ValueError(f"offset {at} of {length}")
    same(total(counts), stay)
    within(places, entities)
    check_rates(rated, rates, factors, size)
    if linked:
        check_link(base, kept, sources, fresh, size)
        same(kept.size, stay)
        same(news, firsts.size)
        same(total(fresh_counts), news)
        same(fresh_counts.size, columns)
    else:
        same(size, base.size)
        same(size, stay)
    # Who changed
    if entities:
        memset(touched.at, mode == ALL, entities)
    end = 8 * length
    i = 8 * at
    if mode == EACH:
        if i + entities > end:
            raise ProtocolError("a snapshot that is cut off where it tells who changed")
        for n in range(entities):
            touched.at[n] = packed[i + n >> 3] >> (i + n & 7) & 1
        at += (entities + 7) >> 3
    elif mode == GROUPS:
        if i + groups > end:
            raise ProtocolError("a snapshot that is cut off where it tells who changed")
        n = i + groups
        for column in range(groups):
            if packed[i + column >> 3] >> (i + column & 7) & 1:
                if n + GROUP > end:
                    raise ProtocolError("a snapshot that is cut off where it tells who changed")
                for number in range(GROUP * column, min(GROUP * column + GROUP, entities)):
                    touched.at[number] = packed[n >> 3] >> (n & 7) & 1
                    n += 1
                n = i + groups + ((n - i - groups + GROUP - 1) // GROUP) * GROUP
        at += (n - i + 7) >> 3
    try:
        held = <int64_t*>room(size * sizeof(int64_t))
        chosen = <int64_t*>room(2 * columns * sizeof(int64_t))
        # What they changed by
        i = end = n = 0
        for column in range(columns):
            end += counts.at[column]
            if mode == ALL:
                chosen[column] = counts.at[column]
            else:
                chosen[column] = 0
                while i < end:
                    chosen[column] += touched.at[places.at[i]]
                    i += 1
            n += chosen[column]
        changes = <uint64_t*>room((n + news) * sizeof(uint64_t))
        if news:
            memcpy(chosen + columns, fresh_counts.at, columns * sizeof(int64_t))
            at = unpack_into(packed, length, at, chosen, 2 * columns, changes)
        elif mode != NONE:
            at = unpack_into(packed, length, at, chosen, columns, changes)
        if linked:
            carry_into(base, kept, sources, held, size)
        elif size:
            memcpy(held, base.at, size * sizeof(int64_t))
        if size:
            memcpy(cells.at, held, size * sizeof(int64_t))
        n = 0
        for i in range(stay):
            if touched.at[places.at[i]]:
                column = kept.at[i] if linked else i
                cells.at[column] = <int64_t>(<uint64_t>cells.at[column] + <uint64_t>fold_back(changes[n]))
                n += 1
        # Rates first: what goes by them is told as how far it is from where their mean would take it.
        for i in range(rated.size):
            cells.at[rated.at[i]] = <int64_t>(
                <uint64_t>cells.at[rated.at[i]]
                + moved(<uint64_t>held[rates.at[i]] + <uint64_t>cells.at[rates.at[i]], factors.at[i] * half)
            )
        for i in range(news):
            cells.at[fresh.at[i]] = <int64_t>(<uint64_t>fold_back(changes[n + i]) + <uint64_t>firsts.at[i])
        return at
    finally:
        free(held)
        free(chosen)
        free(changes)


# From the world to a state


cdef enum:
    FLOAT = 0  # types of columns: layout.CODES
    DOUBLE = 1
    UINT8 = 2
    INT32 = 3
    UINT32 = 4
    INT64 = 5
    UINT64 = 6
    REFERENCE = 7

cdef int[8] SIZES = [4, 8, 1, 4, 4, 8, 8, 8]


cdef inline int64_t slot_with(uint64_t id, Ints slot_of, Ids by_slot) noexcept nogil:
    """As `quantise.Quantiser._slots_of`."""
    cdef int64_t index = <int64_t><uint32_t>id
    cdef int64_t slot = slot_of.at[index if index < slot_of.size else 0] + 1
    index = slot if slot < by_slot.size else by_slot.size - 1
    return slot if 0 <= slot and by_slot.at[index] == id else 0


cdef inline double measure(const char* at, int code) noexcept nogil:
    cdef float single
    cdef double value
    if code == FLOAT:
        memcpy(&single, at, 4)
        return single
    memcpy(&value, at, 8)
    return value


cdef inline int64_t whole(const char* at, int code) noexcept nogil:
    cdef int64_t value
    cdef int32_t signed_value
    cdef uint32_t unsigned_value
    if code == UINT8:
        return (<const uint8_t*>at)[0]
    if code == INT32:
        memcpy(&signed_value, at, 4)
        return signed_value
    if code == UINT32:
        memcpy(&unsigned_value, at, 4)
        return unsigned_value
    memcpy(&value, at, 8)
    return value


cdef int destine_within(
    Py_ssize_t width, Bools has, Ints kinds, Ints rows, Ints order, Ints columns, Ints entities, Ints cells
) except -1:
    cdef Py_ssize_t sources = kinds.size, across = has.size // width if width else 0, count = order.size, source, i
    cdef int64_t row, at = 0, first = 0, column
    cdef int64_t* source_of = NULL
    cdef int64_t* row_of = NULL
    cdef int64_t* begins = NULL
    same(sources, rows.size)
    same(total(rows), count)
    same(columns.size, entities.size)
    same(columns.size, cells.size)
    same(width * across, has.size)
    within(kinds, across)
    within(order, count)
    within(columns, width)
    within(entities, count)
    try:
        source_of = <int64_t*>room(count * sizeof(int64_t))
        row_of = <int64_t*>room(count * sizeof(int64_t))
        begins = <int64_t*>room(sources * width * sizeof(int64_t))
        for source in range(sources):
            for row in range(rows.at[source]):
                source_of[first + row] = source
                row_of[first + row] = row
            first += rows.at[source]
            for column in range(width):
                begins[source * width + column] = -1
                if has.at[column * across + kinds.at[source]]:
                    begins[source * width + column] = at
                    at += rows.at[source]
        same(at, cells.size)
        for i in range(columns.size):
            row = order.at[entities.at[i]]
            at = begins[source_of[row] * width + columns.at[i]]
            if at < 0:
                raise IndexError(f"an entity has no column {columns.at[i]}")
            cells.at[at + row_of[row]] = i
    finally:
        free(source_of)
        free(row_of)
        free(begins)


cdef int take_within(
    list columns, Bools codes, Bools has, Ints kinds, Ints rows, Ints places, Floats multiples, Py_ssize_t whole_end,
    Ints before, bint linked, Ints kept, Ints sources, Ints fresh, Ints rated, Ints rates, Floats factors,
    double half, Ints slot_of, Ids by_slot, Ints cells
) except -1:
    cdef Py_ssize_t size = cells.size, floats = multiples.size, width = codes.size
    cdef Py_ssize_t across = has.size // width if width else 0, source, number, column = 0, row, i, at = 0
    cdef Py_ssize_t stride
    cdef const char* data
    cdef int code
    cdef double value
    cdef int64_t cell
    cdef double* measured = NULL
    cdef int64_t* held = NULL
    cdef Py_buffer buffer
    same(kinds.size, rows.size)
    same(width * across, has.size)
    within(kinds, across)
    for source in range(kinds.size):
        for number in range(width):
            if has.at[number * across + kinds.at[source]]:
                if not 0 <= rows.at[source] <= MOST_SLOTS:
                    raise ValueError(f"a column of {rows.at[source]} rows")
                at += rows.at[source]
                column += 1
    same(len(columns), column)
    same(at, size)
    same(size, places.size)
    at = column = 0
    within(places, size)
    check_rates(rated, rates, factors, size)
    within(rated, floats)
    if not 0 <= floats <= whole_end <= size or not by_slot.size or not slot_of.size:
        raise ValueError("cells that are not of floats, whole numbers and references in this order")
    if linked:
        check_link(before, kept, sources, fresh, size)
    else:
        same(size, before.size)
    try:
        measured = <double*>room(floats * sizeof(double))
        held = <int64_t*>room(size * sizeof(int64_t))
        for source in range(kinds.size):
            for number in range(width):
                if not has.at[number * across + kinds.at[source]]:
                    continue
                code = codes.at[number]
                PyObject_GetBuffer(columns[column], &buffer, PyBUF_STRIDED_RO)
                column += 1
                try:
                    if code > UINT64 or buffer.itemsize != SIZES[code]:
                        raise ValueError(f"column {number} is of another type than told")
                    if buffer.ndim != 1 or buffer.shape[0] < rows.at[source]:
                        raise ValueError(f"column {number} is shorter than told")
                    data = <const char*>buffer.buf
                    stride = buffer.strides[0]
                    for row in range(rows.at[source]):
                        cell = places.at[at]
                        at += 1
                        if (cell < floats) != (code <= DOUBLE):
                            raise ValueError(f"column {number} is among the others")
                        if code <= DOUBLE:
                            measured[cell] = measure(data, code) * multiples.at[cell]
                        else:
                            cells.at[cell] = whole(data, code)
                        data += stride
                finally:
                    PyBuffer_Release(&buffer)
        for i in range(whole_end, size):
            cells.at[i] = slot_with(<uint64_t>cells.at[i], slot_of, by_slot)
        if linked:
            carry_into(before, kept, sources, held, size)
        elif size:
            memcpy(held, before.at, size * sizeof(int64_t))
        for i in range(floats):
            value = measured[i]
            if not fabs(value) < CLIP:
                value = 0.0 if value != value else -CLIP if value < 0 else CLIP
                measured[i] = value
            cells.at[i] = held[i] if fabs(value - <double>held[i]) < HOLD else <int64_t>rint(value)
        # What goes by its rate goes on while that is near; no column that goes by a rate is one.
        for i in range(rated.size):
            cell = rated.at[i]
            held[cell] = <int64_t>(
                <uint64_t>held[cell]
                + moved(<uint64_t>held[rates.at[i]] + <uint64_t>cells.at[rates.at[i]], factors.at[i] * half)
            )
            value = measured[cell]
            cells.at[cell] = held[cell] if fabs(value - <double>held[cell]) < HOLD else <int64_t>rint(value)
        if linked:
            for i in range(fresh.size):
                if fresh.at[i] < floats:
                    cells.at[fresh.at[i]] = <int64_t>rint(measured[fresh.at[i]])
    finally:
        free(measured)
        free(held)


cdef list take_rows_within(list columns, Bools codes, Floats steps, Py_ssize_t rows, Ints slot_of, Ids by_slot):
    cdef Py_ssize_t column, row, count = len(columns)
    cdef const char* data
    cdef double value
    cdef int64_t* cells = NULL
    cdef Py_buffer buffer
    same(count, codes.size)
    same(count, steps.size)
    if rows < 0 or not by_slot.size or not slot_of.size:
        raise ValueError("no rows, or no slots")
    try:
        cells = <int64_t*>room(rows * count * sizeof(int64_t))
        for column in range(count):
            PyObject_GetBuffer(columns[column], &buffer, PyBUF_STRIDED_RO)
            try:
                if codes.at[column] > REFERENCE or buffer.itemsize != SIZES[codes.at[column]]:
                    raise ValueError(f"column {column} is of another type than told")
                if buffer.ndim != 1 or buffer.shape[0] < rows:
                    raise ValueError(f"column {column} is shorter than told")
                data = <const char*>buffer.buf
                for row in range(rows):
                    if codes.at[column] <= DOUBLE:
                        value = measure(data, codes.at[column]) / steps.at[column]
                        value = 0.0 if value != value else -CLIP if value < -CLIP else CLIP if value > CLIP else value
                        cells[row * count + column] = <int64_t>rint(value)
                    elif codes.at[column] == REFERENCE:
                        cells[row * count + column] = slot_with(<uint64_t>whole(data, UINT64), slot_of, by_slot)
                    else:
                        cells[row * count + column] = whole(data, codes.at[column])
                    data += buffer.strides[0]
            finally:
                PyBuffer_Release(&buffer)
        return [tuple([cells[row * count + column] for column in range(count)]) for row in range(rows)]
    finally:
        free(cells)


cdef int firsts_within(
    list rows, Bools stays, Ints entities, Ints columns, Ints fresh, Py_ssize_t width, Ints found
) except -1:
    cdef Py_ssize_t i, place, born = 0, count = len(rows)
    cdef int64_t* rank = NULL
    cdef int64_t* cells = NULL
    cdef Lent lent
    cdef Ints row
    same(entities.size, columns.size)
    same(fresh.size, found.size)
    within(entities, stays.size)
    within(columns, width)
    within(fresh, columns.size)
    try:
        rank = <int64_t*>room(stays.size * sizeof(int64_t))
        cells = <int64_t*>room(count * width * sizeof(int64_t))
        for i in range(stays.size):
            rank[i] = -1
            if not stays.at[i]:
                rank[i] = born
                born += 1
        same(born, count)
        for i in range(count):
            lent.count = 0
            try:
                row = ints(&lent, rows[i], 0)
                same(row.size, width)
                memcpy(cells + i * width, row.at, width * sizeof(int64_t))
            finally:
                give_back(&lent)
        for i in range(fresh.size):
            place = rank[entities.at[fresh.at[i]]]
            if place < 0:
                raise IndexError(f"cell {fresh.at[i]} is not new")
            found.at[i] = cells[place * width + columns.at[fresh.at[i]]]
    finally:
        free(rank)
        free(cells)
    return 0


cdef bytes structure_within(Ints gone, Ints spawned, Ints slots, Ints prefabs, Ids entities, Ints births, int64_t tick):
    cdef uint8_t* written = NULL
    cdef uint8_t* at
    cdef Py_ssize_t i
    cdef int64_t before = 0, place, slot
    same(slots.size, prefabs.size)
    same(slots.size, entities.size)
    same(slots.size, births.size)
    within(spawned, slots.size)
    try:
        written = <uint8_t*>room(20 + 10 * gone.size + 50 * spawned.size)
        at = put_varint(put_varint(written, gone.size), spawned.size)
        for i in range(gone.size):
            at = put_varint(at, gone.at[i] - before)
            before = gone.at[i]
        before = 0
        for i in range(spawned.size):
            place = spawned.at[i]
            slot = slots.at[place]
            at = put_varint(at, slot - before)
            at = put_varint(at, prefabs.at[place])
            at = put_varint(at, fold(<int64_t><uint32_t>entities.at[place] - slot))
            at = put_varint(at, entities.at[place] >> 32)
            at = put_varint(at, tick - births.at[place])
            before = slot
        return PyBytes_FromStringAndSize(<const char*>written, at - written)
    finally:
        free(written)


cdef bytes encode_private_within(dict before, dict now, list slots):
    cdef uint8_t* written = NULL
    cdef uint8_t* at
    cdef Py_ssize_t place, size = 20
    cdef int64_t number, held
    cdef uint64_t changed, change
    cdef tuple numbers
    cdef tuple told
    same(len(now), len(slots))
    for numbers in now.values():
        if len(numbers) > 60:
            return None
        size += 20 + 10 * len(numbers)
    try:
        written = <uint8_t*>room(size)
        at = put_varint(written, len(slots))
        for (id, numbers), slot in zip(now.items(), slots):
            told = before.get(id)
            if told is not None and len(told) != len(numbers):
                told = None
            changed = 0
            for place in range(len(numbers)):
                held = 0 if told is None else told[place]
                number = numbers[place]
                if not -MOST < number < MOST or not -MOST < held < MOST:
                    return None
                if number != held:
                    changed |= <uint64_t>1 << place
            at = put_varint(at, slot)
            at = put_varint(at, changed)
            for place in range(len(numbers)):
                if changed >> place & 1:
                    held = 0 if told is None else told[place]
                    number = numbers[place]
                    at = put_varint(at, fold(number - held))
        return PyBytes_FromStringAndSize(<const char*>written, at - written)
    finally:
        free(written)


# Shapes


cdef Py_ssize_t arrange_within(
    Bools has, Ints kinds, Ints slots, Ints going, Floats factors, Ints columns, Ints entities, Ints keys,
    Ints counts, Ints rated, Ints rates, Floats by
) except -1:
    cdef Py_ssize_t width = counts.size, across = has.size // width if width else 0
    cdef Py_ssize_t count = kinds.size, size = keys.size
    cdef Py_ssize_t column, place, i, of, n = 0
    cdef int64_t first, second
    cdef const uint8_t* row
    cdef const uint8_t* rate
    same(count, slots.size)
    same(width * across, has.size)
    same(size, columns.size)
    same(size, entities.size)
    same(rated.size, rates.size)
    same(rated.size, by.size)
    same(going.size, 2 * factors.size)
    within(going, width)
    within(kinds, across)
    i = 0
    for column in range(width):
        of = i
        row = has.at + column * across
        for place in range(count):
            if row[kinds.at[place]]:
                if i == size:
                    raise ValueError(f"more than {size} cells")
                columns.at[i] = column
                entities.at[i] = place
                keys.at[i] = column * MOST_SLOTS + slots.at[place]
                i += 1
        counts.at[column] = i - of
    same(i, size)
    for i in range(factors.size):
        of = going.at[2 * i]
        row = has.at + of * across
        rate = has.at + going.at[2 * i + 1] * across
        first = second = 0
        for column in range(of):
            first += counts.at[column]
        for column in range(going.at[2 * i + 1]):
            second += counts.at[column]
        for place in range(count):
            if row[kinds.at[place]]:
                if rate[kinds.at[place]]:
                    if n == rated.size:
                        raise ValueError(f"more than {n} cells go by rates")
                    rated.at[n] = first
                    rates.at[n] = second
                    by.at[n] = factors.at[i]
                    n += 1
                first += 1
            second += rate[kinds.at[place]]
    return n


cdef int match_within(
    Ids ids, Ints kinds, int64_t tick, Ints slot_of, Ints old_slots, Ids old_ids, Ints old_kinds, Ints old_prefabs,
    Ints old_births, Ints old_serials, Ints told, Bools known, Bools stays, Bools gone
) except -1:
    cdef Py_ssize_t count = ids.size, olds = old_slots.size, i
    cdef int64_t slot, at, top = 0
    cdef int64_t* places = NULL
    same(count, kinds.size)
    same(4 * count, told.size)
    same(count, known.size)
    same(count, stays.size)
    same(olds, old_ids.size)
    same(olds, old_kinds.size)
    same(olds, old_prefabs.size)
    same(olds, old_births.size)
    same(olds, old_serials.size)
    same(olds, gone.size)
    within(old_slots, MOST_SLOTS)
    try:
        for i in range(olds):
            if old_slots.at[i] >= top:
                top = old_slots.at[i] + 1
        places = <int64_t*>room(top * sizeof(int64_t))
        for i in range(top):
            places[i] = -1
        for i in range(olds):
            places[old_slots.at[i]] = i
            gone.at[i] = 1
        for i in range(count):
            at = <int64_t><uint32_t>ids.at[i]
            if at >= slot_of.size:
                raise IndexError(f"an entity with index {at}, of {slot_of.size}")
            slot = slot_of.at[at]
            at = places[slot] if 0 <= slot < top else -1
            known.at[i] = at >= 0 and old_ids.at[at] == ids.at[i]
            stays.at[i] = known.at[i] and old_kinds.at[at] == kinds.at[i]
            told.at[i] = slot
            told.at[count + i] = old_prefabs.at[at] if stays.at[i] else 0
            told.at[2 * count + i] = old_births.at[at] if known.at[i] else tick
            told.at[3 * count + i] = old_serials.at[at] if stays.at[i] else 0
            if known.at[i]:
                gone.at[at] = 0
    finally:
        free(places)
    return 0


cdef int settle_within(
    Ints told, Ids ids, Ints kinds, Ints slot_of, Ints order, Ids sorted_ids, Ints settled
) except -1:
    cdef Py_ssize_t count = ids.size, i, n = 0, row
    cdef int64_t slot, place, top = 0
    cdef int64_t* places = NULL
    same(4 * count, told.size)
    same(count, kinds.size)
    same(count, order.size)
    same(count, sorted_ids.size)
    same(5 * count, settled.size)
    try:
        for i in range(count):
            if not 0 <= told.at[i] < MOST_SLOTS or <int64_t><uint32_t>ids.at[i] >= slot_of.size:
                raise IndexError(f"entity {ids.at[i]} in slot {told.at[i]}")
            if told.at[i] >= top:
                top = told.at[i] + 1
        places = <int64_t*>room(top * sizeof(int64_t))
        for slot in range(top):
            places[slot] = -1
        for i in range(count):
            if places[told.at[i]] >= 0:
                raise ValueError(f"slot {told.at[i]} is two entities'")
            places[told.at[i]] = i
            slot_of.at[<uint32_t>ids.at[i]] = told.at[i]
        for slot in range(top):
            place = places[slot]
            if place >= 0:
                order.at[n] = place
                sorted_ids.at[n] = ids.at[place]
                for row in range(4):
                    settled.at[row * count + n] = told.at[row * count + place]
                settled.at[4 * count + n] = kinds.at[place]
                n += 1
    finally:
        free(places)
    return 0


cdef int staying_within(
    Ints slots, Ints serials, Ints later_slots, Ints later_serials, Bools stays
) except -1:
    cdef Py_ssize_t i, at = 0, count = slots.size
    same(count, serials.size)
    same(later_slots.size, later_serials.size)
    same(later_slots.size, stays.size)
    for i in range(stays.size):
        while at < count and slots.at[at] < later_slots.at[i]:
            at += 1
        stays.at[i] = at < count and slots.at[at] == later_slots.at[i] and serials.at[at] == later_serials.at[i]


cdef tuple link_within(
    Ints slots, Ints entities, Ints later_slots, Ints later_entities, Ints later_columns, Bools stays, Ints spawned,
    Ints gone, Ints kept, Ints places, Ints sources, Ints fresh, Ints fresh_counts
):
    cdef Py_ssize_t count = slots.size, later = later_slots.size, size = later_entities.size
    cdef Py_ssize_t i, at = 0, born = 0, left = 0, holds = 0, found = 0, new = 0
    cdef uint8_t* stayed = NULL
    cdef int64_t* rank = NULL
    same(later, stays.size)
    same(later, spawned.size)
    same(count, gone.size)
    same(size, later_columns.size)
    same(size, kept.size)
    same(size, places.size)
    same(size, fresh.size)
    same(entities.size, sources.size)
    within(entities, count)
    within(later_entities, later)
    within(later_columns, fresh_counts.size)
    try:
        stayed = <uint8_t*>room(count)
        rank = <int64_t*>room(later * sizeof(int64_t))
        if count:
            memset(stayed, 0, count)
        for i in range(later):
            rank[i] = i - born
            if not stays.at[i]:
                spawned.at[born] = i
                born += 1
                continue
            while at < count and slots.at[at] < later_slots.at[i]:
                at += 1
            if at == count:
                raise IndexError(f"slot {later_slots.at[i]} was not there before")
            stayed[at] = 1
        at = 0
        for i in range(count):
            if not stayed[i]:
                while at < born and later_slots.at[spawned.at[at]] < slots.at[i]:
                    at += 1
                if at == born or later_slots.at[spawned.at[at]] != slots.at[i]:
                    gone.at[left] = slots.at[i]
                    left += 1
        memset(fresh_counts.at, 0, fresh_counts.size * sizeof(int64_t))
        for i in range(size):
            at = later_entities.at[i]
            if stays.at[at]:
                kept.at[holds] = i
                places.at[holds] = rank[at]
                holds += 1
            else:
                fresh.at[new] = i
                fresh_counts.at[later_columns.at[i]] += 1
                new += 1
        for i in range(entities.size):
            if stayed[entities.at[i]]:
                sources.at[found] = i
                found += 1
        return born, left, holds, found
    finally:
        free(stayed)
        free(rank)


# What is called


def pack(numbers, counts):
    """As `packing.pack`."""
    cdef Lent lent
    lent.count = 0
    try:
        return pack_within(ids(&lent, numbers, 0), ints(&lent, counts, 0))
    finally:
        give_back(&lent)


def unpack(bytes packed, Py_ssize_t at, counts, numbers):
    """As `packing.unpack`, into `numbers`; returns the offset after them."""
    cdef Lent lent
    lent.count = 0
    try:
        return unpack_within(packed, at, ints(&lent, counts, 0), ids(&lent, numbers, PyBUF_WRITABLE))
    finally:
        give_back(&lent)


def predict(cells, later, rated, rates, factors, double half, found):
    """As `state.predicted`, into `found`; `half` is half of the ticks, and rates are in both `cells` and `later`."""
    cdef Lent lent
    lent.count = 0
    try:
        predict_within(
            ints(&lent, cells, 0), ints(&lent, later, 0), ints(&lent, rated, 0), ints(&lent, rates, 0),
            floats(&lent, factors, 0), half, ints(&lent, found, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def encode(
    cells, base, rated, rates, factors, double half, counts, places, Py_ssize_t entities, bint partial, bint linked,
    kept, sources, fresh, fresh_counts, firsts
):
    """Which entities changed, as flags and bits, and the packed columns of `delta.encode`: flags, entities told of, and
    the bytes. What is about links is looked at only if `linked`; `firsts` are what new cells are told against."""
    cdef Lent lent
    lent.count = 0
    try:
        return encode_within(
            ints(&lent, cells, 0), ints(&lent, base, 0), ints(&lent, rated, 0), ints(&lent, rates, 0),
            floats(&lent, factors, 0), half, ints(&lent, counts, 0), ints(&lent, places, 0), entities, partial,
            linked, ints(&lent, kept, 0), ints(&lent, sources, 0), ints(&lent, fresh, 0),
            ints(&lent, fresh_counts, 0), ints(&lent, firsts, 0)
        )
    finally:
        give_back(&lent)


def apply(
    bytes payload, Py_ssize_t at, int mode, base, rated, rates, factors, double half, counts, places, bint linked,
    kept, sources, fresh, fresh_counts, firsts, touched, cells
):
    """What a payload from `at` on makes of the cells of `base`: into `cells`, and into `touched` which of the entities
    that stay it tells of. Returns the offset behind. Raises `ProtocolError`, as `delta.Reading.apply`."""
    cdef Lent lent
    lent.count = 0
    try:
        return apply_within(
            payload, at, mode, ints(&lent, base, 0), ints(&lent, rated, 0), ints(&lent, rates, 0),
            floats(&lent, factors, 0), half, ints(&lent, counts, 0), ints(&lent, places, 0), linked,
            ints(&lent, kept, 0), ints(&lent, sources, 0), ints(&lent, fresh, 0), ints(&lent, fresh_counts, 0),
            ints(&lent, firsts, 0), bools(&lent, touched, PyBUF_WRITABLE), ints(&lent, cells, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def destine(Py_ssize_t width, has, kinds, rows, order, columns, entities, cells):
    """Which cell each number of a world becomes: of each source, of the kind and with as many rows as told, column by
    column. `order` is the place among all rows of each of the shape's entities."""
    cdef Lent lent
    lent.count = 0
    try:
        destine_within(
            width, bools(&lent, has, 0), ints(&lent, kinds, 0), ints(&lent, rows, 0), ints(&lent, order, 0),
            ints(&lent, columns, 0), ints(&lent, entities, 0), ints(&lent, cells, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def take(
    list columns, codes, has, kinds, rows, places, multiples, Py_ssize_t whole_end, before, bint linked, kept,
    sources, fresh, rated, rates, factors, double half, slot_of, by_slot, cells
):
    """The cells of a world's columns, as `quantise.Quantiser` fills them: of each source, of the kind and with as many
    rows as told, column by column, which become the cells in `places`. The first cells are of floats, one for each of
    `multiples`; those before `whole_end` of whole numbers, the others of references. Raises `ValueError` for a column
    that is shorter, or of another type."""
    cdef Lent lent
    lent.count = 0
    try:
        take_within(
            columns, bools(&lent, codes, 0), bools(&lent, has, 0), ints(&lent, kinds, 0), ints(&lent, rows, 0),
            ints(&lent, places, 0), floats(&lent, multiples, 0), whole_end, ints(&lent, before, 0), linked,
            ints(&lent, kept, 0), ints(&lent, sources, 0), ints(&lent, fresh, 0), ints(&lent, rated, 0),
            ints(&lent, rates, 0), floats(&lent, factors, 0), half, ints(&lent, slot_of, 0), ids(&lent, by_slot, 0),
            ints(&lent, cells, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def take_rows(list columns, codes, steps, Py_ssize_t rows, slot_of, by_slot):
    """So many rows of columns as tuples of cells; `steps` are those of floats."""
    cdef Lent lent
    lent.count = 0
    try:
        return take_rows_within(
            columns, bools(&lent, codes, 0), floats(&lent, steps, 0), rows, ints(&lent, slot_of, 0),
            ids(&lent, by_slot, 0)
        )
    finally:
        give_back(&lent)


def firsts(list rows, stays, entities, columns, fresh, Py_ssize_t width, found):
    """By new cell: the value in the prefab of its entity; `rows` has those prefabs' of all columns."""
    cdef Lent lent
    lent.count = 0
    try:
        firsts_within(
            rows, bools(&lent, stays, 0), ints(&lent, entities, 0), ints(&lent, columns, 0), ints(&lent, fresh, 0),
            width, ints(&lent, found, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def structure(gone, spawned, slots, prefabs, entities, births, int64_t tick):
    """Who came and went, as `delta.encode` tells it."""
    cdef Lent lent
    lent.count = 0
    try:
        return structure_within(
            ints(&lent, gone, 0), ints(&lent, spawned, 0), ints(&lent, slots, 0), ints(&lent, prefabs, 0),
            ids(&lent, entities, 0), ints(&lent, births, 0), tick
        )
    finally:
        give_back(&lent)


def encode_private(dict before, dict now, list slots):
    """As `delta.encode_private`, of entities in these slots; None for numbers that are not for the kernel."""
    return encode_private_within(before, now, slots)


def arrange(
    has, kinds, slots, going, factors, columns, entities, keys, counts, rated, rates, by
):
    """The arrays over cells of a `layout.Shape`; `going` has each column that goes by a rate, and that rate's column.
    Returns how many cells go by rates."""
    cdef Lent lent
    lent.count = 0
    try:
        return arrange_within(
            bools(&lent, has, 0), ints(&lent, kinds, 0), ints(&lent, slots, 0), ints(&lent, going, 0),
            floats(&lent, factors, 0), ints(&lent, columns, PyBUF_WRITABLE), ints(&lent, entities, PyBUF_WRITABLE),
            ints(&lent, keys, PyBUF_WRITABLE), ints(&lent, counts, PyBUF_WRITABLE),
            ints(&lent, rated, PyBUF_WRITABLE), ints(&lent, rates, PyBUF_WRITABLE), floats(&lent, by, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def match(
    entities, kinds, int64_t tick, slot_of, old_slots, old_ids, old_kinds, old_prefabs, old_births, old_serials,
    told, known, stays, gone
):
    """As `quantise.Quantiser._match`."""
    cdef Lent lent
    lent.count = 0
    try:
        match_within(
            ids(&lent, entities, 0), ints(&lent, kinds, 0), tick, ints(&lent, slot_of, 0), ints(&lent, old_slots, 0),
            ids(&lent, old_ids, 0), ints(&lent, old_kinds, 0), ints(&lent, old_prefabs, 0),
            ints(&lent, old_births, 0), ints(&lent, old_serials, 0), ints(&lent, told, PyBUF_WRITABLE),
            bools(&lent, known, PyBUF_WRITABLE), bools(&lent, stays, PyBUF_WRITABLE),
            bools(&lent, gone, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def settle(told, entities, kinds, slot_of, order, sorted_ids, settled):
    """As `quantise.Quantiser._settle`: `settled` has the rows of `told`, and the kinds."""
    cdef Lent lent
    lent.count = 0
    try:
        settle_within(
            ints(&lent, told, 0), ids(&lent, entities, 0), ints(&lent, kinds, 0),
            ints(&lent, slot_of, PyBUF_WRITABLE), ints(&lent, order, PyBUF_WRITABLE),
            ids(&lent, sorted_ids, PyBUF_WRITABLE), ints(&lent, settled, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def staying(slots, serials, later_slots, later_serials, stays):
    """By entity of the later shape: whether it was in the earlier one."""
    cdef Lent lent
    lent.count = 0
    try:
        staying_within(
            ints(&lent, slots, 0), ints(&lent, serials, 0), ints(&lent, later_slots, 0),
            ints(&lent, later_serials, 0), bools(&lent, stays, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)


def link(
    slots, entities, later_slots, later_entities, later_columns, stays, spawned, gone, kept, places, sources, fresh,
    fresh_counts
):
    """The arrays of a `layout.Link`, as long as they can be. Returns how many have spawned, are gone, are kept and are
    sources."""
    cdef Lent lent
    lent.count = 0
    try:
        return link_within(
            ints(&lent, slots, 0), ints(&lent, entities, 0), ints(&lent, later_slots, 0),
            ints(&lent, later_entities, 0), ints(&lent, later_columns, 0), bools(&lent, stays, 0),
            ints(&lent, spawned, PyBUF_WRITABLE), ints(&lent, gone, PyBUF_WRITABLE),
            ints(&lent, kept, PyBUF_WRITABLE), ints(&lent, places, PyBUF_WRITABLE),
            ints(&lent, sources, PyBUF_WRITABLE), ints(&lent, fresh, PyBUF_WRITABLE),
            ints(&lent, fresh_counts, PyBUF_WRITABLE)
        )
    finally:
        give_back(&lent)
