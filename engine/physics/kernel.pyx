# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""What a step costs besides the solver, compiled: taking in places and velocities, writing back, reading contacts.

The solver is called by its functions' addresses (`engine.physics.direct`), body by body: nothing is known here of how
it lays out its memory, but for a vector of two doubles. Memory is lent as plain buffers, whose sizes are checked at the
boundary; none of it is kept past a call. A block is a tuple of such buffers: slots; places, live and as last seen;
velocities, live (None where the entities have none) and as last seen.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.math cimport hypot, isfinite
from libc.stdint cimport int64_t, uint8_t, uint64_t, uintptr_t
from libc.string cimport memcmp, memcpy, memset

SIGNATURES = {
    "cpBodyGetPosition": "cpVect(*)(cpBody *)",
    "cpBodyGetAngle": "cpFloat(*)(cpBody *)",
    "cpBodyGetVelocity": "cpVect(*)(cpBody *)",
    "cpBodyGetAngularVelocity": "cpFloat(*)(cpBody *)",
    "cpBodySetPosition": "void(*)(cpBody *, cpVect)",
    "cpBodySetAngle": "void(*)(cpBody *, cpFloat)",
    "cpBodySetVelocity": "void(*)(cpBody *, cpVect)",
    "cpBodySetAngularVelocity": "void(*)(cpBody *, cpFloat)",
    "cpSpaceReindexShapesForBody": "void(*)(cpSpace *, cpBody *)",
    "cpSpaceEachCachedArbiter": "void(*)(cpSpace *, void(*)(cpArbiter *, void *), void *)",
    "cpArbiterGetBodies": "void(*)(cpArbiter *, cpBody **, cpBody **)",
    "cpArbiterGetCount": "int(*)(cpArbiter *)",
    "cpArbiterGetNormal": "cpVect(*)(cpArbiter *)",
    "cpArbiterGetPointA": "cpVect(*)(cpArbiter *, int)",
    "cpArbiterGetPointB": "cpVect(*)(cpArbiter *, int)",
    "cpArbiterTotalImpulse": "cpVect(*)(cpArbiter *)",
    "cpArbiterTotalKE": "cpFloat(*)(cpArbiter *)",
}
"""What is called, by name, in the order in which addresses are given."""

cdef enum:
    FEW = 64
    PLACE = 3 * sizeof(double)

SORTED = FEW
"""Up to so many contacts are put in order here; from there on, numpy is quicker."""

cdef struct Vect:
    double x
    double y

ctypedef Vect (*GetVect)(void *) noexcept nogil
ctypedef double (*GetFloat)(void *) noexcept nogil
ctypedef void (*SetVect)(void *, Vect) noexcept nogil
ctypedef void (*SetFloat)(void *, double) noexcept nogil
ctypedef void (*Reindex)(void *, void *) noexcept nogil
ctypedef void (*Visit)(void *, void *) noexcept nogil
ctypedef void (*Each)(void *, Visit, void *) noexcept nogil
ctypedef void (*GetBodies)(void *, void **, void **) noexcept nogil
ctypedef int (*GetCount)(void *) noexcept nogil
ctypedef Vect (*GetPoint)(void *, int) noexcept nogil

cdef struct Calls:  # in the order of SIGNATURES
    GetVect position
    GetFloat angle
    GetVect velocity
    GetFloat angular
    SetVect set_position
    SetFloat set_angle
    SetVect set_velocity
    SetFloat set_angular
    Reindex reindex
    Each each_contact
    GetBodies bodies
    GetCount count
    GetVect normal
    GetPoint point_a
    GetPoint point_b
    GetVect impulse
    GetFloat energy

cdef struct Block:
    Py_buffer lent[5]
    int open
    Py_ssize_t rows
    Py_ssize_t *slots
    double *places
    double *kept_places
    double *motion
    double *kept_motion

# Buffers


cdef int lend(object thing, Py_buffer *view, Py_ssize_t least, bint writable) except -1:
    """Open a buffer of at least so many bytes."""
    PyObject_GetBuffer(thing, view, PyBUF_WRITABLE if writable else PyBUF_SIMPLE)
    if view.len < least:
        PyBuffer_Release(view)
        raise ValueError(f"a buffer of {view.len} bytes was given where {least} are needed")
    return 0


