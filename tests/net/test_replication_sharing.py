"""Replicas that share a decoder have exactly what each would have by itself, whatever gets lost on whose way."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ecs import F32, I32, Component, Entity, Obj, Ref, World, f32, i32, obj, ref
from engine.net.replication.decoding import SharedDecoder
from engine.net.replication.replica import ACK_BITS, Replica
from engine.net.replication.replicator import Replicator
from engine.net.wire import Protocol
from engine.net.wire.declaration import Audience
from engine.net.wire.system import Full, Prefab, Snapshot
from engine.physics import Velocity
from engine.scene import Transform

CLIENTS = 5


class Ship(Component):
    seat: I32 = i32()
    target: Ref = ref()
    heat: F32 = f32()


class Paint(Component):
    name: Obj[str] = obj(default="")


class Ammo(Component):
    rounds: I32 = i32(default=30)
    reload: F32 = f32()


PROTOCOL = (
    Protocol("sharing")
    .component(Transform, {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: 1 / 512})
    .component(Velocity, {Velocity.vx: 1 / 8, Velocity.vy: 1 / 8}, without=(Velocity.angular,))
    .component(Ship, {Ship.heat: 1 / 64})
    .component(Paint, constant=True)
    .component(Ammo, {Ammo.reload: 1 / 64}, to=Audience.OWNER)
    .owner(Ship.seat)
)


class Pair:
    """A client twice: one replica by itself, one with the decoder of all."""

    def __init__(self, decoder: SharedDecoder) -> None:
        self.alone, self.sharing = Replica(PROTOCOL), Replica(PROTOCOL, decoder=decoder)

    def receive(self, message: Any) -> None:
        self.alone.receive(message)
        self.sharing.receive(message)
        self.compare()

    def compare(self) -> None:
        alone, sharing = self.alone, self.sharing
        assert list(alone.states) == list(sharing.states)
        newest, bits = alone.acks()
        assert (newest, bits) == sharing.acks()
        assert bits == sum(1 << bit for bit in range(ACK_BITS) if newest - 1 - bit in alone.states)
        for name in ("wants_full", "updates", "bytes", "malformed", "unusable"):
            assert getattr(alone, name) == getattr(sharing, name), name
        if alone.newest is None or sharing.newest is None:
            return
        one, other = alone.newest, sharing.newest
        for key in (Transform.x, Velocity.vx, Ship.seat, Ship.target, Ship.heat, Ammo.rounds, Ammo.reload):
            for mine, its in zip(one.column(key), other.column(key), strict=True):
                assert np.array_equal(mine, its), key
        assert np.array_equal(one.births, other.births)
        for id in one.ids.tolist():
            assert repr(one.components(id)) == repr(other.components(id))


class Room:
    """A world that tells clients of itself over lossy ways."""

    def __init__(self, seed: int, decoder: SharedDecoder, *, budget: float | None = None) -> None:
        self.rng = Random(seed)
        self.world = World(seed=seed)
        self.replicator = Replicator(PROTOCOL, self.world, every=2, budget=budget)
        self.tick = 0
        self.pairs = [Pair(decoder) for _ in range(CLIENTS)]
        self.late: list[tuple[Pair, Any]] = []
        for client in range(CLIENTS):
            self.replicator.enter(client, client)
            self.spawn(client)

    def spawn(self, seat: int) -> None:
        rng = self.rng
        target = rng.choice(self.entities()).id if self.entities() and rng.random() < 0.5 else 0
        parts: list[Component] = [
            Transform(rng.uniform(-500, 500), rng.uniform(-500, 500)),
            Velocity(rng.uniform(-50, 50), 0.0),
            Ship(seat=seat, target=target),
            Paint(name=rng.choice(("red", "blue", "green"))),
        ]
        self.world.spawn(*parts, *([Ammo()] if rng.random() < 0.7 else []))

    def entities(self) -> list[Entity]:
        return list(self.world.rows(Entity))

    def step(self, *, loss: float = 0.0) -> None:
        rng = self.rng
        self.tick += 2
        for row in self.world.rows(Transform):
            row.x += rng.uniform(-3, 3)
        for row in self.world.rows(Ammo):
            row.rounds -= rng.random() < 0.3
        if rng.random() < 0.3:
            self.spawn(rng.randrange(-1, CLIENTS))
        if rng.random() < 0.2 and self.entities():
            rng.choice(self.entities()).despawn()
        self.replicator.take(self.tick)
        waiting, self.late = self.late, []
        for client, pair in enumerate(self.pairs):
            for message in self.replicator.messages(client):
                if not isinstance(message, Snapshot) or rng.random() >= loss:
                    if isinstance(message, Snapshot) and rng.random() < loss / 2:
                        self.late.append((pair, message))
                    else:
                        pair.receive(message)
        for pair, message in waiting:
            pair.receive(message)
        for client, pair in enumerate(self.pairs):
            if pair.alone.wants_full:
                self.replicator.lost(client)
            if rng.random() >= loss and pair.alone.newest is not None:
                self.replicator.acked(client, pair.alone.newest.tick)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1 << 30), loss=st.sampled_from((0.0, 0.1, 0.4)), budget=st.sampled_from((None, 600.0)))
def test_sharing_changes_nothing(seed: int, loss: float, budget: float | None) -> None:
    decoder = SharedDecoder(PROTOCOL)
    rooms = [Room(seed, decoder, budget=budget), Room(seed + 1, decoder, budget=budget)]
    for _ in range(25):
        for room in rooms:
            room.step(loss=loss)


def test_equal_snapshots_are_decoded_once_and_their_states_are_one() -> None:
    decoder = SharedDecoder(PROTOCOL)
    room = Room(1, decoder)
    for _ in range(30):
        room.step()
    newest = [pair.sharing.newest for pair in room.pairs]
    assert len({id(state.cells) for state in newest if state is not None}) == 1
    assert decoder.decoded <= 30
    assert len({state.private[id] for state in newest if state is not None for id in state.private}) > 1


def test_clients_that_were_told_against_different_states_come_together_again() -> None:
    decoder = SharedDecoder(PROTOCOL)
    room = Room(1, decoder)
    for _ in range(10):
        room.step(loss=0.5)
    for _ in range(2):
        room.step()
    newest = [pair.sharing.newest for pair in room.pairs]
    assert len({id(state.cells) for state in newest if state is not None}) == 1


def test_rooms_whose_prefabs_differ_are_told_apart_where_all_else_is_equal() -> None:
    decoder = SharedDecoder(PROTOCOL)
    names: list[str] = []
    for name in ("red", "blue"):
        world = World(seed=1)
        entity = world.spawn(Transform(), Velocity(), Paint(name=name))
        replicator = Replicator(PROTOCOL, world, every=2)
        replicator.enter(0, -1)
        replica = Replica(PROTOCOL, decoder=decoder)
        replicator.take(2)
        for message in replicator.messages(0):
            assert isinstance(message, Prefab | Full)
            replica.receive(message)
        assert replica.newest is not None
        (paint,) = (part for part in replica.newest.components(entity.id) if isinstance(part, Paint))
        names.append(paint.name)
    assert names == ["red", "blue"]


def test_a_prefab_that_others_know_is_still_missing_to_who_was_not_told() -> None:
    decoder = SharedDecoder(PROTOCOL)
    world = World(seed=1)
    world.spawn(Transform(), Velocity(), Paint(name="red"))
    replicator = Replicator(PROTOCOL, world, every=2)
    replicator.enter(0, -1)
    replicator.take(2)
    told, deprived = Replica(PROTOCOL, decoder=decoder), Replica(PROTOCOL, decoder=decoder)
    for message in replicator.messages(0):
        assert isinstance(message, Prefab | Full)
        told.receive(message)
        if isinstance(message, Full):
            deprived.receive(message)
    assert told.newest is not None
    assert deprived.newest is None
    assert deprived.unusable == 1


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_a_payload_that_ends_sooner_is_not_taken_for_the_whole_one(cut: int) -> None:
    decoder = SharedDecoder(PROTOCOL)
    room = Room(3, decoder)
    room.step()
    room.tick += 2
    room.replicator.take(room.tick)
    (whole,) = (message for message in room.replicator.messages(0) if isinstance(message, Full | Snapshot))
    room.pairs[0].receive(whole)
    room.pairs[1].receive(type(whole)(whole.payload[:-cut]))
    room.pairs[2].receive(type(whole)(whole.payload + bytes(cut)))


def test_what_is_remembered_is_bounded_and_what_is_forgotten_is_decoded_again() -> None:
    decoder = SharedDecoder(PROTOCOL, most=4)
    room = Room(2, decoder)
    for _ in range(60):
        room.step(loss=0.6)
    assert decoder.decoded > 60
    assert decoder.remembered == 4
