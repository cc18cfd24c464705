"""What happened, told: the events of a tick, and the fields of resources that changed, as bytes and back."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any, get_type_hints

from engine.ecs import World
from engine.errors import TickwireError
from engine.events.plain import from_plain, to_plain
from engine.net.wire.bits import BitReader, BitWriter
from engine.net.wire.declaration import Copied, Declarations, Told
from engine.net.wire.errors import ProtocolError

MOST_EVENTS = 4_000
"""Events in one telling; a tick with more tells the rest with the next."""
_NOTHING = object()


class EventCodec:
    """The events of a tick as bytes: a count of 12 bits, then for each its place among those declared and its fields.

    Those declared `predicted` have no place, as they never cross the wire.
    """

    def __init__(self, declarations: Declarations) -> None:
        self.told: list[Told] = [told for told in declarations.events.values() if not told.predicted]
        self._places = {told.event: place for place, told in enumerate(self.told)}
        self._bits = max(1, (len(self.told) - 1).bit_length())

    def write(self, events: Iterable[object]) -> bytes:
        """Raises `EncodeError` if a field does not fit its form."""
        writer = BitWriter()
        events = list(events)
        writer.write(len(events), 12)
        for event in events:
            place = self._places[type(event)]
            writer.write(place, self._bits)
            self.told[place].codec.write(writer, event)
        return writer.getvalue()

    def read(self, payload: bytes, world: World) -> list[tuple[Told, Any]]:
        """Entities in them are handles in `world`. Raises `ProtocolError`."""
        reader = BitReader(payload)
        events: list[tuple[Told, Any]] = []
        for _ in range(reader.read(12)):
            place = reader.read(self._bits)
            if place >= len(self.told):
                raise ProtocolError(f"event {place} of {len(self.told)}")
            told = self.told[place]
            event: Any = told.codec.read(reader)
            for name in told.entities:
                getattr(event, name).world = world
            events.append((told, event))
        reader.finish()
        return events


class _Watched:
    """One resource that is copied."""

    __slots__ = ("copied", "due", "hints", "told")

    def __init__(self, copied: Copied) -> None:
        self.copied = copied
        hints = get_type_hints(copied.resource)
        self.hints = {name: hint for name, hint in hints.items() if name not in copied.without}
        self.told: dict[str, Any] = dict.fromkeys(self.hints, _NOTHING)
        """What was told last, by field."""
        self.due = 0
        """The tick in which floats are told again."""

    def plain(self, values: dict[str, Any]) -> dict[str, Any]:
        hints = self.hints
        try:
            return {name: to_plain(value, hints[name]) for name, value in values.items()}
        except TickwireError as error:
            name = self.copied.resource.__name__
            raise TickwireError(f"resource {name} cannot be told to clients: {error}") from error


class ResourceWatch:
    """Finds what changed in the resources that are copied. Layout of a telling: JSON, by resource and field."""

    def __init__(self, declarations: Declarations) -> None:
        self._watched = [_Watched(copied) for copied in declarations.resources.values()]

    def changes(self, world: World, tick: int, dt: float) -> bytes | None:
        """What has changed since it was last told, or None. Floats alone wait until their resource is due again."""
        changed: dict[str, dict[str, Any]] = {}
        for watched in self._watched:
            resource = world.find_resource(watched.copied.resource)
            if resource is None:
                continue
            fresh: dict[str, Any] = {}
            urgent = tick >= watched.due
            for name, told in watched.told.items():
                value = getattr(resource, name)
                if told != value:
                    fresh[name] = value
                    urgent = urgent or not isinstance(value, float)
            if fresh and urgent:
                changed[watched.copied.resource.__name__] = watched.plain(fresh)
                watched.told.update({name: _kept(value) for name, value in fresh.items()})
                watched.due = tick + max(1, round(watched.copied.every / dt))
        return json.dumps(changed, separators=(",", ":")).encode() if changed else None

    def everything(self, world: World) -> bytes:
        """All fields of all of them, for a newcomer."""
        values: dict[str, dict[str, Any]] = {}
        for watched in self._watched:
            resource = world.find_resource(watched.copied.resource)
            if resource is not None:
                fields = {name: getattr(resource, name) for name in watched.hints}
                values[watched.copied.resource.__name__] = watched.plain(fields)
        return json.dumps(values, separators=(",", ":")).encode()


class ResourceCopy:
    """Sets what a telling says in a world."""

    def __init__(self, declarations: Declarations) -> None:
        self._hints = {
            kind.__name__: (kind, {n: h for n, h in get_type_hints(kind).items() if n not in copied.without})
            for kind, copied in declarations.resources.items()
        }

    def read(self, payload: bytes) -> list[tuple[type[Any], dict[str, Any]]]:
        """The resources' types, and the fields to set. Raises `ProtocolError`."""
        try:
            told = json.loads(payload)
            return [self._read(name, fields) for name, fields in dict(told).items()]
        except ProtocolError:
            raise
        except (ValueError, TypeError, AttributeError, RecursionError, TickwireError) as wrong:
            raise ProtocolError(f"resources were told as what they cannot be: {wrong}") from wrong

    def _read(self, name: str, fields: dict[str, Any]) -> tuple[type[Any], dict[str, Any]]:
        kind, hints = self._hints.get(name, _UNKNOWN)
        if kind is None or not fields.keys() <= hints.keys():
            raise ProtocolError(f"no resource {name} with {', '.join(fields)} is copied")
        return kind, {key: from_plain(value, hints[key], {}) for key, value in fields.items()}

    @staticmethod
    def apply(told: Iterable[tuple[type[Any], dict[str, Any]]], world: World) -> None:
        """Set the fields; a resource that the world lacks is made."""
        for kind, fields in told:
            resource = world.find_resource(kind)
            if resource is None:
                resource = world.insert(kind())
            for name, value in fields.items():
                setattr(resource, name, copy.copy(value))


_UNKNOWN: tuple[None, dict[str, Any]] = (None, {})


def _kept(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool)) else copy.deepcopy(value)
