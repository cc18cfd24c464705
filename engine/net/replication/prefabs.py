"""Prefabs: what entities of one make have in common and never changes, told once and named by number from then on.

A payload is JSON, UTF-8: the number, the entity's components as the bits of `Layout.components`, the constant parts by
bit (numbers as they are, object fields as `engine.events.plain` writes them), and the cells of the first such entity,
from which those of later ones differ little. Or it is a list of one: the numbers of prefabs to forget. Nothing that is
read runs code, or makes anything but the declared types.
"""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Any, cast

import numpy as np

from engine.ecs import Component, Entity, World
from engine.events.errors import JournalError
from engine.events.plain import from_plain, to_plain
from engine.net.replication.layout import Ints, Kind, Layout
from engine.net.wire import system
from engine.net.wire.declaration import Audience
from engine.net.wire.errors import ProtocolError, SchemaError

LARGEST = 1 << 31
"""No prefab has this number, or a higher one."""


@dataclass(slots=True, eq=False)
class Prefab:
    """One make of entities."""

    number: int
    kind: Kind
    parts: dict[type[Component], Component]
    """Every component of such an entity, its constant parts set."""
    first: Ints
    """By column: a value that its cells are told as differences from. Zero in columns they lack."""
    message: system.Prefab | None = None
    """What tells clients of it."""


class Makes:
    """Which fields of which components are constant, and how their values are written."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._hints: dict[type[Component], dict[str, Any]] = {}
        self._known: dict[str, type] = {}
        for each in layout.declared.components.values():
            kind = each.component
            if each.audience is Audience.OWNER:
                continue  # what only the owner may know is not told to all
            names = kind.specs if each.constant else kind.objects
            if names:
                self._hints[kind] = {name: _hint(kind, name) for name in names}
                for hint in self._hints[kind].values():
                    _collect(hint, self._known)

    def key(self, world: World, id: int, kind: Kind) -> tuple[Any, ...]:
        """What two entities of one make have in common."""
        key: list[Any] = [kind.mask]
        entity = Entity(world, id)
        for component in kind.components:
            names = self._hints.get(component)
            if names:
                row = world.row(entity, component)
                key += [getattr(row, name) for name in names]
        return tuple(key)

    def intern(self, world: World, id: int, kind: Kind, number: int, first: Ints) -> Prefab:
        """The prefab that an entity is made after. Raises `SchemaError` for a value that cannot be sent."""
        entity = Entity(world, id)
        parts: dict[type[Component], Component] = {}
        written: dict[str, dict[str, Any]] = {}
        for component in kind.components:
            made = parts[component] = component()
            names = self._hints.get(component)
            if not names:
                continue
            row = world.row(entity, component)
            told: dict[str, Any] = {}
            for name, hint in names.items():
                value = getattr(row, name)
                setattr(made, name, value)
                try:
                    told[name] = to_plain(value, hint)
                except JournalError as error:
                    raise SchemaError(
                        f"{component.__name__}.{name} cannot be sent: {error}; "
                        f"or keep the component from clients with .hidden({component.__name__})"
                    ) from None
            written[str(self.layout.components.index(component))] = told
        # References are slots, which have nothing to do with each other.
        cells = [int(first[column]) if column < self.layout.refs else 0 for column in kind.columns]
        text = json.dumps([number, kind.mask, written, cells], separators=(",", ":"), ensure_ascii=False)
        message = system.Prefab(text.encode())
        return Prefab(number, kind, parts, self._dense(kind, cells), message)

    def read(self, payload: bytes) -> Prefab | list[int]:
        """The prefab in a payload, or the numbers of those to forget. Raises `ProtocolError`."""
        try:
            told = json.loads(payload)
            if len(told) == 1:
                return [number for number in told[0] if type(number) is int]
            number, mask, written, cells = told
            if type(number) is not int or not 0 <= number < LARGEST or type(mask) is not int or mask <= 0:
                raise ProtocolError("a prefab without a number or components")
            if mask >> len(self.layout.components):
                raise ProtocolError("a prefab with components that are not declared")
            kind = self.layout.kind(mask)
            if len(cells) != len(kind.columns) or not all(type(cell) is int for cell in cells):
                raise ProtocolError("a prefab whose cells do not fit its components")
            return Prefab(number, kind, self._parts(kind, written), self._dense(kind, cells))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, JournalError) as error:
            raise ProtocolError(f"a prefab that cannot be read: {error}") from None

    def _parts(self, kind: Kind, written: dict[str, dict[str, Any]]) -> dict[type[Component], Component]:
        parts: dict[type[Component], Component] = {}
        for component in kind.components:
            made = parts[component] = component()
            names = self._hints.get(component)
            if names:
                told = written[str(self.layout.components.index(component))]
                for name, hint in names.items():
                    value = told[name]
                    setattr(made, name, value if name in component.columns else from_plain(value, hint, self._known))
        return parts

    def _dense(self, kind: Kind, cells: list[int]) -> Ints:
        dense = np.zeros(len(self.layout.columns), np.int64)
        dense[list(kind.columns)] = cells
        return dense


def forget_prefabs(numbers: list[int]) -> bytes:
    """The payload that tells a client to forget prefabs."""
    return json.dumps([numbers], separators=(",", ":")).encode()


def _hint(kind: type[Component], name: str) -> Any:
    """What the annotation `Obj[T]` says is in the field; `Any` where it cannot be found out."""
    if name in kind.columns:
        ctype: Any = kind.specs[name].ctype
        value: object = ctype().value
        return type(value)
    try:
        arguments = typing.get_args(typing.get_type_hints(kind)[name])
    except NameError:
        return Any
    return arguments[0] if arguments and not isinstance(arguments[0], typing.TypeVar) else Any


def _collect(hint: Any, known: dict[str, type]) -> None:
    """The dataclasses and enums that values declared like this may be of."""
    for argument in typing.get_args(hint):
        _collect(argument, known)
    if not isinstance(hint, type):
        return
    kind = cast("type[Any]", hint)
    if known.get(kind.__name__) is kind or kind.__module__ == "builtins":
        return
    if is_dataclass(kind) or issubclass(kind, Enum):
        known[kind.__name__] = kind
    if is_dataclass(kind):
        for inner in typing.get_type_hints(kind).values():
            _collect(inner, known)
    for below in kind.__subclasses__():
        _collect(below, known)
