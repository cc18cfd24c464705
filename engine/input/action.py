"""Actions: what a player can do, declared as class attributes of `Controls`, and their values in a tick.

On the class, `RicochetControls.fire` is the `Action` itself, to rebind or label; on an instance, `controls.fire` is
its value: a `Button`, an `Axis` or an `Axis2`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, overload

from engine.input.errors import InputError
from engine.input.source import PadAxis, Source, Stick

S = TypeVar("S", bound="State")

DEAD_ZONE = 0.15
"""How far a stick must be pushed before it counts, as a share of its way: worn sticks rest up to about here."""

Sources: TypeAlias = Source | tuple[Source, ...]


class Part(Enum):
    """The parts of actions that have bindings of their own. The value is how a part is called in files and labels."""

    PRESS = ""
    NEGATIVE = "negative"
    POSITIVE = "positive"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    ANALOG = "analog"
    """A whole axis or stick."""


class State(Protocol):
    """The value of an action in this tick, made anew from its parts' strengths."""

    def sample(self, parts: dict[Part, Level], dead_zone: float) -> None: ...


@dataclass(slots=True)
class Level:
    """How strongly a part is driven, and what happened to it since the last tick."""

    strength: float = 0.0
    peak: float = 0.0
    """The greatest strength that was newly reached since the last tick, so that a tap shorter than a tick counts."""
    x: float = 0.0
    y: float = 0.0
    down: bool = False
    went_down: bool = False
    went_up: bool = False

    @property
    def reach(self) -> float:
        """What counts in this tick."""
        return max(self.strength, self.peak)


@dataclass(slots=True)
class Button:
    """A button action in this tick. A press and release within one tick shows as both, not held."""

    held: bool = False
    pressed: bool = False
    """It went down since the last tick."""
    released: bool = False
    """It went up since the last tick."""

    def sample(self, parts: dict[Part, Level], dead_zone: float) -> None:
        level = parts[Part.PRESS]
        self.held, self.pressed, self.released = level.down, level.went_down, level.went_up


@dataclass(slots=True)
class Axis:
    """A one-dimensional action in this tick, `value` from -1 to 1."""

    value: float = 0.0

    def sample(self, parts: dict[Part, Level], dead_zone: float) -> None:
        whole = parts[Part.ANALOG].x
        size = beyond(abs(whole), dead_zone)
        value = parts[Part.POSITIVE].reach - parts[Part.NEGATIVE].reach + math.copysign(size, whole)
        self.value = max(-1.0, min(1.0, value))


@dataclass(slots=True)
class Axis2:
    """A two-dimensional action in this tick: x to the right, y down, within the unit disc."""

    x: float = 0.0
    y: float = 0.0

    @property
    def value(self) -> tuple[float, float]:
        """(x, y)."""
        return self.x, self.y

    def sample(self, parts: dict[Part, Level], dead_zone: float) -> None:
        stick = parts[Part.ANALOG]
        size = math.hypot(stick.x, stick.y)
        scale = beyond(size, dead_zone) / size if size else 0.0
        x = parts[Part.RIGHT].reach - parts[Part.LEFT].reach + stick.x * scale
        y = parts[Part.DOWN].reach - parts[Part.UP].reach + stick.y * scale
        size = max(1.0, math.hypot(x, y))
        self.x, self.y = x / size, y / size


def beyond(size: float, dead_zone: float) -> float:
    """The way past the dead zone, scaled so that the end of the way is still 1."""
    return max(0.0, min(1.0, (size - dead_zone) / (1.0 - dead_zone)))


