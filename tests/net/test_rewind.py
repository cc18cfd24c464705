"""Hits are judged by what the shooter saw, a bounded time ago."""

from __future__ import annotations

import random
from math import cos, hypot, isclose, pi, sin
from typing import Any

import pytest

from engine.app import Plugin, Scene, Tick
from engine.ecs import F32, I32, Component, Entity, World, f32, i32
from engine.net.replication.places import Places
from engine.net.replication.rewind import Rewind, SawBehind, rewinding
from engine.net.wire.errors import SchemaError
from engine.net.wire.protocol import Protocol
from engine.physics import (
    Body,
    BodyKind,
    Box,
    Circle,
    Collider,
    ContactBegan,
    ContactEnded,
    Material,
    Space,
    Velocity,
    physics,
)
from engine.scene import Transform
from engine.testing import sync_test

SHOOTER, TARGET, OTHER = 1, 2, 3


class Target(Component):
    player: I32 = i32()
    hits: I32 = i32(default=0)
    ended: I32 = i32(default=0)
    armour: F32 = f32(default=0.0)


class Bolt(Component):
    player: I32 = i32()


def declared(**options: Any) -> Protocol:
    coarse = {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: 1 / 256}
    return (
        Protocol("range")
        .component(Target, {Target.armour: 1 / 8})
        .component(Bolt)
        .component(Transform, coarse)
        .owner(Target.player)
        .owner(Bolt.player)
        .rewind(Bolt, Target, **options)
        .interpolate(Transform, turning=(Transform.angle,))
        .predict(Bolt, all=True)
    )


rules = Plugin("range.rules", needs=[physics])


@rules.setup
def armoured(world: World) -> None:
    @world.resource(Space).refuse(Bolt, Target)
    def bounces_off(world: World, bolt: Entity, target: Entity) -> bool:  # pyright: ignore[reportUnusedFunction]
        return target[Target].armour > 0


@rules.on(ContactBegan[Bolt, Target])
def hit(world: World, contact: ContactBegan[Bolt, Target]) -> None:
    contact.b[Target].hits += 1


@rules.on(ContactEnded[Bolt, Target])
def over(world: World, contact: ContactEnded[Bolt, Target]) -> None:
    if contact.b.alive:
        contact.b[Target].ended += 1


def room(**options: Any) -> Scene:
    return Scene(rules, rewinding(declared(**options)))


def target(world: World, x: float, y: float, vx: float = 0.0, vy: float = 0.0, *extra: Component) -> Entity:
    return world.spawn(
        Transform(x, y),
        Velocity(vx, vy),
        Body(BodyKind.KINEMATIC),
        Collider(Circle(20.0), layer=1),
        Target(player=TARGET),
        *extra,
    )


def bolt(world: World, x: float, y: float, vx: float = 0.0, vy: float = 0.0, player: int = SHOOTER) -> Entity:
    return world.spawn(
        Transform(x, y), Velocity(vx, vy), Body(fixed_rotation=True), Collider(Circle(5.0), layer=2), Bolt(player)
    )


def run(scene: Scene, ticks: int) -> None:
    for _ in range(ticks):
        scene.run_tick()


def flyby(scene: Scene, behind: float, ticks: int, player: int = SHOOTER) -> Entity:
    """A target that flies 10 units a tick to the right, past its shooter's line of sight, seen `behind` ticks late.

    After `ticks` more ticks a bolt is shot across the place where the target is `behind` ticks before.
    """
    world = scene.world
    moving = target(world, 0.0, 0.0, 600.0)
    scene.receive(SawBehind(player, behind))
    run(scene, ticks)
    return moving


def test_a_hit_counts_where_the_shooter_saw_the_target() -> None:
    scene = room()
    moving = flyby(scene, 10, 20)
    bolt(scene.world, moving[Transform].x - 100.0 + 10.0, 30.0, 0.0, -600.0)
    run(scene, 1)
    assert moving[Target].hits == 1


