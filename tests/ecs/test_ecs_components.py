"""Declaring components, and what their instances are."""

import copy
from enum import Enum
from types import new_class
from typing import ClassVar

import numpy as np
import pytest

from engine.ecs import F32, F64, I32, U8, Component, ComponentError, Flag, Obj, World, f32, f64, flag, i32, obj, u8


class Side(Enum):
    LEFT = 1


class Hull(Component):
    LIMIT: ClassVar[float] = 100.0

    points: F32 = f32(default=100.0)
    armour: F64 = f64()

    @property
    def broken(self) -> bool:
        return self.points <= 0.0


class Named(Component):
    name: Obj[str] = obj(default="nobody")
    tags: Obj[list[str]] = obj(factory=list)
    level: U8 = u8(default=1)


class Tag(Component):
    pass


def test_defaults_and_keywords() -> None:
    assert Hull().points == 100.0
    assert Hull(points=3.0, armour=2.0).values() == {"points": 3.0, "armour": 2.0}
    assert Hull(5.0).points == 5.0
    assert repr(Hull(1.0)) == "Hull(points=1.0, armour=0.0)"
    assert repr(Hull) == "Hull"
    assert repr(Tag()) == "Tag()"
    assert Hull(0.0).broken
    assert Hull.LIMIT == 100.0


def test_each_instance_gets_its_own_product_of_a_factory() -> None:
    first, second = Named(), Named()
    first.tags.append("x")
    assert second.tags == []
    assert (second.name, second.level) == ("nobody", 1)


def test_instances_compare_by_value_and_are_not_hashable() -> None:
    assert Hull(1.0) == Hull(1.0)
    assert Hull(1.0) != Hull(2.0)
    assert Hull() != Tag()
    with pytest.raises(TypeError):
        hash(Hull())


def test_copies_are_detached() -> None:
    named = Named("a", ["x"])
    shallow, deep = named.copy(), copy.deepcopy(named)
    named.name = "b"
    named.level = 9
    named.tags.append("y")
    assert (shallow.name, shallow.level, shallow.tags) == ("a", 1, ["x", "y"])
    assert (deep.name, deep.level, deep.tags) == ("a", 1, ["x"])


def test_a_misspelt_field_is_an_error() -> None:
    with pytest.raises(AttributeError, match="pionts"):
        Hull().pionts = 3.0  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"Hull\.__init__.*pionts"):
        Hull(pionts=3.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Hull(points="many")  # type: ignore[arg-type]


def test_a_type_without_a_field_function() -> None:
    with pytest.raises(ComponentError, match=r"Wrong\.points has a type but no field; write e\.g\."):

        class Wrong(Component):  # pyright: ignore[reportUnusedClass]
            points: F32  # type: ignore[misc]


def test_a_field_function_without_a_type() -> None:
    with pytest.raises(ComponentError, match=r"Wrong\.points has a field but no type"):

        class Wrong(Component):  # pyright: ignore[reportUnusedClass]
            points = f32()


def test_components_do_not_inherit() -> None:
    with pytest.raises(ComponentError, match="must derive from Component alone, not from Hull"):

        class Wrong(Hull):  # pyright: ignore[reportUnusedClass]
            pass


@pytest.mark.parametrize("name", ["copy", "values", "record", "_cells", "self", "local"])
def test_taken_names_are_refused(name: str) -> None:
    with pytest.raises(ComponentError, match=f"cannot be called {name}"):
        new_class("Wrong", (Component,), exec_body=lambda body: body.update({name: f32()}))


def test_a_mutable_default_is_refused() -> None:
    with pytest.raises(ComponentError, match=r"write obj\(factory=list\)"):

        class Wrong(Component):  # pyright: ignore[reportUnusedClass]
            tags: Obj[list[str]] = obj(default=[])


def test_a_default_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ComponentError, match="out of range"):

        class Wide(Component):  # pyright: ignore[reportUnusedClass]
            level: U8 = u8(default=256)

    with pytest.raises(ComponentError, match="cannot have the default 'x'"):

        class Text(Component):  # pyright: ignore[reportUnusedClass]
            points: F32 = f32(default="x")  # type: ignore[arg-type]


def test_an_init_beside_fields_is_refused() -> None:
    with pytest.raises(ComponentError, match="remove the one it declares"):

        class Wrong(Component):  # pyright: ignore[reportUnusedClass]
            points: F32 = f32()

            def __init__(self) -> None:
                pass


def test_string_annotations_are_understood() -> None:
    namespace: dict[str, object] = {}
    source = (
        "from __future__ import annotations\n"
        "from typing import ClassVar\n"
        "from engine.ecs import *\n"
        "class Late(Component):\n"
        "    LIMIT: ClassVar[int] = 3\n"
        "    count: I32 = i32(default=2)\n"
    )
    exec(source, namespace)
    late: type = namespace["Late"]  # type: ignore[assignment]
    assert late().count == 2


def test_columns_have_the_declared_numpy_types() -> None:
    class Mixed(Component):
        a: F32 = f32()
        b: F64 = f64()
        c: I32 = i32()
        d: U8 = u8()
        e: Flag = flag()

    world = World()
    world.spawn(Mixed(1.5, 2.5, -3, 4, True))
    for rows in world.tables(Mixed):
        columns = [rows[key] for key in (Mixed.a, Mixed.b, Mixed.c, Mixed.d, Mixed.e)]
        assert [column.dtype for column in columns] == [np.float32, np.float64, np.int32, np.uint8, np.bool_]
        assert [column[0] for column in columns] == [1.5, 2.5, -3, 4, True]


def test_enums_tuples_and_any_other_object_fit_an_object_field() -> None:
    class Holder(Component):
        side: Obj[Side] = obj(default=Side.LEFT)
        value: Obj[tuple[int, ...]] = obj(default=())

    entity = World().spawn(Holder(value=(1, 2)))
    assert entity[Holder].side is Side.LEFT
    assert entity[Holder].value == (1, 2)
