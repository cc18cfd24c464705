"""Snapshots: after any loss, whoever gets one has exactly what the server had."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ecs import F32, I32, U64, ChildOf, Component, Entity, Flag, Obj, Ref, World, f32, flag, i32, obj, ref, u64
from engine.net.replication.quantise import HOLD
from engine.net.replication.replica import MOST_STATES, Replica
from engine.net.replication.replicator import FULL_EVERY, MOST_BASES, MOST_PREFABS, MOST_SENT, SPAN, Replicator
from engine.net.replication.state import State
from engine.net.wire import Protocol, SchemaError
from engine.net.wire.declaration import Audience
from engine.net.wire.system import Full, Prefab, Snapshot
from engine.physics import Box, Circle, Collider, Velocity
from engine.scene import Transform


class Colour(Enum):
    RED = 1
    BLUE = 2


class Ship(Component):
    seat: I32 = i32()
    target: Ref = ref()
    shield: Flag = flag()
    heat: F32 = f32()
    secret: F32 = f32(default=7.0)
    name: Obj[str] = obj(default="")


class Paint(Component):
    colour: Obj[Colour] = obj(default=Colour.RED)
    size: F32 = f32(default=1.0)


class Ammo(Component):
    rounds: I32 = i32(default=30)
    reload: F32 = f32()
    last: Ref = ref()


class Big(Component):
    number: U64 = u64()


class Marked(Component):
    pass


class Brain(Component):
    thought: I32 = i32()


def make_protocol() -> Protocol:
    return (
        Protocol("snapshots")
        .component(Transform, {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: 1 / 512})
        .component(Velocity, {Velocity.vx: 1 / 8, Velocity.vy: 1 / 8}, without=(Velocity.angular,))
        .component(Ship, {Ship.heat: 1 / 64}, without=(Ship.secret,))
        .component(Paint, constant=True)
        .component(Collider, constant=True)
        .component(Ammo, {Ammo.reload: 1 / 64}, to=Audience.OWNER)
        .component(Big)
        .component(Marked)
        .component(ChildOf)
        .hidden(Brain)
        .owner(Ship.seat)
        .interpolate(Transform, turning=(Transform.angle,))
    )


PROTOCOL = make_protocol()


class Room:
    """A server's world, its replicator, and clients at the end of a line that loses what it is told to."""

    def __init__(self, protocol: Protocol = PROTOCOL, *, seed: int = 1, **options: Any) -> None:
        self.rng = Random(seed)
        self.world = World(seed=seed)
        self.replicator = Replicator(protocol, self.world, every=3, **options)
        self.protocol = protocol
        self.replicas: dict[int, Replica] = {}
        self.tick = 0
        self.ordered: dict[int, list[Any]] = {}

    def join(self, client: int, player: int = -1) -> Replica:
        self.replicator.enter(client, player)
        self.replicas[client] = Replica(self.protocol)
        self.ordered[client] = []
        return self.replicas[client]

    def step(self, *, lost: float = 0.0, unacked: float = 0.0, late: float = 0.0) -> State:
        """One snapshot for everyone."""
        self.tick += 3
        self.replicator.take(self.tick)
        for client, replica in self.replicas.items():
            for message in self.replicator.messages(client):
                if not isinstance(message, Snapshot) or self.rng.random() >= lost:
                    self.ordered[client].append(message)
            if self.rng.random() >= late:
                for message in self.ordered[client]:
                    replica.receive(message)
                self.ordered[client].clear()
            if self.rng.random() >= unacked and replica.newest is not None:
                self.replicator.acked(client, replica.acks()[0])
        state = self.replicator.state
        assert state is not None
        return state

    def move(self) -> None:
        for rows in self.world.tables(Transform, Velocity):
            rows[Transform.x] += rows[Velocity.vx] * 0.05
            rows[Transform.y] += rows[Velocity.vy] * 0.05


def ship(rng: Random, seat: int = 0, **changes: Any) -> list[Component]:
    place = Transform(rng.uniform(-900, 900), rng.uniform(-900, 900), rng.uniform(-9, 9))
    return [place, Velocity(rng.uniform(-99, 99), rng.uniform(-99, 99)), Ship(seat=seat, **changes)]


