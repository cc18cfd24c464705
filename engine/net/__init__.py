"""The network: bytes and values (`wire`), secure connections and delivery (`connection`), sockets (`transport`), and
many players in one world (`replication`).

What a networked game needs can be imported from here: `from engine.net import Multiplayer, Protocol`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.facade import loader

if TYPE_CHECKING:
    from engine.net.connection.events import Connected, Disconnected, Received
    from engine.net.multiplayer import SPECTATOR, Came, Me, Multiplayer, Went, Withdrawn
    from engine.net.networking import Guest, Host, hosting, joining, networking
    from engine.net.wire import Audience, Axis, Channel, MaxBytes, MaxItems, Protocol, Quantized, Range

_WHERE = {
    "engine.net.connection.events": "Connected Disconnected Received",
    "engine.net.multiplayer": "SPECTATOR Came Me Multiplayer Went Withdrawn",
    "engine.net.networking": "Guest Host hosting joining networking",
    "engine.net.wire": "Audience Axis Channel MaxBytes MaxItems Protocol Quantized Range",
}

__all__ = [
    "SPECTATOR",
    "Audience",
    "Axis",
    "Came",
    "Channel",
    "Connected",
    "Disconnected",
    "Guest",
    "Host",
    "MaxBytes",
    "MaxItems",
    "Me",
    "Multiplayer",
    "Protocol",
    "Quantized",
    "Range",
    "Received",
    "Went",
    "Withdrawn",
    "hosting",
    "joining",
    "networking",
]


__getattr__ = loader(__name__, _WHERE)
