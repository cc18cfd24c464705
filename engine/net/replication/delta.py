"""What turns one state into a later one, as bytes.

    u8          bits 0, 1: which of the entities that stay have changed: 0 none, 1 all may have, 2 and 3 as told
                bit 2: entities came or went;  bit 3: there is no earlier state, all are new
                bit 4: what is not told of did not quite go on by its rates, there was no room to tell
    u32         the tick, lowest byte first
    varint      ticks back to the earlier state, unless bit 3 is set
    if some came or went
        varint, varint    how many slots became free; how many entities came
        varints           the free slots, each as the difference from the one before
        5 varints each    of those who came: slot, as the difference from the one before; prefab; index less slot,
                          folded; generation; age in ticks
    if 2        1 bit for each 8 entities that stay: whether any changed; 8 bits for each such group; zeros up to a byte
    if 3        1 bit for each entity that stays; zeros up to a byte
    packed columns        by column, folded: how far the cells of the changed entities are from where their rates took
                          them; then, by column: how far the cells of those who came are from their prefab's
    private     nothing if it is as before, else: varint how many entities; each a varint slot, a varint of which
                numbers changed, and those as folded varint differences

Varints have 7 bits a byte, lowest first, bit 7 set where another byte follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.compiled import has
from engine.net.replication.layout import MOST_SLOTS, Bools, Ids, Ints, Layout, Link, Shape
from engine.net.replication.packing import fold, pack, unfold, unpack
from engine.net.replication.prefabs import LARGEST, Prefab
from engine.net.replication.state import State, predicted
from engine.net.wire.errors import ProtocolError

if TYPE_CHECKING or has("engine.net.replication.kernel"):
    from engine.net.replication import kernel

COMPILED = has("engine.net.replication.kernel")
"""Whether the kernel does what is written here in numpy, too."""

NONE, ALL, GROUPS, EACH = range(4)
STRUCTURE = 4
FULL = 8
PARTIAL = 16
GROUP = 8
MANY = 0.9
"""Where so many of the entities changed, telling which costs more than their zeros."""
MOST_VARINT = 10

Private = dict[int, tuple[int, ...]]


class MissingError(ProtocolError):
    """The state or the prefab that a delta builds on is not here (yet)."""


def encode(base: State | None, target: State, prefabs: Mapping[int, Prefab]) -> tuple[bytes, int]:
    """The bytes that turn `base` into `target`, all but the private part; and how many entities they tell of."""
    shape = target.shape
    head = bytearray(5)
    head[1:5] = target.tick.to_bytes(4, "little")
    structure = b""
    flags = PARTIAL if target.partial else 0
    ticks = 0
    if base is None:
        flags |= FULL
    else:
        ticks = target.tick - base.tick
        _put_varint(head, ticks)
    before, cells = (shape.layout.nothing, _NOTHING) if base is None else (base.shape, base.cells)
    link = None if before is shape else shape.link(before)
    spawned = 0 if link is None else len(link.spawned)
    if link is not None and (spawned or len(link.gone)):
        flags |= STRUCTURE
        structure = _structure(link, target)
    firsts = _NOTHING if link is None else _firsts(shape, link, prefabs)
    changes = _changes_compiled if COMPILED else _changes
    told, number, body = changes(target, cells, ticks, link, firsts)
    head[0] = flags | told
    return bytes(head) + structure + body, number + spawned


def _changes(target: State, cells: Ints, ticks: int, link: Link | None, firsts: Ints) -> tuple[int, int, bytes]:
    """What is told of who changed and how, where earlier `cells` go on for some ticks: flags, how many entities, and
    the bytes. `firsts` are what new cells are told as differences from."""
    shape = target.shape
    parts: list[bytes] = []
    flags = NONE
    held = cells if link is None else link.carry(cells)
    residual = target.cells - predicted(shape, held, ticks, target.cells)
    if link is None:
        fresh = _NOTHING
        counts, places, entities = shape.counts, shape.entities, len(shape.slots)
    else:
        residual = residual[link.kept]
        fresh = target.cells[link.fresh] - firsts
        counts, places, entities = link.counts, link.places, link.entities
    touched = np.zeros(entities, np.bool_)
    touched[places[residual != 0]] = True
    number = int(np.count_nonzero(touched))
    if not number:
        residual, counts = _NOTHING, np.zeros_like(counts)
    elif number >= MANY * entities and not target.partial:
        flags = ALL
    else:
        marks = _groups(touched)
        each = np.packbits(touched, bitorder="little").tobytes()
        flags = GROUPS if len(marks) < len(each) else EACH
        parts.append(marks if len(marks) < len(each) else each)
        chosen = touched[places]
        residual, counts = residual[chosen], _counted(chosen, counts)
    if link is not None and len(fresh):
        parts.append(pack(fold(np.concatenate((residual, fresh))), np.concatenate((counts, link.fresh_counts))))
    elif number:
        parts.append(pack(fold(residual), counts))
    return flags, number, b"".join(parts)


def _changes_compiled(
    target: State, cells: Ints, ticks: int, link: Link | None, firsts: Ints
) -> tuple[int, int, bytes]:
    """As `_changes`."""
    shape = target.shape
    going = shape.rated, shape.rates, shape.factors, ticks / 2
    if link is None:
        stay = shape.counts, shape.entities, len(shape.slots)
        news = False, _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING
    else:
        stay = link.counts, link.places, link.entities
        news = True, link.kept, link.sources, link.fresh, link.fresh_counts, firsts
    return kernel.encode(target.cells, cells, *going, *stay, target.partial, *news)


def encode_private(base: State | None, target: State) -> bytes:
    """The private part."""
    before = base.private if base is not None else {}
    if before == target.private:
        return b""
    shape = target.shape
    if COMPILED:
        slots: list[int] = [shape.slots.item(shape.places[id]) for id in target.private]
        encoded = kernel.encode_private(before, target.private, slots)
        if encoded is not None:
            return encoded
    written = bytearray()
    _put_varint(written, len(target.private))
    for id, numbers in target.private.items():
        held = before.get(id)
        if held is None or len(held) != len(numbers):
            held = (0,) * len(numbers)
        changed = 0
        folded: list[int] = []
        for place, number in enumerate(numbers):
            change = number - held[place]
            if change:
                changed |= 1 << place
                folded.append(change << 1 if change >= 0 else ~(change << 1))
        _put_varint(written, int(shape.slots[shape.places[id]]))
        _put_varint(written, changed)
        for change in folded:
            _put_varint(written, change)
    return bytes(written)


def _structure(link: Link, target: State) -> bytes:
    shape, spawned = target.shape, link.spawned
    if COMPILED:
        return kernel.structure(link.gone, spawned, shape.slots, shape.prefabs, shape.ids, shape.births, target.tick)
    written = bytearray()
    gone = link.gone.tolist()
    _put_varint(written, len(gone))
    _put_varint(written, len(spawned))
    for before, slot in pairwise((0, *gone)):
        _put_varint(written, slot - before)
    before = 0
    columns = (shape.slots, shape.prefabs, shape.ids, shape.births)
    for slot, prefab, id, birth in zip(*(column[spawned].tolist() for column in columns), strict=True):
        index, generation = id & 0xFFFF_FFFF, id >> 32
        off = index - slot
        for number in (slot - before, prefab, off << 1 if off >= 0 else ~(off << 1), generation, target.tick - birth):
            _put_varint(written, number)
        before = slot
    return bytes(written)


def _firsts(shape: Shape, link: Link, prefabs: Mapping[int, Prefab]) -> Ints:
    """By new cell: the value in the entity's prefab."""
    if not len(link.fresh):
        return _NOTHING
    firsts = [prefabs[number].first for number in shape.prefabs[link.spawned].tolist()]
    if COMPILED:
        found = np.empty(len(link.fresh), np.int64)
        kernel.firsts(firsts, link.stays, shape.entities, shape.columns, link.fresh, len(shape.counts), found)
        return found
    rows = np.array(firsts)
    new = (~link.stays).cumsum() - 1
    return rows[new[shape.entities[link.fresh]], shape.columns[link.fresh]]


