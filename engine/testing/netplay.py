"""A server and its clients in one test, stepped by a manual clock over a virtual network.

    with Netplay(GAME, Options(bots=3), seed=7, conditions=MOBILE) as match:
        ana, ben = match.join("Ana"), match.join("Ben")
        match.run_until(lambda: ana.playing and ben.playing)
        ana.wants = lambda tick: [Fly(thrust_x=1.0)]
        match.run(5.0)

The same seed gives the same run. A client without a `view` has the shown world, and nobody to look at it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from engine.app import App, Commanded, Game, Options, Plugin, Recorder, Scene
from engine.ecs import World
from engine.events import OnError
from engine.net.connection.events import Connected, Disconnected, Event, Refused
from engine.net.multiplayer import multiplayer_of
from engine.net.replication.authority import Authority
from engine.net.replication.participant import Participant
from engine.net.replication.showing import Showing, client_scene
from engine.net.transport.conditioner import PERFECT, Conditions
from engine.testing.executor import InlineExecutor
from engine.testing.network import VirtualClient, VirtualNetwork

STEP = 1 / 120
"""Seconds between looks at all clocks: half a tick, so that sides need not tick at the same moment."""
PATIENCE = 30.0
"""Simulated seconds that `run_until` waits at most."""


class NetplayClient:
    """One client of a `Netplay`."""

    def __init__(self, match: Netplay, name: str, plugins: Sequence[Plugin], *, spectate: bool) -> None:
        self.match = match
        self.name = name
        self.participant = Participant(match.multiplayer, spectate=spectate)
        self.app = App(executor=InlineExecutor())
        self.wants: Callable[[int], Iterable[object]] = lambda tick: ()
        """The commands for a tick."""
        self.ended: Event | None = None
        self.way: VirtualClient
        self._plugins = plugins
        self.connect()

    def connect(self, conditions: Conditions | None = None) -> None:
        """Connect, or connect again after a cut."""
        network = self.match.network
        number = len(network.clients) + 1
        token = network.issue(1000 + number, user=self.name.encode())
        self.way = network.join(conditions or network.conditions, token)
        self.way.sink = self._take
        self.ended = None

    def _take(self, event: Event) -> None:
        if isinstance(event, Connected):
            self.participant.connected(self.way.client.send, self.way.client.estimate)
        elif isinstance(event, Disconnected | Refused):
            self.ended = event
        self.participant.receive(event, self.match.network.now)

    @property
    def playing(self) -> bool:
        """Whether there is a scene."""
        return bool(self.app.scenes)

    @property
    def scene(self) -> Scene:
        """What the client shows."""
        return self.app.scene

    @property
    def world(self) -> World:
        """The shown world."""
        return self.app.world

    @property
    def showing(self) -> Showing:
        """How the client comes to show it."""
        return self.world.resource(Showing)

    @property
    def player(self) -> int:
        """Its number, or `SPECTATOR`."""
        return self.participant.player

    def advance(self, now: float) -> None:
        """Run what is due."""
        if not self.app.scenes:
            if not self.participant.ready:
                return
            self.app.push(
                client_scene(
                    self.match.game,
                    self.participant,
                    lambda: self.match.network.now,
                    plugins=[*self._plugins, self._steering()],
                )
            )
        self.app.advance(now)

    def _steering(self) -> Plugin:
        plugin = Plugin("testing.steering")

        @plugin.commands()
        def steer(world: World) -> Iterable[Commanded[Any]]:  # pyright: ignore[reportUnusedFunction]
            return [Commanded(self.player, command) for command in self.wants(self.scene.tick)]

        return plugin


class Netplay:
    """A room and its clients. Everything is deterministic from `seed`."""

    def __init__(
        self,
        game: Game,
        options: Options | None = None,
        *,
        seed: int,
        conditions: Conditions = PERFECT,
        plugins: Sequence[Plugin] = (),
        recorder: Recorder | None = None,
        max_clients: int = 64,
    ) -> None:
        self.game = game
        self.multiplayer = multiplayer_of(game)
        self.options = options or Options(seed=seed, bots=0)
        self.network = VirtualNetwork(
            self.multiplayer.protocol, seed=seed, conditions=conditions, max_clients=max_clients, tick=STEP
        )
        self.authority = Authority(
            self.multiplayer,
            self.network.server,
            self.options,
            lambda: self.network.now,
            entropy=random.Random(f"{seed} seats").randbytes,
        )
        self.network.sink = self.authority.receive
        self.clients: list[NetplayClient] = []
        self.scene = game.scene(self.options, [self.authority.plugin, *plugins], on_error=OnError.RAISE)
        self.scene.recorder = recorder
        self.app = App(executor=InlineExecutor())
        self.app.push(self.scene)

    @property
    def world(self) -> World:
        """The server's."""
        return self.scene.world

    def join(
        self,
        name: str = "somebody",
        *plugins: Plugin,
        conditions: Conditions | None = None,
        spectate: bool = False,
    ) -> NetplayClient:
        """Another client begins to connect."""
        before, self.network.conditions = self.network.conditions, conditions or self.network.conditions
        client = NetplayClient(self, name, plugins, spectate=spectate)
        self.network.conditions = before
        self.clients.append(client)
        return client

    def run(self, seconds: float, each: Callable[[], object] | None = None) -> None:
        """Let time pass; `each` is called after every step."""

        def step() -> None:
            now = self.network.now
            self.app.advance(now)
            for client in self.clients:
                client.advance(now)
            if each is not None:
                each()

        self.network.run(seconds, step)

    def run_until(self, reached: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Let time pass until something is the case. Raises `TimeoutError` if it never is."""
        end = self.network.now + seconds
        while not reached():
            if self.network.now >= end:
                raise TimeoutError(f"nothing came of it in {seconds} simulated seconds")
            self.run(0.1)

    def __enter__(self) -> Netplay:
        self.network.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.network.__exit__(kind, error, trace)
        self.app.close()
        for client in self.clients:
            client.app.close()
