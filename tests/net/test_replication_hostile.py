"""Whatever a server sends, a replica neither raises nor grows without bounds: it asks for everything anew."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ecs import I32, U64, Component, Flag, Obj, Ref, World, flag, i32, obj, ref, u64
from engine.net.replication.mirror import Mirror
from engine.net.replication.replica import MOST_STATES, Replica
from engine.net.replication.replicator import Replicator
from engine.net.wire import Protocol
from engine.net.wire.declaration import Audience
from engine.net.wire.system import Full, Prefab, Snapshot
from engine.physics import Circle, Collider, Velocity
from engine.scene import Transform


class Thing(Component):
    seat: I32 = i32()
    to: Ref = ref()
    on: Flag = flag()
    name: Obj[str] = obj(default="")


class Wide(Component):
    number: U64 = u64()


class Secret(Component):
    code: I32 = i32()
    to: Ref = ref()


PROTOCOL = (
    Protocol("hostile")
    .component(Transform, {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: 1 / 512})
    .component(Velocity, {Velocity.vx: 1 / 8, Velocity.vy: 1 / 8, Velocity.angular: 1 / 8})
    .component(Thing)
    .component(Wide)
    .component(Collider, constant=True)
    .component(Secret, to=Audience.OWNER)
    .owner(Thing.seat)
    .near(500.0)
    .interpolate(Transform, turning=(Transform.angle,))
)


def conversation(seed: int, steps: int = 12) -> list[Any]:
    """What a real server sends."""
    rng = Random(seed)
    world = World(seed=seed)
    replicator = Replicator(PROTOCOL, world, every=2, budget=4000.0)
    replicator.enter(1, 3)
    replica = Replica(PROTOCOL)
    messages: list[Any] = []
    for step in range(steps):
        for _ in range(rng.randrange(4)):
            parts = [Transform(rng.uniform(-400, 400)), Velocity(rng.uniform(-9, 9)), Thing(rng.randrange(5))]
            world.spawn(*parts, *rng.sample([Wide(rng.getrandbits(64)), Collider(Circle(1.0)), Secret(5)], 2))
        for transform, thing in world.rows(Transform, Thing):
            transform.x += rng.uniform(-9, 9)
            thing.on = rng.random() < 0.5
        for entity in rng.sample(list(world), min(2, len(world))):
            if rng.random() < 0.3:
                entity.despawn()
        replicator.take(2 * step + 2)
        for message in replicator.messages(1):
            messages.append(message)
            replica.receive(message)  # type: ignore[arg-type]
        if rng.random() < 0.6:
            replicator.acked(1, replica.acks()[0])
    assert replica.malformed == 0
    return messages


REAL = [conversation(seed) for seed in range(6)]


def use(replica: Replica) -> None:
    """Whatever has arrived can be looked at, and shown."""
    state = replica.newest
    if state is None:
        return
    world = World()
    world.mirror(1 << 16)
    Mirror(PROTOCOL, world, replica).show(state.tick + 1.5)
    for key in (Transform.x, Thing.to, Thing.on, Wide.number, Secret.code, Secret.to):
        state.column(key)
    for id in state.ids.tolist():
        state.components(id)
    state.sums()


@given(st.lists(st.tuples(st.sampled_from([Prefab, Full, Snapshot]), st.binary(max_size=80)), max_size=8))
def test_bytes_of_any_kind(messages: list[tuple[Any, bytes]]) -> None:
    replica = Replica(PROTOCOL)
    for kind, payload in messages:
        replica.receive(kind(payload))
    use(replica)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(REAL), st.data())
def test_real_messages_with_a_few_bytes_changed(messages: list[Any], data: st.DataObject) -> None:
    replica = Replica(PROTOCOL)
    for message in messages:
        payload = bytearray(message.payload)
        if data.draw(st.integers(0, 3)) == 0:
            for _ in range(data.draw(st.integers(1, 3))):
                payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
            if data.draw(st.booleans()):
                del payload[data.draw(st.integers(0, len(payload) - 1)) :]
        replica.receive(type(message)(bytes(payload)))
    use(replica)


@given(st.sampled_from(REAL), st.randoms(use_true_random=False))
def test_real_messages_in_any_order_and_again(messages: list[Any], rng: Random) -> None:
    replica = Replica(PROTOCOL)
    for message in rng.choices(messages, k=30):
        replica.receive(message)
    assert replica.malformed == 0
    use(replica)


def test_what_is_malformed_makes_it_ask_for_everything() -> None:
    replica = Replica(PROTOCOL)
    for message in REAL[0][:4]:
        replica.receive(message)
    assert not replica.wants_full
    replica.receive(Snapshot(b"\xff" * 20))
    assert replica.wants_full
    assert replica.malformed == 1
    full = bytearray(next(message.payload for message in REAL[0] if isinstance(message, Full)))
    full[1:5] = (1000).to_bytes(4, "little")
    assert replica.receive(Full(bytes(full))) is not None
    assert not replica.wants_full


def test_what_builds_on_the_unknown_for_long_makes_it_ask_too() -> None:
    replica = Replica(PROTOCOL)
    for tick in range(1, 80):
        replica.receive(Snapshot(b"\0" + (tick * 2).to_bytes(4, "little") + b"\1"))
    assert replica.malformed == 0
    assert replica.wants_full


def test_a_flood_of_prefabs_and_states_stays_bounded() -> None:
    replica = Replica(PROTOCOL)
    full = next(message for message in REAL[2] if isinstance(message, Full))
    for message in REAL[2]:
        if isinstance(message, Prefab):
            replica.receive(message)
    for tick in range(3 * MOST_STATES):
        payload = bytearray(full.payload)
        payload[1:5] = (tick + 1).to_bytes(4, "little")
        replica.receive(Full(bytes(payload)))
    assert len(replica.states) == MOST_STATES
