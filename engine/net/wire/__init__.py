"""Bytes ↔ values: bit packing, message schemas, and the `Protocol` that both sides of a game share."""

from engine.net.wire.bits import BitReader, BitWriter
from engine.net.wire.declaration import Audience
from engine.net.wire.errors import EncodeError, ProtocolError, SchemaError
from engine.net.wire.protocol import Build, Channel, Protocol, refusal
from engine.net.wire.schema import (
    Axis,
    Float32,
    Float64,
    Int8,
    Int16,
    Int32,
    Int64,
    MaxBytes,
    MaxItems,
    Quantized,
    Range,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
)

__all__ = [
    "Audience",
    "Axis",
    "BitReader",
    "BitWriter",
    "Build",
    "Channel",
    "EncodeError",
    "Float32",
    "Float64",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "MaxBytes",
    "MaxItems",
    "Protocol",
    "ProtocolError",
    "Quantized",
    "Range",
    "SchemaError",
    "Uint8",
    "Uint16",
    "Uint32",
    "Uint64",
    "refusal",
]