def test_where_the_target_is_there_is_no_hit() -> None:
    scene = room()
    moving = flyby(scene, 10, 20)
    bolt(scene.world, moving[Transform].x + 10.0, 30.0, 0.0, -600.0)
    run(scene, 20)
    assert moving[Target].hits == 0


@pytest.mark.parametrize("behind", [0.0, 0.5])
def test_who_sees_the_present_hits_what_is_there(behind: float) -> None:
    scene = room()
    moving = flyby(scene, behind, 20)
    bolt(scene.world, moving[Transform].x + 10.0, 30.0, 0.0, -600.0)
    run(scene, 3)
    assert moving[Target].hits == 1


def test_the_past_of_one_player_is_not_that_of_another() -> None:
    scene = room()
    moving = flyby(scene, 10, 20)
    bolt(scene.world, moving[Transform].x - 90.0, 30.0, 0.0, -600.0, player=OTHER)
    run(scene, 3)
    assert moving[Target].hits == 0
    bolt(scene.world, moving[Transform].x + 10.0, 30.0, 0.0, -600.0, player=OTHER)
    run(scene, 3)
    assert moving[Target].hits == 1


def test_own_entities_are_where_they_are() -> None:
    scene = room()
    moving = flyby(scene, 10, 20, player=TARGET)
    bolt(scene.world, moving[Transform].x - 90.0, 30.0, 0.0, -600.0, player=TARGET)
    run(scene, 3)
    assert moving[Target].hits == 0
    bolt(scene.world, moving[Transform].x + 10.0, 30.0, 0.0, -600.0, player=TARGET)
    run(scene, 3)
    assert moving[Target].hits == 1


def test_beyond_the_cap_one_has_to_lead() -> None:
    seen: list[int] = []
    led: list[int] = []
    for lead, into in ((0.0, seen), (100.0, led)):
        scene = room(cap=10 / 60)
        moving = flyby(scene, 20, 40)
        bolt(scene.world, moving[Transform].x - 190.0 + lead, 30.0, 0.0, -600.0)
        run(scene, 3)
        into.append(moving[Target].hits)
    assert (seen, led) == ([0], [1])


class Lance(Component):
    player: I32 = i32()


class Plate(Component):
    pass


def test_every_pair_has_its_own_cap() -> None:
    """Lances look back 3 ticks and meet plates alone, bolts look back 10 and meet targets alone."""
    protocol = declared(cap=10 / 60).component(Lance).component(Plate).owner(Lance.player)
    scene = Scene(rules, rewinding(protocol.rewind(Lance, Plate, cap=3 / 60)))
    world = scene.world
    met: list[tuple[Entity, Entity]] = []
    scene.dispatcher.subscribe(ContactBegan[Lance, Plate], lambda world, contact: met.append((contact.a, contact.b)))
    plate = world.spawn(Transform(0, 500), Velocity(600.0), Body(BodyKind.KINEMATIC), Collider(Circle(20.0)), Plate())
    moving = flyby(scene, 20, 40)
    x = moving[Transform].x + 10.0
    lances = [
        world.spawn(
            Transform(x - 10.0 * late, 530), Velocity(0.0, -600.0), Body(), Collider(Circle(5.0)), Lance(SHOOTER)
        )
        for late in (3, 10)
    ]
    bolt(world, x - 100.0, 30.0, 0.0, -600.0)
    run(scene, 1)
    kept = scene.capture()
    assert met == [(lances[0], plate)]
    assert moving[Target].hits == 1
    for _ in range(2):  # a history that was restored still knows who is a target and who a plate
        world.spawn(Transform(x - 20.0, 470), Velocity(0.0, 600.0), Body(), Collider(Circle(5.0)), Lance(SHOOTER))
        run(scene, 1)
        assert len(met) == 2
        met.pop()
        for _ in range(3):
            target(world, 900.0, 900.0)
        run(scene, 1)
        scene.restore(kept)
    assert scene.world.resource(Rewind).time(SHOOTER) == scene.tick - 10


