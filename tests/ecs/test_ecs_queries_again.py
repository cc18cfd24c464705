"""Queries made again and again: what they go through is kept, and found anew when it has become another."""

from __future__ import annotations

import numpy as np
import pytest

from engine.ecs import F64, Component, Entity, World, capture, f64, restore


class Pos(Component):
    x: F64 = f64()


class Vel(Component):
    x: F64 = f64()


class Glow(Component, local=True):
    pass


def xs(world: World) -> list[float]:
    return [pos.x for pos in world.rows(Pos)]


def test_tables_that_come_later_are_found() -> None:
    world = World()
    assert xs(world) == []
    world.spawn(Pos(1.0))
    assert xs(world) == [1.0]
    world.spawn(Pos(2.0), Vel())
    assert xs(world) == [1.0, 2.0]
    assert [pos.x for pos in world.rows(Pos, without=(Vel,))] == [1.0]


def test_a_local_component_that_comes_later_is_found_and_excluded() -> None:
    world = World()
    world.spawn(Pos(1.0))
    lit = world.spawn(Pos(2.0))

    def asked() -> tuple[list[float], list[float]]:
        return [p.x for p in world.rows(Pos, having=(Glow,))], [p.x for p in world.rows(Pos, without=(Glow,))]

    assert asked() == ([], [1.0, 2.0])
    lit.add(Glow())
    assert asked() == ([2.0], [1.0])
    lit.remove(Glow)
    assert asked() == ([], [1.0, 2.0])


def test_queries_go_through_the_tables_of_a_snapshot_in_its_order() -> None:
    world = World()
    world.spawn(Pos(1.0), Vel())
    snapshot = capture(world)
    world.spawn(Pos(2.0))
    assert xs(world) == [1.0, 2.0]
    restore(world, snapshot)
    assert xs(world) == [1.0]
    world.spawn(Pos(3.0))
    assert xs(world) == [1.0, 3.0]


def test_handles_are_those_of_now() -> None:
    world = World()
    first, second = world.spawn(Pos(1.0)), world.spawn(Pos(2.0))
    assert list(world.rows(Entity, having=(Pos,))) == [first, second]
    first.despawn()
    third = world.spawn(Pos(3.0))
    found = [(entity, pos.x) for entity, pos in world.rows(Entity, Pos)]
    assert found == [(second, 2.0), (third, 3.0)]
    with world.deferred():
        second.despawn()
        assert list(world.rows(Entity, having=(Pos,))) == [second, third]
    assert list(world.rows(Entity, having=(Pos,))) == [third]


def test_where_gives_the_entities_of_a_mask() -> None:
    world = World()
    entities = [world.spawn(Pos(float(x))) for x in range(5)]
    (rows,) = world.tables(Pos)
    assert rows.where(rows[Pos.x] > 2) == entities[3:]
    assert rows.where(rows[Pos.x] > 9) == []
    with pytest.raises(IndexError):
        rows.where(np.ones(9, np.bool_))
    for entity in entities[1::2]:
        entity.add(Glow())
    (lit,) = world.tables(Pos, Glow)
    assert lit.where(lit[Pos.x] > 2) == [entities[3]]


def test_a_revision_stays_while_rows_do_and_never_comes_again() -> None:
    world = World()

    def revision(kind: type[Component]) -> int:
        (rows,) = world.tables(kind)
        return rows.revision

    first = world.spawn(Pos())
    seen = [revision(Pos)]
    first[Pos].x = 5.0
    assert revision(Pos) == seen[0]
    world.spawn(Pos())
    seen.append(revision(Pos))
    first.despawn()
    seen.append(revision(Pos))
    world.despawn_many(world.spawn_many(3, Pos()))
    seen.append(revision(Pos))
    world.spawn(Vel())
    seen.append(revision(Vel))
    snapshot = capture(world)
    restore(world, snapshot)
    seen.append(revision(Pos))
    assert len(set(seen)) == len(seen)


def test_the_layout_changes_when_tables_do() -> None:
    world = World()
    world.spawn(Pos())
    layout = world.layout
    world.spawn(Pos())
    assert world.layout == layout
    world.spawn(Vel())
    assert world.layout != layout
