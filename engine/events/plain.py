"""Events as plain JSON values and back, by their dataclass fields. Nothing but data ever comes out.

Fields may be None, bool, int, float, str, enums, dataclasses, tuples, lists and dicts with str keys of these, and
unions with None. A field whose declared type says nothing (a type variable, `Any`, `object`) is written with the
name of its class, which must then be among the classes given for reading.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union

from engine.events.errors import JournalError

NAME = "$"


def to_plain(value: Any, declared: Any = Any) -> Any:
    """The JSON form of `value`. Raises `JournalError` if it holds something that has none."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        fields = {f.name: to_plain(getattr(value, f.name), hints[f.name]) for f in dataclasses.fields(value)}
        return {NAME: type(value).__name__, **fields} if _is_open(declared) else fields
    if isinstance(value, Enum):
        return {NAME: type(value).__name__, "name": value.name} if _is_open(declared) else value.name
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        items: Any = value
        return [to_plain(item, _item_type(declared, place)) for place, item in enumerate(items)]
    if isinstance(value, Mapping):
        pairs: Any = value
        arguments = typing.get_args(declared)
        inner = arguments[1] if len(arguments) == 2 else Any
        return {str(key): to_plain(item, inner) for key, item in pairs.items()}
    raise JournalError(
        f"{value!r} of type {type(value).__name__} cannot be journalled; events from outside hold plain values, "
        "enums and dataclasses only"
    )


def from_plain(plain: Any, declared: Any, known: Mapping[str, type]) -> Any:
    """The value that `to_plain` gave this form for. Raises `JournalError` if it does not fit `declared`."""
    if declared is types.NoneType:
        return _expect(plain, plain is None, declared)
    if _is_open(declared):
        if isinstance(plain, dict) and NAME in plain:
            return _named(typing.cast("dict[str, Any]", plain), known)
        return plain
    origin = typing.get_origin(declared)
    if origin in (Union, types.UnionType):
        return _from_union(plain, declared, known)
    if dataclasses.is_dataclass(declared):
        return _dataclass(plain, typing.cast(type, declared), known)
    if isinstance(declared, type) and issubclass(declared, Enum):
        _expect(plain, isinstance(plain, str) and plain in declared.__members__, declared)
        return declared[plain]
    if declared is float:
        return float(_expect(plain, isinstance(plain, (int, float)) and not isinstance(plain, bool), declared))
    if declared in (int, str, bool):
        return _expect(plain, type(plain) is declared, declared)
    if origin in (tuple, list) or declared in (tuple, list):
        _expect(plain, isinstance(plain, list), declared)
        items = [from_plain(item, _item_type(declared, place), known) for place, item in enumerate(plain)]
        return tuple(items) if (origin or declared) is tuple else items
    if origin is dict or declared is dict:
        _expect(plain, isinstance(plain, dict), declared)
        inner = (typing.get_args(declared) or (str, Any))[1]
        return {key: from_plain(item, inner, known) for key, item in plain.items()}
    raise JournalError(f"a field of type {declared!r} cannot be read from a journal")


def _named(plain: dict[str, Any], known: Mapping[str, type]) -> Any:
    name = plain[NAME]
    kind = known.get(name) if isinstance(name, str) else None
    if kind is None:
        raise JournalError(
            f"the journal holds a {name!r}, which this game does not know; was it made by another version?"
        )
    if issubclass(kind, Enum):
        return from_plain(plain.get("name"), kind, known)
    return _dataclass({key: item for key, item in plain.items() if key != NAME}, kind, known)


def _dataclass(plain: Any, kind: type, known: Mapping[str, type]) -> Any:
    names = {field.name for field in dataclasses.fields(kind)}
    _expect(plain, isinstance(plain, dict) and plain.keys() <= names, kind)
    hints = _hints(kind)
    try:
        return kind(**{key: from_plain(item, hints[key], known) for key, item in plain.items()})
    except (TypeError, ValueError) as error:
        raise JournalError(f"{kind.__name__} cannot be made of {plain!r}: {error}") from error


def _from_union(plain: Any, declared: Any, known: Mapping[str, type]) -> Any:
    for choice in typing.get_args(declared):
        try:
            return from_plain(plain, choice, known)
        except JournalError:
            continue
    raise JournalError(f"{plain!r} does not fit {declared}")


def _expect(plain: Any, fits: bool, declared: Any) -> Any:
    if not fits:
        raise JournalError(f"{plain!r} does not fit {getattr(declared, '__name__', declared)}")
    return plain


def _is_open(declared: Any) -> bool:
    return declared is Any or declared is object or isinstance(declared, TypeVar)


def _item_type(declared: Any, place: int) -> Any:
    arguments = typing.get_args(declared)
    if not arguments:
        return Any
    if len(arguments) == 1 or arguments[-1] is Ellipsis:
        return arguments[0]
    return arguments[place] if place < len(arguments) else Any


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