def test_who_becomes_a_target_is_one_from_then_on() -> None:
    scene = room()
    scene.receive(SawBehind(SHOOTER, 6))
    standing = scene.world.spawn(Transform(), Velocity(), Body(BodyKind.KINEMATIC), Collider(Circle(20.0), layer=1))
    other = target(scene.world, 0.0, 500.0)
    run(scene, 20)  # it is noted all the while, as a body that clients are shown in the past
    other.despawn()
    run(scene, 1)
    standing.add(Target(player=TARGET))
    run(scene, 2)
    bolt(scene.world, -26.0, 0.0, 600.0)
    run(scene, 1)
    assert standing[Target].hits == 1


def test_a_contact_that_began_in_the_present_does_not_begin_again_in_the_past() -> None:
    scene = room()
    standing = target(scene.world, 0.0, 0.0)
    run(scene, 10)
    flying = bolt(scene.world, -26.0, 0.0, 120.0)
    run(scene, 1)
    assert standing[Target].hits == 1
    flying[Velocity].vx = 60.0  # pressed on, not bounced off
    scene.receive(SawBehind(SHOOTER, 6))
    run(scene, 1)
    assert (standing[Target].hits, standing[Target].ended) == (1, 0)


def test_what_is_no_target_any_more_is_not_hit_where_it_was_one() -> None:
    scene = room()
    began: list[object] = []
    scene.dispatcher.subscribe(ContactBegan, lambda world, contact: began.append(contact))
    moving = flyby(scene, 10, 20)
    moving.remove(Target)
    bolt(scene.world, moving[Transform].x - 90.0, 30.0, 0.0, -600.0)
    run(scene, 3)
    assert not began


def test_between_ticks_a_target_is_between_its_places() -> None:
    scene = room()
    moving = flyby(scene, 7.5, 20)
    run(scene, 1)
    seen = scene.world.resource(Rewind).place(SHOOTER, moving)
    assert seen is not None
    assert seen[0] == pytest.approx(moving[Transform].x - 75.0)


def test_a_target_that_is_gone_is_not_hit() -> None:
    scene = room()
    moving = flyby(scene, 10, 20)
    met: list[object] = []
    scene.dispatcher.subscribe(ContactBegan, lambda world, contact: met.append(contact))
    flying = bolt(scene.world, moving[Transform].x - 90.0, 45.0, 0.0, -600.0)
    moving.despawn()
    run(scene, 10)
    assert not met
    assert flying[Transform].y < -20


def test_a_target_that_was_not_there_yet_is_not_hit() -> None:
    scene = room()
    scene.receive(SawBehind(SHOOTER, 10))
    run(scene, 20)
    new = target(scene.world, 0.0, 0.0)
    bolt(scene.world, -10.0, 0.0)
    hits: list[int] = []
    for _ in range(20):
        run(scene, 1)
        hits.append(new[Target].hits)
    assert hits.index(1) == 10  # at the end of tick 21 it was there, and in tick 31 it is seen so
    assert hits[-1] == 1


def test_a_contact_begins_and_ends_once() -> None:
    scene = room()
    told: list[tuple[int, Any]] = []

    def note(world: World, contact: Any) -> None:
        told.append((scene.tick, contact))

    key: Any
    for key in (ContactBegan, ContactEnded):
        scene.dispatcher.subscribe(key, note)
    standing = target(scene.world, 0.0, 0.0)
    scene.receive(SawBehind(SHOOTER, 6))
    run(scene, 10)
    flying = bolt(scene.world, -50.0, 0.0, 600.0)
    run(scene, 20)
    assert (standing[Target].hits, standing[Target].ended) == (1, 1)
    (began, first), (ended, last) = told
    assert isinstance(first, ContactBegan)
    assert isinstance(last, ContactEnded)
    assert (first.a, first.b) == (last.a, last.b) == (standing, flying)  # the lower id first
    assert (first.x, first.y) == pytest.approx((-20.0, 0.0))
    assert (first.nx, first.ny) == pytest.approx((-1.0, 0.0))
    assert (began, ended) == (13, 18)


