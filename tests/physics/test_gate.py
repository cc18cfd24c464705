"""What is decided before a contact is solved: filters and one-way platforms."""

from __future__ import annotations

from typing import Any

import pytest

from engine.app import Plugin, Scene
from engine.ecs import Component, Entity, Ref, World, ref
from engine.events import OnError
from engine.physics import (
    Body,
    Box,
    Circle,
    Collider,
    Compound,
    ContactBegan,
    ContactEnded,
    OneWay,
    PhysicsError,
    PhysicsSettings,
    Space,
    Velocity,
    physics,
)
from engine.scene import Transform


class Disc(Component):
    owner: Ref = ref()


class Ship(Component):
    """A tag."""


class Glow(Component, local=True):
    """A local tag."""


def scene_of(*plugins: Plugin, on_error: OnError = OnError.RAISE, **values: Any) -> Scene:
    return Scene(physics, *plugins, resources=[PhysicsSettings(**values)], on_error=on_error)


def run(scene: Scene, ticks: int) -> None:
    for _ in range(ticks):
        scene.run_tick()


def ship(world: World, x: float) -> Entity:
    return world.spawn(Transform(x), Velocity(), Body(mass=1.0), Collider(Circle(10.0)), Ship())


def disc(world: World, x: float, vx: float, owner: Entity) -> Entity:
    return world.spawn(Transform(x), Velocity(vx), Body(mass=1.0), Collider(Circle(5.0)), Disc(owner.id))


def test_a_filter_registered_in_setup_lets_own_discs_pass() -> None:
    rules = Plugin("rules", needs=[physics])
    contacts: list[tuple[str, Entity, Entity]] = []
    asked: list[tuple[Entity, Entity]] = []

    @rules.setup
    def build(world: World) -> None:
        @world.resource(Space).refuse(Disc, Ship)
        def is_own(world: World, disc: Entity, ship: Entity) -> bool:
            asked.append((disc, ship))
            return disc[Disc].owner == ship.id

    @rules.on(ContactBegan)
    def began(world: World, contact: ContactBegan[Any, Any]) -> None:
        contacts.append(("began", contact.a, contact.b))

    @rules.on(ContactEnded)
    def ended(world: World, contact: ContactEnded[Any, Any]) -> None:
        contacts.append(("ended", contact.a, contact.b))

    scene = scene_of(rules)
    own, other = ship(scene.world, 0.0), ship(scene.world, 100.0)
    shot = disc(scene.world, 0.0, 600.0, own)
    run(scene, 20)
    assert asked == [(shot, own), (shot, other)]
    assert contacts == [("began", other, shot)]
    assert own[Velocity].vx == 0.0
    assert other[Velocity].vx > 0.0


def test_a_filter_is_asked_anew_when_they_meet_again() -> None:
    scene = scene_of()
    answers = iter([True, False])

    @scene.world.resource(Space).refuse(Disc, Ship)
    def alternate(world: World, disc: Entity, ship: Entity) -> bool:
        return next(answers)

    target = ship(scene.world, 60.0)
    shot = disc(scene.world, 0.0, 600.0, target)
    run(scene, 20)
    assert target[Velocity].vx == 0.0
    shot[Velocity].vx = -600.0
    run(scene, 20)
    assert target[Velocity].vx < 0.0


def test_a_compound_is_asked_about_once() -> None:
    scene = scene_of()
    asked: list[Entity] = []

    @scene.world.resource(Space).refuse(Disc, Ship)
    def refuse(world: World, disc: Entity, ship: Entity) -> bool:
        asked.append(disc)
        return True

    target = scene.world.spawn(
        Transform(50.0), Velocity(), Body(mass=1.0), Collider(Compound((Circle(10.0), Circle(10.0, x=5)))), Ship()
    )
    shot = disc(scene.world, 0.0, 600.0, target)
    run(scene, 20)
    assert asked == [shot]
    assert target[Transform].x == 50.0


def test_a_filter_counts_for_entities_that_get_the_component_later() -> None:
    scene = scene_of()
    target = ship(scene.world, 60.0)
    shot = scene.world.spawn(Transform(0.0), Velocity(600.0), Body(mass=1.0), Collider(Circle(5.0)))
    run(scene, 1)

    @scene.world.resource(Space).refuse(Disc, Ship)
    def refuse(world: World, disc: Entity, ship: Entity) -> bool:
        return True

    run(scene, 1)
    shot.add(Disc())
    run(scene, 20)
    assert target[Velocity].vx == 0.0


