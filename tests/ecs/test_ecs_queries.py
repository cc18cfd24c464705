"""Queries: row by row, and whole columns."""

import numpy as np
import pytest

from engine.ecs import (
    F32,
    F64,
    Component,
    ComponentError,
    EcsError,
    Entity,
    MissingComponentError,
    Obj,
    World,
    f32,
    f64,
    obj,
)


class Pos(Component):
    x: F64 = f64()
    y: F64 = f64()


class Vel(Component):
    x: F64 = f64()
    y: F64 = f64()


class Hull(Component):
    points: F32 = f32(default=100.0)
    name: Obj[str] = obj(default="")


class Frozen(Component):
    pass


class Glow(Component, local=True):
    size: F32 = f32(default=1.0)
    colour: Obj[str] = obj(default="red")


class Spark(Component, local=True):
    pass


class Mixed(Component):
    a: F32 = f32()
    b: F64 = f64()


@pytest.fixture
def world() -> World:
    """0: Pos · 1: Pos Vel · 2: Pos Vel Hull · 3: Pos Vel Frozen · 4: Pos Vel and a Glow. `Pos.x` is the number."""
    world = World()
    world.spawn(Pos(0.0))
    world.spawn(Pos(1.0), Vel(1.0, 2.0))
    world.spawn(Pos(2.0), Vel(), Hull(5.0, "two"))
    world.spawn(Pos(3.0), Vel(), Frozen())
    world.spawn(Pos(4.0), Vel(), Glow(4.0, "blue"))
    return world


def numbers(world: World, *wanted: type[Component], without: tuple[type[Component], ...] = ()) -> list[float]:
    by_row = sorted(pos.x for pos in world.rows(Pos, having=wanted, without=without))
    by_column = sorted(x for rows in world.tables(Pos, *wanted, without=without) for x in rows[Pos.x].tolist())
    assert by_row == by_column
    assert world.count(Pos, *wanted, without=without) == len(by_row)
    return by_row


def test_having_and_without(world: World) -> None:
    assert numbers(world) == [0, 1, 2, 3, 4]
    assert numbers(world, Vel) == [1, 2, 3, 4]
    assert numbers(world, Vel, without=(Frozen,)) == [1, 2, 4]
    assert numbers(world, Frozen) == [3]
    assert numbers(world, Glow) == [4]
    assert numbers(world, Vel, without=(Glow,)) == [1, 2, 3]
    assert numbers(world, Vel, without=(Glow, Hull)) == [1, 3]
    assert numbers(world, Hull, Frozen) == []


def test_local_components_on_either_side_of_a_query(world: World) -> None:
    for i in range(5, 9):
        entity = world.spawn(Pos(float(i)), Vel())
        if i % 2:
            entity.add(Glow())
        if i > 6:
            entity.add(Spark())
    assert numbers(world, Glow) == [4, 5, 7]
    assert numbers(world, Glow, without=(Spark,)) == [4, 5]
    assert numbers(world, Glow, Spark) == [7]
    assert numbers(world, Spark, without=(Glow,)) == [8]
    assert numbers(world, Vel, without=(Glow, Spark)) == [1, 2, 3, 6]


def test_rows_of_several_types(world: World) -> None:
    found = [(entity[Pos].x, hull.name, vel.x) for entity, hull, vel in world.rows(Entity, Hull, Vel)]
    assert found == [(2.0, "two", 0.0)]
    assert [(glow.colour, pos.x) for glow, pos in world.rows(Glow, Pos)] == [("blue", 4.0)]
    assert len(list(world.rows(Frozen))) == 1
    assert len(list(world.rows(Entity))) == 5
    with pytest.raises(EcsError, match="at least one type"):
        world.rows()  # type: ignore[call-overload]


def test_only(world: World) -> None:
    assert world.only(Pos, having=(Frozen,)).x == 3.0
    entity, hull = world.only(Entity, Hull)
    assert entity[Hull] == hull
    with pytest.raises(EcsError, match="exactly one entity with Vel and without Frozen, found 3"):
        world.only(Vel, without=(Frozen,))
    with pytest.raises(EcsError, match="exactly one entity with Mixed, found 0"):
        world.only(Mixed)


