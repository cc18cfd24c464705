"""What a game says about replication, as plain records: which components, to whom, how finely, what is predicted.

`Protocol` collects these; `engine.net.replication` acts on them. Part of the contract, so part of the protocol id.
"""

from __future__ import annotations

import ctypes
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite
from typing import Any

from engine.ecs import Component, Entity
from engine.ecs.component import ComponentType
from engine.net.wire.errors import SchemaError
from engine.net.wire.schema import Codec, loose_codec_of

FLOATS = (ctypes.c_float, ctypes.c_double)


class Audience(Enum):
    """Who is told of a component."""

    EVERYONE = "everyone"
    OWNER = "owner"
    """The player who owns the entity; see `Protocol.owner`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One numeric column that crosses the wire: as `round(value / step)`."""

    component: type[Component]
    name: str
    step: float
    """1 for whole numbers, flags and references, which are exact."""
    is_ref: bool

    @property
    def column(self) -> Any:
        """The column's key."""
        return vars(self.component)[self.name]

    def __str__(self) -> str:
        return f"{self.component.__name__}.{self.name}"


@dataclass(frozen=True, slots=True)
class Replicated:
    """A component that crosses the wire."""

    component: type[Component]
    audience: Audience
    constant: bool
    """Sent when the entity appears, exactly and whole, and never again."""
    fields: tuple[Field, ...]
    """The columns that are sent whenever they change; none of a constant component, or a tag."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """Entities that a client simulates ahead of the server."""

    component: type[Component]
    all: bool
    """Everybody's, not only those the client's player owns."""
    spawns: bool
    """Those that the client's player brings about are shown before the server tells of them, and gone before too."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event that clients hear of."""

    event: type
    codec: Codec
    mine: str
    """The event's field that names the player whose client does not wait for the server but predicts it; or empty."""
    predicted: bool
    """Every client makes it itself, in its prediction; it never crosses the wire."""
    entities: tuple[str, ...]
    """The fields that hold an `Entity`, whose world the reader is to set."""


REWIND_CAP = 0.35
"""Seconds the past reaches back where a game does not say: a phone's round trip, and what it shows others late by."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Contacts of `a` and `b` that are judged by what the owner of `a` saw."""

    a: type[Component]
    b: type[Component]
    cap: float
    """Seconds the past reaches back at most."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A resource that clients get a copy of."""

    resource: type[Any]
    without: tuple[str, ...]
    every: float
    """Seconds between two tellings of numbers that change all the time; other changes are told at once."""


@dataclass(slots=True)
class Declarations:
    """Everything declared about replication, in order of declaration."""

    components: dict[type[Component], Replicated] = field(default_factory=dict[type[Component], Replicated])
    hidden: list[type[Component]] = field(default_factory=list[type[Component]])
    owners: dict[type[Component], str] = field(default_factory=dict[type[Component], str])
    predicted: dict[type[Component], Predicted] = field(default_factory=dict[type[Component], Predicted])
    interpolated: dict[type[Component], tuple[str, ...]] = field(default_factory=dict[type[Component], tuple[str, ...]])
    """By component: which of its columns are angles, and go the short way round."""
    commands: dict[type, Codec] = field(default_factory=dict[type, Codec])
    events: dict[type, Told] = field(default_factory=dict[type, Told])
    judged: list[Judged] = field(default_factory=list[Judged])
    cap: float | None = None
    """Seconds that questions about the past reach back at most; None for those of the pairs, or `REWIND_CAP`."""
    resources: dict[type[Any], Copied] = field(default_factory=dict[type[Any], Copied])
    radius: float | None = None
    """How far a player sees; None for everywhere."""
    always: tuple[type[Component], ...] = ()
    """What is relevant at any distance."""

    @property
    def any(self) -> bool:
        """Whether anything is replicated."""
        return bool(self.components or self.commands or self.events or self.resources)

    def check(self) -> None:
        """Raises `SchemaError` if one declaration needs another that is missing."""
        wanted: list[tuple[str, Iterable[type[Component]]]] = [
            ("owner", self.owners),
            ("predict", self.predicted),
            ("interpolate", self.interpolated),
            ("near", self.always),
            ("rewind", [kind for pair in self.judged for kind in (pair.a, pair.b)]),
        ]
        for method, kinds in wanted:
            for kind in kinds:
                if kind not in self.components:
                    raise SchemaError(
                        f"{kind.__name__} is given to .{method}(), but is not replicated; "
                        f"declare it with .component({kind.__name__})"
                    )
        for kind in self.hidden:
            if kind in self.components:
                raise SchemaError(f"{kind.__name__} is declared both with .component() and .hidden(); choose one")

    def describe(self) -> list[str]:
        """One line a declaration, canonical: the protocol id is made from them."""
        lines: list[str] = []
        for kind, each in self.components.items():
            record = kind.record.descr if kind.record is not None else []
            fields = ",".join(f"{field.name}/{field.step!r}" for field in each.fields)
            lines.append(
                f"component {kind.__name__} {each.audience.value} {'constant' if each.constant else fields} {record}"
            )
        lines += [f"owner {kind.__name__}.{name}" for kind, name in self.owners.items()]
        lines += [f"predict {kind.__name__} {p.all} {p.spawns}" for kind, p in self.predicted.items()]
        lines += [f"interpolate {kind.__name__} {','.join(angles)}" for kind, angles in self.interpolated.items()]
        lines += [f"command {codec.text}" for codec in self.commands.values()]
        lines += [f"event {told.codec.text} {told.mine} {told.predicted}" for told in self.events.values()]
        lines += [f"resource {kind.__name__} {','.join(c.without)}" for kind, c in self.resources.items()]
        return lines