class Action(Generic[S]):
    """A declared action: its parts with their default sources, and how its value is made."""

    def __init__(
        self,
        state: type[S],
        parts: dict[Part, Iterable[Source]],
        label: str | None = None,
        dead_zone: float = DEAD_ZONE,
    ) -> None:
        if not 0.0 <= dead_zone < 1.0:
            raise InputError(f"a dead zone must be from 0 to below 1, not {dead_zone!r}")
        self.name = ""
        """The name of the attribute it was declared as; it stands for the action in bindings files."""
        self.label = label or ""
        """What to call it on a settings page."""
        self.state = state
        self.dead_zone = dead_zone
        self.defaults = {part: tuple(sources) for part, sources in parts.items()}
        for part, sources in self.defaults.items():
            for source in sources:
                self.check(part, source)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.label = self.label or name.replace("_", " ").capitalize()

    @overload
    def __get__(self, instance: None, owner: type) -> Action[S]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> S: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance._states[self]

    @property
    def takes_stick(self) -> bool:
        """Whether its analog part is a whole stick, not a single axis."""
        return Part.LEFT in self.defaults

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The rows that the action has on a settings page."""
        return tuple(Slot(self, part) for part in self.defaults)

    def slot(self, part: Part | None = None) -> Slot:
        """The slot of one part; that of a button may go unnamed. Raises `InputError` if there is no such part."""
        if part is None and Part.PRESS in self.defaults:
            part = Part.PRESS
        if part not in self.defaults:
            have = ", ".join(f"Part.{part.name}" for part in self.defaults)
            raise InputError(f"say which part of {self.name!r} is meant: one of {have}, not {part}")
        return Slot(self, part)

    def check(self, part: Part, source: Source) -> None:
        """Raises `InputError` if `source` cannot drive that part."""
        wanted: type | None = None
        if part is Part.ANALOG:
            wanted = Stick if self.takes_stick else PadAxis
        if wanted is not None and not isinstance(source, wanted):
            raise InputError(f"{self.name or 'this action'} takes a {wanted.__name__} as {part.value}, not {source}")
        if wanted is None and isinstance(source, Stick):
            raise InputError(
                f"{source} is a whole stick; only axis2 takes one. For a button name a direction, "
                f"such as PadAxis.{source.axes[0].name}.positive"
            )
        if wanted is None and isinstance(source, PadAxis) and not source.is_trigger:
            raise InputError(f"{source} has two directions; as a button use {source}.negative or {source}.positive")

    def __repr__(self) -> str:
        return f"<Action {self.name}>"


@dataclass(frozen=True, slots=True)
class Slot:
    """One part of one action: what a settings page shows as a row, and what sources are bound to."""

    action: Action[Any]
    part: Part

    @property
    def name(self) -> str:
        """How the slot is called in a bindings file: `fire`, `thrust.left`."""
        return f"{self.action.name}.{self.part.value}" if self.part.value else self.action.name

    @property
    def label(self) -> str:
        """How the slot is called on a settings page: `Fire`, `Thrust left`."""
        return f"{self.action.label} {self.part.value}".strip()

    def __repr__(self) -> str:
        return f"<Slot {self.name}>"


def button(*sources: Source, label: str | None = None) -> Action[Button]:
    """A button action: `.held`, `.pressed`, `.released`. A trigger counts as pressed from half its way."""
    return Action(Button, {Part.PRESS: sources}, label)


def axis(
    *,
    negative: Sources = (),
    positive: Sources = (),
    pad: PadAxis | None = None,
    dead_zone: float = DEAD_ZONE,
    label: str | None = None,
) -> Action[Axis]:
    """A value from -1 to 1, from buttons (or triggers) for each direction, from a whole axis, or both."""
    parts: dict[Part, Iterable[Source]] = {
        Part.NEGATIVE: _several(negative),
        Part.POSITIVE: _several(positive),
        Part.ANALOG: () if pad is None else (pad,),
    }
    return Action(Axis, parts, label, dead_zone)


def axis2(
    *,
    keys: tuple[Sources, Sources, Sources, Sources] = ((), (), (), ()),
    pad: Stick | None = None,
    dead_zone: float = DEAD_ZONE,
    label: str | None = None,
) -> Action[Axis2]:
    """A direction and strength within the unit disc, y down. `keys` are for left, right, up and down.

    The stick's dead zone is radial, and what lies beyond it is stretched so that small moves are possible.
    """
    left, right, up, down = keys
    parts: dict[Part, Iterable[Source]] = {
        Part.LEFT: _several(left),
        Part.RIGHT: _several(right),
        Part.UP: _several(up),
        Part.DOWN: _several(down),
        Part.ANALOG: () if pad is None else (pad,),
    }
    return Action(Axis2, parts, label, dead_zone)


def _several(sources: Sources) -> tuple[Source, ...]:
    return sources if isinstance(sources, tuple) else (sources,)
