"""Bodies follow their components, and components their bodies."""

from __future__ import annotations

from math import inf, nan, pi

import numpy as np
import pytest

from engine.app import Physics, Plugin, Scene, Tick
from engine.ecs import Component, Entity, World
from engine.events import OnError, Phase
from engine.physics import (
    Body,
    BodyKind,
    Box,
    Circle,
    Collider,
    ContactBegan,
    PhysicsError,
    PhysicsSettings,
    Quarantined,
    Space,
    Velocity,
    physics,
)
from engine.scene import Transform


class Mark(Component):
    """A tag."""


def scene_of(*plugins: Plugin, on_error: OnError = OnError.RAISE, **settings: object) -> Scene:
    return Scene(physics, *plugins, resources=[PhysicsSettings(**settings)], on_error=on_error)  # type: ignore[arg-type]


def run(scene: Scene, ticks: int) -> None:
    for _ in range(ticks):
        scene.run_tick()


def ball(world: World, x: float = 0.0, y: float = 0.0, vx: float = 0.0, vy: float = 0.0, *more: Component) -> Entity:
    return world.spawn(Transform(x, y), Velocity(vx, vy), Body(mass=1.0), Collider(Circle(5.0)), *more)


def test_a_body_moves_by_its_velocity_and_falls_by_gravity() -> None:
    scene = scene_of(gravity=(0.0, 600.0))
    entity = ball(scene.world, vx=60.0)
    run(scene, 60)
    assert entity[Transform].x == pytest.approx(60.0)
    assert entity[Velocity].vy == pytest.approx(600.0)


def test_bodies_move_on_when_one_gets_or_loses_another_component() -> None:
    scene = scene_of()
    marked, other = ball(scene.world, vx=60.0), ball(scene.world, y=100.0, vx=60.0)
    run(scene, 3)
    marked.add(Mark())
    run(scene, 3)
    marked.remove(Mark)
    run(scene, 3)
    assert marked[Transform].x == pytest.approx(9.0)
    assert other[Transform].x == pytest.approx(9.0)


def test_a_collider_without_a_body_stays_where_it_is() -> None:
    scene = scene_of(gravity=(0.0, 600.0))
    wall = scene.world.spawn(Transform(3.0, 4.0, 0.5), Collider(Box(10, 10)))
    run(scene, 10)
    assert wall[Transform] == Transform(3.0, 4.0, 0.5)


def test_a_kinematic_body_moves_by_its_velocity_alone() -> None:
    scene = scene_of(gravity=(0.0, 600.0))
    lift = scene.world.spawn(Transform(), Velocity(0.0, -60.0), Body(BodyKind.KINEMATIC), Collider(Box(50, 10)))
    load = ball(scene.world, 0.0, -10.0)
    run(scene, 60)
    assert lift[Transform].y == pytest.approx(-60.0)
    assert load[Transform].y == pytest.approx(-70.0, abs=1.0)


def test_a_body_without_velocity_or_collider_moves_too() -> None:
    scene = scene_of(gravity=(0.0, 600.0))
    blind = scene.world.spawn(Transform(), Body(mass=1.0), Collider(Circle(1.0)))
    ghost = scene.world.spawn(Transform(), Velocity(), Body(mass=1.0))
    run(scene, 60)
    assert blind[Transform].y > 250
    assert ghost[Transform].y == pytest.approx(blind[Transform].y)


def test_fixed_rotation_holds_against_a_blow_off_centre() -> None:
    scene = scene_of()
    turning, fixed = (
        scene.world.spawn(Transform(x), Velocity(), Body(mass=1.0, fixed_rotation=fix), Collider(Box(20, 20)))
        for x, fix in ((0.0, False), (100.0, True))
    )
    space = scene.world.resource(Space)
    space.impulse(turning, 0.0, 10.0, at=(10.0, 0.0))
    space.impulse(fixed, 0.0, 10.0, at=(110.0, 0.0))
    run(scene, 10)
    assert turning[Velocity].angular > 0
    assert turning[Transform].angle > 0
    assert fixed[Velocity].angular == 0
    assert fixed[Velocity].vy == turning[Velocity].vy == pytest.approx(10.0)