def assert_alike(world: World, state: State) -> None:
    """The state has the world's replicated entities, as precisely as was declared."""
    declared = state.layout.declared.components
    there = [e for e in world if any(type(c) in declared for c in world.components(e))]
    assert sorted(state.ids.tolist()) == sorted(entity.id for entity in there)
    for entity in there:
        expected = {type(c): c for c in world.components(entity) if type(c) not in (Brain, Ammo)}
        got = {type(c): c for c in state.components(entity.id) if type(c) is not Ammo}
        assert got.keys() == expected.keys()
        for kind, component in expected.items():
            assert_near(component, got[kind], world, kind)


def assert_near(component: Component, got: Component, world: World, kind: type[Component]) -> None:
    fields = {field.name: field for field in PROTOCOL.declarations.components[kind].fields}
    for name, value in component.values().items():
        if name == "secret":
            assert getattr(got, name) == 7.0
        elif name in ("angular",):
            assert getattr(got, name) == 0
        elif name in fields and fields[name].is_ref:
            assert getattr(got, name) == (value if world.find(value) is not None else 0)
        elif name in fields:
            assert abs(getattr(got, name) - value) <= fields[name].step * (HOLD + 1e-6)
        else:
            assert getattr(got, name) == value


def test_a_newcomer_gets_everything_at_once() -> None:
    room = Room()
    a = room.world.spawn(*ship(room.rng, name="Ada"), Paint(Colour.BLUE, 0.1), Collider(Box(2.0, 3.0)))
    b = room.world.spawn(*ship(room.rng, target=a.id, shield=True), Marked(), Big(2**64 - 5), Brain(3))
    room.world.spawn(Brain(1))
    replica = room.join(1)
    room.step()
    assert replica.newest is not None
    assert_alike(room.world, replica.newest)
    assert replica.newest.has(Marked).sum() == 1
    ids, targets = replica.newest.column(Ship.target)
    assert dict(zip(ids.tolist(), targets.tolist(), strict=True)) == {a.id: 0, b.id: a.id}
    assert b.id in replica.newest
    assert replica.acks() == (3, 0)


OPERATIONS = ("spawn", "despawn", "mark", "unmark", "turn", "aim", "hurt", "paint", "attach")
operations = st.lists(st.sampled_from(OPERATIONS), max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.lists(operations, min_size=4, max_size=25))
def test_whatever_happens_and_is_lost_what_arrives_is_exact(seed: int, history: list[list[str]]) -> None:
    room = Room(seed=seed)
    rng, world = room.rng, room.world
    replicas = [room.join(client) for client in range(3)]
    truths: dict[int, tuple[list[int], list[int], Any]] = {}
    for step in history:
        room.move()
        for operation in step:
            act(operation, rng, world)
        state = room.step(lost=0.4, unacked=0.4, late=0.2)
        truths[state.tick] = state.ids.tolist(), state.births.tolist(), state.checked()
    for replica in replicas:
        assert replica.malformed == 0
        for tick, state in replica.states.items():
            ids, births, checked = truths[tick]
            assert state.ids.tolist() == ids
            assert state.births.tolist() == births
            assert state.check(checked) is None
    room.step()
    room.step()
    for replica in replicas:
        assert replica.newest is not None
        assert replica.newest.tick == room.tick
        assert_alike(world, replica.newest)


def act(operation: str, rng: Random, world: World) -> None:
    ships: list[Entity] = [entity for entity, _ in world.rows(Entity, Ship)]
    if operation == "spawn" or not ships:
        world.spawn(*ship(rng, name=rng.choice(["", "Ada", "Bob"])), *[Marked()] * rng.randint(0, 1))
        return
    one, other = rng.choice(ships), rng.choice(ships)
    if operation == "despawn":
        one.despawn()
    elif operation == "mark" and Marked not in one:
        one.add(Marked())
    elif operation == "unmark" and Marked in one:
        one.remove(Marked)
    elif operation == "turn":
        one[Velocity].vx += rng.uniform(-50, 50)
        one[Transform].angle += 1.0
    elif operation == "aim":
        one[Ship].target = other.id
    elif operation == "hurt":
        one[Ship].heat += 1
        one[Ship].shield = not one[Ship].shield
    elif operation == "paint":
        world.spawn(Paint(rng.choice(list(Colour)), rng.choice([0.25, 0.5])), Big(rng.getrandbits(64)))
    elif operation == "attach" and one != other and not other.children and not one.children:
        one.add(ChildOf(other.id))


def test_a_slot_used_again_between_two_snapshots_is_another_entity() -> None:
    room = Room()
    replica = room.join(1)
    old = room.world.spawn(*ship(room.rng))
    first = room.step()
    born = first.tick
    old.despawn()
    new = room.world.spawn(*ship(room.rng))
    state = room.step()
    assert state.shape.slots.tolist() == first.shape.slots.tolist()
    assert replica.newest is not None
    assert replica.newest.ids.tolist() == [new.id]
    assert replica.newest.birth(new.id) == born + 3
    assert replica.states[born].ids.tolist() == [old.id]


