"""Going back to a mark: contacts go on, begin and end as they did."""

from __future__ import annotations

from math import cos, sin
from typing import Any

import numpy as np
import pytest

from engine.app import Plugin, Scene
from engine.ecs import Component, Entity, World
from engine.physics import (
    Body,
    Box,
    Circle,
    Collider,
    ContactBegan,
    ContactEnded,
    Material,
    PhysicsSettings,
    Space,
    Velocity,
    physics,
)
from engine.scene import Transform

Event = tuple[int, str, int, int]
Columns = dict[int, tuple[Any, Any]]


class Ghost(Component):
    """Tag of what passes through other ghosts."""


class Watch:
    """A scene whose contacts are written down."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.asked: list[int] = []
        rules = Plugin("marks", needs=[physics])

        @rules.on(ContactBegan)
        def began(world: World, contact: ContactBegan[Any, Any]) -> None:
            self.events.append((self.scene.tick, "began", contact.a.id, contact.b.id))

        @rules.on(ContactEnded)
        def ended(world: World, contact: ContactEnded[Any, Any]) -> None:
            self.events.append((self.scene.tick, "ended", contact.a.id, contact.b.id))

        self.scene = Scene(rules, resources=[PhysicsSettings()])
        self.world = self.scene.world
        self.space = self.world.resource(Space)

        @self.space.refuse(Ghost, Ghost)
        def passes(world: World, a: Entity, b: Entity) -> bool:
            self.asked.append(self.scene.tick)
            return True

    def ball(self, x: float, y: float, vx: float, vy: float, *more: Component, radius: float = 5.0) -> Entity:
        bouncy = Collider(Circle(radius), material=Material(elasticity=1.0, friction=0.0))
        return self.world.spawn(Transform(x, y), Velocity(vx, vy), Body(mass=1.0), bouncy, *more)

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.scene.run_tick()

    def columns(self) -> Columns:
        return {
            entity.id: (at.copy(), velocity.copy())
            for entity, at, velocity in self.world.rows(Entity, Transform, Velocity)
        }

    def put_back(self, tick: int, columns: Columns, mark: Any) -> None:
        for id, (at, velocity) in columns.items():
            entity = self.world.find(id)
            if entity is not None:
                entity.add(at)
                entity.add(velocity)
        self.scene.time.tick = tick
        self.space.revert(mark)


def crowd(watch: Watch) -> None:
    rng = np.random.default_rng(3)
    for number in range(30):
        x, y, vx, vy = rng.uniform(-90, 90, 2).tolist() + rng.uniform(-120, 120, 2).tolist()
        watch.ball(x, y, vx, vy, *([Ghost()] if number % 3 == 0 else []))
    for x, y, w, h in ((-110, 0, 20, 240), (110, 0, 20, 240), (0, -110, 240, 20), (0, 110, 240, 20)):
        watch.world.spawn(Transform(x, y), Collider(Box(w, h), material=Material(elasticity=1.0, friction=0.0)))
    watch.world.spawn(Transform(0.0, 0.0), Collider(Circle(30.0), sensor=True))


@pytest.mark.parametrize("back", [1, 4, 12])
def test_ticks_run_again_have_the_same_contacts(back: int) -> None:
    watch = Watch()
    crowd(watch)
    watch.run(25)
    for _ in range(8):
        tick, columns, mark = watch.scene.tick, watch.columns(), watch.space.mark()
        watch.events.clear()
        watch.run(back)
        first, after = list(watch.events), watch.columns()
        watch.put_back(tick, columns, mark)
        watch.events.clear()
        watch.run(back)
        assert watch.events == first
        for id, (at, _) in watch.columns().items():
            assert at.x == pytest.approx(after[id][0].x, abs=0.3)
            assert at.y == pytest.approx(after[id][0].y, abs=0.3)


def test_a_contact_that_lasts_does_not_begin_again() -> None:
    watch = Watch()
    a = watch.ball(0.0, 0.0, 0.0, 0.0)
    b = watch.ball(9.9, 0.0, 0.0, 0.0)
    watch.run(2)
    assert len(watch.events) == 1
    columns, mark = watch.columns(), watch.space.mark()
    a[Transform].x = -50.0
    watch.run(2)
    assert [event[1] for event in watch.events] == ["began", "ended"]
    watch.events.clear()
    watch.put_back(2, columns, mark)
    watch.run(2)
    assert watch.events == []
    assert watch.space.touching(a) == [b]


def test_a_contact_that_was_not_yet_begins_again() -> None:
    watch = Watch()
    watch.ball(0.0, 0.0, 60.0, 0.0)
    watch.ball(13.0, 0.0, 0.0, 0.0)
    watch.run(1)
    columns, mark = watch.columns(), watch.space.mark()
    watch.run(3)
    first = list(watch.events)
    assert first[0][1] == "began"
    watch.events.clear()
    watch.put_back(1, columns, mark)
    watch.run(3)
    assert watch.events == first


def test_who_was_let_through_is_not_asked_about_again() -> None:
    watch = Watch()
    for x, vx in ((0.0, 60.0), (12.0, 0.0)):
        watch.ball(x, 0.0, vx, 0.0, Ghost())
    watch.run(6)
    assert len(watch.asked) == 1
    columns, mark, tick = watch.columns(), watch.space.mark(), watch.scene.tick
    watch.run(40)
    assert len(watch.asked) == 1
    watch.put_back(tick, columns, mark)
    watch.run(40)
    assert len(watch.asked) == 1
    assert watch.events == []


def test_who_was_not_asked_about_yet_is_asked_again() -> None:
    watch = Watch()
    for x, vx in ((0.0, 60.0), (13.0, 0.0)):
        watch.ball(x, 0.0, vx, 0.0, Ghost())
    watch.run(1)
    assert not watch.asked
    columns, mark = watch.columns(), watch.space.mark()
    watch.run(5)
    asked = list(watch.asked)
    assert len(asked) == 1
    watch.put_back(1, columns, mark)
    watch.run(5)
    assert watch.asked == asked * 2


def test_pushes_and_hidden_velocities_come_back() -> None:
    watch = Watch()
    entity = watch.world.spawn(Transform(0.0, 0.0), Body(mass=2.0), Collider(Circle(3.0)))
    watch.run(1)
    watch.space.impulse(entity, 20.0, 0.0)
    at, mark = entity[Transform].copy(), watch.space.mark()
    watch.run(6)
    moved = entity[Transform].x
    assert moved == pytest.approx(1.0, rel=0.01)
    entity.add(at)
    watch.space.revert(mark)
    watch.run(6)
    assert entity[Transform].x == pytest.approx(moved)
    halfway, mark = entity[Transform].copy(), watch.space.mark()
    watch.space.impulse(entity, -200.0, 0.0)
    watch.run(3)
    entity.add(halfway)
    watch.space.revert(mark)
    watch.run(6)
    assert entity[Transform].x == pytest.approx(2 * moved, rel=0.01)


def test_entities_that_came_and_went_since_are_left_out() -> None:
    watch = Watch()
    a = watch.ball(0.0, 0.0, 0.0, 0.0)
    b = watch.ball(9.9, 0.0, 0.0, 0.0)
    watch.run(2)
    columns, mark = watch.columns(), watch.space.mark()
    watch.events.clear()
    late = watch.ball(-9.9, 0.0, 0.0, 0.0)
    watch.run(2)
    b.despawn()
    watch.run(1)
    watch.events.clear()
    late.despawn()
    watch.put_back(2, columns, mark)
    watch.run(2)
    assert watch.events == []
    assert watch.space.touching(a) == []


def test_a_mark_leaves_the_simulation_as_it_is() -> None:
    marked, plain = Watch(), Watch()
    for watch in (marked, plain):
        crowd(watch)
    for _ in range(40):
        marked.run(1)
        marked.space.mark()
        plain.run(1)
    assert marked.events == plain.events
    assert marked.space.digest() == plain.space.digest()


def test_who_meets_right_after_the_mark_is_asked_about_again_though_they_touch_now() -> None:
    watch = Watch()
    for x, vx in ((0.0, 60.0), (11.5, 0.0)):
        watch.ball(x, 0.0, vx, 0.0, Ghost())
    watch.run(1)
    columns, mark = watch.columns(), watch.space.mark()
    watch.run(3)
    assert watch.asked == [2]
    watch.put_back(1, columns, mark)
    watch.run(3)
    assert watch.asked == [2, 2]


def test_a_turned_body_whose_weight_is_off_its_place_comes_back_to_its_place() -> None:
    watch = Watch()
    lopsided = Collider(Circle(5.0, x=8.0))
    parts = [
        watch.world.spawn(Transform(40.0 * number, 0.0), Velocity(0.0, 0.0, 2.0), Body(mass=1.0), lopsided)
        for number in range(10)
    ]
    watch.run(3)
    tick, columns, mark = watch.scene.tick, watch.columns(), watch.space.mark()
    watch.run(30)
    watch.put_back(tick, columns, mark)
    for entity in parts:
        at = columns[entity.id][0]
        x, y = at.x + 8.0 * cos(at.angle), at.y + 8.0 * sin(at.angle)
        assert watch.space.within(x, y, 0.1) == [entity]
        assert watch.space.raycast(x, y + 20.0, x, y) is not None
    watch.run(1)
    for entity in parts:
        at, motion = columns[entity.id]
        assert (entity[Transform].x, entity[Transform].y) == pytest.approx((at.x, at.y), abs=0.5 + abs(motion.vx) / 60)