def test_a_contact_is_told_as_physics_would() -> None:
    """The same head-on hit with and without rewind: same entities, point, normal, impulse and energy."""
    told: list[ContactBegan[Any, Any]] = []
    for behind in (0, 6):
        scene = room()
        scene.dispatcher.subscribe(ContactBegan[Bolt, Target], lambda world, contact: told.append(contact))
        scene.world.spawn(
            Transform(0, 0), Velocity(), Body(mass=3.0), Collider(Circle(20.0), Material(0.5)), Target(TARGET)
        )
        scene.receive(SawBehind(SHOOTER, behind))
        run(scene, 10)
        scene.world.spawn(
            Transform(-34, 0), Velocity(600.0), Body(mass=2.0), Collider(Circle(5.0), Material(0.5)), Bolt(SHOOTER)
        )
        run(scene, 2)
    real, judged = told
    assert (judged.a.id, judged.b.id) == (real.a.id, real.b.id)
    assert (judged.nx, judged.ny) == pytest.approx((real.nx, real.ny))
    assert judged.impulse == pytest.approx(real.impulse, rel=0.01)
    assert judged.energy == pytest.approx(real.energy, rel=0.01)
    assert hypot(judged.x - real.x, judged.y - real.y) < 5.0


def test_the_games_filter_is_asked_once_and_its_answer_holds() -> None:
    scene = room()
    standing = target(scene.world, 0.0, 0.0)
    standing[Target].armour = 1.0
    scene.receive(SawBehind(SHOOTER, 6))
    run(scene, 10)
    bolt(scene.world, -50.0, 0.0, 600.0)
    run(scene, 4)
    standing[Target].armour = 0.0  # too late for the bolt that is inside
    run(scene, 20)
    assert (standing[Target].hits, standing[Target].ended) == (0, 0)
    bolt(scene.world, -50.0, 0.0, 600.0)
    run(scene, 20)
    assert (standing[Target].hits, standing[Target].ended) == (1, 1)


def test_masks_count_in_the_past_too() -> None:
    scene = room()
    standing = target(scene.world, 0.0, 0.0)
    standing[Collider].mask = 1
    scene.receive(SawBehind(SHOOTER, 6))
    run(scene, 10)
    bolt(scene.world, -50.0, 0.0, 600.0)
    run(scene, 20)
    assert standing[Target].hits == 0


def test_a_fast_bolt_does_not_pass_between_two_ticks() -> None:
    scene = room()
    standing = target(scene.world, 0.0, 0.0)
    scene.receive(SawBehind(SHOOTER, 6))
    run(scene, 10)
    bolt(scene.world, -150.0, 20.0, 60.0 * 300.0)
    run(scene, 3)
    assert (standing[Target].hits, standing[Target].ended) == (1, 1)


def test_it_is_the_way_past_a_moving_target_that_counts() -> None:
    """A bolt leaves the place that the target comes to in the same tick, just ahead of it."""
    scene = room()
    moving = target(scene.world, 0.0, 0.0, 1200.0)  # 20 units a tick
    scene.receive(SawBehind(SHOOTER, 10))
    run(scene, 40)
    ahead = moving[Transform].x - 200.0 + 20.0 + 20.0 + 6.0  # its bow as seen, and a unit of air before the bolt
    bolt(scene.world, ahead - 10.0, 0.0, 1800.0)
    run(scene, 5)
    assert moving[Target].hits == 0


def test_a_turned_shape_counts_as_it_was_turned() -> None:
    hits: list[int] = []
    for turn in (0.0, pi / 2):
        scene = room()
        long = scene.world.spawn(Transform(0, 0, turn), Body(), Collider(Box(100.0, 10.0)), Target(TARGET))
        scene.receive(SawBehind(SHOOTER, 6))
        run(scene, 10)
        long[Transform].angle = pi / 2 - turn  # now it lies the other way round
        bolt(scene.world, 30.0, 30.0, 0.0, -1200.0)
        run(scene, 2)
        hits.append(long[Target].hits)
    assert hits == [1, 0]