def test_damping_leaves_its_part_after_a_second() -> None:
    scene = scene_of()
    body = Body(mass=1.0, damping=0.25, angular_damping=0.5)
    slowed = scene.world.spawn(Transform(), Velocity(80.0, 0.0, 2.0), body, Collider(Circle(1.0)))
    free = ball(scene.world, y=100.0, vx=80.0)
    run(scene, 60)
    assert slowed[Velocity].vx == pytest.approx(20.0)
    assert slowed[Velocity].angular == pytest.approx(1.0)
    assert free[Velocity].vx == 80.0
    free[Body].damping = 0.25
    run(scene, 60)
    assert free[Velocity].vx == pytest.approx(20.0)


def test_many_damped_bodies_go_the_same_way_as_one() -> None:
    speeds: list[set[float]] = []
    for count in (1, 100):
        scene = scene_of()
        for n in range(count):
            scene.world.spawn(Transform(0, 50 * n), Velocity(80.0), Body(mass=1.0, damping=0.5), Collider(Circle(1.0)))
        run(scene, 30)
        speeds.append({velocity.vx for velocity in scene.world.rows(Velocity)})
    assert speeds[0] == speeds[1]
    assert len(speeds[0]) == 1


# Coming and going


def test_bodies_come_with_spawn_and_spawn_many_and_go_with_despawn() -> None:
    scene = scene_of()
    world, space = scene.world, scene.world.resource(Space)
    one = ball(world)
    ids = world.spawn_many(
        50,
        Transform(),
        Velocity(),
        Body(mass=1.0),
        Collider(Circle(1.0)),
        values={Transform.x: np.arange(50) * 10.0 + 100},
    )
    run(scene, 1)
    assert space.at(0, 0) == [one]
    assert [entity.id for entity in space.area(95, -1, 600, 1)] == ids.tolist()
    world.despawn(one)
    world.despawn_many(ids[:49])
    run(scene, 1)
    assert [entity.id for entity in space.area(-1000, -1000, 1000, 1000)] == [int(ids[49])]


def test_bodies_come_and_go_with_their_components() -> None:
    scene = scene_of(gravity=(0.0, 600.0))
    entity = scene.world.spawn(Transform())
    space = scene.world.resource(Space)
    run(scene, 1)
    assert space.at(0, 0) == []
    entity.add(Collider(Circle(5.0)))
    run(scene, 5)
    assert space.at(0, 0) == [entity]
    assert entity[Transform].y == 0.0
    entity.add(Body(mass=1.0))
    run(scene, 5)
    assert entity[Transform].y > 0.0
    entity.remove(Body)
    y = entity[Transform].y
    run(scene, 5)
    assert entity[Transform].y == y
    entity.remove(Collider)
    run(scene, 1)
    assert space.at(0, y) == []


def test_a_component_more_or_less_does_not_disturb_a_body() -> None:
    scene = scene_of()
    entities = [ball(scene.world, 20.0 * n, 0.0, 60.0) for n in range(5)]
    run(scene, 10)
    entities[2].add(Mark())
    run(scene, 10)
    entities[2].remove(Mark)
    scene.world.despawn(entities[0])
    run(scene, 10)
    assert [entity[Transform].x - 20 * n for n, entity in enumerate(entities) if n] == pytest.approx([30.0] * 4)


def test_a_changed_body_and_a_new_collider_take_effect() -> None:
    scene = scene_of(gravity=(0.0, 600.0))
    entity = ball(scene.world)
    space = scene.world.resource(Space)
    run(scene, 1)
    entity[Body].kind = BodyKind.STATIC
    run(scene, 1)
    y = entity[Transform].y
    run(scene, 10)
    assert entity[Transform].y == y
    entity.add(Collider(Circle(50.0)))
    run(scene, 1)
    assert space.at(40.0, y) == [entity]
    entity[Collider].layer = 8
    run(scene, 1)
    assert space.at(0.0, y, mask=7) == []
    assert space.at(0.0, y, mask=8) == [entity]


