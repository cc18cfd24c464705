"""Columns: the typed fields of a component, each one numpy column wide or one object list long.

A column is declared in the class body and has two faces. On the class it is the key of a whole column
(`rows[Hull.points]`); on an instance it is that row's plain value (`hull.points`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np

V = TypeVar("V")
"""The Python type of one value."""
D = TypeVar("D", bound=np.generic)
"""The numpy scalar type of the whole column."""

if TYPE_CHECKING:

    class Column(Generic[V, D]):
        """The key of a numeric column of Python type `V`, stored as numpy type `D`."""

        @overload
        def __get__(self, instance: None, owner: type) -> Column[V, D]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> V: ...
        def __get__(self, instance: object | None, owner: type) -> Any: ...
        def __set__(self, instance: object, value: V) -> None: ...

    class ObjectColumn(Generic[V]):
        """The key of a column of Python objects of type `V`."""

        @overload
        def __get__(self, instance: None, owner: type) -> ObjectColumn[V]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> V: ...
        def __get__(self, instance: object | None, owner: type) -> Any: ...
        def __set__(self, instance: object, value: V) -> None: ...

else:

    class Column(Generic[V, D]):
        """Exists for type checkers; at run time a numeric column is the struct field itself."""

    class ObjectColumn(Generic[V]):
        """One object field: a descriptor over the row's cell list."""

        __slots__ = ("name", "place")

        def __init__(self, name: str, place: int) -> None:
            self.name = name
            self.place = place

        def __repr__(self) -> str:
            return self.name

        def __get__(self, instance: Any, owner: type) -> Any:
            return self if instance is None else instance._cells[self.place]

        def __set__(self, instance: Any, value: Any) -> None:
            instance._cells[self.place] = value


F32 = Column[float, np.float32]
F64 = Column[float, np.float64]
I32 = Column[int, np.int32]
I64 = Column[int, np.int64]
U8 = Column[int, np.uint8]
U32 = Column[int, np.uint32]
U64 = Column[int, np.uint64]
Flag = Column[bool, np.bool_]
Ref = Column[int, np.uint64]
Obj = ObjectColumn


class FieldSpec:
    """What a field function leaves in the class body until the component class is built."""

    __slots__ = ("ctype", "default", "factory")

    def __init__(self, ctype: Any, default: object, factory: Callable[[], object] | None = None) -> None:
        self.ctype = ctype
        """The C type of a numeric field, None of an object field."""
        self.default = default
        self.factory = factory


def _field(ctype: Any, default: object) -> Any:
    """Declared as Any: the class body holds a `FieldSpec`, the finished class the column key."""
    return FieldSpec(ctype, default)


def f32(*, default: float = 0.0) -> F32:
    """A 32-bit float column."""
    return _field(ctypes.c_float, default)


def f64(*, default: float = 0.0) -> F64:
    """A 64-bit float column."""
    return _field(ctypes.c_double, default)


def i32(*, default: int = 0) -> I32:
    """A signed 32-bit integer column. As in all integer columns, a value out of range wraps around."""
    return _field(ctypes.c_int32, default)


def i64(*, default: int = 0) -> I64:
    """A signed 64-bit integer column."""
    return _field(ctypes.c_int64, default)


def u8(*, default: int = 0) -> U8:
    """An unsigned 8-bit integer column."""
    return _field(ctypes.c_uint8, default)


def u32(*, default: int = 0) -> U32:
    """An unsigned 32-bit integer column."""
    return _field(ctypes.c_uint32, default)


def u64(*, default: int = 0) -> U64:
    """An unsigned 64-bit integer column."""
    return _field(ctypes.c_uint64, default)


def flag(*, default: bool = False) -> Flag:
    """A boolean column."""
    return _field(ctypes.c_bool, default)


def ref(*, default: int = 0) -> Ref:
    """A column of entity ids (`entity.id`); 0 means none. Turn one into a handle with `world.find(id)`."""
    return _field(ctypes.c_uint64, default)


_UNSET: Any = object()


@overload
def obj(*, default: V) -> ObjectColumn[V]: ...
@overload
def obj(*, factory: Callable[[], V]) -> ObjectColumn[V]: ...
@overload
def obj() -> ObjectColumn[Any]: ...
def obj(*, default: Any = _UNSET, factory: Callable[[], Any] | None = None) -> Any:
    """A column of Python objects: strings, tuples, lists, enums, dataclasses.

    `default` is shared by all rows, so a mutable one is given through `factory`. In a component that is not local
    the values must be ones that can be hashed canonically (see `engine.ecs.digest`).
    """
    return FieldSpec(None, None if default is _UNSET else default, factory)
