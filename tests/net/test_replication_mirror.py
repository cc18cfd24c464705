"""A mirrored world: the server's entities under their ids, a moment in the past, and in between."""

from __future__ import annotations

from collections.abc import Iterable
from math import pi, tau
from random import Random

import pytest

from engine.ecs import I32, ChildOf, Component, Entity, Flag, Obj, Ref, World, flag, i32, obj, ref
from engine.net.replication.mirror import Mirror
from engine.net.replication.replica import Replica
from engine.net.replication.replicator import Replicator
from engine.net.wire import Protocol
from engine.net.wire.declaration import Audience
from engine.physics import Velocity
from engine.scene import Transform

SERVERS = 1 << 16
EVERY = 4


class Craft(Component):
    target: Ref = ref()
    lit: Flag = flag()


class Label(Component):
    text: Obj[str] = obj(default="")


class Owned(Component):
    seat: I32 = i32()


class Fuel(Component):
    left: I32 = i32()


class Iced(Component):
    pass


class Picture(Component, local=True):
    pass


PROTOCOL = (
    Protocol("mirror")
    .component(Transform, {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: tau / 4096})
    .component(Velocity, {Velocity.vx: 1 / 8, Velocity.vy: 1 / 8, Velocity.angular: 1 / 8})
    .component(Craft)
    .component(Label, constant=True)
    .component(Owned)
    .component(Fuel, to=Audience.OWNER)
    .component(Iced)
    .component(ChildOf)
    .owner(Owned.seat)
    .interpolate(Transform, turning=(Transform.angle,))
    .interpolate(Velocity)
)


class Pair:
    """A server's world and its mirror, with nothing lost between them."""

    def __init__(self) -> None:
        self.server = World(seed=1)
        self.client = World(seed=2)
        self.client.mirror(SERVERS)
        self.replicator = Replicator(PROTOCOL, self.server, every=EVERY)
        self.replicator.enter(1, 7)
        self.replica = Replica(PROTOCOL)
        self.mirror = Mirror(PROTOCOL, self.client, self.replica)
        self.tick = 0

    def snapshot(self) -> None:
        self.tick += EVERY
        self.replicator.take(self.tick)
        for message in self.replicator.messages(1):
            self.replica.receive(message)  # type: ignore[arg-type]
        self.replicator.acked(1, self.replica.acks()[0])

    def of(self, entity: Entity) -> Entity:
        return self.client.entity(entity.id)

    def ids(self) -> list[int]:
        return sorted(entity.id for entity in self.client if not entity.local)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def place(entity: Entity) -> tuple[float, float, float]:
    at = entity[Transform]
    return at.x, at.y, at.angle


def test_entities_come_under_their_ids_and_go(pair: Pair) -> None:
    one = pair.server.spawn(Transform(1.0, 2.0), Label("one"), Iced())
    two = pair.server.spawn(Transform(3.0), Craft(one.id, True))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert pair.ids() == [one.id, two.id]
    assert pair.of(one)[Label].text == "one"
    assert Iced in pair.of(one)
    assert pair.of(two)[Craft] == Craft(one.id, True)
    one.despawn()
    pair.snapshot()
    pair.mirror.show(pair.tick - 1)
    assert pair.ids() == [one.id, two.id]
    pair.mirror.show(pair.tick)
    assert pair.ids() == [two.id]
    assert pair.of(two)[Craft].target == 0


def test_what_moves_is_shown_between_two_snapshots(pair: Pair) -> None:
    mover = pair.server.spawn(Transform(0.0, 0.0, pi - 0.5), Velocity(8.0))
    still = pair.server.spawn(Transform(5.0, 5.0))
    pair.snapshot()
    mover[Transform].x, mover[Transform].y, mover[Transform].angle = 8.0, -4.0, -pi + 0.5
    mover[Velocity].vx = 16.0
    pair.snapshot()
    pair.mirror.show(EVERY + EVERY / 4)
    assert place(pair.of(mover)) == pytest.approx((2.0, -1.0, pi - 0.25), abs=2e-3)
    assert pair.of(mover)[Velocity].vx == pytest.approx(10.0)
    assert place(pair.of(still)) == (5.0, 5.0, 0.0)


def test_beyond_the_newest_things_go_on_but_not_for_long(pair: Pair) -> None:
    mover = pair.server.spawn(Transform(), Velocity(60.0, -30.0, 6.0))
    pair.snapshot()
    pair.mirror.show(pair.tick + 3)
    assert place(pair.of(mover)) == pytest.approx((3.0, -1.5, 0.3))
    for late in (6, 7, 100):
        pair.mirror.show(pair.tick + late)
        assert place(pair.of(mover)) == pytest.approx((6.0, -3.0, 0.6))
    assert pair.mirror.extrapolated == 4