def test_a_refused_sensor_says_nothing() -> None:
    rules = Plugin("rules")
    contacts: list[object] = []

    @rules.on(ContactBegan)
    def began(world: World, contact: ContactBegan[Any, Any]) -> None:
        contacts.append(contact)

    @rules.on(ContactEnded)
    def ended(world: World, contact: ContactEnded[Any, Any]) -> None:
        contacts.append(contact)

    scene = scene_of(rules)

    @scene.world.resource(Space).refuse(Disc, Ship)
    def refuse(world: World, disc: Entity, ship: Entity) -> bool:
        return True

    zone = scene.world.spawn(Transform(60.0), Collider(Circle(10.0), sensor=True), Ship())
    disc(scene.world, 0.0, 600.0, zone)
    run(scene, 20)
    assert contacts == []


def test_a_filter_that_raises_is_reported_after_the_step_and_lets_the_contact_be() -> None:
    scene = scene_of()

    @scene.world.resource(Space).refuse(Disc, Ship)
    def broken(world: World, disc: Entity, ship: Entity) -> bool:
        raise KeyError("lost")

    target = ship(scene.world, 30.0)
    shot = disc(scene.world, 0.0, 600.0, target)
    with pytest.raises(KeyError, match="lost") as caught:
        run(scene, 10)
    assert any(f"asked about {shot} and {target}" in note for note in caught.value.__notes__)
    run(scene, 5)
    assert target[Velocity].vx > 0.0


def test_a_filter_that_raises_does_not_stop_a_host() -> None:
    scene = scene_of(on_error=OnError.ISOLATE)

    @scene.world.resource(Space).refuse(Disc, Ship)
    def broken(world: World, disc: Entity, ship: Entity) -> bool:
        raise KeyError("lost")

    target = ship(scene.world, 30.0)
    for _ in range(30):
        disc(scene.world, 0.0, 600.0, target)
        run(scene, 3)
    assert target[Transform].x > 100.0


def test_filters_cannot_go_by_local_components() -> None:
    scene = scene_of()
    with pytest.raises(PhysicsError, match="Glow, which is local"):
        scene.world.resource(Space).refuse(Disc, Glow)(lambda world, a, b: True)


@pytest.mark.parametrize("angle", [0.0, 3.14159265])
def test_a_one_way_platform_holds_from_above_and_lets_through_from_below(angle: float) -> None:
    rules = Plugin("rules")
    began: list[object] = []

    @rules.on(ContactBegan)
    def note(world: World, contact: ContactBegan[Any, Any]) -> None:
        began.append(contact)

    scene = scene_of(rules, gravity=(0.0, 600.0))
    up = -1.0 if angle == 0.0 else 1.0
    scene.world.spawn(Transform(0.0, 0.0, angle), Collider(Box(200, 10)), OneWay(0.0, up))
    jumper = scene.world.spawn(Transform(0.0, 50.0), Velocity(0.0, -400.0), Body(mass=1.0), Collider(Circle(5.0)))
    run(scene, 25)
    assert jumper[Transform].y < -20.0
    assert began == []
    run(scene, 120)
    assert jumper[Transform].y == pytest.approx(-10.0, abs=0.5)
    assert len(began) == 1


def test_a_one_way_platform_does_not_stop_what_comes_from_the_side() -> None:
    scene = scene_of()
    scene.world.spawn(Transform(50.0), Collider(Box(20, 20)), OneWay())
    runner = scene.world.spawn(Transform(), Velocity(600.0), Body(mass=1.0), Collider(Circle(5.0)))
    run(scene, 20)
    assert runner[Transform].x == pytest.approx(200.0)


def test_ctrl_c_in_a_filter_is_not_swallowed_by_the_solver() -> None:
    scene = Scene(physics)
    space = scene.world.resource(Space)

    @space.refuse(Collider, Collider)
    def stop(world: World, a: Entity, b: Entity) -> bool:
        raise KeyboardInterrupt

    for x in (0.0, 5.0):
        scene.world.spawn(Transform(x), Velocity(), Body(), Collider(Circle(10.0)))
    with pytest.raises(KeyboardInterrupt):
        scene.run_tick()
