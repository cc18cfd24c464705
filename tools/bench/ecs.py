"""Worlds: position += velocity * dt over 10,000 entities, by columns and by rows; spawning and despawning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.ecs import F32, F64, Component, World, f32, f64
from tools.bench.figure import Figure, rival
from tools.bench.peers import peer

COUNT = 10_000
DT = 1 / 60


class Position(Component):
    x: F64 = f64()
    y: F64 = f64()


class Velocity(Component):
    x: F64 = f64()
    y: F64 = f64()


class Health(Component):
    points: F32 = f32(default=100.0)


class PlainPosition:
    def __init__(self, x: float = 0.0, y: float = 0.0) -> None:
        self.x = x
        self.y = y


class PlainVelocity:
    def __init__(self, x: float = 0.0, y: float = 0.0) -> None:
        self.x = x
        self.y = y


class PlainHealth:
    def __init__(self, points: float = 100.0) -> None:
        self.points = points


def _filled() -> World:
    world = World()
    world.spawn_many(COUNT, Position(1.0, 2.0), Velocity(3.0, 4.0), Health())
    return world


def _esper_rows() -> dict[str, Any]:
    esper = peer("esper")
    if not esper:
        return {}
    esper.clear_database()
    for _ in range(COUNT):
        esper.create_entity(PlainPosition(1.0, 2.0), PlainVelocity(3.0, 4.0), PlainHealth())

    def run() -> None:
        for _, (position, velocity) in esper.get_components(PlainPosition, PlainVelocity):
            position.x += velocity.x * DT
            position.y += velocity.y * DT

    return {"esper": run}


def ecs_columns() -> Iterator[Figure]:
    """Whole columns, against numpy arrays of the same numbers, and esper.

    Once with position and velocity as the vectors they are, once field by field.
    """
    world = _filled()
    x, y, vx, vy = np.ones(COUNT), np.ones(COUNT), np.ones(COUNT), np.ones(COUNT)

    def as_vectors() -> None:
        for rows in world.tables(Position, Velocity):
            rows[Position] += rows[Velocity] * DT

    def field_by_field() -> None:
        for rows in world.tables(Position, Velocity):
            rows[Position.x] += rows[Velocity.x] * DT
            rows[Position.y] += rows[Velocity.y] * DT

    def bare_numpy() -> None:
        nonlocal x, y
        x += vx * DT
        y += vy * DT

    contenders = {"vectors": as_vectors, "fields": field_by_field, "bare numpy": bare_numpy, **_esper_rows()}
    best = {name: seconds * 1e6 for name, seconds in rival(contenders, rounds=25, number=40).items()}
    numpy_time, esper_time = best["bare numpy"], best.get("esper")
    yield Figure("ecs-columns", best["vectors"], "µs", "bare numpy", numpy_time, "<= 3.0")
    if esper_time is not None:
        yield Figure("ecs-columns", best["vectors"], "µs", "esper", esper_time, ">= 50 faster")
    yield Figure("ecs-columns by field", best["fields"], "µs", "bare numpy", numpy_time, "<= 3.0")
    if esper_time is not None:
        yield Figure("ecs-columns by field", best["fields"], "µs", "esper", esper_time)


def ecs_rows() -> Iterator[Figure]:
    """Row by row, against esper."""
    world = _filled()

    def ours() -> None:
        for position, velocity in world.rows(Position, Velocity):
            position.x += velocity.x * DT
            position.y += velocity.y * DT

    best = {k: v / COUNT * 1e6 for k, v in rival({"ours": ours, **_esper_rows()}).items()}
    yield Figure("ecs-rows", best["ours"], "µs", "esper", best.get("esper"), "<= 4.0" if "esper" in best else None)


def ecs_spawn() -> Iterator[Figure]:
    """Spawn and despawn 10,000 entities of three components, one by one and at once."""
    singly, bulk = World(), World()
    template = (Position(1.0, 2.0), Velocity(3.0, 4.0), Health())

    def one_by_one() -> None:
        entities = [singly.spawn(Position(1.0, 2.0), Velocity(3.0, 4.0), Health(50.0)) for _ in range(COUNT)]
        for entity in entities:
            singly.despawn(entity)

    def at_once() -> None:
        bulk.despawn_many(bulk.spawn_many(COUNT, *template))

    contenders: dict[str, Any] = {"singly": one_by_one, "bulk": at_once}
    if esper := peer("esper"):
        esper.clear_database()

        def theirs() -> None:
            made = [
                esper.create_entity(PlainPosition(1.0, 2.0), PlainVelocity(3.0, 4.0), PlainHealth(50.0))
                for _ in range(COUNT)
            ]
            for entity in made:
                esper.delete_entity(entity, immediate=True)

        contenders["esper"] = theirs
    best = {name: seconds / COUNT * 1e6 for name, seconds in rival(contenders, rounds=7).items()}
    against = best.get("esper")
    yield Figure("ecs-spawn singly", best["singly"], "µs", "esper", against, "<= 2.5" if against else None)
    yield Figure("ecs-spawn bulk", best["bulk"], "µs", "esper", against, ">= 10 faster" if against else None)
