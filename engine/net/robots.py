"""Many honest clients in one process, without a window: they play by what they are told, and report how it went.

Each has the whole netcode: a token, an encrypted connection, commands ahead of their tick and repeated until they are
heard of, snapshots decoded and acked, a clock that follows the server's, a buffer that decides what would be shown
when. Some also run the prediction, which takes most of the time; the figures about corrections come from these.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from statistics import mean, quantiles
from typing import Any, cast

from engine.app import App, AppError, Commanded, FixedStep, Game, Plugin, Time
from engine.app.garbage import Sweeper, set_aside, take_back
from engine.ecs import World
from engine.errors import TickwireError
from engine.events import OnError
from engine.net.connection.client import Client
from engine.net.connection.events import Connected, Disconnected, Received, Refused
from engine.net.multiplayer import SPECTATOR, Multiplayer, multiplayer_of
from engine.net.replication.decoding import Decoder, SharedDecoder
from engine.net.replication.participant import Participant
from engine.net.replication.showing import client_scene
from engine.net.transport.conditioner import Conditions
from engine.net.transport.host import Guest

RATE = 60.0
REACTION = 3
"""Ticks for which a robot without prediction holds what it wants: a person's fingers are no faster."""
AT_ONCE = 16
"""Robots that ask for a token at the same time."""
TURNS = 4
"""Parts of a tick in which a part of the robots each has its turn: players do not all send at the same moment."""
BEHIND = 0.05
"""Seconds of turns that are made up for after a standstill."""
BUSY_LATE, BUSY_DELAY, BUSY_CPU = 0.005, 0.01, 0.95
"""Ticks dropped, seconds that one turn in twenty began late, and share of a core, above which a process of robots
measures itself."""
TELL_EVERY = 0.5
"""Seconds from one telling of the progress to the next."""


@dataclass(slots=True)
class Report:
    """How it went, over all robots. Times are milliseconds, rates are for each client."""

    wanted: int
    connected: int = 0
    playing: int = 0
    refused: list[str] = field(default_factory=list[str])
    """What those said who were not let in, or were thrown out; the same words once."""
    seconds: float = 0.0
    rtt: float = 0.0
    rtt_p95: float = 0.0
    loss: float = 0.0
    bytes_in: float = 0.0
    """Bytes a second, UDP payload."""
    bytes_out: float = 0.0
    bytes_per_update: float = 0.0
    """Bytes of snapshots an entity update."""
    underruns: float = 0.0
    """Share of frames for which no snapshot was there in time."""
    predicting: int = 0
    """Robots that ran the prediction."""
    corrections: float = 0.0
    """Corrections a minute, of those."""
    correction_p99: float = 0.0
    """Units that corrections moved what is shown of one's own in a tick, 99th percentile of all ticks."""
    desyncs: int = 0
    cpu: float = 0.0
    """Share of a core that this process took."""
    late: float = 0.0
    """Share of ticks that this process was too busy for."""
    delay: float = 0.0
    """Milliseconds that turns of robots began late, 95th percentile."""
    busy: bool = False
    """Whether this process was too busy for its robots to be players: the figures say more of it than of the server."""

    def lines(self) -> list[str]:
        """For people."""
        found = [
            f"connected      {self.connected} of {self.wanted}, {self.playing} playing",
            f"round trip     {self.rtt:.0f} ms, 95% within {self.rtt_p95:.0f} ms; {100 * self.loss:.1f}% lost",
            f"bytes/s        {self.bytes_in:.0f} in, {self.bytes_out:.0f} out, each client",
            f"entity update  {self.bytes_per_update:.2f} bytes",
            f"underruns      {100 * self.underruns:.2f}% of frames",
        ]
        if self.predicting:
            found.append(
                f"corrections    {self.corrections:.1f} a minute of {self.predicting} predicting, "
                f"99% of ticks moved by {self.correction_p99:.2f} units or less"
            )
        found.append(f"desyncs        {self.desyncs}")
        found.append(
            f"this process   {100 * self.cpu:.0f}% of a core, {100 * self.late:.2f}% of ticks late, "
            f"95% of turns within {self.delay:.1f} ms"
        )
        found += [f"not let in     {words}" for words in self.refused]
        if self.busy:
            found.append(
                "TOO BUSY       this process had not enough time for its robots, so these figures say more of it than "
                "of the server: use fewer clients, or several processes on cores of their own"
            )
        return found

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(slots=True)
class Progress:
    """How far robots are, while they play."""

    wanted: int
    connected: int
    playing: int
    left: float
    """Seconds to go."""