cdef int take_calls(object addresses, Calls *calls) except -1:
    cdef Py_buffer view
    cdef size_t number
    lend(addresses, &view, sizeof(Calls), False)
    memcpy(calls, view.buf, sizeof(Calls))
    PyBuffer_Release(&view)
    for number in range(sizeof(Calls) // sizeof(void *)):
        if (<void **>calls)[number] == NULL:
            raise ValueError("an address of the solver is missing")
    return 0


cdef int open_block(tuple lent, Block *block, Py_ssize_t slots) except -1:
    """Open a block of which every slot is below `slots`. What was opened of it is to be closed in any case."""
    cdef Py_ssize_t row
    if len(lent) != 5:
        raise ValueError("a block is five buffers")
    lend(lent[0], &block.lent[0], 0, False)
    block.open = 1
    block.rows = block.lent[0].len // <Py_ssize_t>sizeof(Py_ssize_t)
    block.slots = <Py_ssize_t *>block.lent[0].buf
    for row in range(block.rows):
        if not 0 <= block.slots[row] < slots:
            raise ValueError("a row has no slot")
    lend(lent[1], &block.lent[1], block.rows * PLACE, True)
    block.open = 2
    lend(lent[2], &block.lent[2], block.rows * PLACE, True)
    block.open = 3
    lend(lent[4], &block.lent[3], block.rows * PLACE, True)
    block.open = 4
    block.places = <double *>block.lent[1].buf
    block.kept_places = <double *>block.lent[2].buf
    block.kept_motion = <double *>block.lent[3].buf
    block.motion = NULL
    if lent[3] is not None:
        lend(lent[3], &block.lent[4], block.rows * PLACE, True)
        block.open = 5
        block.motion = <double *>block.lent[4].buf
    return 0


cdef void close_block(Block *block) noexcept:
    while block.open:
        block.open -= 1
        PyBuffer_Release(&block.lent[block.open])


# Taking in


cdef inline bint are_finite(const double *numbers) noexcept nogil:
    return isfinite(numbers[0]) and isfinite(numbers[1]) and isfinite(numbers[2])


cdef inline void teleport(Calls *calls, void *space, void *body, const double *place) noexcept nogil:
    cdef Vect at
    at.x, at.y = place[0], place[1]
    calls.set_angle(body, place[2])
    calls.set_position(body, at)
    calls.reindex(space, body)


cdef bint move_block(
    Calls *calls, void *space, void **bodies, const uint8_t *is_round, Block *block, bint by_value
) noexcept nogil:
    """Move the bodies of a block. False, with nothing done, if it takes more than that."""
    cdef Py_ssize_t row, slot
    cdef double *now
    cdef double *then
    for row in range(block.rows):
        now = block.places + 3 * row
        if memcmp(now, block.kept_places + 3 * row, PLACE):
            if not are_finite(now) or bodies[block.slots[row]] == NULL:
                return False
        elif by_value and not are_finite(now):
            return False
    for row in range(block.rows):
        now, then, slot = block.places + 3 * row, block.kept_places + 3 * row, block.slots[row]
        if not memcmp(now, then, PLACE):
            continue
        if not by_value or now[0] != then[0] or now[1] != then[1]:
            teleport(calls, space, bodies[slot], now)
        elif now[2] != then[2]:
            if is_round[slot]:
                calls.set_angle(bodies[slot], now[2])
            else:
                teleport(calls, space, bodies[slot], now)
    memcpy(block.kept_places, block.places, block.rows * PLACE)
    return True


def move(addresses, uintptr_t space, pointers, is_round, tuple blocks, Py_ssize_t first, Py_ssize_t short):
    """Move the bodies whose place was written, of the blocks from `first` on."""
    cdef Calls calls
    cdef Block block
    cdef Py_buffer bodies, rounds
    cdef Py_ssize_t number, slots
    cdef bint done
    block.open = 0
    take_calls(addresses, &calls)
    lend(pointers, &bodies, 0, False)
    try:
        slots = bodies.len // <Py_ssize_t>sizeof(void *)
        lend(is_round, &rounds, slots, False)
        try:
            for number in range(first, len(blocks)):
                try:
                    open_block(blocks[number], &block, slots)
                    done = not memcmp(block.places, block.kept_places, block.rows * PLACE) or move_block(
                        &calls, <void *>space, <void **>bodies.buf, <uint8_t *>rounds.buf, &block, block.rows <= short
                    )
                finally:
                    close_block(&block)
                if not done:
                    return number
            return len(blocks)
        finally:
            PyBuffer_Release(&rounds)
    finally:
        PyBuffer_Release(&bodies)


def move_all(addresses, uintptr_t space, pointers, tuple blocks, Py_ssize_t few):
    """Put all bodies where their rows are. False, with nothing done, if few have moved, or it takes more than that."""
    cdef Calls calls
    cdef Block block
    cdef Py_buffer bodies
    cdef Py_ssize_t number, row, slots
    cdef Py_ssize_t moved = 0
    cdef double *now
    cdef void *body
    cdef Vect at
    cdef int turn
    block.open = 0
    take_calls(addresses, &calls)
    lend(pointers, &bodies, 0, False)
    try:
        slots = bodies.len // <Py_ssize_t>sizeof(void *)
        for turn in range(3):
            if turn == 1 and moved < few:
                return False
            for number in range(len(blocks)):
                try:
                    open_block(blocks[number], &block, slots)
                    for row in range(block.rows):
                        now = block.places + 3 * row
                        body = (<void **>bodies.buf)[block.slots[row]]
                        if turn == 1:
                            if body != NULL:
                                calls.set_angle(body, now[2])
                                at.x, at.y = now[0], now[1]
                                calls.set_position(body, at)
                        elif memcmp(now, block.kept_places + 3 * row, PLACE):
                            if turn == 2:
                                calls.reindex(<void *>space, body)
                            elif body == NULL or not are_finite(now):
                                return False
                            else:
                                moved += 1
                    if turn == 2:
                        memcpy(block.kept_places, block.places, block.rows * PLACE)
                finally:
                    close_block(&block)
        return True
    finally:
        PyBuffer_Release(&bodies)


cdef bint drive_block(Calls *calls, void **bodies, const uint8_t *is_static, Block *block) noexcept nogil:
    """Give the bodies of a block their velocities. False, with nothing done, if it takes more than that."""
    cdef Py_ssize_t row, slot
    cdef double *now
    cdef Vect speed
    for row in range(block.rows):
        now = block.motion + 3 * row
        if memcmp(now, block.kept_motion + 3 * row, PLACE):
            if not are_finite(now) or bodies[block.slots[row]] == NULL:
                return False
    for row in range(block.rows):
        now, slot = block.motion + 3 * row, block.slots[row]
        if memcmp(now, block.kept_motion + 3 * row, PLACE) and not is_static[slot]:
            speed.x, speed.y = now[0], now[1]
            calls.set_velocity(bodies[slot], speed)
            calls.set_angular(bodies[slot], now[2])
    memcpy(block.kept_motion, block.motion, block.rows * PLACE)
    return True


def drive(addresses, pointers, is_static, tuple blocks, Py_ssize_t first):
    """Give bodies the velocities that were written, of the blocks from `first` on."""
    cdef Calls calls
    cdef Block block
    cdef Py_buffer bodies, statics
    cdef Py_ssize_t number, slots
    cdef bint done
    block.open = 0
    take_calls(addresses, &calls)
    lend(pointers, &bodies, 0, False)
    try:
        slots = bodies.len // <Py_ssize_t>sizeof(void *)
        lend(is_static, &statics, slots, False)
        try:
            for number in range(first, len(blocks)):
                try:
                    open_block(blocks[number], &block, slots)
                    done = (
                        block.motion == NULL
                        or not memcmp(block.motion, block.kept_motion, block.rows * PLACE)
                        or drive_block(&calls, <void **>bodies.buf, <uint8_t *>statics.buf, &block)
                    )
                finally:
                    close_block(&block)
                if not done:
                    return number
            return len(blocks)
        finally:
            PyBuffer_Release(&statics)
    finally:
        PyBuffer_Release(&bodies)


# Writing back


cdef bint write_block(Calls *calls, void **bodies, Block *block) noexcept nogil:
    cdef Py_ssize_t row
    cdef void *body
    cdef Vect at, speed
    cdef double angle, angular
    cdef double *place
    cdef double *motion
    for row in range(block.rows):
        body = bodies[block.slots[row]]
        if body == NULL:
            continue
        at, speed = calls.position(body), calls.velocity(body)
        angle, angular = calls.angle(body), calls.angular(body)
        if not (
            isfinite(at.x)
            and isfinite(at.y)
            and isfinite(angle)
            and isfinite(speed.x)
            and isfinite(speed.y)
            and isfinite(angular)
        ):
            return False
        place, motion = block.kept_places + 3 * row, block.kept_motion + 3 * row
        place[0], place[1], place[2] = at.x, at.y, angle
        motion[0], motion[1], motion[2] = speed.x, speed.y, angular
        memcpy(block.places + 3 * row, place, PLACE)
        if block.motion != NULL:
            memcpy(block.motion + 3 * row, motion, PLACE)
    return True


def write_back(addresses, pointers, tuple blocks):
    """Write into the rows where bodies are and how they move, and take that for seen. False if one is not finite."""
    cdef Calls calls
    cdef Block block
    cdef Py_buffer bodies
    cdef Py_ssize_t number, slots
    cdef bint done
    block.open = 0
    take_calls(addresses, &calls)
    lend(pointers, &bodies, 0, False)
    try:
        slots = bodies.len // <Py_ssize_t>sizeof(void *)
        for number in range(len(blocks)):
            try:
                open_block(blocks[number], &block, slots)
                done = write_block(&calls, <void **>bodies.buf, &block)
            finally:
                close_block(&block)
            if not done:
                return False
        return True
    finally:
        PyBuffer_Release(&bodies)


# Contacts

cdef struct Reading:
    Calls *calls
    void **keys
    size_t mask
    const int64_t *places
    const uint64_t *ids
    int64_t slots
    int64_t *pairs
    Py_ssize_t room
    Py_ssize_t found
    const int64_t *before
    Py_ssize_t known
    int64_t *fresh
    Py_ssize_t fresh_room
    Py_ssize_t fresh_found
    double *values
    uint8_t *seen
    bint again


cdef inline size_t place_of(void *body, void **keys, size_t mask) noexcept nogil:
    """Where a body is in a hash table, or the free place where it would be; anywhere in a full one."""
    cdef size_t place = <size_t>((<uint64_t>(<uintptr_t>body) * <uint64_t>0x9E3779B97F4A7C15) >> 32) & mask
    cdef size_t tried = 0
    while keys[place] != NULL and keys[place] != body and tried < mask:
        place = (place + 1) & mask
        tried += 1
    return place


def index(pointers, keys, places):
    """Fill a hash table, zeroed and of a size that is a power of two and twice what it takes, of slots by body."""
    cdef Py_buffer bodies, table, slots
    cdef Py_ssize_t slot, size, count
    cdef Py_ssize_t filled = 0
    cdef size_t place
    lend(pointers, &bodies, 0, False)
    try:
        lend(keys, &table, sizeof(void *), True)
        try:
            size = table.len // <Py_ssize_t>sizeof(void *)
            if size & (size - 1):
                raise ValueError(f"the table has {size} places, which is no power of two")
            lend(places, &slots, size * <Py_ssize_t>sizeof(int64_t), True)
            try:
                count = bodies.len // <Py_ssize_t>sizeof(void *)
                for slot in range(count):
                    if (<void **>bodies.buf)[slot] != NULL:
                        filled += 1
                        if 2 * filled > size:
                            raise ValueError("the table is too small")
                        place = place_of((<void **>bodies.buf)[slot], <void **>table.buf, size - 1)
                        (<void **>table.buf)[place] = (<void **>bodies.buf)[slot]
                        (<int64_t *>slots.buf)[place] = slot
            finally:
                PyBuffer_Release(&slots)
        finally:
            PyBuffer_Release(&table)
    finally:
        PyBuffer_Release(&bodies)


cdef inline bint pair_of(Reading *reading, void *contact, int64_t *pair, bint *flipped) noexcept nogil:
    """The pair of slots that a contact is of; False if one is none of ours."""
    cdef void *a = NULL
    cdef void *b = NULL
    cdef size_t first, second
    cdef int64_t slot_a, slot_b
    reading.calls.bodies(contact, &a, &b)
    first, second = place_of(a, reading.keys, reading.mask), place_of(b, reading.keys, reading.mask)
    slot_a, slot_b = reading.places[first], reading.places[second]
    if reading.keys[first] != a or reading.keys[second] != b:
        return False
    if not (0 <= slot_a < reading.slots and 0 <= slot_b < reading.slots):
        return False
    flipped[0] = reading.ids[slot_a] > reading.ids[slot_b]
    pair[0] = (slot_b << 32) | slot_a if flipped[0] else (slot_a << 32) | slot_b
    return True


cdef inline Py_ssize_t place_in(const int64_t *pairs, Py_ssize_t count, int64_t pair) noexcept nogil:
    """Where a pair is among sorted ones, -1 if it is not."""
    cdef Py_ssize_t low = 0, high = count, middle
    while low < high:
        middle = (low + high) >> 1
        if pairs[middle] < pair:
            low = middle + 1
        else:
            high = middle
    return low if low < count and pairs[low] == pair else -1


cdef void describe(Calls *calls, void *contact, bint flipped, double *values, Py_ssize_t apart) noexcept nogil:
    """Where and how two touch: x, y, nx, ny, impulse, energy."""
    cdef Vect a = calls.point_a(contact, 0)
    cdef Vect b = calls.point_b(contact, 0)
    cdef Vect normal = calls.normal(contact)
    cdef Vect impulse = calls.impulse(contact)
    cdef double x = (a.x + b.x) * 0.5, y = (a.y + b.y) * 0.5
    if calls.count(contact) == 2:
        a, b = calls.point_a(contact, 1), calls.point_b(contact, 1)
        x, y = x * 0.5 + (a.x + b.x) * 0.25, y * 0.5 + (a.y + b.y) * 0.25
    values[0] = x
    values[apart] = y
    values[2 * apart] = -normal.x if flipped else normal.x
    values[3 * apart] = -normal.y if flipped else normal.y
    values[4 * apart] = hypot(impulse.x, impulse.y)
    values[5 * apart] = calls.energy(contact) * 0.5


cdef void note_pair(void *contact, void *given) noexcept nogil:
    cdef Reading *reading = <Reading *>given
    cdef int64_t pair
    cdef bint flipped
    if reading.calls.count(contact) > 0 and pair_of(reading, contact, &pair, &flipped):
        if reading.found < reading.room:
            reading.pairs[reading.found] = pair
        reading.found += 1
        if place_in(reading.before, reading.known, pair) < 0:
            if reading.fresh_found < reading.fresh_room:
                reading.fresh[reading.fresh_found] = pair
                describe(reading.calls, contact, flipped, reading.values + 6 * reading.fresh_found, 1)
            reading.fresh_found += 1


cdef void note_touch(void *contact, void *given) noexcept nogil:
    cdef Reading *reading = <Reading *>given
    cdef int64_t pair
    cdef bint flipped
    cdef Py_ssize_t place
    if reading.calls.count(contact) <= 0 or not pair_of(reading, contact, &pair, &flipped):
        return
    place = place_in(reading.pairs, reading.room, pair)
    if place < 0:
        return
    if reading.seen[place]:
        reading.again = True
        return
    reading.seen[place] = 1
    reading.found += 1
    describe(reading.calls, contact, flipped, reading.values + place, reading.room)


cdef struct Table:
    Py_buffer lent[3]
    int open


cdef int open_table(tuple lent, Table *table, Reading *reading) except -1:
    """Open a table made by `index`, with the ids by slot. What was opened of it is to be closed in any case."""
    cdef Py_ssize_t size
    if len(lent) != 3:
        raise ValueError("a table is three buffers")
    lend(lent[0], &table.lent[0], sizeof(void *), False)
    table.open = 1
    size = table.lent[0].len // <Py_ssize_t>sizeof(void *)
    if size & (size - 1):
        raise ValueError(f"the table has {size} places, which is no power of two")
    lend(lent[1], &table.lent[1], size * <Py_ssize_t>sizeof(int64_t), False)
    table.open = 2
    lend(lent[2], &table.lent[2], 0, False)
    table.open = 3
    reading.keys = <void **>table.lent[0].buf
    reading.mask = size - 1
    reading.places = <int64_t *>table.lent[1].buf
    reading.ids = <uint64_t *>table.lent[2].buf
    reading.slots = table.lent[2].len // <Py_ssize_t>sizeof(uint64_t)
    return 0


cdef void close_table(Table *table) noexcept:
    while table.open:
        table.open -= 1
        PyBuffer_Release(&table.lent[table.open])


def contacts(addresses, uintptr_t space, tuple table, pairs, before, fresh, values):
    """The pairs that touch, up to `SORTED` in order; and how those touch that are not among the sorted ones `before`.

    Returns how many pairs there are, and how many are fresh, though there be room for fewer.
    """
    cdef Calls calls
    cdef Reading reading
    cdef Table lent
    cdef Py_buffer found
    cdef Py_buffer more[3]
    cdef int open_ = 0
    cdef Py_ssize_t at, to
    cdef int64_t pair
    cdef double row[6]
    lent.open = 0
    take_calls(addresses, &calls)
    memset(&reading, 0, sizeof(Reading))
    lend(pairs, &found, 0, True)
    try:
        open_table(table, &lent, &reading)
        reading.calls = &calls
        reading.pairs = <int64_t *>found.buf
        reading.room = found.len // <Py_ssize_t>sizeof(int64_t)
        lend(before, &more[0], 0, False)
        open_ = 1
        reading.before = <int64_t *>more[0].buf
        reading.known = more[0].len // <Py_ssize_t>sizeof(int64_t)
        lend(fresh, &more[1], 0, True)
        open_ = 2
        reading.fresh = <int64_t *>more[1].buf
        reading.fresh_room = more[1].len // <Py_ssize_t>sizeof(int64_t)
        lend(values, &more[2], 6 * reading.fresh_room * <Py_ssize_t>sizeof(double), True)
        open_ = 3
        reading.values = <double *>more[2].buf
        calls.each_contact(<void *>space, note_pair, &reading)
        if reading.found <= min(reading.room, <Py_ssize_t>FEW):
            for at in range(1, reading.found):
                pair, to = reading.pairs[at], at
                while to > 0 and reading.pairs[to - 1] > pair:
                    reading.pairs[to] = reading.pairs[to - 1]
                    to -= 1
                reading.pairs[to] = pair
        if reading.fresh_found <= min(reading.fresh_room, <Py_ssize_t>FEW):
            for at in range(1, reading.fresh_found):
                pair, to = reading.fresh[at], at
                memcpy(row, reading.values + 6 * at, sizeof(row))
                while to > 0 and reading.fresh[to - 1] > pair:
                    reading.fresh[to] = reading.fresh[to - 1]
                    memcpy(reading.values + 6 * to, reading.values + 6 * (to - 1), sizeof(row))
                    to -= 1
                reading.fresh[to] = pair
                memcpy(reading.values + 6 * to, row, sizeof(row))
        return reading.found, reading.fresh_found
    finally:
        for at in range(open_):
            PyBuffer_Release(&more[at])
        close_table(&lent)
        PyBuffer_Release(&found)


def distinct(pairs, Py_ssize_t count, before):
    """Keep each of the first `count` sorted pairs once. Returns how many there are, negative if they are as before."""
    cdef Py_buffer found, known
    cdef int64_t *at
    cdef Py_ssize_t place
    cdef Py_ssize_t kept = 0
    if count < 0:
        raise ValueError("a count is negative")
    lend(pairs, &found, count * <Py_ssize_t>sizeof(int64_t), True)
    try:
        lend(before, &known, 0, False)
        at = <int64_t *>found.buf
        for place in range(count):
            if not kept or at[place] != at[kept - 1]:
                at[kept] = at[place]
                kept += 1
        alike = known.len == kept * <Py_ssize_t>sizeof(int64_t) and not memcmp(at, known.buf, known.len)
        PyBuffer_Release(&known)
        return ~kept if alike else kept
    finally:
        PyBuffer_Release(&found)


def touches(addresses, uintptr_t space, tuple table, pairs, values):
    """How and where some pairs touch, sorted. False if that is not one contact each, and `values` are of no use."""
    cdef Calls calls
    cdef Reading reading
    cdef Table lent
    cdef Py_buffer wanted, room
    lent.open = 0
    take_calls(addresses, &calls)
    memset(&reading, 0, sizeof(Reading))
    lend(pairs, &wanted, 0, False)
    try:
        reading.room = wanted.len // <Py_ssize_t>sizeof(int64_t)
        seen = bytearray(reading.room)
        lend(values, &room, 6 * reading.room * <Py_ssize_t>sizeof(double), True)
        try:
            open_table(table, &lent, &reading)
            reading.calls = &calls
            reading.pairs = <int64_t *>wanted.buf
            reading.values = <double *>room.buf
            reading.seen = seen
            calls.each_contact(<void *>space, note_touch, &reading)
            return not reading.again and reading.found == reading.room
        finally:
            close_table(&lent)
            PyBuffer_Release(&room)
    finally:
        PyBuffer_Release(&wanted)


# Ways


def near(points, Py_ssize_t count, rows, columns, start, end, reach, found):
    """Which of the points of some rows may come within reach of ways. Returns how many were found.

    `points` have x, y and angle in rows of shape (3, count); each way looks at one row of them, in all columns or in
    the given ones. `found` gets the places in `reach`, of shape (ways, columns).
    """
    cdef Py_buffer lent[7]
    cdef int open_ = 0, each
    cdef Py_ssize_t ways, width, depth, way, place, column
    cdef Py_ssize_t many = 0
    cdef Py_ssize_t *chosen = NULL
    cdef Py_ssize_t *to
    cdef double *x
    cdef double *first
    cdef double *last
    cdef double half_x, half_y, mid_x, mid_y, long_, dx, dy, most
    if count < 0:
        raise ValueError("a count is negative")
    try:
        lend(rows, &lent[0], 0, False)
        open_ = 1
        ways = lent[0].len // <Py_ssize_t>sizeof(Py_ssize_t)
        lend(points, &lent[1], 0, False)
        open_ = 2
        depth = lent[1].len // PLACE // count if count else 0
        lend(start, &lent[2], ways * PLACE, False)
        open_ = 3
        lend(end, &lent[3], ways * PLACE, False)
        open_ = 4
        width = count
        if columns is not None:
            lend(columns, &lent[4], 0, False)
            open_ = 5
            width = lent[4].len // <Py_ssize_t>sizeof(Py_ssize_t)
            chosen = <Py_ssize_t *>lent[4].buf
            for place in range(width):
                if not 0 <= chosen[place] < count:
                    raise ValueError("there is no such column")
        lend(reach, &lent[open_], ways * width * <Py_ssize_t>sizeof(double), False)
        open_ += 1
        lend(found, &lent[open_], ways * width * <Py_ssize_t>sizeof(Py_ssize_t), True)
        open_ += 1
        to = <Py_ssize_t *>lent[open_ - 1].buf
        for way in range(ways if width else 0):
            place = (<Py_ssize_t *>lent[0].buf)[way]
            if not 0 <= place < depth:
                raise ValueError("there is no such row")
            x = <double *>lent[1].buf + 3 * count * place
            first, last = <double *>lent[2].buf + 3 * way, <double *>lent[3].buf + 3 * way
            half_x, half_y = (last[0] - first[0]) * 0.5, (last[1] - first[1]) * 0.5
            mid_x, mid_y, long_ = first[0] + half_x, first[1] + half_y, hypot(half_x, half_y)
            for place in range(way * width, way * width + width):
                column = chosen[place - way * width] if chosen != NULL else place - way * width
                dx, dy = x[column] - mid_x, x[count + column] - mid_y
                most = (<double *>lent[open_ - 2].buf)[place] + long_
                if dx * dx + dy * dy <= most * most:
                    to[many] = place
                    many += 1
        return many
    finally:
        for each in range(open_):
            PyBuffer_Release(&lent[each])


def without(pairs, others, found):
    """Those of the sorted, distinct `pairs` that are not among the sorted `others`. Returns how many were found."""
    cdef Py_buffer these, those, out
    cdef int64_t *a
    cdef int64_t *b
    cdef int64_t *to
    cdef Py_ssize_t i, n, m
    cdef Py_ssize_t j = 0, count = 0
    lend(pairs, &these, 0, False)
    try:
        lend(others, &those, 0, False)
        try:
            lend(found, &out, these.len, True)
            a, b, to = <int64_t *>these.buf, <int64_t *>those.buf, <int64_t *>out.buf
            n, m = these.len // <Py_ssize_t>sizeof(int64_t), those.len // <Py_ssize_t>sizeof(int64_t)
            for i in range(n):
                while j < m and b[j] < a[i]:
                    j += 1
                if j == m or b[j] != a[i]:
                    to[count] = a[i]
                    count += 1
            PyBuffer_Release(&out)
            return count
        finally:
            PyBuffer_Release(&those)
    finally:
        PyBuffer_Release(&these)
