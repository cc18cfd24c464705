"""Ricochet over four networks: what its players see, from a server, eight bots and two clients on a virtual network.

The networks and the clocks are simulated, and the same seed gives the same table, but for what a client's tick costs:
processor time of this machine, of a client that draws nothing.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import atan2, cos, hypot, sin, tau
from time import process_time

from engine.app import Options, Scene
from engine.ecs import World
from engine.net.transport.conditioner import Conditions
from engine.net.transport.presets import PRESETS
from engine.physics import ContactBegan, Velocity
from engine.scene import Transform
from engine.testing.netplay import Netplay, NetplayClient
from games.ricochet.commands import Fly
from games.ricochet.components import Disc, Ship
from games.ricochet.events import Thrown
from games.ricochet.game import GAME
from games.ricochet.seats import ship_of
from games.ricochet.tuning import DISC_SPEED
from tools.bench.figure import Figure

SECONDS = 60.0
BOTS = 8
LATE = 3
"""Ticks by which a command may have come too late for its own: then the server throws that much later."""
CORRECTION = {"wifi": 2.0, "mobile": 6.0}
"""Units that a correction may move one's own ship in a tick, 99th percentile."""
UNDERRUNS = {"wifi": 0.5}
"""Per cent of the frames."""
TICK = {"mobile": 5.0}
"""Milliseconds that a client's tick may take, 99th percentile."""


@dataclass
class Seen:
    """What one client saw."""

    client: NetplayClient
    moved: list[float] = field(default_factory=list[float])
    """By tick: how far corrections moved its own ship."""
    answered: list[int] = field(default_factory=list[int])
    """Ticks from a command to its effect on what is shown."""
    hits: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """Its discs on others' ships in its own prediction: the tick of the throw, and the seat that was hit."""
    counted: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """The same on the server."""
    costs: list[float] = field(default_factory=list[float])
    """Seconds of processor time, by tick."""
    rollbacks: int = 0
    tick: int = 0

    def time(self) -> None:
        """Measure what its ticks cost from now on."""
        app, advance = self.client.app, self.client.app.advance

        def timed(now: float) -> None:
            before, start = app.scene.tick, process_time()
            advance(now)
            if app.scene.tick != before:
                self.costs.append(process_time() - start)

        app.advance = timed  # type: ignore[method-assign]

    def watch(self, server: Scene) -> None:
        """Note hits on both sides as they happen, with the tick in which the disc was thrown."""
        ahead = self.client.showing.prediction.scene
        born: dict[int, int] = {}

        def follow(scene: Scene, hits: set[tuple[int, int]]) -> None:
            def thrown(world: World, thrown: Thrown) -> None:
                born[thrown.disc.id] = scene.tick

            def hit(world: World, contact: ContactBegan[Disc, Ship]) -> None:
                disc, ship = contact.a, contact.b
                if disc.alive and ship.alive and disc[Disc].owner == self.client.player != ship[Ship].seat:
                    hits.add((born.get(disc.id, 0), ship[Ship].seat))

            scene.dispatcher.subscribe(Thrown, thrown)
            scene.dispatcher.subscribe(ContactBegan[Disc, Ship], hit, priority=100)

        follow(ahead, self.hits)
        follow(server, self.counted)

    def look(self) -> None:
        """After each step."""
        scene = self.client.scene
        if scene.tick == self.tick:
            return
        self.tick = scene.tick
        prediction = self.client.showing.prediction
        self.moved.append(float(prediction.visible))
        self.rollbacks = prediction.corrections

    @property
    def share_counted(self) -> tuple[int, int]:
        """Of the hits seen: how many counted, and how many there were."""
        counted = {(tick + late, seat) for tick, seat in self.counted for late in range(-LATE, LATE + 1)}
        return len(self.hits & counted), len(self.hits)


def play(conditions: Conditions, seconds: float = SECONDS, seed: int = 5) -> tuple[Netplay, list[Seen]]:
    """Let two marksmen play among bots."""
    with Netplay(GAME, Options(seed=seed, bots=BOTS), seed=seed, conditions=conditions) as match:
        clients = [match.join("Ana"), match.join("Ben")]
        match.run_until(lambda: all(client.playing for client in clients))
        watchers = [Seen(client) for client in clients]
        for number, seen in enumerate(watchers):
            seen.watch(match.scene)
            seen.client.wants = marksman(seen.client, seed + number)

        def look() -> None:
            for seen in watchers:
                seen.look()

        for seen in watchers:
            seen.time()
        match.run(seconds, look)
        for seen in watchers:
            seen.answered += [answer(match, seen.client) for _ in range(8)]
    return match, watchers


