"""Events as plain JSON values and back, by their dataclass fields. Nothing but data ever comes out.

A value may be None, bool, int, float, str, an enum, a dataclass, or a tuple, list or dict with str keys of these. It
comes back equal and of the same class (but an `IntEnum` member in a field declared int comes back as that int); NaN
and the infinities are kept.

Where the declared type of a field alone tells how to read a value, that is all that is written: a dataclass as the
dict of its fields, an enum member by name (a flag by value), a tuple as a list. Elsewhere (a type variable, `Any`, a
union, a base class) the class is written along, under `$`, and must be among the classes given for reading.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum, Flag
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast

from engine.events.errors import JournalError

NAME = "$"
MEMBER = "member"
ITEMS = "items"

SCALARS = (bool, int, float, str, types.NoneType)


def to_plain(value: object, declared: Any = Any) -> Any:
    """The JSON form of `value`. Raises `JournalError` if it holds something that has none."""
    try:
        return _write(value, declared)
    except RecursionError:
        raise JournalError(f"a {type(value).__name__} is nested too deeply, or holds itself") from None


def from_plain(plain: Any, declared: Any, known: Mapping[str, type]) -> Any:
    """The value that `to_plain` gave this form for. Raises `JournalError` if it does not fit `declared`."""
    try:
        return _read(plain, declared, known)
    except RecursionError:
        raise JournalError("an entry is nested too deeply") from None


def _write(value: Any, declared: Any) -> Any:
    if declared is type(value) and declared in SCALARS:
        return value
    choices = _choices(declared)
    if not any(_admits(choice, value) for choice in choices):
        raise JournalError(f"{_shown(value)} stands where {_name(declared)} is declared; declare what it really is")
    kind = cast("type[Any]", type(value))
    declared = _closed(declared)
    told = _origin(declared) is kind
    if isinstance(value, SCALARS) and (declared in SCALARS or not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        member = value.value if isinstance(value, Flag) else value.name
        return member if told else {NAME: kind.__name__, MEMBER: member}
    if dataclasses.is_dataclass(kind):
        fields = {name: _write(getattr(value, name), hint) for name, hint in _hints(kind).items()}
        return fields if told else {NAME: kind.__name__, **fields}
    if kind is tuple or kind is list:
        if told and not _fits_length(declared, len(value)):
            raise JournalError(f"{_shown(value)} is not as long as its field declares, {_name(declared)}")
        inner = declared if told else Any
        items = [_write(item, _item_type(inner, place)) for place, item in enumerate(value)]
        return items if told or (kind is list and declared is Any) else {NAME: kind.__name__, ITEMS: items}
    if kind is dict:
        wrong = next((key for key in value if type(key) is not str), None)
        if wrong is not None:
            raise JournalError(f"the dict key {_shown(wrong)} cannot be journalled; use str keys")
        bare = NAME not in value and (told or declared is Any)
        inner = _value_type(declared) if bare else Any
        fields = {key: _write(item, inner) for key, item in value.items()}
        return fields if bare else {NAME: "dict", ITEMS: fields}
    raise JournalError(
        f"a {kind.__name__} cannot be journalled; events from outside hold plain values, enums and dataclasses only"
    )


def _read(plain: Any, declared: Any, known: Mapping[str, type]) -> Any:
    if declared is type(plain) and declared in SCALARS:
        return plain
    choices = _choices(declared)
    declared = _closed(declared)
    origin = _origin(declared)
    if plain is None and (origin is types.NoneType or types.NoneType in choices):
        return None
    if isinstance(plain, dict) and NAME in plain:
        value = _named(cast("dict[str, Any]", plain), known)
        _expect(value, any(_admits(choice, value) for choice in choices), declared)
        return value
    if origin is tuple or origin is list:
        items = _expect(plain, isinstance(plain, list), declared)
        _expect(plain, _fits_length(declared, len(items)), declared)
        read = [_read(item, _item_type(declared, place), known) for place, item in enumerate(items)]
        return tuple(read) if origin is tuple else read
    if origin is dict:
        pairs = _expect(plain, isinstance(plain, dict), declared)
        return {key: _read(item, _value_type(declared), known) for key, item in pairs.items()}
    if isinstance(origin, type) and issubclass(origin, Enum):
        return _member(plain, origin)
    if isinstance(origin, type) and dataclasses.is_dataclass(origin):
        return _dataclass(plain, origin, known)
    if isinstance(plain, list):
        value = [_read(item, Any, known) for item in cast("list[Any]", plain)]
    elif isinstance(plain, dict):
        value = {key: _read(item, Any, known) for key, item in cast("dict[str, Any]", plain).items()}
    else:
        value = plain
    return _expect(value, any(_admits(choice, value) for choice in choices), declared)


def _named(plain: dict[str, Any], known: Mapping[str, type]) -> Any:
    fields = {key: item for key, item in plain.items() if key != NAME}
    name = plain[NAME]
    if name in ("tuple", "list", "dict"):
        items = fields.get(ITEMS)
        kind = dict if name == "dict" else list
        _expect(plain, fields.keys() == {ITEMS} and isinstance(items, kind), name)
        if isinstance(items, dict):
            return {key: _read(item, Any, known) for key, item in cast("dict[str, Any]", items).items()}
        read = [_read(item, Any, known) for item in cast("list[Any]", items)]
        return tuple(read) if name == "tuple" else read
    kind = cast("type[Any] | None", known.get(name) if isinstance(name, str) else None)
    if kind is None:
        raise JournalError(
            f"the journal holds a {_shown(name)}, which this game does not know; was it made by another version?"
        )
    if issubclass(kind, Enum):
        _expect(plain, fields.keys() == {MEMBER}, kind)
        return _member(fields[MEMBER], kind)
    if not dataclasses.is_dataclass(kind):
        raise JournalError(f"{kind.__name__} cannot be read from a journal; it is no dataclass and no enum")
    return _dataclass(fields, kind, known)


def _member(plain: Any, kind: type[Enum]) -> Enum:
    if issubclass(kind, Flag):
        _expect(plain, type(plain) is int, kind)
        try:
            return kind(plain)
        except ValueError:
            return _expect(plain, False, kind)
    _expect(plain, isinstance(plain, str) and plain in kind.__members__, kind)
    return kind[plain]


def _dataclass(plain: Any, kind: type, known: Mapping[str, type]) -> Any:
    hints, late = _hints(kind), _made_late(kind)
    _expect(plain, isinstance(plain, dict), kind)
    if plain.keys() != hints.keys():
        wrong = [f"no {name}" for name in hints if name not in plain]
        wrong += [f"an unknown {_shown(name)}" for name in plain if name not in hints]
        raise JournalError(f"a {kind.__name__} has {', '.join(wrong)}; was it made by another version?")
    values = {name: _read(item, hints[name], known) for name, item in plain.items()}
    after = {name: values.pop(name) for name in late}
    try:
        made = kind(**values)
        for name, value in after.items():
            object.__setattr__(made, name, value)
    except Exception as error:  # whatever the class's own checks raise
        raise JournalError(f"{kind.__name__} cannot be made of {_shown(plain)}: {error}") from error
    return made


# Declared types


@cache
def _choices(declared: Any) -> tuple[Any, ...]:
    """The members of a union, or the type alone; wrappers such as `Final` removed."""
    while True:
        if isinstance(declared, typing.NewType):
            declared = declared.__supertype__
        elif typing.get_origin(declared) in (typing.Final, typing.Annotated):
            declared = typing.get_args(declared)[0]
        else:
            break
    if typing.get_origin(declared) in (Union, types.UnionType):
        return tuple(choice for member in typing.get_args(declared) for choice in _choices(member))
    return (types.NoneType,) if declared is None else (declared,)


@cache
def _closed(declared: Any) -> Any:
    """The one type, besides None, that `declared` stands for; `Any` if there is none."""
    choices = _choices(declared)
    some = [choice for choice in choices if choice is not types.NoneType]
    one = some[0] if len(some) == 1 else Any if some else types.NoneType
    return Any if one is object or isinstance(one, TypeVar) else one


@cache
def _origin(declared: Any) -> Any:
    return typing.get_origin(declared) or declared


def _admits(declared: Any, value: object) -> bool:
    """Whether a value that was read as of no particular type may stand where `declared` is declared."""
    if declared is Any or isinstance(declared, TypeVar):
        return True
    origin = _origin(declared)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in typing.get_args(declared))
    if origin is float:
        return isinstance(value, (float, int))
    try:
        return isinstance(value, origin)
    except TypeError:
        return True  # a protocol, say, that cannot be asked for at run time


def _item_type(declared: Any, place: int) -> Any:
    arguments = typing.get_args(declared)
    if not arguments:
        return Any
    return arguments[0] if _is_endless(declared) else arguments[place]


def _fits_length(declared: Any, length: int) -> bool:
    arguments = typing.get_args(declared)
    return not arguments or _is_endless(declared) or length == len(arguments)


def _is_endless(declared: Any) -> bool:
    return typing.get_origin(declared) is list or typing.get_args(declared)[-1] is Ellipsis


def _value_type(declared: Any) -> Any:
    arguments = typing.get_args(declared)
    return arguments[1] if len(arguments) == 2 else Any


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The declared types of a dataclass's fields, in order."""
    try:
        hints = typing.get_type_hints(kind)
    except Exception as error:
        raise JournalError(
            f"the field types of {kind.__name__} cannot be resolved: {error}; "
            "declare it at the top of a module that imports them at run time"
        ) from error
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@cache
def _made_late(kind: type) -> tuple[str, ...]:
    """The fields that are no parameters of the class."""
    return tuple(field.name for field in dataclasses.fields(kind) if not field.init)


def _expect(plain: Any, fits: bool, declared: Any) -> Any:
    if not fits:
        raise JournalError(f"{_shown(plain)} does not fit {_name(declared)}")
    return plain


def _name(declared: Any) -> str:
    return declared.__name__ if isinstance(declared, type) else str(declared)


def _shown(plain: object) -> str:
    text = repr(plain)
    return text if len(text) <= 80 else text[:79] + "…"