def test_what_ends_before_the_later_snapshot_goes_on_until_then(pair: Pair) -> None:
    mover = pair.server.spawn(Transform(), Velocity(60.0))
    other = pair.server.spawn(Transform(), Velocity(60.0))
    pair.snapshot()
    mover.despawn()
    other[Transform].x = 4.0
    pair.snapshot()
    pair.mirror.show(EVERY + 2)
    assert place(pair.of(mover))[0] == pytest.approx(2.0)
    assert place(pair.of(other))[0] == pytest.approx(2.0)


def test_what_has_just_come_is_interpolated_before_any_ack(pair: Pair) -> None:
    pair.server.spawn(Transform())
    pair.snapshot()
    base = pair.replica.acks()[0]
    mover = pair.server.spawn(Transform(0.0))
    for _ in range(3):
        mover[Transform].x += 4.0
        pair.tick += EVERY
        pair.replicator.take(pair.tick)
        for message in pair.replicator.messages(1):
            pair.replica.receive(message)  # type: ignore[arg-type]
        pair.replicator.acked(1, base)
    pair.mirror.show(pair.tick - EVERY / 2)
    assert pair.of(mover)[Transform].x == pytest.approx(10.0, abs=1 / 16)


def test_only_what_changed_is_written(pair: Pair) -> None:
    craft = pair.server.spawn(Transform(), Velocity(8.0), Craft(), Owned(1))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    pair.of(craft)[Owned].seat = 99
    craft[Craft].lit = True
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert pair.of(craft)[Craft].lit
    assert pair.of(craft)[Owned].seat == 99
    pair.mirror.rewrite(pair.tick)
    assert pair.of(craft)[Owned].seat == 1


def test_rewriting_undoes_what_the_worlds_own_rules_did(pair: Pair) -> None:
    craft = pair.server.spawn(Transform(), Velocity(8.0), Craft())
    pair.snapshot()
    pair.mirror.rewrite(pair.tick)
    pair.of(craft)[Transform].x = 50.0
    pair.of(craft)[Craft].lit = True
    pair.mirror.rewrite(pair.tick + 1)
    assert pair.of(craft)[Transform].x == pytest.approx(8 / 60)
    assert not pair.of(craft)[Craft].lit


def test_an_entity_changes_its_components_and_stays_itself(pair: Pair) -> None:
    craft = pair.server.spawn(Transform(1.0), Craft(), Label("a"))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    pair.of(craft).add(Picture())
    craft.add(Iced())
    craft.remove(Craft)
    craft.add(Label("b"))
    craft[Transform].x = 2.0
    pair.snapshot()
    pair.mirror.show(pair.tick)
    shown = pair.of(craft)
    assert Iced in shown
    assert Craft not in shown
    assert Picture in shown
    assert shown[Label].text == "b"
    assert shown[Transform].x == 2.0


def test_inside_a_stage_changes_come_at_its_end_and_values_follow(pair: Pair) -> None:
    first = pair.server.spawn(Transform(1.0), Velocity(8.0))
    pair.snapshot()
    with pair.client.deferred():
        pair.mirror.show(pair.tick)
    assert pair.of(first)[Transform].x == 1.0
    second = pair.server.spawn(Transform(3.0), Craft())
    first[Transform].x = 9.0
    pair.snapshot()
    with pair.client.deferred():
        pair.mirror.show(pair.tick)
        assert pair.of(first)[Transform].x == 9.0
    second[Craft].lit = True
    pair.snapshot()
    with pair.client.deferred():
        pair.mirror.show(pair.tick)
    assert pair.of(second)[Craft].lit
    first.despawn()
    again = pair.server.spawn(Transform(4.0))  # under the same index
    pair.snapshot()
    for _ in range(2):
        with pair.client.deferred():
            pair.mirror.show(pair.tick)
    assert pair.ids() == sorted([second.id, again.id])
    assert pair.of(again)[Transform].x == 4.0


def test_those_left_out_are_left_alone(pair: Pair) -> None:
    mine = pair.server.spawn(Transform(1.0))
    others = pair.server.spawn(Transform(2.0))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    pair.of(mine)[Transform].x = 10.0
    mine[Transform].x = others[Transform].x = 5.0
    pair.snapshot()
    pair.mirror.show(pair.tick, {mine.id})
    assert pair.of(mine)[Transform].x == 10.0
    assert pair.of(others)[Transform].x == 5.0
    mine.despawn()
    pair.snapshot()
    pair.mirror.show(pair.tick, {mine.id})
    assert pair.client.find(mine.id) is not None


def test_those_no_longer_left_out_are_shown_again(pair: Pair) -> None:
    mine = pair.server.spawn(Transform(1.0), Craft())
    pair.snapshot()
    pair.mirror.show(pair.tick, {mine.id})
    assert pair.ids() == []
    pair.client.adopt(mine.id, Transform(7.0), Craft(0, True))
    pair.mirror.show(pair.tick)
    assert place(pair.of(mine)) == (1.0, 0.0, 0.0)
    assert pair.of(mine)[Craft] == Craft()