def replicated(
    kind: type[Component],
    quantize: Mapping[Any, float],
    *,
    to: Audience,
    constant: bool,
    without: tuple[Any, ...],
) -> Replicated:
    """The record of one `.component()`. Raises `SchemaError`."""
    if not isinstance(kind, ComponentType) or kind.local:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SchemaError(f"{kind!r} is no component that is shared; local ones stay on their machine")
    names = {vars(kind)[name]: name for name in kind.columns}
    for key in (*quantize, *without):
        if key not in names:
            raise SchemaError(f"{key!r} is no numeric column of {kind.__name__}; use e.g. {kind.__name__}.x as key")
    steps = {names[key]: float(step) for key, step in quantize.items()}
    left_out = {names[key] for key in without}
    if constant and (quantize or without):
        raise SchemaError(f"{kind.__name__} is constant, so it is sent exactly; leave quantize and without away")
    fields: list[Field] = []
    for name in () if constant else kind.columns:
        if name in left_out:
            continue
        ctype = kind.specs[name].ctype
        step = steps.get(name, 1.0)
        if ctype in FLOATS and name not in steps:
            raise SchemaError(
                f"{kind.__name__}.{name} is a float: say how finely it is sent, "
                f"quantize={{{kind.__name__}.{name}: 1 / 32}}, or leave it out with without=({kind.__name__}.{name},)"
            )
        if ctype not in FLOATS and step != 1.0:
            raise SchemaError(f"{kind.__name__}.{name} is a whole number, which is sent exactly; give it no step")
        if not (step > 0 and isfinite(step)):
            raise SchemaError(f"{kind.__name__}.{name} cannot have the step {step!r}; give a positive number")
        fields.append(Field(kind, name, step, ctype is ctypes.c_uint64))
    return Replicated(kind, to, constant, tuple(fields))


def told(kind: type, *, mine: str, predicted: bool) -> Told:
    """The record of one `.event()`. Raises `SchemaError`."""
    codec = loose_codec_of(kind)
    hints = typing.get_type_hints(kind)
    if mine and mine not in hints:
        raise SchemaError(f"{kind.__name__} has no field {mine!r} that could name its player")
    return Told(kind, codec, mine, predicted, tuple(name for name, hint in hints.items() if hint is Entity))


def column_of(key: Any) -> tuple[type[Component], str]:
    """The component and the name of a column's key. Raises `SchemaError` if it is none."""
    for kind in Component.__subclasses__():
        for name in kind.columns:
            if vars(kind).get(name) is key:
                return kind, name
    raise SchemaError(f"{key!r} is no column; use a component's numeric field as key, such as Ship.seat")
