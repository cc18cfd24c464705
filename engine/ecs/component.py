"""Components: plain typed records. An instance *is* its memory, inside a table or on its own.

A component class is a C structure. `Hull(points=50.0)` owns its bytes; the row that `entity[Hull]` gives is the
same class laid over the table's buffer, so its fields are read and written at C speed and a whole column is a
numpy view over the same bytes. Object fields live beside the record in a list of cells, one list a row.
"""

from __future__ import annotations

import ctypes
from typing import Any, ClassVar, dataclass_transform

import numpy as np

from engine.ecs.column import FieldSpec, ObjectColumn, f32, f64, flag, i32, i64, obj, ref, u8, u32, u64
from engine.ecs.errors import ComponentError

_StructureType: Any = type(ctypes.Structure)


class ComponentType(_StructureType):
    """Builds a component class: its record layout, its object cells and an `__init__` with defaults."""

    local: bool
    columns: tuple[str, ...]
    objects: tuple[str, ...]
    specs: dict[str, FieldSpec]
    record: np.dtype[Any] | None

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, local: bool = False
    ) -> ComponentType:
        root = not any(isinstance(base, ComponentType) for base in bases)
        if not root and bases != (Component,):
            raise ComponentError(
                f"component {name} must derive from Component alone, not from "
                f"{', '.join(base.__name__ for base in bases)}; give the entity both components instead"
            )
        specs = {key: value for key, value in namespace.items() if isinstance(value, FieldSpec)}
        for key in namespace.get("__annotations__", {}):
            hint = str(namespace["__annotations__"][key])
            if key not in specs and "ClassVar" not in hint and not root:
                raise ComponentError(
                    f"{name}.{key} has a type but no field; write e.g. `{key}: F32 = f32()` or `{key}: Obj[...] = obj()`"
                )
        for key in specs:
            del namespace[key]
        columns = tuple(key for key, spec in specs.items() if spec.ctype is not None)
        objects = tuple(key for key, spec in specs.items() if spec.ctype is None)
        if not root:
            namespace["_fields_"] = [(key, specs[key].ctype) for key in columns]
        namespace["__slots__"] = ("_cells",) if objects else ()
        for place, key in enumerate(objects):
            namespace[key] = ObjectColumn(key, place)  # type: ignore[call-arg]
        if specs and (objects or any(spec.default for spec in specs.values())):
            namespace["__init__"] = _initialiser(name, specs, objects)
        cls: Any = super().__new__(mcs, name, bases, namespace)
        cls.local = local
        cls.columns = columns
        cls.objects = objects
        cls.specs = specs
        cls.record = np.dtype(cls) if columns else None
        return cls

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_: Any) -> None:
        super().__init__(name, bases, namespace)

    def __repr__(cls) -> str:
        return cls.__name__


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
    return scope["__init__"]


@dataclass_transform(field_specifiers=(f32, f64, i32, i64, u8, u32, u64, flag, ref, obj))
class Component(ctypes.Structure, metaclass=ComponentType):
    """Base of all components::

        class Hull(Component):
            points: F32 = f32(default=100.0)

    A component without fields is a tag. `class Glow(Component, local=True)` belongs to this machine only: it is
    neither hashed nor snapshotted nor replicated, and adding or removing it never moves a row.

    Raises `ComponentError` where the class is declared, if a field has a type but no field function.
    """

    local: ClassVar[bool]
    columns: ClassVar[tuple[str, ...]]
    objects: ClassVar[tuple[str, ...]]
    specs: ClassVar[dict[str, FieldSpec]]
    record: ClassVar[np.dtype[Any] | None]

    def copy(self) -> Any:
        """A detached copy of this row, safe to keep."""
        twin = type(self).from_buffer_copy(self)
        if self.objects:
            twin._cells = list(self._cells)  # type: ignore[attr-defined]
        return twin

    def values(self) -> dict[str, Any]:
        """Field names and their values."""
        return {key: getattr(self, key) for key in self.specs}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.values() == other.values()  # type: ignore[union-attr]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{key}={value!r}" for key, value in self.values().items())
        return f"{type(self).__name__}({fields})"