def test_columns_write_through_to_rows(world: World) -> None:
    for rows in world.tables(Pos, Vel):
        rows[Pos.x] += rows[Vel.x] * 10.0
        rows[Pos.y] = 7.0
    assert sorted((pos.x, pos.y) for pos in world.rows(Pos)) == [(0, 0), (2, 7), (3, 7), (4, 7), (11, 7)]


def test_columns_of_some_rows_are_scattered_back(world: World) -> None:
    for rows in world.tables(Pos, Glow):
        assert len(rows) == 1
        rows[Pos.x] += 1.0
        rows[Glow.size] = rows[Pos.x]
        assert rows[Glow.colour] == ["blue"]
        rows[Glow.colour] = ["green"]
    assert sorted(pos.x for pos in world.rows(Pos)) == [0, 1, 2, 3, 5]
    glow = world.only(Glow)
    assert (glow.size, glow.colour) == (5.0, "green")


def test_a_component_of_one_type_is_a_matrix(world: World) -> None:
    for rows in world.tables(Pos, Vel):
        assert rows[Pos].shape == (len(rows), 2)
        rows[Pos] += rows[Vel] * 0.5
    assert world.only(Pos, having=(Vel,), without=(Hull, Frozen, Glow)) == Pos(1.5, 1.0)
    for rows in world.tables(Glow, Pos):
        rows[Pos] = [8.0, 9.0]
    assert world.only(Pos, having=(Glow,)) == Pos(8.0, 9.0)
    world.spawn(Mixed())
    for rows in world.tables(Mixed):
        with pytest.raises(ComponentError, match="Mixed makes no matrix"):
            rows[Mixed]


def test_wrong_keys_name_the_column_and_the_cure(world: World) -> None:
    (rows,) = world.tables(Hull)
    with pytest.raises(MissingComponentError, match=r"no Glow\.size, only columns of Hull, Pos, Vel; add Glow to the"):
        rows[Glow.size]
    with pytest.raises(MissingComponentError, match=r"no Glow\.colour, only"):
        rows[Glow.colour]
    with pytest.raises(MissingComponentError, match=r"no Mixed, only Hull, Pos, Vel"):
        rows[Mixed]
    with pytest.raises(MissingComponentError, match=r"no Glow\.size, only"):
        rows[Glow.size] = 3.0
    with pytest.raises(MissingComponentError, match="'points' is no column; use a component's field as key"):
        rows["points"]  # type: ignore[call-overload]


def test_object_columns(world: World) -> None:
    (rows,) = world.tables(Hull)
    assert rows[Hull.name] == ["two"]
    rows[Hull.name] = ["deux"]
    assert world.only(Hull).name == "deux"
    with pytest.raises(ValueError, match=r"Hull\.name got 2 values for 1 rows"):
        rows[Hull.name] = ["a", "b"]


def test_rows_know_their_entities(world: World) -> None:
    for rows in world.tables(Pos):
        assert [entity[Pos].x for entity in rows] == rows[Pos.x].tolist()
        assert rows.ids.tolist() == [entity.id for entity in rows.entities]
        assert len(rows) == len(rows.indices)
        rows.ids[:] = 0
    assert len(list(world)) == 5
    assert all(entity.alive for entity in world)


def test_columns_of_many_rows_survive_growth() -> None:
    world = World()
    for i in range(1000):
        world.spawn(Pos(float(i)), Vel(y=float(-i)))
    (rows,) = world.tables(Pos, Vel)
    assert rows[Pos.x].tolist() == list(range(1000))
    assert np.array_equal(rows[Vel.y], -rows[Pos.x])


def test_queries_within_queries(world: World) -> None:
    pairs = [(a.x, b.x) for a in world.rows(Pos) for b in world.rows(Pos) if a.x < b.x]
    assert len(pairs) == 10
    assert not world.is_deferred