def test_an_entity_that_changes_its_components_keeps_its_birth() -> None:
    room = Room()
    replica = room.join(1)
    entity = room.world.spawn(*ship(room.rng))
    room.step()
    entity.add(Marked())
    room.step()
    assert replica.newest is not None
    assert replica.newest.has(Marked).tolist() == [True]
    assert replica.newest.birth(entity.id) == 3


def test_who_came_since_the_base_is_one_entity_in_all_snapshots_that_tell_of_it() -> None:
    room = Room()
    replica = room.join(1)
    room.world.spawn(*ship(room.rng))
    room.step()
    room.world.spawn(*ship(room.rng))
    for _ in range(3):
        room.move()
        room.step(unacked=1.0)
    states = list(replica.states.values())[1:]
    assert len({id(state.shape) for state in states}) == 1
    changed = room.world.spawn(*ship(room.rng), Marked())
    room.step(unacked=1.0)
    changed.remove(Marked)
    room.step(unacked=1.0)
    before, after = list(replica.states.values())[-2:]
    assert after.shape.link(before.shape).stays.tolist() == [True, True, False]
    changed.add(Marked())
    room.step()
    room.step()
    assert replica.malformed == 0
    assert_alike(room.world, replica.newest)  # type: ignore[arg-type]


def test_clients_that_have_the_same_get_the_same_message() -> None:
    room = Room()
    for client in range(3):
        room.join(client)
    for _ in range(20):
        room.world.spawn(*ship(room.rng))
    room.step()
    room.move()
    room.replicator.take(room.tick + 3)
    a, b, c = (room.replicator.messages(client)[-1] for client in range(3))
    assert isinstance(a, Snapshot)
    assert a is b
    assert b is c


def test_clients_of_many_networks_are_told_differences_from_few_states() -> None:
    room = Room()
    lags = {client: 1 + client // 2 for client in range(10)}  # snapshots until what a client acks is heard
    for client in lags:
        room.join(client)
    acks: dict[int, list[int]] = {client: [] for client in lags}
    for number in range(60):
        if number % 3 == 0:
            room.world.spawn(*ship(room.rng))
        room.move()
        room.tick += 3
        room.replicator.take(room.tick)
        told = {client: room.replicator.messages(client) for client in lags}
        if number > 10:
            assert len({id(messages[-1]) for messages in told.values()}) <= MOST_BASES
        for client, messages in told.items():
            replica = room.replicas[client]
            for message in messages:
                replica.receive(message)
            assert replica.newest is not None
            assert_alike(room.world, replica.newest)
            acks[client].append(replica.acks()[0])
            if len(acks[client]) > lags[client]:
                room.replicator.acked(client, acks[client][-1 - lags[client]])


def test_nobody_is_put_back_far_for_the_others_sake() -> None:
    room = Room()
    behind = range(0, 5 * (SPAN + 2), SPAN + 2)  # snapshots
    for client in behind:
        room.join(client)
    room.step()
    for number in range(1, 60):
        room.world.spawn(*ship(room.rng))
        room.tick += 3
        room.replicator.take(room.tick)
        told = [room.replicator.messages(client)[-1] for client in behind]
        if number > 50:
            assert len({id(message) for message in told}) == len(behind)
        for client in behind:
            if number > client:
                room.replicator.acked(client, room.tick - 3 * client)


def test_what_goes_on_as_it_did_costs_next_to_nothing() -> None:
    room = Room()
    room.join(1)
    for _ in range(100):
        speed = Velocity(room.rng.randrange(-400, 400) / 8, room.rng.randrange(-400, 400) / 8)
        place = Transform(room.rng.randrange(-9000, 9000) / 32, room.rng.randrange(-9000, 9000) / 32)
        room.world.spawn(place, speed, Ship())
    room.step()
    before = room.replicator.bytes
    for _ in range(10):
        room.move()
        room.step()
    assert (room.replicator.bytes - before) / 10 < 100
    for rows in room.world.tables(Velocity):
        rows[Velocity.vx] = 0.0
        rows[Velocity.vy] = 0.0
    room.step()
    before = room.replicator.bytes
    room.step()
    assert room.replicator.bytes - before < 12


def test_only_its_owner_is_told_of_what_is_private() -> None:
    room = Room()
    owner, other = room.join(1, 4), room.join(2, 5)
    mine = room.world.spawn(*ship(room.rng, 4), Ammo(12, 0.5))
    theirs = room.world.spawn(*ship(room.rng, 5), Ammo(3, 0.25))
    room.step()
    mine[Ammo].rounds = 11
    mine[Ammo].last = theirs.id
    for _ in range(3):
        room.step(lost=0.3, unacked=0.3)
        mine[Ammo].rounds -= 1
    state = room.step()
    assert owner.newest is not None
    assert other.newest is not None
    (ammo,) = [c for c in owner.newest.components(mine.id) if isinstance(c, Ammo)]
    assert ammo == Ammo(8, 0.5, theirs.id)
    assert not [c for c in owner.newest.components(theirs.id) if isinstance(c, Ammo)]
    assert owner.newest.column(Ammo.rounds)[1].tolist() == [8]
    assert owner.newest.column(Ammo.last)[1].tolist() == [theirs.id]
    assert owner.newest.has(Ammo).tolist() == [id == mine.id for id in owner.newest.ids.tolist()]
    assert other.newest.column(Ammo.rounds)[0].tolist() == [theirs.id]
    assert owner.newest.check(state.checked()) is None


def test_private_numbers_follow_a_change_of_owner() -> None:
    room = Room()
    a, b = room.join(1, 1), room.join(2, 2)
    entity = room.world.spawn(*ship(room.rng, 1), Ammo(12))
    room.step()
    entity[Ship].seat = 2
    room.step()
    assert a.newest is not None
    assert b.newest is not None
    assert a.newest.private == {}
    assert b.newest.column(Ammo.rounds)[1].tolist() == [12]


def test_a_component_that_was_forgotten_is_an_error_that_names_the_cure() -> None:
    class Forgotten(Component):
        pass

    room = Room()
    room.world.spawn(Forgotten())
    with pytest.raises(SchemaError, match=r"\.component\(Forgotten\).*\.hidden\(Forgotten\)"):
        room.step()


def test_what_cannot_be_sent_is_an_error_that_names_the_field() -> None:
    room = Room()
    room.world.spawn(Ship(name=object()))  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match=r"Ship\.name"):
        room.step()


