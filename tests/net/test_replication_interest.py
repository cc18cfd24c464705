"""What a client is told of: what is near what it owns, what its budget takes, and in time everything."""

from __future__ import annotations

from math import hypot
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.ecs import I32, Component, Entity, World, i32
from engine.net.replication.mirror import Mirror
from engine.net.replication.replica import Replica
from engine.net.replication.replicator import Replicator
from engine.net.wire import Protocol, SchemaError
from engine.net.wire.system import MOST_SNAPSHOT, Snapshot
from engine.physics import Velocity
from engine.scene import Transform

RADIUS = 100.0


class Owned(Component):
    seat: I32 = i32()


class Flag(Component):
    pass


class Total(Component):
    points: I32 = i32()


def protocol(radius: float | None = None) -> Protocol:
    made = (
        Protocol("interest")
        .component(Transform, {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: 1 / 512})
        .component(Velocity, {Velocity.vx: 1 / 8, Velocity.vy: 1 / 8, Velocity.angular: 1 / 8})
        .component(Owned)
        .component(Flag)
        .component(Total)
        .owner(Owned.seat)
        .interpolate(Transform)
    )
    return made if radius is None else made.near(radius, always=(Flag,))


class Room:
    def __init__(self, protocol: Protocol, **options: Any) -> None:
        self.world = World(seed=1)
        self.rng = Random(1)
        self.replicator = Replicator(protocol, self.world, every=3, **options)
        self.replica = Replica(protocol)
        self.replicator.enter(1, 0)
        self.tick = 0
        self.sizes: list[int] = []
        self.delayed: list[int] = []

    def step(self, *, lost: float = 0.0, delay: int = 0) -> None:
        self.tick += 3
        self.replicator.take(self.tick)
        for message in self.replicator.messages(1):
            if isinstance(message, Snapshot):
                self.sizes.append(len(message.payload))
                if self.rng.random() < lost:
                    continue
            self.replica.receive(message)  # type: ignore[arg-type]
        checked = self.replicator.checked(1)
        newest = self.replica.newest
        if newest is not None and checked is not None and newest.tick == checked.tick:
            assert newest.check(checked) is None
        self.delayed.append(self.replica.acks()[0])
        if len(self.delayed) > delay:
            self.replicator.acked(1, self.delayed.pop(0))

    def known(self) -> set[int]:
        assert self.replica.newest is not None
        return set(self.replica.newest.ids.tolist())

    def errors(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """How far each entity is from where the client has it; infinite for those it does not know."""
        assert self.replica.newest is not None
        places: dict[int, list[float]] = {}
        for key in (Transform.x, Transform.y):
            for id, value in zip(*(each.tolist() for each in self.replica.newest.column(key)), strict=True):
                places.setdefault(id, []).append(value)
        far = [np.inf, np.inf]
        return np.array(
            [
                hypot(place.x - places.get(entity.id, far)[0], place.y - places.get(entity.id, far)[1])
                for entity, place in self.world.rows(Entity, Transform)
            ]
        )

    def jostle(self, entities: list[Entity], by: float = 5.0) -> None:
        for entity in entities:
            place = entity[Transform]
            place.x += self.rng.uniform(-by, by)
            place.y += self.rng.uniform(-by, by)


def test_a_player_is_told_of_what_is_near_and_of_what_always_matters() -> None:
    room = Room(protocol(RADIUS))
    spawn = room.world.spawn
    me = spawn(Transform(0.0), Owned(0))
    near, far = spawn(Transform(90.0)), spawn(Transform(0.0, 300.0))
    sign, score = spawn(Transform(900.0), Flag()), spawn(Total(5))
    room.step()
    assert room.known() == {me.id, near.id, sign.id, score.id}
    me[Transform].y = 290.0
    room.step()
    assert room.known() == {me.id, far.id, sign.id, score.id}
    assert room.errors()[0] < 0.1


def test_nothing_comes_and_goes_at_the_edge() -> None:
    room = Room(protocol(RADIUS))
    me, edge = room.world.spawn(Transform(0.0), Owned(0)), room.world.spawn(Transform(105.0))
    room.step()
    assert room.known() == {me.id}
    edge[Transform].x = 99.0
    room.step()
    edge[Transform].x = 105.0
    room.step()
    assert room.known() == {me.id, edge.id}
    edge[Transform].x = 120.0
    room.step()
    assert room.known() == {me.id}


def test_who_lost_what_they_own_still_sees_the_place() -> None:
    room = Room(protocol(RADIUS))
    me, near = room.world.spawn(Transform(0.0), Owned(0)), room.world.spawn(Transform(50.0))
    room.world.spawn(Transform(500.0))
    room.step()
    me.despawn()
    room.step()
    assert room.known() == {near.id}


def test_who_never_owned_a_thing_sees_everything() -> None:
    room = Room(protocol(RADIUS))
    ids = {room.world.spawn(Transform(x * 500.0)).id for x in range(5)}
    room.step()
    assert room.known() == ids


def test_distance_needs_places() -> None:
    with pytest.raises(SchemaError, match="Transform"):
        Room(Protocol("nowhere").component(Total).near(5.0))


BUDGET = 3000.0


def test_a_budget_holds_and_nothing_starves() -> None:
    room = Room(protocol(), budget=BUDGET)
    room.world.spawn(Transform(), Owned(0))
    crowd = [room.world.spawn(Transform(room.rng.uniform(-900, 900), room.rng.uniform(-900, 900))) for _ in range(300)]
    room.step()
    room.sizes.clear()
    worst: list[float] = []
    for _ in range(200):
        room.jostle(crowd)
        room.step(lost=0.1, delay=2)
        worst.append(float(room.errors()[1:].max()))
    seconds = 200 * 3 / 60
    assert sum(room.sizes) / seconds < BUDGET * 1.1
    assert sum(room.sizes) / seconds > BUDGET * 0.5
    assert max(worst[50:]) < 150.0  # of a walk of some 40 units a second
    assert room.replica.malformed == 0
    assert room.replica.unusable == 0
    for _ in range(60):
        room.step()
    assert room.errors().max() < 1 / 16, "once it is calm, everything is told"
    assert room.sizes[-1] < 12


def test_what_is_near_is_told_more_often_and_what_one_owns_always() -> None:
    room = Room(protocol(), budget=BUDGET)
    me = room.world.spawn(Transform(), Owned(0))
    near = [room.world.spawn(Transform(room.rng.uniform(-50, 50), room.rng.uniform(-50, 50))) for _ in range(30)]
    far = [room.world.spawn(Transform(room.rng.uniform(900, 990), room.rng.uniform(900, 990))) for _ in range(300)]
    room.step()
    errors: list[Any] = []
    for _ in range(150):
        room.jostle([me, *near, *far])
        room.step()
        errors.append(room.errors())
    mean = np.mean(errors[20:], axis=0)
    assert mean[0] < 0.1
    assert mean[1:31].mean() < 0.5 * mean[31:].mean()


def test_new_entities_come_soon_even_if_not_all_at_once() -> None:
    room = Room(protocol(), budget=BUDGET)
    room.world.spawn(Transform(), Owned(0))
    crowd = [room.world.spawn(Transform(room.rng.uniform(-900, 900))) for _ in range(100)]
    room.step()
    crowd += [room.world.spawn(Transform(room.rng.uniform(-900, 900))) for _ in range(200)]
    counts: list[int] = []
    for _ in range(40):
        room.jostle(crowd)
        room.step(delay=1)
        counts.append(len(room.known()))
    assert 101 < counts[0] < 301
    assert counts[-1] == 301
    for entity in crowd[::2]:
        entity.despawn()
    room.step()
    room.step()
    assert len(room.known()) == 151


def test_what_was_told_once_stays_so_while_its_ack_is_on_its_way() -> None:
    """The snapshots after it build on one before it, and have no room to tell it again."""
    room = Room(protocol(), budget=BUDGET)
    room.world.spawn(Transform(), Owned(0))
    runner = room.world.spawn(Transform(), Velocity(100.0))
    crowd = [room.world.spawn(Transform(room.rng.uniform(-900, 900))) for _ in range(300)]
    room.step()
    mirrored = World()
    mirrored.mirror(1 << 16)
    mirror = Mirror(room.replica.layout.protocol, mirrored, room.replica)
    heading: list[bool] = []
    for number in range(80):
        if number == 20:
            runner[Velocity].vx = -100.0
        runner[Transform].x += runner[Velocity].vx * 0.05
        room.jostle(crowd)
        room.step(delay=8)
        mirror.show(room.tick)
        heading.append(mirrored.entity(runner.id)[Velocity].vx < 0)
    assert not any(heading[:20])
    first = heading.index(True)
    assert first < 40
    assert all(heading[first:])
    assert abs(room.errors()[1]) < 1


def test_what_is_too_much_for_a_message_is_told_bit_by_bit() -> None:
    room = Room(protocol())
    crowd = [room.world.spawn(Transform(room.rng.uniform(-900, 900))) for _ in range(6000)]
    room.step()
    for _ in range(6):
        room.jostle(crowd, by=400.0)
        room.step()
    assert len(room.sizes) == 6, "and no full one"
    assert 5000 < max(room.sizes) <= MOST_SNAPSHOT
    for _ in range(40):
        room.step()
    assert room.errors().max() < 1 / 16
    assert room.replica.malformed == 0


def test_with_room_for_all_clients_share_their_snapshots() -> None:
    room = Room(protocol(), budget=1e6)
    room.replicator.enter(2, 1)
    crowd = [room.world.spawn(Transform(room.rng.uniform(-900, 900))) for _ in range(50)]
    room.step()
    room.replicator.messages(2)
    room.jostle(crowd)
    room.replicator.take(room.tick + 3)
    (one,) = room.replicator.messages(1)
    (other,) = room.replicator.messages(2)
    assert one is other
