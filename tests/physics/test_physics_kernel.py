"""The compiled kernel does what is done without it: the same bits, the same events, in the same order."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.app import Plugin, Scene, Tick
from engine.ecs import Component, Entity, World, state_hash
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
    OneWay,
    PhysicsError,
    PhysicsSettings,
    PinJoint,
    Polygon,
    Quarantined,
    Segment,
    Shape,
    Space,
    Velocity,
    direct,
    physics,
)
from engine.scene import Transform

pytestmark = pytest.mark.skipif(
    direct.CALLS is None,
    reason="the kernel of physics was not built (no C compiler at hand), is switched off, or does not know this pymunk",
)

TICKS = 90
SHAPES: list[Shape] = [
    Circle(8.0),
    Circle(5.0, x=6.0, y=-2.0),
    Box(20.0, 14.0),
    Polygon(((-9.0, -6.0), (12.0, -5.0), (4.0, 9.0))),
    Segment(-8.0, 0.0, 8.0, 3.0, 4.0),
    Compound((Circle(6.0, x=-7.0), Circle(6.0, x=7.0), Box(8.0, 4.0))),
]


class Ghost(Component):
    """Tag of what passes through others, by the parity of their ids."""


Line = tuple[Any, ...]
Outcome = tuple[list[int], list[Line]]


def _spawn(world: World, rng: random.Random, side: float) -> Entity:
    shape = rng.choice(SHAPES)
    kind = rng.choice([BodyKind.DYNAMIC] * 8 + [BodyKind.KINEMATIC, BodyKind.STATIC])
    body = Body(kind, mass=rng.choice([0.5, 1.0, 3.0]), fixed_rotation=rng.random() < 0.2)
    if rng.random() < 0.1:
        body.damping, body.angular_damping = 0.5, 0.3
    parts: list[Component] = [
        Transform(rng.uniform(-side, side), rng.uniform(-side, side), rng.uniform(0, 6)),
        Collider(shape, Material(rng.choice([0.0, 0.7, 1.0]), rng.choice([0.0, 0.6])), sensor=rng.random() < 0.1),
    ]
    if rng.random() < 0.95:
        parts.append(body)
    if rng.random() < 0.8:
        parts.append(Velocity(rng.uniform(-200, 200), rng.uniform(-200, 200), rng.uniform(-3, 3)))
    if rng.random() < 0.15:
        parts.append(Ghost())
    if rng.random() < 0.05:
        parts.append(OneWay(0.0, 1.0))
    return world.spawn(*parts)


def _stir(world: World, rng: random.Random, side: float) -> None:
    """What games do to their bodies between two steps, and what they had better not do."""
    for entity, at in list(world.rows(Entity, Transform)):
        chance = rng.random()
        if chance < 0.02:
            at.x, at.y = rng.uniform(-side, side), rng.uniform(-side, side)
        elif chance < 0.06:
            at.angle += 0.3
        elif chance < 0.07:
            at.x = -0.0
        elif chance < 0.072:
            at.y = float("nan")
        elif chance < 0.09 and Collider in entity:
            entity[Collider].mask ^= 8
        elif chance < 0.10 and Collider in entity:
            entity.add(Collider(rng.choice(SHAPES)))
        elif chance < 0.11:
            entity.despawn()
    for motion in world.rows(Velocity):
        chance = rng.random()
        if chance < 0.2:
            motion.vx, motion.vy = rng.uniform(-200, 200), rng.uniform(-200, 200)
        elif chance < 0.21:
            motion.angular = -motion.angular
        elif chance < 0.212:
            motion.vx = float("inf")
        elif chance < 0.214:
            motion.vy = 1.7e308
    space = world.resource(Space)
    for entity in list(world.rows(Entity, having=(Body,))):
        if entity[Body].kind == BodyKind.DYNAMIC and rng.random() < 0.03:
            space.impulse(entity, rng.uniform(-90, 90), rng.uniform(-90, 90))
    if rng.random() < 0.3:
        _spawn(world, rng, side)


def play(seed: int, count: int, side: float, settings: PhysicsSettings, *, back: bool = False) -> Outcome:
    """A wild scene: hashes of its states, and all that was told."""
    rng = random.Random(seed)
    lines: list[Line] = []
    rules = Plugin("wild", needs=[physics])

    @rules.on(Tick)
    def stir(world: World, tick: Tick) -> None:  # pyright: ignore[reportUnusedFunction]
        _stir(world, rng, side)

    @rules.on(ContactBegan)
    def began(world: World, told: ContactBegan[Any, Any]) -> None:  # pyright: ignore[reportUnusedFunction]
        lines.append(("began", told.a.id, told.b.id, told.x, told.y, told.nx, told.ny, told.impulse, told.energy))

    @rules.on(ContactEnded)
    def ended(world: World, told: ContactEnded[Any, Any]) -> None:  # pyright: ignore[reportUnusedFunction]
        lines.append(("ended", told.a.id, told.b.id))

    @rules.on(Quarantined)
    def lost(world: World, told: Quarantined) -> None:  # pyright: ignore[reportUnusedFunction]
        lines.append(("lost", told.entity.id))

    scene = Scene(rules, seed=seed, resources=[settings])
    world = scene.world

    @world.resource(Space).refuse(Ghost, Collider)
    def passes(world: World, ghost: Entity, other: Entity) -> bool:  # pyright: ignore[reportUnusedFunction]
        if other.id % 5 == 0 and Velocity in ghost:
            ghost[Velocity].vx = 33.0  # not its business, but it may
        return other.id % 3 == 0

    for x, y, width, height in ((-1, 0, 40, 2), (1, 0, 40, 2), (0, -1, 2, 40), (0, 1, 2, 40)):
        walls = Box(max(width, 2 * side * (height == 40)), max(height, 2 * side * (width == 40)))
        world.spawn(Transform(x * (side + 20), y * (side + 20)), Collider(walls))
    made = [_spawn(world, rng, side) for _ in range(count)]
    dynamic = [each for each in made if Body in each and each[Body].kind == BodyKind.DYNAMIC]
    world.spawn(PinJoint(dynamic[0].id, dynamic[1].id))
    hashes: list[int] = []
    saved: tuple[Any, dict[int, tuple[Component, ...]]] | None = None
    for number in range(TICKS):
        try:
            scene.run_tick()
        except PhysicsError as error:
            lines.append(("rejected", str(error)))
        if back and number % 10 == 3:
            kept = {each.id: (at.copy(), motion.copy()) for each, at, motion in world.rows(Entity, Transform, Velocity)}
            saved = world.resource(Space).mark(), kept
        elif back and saved is not None and number % 10 == 9:
            for id, components in saved[1].items():
                entity = world.find(id)
                for component in components if entity is not None else ():
                    entity.add(component)  # pyright: ignore[reportOptionalMemberAccess]
            world.resource(Space).revert(saved[0])
            saved = None
        hashes.append(state_hash(world))
    return hashes, lines


def _is_same_without(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Outcome]) -> Outcome:
    hashes, lines = run()
    monkeypatch.setattr(direct, "CALLS", None)
    without = run()
    assert [repr(line) for line in without[1]] == [repr(line) for line in lines]
    assert without[0] == hashes
    return hashes, lines


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [12, 60])
def test_a_wild_scene_goes_the_same_way(monkeypatch: pytest.MonkeyPatch, seed: int, count: int) -> None:
    def run() -> Outcome:
        return play(seed, count, 20.0 * count**0.5, PhysicsSettings(substeps=1 + seed % 2))

    _, lines = _is_same_without(monkeypatch, run)
    assert {line[0] for line in lines} >= {"began", "ended"}


def test_a_crowd_goes_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    _, lines = _is_same_without(monkeypatch, lambda: play(9, 400, 190.0, PhysicsSettings(gravity=(0.0, -300.0))))
    assert len(lines) > 2000
    assert {line[0] for line in lines} == {"began", "ended", "lost", "rejected"}


@pytest.mark.parametrize("seed", range(3))
def test_bodies_that_sleep_go_the_same_way(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    settings = {"gravity": (0.0, -500.0), "damping": 0.5, "sleep_after": 0.2, "sleep_speed": 30.0}
    _is_same_without(monkeypatch, lambda: play(seed, 25, 100.0, PhysicsSettings(**settings)))


@pytest.mark.parametrize("seed", range(4))
def test_going_back_leads_to_the_same(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    _is_same_without(monkeypatch, lambda: play(seed, 50, 120.0, PhysicsSettings(), back=True))


# What is lent to the kernel


def _block(rows: int) -> Any:
    return np.zeros(rows, np.intp), *(np.zeros((rows, 3)) for _ in range(4))


def test_buffers_that_are_too_small_are_refused() -> None:
    from engine.physics import kernel

    calls, none = direct.CALLS, np.zeros(4, np.uintp)
    assert calls is not None
    assert kernel.write_back(calls, none, (_block(3),))
    for place in range(1, 5):
        block = list(_block(3))
        block[place] = block[place][:2]
        with pytest.raises(ValueError, match="48 bytes was given where 72"):
            kernel.write_back(calls, none, (tuple(block),))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="128 bytes was given where 136"):
        kernel.write_back(calls[:-8], none, ())
    with pytest.raises(ValueError, match="missing"):
        kernel.write_back(bytes(len(calls)), none, ())
    with pytest.raises(TypeError):
        kernel.write_back(calls, none, (None,))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="five"):
        kernel.write_back(calls, none, (_block(3)[:4],))
    with pytest.raises((BufferError, ValueError)):
        kernel.write_back(calls, none, ((_block(1)[0], *(bytes(24),) * 4),))
    for slot in (-1, 4):
        block = _block(3)
        block[0][1] = slot
        with pytest.raises(ValueError, match="no slot"):
            kernel.write_back(calls, none, (block,))


def test_a_table_has_room_for_twice_its_bodies() -> None:
    from engine.physics import kernel

    pointers = np.array([16, 0, 32, 48], np.uintp)
    keys, slots = np.zeros(8, np.uintp), np.zeros(8, np.int64)
    kernel.index(pointers, keys, slots)
    assert {int(key): int(slot) for key, slot in zip(keys, slots, strict=True) if key} == {16: 0, 32: 2, 48: 3}
    for size, wrong in ((4, "too small"), (6, "power of two")):
        with pytest.raises(ValueError, match=wrong):
            kernel.index(pointers, np.zeros(size, np.uintp), np.zeros(size, np.int64))
    with pytest.raises(ValueError, match="bytes"):
        kernel.index(pointers, keys, slots[:5])


@pytest.mark.parametrize("seed", range(5))
def test_sorted_pairs_are_compared(seed: int) -> None:
    from engine.physics import kernel

    rng = np.random.default_rng(seed)
    some, others = (np.sort(rng.integers(0, 50, rng.integers(0, 40))) for _ in range(2))
    room = some.copy()
    count = kernel.distinct(room, len(room), b"")
    count = max(count, 0)
    assert room[:count].tolist() == sorted(set(some.tolist()))
    assert kernel.distinct(room, count, room[:count].copy()) == ~count
    found = np.empty(count, np.int64)
    left = kernel.without(room[:count], others, found)
    assert found[:left].tolist() == sorted(set(some.tolist()) - set(others.tolist()))
    with pytest.raises(ValueError, match="bytes"):
        kernel.distinct(room, len(room) + 1, b"")