def test_local_entities_and_components_stay() -> None:
    class Glow(Component, local=True):
        pass

    room = Room()
    replica = room.join(1)
    room.world.spawn(*ship(room.rng), Glow())
    room.world.spawn(*ship(room.rng), local=True)
    room.step()
    assert replica.newest is not None
    assert len(replica.newest.ids) == 1


def test_numbers_that_are_none_or_too_large_stay_within_bounds() -> None:
    room = Room()
    replica = room.join(1)
    wild = room.world.spawn(*ship(room.rng))
    calm = room.world.spawn(*ship(room.rng))
    for x in (float("nan"), float("inf"), -1e300, 5.0):
        wild[Transform].x = x
        wild[Velocity].vx = x
        room.step()
        assert replica.malformed == 0
        assert replica.newest is not None
        got = {c.x for c in replica.newest.components(calm.id) if isinstance(c, Transform)}
        assert got.pop() == pytest.approx(calm[Transform].x, abs=1 / 32)
    assert_alike(room.world, replica.newest)


def test_memory_stays_bounded_whatever_a_client_acks() -> None:
    room = Room()
    replica = room.join(1)
    room.world.spawn(*ship(room.rng))
    for number in range(3 * MOST_SENT):
        room.move()
        room.step(unacked=1.0)
        room.replicator.acked(1, [10**9, -5, 0, 1][number % 4])
    client = room.replicator._clients[1]  # pyright: ignore[reportPrivateUsage]
    assert len(client.sent) <= MOST_SENT
    assert len(replica.states) <= MOST_STATES
    room.step()
    assert_alike(room.world, replica.newest)  # type: ignore[arg-type]


def test_who_lost_its_way_gets_everything_anew_but_not_at_will() -> None:
    room = Room()
    replica = room.join(1)
    room.world.spawn(*ship(room.rng))
    fulls = 0
    for _ in range(200):
        room.tick += 3
        room.replicator.take(room.tick)
        room.replicator.lost(1)
        for message in room.replicator.messages(1):
            fulls += isinstance(message, Full)
            replica.receive(message)  # type: ignore[arg-type]
    seconds = 200 * 3 / 60
    assert 2 <= fulls <= seconds / FULL_EVERY + 1
    assert replica.newest is not None
    assert replica.newest.tick == room.tick