def _groups(touched: Bools) -> bytes:
    """Which entities changed, in groups."""
    groups = np.zeros((len(touched) + GROUP - 1) // GROUP * GROUP, np.bool_)
    groups[: len(touched)] = touched
    groups = groups.reshape(-1, GROUP)
    some = groups.any(axis=1)
    return np.packbits(np.concatenate((some, groups[some].ravel())), bitorder="little").tobytes()


def _counted(chosen: Bools, counts: Ints) -> Ints:
    """How many of each column's cells are chosen."""
    ends = counts.cumsum()
    upto = np.concatenate((_ZERO, chosen.cumsum()))
    return upto[ends] - upto[ends - counts]


@dataclass(slots=True, eq=False)
class Structure:
    """What the comings and goings that a snapshot tells of make of an earlier shape."""

    shape: Shape
    link: Link
    first: Ints
    """By new cell: the value in the entity's prefab."""


class Register:
    """Knows shapes and structures again, so that all snapshots which tell of the same make one; the last `most`."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._shapes: dict[bytes, Shape] = {}
        self._structures: dict[Any, Structure] = {}

    def structure(self, key: Any) -> Structure | None:
        """What was made of the same before."""
        return self._structures.get(key)

    def keep(self, key: Any, structure: Structure) -> None:
        """Remember what was made of `key`."""
        self._structures[key] = structure
        if len(self._structures) > self._most:
            del self._structures[next(iter(self._structures))]

    def shape(self, layout: Layout, slots: Ints, ids: Ids, kinds: Ints, prefabs: Ints, births: Ints) -> Shape:
        """The shape of these entities."""
        serials = _serials(ids, prefabs, births)
        key = slots.tobytes() + serials.tobytes() + kinds.tobytes()
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = Shape(layout, slots, ids, kinds, prefabs, births, serials)
            if len(self._shapes) > self._most:
                del self._shapes[next(iter(self._shapes))]
        return shape


def _serials(ids: Ids, prefabs: Ints, births: Ints) -> Ints:
    """A number for each entity that no other one has had: all that it is known by, mixed into 64 bits.

    Each step is one to one in what was mixed before, by odd factors and shifts as in splitmix64.
    """
    mixed = ids * _MIX[0]
    mixed ^= mixed >> _HALF
    mixed = (mixed + births.view(np.uint64)) * _MIX[1]
    mixed ^= mixed >> _HALF
    mixed = (mixed + prefabs.view(np.uint64)) * _MIX[2]
    mixed ^= mixed >> _HALF
    return mixed.view(np.int64)


class Reading:
    """The reading of one delta: first which state it builds on, then the state it makes."""

    def __init__(self, payload: bytes) -> None:
        """Raises `ProtocolError`."""
        if len(payload) < 5:
            raise ProtocolError("a snapshot that is cut off in its head")
        self.payload = payload
        self.flags = payload[0]
        self.tick = int.from_bytes(payload[1:5], "little")
        self.at = 5
        self.told: Bools | None = None
        """By entity: whether it was told of; None if all others went on exactly by their rates."""
        self.updates = 0
        """How many entities it told of, new ones included."""
        self.named: dict[int, Prefab] = {}
        """Those prefabs by number that entities it tells of are made after."""
        self.base: int | None = None
        """The tick of the state it builds on; None if it needs none."""
        if self.flags > 31:
            raise ProtocolError(f"a snapshot with flags {self.flags}")
        if not self.flags & FULL:
            back = self._varint()
            if not 0 < back <= self.tick:
                raise ProtocolError(f"a snapshot of tick {self.tick} that builds on one {back} ticks before")
            self.base = self.tick - back

    def apply(self, base: State, prefabs: Mapping[int, Prefab], register: Register) -> tuple[Shape, Ints]:
        """The shape and the cells it makes of `base`: all but the private part. Raises `ProtocolError`."""
        shape = base.shape
        structure = self._structure(shape, prefabs, register) if self.flags & STRUCTURE else None
        if structure is not None:
            shape = structure.shape
        ticks = 0 if self.base is None else self.tick - base.tick
        touched, cells = (self._change_compiled if COMPILED else self._change)(base, shape, structure, ticks)
        self.updates = int(np.count_nonzero(touched)) + len(shape.slots) - len(touched)
        if self.flags & PARTIAL:
            self.told = np.ones(len(shape.slots), np.bool_)
            self.told[structure.link.stays if structure is not None else slice(None)] = touched
        return shape, cells

    def _change(self, base: State, shape: Shape, structure: Structure | None, ticks: int) -> tuple[Bools, Ints]:
        """Which of those that stay are told of, and all cells then. Raises `ProtocolError`."""
        if structure is None:
            link = None
            held, counts, places, entities = base.cells, shape.counts, shape.entities, len(shape.slots)
        else:
            link = structure.link
            held, counts, places, entities = link.carry(base.cells), link.counts, link.places, link.entities
        mode = self.flags & 3
        touched = self._marks(entities, mode)
        chosen = touched[places]
        if mode != ALL:
            counts = _counted(chosen, counts)
        fresh = _NOTHING
        if link is not None and len(link.fresh):
            changes = self._unpack(np.concatenate((counts, link.fresh_counts)))
            number = len(changes) - len(link.fresh)
            changes, fresh = changes[:number], changes[number:]
        else:
            changes = self._unpack(counts) if mode != NONE else _NOTHING
        # Rates first: what goes by them is told as how far it is from where their mean would take it.
        cells = held.copy()
        cells[chosen if link is None else link.kept[chosen]] += changes
        moved = predicted(shape, held, ticks, cells)
        cells += moved - held
        if structure is not None:
            cells[structure.link.fresh] = fresh + structure.first
        return touched, cells

    def _change_compiled(
        self, base: State, shape: Shape, structure: Structure | None, ticks: int
    ) -> tuple[Bools, Ints]:
        """As `_change`."""
        if structure is None:
            stay, entities = (shape.counts, shape.entities), len(shape.slots)
            news = False, _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING
        else:
            link = structure.link
            stay, entities = (link.counts, link.places), link.entities
            news = True, link.kept, link.sources, link.fresh, link.fresh_counts, structure.first
        touched, cells = np.empty(entities, np.bool_), np.empty(shape.size, np.int64)
        going = shape.rated, shape.rates, shape.factors, ticks / 2
        self.at = kernel.apply(self.payload, self.at, self.flags & 3, base.cells, *going, *stay, *news, touched, cells)
        return touched, cells

    def _structure(self, old: Shape, prefabs: Mapping[int, Prefab], register: Register) -> Structure:
        gone_count, count = self._varint(), self._varint()
        if gone_count > MOST_SLOTS or count > MOST_SLOTS:
            raise ProtocolError("more entities come or go than there can be")
        gone = [self._number() for _ in range(gone_count)]
        rows = [self._number() for _ in range(5 * count)]
        rows[4::5] = [self.tick - age for age in rows[4::5]]
        made = tuple(map(prefabs.get, rows[1::5]))
        key = old.number, tuple(gone), tuple(rows), made
        structure = register.structure(key)
        if structure is None:
            shape, link = _come_and_go(old, gone, rows, made, register)
            structure = Structure(shape, link, _firsts(shape, link, prefabs))
            register.keep(key, structure)
        self.named = {name: prefab for name, prefab in zip(rows[1::5], made, strict=True) if prefab is not None}
        return structure

    def _unpack(self, counts: Ints) -> Ints:
        folded, self.at = unpack(self.payload, self.at, counts)
        return unfold(folded)

    def _marks(self, entities: int, mode: int) -> Bools:
        if mode in (NONE, ALL):
            return np.full(entities, mode == ALL)
        groups = (entities + GROUP - 1) // GROUP
        bits = np.unpackbits(np.frombuffer(self.payload, np.uint8, offset=self.at), bitorder="little")
        if mode == EACH:
            if entities > len(bits):
                raise ProtocolError("a snapshot that is cut off where it tells who changed")
            self.at += (entities + 7) >> 3
            return bits[:entities] != 0
        some = np.flatnonzero(bits[:groups])
        end = groups + GROUP * len(some)
        if end > len(bits):
            raise ProtocolError("a snapshot that is cut off where it tells who changed")
        touched = np.zeros((groups, GROUP), np.bool_)
        touched[some] = bits[groups:end].reshape(-1, GROUP)
        self.at += (end + 7) >> 3
        return touched.ravel()[:entities]

    def private(self, base: State, shape: Shape) -> Private:
        """The private part, to be read after the rest. Raises `ProtocolError`."""
        if self.at == len(self.payload):
            if not base.private or shape is base.shape:
                return base.private
            return {id: told for id, told in base.private.items() if id in shape.places}
        private: Private = {}
        by_slot = shape.by_slot
        for _ in range(self._varint()):
            slot = self._varint()
            id = by_slot.item(slot + 1) if slot + 1 < len(by_slot) else 0
            if not id or id in private:
                raise ProtocolError(f"a private part of nobody, or twice of one, in slot {slot}")
            size = len(shape.layout.kinds[shape.kinds.item(shape.places[id])].private)
            held = base.private.get(id, ())
            numbers = list(held) if len(held) == size else [0] * size
            changed = self._varint()
            if changed >> size:
                raise ProtocolError("a private part of more numbers than there are")
            for place in range(size):
                if changed >> place & 1:
                    folded = self._varint()
                    number = numbers[place] + (~(folded >> 1) if folded & 1 else folded >> 1)
                    numbers[place] = (number + (1 << 63)) % (1 << 64) - (1 << 63)
            private[id] = tuple(numbers)
        if self.at != len(self.payload):
            raise ProtocolError(f"{len(self.payload) - self.at} bytes left over after a snapshot")
        return private

    def _number(self) -> int:
        """A varint of 32 bits at most."""
        number = self._varint()
        if number >> 32:
            raise ProtocolError("a number of those who come or go is out of range")
        return number

    def _varint(self) -> int:
        payload, at = self.payload, self.at
        value = 0
        for shift in range(0, 7 * MOST_VARINT, 7):
            if at >= len(payload):
                raise ProtocolError("a snapshot that is cut off in a number")
            byte = payload[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at
                return value
        raise ProtocolError("a number that is too long")


def _come_and_go(
    old: Shape, gone: list[int], rows: list[int], made: tuple[Prefab | None, ...], register: Register
) -> tuple[Shape, Link]:
    """The shape without the slots that are `gone` (as differences), and with those who came, five numbers each, made
    after the prefabs `made`. Raises `ProtocolError`."""
    left, slots = list(accumulate(gone)), list(accumulate(rows[0::5]))
    if (
        0 in gone[1:]
        or 0 in rows[5::5]
        or max(left[-1:] + slots[-1:], default=0) >= MOST_SLOTS
        or not set(left).isdisjoint(slots)
    ):
        raise ProtocolError("slots of those who come or go are not in order, or out of range")
    stay = np.zeros(MOST_SLOTS, np.bool_)
    stay[old.slots] = True
    if not stay[left].all():
        raise ProtocolError("a slot that becomes free is nobody's")
    stay[left] = False
    stay[slots] = False
    stays = stay[old.slots]
    ids: list[int] = []
    for slot, folded, generation in zip(slots, rows[2::5], rows[3::5], strict=True):
        index = slot + (~(folded >> 1) if folded & 1 else folded >> 1)
        if not 0 <= index < MOST_SLOTS or not generation:
            raise ProtocolError("an id of those who come is out of range")
        ids.append(generation << 32 | index)
    kinds: list[int] = []
    for name, prefab in zip(rows[1::5], made, strict=True):
        if name >= LARGEST:
            raise ProtocolError("a prefab of those who come is out of range")
        if prefab is None:
            raise MissingError(f"prefab {name} is not known")
        kinds.append(prefab.kind.number)
    kept = stays.nonzero()[0]
    order = np.concatenate((old.slots[kept], np.array(slots, np.int64))).argsort(kind="stable")

    def both(old: NDArray[Any], new: list[int]) -> NDArray[Any]:
        return np.concatenate((old[kept], np.array(new, old.dtype)))[order]

    all_ids = both(old.ids, ids)
    indices = np.sort(all_ids & _INDEX)
    if (indices[1:] == indices[:-1]).any():
        raise ProtocolError("two entities have one id")
    shape = register.shape(
        old.layout,
        both(old.slots, slots),
        all_ids,
        both(old.kinds, kinds),
        both(old.prefabs, rows[1::5]),
        both(old.births, rows[4::5]),
    )
    return shape, Link(old, shape, order < len(kept))


def _put_varint(written: bytearray, value: int) -> None:
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)


_NOTHING: Ints = np.zeros(0, np.int64)
_ZERO: Ints = np.zeros(1, np.int64)
_HALF = np.uint64(32)
_INDEX = np.uint64(0xFFFF_FFFF)
_MIX = tuple(map(np.uint64, (0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB)))