def marksman(client: NetplayClient, seed: int) -> Callable[[int], list[object]]:
    """Who flies about and throws at the next ship, a little ahead of where it is shown: like people do."""
    rng = random.Random(seed)
    stick = [0.0, 0.0]

    def wants(tick: int) -> list[object]:
        if tick % 40 == 0:
            angle = rng.uniform(0, tau)
            stick[:] = cos(angle), sin(angle)
        world = client.world
        ship = ship_of(world, client.player)
        if ship is None:
            return [Fly()]
        at = ship[Transform]
        marks = [
            (hypot(there.x - at.x, there.y - at.y), there.x, there.y, motion.vx, motion.vy)
            for other, there, motion in world.rows(Ship, Transform, Velocity)
            if other.seat != client.player
        ]
        if not marks:
            return [Fly(stick[0], stick[1])]
        far, x, y, vx, vy = min(marks)
        flight = far / DISC_SPEED
        aim = atan2(y + vy * flight - at.y, x + vx * flight - at.x) + rng.gauss(0.0, 0.03)
        return [Fly(stick[0], stick[1], aim=aim, fire=far < 600.0 and tick % 20 == 0)]

    return wants


def answer(match: Netplay, client: NetplayClient) -> int:
    """Ticks from the tick in which a stick is pushed to the tick whose image shows the ship faster."""
    client.wants = lambda tick: [Fly()]
    match.run_until(lambda: ship_of(client.world, client.player) is not None)
    match.run(1.5)
    pushed: list[int] = []
    moved: list[int] = []

    def push(tick: int) -> list[Fly]:
        pushed.append(tick)
        return [Fly(thrust_x=1.0)]

    def look() -> None:
        ship = ship_of(client.world, client.player)
        if pushed and not moved and ship is not None and ship[Velocity].vx - before > 5.0:
            moved.append(client.scene.tick)

    ship = ship_of(client.world, client.player)
    before = ship[Velocity].vx if ship is not None else 0.0
    client.wants = push
    match.run(0.5, look)
    client.wants = lambda tick: [Fly()]
    return moved[0] - pushed[0] if moved else sys.maxsize


def netplay() -> Iterator[Figure]:
    """The table of scenarios."""
    for name, conditions in PRESETS.items():
        match, watchers = play(conditions)
        moved = sorted(distance for seen in watchers for distance in seen.moved)
        figures = [seen.client.participant for seen in watchers]
        frames = sum(one.playout.frames for one in figures)
        underruns = sum(one.playout.underruns for one in figures) / frames
        answered = sorted(ticks for seen in watchers for ticks in seen.answered)
        counted, hits = map(sum, zip(*(seen.share_counted for seen in watchers), strict=True))
        costs = sorted(1000 * cost for seen in watchers for cost in seen.costs)
        again = sum(seen.rollbacks for seen in watchers) / sum(len(seen.moved) for seen in watchers)
        sent = match.authority.replicator.bytes * 8 / 1000 / match.network.now / len(watchers)
        for what, value, unit, reach in (
            ("own input shown after", answered[len(answered) // 2], "ticks", 0),
            ("visible correction, p99", moved[int(0.99 * len(moved))], "units", CORRECTION.get(name)),
            ("visible correction, most", moved[-1], "units", None),
            ("underruns", 100 * underruns, "% of frames", UNDERRUNS.get(name)),
            ("others are shown late by", figures[0].playout.delay * 1000, "ms", None),
            ("ticks run again", 60 * again, "times a second", None),
            ("a client's tick, median", costs[len(costs) // 2], "ms", None),
            ("a client's tick, p99", costs[int(0.99 * len(costs))], "ms", TICK.get(name)),
            ("discs seen to hit", hits, "", None),
            ("discs that counted", 100 * counted / max(1, hits), "%", None),
            ("snapshots", sent, "kbit/s", None),
        ):
            yield Figure(what, value, unit, reach=None if reach is None else f"<= {reach}", scenario=name)
