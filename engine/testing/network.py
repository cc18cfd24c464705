"""A virtual network: a server and its clients in one process, on one thread, in time that only tests advance.

    with VirtualNetwork(protocol, seed=7, conditions=Conditions(latency=0.05, loss=0.1)) as network:
        alice = network.join()
        network.run(1.0)
        alice.client.send(Chat("hi"))
        network.run(1.0)
        assert [event.message for event in network.received(Chat)] == [Chat("hi")]

The same seed gives the same run, bit by bit, keys included; a test that fails inside the ``with`` reports its seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from engine.net.connection.address import Address
from engine.net.connection.client import Client
from engine.net.connection.delivery import Limits
from engine.net.connection.events import Event, Received
from engine.net.connection.server import Server
from engine.net.connection.token import ConnectToken, issue_token
from engine.net.transport.conditioner import PERFECT, Conditions
from engine.net.transport.loopback import Loopback, Way
from engine.net.wire.protocol import Protocol

SERVER_ADDRESS = Address("10.0.0.1", 7777)
EPOCH = 1_800_000_000.0
"""The Unix time at which every virtual network begins."""

M = TypeVar("M")


class VirtualClient:
    """A client on a virtual network, with the two directions of its way to the server."""

    def __init__(self, client: Client, way: Way) -> None:
        self.client = client
        self.address = way.address
        self.up = way.up
        self.down = way.down
        self.events: list[Event] = []
        """Everything that happened to this client, unless there is a `sink`."""
        self.sink: Callable[[Event], object] | None = None

    def received(self, kind: type[M]) -> list[M]:
        """The messages of a type that arrived, in order of arrival."""
        return _messages(self.events, kind)

    def set_conditions(self, conditions: Conditions) -> None:
        """From now on, both directions of the way are like this."""
        self.up.conditions = self.down.conditions = conditions


class VirtualNetwork:
    """A server, links, and a clock. Everything is deterministic from `seed`."""

    def __init__(
        self,
        protocol: Protocol,
        *,
        seed: int,
        conditions: Conditions = PERFECT,
        max_clients: int = 64,
        limits: Limits | None = None,
        tick: float = 1 / 60,
    ) -> None:
        self.protocol = protocol
        self.seed = seed
        self.conditions = conditions
        """What the links of clients that join from now on are like, in each direction."""
        self.now = 0.0
        self.tick = tick
        self.events: list[Event] = []
        """Everything that happened to the server, unless there is a `sink`."""
        self.sink: Callable[[Event], object] | None = None
        self.clients: list[VirtualClient] = []
        self._limits = limits
        self._entropy = random.Random(f"{seed} entropy").randbytes
        self._private_key = self._entropy(32)
        self._next_tick = 0.0
        self.server = Server(
            protocol,
            self._private_key,
            [SERVER_ADDRESS],
            self.now,
            epoch=EPOCH,
            max_clients=max_clients,
            limits=limits,
            entropy=self._entropy,
        )
        self._loopback = Loopback(self.server, SERVER_ADDRESS)

    def __enter__(self) -> VirtualNetwork:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"virtual network: seed={self.seed}, {self.now:.3f} s after its beginning")

    def issue(self, client_id: int, **changes: Any) -> ConnectToken:
        """A token for this network's server; `changes` are arguments of `issue_token`."""
        arguments: dict[str, Any] = {
            "protocol_id": self.protocol.id,
            "private_key": self._private_key,
            "client_id": client_id,
            "servers": [SERVER_ADDRESS],
            "now": EPOCH + self.now,
            "entropy": self._entropy,
        }
        return issue_token(**{**arguments, **changes})

    def join(self, conditions: Conditions | None = None, token: ConnectToken | None = None) -> VirtualClient:
        """Add a client that starts to connect now."""
        number = len(self.clients) + 1
        token = token or self.issue(1000 + number)
        client = Client(self.protocol, token, self.now, limits=self._limits)
        way = self._loopback.join(client, conditions or self.conditions, f"{self.seed} {number}")
        joined = VirtualClient(client, way)
        self.clients.append(joined)
        return joined

    def received(self, kind: type[M]) -> list[M]:
        """The messages of a type that arrived at the server, in order of arrival."""
        return _messages(self.events, kind)

    def run(self, seconds: float, each_tick: Callable[[], object] | None = None) -> None:
        """Let time pass. `each_tick` is called `1 / tick` times a second, before that tick's datagrams are sent."""
        end = self.now + seconds
        while self.now < end:
            arrival = self._loopback.next_arrival()
            self.now = min(end, self._next_tick, end if arrival is None else max(arrival, self.now))
            self._loopback.receive(self.now)
            if self.now >= self._next_tick:
                if each_tick is not None:
                    each_tick()
                self._loopback.send(self.now)
                self._next_tick = self.now + self.tick
            self._take_events()

    def _take_events(self) -> None:
        take = self.sink or self.events.append
        while (event := self.server.next_event()) is not None:
            take(event)
        for client in self.clients:
            take = client.sink or client.events.append
            while (event := client.client.next_event()) is not None:
                take(event)


def _messages(events: list[Event], kind: type[M]) -> list[M]:
    return [event.message for event in events if isinstance(event, Received) and isinstance(event.message, kind)]