class Robot:
    """One client that plays by the game's autopilot. `clock` gives the times that it is given."""

    def __init__(
        self,
        game: Game,
        number: int,
        *,
        decoder: Decoder | None = None,
        predicts: bool = False,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.game = game
        self.multiplayer: Multiplayer = multiplayer_of(game)
        self.name = f"robot {number}"
        self.participant = Participant(self.multiplayer, rate=RATE, decoder=decoder)
        self.client: Client | None = None
        self.guest: Guest | None = None
        self.words = ""
        """Why it is not playing, if so."""
        self.connected = False
        self.visible: list[float] = []
        """How far corrections moved what is shown of one's own, tick by tick."""
        self._predicts = predicts
        self._clock = clock
        self._rng = random.Random(f"{seed} {number}")
        self._step = FixedStep(RATE)
        self._tick = 0
        self._asks_at = 0
        self._held: object = None
        self._app: App | None = None

    async def connect(self, invite: str, conditions: Conditions | None) -> None:
        """Ask for a place, again if the server says so, and begin to connect."""
        try:
            self.guest = await Guest.open(
                invite, self.multiplayer.protocol, self.take, name=self.name, conditions=conditions
            )
            self.client = self.guest.client
        except (TickwireError, OSError) as error:
            self.words = str(error)

    def take(self, event: object) -> None:
        """Take in an event of the connection."""
        if not isinstance(event, Received):
            if isinstance(event, Connected) and self.client is not None:
                self.connected = True
                self.participant.connected(self.client.send, self.client.estimate)
            elif isinstance(event, Disconnected | Refused):
                self.connected, self.words = False, self.participant.last_words or str(event)
        self.participant.receive(cast("object", event), self._clock())

    @property
    def playing(self) -> bool:
        """Whether it has a seat."""
        return self.connected and self.participant.player != SPECTATOR

    def advance(self, now: float) -> None:
        """Run the ticks that are due, and send what comes of them."""
        if not self.connected or not self.participant.ready:
            return
        if self._predicts:
            self._advance_scene(now)
        else:
            self._advance_alone(now)
        if self.guest is not None:
            self.guest.flush()

    def _advance_alone(self, now: float) -> None:
        participant = self.participant
        if not self._tick:
            self._tick = participant.first_tick(now)
        step, lead = self._step, participant.lead
        due = step.advance(now)
        step.speed = lead.steer(now, self._tick + due + step.alpha)
        self._tick += lead.jump
        participant.happened.clear()
        participant.changed.clear()
        for _ in range(due):
            self._tick += 1
            shown = participant.playout.at(now)
            if not 0 < self._asks_at - self._tick < REACTION:
                self._asks_at = self._tick + REACTION
                command, held = self._wanted(self._tick), self._held
                self._held = command
                if command is not held:
                    participant.command(self._tick, [] if command is None else [command], shown)
                    continue
            participant.command(self._tick, None, shown)

    def _wanted(self, tick: int) -> object:
        """The autopilot's command; None of who only watches."""
        participant, autopilot = self.participant, self.multiplayer.autopilot
        state = participant.latest
        if state is None or autopilot is None or participant.player == SPECTATOR:
            return None
        return autopilot(state, participant.player, self._rng, tick)

    def _advance_scene(self, now: float) -> None:
        if self._app is None:
            steering = Plugin("net.robot")
            steering.commands()(self._steer)
            self._app = App(rate=RATE)
            self._app.push(
                client_scene(self.game, self.participant, self._clock, plugins=[steering], on_error=OnError.ISOLATE)
            )
        if self._app.advance(now):
            self.visible.append(self.participant.figures.correction)

    def _steer(self, world: World) -> Iterable[Commanded[Any]]:
        command: Any = self._wanted(world.resource(Time).tick)
        return [] if command is None else [Commanded(self.participant.player, command)]

    @property
    def dropped(self) -> int:
        """Ticks this process had no time for."""
        return (self._app.step if self._app is not None else self._step).dropped

    async def close(self) -> None:
        """Leave."""
        if self.guest is not None:
            await self.guest.close()
        if self._app is not None:
            self._app.close()


async def play_robots(
    game: Game,
    invite: str,
    clients: int,
    seconds: float,
    *,
    predicting: int = 4,
    conditions: Conditions | None = None,
    seed: int = 0,
    tell: Callable[[Progress], object] | None = None,
) -> Report:
    """Have `clients` robots join by `invite` and play for `seconds`, `predicting` of them with prediction.

    `conditions` are those of each direction of each robot's way. Now and then `tell` is called with how far they are.
    What is measured is the time after all have asked for their places, since that takes more than to play.

    Raises `AppError` if the game has no autopilot.
    """
    multiplayer = multiplayer_of(game)
    if multiplayer.autopilot is None:
        raise AppError(f"{game.title} gives robots nothing to play by: its Multiplayer has no autopilot")
    decoder = SharedDecoder(multiplayer.protocol, RATE)
    robots = [
        Robot(game, number, decoder=decoder, predicts=number < predicting, seed=seed) for number in range(clients)
    ]
    try:
        gate = asyncio.Semaphore(AT_ONCE)

        async def connect(robot: Robot) -> None:
            async with gate:
                await robot.connect(invite, conditions)

        started = time.monotonic()
        joining = asyncio.gather(*(connect(robot) for robot in robots))
        turns = cycle([robots[first::TURNS] for first in range(TURNS)])
        begun: Totals | None = None
        sweeper = Sweeper(time.monotonic)
        delays: list[float] = []
        due, tell_at = started, started
        while (now := time.monotonic()) < started + seconds or begun is None:
            if begun is None and joining.done():
                set_aside()
                begun = Totals.of(robots)
                delays.clear()
                due = now = time.monotonic()
            for robot in next(turns):
                robot.advance(now)
            sweeper.sweep()
            delays.append(now - due)
            if tell is not None and now >= tell_at:
                tell_at = now + TELL_EVERY
                tell(_progress(robots, started + seconds - now))
            due = max(due + 1 / (RATE * TURNS), now - BEHIND)
            await _until(due, asleep=begun is not None)
        await joining
        return _report(robots, Totals.of(robots).since(begun), delays)
    finally:
        take_back()
        for robot in robots:
            await robot.close()


async def _until(due: float, *, asleep: bool) -> None:
    """Wait, and take in what has arrived by then: all at once if `asleep`, since to be woken for each datagram would
    cost many times what it takes to read one."""
    spare = max(0.0, due - time.monotonic())
    if not asleep:
        await asyncio.sleep(spare)
        return
    time.sleep(spare)
    await asyncio.sleep(0)  # now the loop has looked at the sockets,
    await asyncio.sleep(0)  # and now it has read from them


@dataclass(slots=True)
class Totals:
    """What adds up while robots play, over all of them."""

    at: float
    cpu: float
    bytes_in: int = 0
    bytes_out: int = 0
    updates: int = 0
    snapshot_bytes: int = 0
    frames: int = 0
    underruns: int = 0
    corrections: int = 0
    dropped: int = 0

    @classmethod
    def of(cls, robots: Sequence[Robot]) -> Totals:
        """Of these, so far."""
        totals = cls(time.monotonic(), time.process_time())
        for robot in robots:
            participant = robot.participant
            if robot.guest is not None:
                totals.bytes_in += robot.guest.udp.bytes_in
                totals.bytes_out += robot.guest.udp.bytes_out
            totals.updates += participant.replica.updates
            totals.snapshot_bytes += participant.replica.bytes
            totals.frames += participant.playout.frames
            totals.underruns += participant.playout.underruns
            totals.corrections += participant.figures.corrections
            totals.dropped += robot.dropped
        return totals

    def since(self, before: Totals) -> Totals:
        """What was added."""
        return Totals(*(getattr(self, name) - getattr(before, name) for name in Totals.__slots__))


def _progress(robots: list[Robot], left: float) -> Progress:
    connected = sum(robot.connected for robot in robots)
    return Progress(len(robots), connected, sum(robot.playing for robot in robots), max(0.0, left))


def _report(robots: list[Robot], totals: Totals, delays: list[float]) -> Report:
    connected = [robot for robot in robots if robot.connected]
    seconds = max(totals.at, 1 / RATE)
    report = Report(len(robots), len(connected), seconds=seconds, cpu=totals.cpu / seconds)
    report.refused = sorted({robot.words for robot in robots if robot.words})
    report.playing = sum(robot.playing for robot in robots)
    if not connected:
        return report
    for robot in connected:
        robot.participant.take_figures()
    figures = [robot.participant.figures for robot in connected]
    rtts = [1000 * one.rtt for one in figures]
    report.rtt = mean(rtts)
    report.rtt_p95 = quantiles(rtts, n=20)[-1] if len(rtts) > 1 else rtts[0]
    report.loss = mean(one.loss for one in figures)
    report.bytes_in = totals.bytes_in / seconds / len(connected)
    report.bytes_out = totals.bytes_out / seconds / len(connected)
    report.bytes_per_update = totals.snapshot_bytes / max(1, totals.updates)
    report.underruns = totals.underruns / max(1, totals.frames)
    predicting = [robot for robot in connected if robot.visible]
    report.predicting = len(predicting)
    if predicting:
        report.corrections = totals.corrections / len(predicting) / seconds * 60
        visible = sorted(moved for robot in predicting for moved in robot.visible)
        report.correction_p99 = visible[int(0.99 * (len(visible) - 1))]
    report.desyncs = sum(one.desyncs for one in figures)
    report.late = totals.dropped / (RATE * seconds * len(connected))
    delay = sorted(delays)[int(0.95 * (len(delays) - 1))]
    report.delay = 1000 * delay
    report.busy = report.late > BUSY_LATE or delay > BUSY_DELAY or report.cpu > BUSY_CPU
    return report
