"""A network inside one process: a server and clients that hand each other datagrams, without a socket.

It serves a game played alone, which is a server and a client side by side, and the virtual network of tests. The way of
each client has conditions of its own, so a bad network can be tried without one.
"""

from __future__ import annotations

from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.server import Server
from engine.net.transport.conditioner import PERFECT, Conditions, Link


class Way:
    """Both directions between one client and the server."""

    def __init__(self, address: Address, client: Client, conditions: Conditions, seed: int | str) -> None:
        self.address = address
        """Where the server sees the client."""
        self.client = client
        self.up = Link(conditions, f"{seed} up")
        self.down = Link(conditions, f"{seed} down")


class Loopback:
    """Carries datagrams between `server`, known to its clients as `address`, and the clients that join."""

    def __init__(self, server: Server, address: Address) -> None:
        self.server = server
        self.address = address
        self._ways: dict[Address, Way] = {}

    def join(self, client: Client, conditions: Conditions = PERFECT, seed: int | str = 0) -> Way:
        """Connect a client, at an address of its own."""
        number = len(self._ways) + 1
        address = Address(f"127.1.{number >> 8}.{number & 255}", 40000)
        way = self._ways[address] = Way(address, client, conditions, seed)
        return way

    def receive(self, now: float) -> None:
        """Hand over every datagram that has arrived."""
        for way in self._ways.values():
            for datagram, source in way.up.arrivals(now):
                self.server.receive_datagram(datagram, source, now)
            for datagram, source in way.down.arrivals(now):
                way.client.receive_datagram(datagram, source, now)

    def send(self, now: float) -> None:
        """Put on its way what each side has to send. Where a way takes no time, it arrives at once."""
        for way in self._ways.values():
            for datagram, to in way.client.datagrams_to_send(now):
                if to == self.address:
                    way.up.send(datagram, way.address, now)
        for datagram, to in self.server.datagrams_to_send(now):
            way = self._ways.get(to)
            if way is not None:
                way.down.send(datagram, self.address, now)
        self.receive(now)

    def next_arrival(self) -> float | None:
        """When the next datagram arrives; None while none is under way."""
        timers = [link.next_timer() for way in self._ways.values() for link in (way.up, way.down)]
        return min((timer for timer in timers if timer is not None), default=None)