def test_a_late_snapshot_finds_its_place_and_a_repeated_one_none() -> None:
    room = Room()
    replica = room.join(1)
    room.world.spawn(*ship(room.rng))
    room.step()
    kept: list[Any] = []
    for _ in range(3):
        room.move()
        room.tick += 3
        room.replicator.take(room.tick)
        kept += room.replicator.messages(1)
    for message in (kept[2], kept[0], kept[1], kept[0]):
        replica.receive(message)
    assert list(replica.states) == [3, 6, 9, 12]
    assert replica.acks() == (12, 0b100100100)
    before, after = replica.at(7.5)
    assert before is not None
    assert after is not None
    assert (before.tick, after.tick) == (6, 9)


def test_a_snapshot_before_its_base_or_prefab_is_passed_over() -> None:
    room = Room()
    replica = room.join(1)
    room.world.spawn(*ship(room.rng))
    room.tick += 3
    room.replicator.take(room.tick)
    first = room.replicator.messages(1)
    room.world.spawn(*ship(room.rng, name="new"))
    room.tick += 3
    room.replicator.take(room.tick)
    prefab, snapshot = room.replicator.messages(1)
    assert isinstance(prefab, Prefab)
    assert replica.receive(snapshot) is None  # type: ignore[arg-type]
    for message in first:
        replica.receive(message)  # type: ignore[arg-type]
    assert replica.receive(snapshot) is None  # type: ignore[arg-type]
    assert replica.acks() == (3, 0)
    replica.receive(prefab)
    assert replica.receive(snapshot) is not None  # type: ignore[arg-type]
    assert replica.malformed == 0
    assert replica.unusable == 2


def test_prefabs_that_nobody_is_made_after_any_more_are_forgotten() -> None:
    room = Room()
    replica = room.join(1)
    keeper = room.world.spawn(Paint(Colour.BLUE, -1.0))
    for number in range(2 * MOST_PREFABS // 500 + 3):
        ids = [room.world.spawn(Paint(Colour.RED, 0.5 + number * 500 + each)).id for each in range(500)]
        room.step()
        for id in ids:
            room.world.entity(id).despawn()
    for _ in range(MOST_STATES):
        room.step()
    assert len(replica.prefabs) <= MOST_PREFABS + 1000
    assert_alike(room.world, room.step() and replica.newest)  # type: ignore[arg-type]
    again = room.world.spawn(Paint(Colour.RED, 0.5))
    room.step()
    assert replica.malformed == 0
    assert replica.newest is not None
    assert sorted(replica.newest.ids.tolist()) == sorted([keeper.id, again.id])


def test_sums_tell_the_component_that_differs() -> None:
    room = Room()
    replica = room.join(1)
    room.world.spawn(*ship(room.rng), Collider(Circle(2.0)))
    room.step()
    checked = room.replicator.checked()
    assert checked is not None
    state = replica.states[3]
    assert state.check(checked) is None
    cell = state.shape.starts[state.layout.numbers[Ship.heat]]
    state.cells[cell] += 1
    assert state.check(checked) == "Ship"
    checked.tick = 4
    with pytest.raises(ValueError, match="tick 4"):
        state.check(checked)


def test_a_full_snapshot_waits_for_prefabs_that_come_after_it() -> None:
    room = Room()
    replica = room.join(1)
    for number in range(5):
        room.world.spawn(*ship(room.rng, name=f"ship {number}"))
    room.tick += 3
    room.replicator.take(room.tick)
    *prefabs, full = room.replicator.messages(1)
    assert len(prefabs) == 5
    assert replica.receive(full) is None  # type: ignore[arg-type]
    states = [replica.receive(prefab) for prefab in reversed(prefabs)]  # type: ignore[arg-type]
    assert [state is not None for state in states] == [False] * 4 + [True]
    assert_alike(room.world, states[-1])  # type: ignore[arg-type]
    assert replica.unusable == 1
    assert not replica.wants_full


def test_a_new_prefab_is_sent_with_the_next_snapshots_too() -> None:
    room = Room()
    room.join(1)
    room.world.spawn(*ship(room.rng))
    room.step()
    room.world.spawn(*ship(room.rng, name="new"))
    sent: list[int] = []
    for _ in range(6):
        room.tick += 3
        room.replicator.take(room.tick)
        sent.append(sum(isinstance(message, Prefab) for message in room.replicator.messages(1)))
    assert sent == [1, 1, 1, 1, 0, 0]