def test_a_target_that_dies_while_touched_ends_the_contact() -> None:
    scene = room()
    ended: list[ContactEnded[Any, Any]] = []
    scene.dispatcher.subscribe(ContactEnded[Bolt, Target], lambda world, contact: ended.append(contact))
    standing = target(scene.world, 0.0, 0.0)
    scene.receive(SawBehind(SHOOTER, 6))
    run(scene, 10)
    flying = bolt(scene.world, -26.0, 0.0, 600.0)
    run(scene, 1)
    assert standing[Target].hits == 1
    standing.despawn()
    run(scene, 3)
    assert [(contact.a, contact.b) for contact in ended] == [(flying, standing)]


def test_who_leaves_sees_the_present_again() -> None:
    scene = room()
    moving = flyby(scene, 10, 20)
    scene.receive(SawBehind(SHOOTER, 0.0))
    run(scene, 1)
    assert not scene.world.resource(Rewind).behind
    bolt(scene.world, moving[Transform].x + 10.0, 30.0, 0.0, -600.0)
    run(scene, 3)
    assert moving[Target].hits == 1


@pytest.mark.parametrize("ticks", [float("nan"), float("inf"), -3.0])
def test_nonsense_is_the_present(ticks: float) -> None:
    scene = room()
    flyby(scene, ticks, 2)
    assert not scene.world.resource(Rewind).behind


# Rays and circles


def test_a_ray_meets_what_was_seen_and_walls_where_they_are() -> None:
    scene = room()
    world = scene.world
    moving = flyby(scene, 10, 20)
    wall = world.spawn(Transform(moving[Transform].x - 90.0, -200.0), Collider(Box(50.0, 10.0)))
    rewind, space = world.resource(Rewind), world.resource(Space)
    found: dict[str, Any] = {}

    def probe(world: World, tick: Tick) -> None:
        x = moving[Transform].x - 90.0  # ten ticks before the one now running
        found["hit"] = rewind.raycast(SHOOTER, x, 300.0, x, -300.0)
        found["other"] = rewind.raycast(OTHER, x, 300.0, x, -300.0)
        found["ignored"] = rewind.raycast(SHOOTER, x, 300.0, x, -300.0, ignore=[moving])
        found["masked"] = rewind.raycast(SHOOTER, x, 300.0, x, -300.0, mask=4)
        found["now"] = rewind.raycast(SHOOTER, x + 90.0, 300.0, x + 90.0, -300.0)
        found["space"] = space.raycast(x + 90.0, 300.0, x + 90.0, -300.0)
        found["inside"] = rewind.raycast(SHOOTER, x, 0.0, x, -300.0)

    scene.dispatcher.subscribe(Tick, probe)
    run(scene, 1)
    hit = found["hit"]
    assert hit.entity == moving
    assert (hit.x, hit.y) == pytest.approx((moving[Transform].x - 100.0, 20.0))
    assert (hit.nx, hit.ny) == pytest.approx((0.0, 1.0))
    assert hit.fraction == pytest.approx(280 / 600)
    assert found["other"].entity == found["ignored"].entity == wall
    assert found["masked"] is None
    assert found["now"] is None
    assert found["space"].entity == moving
    assert (found["inside"].entity, found["inside"].fraction) == (moving, 0.0)
    assert isclose(found["inside"].ny, 1.0)


def test_a_ray_meets_ones_own_where_they_are() -> None:
    scene = room()
    moving = flyby(scene, 10, 20, player=TARGET)
    x = moving[Transform].x
    rewind = scene.world.resource(Rewind)
    assert rewind.raycast(TARGET, x - 100.0, 300.0, x - 100.0, 0.0) is None
    hit = rewind.raycast(TARGET, x, 300.0, x, 0.0)
    assert hit is not None
    assert hit.entity == moving
    assert rewind.within(TARGET, x - 100.0, 0.0, 50.0) == []
    assert rewind.within(TARGET, x, 0.0, 50.0) == [moving]
    assert rewind.place(TARGET, moving) == (x, 0.0, 0.0)