def test_changes_are_seen_also_when_the_table_changes_in_the_same_tick() -> None:
    scene = scene_of()
    first, second = ball(scene.world), ball(scene.world, 100.0)
    run(scene, 1)
    second[Body].kind = BodyKind.KINEMATIC
    second.add(Collider(Circle(30.0)))
    second[Velocity].vx = 60.0
    second[Transform].y = 50.0
    scene.world.despawn(first)
    ball(scene.world, 500.0)
    run(scene, 1)
    assert second[Transform].y == 50.0
    assert second[Transform].x == pytest.approx(101.0)
    assert scene.world.resource(Space).at(130.0, 50.0) == [second]


def test_local_entities_are_none_of_its_business() -> None:
    scene = scene_of(gravity=(0.0, 600.0))
    entity = scene.world.spawn(Transform(), Body(mass=1.0), Collider(Circle(5.0)), local=True)
    run(scene, 5)
    assert entity[Transform].y == 0.0
    assert scene.world.resource(Space).at(0, 0) == []


# Who owns a transform


def test_writing_a_transform_teleports_the_body() -> None:
    scene = scene_of()
    entity = ball(scene.world, vx=60.0)
    wall = scene.world.spawn(Transform(1000.0), Collider(Box(10, 10)))
    run(scene, 3)
    entity[Transform].x = 500.0
    entity[Transform].angle = pi / 2
    wall[Transform].y = 70.0
    run(scene, 1)
    assert entity[Transform].x == pytest.approx(501.0)
    assert entity[Transform].angle == pytest.approx(pi / 2)
    space = scene.world.resource(Space)
    assert space.at(501.0, 0.0) == [entity]
    assert space.at(3.0, 0.0) == []
    assert space.at(1000.0, 70.0) == [wall]
    assert space.at(1000.0, 0.0) == []


def test_writing_a_velocity_drives_the_body() -> None:
    scene = scene_of()
    entities = [ball(scene.world, y=20.0 * n) for n in range(100)]
    run(scene, 1)
    entities[3][Velocity].vy = -1.0
    for rows in scene.world.tables(Velocity):
        rows[Velocity.vx] = 60.0
    run(scene, 60)
    assert [entity[Transform].x for entity in entities] == pytest.approx([60.0] * 100)
    entities[7][Velocity].vx = 0.0
    run(scene, 60)
    assert entities[7][Transform].x == pytest.approx(60.0)
    assert entities[8][Transform].x == pytest.approx(120.0)


def test_what_handlers_write_around_the_step_survives_it() -> None:
    rules = Plugin("rules")
    seen: list[float] = []

    @rules.on(Physics, phase=Phase.EARLY)
    def before(world: World, stage: Physics) -> None:
        for transform in world.rows(Transform):
            transform.x = 100.0

    @rules.on(Physics, phase=Phase.LATE)
    def after(world: World, stage: Physics) -> None:
        for transform in world.rows(Transform):
            seen.append(transform.x)
            transform.y = 7.0

    scene = scene_of(rules)
    entity = ball(scene.world, vx=60.0)
    run(scene, 3)
    assert seen == pytest.approx([101.0] * 3)
    assert entity[Transform].y == 7.0


def test_what_a_contact_handler_writes_survives() -> None:
    rules = Plugin("rules")

    @rules.on(ContactBegan)
    def stop(world: World, contact: ContactBegan[Collider, Collider]) -> None:
        contact.a[Transform].y = -300.0
        contact.a[Velocity].vx = 0.0

    scene = scene_of(rules)
    entity = ball(scene.world, vx=600.0)
    scene.world.spawn(Transform(40.0), Collider(Box(10, 100)))
    run(scene, 10)
    assert entity[Transform].y == -300.0
    assert entity[Velocity].vx == 0.0


def test_what_a_filter_writes_inside_the_step_survives() -> None:
    scene = scene_of()
    entity = ball(scene.world, vx=600.0)
    scene.world.spawn(Transform(40.0), Collider(Box(10, 100)), Mark())

    @scene.world.resource(Space).refuse(Velocity, Mark)
    def passes(world: World, a: Entity, b: Entity) -> bool:
        a[Transform].y = -300.0
        return True

    run(scene, 10)
    assert entity[Transform].y == -300.0
    assert entity[Transform].x == pytest.approx(100.0)


# Pushes


