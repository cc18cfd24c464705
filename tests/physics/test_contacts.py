"""Contacts come as events: once a pair, to those who asked, the right way round, in order."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.app import Plugin, Scene
from engine.ecs import F32, Component, Entity, World, f32
from engine.physics import (
    Body,
    BodyKind,
    Box,
    Circle,
    Collider,
    Compound,
    ContactBegan,
    ContactEnded,
    Material,
    PhysicsSettings,
    Space,
    Velocity,
    physics,
)
from engine.scene import Transform


class Disc(Component):
    damage: F32 = f32(default=20.0)


class Hull(Component):
    points: F32 = f32(default=100.0)


class Glow(Component, local=True):
    """A local tag."""


BOUNCY = Material(elasticity=1.0, friction=0.0)


class Log:
    """Writes down contacts."""

    def __init__(self, *keys: Any) -> None:
        self.rules = Plugin("log")
        self.lines: list[tuple[str, Entity, Entity]] = []
        self.events: list[Any] = []
        for key in keys:
            self.rules.on(key)(self._take)

    def _take(self, world: World, event: Any) -> None:
        self.lines.append((type(event).__name__, event.a, event.b))
        self.events.append(event)

    def taken(self) -> list[tuple[str, Entity, Entity]]:
        lines, self.lines = self.lines, []
        return lines


def scene_of(log: Log, *plugins: Plugin, **values: Any) -> Scene:
    return Scene(physics, log.rules, *plugins, resources=[PhysicsSettings(**values)])


def run(scene: Scene, ticks: int) -> None:
    for _ in range(ticks):
        scene.run_tick()


def disc(world: World, x: float, vx: float, *more: Component, **collider: Any) -> Entity:
    return world.spawn(Transform(x), Velocity(vx), Body(mass=1.0), Collider(Circle(5.0), BOUNCY, **collider), *more)


def wall(world: World, x: float, *more: Component, **collider: Any) -> Entity:
    return world.spawn(Transform(x), Collider(Box(20.0, 200.0), BOUNCY, **collider), *more)


def test_a_contact_begins_and_ends_once() -> None:
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log)
    ball, post = disc(scene.world, 0.0, 600.0), wall(scene.world, 50.0)
    run(scene, 20)
    assert log.taken() == [("ContactBegan", ball, post), ("ContactEnded", ball, post)]


def test_it_tells_where_and_how_hard() -> None:
    log = Log(ContactBegan)
    scene = scene_of(log)
    disc(scene.world, 0.0, 600.0)
    wall(scene.world, 50.0)
    run(scene, 20)
    (contact,) = log.events
    assert (contact.nx, contact.ny) == pytest.approx((1.0, 0.0))
    assert contact.x == pytest.approx(40.0, abs=5.0)
    assert contact.y == pytest.approx(0.0, abs=0.01)
    assert contact.impulse == pytest.approx(1200.0)
    assert contact.energy == pytest.approx(0.0)


def test_energy_is_what_a_dull_blow_loses() -> None:
    log = Log(ContactBegan)
    scene = scene_of(log)
    scene.world.spawn(Transform(0.0), Velocity(600.0), Body(mass=2.0), Collider(Circle(5.0), Material(0.0, 0.0)))
    wall(scene.world, 50.0)
    run(scene, 20)
    assert log.events[0].impulse == pytest.approx(1200.0)
    assert log.events[0].energy == pytest.approx(0.5 * 2.0 * 600.0**2)


def test_a_pair_key_takes_its_pairs_the_right_way_round() -> None:
    log, others = Log(ContactBegan[Disc, Hull], ContactEnded[Disc, Hull]), Log(ContactBegan[Disc, Disc])
    scene = scene_of(log, others.rules)
    hull = disc(scene.world, 50.0, 0.0, Hull())
    shot = disc(scene.world, 0.0, 600.0, Disc())
    stone = disc(scene.world, -50.0, 0.0)
    run(scene, 30)
    assert log.taken()[:2] == [("ContactBegan", shot, hull), ("ContactEnded", shot, hull)]
    assert log.events[0].nx == pytest.approx(1.0)
    assert others.taken() == []
    assert stone.alive


def test_each_matching_key_gets_the_contact_once() -> None:
    both = Log(ContactBegan[Disc, Hull], ContactBegan[Hull, Disc], ContactBegan[Disc, Disc], ContactBegan)
    scene = scene_of(both)
    first = disc(scene.world, 0.0, 600.0, Disc(), Hull())
    second = disc(scene.world, 50.0, 0.0, Disc(), Hull())
    run(scene, 10)
    assert both.taken() == [("ContactBegan", first, second)] * 4


def test_a_key_may_name_a_local_component() -> None:
    log = Log(ContactBegan[Glow, Collider])
    scene = scene_of(log)
    shot, post = disc(scene.world, 0.0, 600.0), wall(scene.world, 50.0, Glow())
    run(scene, 10)
    assert log.taken() == [("ContactBegan", post, shot)]


def test_contacts_are_sorted_by_ids() -> None:
    log = Log(ContactBegan, ContactBegan[Disc, Collider])
    scene = scene_of(log)
    rng = random.Random(3)
    shots = [disc(scene.world, 60.0 * n, 0.0, Disc()) for n in range(20)]
    rng.shuffle(shots)
    for shot in shots:
        x = shot[Transform].x
        scene.world.spawn(Transform(x, 8.0), Collider(Circle(5.0)))
    run(scene, 1)
    pairs = [(a.id, b.id) for _, a, b in log.lines]
    assert len(pairs) == 40
    assert pairs == sorted(pairs)


def test_compound_shapes_touch_as_one() -> None:
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log, gravity=(0.0, 600.0))
    floor = scene.world.spawn(Transform(0, 50), Collider(Compound((Box(100, 10, x=-50), Box(100, 10, x=50)))))
    feet = Compound((Circle(5.0, x=-20), Circle(5.0, x=20)))
    table = scene.world.spawn(Transform(0, 30), Velocity(), Body(mass=1.0), Collider(feet))
    run(scene, 60)
    assert log.taken() == [("ContactBegan", floor, table)]
    table[Velocity].vy = -300.0
    run(scene, 10)
    assert log.taken() == [("ContactEnded", floor, table)]


def test_the_point_of_a_box_on_the_floor_is_the_middle_of_its_edge() -> None:
    log = Log(ContactBegan)
    scene = scene_of(log, gravity=(0.0, 600.0))
    scene.world.spawn(Transform(0, 50), Collider(Box(200, 10)))
    scene.world.spawn(Transform(7, 38), Velocity(), Body(mass=1.0), Collider(Box(10, 10)))
    run(scene, 20)
    (contact,) = log.events
    assert (contact.x, contact.y) == pytest.approx((7.0, 45.0), abs=0.6)


# Entities that go


def test_a_despawned_entity_ends_its_contacts() -> None:
    log = Log(ContactBegan, ContactEnded, ContactEnded[Disc, Hull])
    scene = scene_of(log)
    shot, hull, post = (
        disc(scene.world, 0.0, 0.0, Disc()),
        disc(scene.world, 9.0, 0.0, Hull()),
        wall(scene.world, -14.0),
    )
    run(scene, 1)
    assert [name for name, *_ in log.taken()] == ["ContactBegan"] * 2
    scene.world.despawn(shot)
    run(scene, 1)
    assert log.taken() == [
        ("ContactEnded", shot, hull),
        ("ContactEnded", shot, hull),
        ("ContactEnded", shot, post),
    ]
    assert not shot.alive
    run(scene, 5)
    assert log.taken() == []


def test_a_contact_handler_may_despawn_what_it_is_told_of() -> None:
    log, rules = Log(ContactBegan[Disc, Hull], ContactEnded[Disc, Hull]), Plugin("rules")

    @rules.on(ContactBegan[Disc, Hull])
    def hit(world: World, contact: ContactBegan[Disc, Hull]) -> None:
        contact.b[Hull].points -= contact.a[Disc].damage
        world.despawn(contact.a)

    scene = scene_of(log, rules)
    hull = disc(scene.world, 50.0, 0.0, Hull())
    shot = disc(scene.world, 0.0, 600.0, Disc())
    run(scene, 10)
    assert hull[Hull].points == 80.0
    assert log.taken() == [("ContactBegan", shot, hull), ("ContactEnded", shot, hull)]


def test_losing_the_collider_ends_contacts() -> None:
    log = Log(ContactEnded)
    scene = scene_of(log)
    shot, post = disc(scene.world, 0.0, 0.0), wall(scene.world, -14.0)
    run(scene, 1)
    shot.remove(Collider)
    run(scene, 2)
    assert log.taken() == [("ContactEnded", shot, post)]


def test_a_new_shape_or_component_does_not_begin_a_contact_again() -> None:
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log)
    shot, post = disc(scene.world, 0.0, 0.0), wall(scene.world, -14.0)
    run(scene, 1)
    assert log.taken() == [("ContactBegan", shot, post)]
    shot.add(Collider(Circle(6.0)))
    run(scene, 2)
    shot.add(Disc())
    post.add(Hull())
    shot[Body].mass = 5.0
    run(scene, 2)
    assert log.taken() == []


# Sensors and other contacts that are not solved


def test_a_sensor_reports_and_lets_pass() -> None:
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log)
    shot, gate = disc(scene.world, 0.0, 600.0), wall(scene.world, 50.0, sensor=True)
    run(scene, 5)
    assert log.taken() == [("ContactBegan", shot, gate)]
    contact = log.events[0]
    assert contact.impulse == 0.0
    assert contact.nx == pytest.approx(1.0)
    assert contact.x == pytest.approx(40.0, abs=6.0)
    run(scene, 10)
    assert log.taken() == [("ContactEnded", shot, gate)]
    assert shot[Transform].x == pytest.approx(150.0)


def test_a_sensor_that_goes_or_becomes_solid() -> None:
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log)
    shot, gate = disc(scene.world, 45.0, 0.0), wall(scene.world, 50.0, sensor=True)
    run(scene, 3)
    assert log.taken() == [("ContactBegan", shot, gate)]
    gate[Collider].sensor = False
    run(scene, 1)
    assert log.taken() == []
    run(scene, 120)
    assert shot[Transform].x < 40
    shot[Transform].x = 45.0
    gate[Collider].sensor = True
    run(scene, 2)
    log.taken()
    scene.world.despawn(gate)
    run(scene, 2)
    assert log.taken() == [("ContactEnded", shot, gate)]


def test_kinematic_bodies_report_static_ones() -> None:
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log)
    lift = scene.world.spawn(Transform(0.0), Velocity(600.0), Body(BodyKind.KINEMATIC), Collider(Circle(5.0)))
    post = wall(scene.world, 50.0)
    run(scene, 20)
    assert log.taken() == [("ContactBegan", lift, post), ("ContactEnded", lift, post)]


def test_layers_and_masks_decide_who_meets() -> None:
    log = Log(ContactBegan)
    scene = scene_of(log)
    disc(scene.world, 0.0, 600.0, layer=1, mask=2)
    wall(scene.world, 50.0, layer=4)
    other = wall(scene.world, 100.0, layer=2, mask=4)
    run(scene, 20)
    assert log.taken() == []
    other[Collider].mask = 1
    run(scene, 1)
    scene.world.spawn(Transform(100.0, 0.0), Velocity(), Body(mass=1.0), Collider(Circle(2.0), layer=1, mask=2))
    run(scene, 1)
    assert len(log.taken()) == 1


def test_sleeping_bodies_keep_touching() -> None:
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log, gravity=(0.0, 600.0), sleep_after=0.3)
    floor = scene.world.spawn(Transform(0.0, 50.0), Collider(Box(200, 10)))
    box = scene.world.spawn(Transform(0.0, 40.0), Velocity(), Body(mass=1.0), Collider(Box(10, 10)))
    zone = scene.world.spawn(Transform(0.0, 40.0), Collider(Box(50, 50), sensor=True))
    run(scene, 120)
    assert {(a, b) for _, a, b in log.taken()} == {(floor, box), (box, zone)}
    assert scene.world.resource(Space).touching(box) == [floor, zone]
    box[Velocity].vy = -600.0
    run(scene, 10)
    assert set(log.taken()) == {("ContactEnded", floor, box), ("ContactEnded", box, zone)}


def test_substeps_lose_no_contact() -> None:
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log, substeps=16)
    shot, post = disc(scene.world, 0.0, 3000.0), wall(scene.world, 70.0)
    run(scene, 4)
    assert log.taken() == [("ContactBegan", shot, post), ("ContactEnded", shot, post)]


def test_who_subscribes_late_is_not_told_of_old_contacts() -> None:
    log = Log()
    scene = scene_of(log)
    disc(scene.world, 0.0, 0.0)
    wall(scene.world, -14.0)
    run(scene, 2)
    late: list[object] = []
    scene.dispatcher.subscribe(ContactBegan, lambda world, contact: late.append(contact))
    run(scene, 2)
    assert late == []


actions = st.lists(
    st.tuples(st.sampled_from(["run", "spawn", "despawn", "tag", "teleport", "reshape", "kind"]), st.integers(0, 30)),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(actions)
def test_whatever_happens_begins_and_ends_pair_up(steps: list[tuple[str, int]]) -> None:
    """A pair's events alternate, and what is open at any time is what the space says is touching."""
    log = Log(ContactBegan, ContactEnded)
    scene = scene_of(log, gravity=(0.0, 300.0), sleep_after=0.2)
    world, space = scene.world, scene.world.resource(Space)
    scene.world.spawn(Transform(0, 60), Collider(Box(400, 20)))
    entities: list[Entity] = []
    open_pairs: set[tuple[int, int]] = set()
    for action, number in steps:
        chosen = entities[number % len(entities)] if entities else None
        if action == "spawn" or chosen is None:
            kind = BodyKind(number % 3)
            shape = (Circle(8.0), Box(12.0, 12.0), Compound((Circle(5.0, x=-5), Circle(5.0, x=5))))[number % 3]
            place = Transform(number * 5.0 - 75.0, 30.0 - number)
            entities.append(
                world.spawn(place, Velocity(), Body(kind, mass=1.0), Collider(shape, sensor=number % 5 == 0))
            )
        elif action == "despawn":
            entities.remove(chosen)
            world.despawn(chosen)
        elif action == "tag":
            world.remove(chosen, Hull) if Hull in chosen else world.add(chosen, Hull())
        elif action == "teleport":
            chosen[Transform].x += number - 15.0
        elif action == "reshape":
            chosen.add(Collider(Circle(4.0 + number % 7)))
        elif action == "kind":
            chosen[Body].kind = BodyKind(number % 3)
        for _ in range(number if action == "run" else 1):
            scene.run_tick()
        for name, a, b in log.taken():
            assert a.id < b.id
            pair = a.id, b.id
            assert (pair in open_pairs) == (name == "ContactEnded")
            open_pairs ^= {pair}
        known = {(min(e.id, o.id), max(e.id, o.id)) for e in world for o in space.touching(e)}
        assert open_pairs == known