def test_a_circle_finds_what_was_seen_nearest_first() -> None:
    scene = room()
    world = scene.world
    moving = flyby(scene, 10, 20)
    wall = world.spawn(Transform(110.0, -100.0), Collider(Box(50.0, 10.0)))
    run(scene, 1)
    rewind = world.resource(Rewind)
    x = moving[Transform].x - 100.0
    assert rewind.within(SHOOTER, x, -50.0, 60.0) == [moving, wall]
    assert rewind.within(SHOOTER, x, -70.0, 60.0) == [wall, moving]
    assert rewind.within(OTHER, x, -50.0, 60.0) == [wall]
    assert rewind.within(SHOOTER, moving[Transform].x, 0.0, 30.0) == []
    assert rewind.within(SHOOTER, x, -50.0, 20.0) == []


def test_a_game_of_rays_alone_declares_no_pair() -> None:
    coarse = {Transform.x: 1 / 32, Transform.y: 1 / 32, Transform.angle: 1 / 256}
    protocol = (
        Protocol("rays")
        .component(Target, {Target.armour: 1 / 8})
        .component(Transform, coarse)
        .owner(Target.player)
        .interpolate(Transform)
    )
    scene = Scene(rules, rewinding(protocol))
    moving = flyby(scene, 10, 20)
    rewind = scene.world.resource(Rewind)
    seen = rewind.place(SHOOTER, moving)
    assert seen is not None
    hit = rewind.raycast(SHOOTER, seen[0], 300.0, seen[0], 0.0)
    assert hit is not None
    assert hit.entity == moving


