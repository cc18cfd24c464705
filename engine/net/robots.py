"""Many honest clients in one process, without a window: they play by what they are told, and report how it went.

Each has the whole netcode: a token, an encrypted connection, commands ahead of their tick and repeated until they are
heard of, snapshots decoded and acked, a clock that follows the server's, a buffer that decides what would be shown
when. Some also run the prediction, which takes most of the time; the figures about corrections come from these.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from statistics import mean, quantiles
from typing import Any

from engine.app import App, AppError, Commanded, FixedStep, Game, Plugin
from engine.ecs import World
from engine.errors import TickwireError
from engine.events import OnError
from engine.net.connection.events import Connected, Disconnected, Refused
from engine.net.multiplayer import SPECTATOR, Multiplayer, multiplayer_of
from engine.net.replication.decoding import Decoder, SharedDecoder
from engine.net.replication.participant import Participant
from engine.net.replication.showing import Showing, client_scene
from engine.net.transport.conditioner import Conditions
from engine.net.transport.host import Guest

RATE = 60.0
AT_ONCE = 16
"""Robots that ask for a token at the same time."""


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
    """Share of ticks that this process was too busy for. If it is not small, the figures above are of this process."""

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
        found.append(f"this process   {100 * self.cpu:.0f}% of a core, {100 * self.late:.2f}% of ticks late")
        found += [f"not let in     {words}" for words in self.refused]
        return found

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Robot:
    """One client that plays by the game's autopilot."""

    def __init__(self, game: Game, number: int, decoder: Decoder, *, predicts: bool, seed: int) -> None:
        self.game = game
        self.multiplayer: Multiplayer = multiplayer_of(game)
        self.name = f"robot {number}"
        self.participant = Participant(self.multiplayer, rate=RATE, decoder=decoder)
        self.guest: Guest | None = None
        self.words = ""
        """Why it is not playing, if so."""
        self.connected = False
        self.visible: list[float] = []
        """How far corrections moved what is shown of one's own, tick by tick."""
        self._predicts = predicts
        self._rng = random.Random(f"{seed} {number}")
        self._step = FixedStep(RATE)
        self._tick = 0
        self._app: App | None = None

    async def connect(self, invite: str, conditions: Conditions | None) -> None:
        """Ask for a token, and begin to connect."""
        try:
            self.guest = await Guest.open(
                invite, self.multiplayer.protocol, self._take, name=self.name, conditions=conditions
            )
        except (TickwireError, OSError) as error:
            self.words = str(error)

    def _take(self, event: Any) -> None:
        if isinstance(event, Connected) and self.guest is not None:
            self.connected = True
            self.participant.connected(self.guest.send, self.guest.client.estimate)
        elif isinstance(event, Disconnected | Refused):
            self.connected, self.words = False, self.participant.last_words or str(event)
        self.participant.receive(event, time.monotonic())

    def advance(self, now: float) -> None:
        """Run the ticks that are due, and send what comes of them."""
        participant = self.participant
        if not self.connected or not participant.ready:
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
        due = self._step.advance(now)
        self._step.speed = participant.lead.steer(now, self._tick + due + self._step.alpha)
        self._tick += participant.lead.jump
        for _ in range(due):
            self._tick += 1
            shown = participant.playout.at(now)
            participant.happened.clear()
            participant.changed.clear()
            participant.command(self._tick, self._commands(self._tick), shown)

    def _commands(self, tick: int) -> list[object]:
        state, autopilot = self.participant.latest, self.multiplayer.autopilot
        if state is None or autopilot is None or self.participant.player == SPECTATOR:
            return []
        return [autopilot(state, self.participant.player, self._rng, tick)]

    def _advance_scene(self, now: float) -> None:
        if self._app is None:
            self._app = App(rate=RATE)
            self._app.push(
                client_scene(
                    self.game, self.participant, time.monotonic, plugins=[self._steering()], on_error=OnError.ISOLATE
                )
            )
        if self._app.advance(now):
            self.visible.append(self.participant.figures.correction)

    def _steering(self) -> Plugin:
        plugin = Plugin("net.robot")

        @plugin.commands()
        def steer(world: World) -> Iterable[Commanded[Any]]:  # pyright: ignore[reportUnusedFunction]
            tick = world.resource(Showing).participant
            return [Commanded(tick.player, command) for command in self._commands(self._app.scene.tick)]  # type: ignore[union-attr]

        return plugin

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
) -> Report:
    """Have `clients` robots join by `invite` and play for `seconds`, `predicting` of them with prediction.

    `conditions` are those of each direction of each robot's way. Raises `AppError` if the game has no autopilot.
    """
    if multiplayer_of(game).autopilot is None:
        raise AppError(f"{game.title} gives robots nothing to play by: its Multiplayer has no autopilot")
    decoder = SharedDecoder(multiplayer_of(game).protocol)
    robots = [Robot(game, number, decoder, predicts=number < predicting, seed=seed) for number in range(clients)]
    try:
        gate = asyncio.Semaphore(AT_ONCE)

        async def connect(robot: Robot) -> None:
            async with gate:
                await robot.connect(invite, conditions)

        joining = asyncio.gather(*(connect(robot) for robot in robots))
        started, used = time.monotonic(), time.process_time()
        due = started
        ticks = 0
        while (now := time.monotonic()) < started + seconds or not joining.done():
            for robot in robots:
                robot.advance(now)
            ticks += 1
            due = max(due + 1 / RATE, time.monotonic() - 0.05)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await joining
        return _report(robots, time.monotonic() - started, time.process_time() - used)
    finally:
        for robot in robots:
            await robot.close()


def _report(robots: list[Robot], seconds: float, cpu: float) -> Report:
    connected = [robot for robot in robots if robot.connected and robot.guest is not None]
    report = Report(len(robots), len(connected), seconds=seconds, cpu=cpu / seconds)
    report.refused = sorted({robot.words for robot in robots if robot.words})
    report.playing = sum(robot.participant.player != SPECTATOR for robot in connected)
    if not connected:
        return report
    figures = [robot.participant.figures for robot in connected]
    rtts = [1000 * one.rtt for one in figures]
    report.rtt = mean(rtts)
    report.rtt_p95 = quantiles(rtts, n=20)[-1] if len(rtts) > 1 else rtts[0]
    report.loss = mean(one.loss for one in figures)
    udps = [robot.guest.udp for robot in connected if robot.guest is not None]
    report.bytes_in = mean(udp.bytes_in for udp in udps) / seconds
    report.bytes_out = mean(udp.bytes_out for udp in udps) / seconds
    updates = sum(robot.participant.replica.updates for robot in connected)
    report.bytes_per_update = sum(robot.participant.replica.bytes for robot in connected) / max(1, updates)
    frames = sum(robot.participant.playout.frames for robot in connected)
    report.underruns = sum(robot.participant.playout.underruns for robot in connected) / max(1, frames)
    predicting = [robot for robot in connected if robot.visible]
    report.predicting = len(predicting)
    if predicting:
        report.corrections = mean(r.participant.figures.corrections for r in predicting) / seconds * 60
        visible = sorted(moved for robot in predicting for moved in robot.visible)
        report.correction_p99 = visible[int(0.99 * (len(visible) - 1))]
    report.desyncs = sum(one.desyncs for one in figures)
    report.late = sum(robot.dropped for robot in connected) / (RATE * seconds * len(connected))
    return report
