"""The kernel and numpy, on the same states: the same bytes, the same cells, the same errors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf, nan
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.compiled import has
from engine.ecs import (
    F32,
    F64,
    I32,
    I64,
    U8,
    U32,
    U64,
    ChildOf,
    Component,
    Flag,
    Ref,
    World,
    f32,
    f64,
    flag,
    i32,
    i64,
    ref,
    u8,
    u32,
    u64,
)
from engine.net.replication import delta, layout, packing, quantise, state
from engine.net.replication.delta import Reading, Register
from engine.net.replication.replica import Replica
from engine.net.replication.replicator import Replicator
from engine.net.wire import Protocol, ProtocolError
from engine.net.wire.declaration import Audience
from engine.net.wire.system import Full, Prefab, Snapshot
from engine.physics import Velocity
from engine.scene import Transform

pytestmark = pytest.mark.skipif(
    not has("engine.net.replication.kernel"), reason="the kernel was not built, or TICKWIRE_COMPILED is off"
)
if has("engine.net.replication.kernel"):
    from engine.net.replication import kernel

MODULES: tuple[Any, ...] = (packing, delta, state, layout, quantise)

wide = st.builds(lambda bits, less: max(0, 2**bits - 1 - less), st.integers(0, 64), st.integers(0, 3))
numbers = st.one_of(st.just(0), st.integers(0, 40), st.integers(0, 2**64 - 1), wide)
columns = st.lists(st.lists(numbers, max_size=12), max_size=9)
cells = st.one_of(st.integers(-50, 50), st.integers(-(2**63), 2**63 - 1))


@contextmanager
def numpy_alone() -> Iterator[None]:
    """Everything the other way."""
    for module in MODULES:
        module.COMPILED = False
    try:
        yield
    finally:
        for module in MODULES:
            module.COMPILED = True


def both(call: Callable[[], Any]) -> tuple[Any, Any]:
    """What comes of a call with the kernel, and without: what it gives, or the words of its `ProtocolError`."""

    def outcome() -> Any:
        try:
            return call()
        except ProtocolError as error:
            return type(error), str(error)

    compiled = outcome()
    with numpy_alone():
        return compiled, outcome()


# Packed columns


def flat(given_columns: list[list[int]]) -> tuple[Any, Any]:
    values = np.array([number for column in given_columns for number in column], np.uint64)
    return values, np.array([len(column) for column in given_columns], np.int64)


@given(columns)
def test_columns_are_packed_alike(given_columns: list[list[int]]) -> None:
    values, counts = flat(given_columns)
    compiled, plain = both(lambda: packing.pack(values, counts))
    assert compiled == plain
    got, end = packing.unpack(compiled, 0, counts)
    assert got.tolist() == values.tolist()
    assert end == len(compiled)


@pytest.mark.parametrize("seed", range(40))
def test_long_columns_are_packed_alike(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 300, 12)
    bits = rng.integers(0, 65, 12).repeat(counts)
    values = rng.integers(0, 2**64, int(counts.sum()), np.uint64, endpoint=False) >> np.minimum(64 - bits, 63).astype(
        np.uint64
    )
    values[rng.random(len(values)) < 0.5] >>= np.uint64(seed % 9)
    compiled, plain = both(lambda: packing.pack(values, counts))
    assert compiled == plain
    compiled, plain = both(lambda: packing.unpack(compiled, 0, counts))
    assert compiled[0].tolist() == plain[0].tolist() == values.tolist()
    assert compiled[1] == plain[1]


@settings(max_examples=500)
@given(st.binary(max_size=80), st.lists(st.integers(0, 40), max_size=10), st.integers(0, 90))
def test_any_bytes_are_unpacked_or_refused_alike(content: bytes, counts: list[int], at: int) -> None:
    def call() -> Any:
        values, end = packing.unpack(content, at, np.array(counts, np.int64))
        return values.tolist(), end

    compiled, plain = both(call)
    assert compiled == plain


@settings(max_examples=300)
@given(columns, st.data())
def test_cut_and_changed_columns_are_refused_alike(given_columns: list[list[int]], data: st.DataObject) -> None:
    values, counts = flat(given_columns)
    content = bytearray(packing.pack(values, counts))
    for _ in range(data.draw(st.integers(0, 3))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])

    def call() -> Any:
        values, end = packing.unpack(cut, 0, counts)
        return values.tolist(), end

    compiled, plain = both(call)
    assert compiled == plain


# Whole rooms


class Motley(Component):
    single: F32 = f32()
    double: F64 = f64()
    signed: I32 = i32()
    long: I64 = i64()
    unsigned_byte: U8 = u8()
    unsigned: U32 = u32()
    huge: U64 = u64()
    lit: Flag = flag()
    to: Ref = ref()


class Held(Component):
    seat: I32 = i32()
    ammo: I64 = i64()
    heat: F32 = f32()
    dust: F64 = f64()
    lock: Ref = ref()


class Seat(Component):
    player: I32 = i32()


class Tint(Component):
    red: U8 = u8()


def protocol(*, near: bool = False) -> Protocol:
    made = (
        Protocol("kernel")
        .component(Transform, {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: 1 / 512})
        .component(Velocity, {Velocity.vx: 1 / 8, Velocity.vy: 1 / 8, Velocity.angular: 1 / 8})
        .component(Motley, {Motley.single: 1 / 64, Motley.double: 1e-3})
        .component(Held, {Held.heat: 1 / 16, Held.dust: 1e-4}, to=Audience.OWNER)
        .component(Seat)
        .component(Tint, constant=True)
        .component(ChildOf)
        .owner(Seat.player)
    )
    return made.near(300.0) if near else made


ROOMS: dict[str, tuple[Protocol, dict[str, Any]]] = {
    "told everything": (protocol(), {}),
    "with a budget": (protocol(), {"budget": 3000.0}),
    "told what is near": (protocol(near=True), {"budget": 6000.0}),
}
ODD = (0.0, -0.0, nan, inf, -inf, 1e30, -1e30, 2.0**41, 0.49999997, 0.5 / 64, 1.5 / 64, 2.5 / 64)


def motley(rng: Random) -> Motley:
    return Motley(
        single=rng.choice((rng.uniform(-99, 99), rng.choice(ODD))),
        double=rng.choice((rng.uniform(-1e6, 1e6), rng.choice(ODD))),
        signed=rng.randrange(-(1 << 31), 1 << 31),
        long=rng.choice((rng.randrange(-9, 9), rng.randrange(-(1 << 63), 1 << 63))),
        unsigned_byte=rng.randrange(256),
        unsigned=rng.randrange(1 << 32),
        huge=rng.getrandbits(64),
        lit=rng.random() < 0.5,
    )


def spawn(world: World, rng: Random) -> None:
    parts: list[Component] = [Transform(rng.uniform(-400, 400), rng.uniform(-400, 400), rng.uniform(-9, 9))]
    for share, made in (
        (0.7, lambda: Velocity(rng.uniform(-99, 99), rng.uniform(-99, 99), rng.uniform(-3, 3))),
        (0.5, lambda: motley(rng)),
        (0.5, lambda: Tint(rng.randrange(4))),
        (0.4, lambda: Seat(rng.randrange(3))),
        (0.5, lambda: Held(rng.randrange(9), rng.randrange(99), rng.choice((rng.random(), nan, inf)), rng.random())),
    ):
        if rng.random() < share:
            parts.append(made())
    world.spawn(*parts)


def conversation(name: str, seed: int, steps: int = 25) -> tuple[list[tuple[int, str, bytes]], list[Any]]:
    """What a server sends to three clients while its world changes at random, and what they make of it."""
    declared, options = ROOMS[name]
    rng = Random(seed)
    world = World(seed=seed)
    replicator = Replicator(declared, world, every=2, **options)
    replicas = {client: Replica(declared) for client in range(3)}
    sent: list[tuple[int, str, bytes]] = []
    made: list[Any] = []
    for client in replicas:
        replicator.enter(client, client)
    for step in range(steps):
        for _ in range(rng.choice((0, 0, 1, 5, 30 if step == 0 else 2))):
            spawn(world, rng)
        there = list(world)
        for rows in world.tables(Transform, Velocity):
            rows[Transform.x] += rows[Velocity.vx] / 30
        for entity in rng.sample(there, min(len(there), rng.randrange(9))):
            if rng.random() < 0.2:
                entity.despawn()
                continue
            if Motley in entity:
                entity[Motley].to = rng.choice(there).id
                entity[Motley].huge = rng.getrandbits(64)
                entity[Motley].single = rng.choice(ODD)
                entity[Motley].long = rng.randrange(-(1 << 63), 1 << 63)
            elif rng.random() < 0.2:
                entity.add(motley(rng))
            if Held in entity:
                entity[Held].ammo -= 1
                entity[Held].lock = rng.choice(there).id
        replicator.take(2 * step + 2)
        for client, replica in replicas.items():
            for message in replicator.messages(client):
                assert isinstance(message, (Full, Prefab, Snapshot))
                sent.append((client, type(message).__name__, message.payload))
                if rng.random() < 0.8 or not isinstance(message, Snapshot):
                    got = replica.receive(message)
                    if got is not None:
                        assert got.shown.dtype == np.int64
                        made.append((got.tick, got.cells.tolist(), got.shown.tolist(), got.private, got.sums()))
            if rng.random() < 0.7:
                replicator.acked(client, replica.acks()[0])
        if rng.random() < 0.1:
            replicator.lost(rng.randrange(3))
    assert not any(replica.malformed for replica in replicas.values())
    return sent, made


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", ROOMS)
def test_rooms_say_the_same_and_are_understood_alike(name: str, seed: int) -> None:
    compiled, plain = both(lambda: conversation(name, seed))
    assert compiled == plain
    assert len(compiled[1]) > 30


@pytest.mark.parametrize("name", ROOMS)
def test_what_one_way_wrote_the_other_reads(name: str) -> None:
    sent, made = conversation(name, 99)
    with numpy_alone():
        assert conversation(name, 99) == (sent, made)
        replicas = {client: Replica(ROOMS[name][0]) for client in range(3)}
        kinds: dict[str, Any] = {"Full": Full, "Prefab": Prefab, "Snapshot": Snapshot}
        for client, kind, payload in sent:
            replicas[client].receive(kinds[kind](payload))
        assert not any(replica.malformed for replica in replicas.values())


# Hostile bytes


def apply(base: Any, payload: bytes, prefabs: Any) -> Any:
    reading = Reading(payload)
    with np.errstate(all="ignore"):
        shape, got = reading.apply(base, prefabs, Register())
    told = None if reading.told is None else reading.told.tolist()
    return shape.slots.tolist(), shape.ids.tolist(), got.tolist(), told, reading.updates, reading.at


def prepared(seed: int) -> tuple[Any, list[bytes], Any]:
    """A state, payloads that build on it, and the prefabs."""
    sent, _ = conversation("told everything", seed, 12)
    replica = Replica(ROOMS["told everything"][0])
    payloads: list[bytes] = []
    base = None
    for client, kind, payload in sent:
        if client != 0:
            continue
        if kind != "Snapshot" or base is None:
            replica.receive({"Full": Full, "Prefab": Prefab, "Snapshot": Snapshot}[kind](payload))
            base = base or replica.newest
        else:
            payloads.append(payload)
    return base, payloads, replica.prefabs


PREPARED = [prepared(seed) for seed in range(4)] if has("engine.net.replication.kernel") else []


@settings(deadline=None, max_examples=600)
@given(st.integers(0, 3), st.data())
def test_changed_snapshots_are_read_or_refused_alike(seed: int, data: st.DataObject) -> None:
    base, payloads, prefabs = PREPARED[seed]
    payload = bytearray(data.draw(st.sampled_from(payloads)))
    payload[0] = data.draw(st.one_of(st.just(payload[0]), st.integers(0, 31)))
    for _ in range(data.draw(st.integers(0, 4))):
        payload[data.draw(st.integers(5, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(payload[: data.draw(st.one_of(st.just(len(payload)), st.integers(0, len(payload))))])
    compiled, plain = both(lambda: apply(base, cut, prefabs))
    assert compiled == plain


@settings(deadline=None, max_examples=600)
@given(st.integers(0, 3), st.integers(0, 31), st.binary(max_size=200))
def test_any_bytes_behind_a_head_are_read_or_refused_alike(seed: int, flags: int, rest: bytes) -> None:
    base, _, prefabs = PREPARED[seed]
    payload = bytes((flags,)) + (base.tick + 2).to_bytes(4, "little") + (b"" if flags & 8 else b"\2") + rest
    compiled, plain = both(lambda: apply(base, payload, prefabs))
    assert compiled == plain


# Numbers


@given(st.lists(cells, min_size=2, max_size=20), st.lists(cells, min_size=2, max_size=20), st.integers(0, 100))
def test_predictions_are_alike_however_large_the_numbers(before: list[int], after: list[int], ticks: int) -> None:
    count = min(len(before), len(after))
    earlier, later = np.array(before[:count], np.int64), np.array(after[:count], np.int64)

    class Half:
        rated = np.arange(0, count - 1, 2)
        rates = np.arange(1, count, 2)[: len(rated)]
        factors = np.linspace(1e-3, 7.3, len(rated))

    shape: Any = Half()
    with np.errstate(all="ignore"):
        compiled, plain = both(lambda: state.predicted(shape, earlier, ticks, later).tolist())
    assert compiled == plain


# The boundary


def test_arrays_that_do_not_go_together_are_refused() -> None:
    ints = np.arange(4)
    with pytest.raises(ValueError, match="go together"):
        kernel.pack(np.zeros(3, np.uint64), np.array([4]))
    with pytest.raises(ValueError, match="length that none has"):
        kernel.pack(np.zeros(3, np.uint64), np.array([4, -1]))
    with pytest.raises(TypeError, match="other numbers"):
        kernel.pack(ints, ints)  # type: ignore[arg-type]
    with pytest.raises((ValueError, BufferError)):
        kernel.pack(np.zeros(8, np.uint64)[::2], ints)
    with pytest.raises(IndexError):
        kernel.predict(ints, ints, np.array([4]), np.array([0]), np.ones(1), 1.0, ints.copy())
    with pytest.raises(IndexError):
        kernel.predict(ints, ints, np.array([-1]), np.array([0]), np.ones(1), 1.0, ints.copy())
    fixed = ints.copy()
    fixed.flags.writeable = False
    with pytest.raises((ValueError, BufferError)):
        kernel.predict(ints, ints, ints[:0], ints[:0], np.ones(0), 1.0, fixed)
    with pytest.raises(ValueError, match="offset"):
        kernel.unpack(b"", -1, ints[:0], np.zeros(0, np.uint64))


def test_columns_of_a_world_are_looked_at_before_they_are_read() -> None:
    none = np.zeros(0, np.int64)

    def take(column: Any, code: int, rows: int) -> None:
        kernel.take(
            [column],
            np.array([code], np.uint8),
            np.ones((1, 1), np.bool_),
            np.zeros(1, np.int64),
            np.array([rows]),
            np.arange(rows),
            np.ones(rows),
            rows,
            np.zeros(rows, np.int64),
            False,
            none,
            none,
            none,
            none,
            none,
            np.zeros(0),
            1.0,
            np.zeros(1, np.int64),
            np.zeros(1, np.uint64),
            np.zeros(rows, np.int64),
        )

    take(np.zeros(5, np.float32), 0, 5)
    with pytest.raises(ValueError, match="shorter"):
        take(np.zeros(4, np.float32), 0, 5)
    with pytest.raises(ValueError, match="another type"):
        take(np.zeros(5, np.float32), 1, 5)
    with pytest.raises(ValueError, match="among the others"):
        take(np.zeros(5, np.int32), 3, 5)


def test_it_can_be_switched_off() -> None:
    program = (
        "import sys; from engine.net.replication import replicator, replica, quantise; "
        "print(quantise.COMPILED, 'engine.net.replication.kernel' in sys.modules)"
    )
    for wanted, expected in (("off", "False False"), ("on", "True True")):
        environment = os.environ | {"TICKWIRE_COMPILED": wanted}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == expected.split()