def test_shots_at_what_is_shown_count() -> None:
    """A hitscan game over a bad line: targets of radius 20 dart about at 300 units/s; who shoots at them sees them
    late, between snapshots of every second tick, and the server knows how late only to within a tick. At least 98 % of
    the shots that hit on the screen count; without rewind, less than half of them would.
    """
    scene = room()
    world, chance = scene.world, random.Random(5)
    targets = [target(world, chance.uniform(0, 900), chance.uniform(0, 900)) for _ in range(12)]
    truth: dict[int, dict[int, tuple[float, float]]] = {}

    def shown(entity: Entity, time: float) -> tuple[float, float]:
        low = int(time // 2) * 2
        (x0, y0), (x1, y1), t = truth[low][entity.id], truth[low + 2][entity.id], (time - low) / 2
        return x0 + (x1 - x0) * t, y0 + (y1 - y0) * t

    seen = counted = present = 0
    rewind, space = world.resource(Rewind), world.resource(Space)

    def shoot(world: World, tick: Tick) -> None:
        nonlocal seen, counted, present
        behind = 9.0 + 2.0 * sin(tick.number / 40)
        view = tick.number - behind
        if tick.number < 30 or view + 2 >= tick.number:
            return
        aimed = chance.choice(targets)
        x, y = shown(aimed, view)
        turn = chance.uniform(0, 2 * pi)
        off = max(-20.0, min(20.0, chance.gauss(0.0, 8.0)))  # aimed at the middle, and a hit on the screen
        dx, dy = cos(turn), sin(turn)
        start = x - dy * off - dx * 40.0, y + dx * off - dy * 40.0
        end = start[0] + dx * 80.0, start[1] + dy * 80.0
        others = [each for each in targets if each != aimed]
        seen += 1
        counted += rewind.raycast(SHOOTER, *start, *end, ignore=others) is not None
        present += space.raycast(*start, *end, ignore=others) is not None

    scene.dispatcher.subscribe(Tick, shoot)
    for number in range(1, 2000):
        for each in targets:
            if chance.random() < 0.03:
                turn = chance.uniform(0, 2 * pi)
                each[Velocity].vx, each[Velocity].vy = 300.0 * cos(turn), 300.0 * sin(turn)
        measured = 9.0 + 2.0 * sin(number / 40) + chance.uniform(-1.0, 1.0)
        scene.receive(SawBehind(SHOOTER, round(measured * 4) / 4))
        scene.run_tick()
        truth[scene.tick] = {each.id: (each[Transform].x, each[Transform].y) for each in targets}
    assert seen > 1900
    assert counted / seen >= 0.98
    assert present / seen < 0.5


# State


def test_going_back_and_running_again_judges_the_same() -> None:
    hits = 0

    def throw(world: World, tick: Tick) -> None:
        if tick.number % 10 == 1:
            bolt(world, 300.0 - tick.number, 60.0, -100.0, -500.0, player=OTHER)
            bolt(world, tick.number * 2.0, -60.0, 100.0, 500.0)

    def count(world: World, contact: ContactBegan[Bolt, Target]) -> None:
        nonlocal hits
        hits += 1

    def build() -> Scene:
        scene = room()
        scene.dispatcher.subscribe(Tick, throw)
        scene.dispatcher.subscribe(ContactBegan[Bolt, Target], count)
        for place in range(6):
            target(scene.world, 60.0 * place, 0.0, 90.0 - 30.0 * place)
        return scene

    def drive(scene: Scene, tick: int) -> None:
        if tick % 7 == 1:
            scene.receive(SawBehind(SHOOTER, 4 + tick % 13))

    assert sync_test(build, 120, 10, drive=drive) == 120
    assert hits > 20


def test_history_and_contacts_are_part_of_the_state() -> None:
    scene = room()
    moving = flyby(scene, 10, 20)
    bolt(scene.world, moving[Transform].x - 90.0, 30.0, 0.0, -600.0)
    run(scene, 1)
    kept = scene.capture()
    digest = scene.world.participants["rewind"].digest()
    run(scene, 15)
    assert scene.world.participants["rewind"].digest() != digest
    assert moving[Target].ended == 1
    scene.restore(kept)
    assert scene.world.participants["rewind"].digest() == digest
    run(scene, 15)
    assert (moving[Target].hits, moving[Target].ended) == (1, 1)


# Declarations


def test_a_pair_that_nobody_owns_is_refused() -> None:
    protocol = Protocol("range").component(Target, {Target.armour: 1.0}).component(Bolt).rewind(Bolt, Target)
    with pytest.raises(SchemaError, match=r"declare it with \.owner\(Bolt"):
        rewinding(protocol)


def test_shooter_and_target_are_two_components() -> None:
    protocol = Protocol("range").component(Bolt).owner(Bolt.player).rewind(Bolt, Bolt)
    with pytest.raises(SchemaError, match="give two components"):
        rewinding(protocol)


@pytest.mark.parametrize("cap", [0.0, -1.0, float("inf"), float("nan")])
def test_the_past_reaches_back_a_positive_time(cap: float) -> None:
    with pytest.raises(SchemaError, match="positive number"):
        rewinding(declared(cap=cap))


def test_a_game_of_rays_says_how_far_the_past_reaches() -> None:
    def cap(protocol: Protocol) -> float:
        return Scene(rewinding(protocol)).world.resource(Rewind).cap

    assert cap(Protocol("rays").rewind(cap=0.1)) == 0.1
    assert cap(declared(cap=0.2).rewind(cap=0.1)) == 0.2
    with pytest.raises(SchemaError, match="positive number"):
        rewinding(Protocol("rays").rewind(cap=0.0))
    with pytest.raises(SchemaError, match="give also the other"):
        Protocol("rays").rewind(Bolt)  # type: ignore[call-overload]


def test_a_game_without_contacts_to_judge_needs_no_physics() -> None:
    scene = Scene(rewinding(Protocol("chat")))
    run(scene, 3)
    assert scene.world.find_resource(Space) is None
    assert scene.world.resource(Rewind).time(SHOOTER) == 3


def test_places_forget_after_their_depth() -> None:
    import numpy as np

    places = Places(4)
    for tick in range(1, 11):
        places.note(tick, np.array([7, 5], np.uint64), np.array([[tick, 0, 0], [-tick, 0, 0]], float))
    assert places.place(7, 9.5) == (9.5, 0.0, 0.0)
    assert places.place(5, 8) == (-8.0, 0.0, 0.0)
    assert places.place(5, 3) == (-7.0, 0.0, 0.0)
    assert places.place(5, 99) == (-10.0, 0.0, 0.0)
    assert places.place(6, 9) is None