def test_an_impulse_shows_at_once_and_a_force_after_the_step() -> None:
    scene = scene_of()
    entity = scene.world.spawn(Transform(), Velocity(), Body(mass=2.0), Collider(Circle(5.0)))
    space = scene.world.resource(Space)
    space.impulse(entity, 10.0, 0.0)
    assert entity[Velocity].vx == 5.0
    space.force(entity, 0.0, 120.0)
    run(scene, 1)
    assert entity[Velocity].vy == pytest.approx(1.0)
    run(scene, 1)
    assert entity[Velocity].vy == pytest.approx(1.0)
    space.torque(entity, 60.0)
    run(scene, 1)
    assert entity[Velocity].angular > 0


def test_a_body_without_velocity_takes_impulses_too() -> None:
    scene = scene_of()
    blind = scene.world.spawn(Transform(), Body(mass=2.0), Collider(Circle(5.0)))
    scene.world.resource(Space).impulse(blind, 120.0, 0.0)
    run(scene, 61)
    assert blind[Transform].x == pytest.approx(61.0, abs=1.01)


def test_an_impulse_works_on_an_entity_spawned_in_the_same_stage() -> None:
    rules = Plugin("rules")

    @rules.on(Tick)
    def throw(world: World, tick: Tick) -> None:
        if tick.number == 1:
            world.resource(Space).impulse(ball(world), 60.0, 0.0)

    scene = scene_of(rules)
    run(scene, 60)
    assert next(iter(scene.world.rows(Transform))).x == pytest.approx(60.0)


def test_pushes_name_what_is_wrong() -> None:
    scene = scene_of()
    entity, wall = ball(scene.world), scene.world.spawn(Transform(), Collider(Circle(1.0)))
    space = scene.world.resource(Space)
    with pytest.raises(PhysicsError, match=rf"{entity} was given a force of nan, 0"):
        space.force(entity, nan, 0)
    with pytest.raises(PhysicsError, match="an impulse"):
        space.impulse(entity, 0, 0, at=(inf, 0))
    with pytest.raises(PhysicsError, match="no dynamic body"):
        space.impulse(wall, 1, 0)


# Bad values


@pytest.mark.parametrize(("component", "field"), [(Transform, "x"), (Transform, "angle"), (Velocity, "vy")])
@pytest.mark.parametrize("bad", [nan, inf])
def test_a_value_that_is_not_finite_is_refused_by_name_and_undone(
    component: type[Component], field: str, bad: float
) -> None:
    scene = scene_of()
    entity, other = ball(scene.world, 1.0, 2.0, 60.0), ball(scene.world, 100.0, 0.0, 60.0)
    run(scene, 1)
    before = getattr(entity[component], field)
    setattr(entity[component], field, bad)
    with pytest.raises(PhysicsError, match=rf"{entity} was given {component.__name__}\.{field} = {bad}"):
        run(scene, 1)
    assert getattr(entity[component], field) == pytest.approx(before, abs=2.0)
    x = other[Transform].x
    run(scene, 10)
    assert other[Transform].x == pytest.approx(x + 10.0)


def test_an_entity_spawned_with_a_bad_value_is_refused_by_name_and_kept_out_until_mended() -> None:
    scene = scene_of()
    entity = ball(scene.world, nan)
    with pytest.raises(PhysicsError, match=rf"{entity} cannot be simulated: Transform\.x is nan"):
        run(scene, 1)
    run(scene, 1)
    entity[Transform].x = 4.0
    run(scene, 1)
    assert scene.world.resource(Space).at(4.0, 0.0) == [entity]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (Body(mass=-1.0), r"Body\.mass is -1"),
        (Body(mass=nan), r"Body\.mass is nan"),
        (Body(mass=1.0, damping=-1.0), r"Body\.damping is -1"),
        (Body(7), r"Body\.kind is 7"),
    ],
)
def test_a_bad_body_is_refused_by_name(body: Body, message: str) -> None:
    scene = scene_of()
    scene.world.spawn(Transform(), body, Collider(Circle(1.0)))
    with pytest.raises(PhysicsError, match=message):
        run(scene, 1)


