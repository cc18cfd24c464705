"""The wire contract of a game: its messages, what is replicated and how, and one number for all of it.

The number is the 64-bit protocol id of the netcode standard. It is authenticated with every packet, so two builds that
differ in any message cannot exchange one: they cannot even connect. `refusal` says so in words.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, overload

from engine.ecs import Component
from engine.net.wire import system
from engine.net.wire.bits import BitReader, BitWriter
from engine.net.wire.declaration import (
    REWIND_CAP,
    Audience,
    Copied,
    Declarations,
    Judged,
    Predicted,
    column_of,
    replicated,
    told,
)
from engine.net.wire.errors import EncodeError, ProtocolError, SchemaError
from engine.net.wire.schema import Codec, codec_of

WIRE_FORMAT = "tickwire 1"
"""Names everything below the messages: framing, ack header, bit order. Part of every protocol id."""


class Channel(enum.IntEnum):
    """How a message travels. The value is what a frame says on the wire."""

    UNRELIABLE = 0
    """At most once, in any order."""
    UNRELIABLE_SEQUENCED = 1
    """At most once, and never after a newer message of its own type: for state that the next message replaces."""
    RELIABLE_ORDERED = 2
    """Once, in the order sent."""
    RELIABLE_UNORDERED = 3
    """Once, as soon as it arrives."""


@dataclass(frozen=True, slots=True)
class Build:
    """What one side says of itself: the name and version people know it by, and the id of its protocol."""

    name: str
    version: str
    protocol_id: int

    def __str__(self) -> str:
        return f"{self.name} {self.version} (protocol {self.protocol_id:016x})"


def refusal(server: Build, client: Build) -> str | None:
    """Why `client` cannot talk to `server`, naming both, or None if it can."""
    if server.protocol_id == client.protocol_id:
        return None
    if server.name != client.name:
        return f"the server runs {server}; this is {client}: a different game"
    cure = "install the server's version" if server.version != client.version else "install the same build on both"
    return f"the server runs {server}; this is {client}: {cure}"


_SYSTEM = (
    (system.Inputs, Channel.UNRELIABLE),
    (system.Snapshot, Channel.UNRELIABLE),
    (system.Pace, Channel.UNRELIABLE),
    (system.Saw, Channel.UNRELIABLE),
    (system.Hello, Channel.RELIABLE_ORDERED),
    (system.Welcome, Channel.RELIABLE_ORDERED),
    (system.Full, Channel.RELIABLE_ORDERED),
    (system.Prefab, Channel.RELIABLE_UNORDERED),
    (system.Happened, Channel.RELIABLE_ORDERED),
    (system.Changed, Channel.RELIABLE_ORDERED),
    (system.Checked, Channel.RELIABLE_UNORDERED),
    (system.Notice, Channel.RELIABLE_ORDERED),
    (system.Closing, Channel.RELIABLE_ORDERED),
)
"""Part of every protocol that replicates anything."""


class _Blob:
    """The short way of a message whose only field is bytes: a head that tells its type and length, and the bytes.

    The codec would give the same; what is none of this, or not the shortest form, is left to it to refuse.
    """

    __slots__ = ("_content", "_head_bytes", "_index", "_index_bits", "_kind", "_most")

    def __init__(self, kind: type, index: int, index_bits: int, most: int) -> None:
        self._kind: Callable[[bytes], object] = kind
        self._content = attrgetter(fields(kind)[0].name)
        self._index = index
        self._index_bits = index_bits
        self._most = most
        self._head_bytes = (index_bits + most.bit_length() + 7) >> 3

    def encode(self, message: object) -> bytes | None:
        content = self._content(message)
        if type(content) is not bytes or len(content) > self._most:
            return None
        return (len(content) << self._index_bits | self._index).to_bytes(self._head_bytes, "little") + content

    def decode(self, encoded: bytes) -> object | None:
        start = self._head_bytes
        size = int.from_bytes(encoded[:start], "little") >> self._index_bits
        if size != len(encoded) - start or size > self._most:
            return None
        try:
            return self._kind(encoded[start:])
        except Exception:
            return None


class Protocol:
    """The messages of a game. Built by chaining, then read only.

        protocol = Protocol("chat", "1.0").message(Say, Channel.RELIABLE_ORDERED).message(Typing)

    Both sides declare the same messages in the same order. Asking for `id`, or encoding a message, ends the building:
    `message` raises from then on.
    """

    def __init__(self, name: str, version: str = "0") -> None:
        self.name = name
        self.version = version
        self._codecs: list[Codec] = []
        self._channels: list[Channel] = []
        self._readers: list[tuple[int, Callable[[BitReader], object]]] = []  # channel and codec, by index
        self._entries: dict[type, tuple[int, Channel, Codec]] = {}
        self._id: int | None = None
        self._index_bits = 0
        self._blobs: dict[type, _Blob] = {}
        self._blobs_by_index: dict[int, _Blob] = {}
        self.declarations = Declarations()
        """What is replicated, and how."""

    def message(self, kind: type, channel: Channel = Channel.UNRELIABLE) -> Protocol:
        """Declare a message type. Raises `SchemaError` if it has no wire form or came before, or the id was taken."""
        self._open(kind)
        if kind in self._entries:
            raise SchemaError(f"{kind.__name__} is declared twice in protocol {self.name}")
        self._add(kind, channel)
        return self

    def _open(self, kind: type) -> None:
        if self._id is not None:
            raise SchemaError(f"{kind.__name__}: protocol {self.name} is in use; declare everything before")

    def _add(self, kind: type, channel: Channel) -> None:
        codec = codec_of(kind)
        self._entries[kind] = (len(self._codecs), Channel(channel), codec)
        self._codecs.append(codec)
        self._channels.append(Channel(channel))
        self._readers.append((int(channel), codec.read))

    # Replication

    def component(
        self,
        kind: type[Component],
        quantize: Mapping[Any, float] | None = None,
        *,
        to: Audience = Audience.EVERYONE,
        constant: bool = False,
        without: tuple[Any, ...] = (),
    ) -> Protocol:
        """Replicate a component: every entity that has one exists on the clients too.

        `quantize` gives the step of each float column, in the column's unit; columns in `without` stay on the server,
        and clients have their defaults. A `constant` component is sent once, exactly, with its object fields, when its
        entity appears; object fields of others are sent like that too. Raises `SchemaError`.
        """
        self._open(kind)
        if kind in self.declarations.components:
            raise SchemaError(f"component {kind.__name__} is declared twice in protocol {self.name}")
        made = replicated(kind, quantize or {}, to=to, constant=constant, without=without)
        self.declarations.components[kind] = made
        return self

    def hidden(self, *kinds: type[Component]) -> Protocol:
        """Components that stay on the server, said so that one merely forgotten is an error."""
        self.declarations.hidden.extend(kinds)
        return self

    def resource(self, kind: type, *, without: tuple[str, ...] = (), every: float = 0.25) -> Protocol:
        """Copy a resource to the clients: its annotated fields, but those in `without`, when they change.

        Floats that change all the time are told every `every` seconds.
        """
        self._open(kind)
        if kind in self.declarations.resources:
            raise SchemaError(f"resource {kind.__name__} is declared twice in protocol {self.name}")
        self.declarations.resources[kind] = Copied(kind, without, every)
        return self

    def owner(self, column: Any) -> Protocol:
        """Say which column, such as `Ship.seat`, holds the player an entity belongs to."""
        kind, name = column_of(column)
        self._open(kind)
        self.declarations.owners[kind] = name
        return self

    def predict(self, kind: type[Component], *, all: bool = False, spawns: bool = False) -> Protocol:
        """Have clients simulate the entities with this component ahead of the server: their own, or `all`.

        With `spawns`, those their player brings about appear, and end, without waiting for the server.
        """
        self._open(kind)
        self.declarations.predicted[kind] = Predicted(kind, all, spawns)
        return self

    def interpolate(self, kind: type[Component], *, turning: tuple[Any, ...] = ()) -> Protocol:
        """Show this component of entities not predicted between two snapshots; columns in `turning` are angles."""
        self._open(kind)
        self.declarations.interpolated[kind] = tuple(column_of(column)[1] for column in turning)
        return self

    def command(self, kind: type) -> Protocol:
        """A player's intent for a tick, a dataclass like a message. Raises `SchemaError`."""
        self._open(kind)
        if kind in self.declarations.commands:
            raise SchemaError(f"command {kind.__name__} is declared twice in protocol {self.name}")
        self.declarations.commands[kind] = codec_of(kind)
        return self

    def event(self, *kinds: type, mine: str = "", predicted: bool = False) -> Protocol:
        """Let clients hear of events of the rules, each once, at the moment that is shown.

        `mine` names the field with the player who brought it about: that player's client has it from its own
        prediction at once. `predicted` ones come from every client's own prediction and never cross the wire. Fields
        need no bounds: numbers may be bare `int` and `float`, tuples of any length. Raises `SchemaError`.
        """
        for kind in kinds:
            self._open(kind)
            if kind in self.declarations.events:
                raise SchemaError(f"event {kind.__name__} is declared twice in protocol {self.name}")
            self.declarations.events[kind] = told(kind, mine=mine, predicted=predicted)
        return self

    def near(self, radius: float, *, always: tuple[type[Component], ...] = ()) -> Protocol:
        """Tell a player only of what is within `radius` units of what they own, and of entities with `always`."""
        self.declarations.radius, self.declarations.always = radius, always
        return self

    @overload
    def rewind(self, *, cap: float) -> Protocol: ...

    @overload
    def rewind(self, a: type[Component], b: type[Component], *, cap: float = REWIND_CAP) -> Protocol: ...

    def rewind(
        self, a: type[Component] | None = None, b: type[Component] | None = None, *, cap: float = REWIND_CAP
    ) -> Protocol:
        """Judge contacts of `a` and `b` by what the owner of `a` saw, at most `cap` seconds ago.

        Without a pair it says only how far `Rewind` looks back, for a game that shoots with rays.
        """
        if a is not None and b is not None:
            self.declarations.judged.append(Judged(a, b, cap))
        elif a is None and b is None:
            self.declarations.cap = cap
        else:
            raise SchemaError(".rewind() takes two components, or none; give also the other of the pair")
        return self

    def describe(self) -> str:
        """The whole contract, one line a message; the protocol id is the hash of this text."""
        lines = [f"{WIRE_FORMAT}", f"{self.name} {self.version}"]
        lines += [f"{channel.name} {codec.text}" for channel, codec in zip(self._channels, self._codecs, strict=True)]
        lines += self.declarations.describe()
        return "\n".join(lines)

    @property
    def id(self) -> int:
        """The 64-bit protocol id: equal on both sides exactly when `describe` is."""
        if self._id is None:
            self.declarations.check()
            if self.declarations.any:
                for kind, channel in _SYSTEM:
                    self._add(kind, channel)
            self._id = int.from_bytes(hashlib.blake2b(self.describe().encode(), digest_size=8).digest(), "little")
            self._index_bits = max(len(self._codecs) - 1, 0).bit_length()
            for kind, (index, _, codec) in self._entries.items():
                if codec.most and self._index_bits <= 8:
                    self._blobs[kind] = self._blobs_by_index[index] = _Blob(kind, index, self._index_bits, codec.most)
        return self._id

    @property
    def build(self) -> Build:
        """What this side says of itself when it refuses or is refused."""
        return Build(self.name, self.version, self.id)

    def index(self, kind: type) -> int:
        """The position of a message type in the order of declaration. Raises `SchemaError` for one never declared."""
        return self._entry(kind)[0]

    def _entry(self, kind: type) -> tuple[int, Channel, Codec]:
        entry = self._entries.get(kind)
        if entry is None:
            raise SchemaError(f"protocol {self.name} has no {kind.__name__}: declare it with .message({kind.__name__})")
        return entry

    def channel(self, kind: type) -> Channel:
        """The channel a message type was declared with."""
        return self._entry(kind)[1]

    def encode(self, message: object) -> bytes:
        """The bytes of a message: its type's position, then its fields. Raises `EncodeError`, `SchemaError`."""
        if self._id is None:
            _ = self.id
        blob = self._blobs.get(type(message))
        if blob is not None and (encoded := blob.encode(message)) is not None:
            return encoded
        index, _, codec = self._entry(type(message))
        writer = BitWriter()
        writer.write(index, self._index_bits)
        codec.write(writer, message)
        return writer.getvalue()

    def decode(self, encoded: bytes, channel: int | None = None) -> object:
        """The message that `encode` turned into `encoded`, and that goes over `channel`, if one is given.

        Raises `ProtocolError` for any other bytes.
        """
        if self._id is None:
            _ = self.id
        index = encoded[0] & (1 << self._index_bits) - 1 if encoded else 0
        blob = self._blobs_by_index.get(index)
        if blob is not None and (channel is None or channel == self._channels[index]):
            message = blob.decode(encoded)
            if message is not None:
                return message
        reader = BitReader(encoded)
        index = reader.read(self._index_bits)
        try:
            expected, read = self._readers[index]
        except IndexError:
            raise ProtocolError(f"message type {index} of {len(self._codecs)}") from None
        if channel is not None and expected != channel:
            raise ProtocolError(f"message type {index} came over channel {channel}, not {expected}")
        message = read(reader)
        reader.finish()
        return message


__all__ = ["WIRE_FORMAT", "Build", "Channel", "EncodeError", "Protocol", "refusal"]
