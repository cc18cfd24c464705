"""Components: plain typed records. An instance *is* its memory, inside a table or on its own.

A component class is a C structure. `Hull(points=50.0)` owns its bytes; the row that `entity[Hull]` gives is the
same class laid over the table's buffer, so its fields are read and written at C speed and a whole column is a
numpy view over the same bytes. Object fields live beside the record in a list of cells, one list a row.
"""

from __future__ import annotations

import copy
import ctypes
import inspect
import sys
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, cast, dataclass_transform

import numpy as np

from engine.ecs.column import FieldSpec, ObjectColumn
from engine.ecs.errors import ComponentError, StaleRowError

if TYPE_CHECKING:
    # To a type checker any attribute of a ctypes structure exists; a misspelt column should be an error.
    _RecordType = type

    class _Record:
        pass

else:
    _RecordType = type(ctypes.Structure)
    _Record = ctypes.Structure


class ComponentType(_RecordType):
    """Builds a component class: its record layout, its object cells and an `__init__` with defaults."""

    local: bool
    columns: tuple[str, ...]
    objects: tuple[str, ...]
    specs: dict[str, FieldSpec]
    record: np.dtype[Any] | None
    stale: type | None

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, local: bool = False
    ) -> ComponentType:
        if bases == (_Record,):
            return super().__new__(mcs, name, bases, {**namespace, "__slots__": ()})
        if bases != (Component,):
            raise ComponentError(
                f"component {name} must derive from Component alone, not from "
                f"{', '.join(base.__name__ for base in bases)}; give the entity both components instead"
            )
        specs = {key: value for key, value in namespace.items() if isinstance(value, FieldSpec)}
        for key, spec in specs.items():
            _check_field(name, key, spec)
        if specs and "__init__" in namespace:
            raise ComponentError(f"{name} has fields, from which its __init__ is made; remove the one it declares")
        columns = tuple(key for key, spec in specs.items() if spec.ctype is not None)
        objects = tuple(key for key, spec in specs.items() if spec.ctype is None)
        body = {key: value for key, value in namespace.items() if key not in specs}
        body["_fields_"] = [(key, specs[key].ctype) for key in columns]
        body["__slots__"] = ("_cells",) if objects else ()
        for place, key in enumerate(objects):
            column: Any = ObjectColumn
            body[key] = column(f"{name}.{key}", place)
        if objects or any(spec.default for spec in specs.values()):
            body["__init__"] = _initialiser(name, specs, objects)
        cls: Any = super().__new__(mcs, name, bases, body)
        _check_annotations(cls, specs)
        cls.local = local
        cls.columns = columns
        cls.objects = objects
        cls.specs = specs
        cls.record = np.dtype(cls) if columns else None
        cls.stale = _stale_class(mcs, cls)
        return cls

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, local: bool = False) -> None:
        super().__init__(name, bases, namespace)

    def __repr__(cls) -> str:
        return cls.__name__


def _check_field(name: str, key: str, spec: FieldSpec) -> None:
    if key.startswith("_") or key == "self" or hasattr(Component, key):
        raise ComponentError(f"{name}.{key}: a field cannot be called {key}, the name has a meaning; choose another")
    if spec.ctype is None:
        kind = type(spec.default).__name__
        if kind in ("list", "dict", "set", "bytearray"):
            raise ComponentError(
                f"{name}.{key}: all rows would share one {kind} as default; write obj(factory={kind}) instead"
            )
        return
    try:
        stored = spec.ctype(spec.default).value
    except TypeError as error:
        raise ComponentError(f"{name}.{key} cannot have the default {spec.default!r}: {error}") from None
    if isinstance(spec.default, int) and stored != spec.default and not isinstance(stored, float):
        raise ComponentError(f"{name}.{key} cannot have the default {spec.default!r}: it is out of range")


def _check_annotations(cls: type, specs: dict[str, FieldSpec]) -> None:
    hints: dict[str, Any]
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        hints = get_annotations(cls, format=Format.STRING)
    else:
        hints = inspect.get_annotations(cls)
    for key, hint in hints.items():
        if key not in specs and "ClassVar" not in str(hint):
            raise ComponentError(
                f"{cls.__name__}.{key} has a type but no field; write e.g. `{key}: F32 = f32()` "
                f"or `{key}: Obj[...] = obj()`"
            )
    for key in specs:
        if key not in hints:
            raise ComponentError(f"{cls.__name__}.{key} has a field but no type; write e.g. `{key}: F32 = f32()`")