def test_an_entity_is_shown_by_its_stand_in(pair: Pair) -> None:
    stand_in = pair.client.spawn(Transform(9.0), Craft())
    real = pair.server.spawn(Transform(1.0), Craft())
    pointer = pair.server.spawn(Craft(real.id))
    pair.snapshot()
    pair.mirror.aliases[real.id] = stand_in.id
    pair.mirror.show(pair.tick)
    assert pair.ids() == sorted([stand_in.id, pointer.id])
    assert stand_in[Transform].x == 1.0
    assert pair.of(pointer)[Craft].target == stand_in.id
    real[Transform].x = 2.0
    pointer[Craft].lit = True
    later = pair.server.spawn(Craft(real.id))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert stand_in[Transform].x == 2.0
    assert pair.of(later)[Craft].target == stand_in.id
    assert pair.mirror.shown(real.id) == stand_in.id
    real.despawn()
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert not stand_in.alive


def test_a_stand_in_found_late_takes_the_place(pair: Pair) -> None:
    real = pair.server.spawn(Transform(1.0))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    stand_in = pair.client.spawn(Transform(9.0))
    pair.mirror.aliases[real.id] = stand_in.id
    pair.mirror.show(pair.tick)
    assert pair.ids() == [stand_in.id]
    assert stand_in[Transform].x == 1.0


def test_children_come_with_and_go_with_their_parents(pair: Pair) -> None:
    def attached(parents: Iterable[Entity]) -> list[Entity]:
        return [pair.server.spawn(Transform(1.0), ChildOf(parent.id)) for parent in parents]

    parents = [pair.server.spawn(Transform()) for _ in range(3)]
    children = attached(parents)
    parents[0].despawn()
    grown = pair.server.spawn(Transform())  # in a lower slot than its child
    children[1].add(ChildOf(grown.id))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert pair.of(children[1]).parent == pair.of(grown)
    grown.despawn()
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert pair.ids() == sorted(entity.id for entity in pair.server)


def test_a_child_gets_another_parent(pair: Pair) -> None:
    one, other = pair.server.spawn(Transform()), pair.server.spawn(Transform())
    child = pair.server.spawn(Transform(), ChildOf(one.id))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    child.add(ChildOf(other.id))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert pair.of(one).children == []
    assert pair.of(other).children == [pair.of(child)]


def test_what_one_owns_has_its_private_numbers(pair: Pair) -> None:
    mine = pair.server.spawn(Owned(7), Fuel(5))
    other = pair.server.spawn(Owned(8), Fuel(6))
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert pair.of(mine)[Fuel].left == 5
    assert Fuel not in pair.of(other)
    mine[Fuel].left = 4
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert pair.of(mine)[Fuel].left == 4
    mine[Owned].seat = 8
    pair.snapshot()
    pair.mirror.show(pair.tick)
    assert Fuel not in pair.of(mine)


def test_the_mirror_agrees_with_the_server_through_a_long_coming_and_going(pair: Pair) -> None:
    rng = Random(5)
    crafts: list[Entity] = []
    for _ in range(150):
        for _ in range(rng.randrange(3)):
            extra: list[Component] = [*[Iced()] * rng.randrange(2), *[Label(rng.choice("ab"))] * rng.randrange(2)]
            crafts.append(pair.server.spawn(Transform(rng.random()), Velocity(rng.random()), Craft(), *extra))
        for entity in rng.sample(crafts, min(len(crafts), 3)):
            entity[Transform].x += rng.uniform(-5, 5)
            entity[Craft].target = rng.choice(crafts).id
            if rng.random() < 0.4:
                entity.remove(Iced) if Iced in entity else entity.add(Iced())
            if rng.random() < 0.4:
                crafts.remove(entity)
                entity.despawn()
        pair.snapshot()
        with pair.client.deferred():
            pair.mirror.show(pair.tick - rng.random() * 3 * EVERY)
        pair.mirror.show(pair.tick)
        assert pair.ids() == sorted(entity.id for entity in crafts)
        for entity in crafts:
            ours = {type(c): c for c in pair.server.components(entity)}
            shown = {type(c): c for c in pair.client.components(pair.of(entity))}
            assert shown.keys() == ours.keys()
            assert shown[Transform].x == pytest.approx(ours[Transform].x, abs=1 / 32)  # type: ignore[attr-defined]
            assert shown.get(Label) == ours.get(Label)
            target = ours[Craft].target  # type: ignore[attr-defined]
            target = target if pair.server.find(target) is not None else 0
            assert shown[Craft].target == target  # type: ignore[attr-defined]
