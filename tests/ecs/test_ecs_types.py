"""What a type checker makes of worlds. The assertions are checked by pyright; every ignored error must be one."""
# pyright: reportUnnecessaryTypeIgnoreComment=true

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.ecs import (
    F32,
    F64,
    I32,
    Column,
    Component,
    Entity,
    Flag,
    Obj,
    ObjectColumn,
    Resource,
    World,
    f32,
    f64,
    flag,
    i32,
    obj,
)


class Pos(Component):
    x: F64 = f64()
    y: F64 = f64()


class Hull(Component):
    points: F32 = f32(default=100.0)
    level: I32 = i32()
    sealed: Flag = flag()
    name: Obj[str] = obj(default="")
    tags: Obj[list[str]] = obj(factory=list)


class Frozen(Component):
    pass


class Score(Resource):
    points: int = 0


@pytest.fixture
def world() -> World:
    world = World()
    world.insert(Score(points=3))
    world.spawn(Pos(1.0, y=2.0), Hull(level=3, tags=["a"]), Frozen())
    return world


def test_fields(world: World) -> None:
    assert_type(Pos.x, Column[float, np.float64])
    assert_type(Hull.name, ObjectColumn[str])
    entity = world.only(Entity)
    hull = entity[Hull]
    assert_type(hull, Hull)
    assert_type(hull.points, float)
    assert_type(hull.level, int)
    assert_type(hull.sealed, bool)
    assert_type(hull.name, str)
    assert_type(hull.tags, list[str])
    assert_type(entity.get(Hull), Hull | None)
    assert_type(hull.copy(), Hull)


def test_columns(world: World) -> None:
    for rows in world.tables(Pos, Hull):
        assert_type(rows[Pos.x], NDArray[np.float64])
        assert_type(rows[Hull.points], NDArray[np.float32])
        assert_type(rows[Hull.sealed], NDArray[np.bool_])
        assert_type(rows[Hull.name], list[str])
        assert_type(rows[Pos], NDArray[Any])
        rows[Pos.x] += rows[Pos.y] * 0.5
        rows[Pos] *= 2.0


def test_queries(world: World) -> None:
    for pos in world.rows(Pos, having=(Hull,), without=()):
        assert_type(pos, Pos)
    for pair in world.rows(Entity, Hull):
        assert_type(pair, tuple[Entity, Hull])
    for triple in world.rows(Pos, Hull, Frozen):
        assert_type(triple, tuple[Pos, Hull, Frozen])
    assert_type(world.only(Pos), Pos)
    assert_type(world.only(Pos, Hull), tuple[Pos, Hull])
    assert_type(world.only(Entity, Pos, Hull), tuple[Entity, Pos, Hull])
    assert_type(world.resource(Score), Score)
    assert_type(world.find_resource(Score), Score | None)
    assert_type(world.resource(Score).points, int)


def test_mistakes(world: World) -> None:
    hull = world.only(Hull)
    (rows,) = world.tables(Hull)
    with pytest.raises(AttributeError):
        str(hull.pionts)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    with pytest.raises(AttributeError):
        hull.pionts = 3.0  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError):
        rows[Hull.pionts]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    with pytest.raises(TypeError):
        hull.points = "many"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        Hull(pionts=3.0)  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError):
        Pos("here")  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        Score(pionts=3)  # pyright: ignore[reportCallIssue]


def test_pyright_agrees() -> None:
    pytest.importorskip("pyright", reason="the type checker is not installed")
    run = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, __file__],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    if not run.stdout.startswith("{"):
        pytest.skip(f"the type checker does not run here: {run.stderr.strip()}")
    found = json.loads(run.stdout)["generalDiagnostics"]
    assert [(item["range"]["start"]["line"] + 1, item["message"]) for item in found] == []
