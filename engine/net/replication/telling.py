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


class ResourceWatch:
    """Finds what changed in the resources that are copied. Layout of a telling: JSON, by resource and field."""

    def __init__(self, declarations: Declarations) -> None:
        self._fields = {
            copied: {name: hint for name, hint in get_type_hints(kind).items() if name not in copied.without}
            for kind, copied in declarations.resources.items()
        }
        self._told: dict[tuple[Copied, str], Any] = {}
        self._due: dict[Copied, int] = {}

    def changes(self, world: World, tick: int, dt: float) -> bytes | None:
        """What has changed since it was last told, or None. Floats alone wait until their resource is due again."""
        changed: dict[str, dict[str, Any]] = {}
        for copied, fields in self._fields.items():
            resource = world.find_resource(copied.resource)
            if resource is None:
                continue
            fresh: dict[str, Any] = {}
            urgent = tick >= self._due.get(copied, 0)
            for name in fields:
                value = getattr(resource, name)
                if self._told.get((copied, name), _NOTHING) != value:
                    fresh[name] = value
                    urgent = urgent or not isinstance(value, float)
            if fresh and urgent:
                changed[copied.resource.__name__] = self._plain(copied, fresh)
                self._told.update({(copied, name): _kept(value) for name, value in fresh.items()})
                self._due[copied] = tick + max(1, round(copied.every / dt))
        return json.dumps(changed, separators=(",", ":")).encode() if changed else None

    def everything(self, world: World) -> bytes:
        """All fields of all of them, for a newcomer."""
        found = {copied: world.find_resource(copied.resource) for copied in self._fields}
        values = {
            copied.resource.__name__: self._plain(copied, {name: getattr(found[copied], name) for name in fields})
            for copied, fields in self._fields.items()
            if found[copied] is not None
        }
        return json.dumps(values, separators=(",", ":")).encode()

    def _plain(self, copied: Copied, values: dict[str, Any]) -> dict[str, Any]:
        hints = self._fields[copied]
        try:
            return {name: to_plain(value, hints[name]) for name, value in values.items()}
        except TickwireError as error:
            raise TickwireError(f"resource {copied.resource.__name__} cannot be told to clients: {error}") from error


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


_NOTHING = object()
_UNKNOWN: tuple[None, dict[str, Any]] = (None, {})


def _kept(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool)) else copy.deepcopy(value)