def _initialiser(name: str, specs: dict[str, FieldSpec], objects: tuple[str, ...]) -> Any:
    """Generate `__init__(self, x=…, y=…)`: as fast as hand-written assignments, with real parameter names."""
    scope: dict[str, Any] = {"_unset": object()}
    parameters: list[str] = []
    body: list[str] = []
    for key, spec in specs.items():
        scope[f"_default_{key}"] = spec.default
        if spec.factory is not None:
            scope[f"_default_{key}"] = scope["_unset"]
            scope[f"_factory_{key}"] = spec.factory
            body.append(f"  if {key} is _unset: {key} = _factory_{key}()")
        parameters.append(f"{key}=_default_{key}")
    if objects:
        body.append(f"  self._cells = [{', '.join(objects)}]")
    body.extend(f"  self.{key} = {key}" for key in specs if key not in objects)
    source = f"def __init__(self, {', '.join(parameters)}):\n" + "\n".join(body)
    exec(compile(source, f"<component {name}>", "exec"), scope)
    made = scope["__init__"]
    made.__qualname__ = f"{name}.__init__"  # which the interpreter puts into its TypeErrors
    return made


def _stale_class(mcs: type[ComponentType], cls: type[Component]) -> type | None:
    """The class a row of `cls` is turned into when it loses its place: any use of it then says so.

    Turning costs one pointer and leaves the access to good rows alone. None where the interpreter cannot.
    """

    def refuse(row: object, *_: object) -> NoReturn:
        raise StaleRowError(
            f"this row of {cls.__name__} was kept while its table changed (its entity or another was spawned, "
            f"despawned or given other components); keep the entity and ask entity[{cls.__name__}] again"
        )

    def describe(row: object) -> str:
        return f"<stale row of {cls.__name__}>"

    body: dict[str, Any] = {
        "__slots__": ("_cells",) if cls.objects else (),
        "__getattribute__": refuse,
        "__setattr__": refuse,
        "__eq__": refuse,
        "__hash__": None,
        "__repr__": describe,
        "__module__": cls.__module__,
    }
    stale: Any = _RecordType.__new__(mcs, f"Stale{cls.__name__}", (Component,), body)
    try:
        cls.__new__(cls).__class__ = stale
    except TypeError:
        return None
    return stale


# The field functions are no field specifiers: those without a default argument would be taken as required.
@dataclass_transform()
class Component(_Record, metaclass=ComponentType):
    """Base of all components::

        class Hull(Component):
            points: F32 = f32(default=100.0)

    A component without fields is a tag. `class Glow(Component, local=True)` belongs to this machine only: it is
    neither hashed nor snapshotted nor replicated, and adding or removing it never moves a row.

    A row, as given by `entity[Hull]` and by queries, is good until entities next come or go or change their
    components, which inside a stage is its end. Used later it raises `StaleRowError`; only `World.despawn_many`
    gives no such warning. Keep entities, not rows, or a `copy()`.

    Raises `ComponentError` where the class is declared, if a field has a type but no field function, a default that
    does not fit, or a name that is taken, or if the class derives from another component.
    """

    local: ClassVar[bool] = False
    """Whether the component belongs to this machine only."""
    columns: ClassVar[tuple[str, ...]] = ()
    """The names of the numeric fields, in order."""
    objects: ClassVar[tuple[str, ...]] = ()
    """The names of the object fields, in order."""
    specs: ClassVar[dict[str, FieldSpec]] = {}
    """All fields, in order of declaration."""
    record: ClassVar[np.dtype[Any] | None] = None
    """The layout of one record; None if there are no numeric fields."""

    def copy(self) -> Self:
        """A detached copy of this row, safe to keep. Object fields hold the same objects."""
        kind: Any = type(self)
        twin = kind.from_buffer_copy(self)
        if kind.objects:
            twin._cells = list(cast(Any, self)._cells)
        return twin

    def values(self) -> dict[str, Any]:
        """Field names and their values."""
        return {key: getattr(self, key) for key in self.specs}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin: Any = self.copy()
        if self.objects:
            twin._cells = copy.deepcopy(twin._cells, memo)
        return twin

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.values() == cast(Component, other).values()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{key}={value!r}" for key, value in self.values().items())
        return f"{type(self).__name__}({fields})"


def fields_agree(component: type[Component]) -> bool:
    """Whether all fields are numeric and of one type, so that the records make one matrix."""
    kinds = {spec.ctype for spec in component.specs.values()}
    return len(kinds) == 1 and None not in kinds
