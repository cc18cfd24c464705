"""Particles and trails: they live in their world's time, are bounded, and touch nothing else."""

import pytest

from engine.app import Frame, Scene
from engine.ecs import Entity
from engine.graphics import Burst, Camera, NullRenderer, Particles, Screen, Trail, Trails, graphics
from engine.graphics.color import Color
from engine.scene import Transform

SPARKS = Burst(count=10, speed=(100.0, 100.0), life=(0.5, 0.5), spread=0.0, drag=0.0, size=(8.0, 8.0))


def make():
    renderer = NullRenderer(640, 360)
    scene = Scene(graphics, resources=[Screen(renderer)])
    scene.world.resource(Camera).look_at(0.0, 0.0)
    return scene, renderer


def advance(scene: Scene, renderer: NullRenderer, ticks: int = 1):
    for _ in range(ticks):
        scene.run_tick()
        renderer.begin()
        scene.run_frame(Frame(1.0, 1 / 60, 0.0))


def test_particles_fly_and_die():
    scene, renderer = make()
    particles = scene.world.resource(Particles)
    advance(scene, renderer)
    particles.burst(SPARKS, 0.0, 0.0, 0.0)
    assert len(particles) == 10
    advance(scene, renderer, 15)
    (batch,) = renderer.batches
    assert batch.x == pytest.approx(320 + 100 * 15 / 60)
    assert batch.additive
    advance(scene, renderer, 20)
    assert len(particles) == 0
    assert renderer.batches == []


def test_particles_stand_still_while_their_world_does():
    scene, renderer = make()
    particles = scene.world.resource(Particles)
    advance(scene, renderer)
    particles.burst(SPARKS, 0.0, 0.0, 0.0)
    for _ in range(100):
        renderer.begin()
        scene.run_frame(Frame(1.0, 1 / 60, 0.0))
    assert renderer.batches[0].x == pytest.approx(320)
    assert len(particles) == 10


def test_the_oldest_particles_give_way():
    particles = Particles(capacity=25)
    particles.burst(SPARKS, 1.0, 0.0, color=Color(255, 0, 0))
    particles.burst(SPARKS, 2.0, 0.0)
    particles.burst(SPARKS, 3.0, 0.0)
    assert len(particles) == 25
    view = Camera(640, 360).steady
    ((_, batch),) = particles.batches(view)
    assert batch.x.tolist() == [1.0] * 5 + [2.0] * 10 + [3.0] * 10
    particles.burst(Burst(count=1000), 4.0, 0.0)
    assert len(particles) == 25


def test_layers_and_blending_of_bursts_are_kept_apart():
    particles = Particles()
    particles.burst(Burst(count=3, layer=7), 10.0, 10.0)
    particles.burst(Burst(count=2, layer=7, additive=False), 10.0, 10.0)
    particles.burst(Burst(count=1, layer=-1), 10.0, 10.0)
    found = [(layer, batch.additive, len(batch)) for layer, batch in particles.batches(Camera(640, 360).steady)]
    assert found == [(-1, True, 1), (7, False, 2), (7, True, 3)]


def test_particles_out_of_view_are_left_out():
    particles = Particles()
    particles.burst(SPARKS, 5000.0, 0.0)
    assert list(particles.batches(Camera(640, 360).steady)) == []


def test_same_seed_same_sparks():
    first, second = Particles(seed=3), Particles(seed=3)
    for particles in (first, second):
        particles.burst(Burst(), 0.0, 0.0)
        particles.advance(0.05)
    view = Camera(640, 360).steady
    assert next(first.batches(view))[1].x.tolist() == next(second.batches(view))[1].x.tolist()


def fly(scene: Scene, renderer: NullRenderer, entity: Entity, ticks: int, step: float = 5.0):
    for _ in range(ticks):
        entity[Transform].x += step
        advance(scene, renderer)


def test_a_trail_lies_where_the_entity_was():
    scene, renderer = make()
    entity = scene.world.spawn(Transform(), Trail(width=6.0, seconds=0.5))
    advance(scene, renderer)
    fly(scene, renderer, entity, 12)
    (batch,) = renderer.batches
    assert batch.x.min() >= 320 - 1
    assert batch.x.max() <= 320 + 60 + 1
    newest, oldest = batch.x.argmax(), batch.x.argmin()
    assert batch.opacity[newest] > 2 * batch.opacity[oldest]


def test_a_trail_outlives_its_entity_and_fades():
    scene, renderer = make()
    entity = scene.world.spawn(Transform(), Trail(seconds=0.3))
    advance(scene, renderer)
    fly(scene, renderer, entity, 10)
    entity.despawn()
    advance(scene, renderer, 5)
    assert renderer.sprite_count > 0
    advance(scene, renderer, 20)
    assert renderer.sprite_count == 0
    assert len(scene.world.resource(Trails)) == 0


def test_a_teleport_breaks_a_trail():
    scene, renderer = make()
    entity = scene.world.spawn(Transform(-200.0, 0.0), Trail(seconds=0.5))
    advance(scene, renderer)
    fly(scene, renderer, entity, 5)
    fly(scene, renderer, entity, 1, step=300.0)
    fly(scene, renderer, entity, 3)
    (batch,) = renderer.batches
    assert not ((batch.x > 320 - 150) & (batch.x < 320 + 100)).any()


def test_trails_of_entities_that_come_and_go_keep_to_their_owners():
    scene, renderer = make()
    world = scene.world
    entities = [world.spawn(Transform(0.0, y), Trail(seconds=0.4)) for y in (-100.0, 0.0, 100.0)]
    advance(scene, renderer)
    for _ in range(6):
        for entity in entities:
            entity[Transform].x += 5.0
        advance(scene, renderer)
    entities[0].despawn()
    late = world.spawn(Transform(0.0, 150.0), Trail(seconds=0.4))
    for _ in range(6):
        for entity in (*entities[1:], late):
            entity[Transform].x += 5.0
        advance(scene, renderer)
    (batch,) = renderer.batches
    assert sorted(set(batch.y.tolist())) == [80.0, 180.0, 280.0, 330.0]


def test_a_thing_at_rest_leaves_no_trail():
    scene, renderer = make()
    scene.world.spawn(Transform(), Trail())
    advance(scene, renderer, 30)
    assert renderer.sprite_count == 0