def test_a_body_without_any_mass_says_what_to_give() -> None:
    scene = scene_of()
    scene.world.spawn(Transform(), Body())
    with pytest.raises(PhysicsError, match=r"give Body\.mass, or a shape"):
        run(scene, 1)


def test_bad_values_do_not_stop_a_host() -> None:
    scene = scene_of(on_error=OnError.ISOLATE)
    entity, other = ball(scene.world), ball(scene.world, 100.0, 0.0, 60.0)
    for _ in range(60):
        entity[Transform].x = nan
        run(scene, 1)
    assert other[Transform].x == pytest.approx(160.0)


def test_a_body_that_turns_non_finite_is_quarantined_and_the_rest_goes_on() -> None:
    rules = Plugin("rules")
    caught: list[Entity] = []

    @rules.on(Quarantined)
    def note(world: World, event: Quarantined) -> None:
        caught.append(event.entity)

    scene = scene_of(rules)
    wild, calm = ball(scene.world, 1.0, 0.0, 1.0), ball(scene.world, 100.0, 0.0, 59.0)
    wild[Body].mass = 0.001
    run(scene, 1)
    scene.world.resource(Space).force(wild, 1e308, 1e308)
    run(scene, 3)
    assert caught == [wild]
    assert np.isfinite([wild[Transform].x, wild[Velocity].vx]).all()
    run(scene, 56)
    assert calm[Transform].x == pytest.approx(159.0)
    wild[Transform].x = 0.0
    wild[Velocity].vx = 60.0
    run(scene, 60)
    assert wild[Transform].x == pytest.approx(60.0)
    assert caught == [wild]


def test_damping_and_contacts_show_beside_an_entity_without_a_body() -> None:
    scene = scene_of(on_error=OnError.ISOLATE)
    scene.world.spawn(Transform(nan), Velocity(), Body(mass=1.0), Collider(Circle(5.0)))
    free = scene.world.spawn(Transform(0.0, 50.0), Velocity(80.0), Body(mass=1.0, damping=0.25), Collider(Circle(5.0)))
    run(scene, 60)
    assert free[Velocity].vx == pytest.approx(20.0)


def test_a_velocity_that_is_not_finite_is_refused_where_nothing_moves_by_it() -> None:
    scene = scene_of(on_error=OnError.ISOLATE)
    wall = scene.world.spawn(Transform(), Velocity(), Collider(Box(10, 10)))
    run(scene, 1)
    wall[Velocity].vx = nan
    run(scene, 1)
    assert wall[Velocity].vx == 0.0


# Sleep


def test_bodies_at_rest_sleep_and_wake() -> None:
    scene = scene_of(gravity=(0.0, 600.0), sleep_after=0.5)
    scene.world.spawn(Transform(0.0, 50.0), Collider(Box(200, 10)))
    box = scene.world.spawn(Transform(0.0, 40.0), Velocity(), Body(mass=1.0, damping=0.9), Collider(Box(10, 10)))
    run(scene, 120)
    resting = box[Transform].y
    run(scene, 60)
    assert box[Transform].y == resting
    box[Velocity].vy = -300.0
    run(scene, 5)
    assert box[Transform].y < resting - 10


def test_a_floor_taken_away_wakes_what_rests_on_it() -> None:
    for how in ("despawned", "moved"):
        scene = scene_of(gravity=(0.0, 600.0), sleep_after=0.5)
        floor = scene.world.spawn(Transform(0.0, 50.0), Collider(Box(200, 10)))
        box = scene.world.spawn(Transform(0.0, 40.0), Velocity(), Body(mass=1.0), Collider(Box(10, 10)))
        run(scene, 120)
        if how == "despawned":
            scene.world.despawn(floor)
        else:
            floor[Transform].x = 1000.0
        run(scene, 30)
        assert box[Transform].y > 60


def test_substeps_keep_fast_things_from_passing_through() -> None:
    through: list[bool] = []
    for substeps in (1, 16):
        scene = scene_of(substeps=substeps)
        scene.world.spawn(Transform(100.0), Collider(Box(4, 100)))
        shot = scene.world.spawn(Transform(0.0), Velocity(2000.0), Body(mass=1.0), Collider(Circle(2.0)))
        run(scene, 10)
        through.append(shot[Transform].x > 100)
    assert through == [True, False]
