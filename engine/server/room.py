"""A room: one match with a world of its own, who is in it, and what it costs.

It knows no other room and no clock but the one it is given; `Rooms` says when it ticks.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum
from math import inf
from pathlib import Path
from typing import BinaryIO

from engine import __version__
from engine.app import Game, Options, Recorder
from engine.events import Failure, OnError
from engine.net.connection.events import Connected, Disconnected, Event, Received
from engine.net.connection.server import Peer, Server
from engine.net.multiplayer import multiplayer_of
from engine.net.replication.authority import Authority
from engine.net.replication.rewind import SawBehind
from engine.net.wire.system import Hello
from engine.server.blackbox import MEMORY, BlackBox
from engine.server.figures import PlayerFigures, RoomFigures
from engine.server.logs import about
from engine.server.stream import Stream
from engine.server.ticks import Ticks

log = logging.getLogger("tickwire.server")

HEAVY = 0.5
"""A tick that takes more than this share of its time is followed by a rest as long as it took, for the others' sake."""
CATCH_UP = 8
"""Ticks that a room may be behind; further back, the ticks in between are dropped."""
QUIET_TICKS = 60
"""Ticks that an empty room still runs, so that the leaving of the last is seen to its end."""
RECENT = 10.0
"""Seconds."""
_AVERAGE = 1 / 16
"""How much of a new tick goes into the average cost."""


class RoomState(Enum):
    """What a room is doing. The value is said to people."""

    EMPTY = "empty"
    """Nobody is in it, and no tick is run."""
    OPEN = "open"
    CLOSING = "closing"
    """Nobody new comes in; it goes on until its round is over."""
    CLOSED = "closed"


class Recent:
    """How late ticks have been in the last five to ten seconds."""

    def __init__(self, ticks: Ticks, now: float) -> None:
        self._ticks = ticks
        self._since = now
        self._before = self._between = ticks.lateness.copy()

    def late(self, now: float) -> float:
        """Milliseconds that 99 of 100 ticks did not exceed; 0 if there were none."""
        if now - self._since >= RECENT / 2:
            self._before, self._between = self._between, self._ticks.lateness.copy()
            self._since = now
        return 1000 * self._ticks.lateness.since(self._before).quantile(0.99)


@dataclass(slots=True)
class Member:
    """A connection that belongs to a room."""

    name: str
    address: str
    since: float
    watches: bool
    link: Peer | None


class Room:
    """One match. `seats` is how many may play; `watchers` how many more may watch."""

    def __init__(
        self,
        code: str,
        game: Game,
        options: Options,
        server: Server,
        clock: Callable[[], float],
        *,
        seats: int,
        watchers: int = 0,
        listed: bool = True,
        permanent: bool = False,
        executor: Executor | None = None,
        on_failure: Callable[[Room, Failure], object] | None = None,
        stream: Stream | None = None,
    ) -> None:
        self.code = code
        self.game = game
        self.seats = seats
        self.watchers = watchers
        self.listed = listed
        self.permanent = permanent
        """Whether it stays when it is empty."""
        self.state = RoomState.EMPTY
        self.promised = 0
        """Seats kept for who has not connected yet."""
        self.promised_to_watch = 0
        self.members: dict[int, Member] = {}
        """By peer."""
        self.opened = clock()
        self.empty_since: float | None = self.opened
        self.close_at: float | None = None
        """While closing: when, at the latest."""
        self.linger = 0.0
        """Seconds until it is closed when it is empty; 0 for as long as others."""
        self.save_at = -inf
        """When it is to be saved next."""
        self.broken: BaseException | None = None
        """What a handler raised so often that it was given up, and the room with it."""
        self.failures = 0
        self._multiplayer = multiplayer_of(game)
        self._server = server
        self._clock = clock
        self._on_failure = on_failure
        self._quiet = 0
        self._bytes_before = [0, 0]  # of connections that are gone

        # Its ticks
        self.due = 0.0
        """When the next one is."""
        self.cost = 0.0
        """Seconds that a tick takes, lately."""

        self.authority = Authority(self._multiplayer, server, options, clock)
        self.scene = game.scene(options, [self.authority.plugin], resources=[self], on_error=OnError.ISOLATE)
        self.scene.executor = executor
        self.scene.dispatcher.on_failure = self._failed
        self.scene.dispatcher.witness = (stream or Stream()).tap(code, lambda: self.scene.tick)
        self.period = self.scene.time.dt
        """Seconds from one tick to the next."""
        self.ticks = Ticks(1 / self.period, self.opened)
        self.ticks.pause()
        self.recent = Recent(self.ticks, self.opened)
        build = {"game": game.name, "game_version": game.version, "engine": __version__, "hosted": True}
        self._header = {**build, "options": options.to_header(), "room": code}
        seating = [each for each in (self._multiplayer.joined, self._multiplayer.left) if isinstance(each, type)]
        self._journalled = (*game.journalled, SawBehind, *seating)
        self.box = BlackBox(
            self._header,
            only=self._journalled,
            ticks=round(MEMORY / self.period),
        )
        self.scene.recorder = self.box

    # Who is in it

    @property
    def players(self) -> int:
        """How many seats are taken, those kept for who was cut off included."""
        away = sum(seat.peer is None for seat in self.authority.seats.by_player.values())
        return len(self.members) - self.watching + away

    @property
    def watching(self) -> int:
        """How many are here only to watch."""
        return sum(member.watches for member in self.members.values())

    @property
    def is_empty(self) -> bool:
        """Whether there is nobody, and no seat is kept for anybody."""
        return not self.members and not self.authority.seats.by_player

    def connected(self, event: Connected, name: str, *, watches: bool) -> None:
        """Somebody has come in."""
        link = self._server.peers.get(event.peer)
        self.members[event.peer] = Member(name, event.address, self._clock(), watches, link)
        self.authority.receive(Connected(event.peer, event.client_id, event.address, name))

    def receive(self, event: Event) -> None:
        """Take in what one of its members did."""
        if type(event) is Received:
            if type(event.message) is Hello and self.members[event.peer].watches:
                event = Received(event.peer, Hello(True, b""))
        elif isinstance(event, Disconnected):
            self.forget(event.peer)
        self.authority.receive(event)

    def forget(self, peer: int) -> None:
        """A connection is gone; what it cost is kept."""
        member = self.members.pop(peer, None)
        if member is not None and member.link is not None:
            self._bytes_before[0] += member.link.bytes_in
            self._bytes_before[1] += member.link.bytes_out

    # Ticks

    def run_tick(self, late: float) -> float:
        """Run one, `late` seconds after it was due; how many seconds it took. Raises what it raises."""
        started = self._clock()
        try:
            self.scene.run_tick()
        finally:
            ended = self._clock()
            took = ended - started
            self.cost += (took - self.cost) * (_AVERAGE if self.ticks.count else 1.0)
            self.ticks.ticked(ended, late=late, took=took)
        self._quiet = self._quiet + 1 if self.is_empty else 0
        return took

    @property
    def is_quiet(self) -> bool:
        """Whether it can stop ticking."""
        return self._quiet >= QUIET_TICKS

    def wake(self, due: float) -> None:
        """Begin to tick."""
        self._quiet = 0
        self.due = due
        self.empty_since = None
        self.ticks.resume(self._clock())
        if self.state is RoomState.EMPTY:
            self.state = RoomState.OPEN

    def rest(self, now: float) -> None:
        """Stop ticking until somebody comes."""
        self.empty_since = now
        self.ticks.pause()
        if self.state is RoomState.OPEN:
            self.state = RoomState.EMPTY

    def record(self, path: Path | BinaryIO) -> None:
        """Write a recording from now on, to a file or a stream. Raises `JournalError` if that cannot be done."""
        self.box.also = Recorder(path, self._header, only=self._journalled)

    def may_close(self) -> bool:
        """Whether nobody minds: the room is empty, or its round is over."""
        return self.is_empty or self._multiplayer.may_close is None or self._multiplayer.may_close(self.scene.world)

    def close(self) -> None:
        """It is over."""
        self.state = RoomState.CLOSED
        with contextlib.suppress(Exception):  # a game's resources may be what broke
            self.scene.close()

    def _failed(self, failure: Failure) -> None:
        self.failures += 1
        with about(room=self.code):
            log.error("%s", failure, exc_info=failure.error)
        if failure.disabled:
            self.broken = failure.error
        if self._on_failure is not None:
            self._on_failure(self, failure)

    # What can be seen of it

    def status(self) -> str:
        """What the game says of it."""
        try:
            return self.game.status(self.scene.world)
        except Exception as error:
            return f"({error!r})"

    def player_figures(self) -> list[PlayerFigures]:
        """Its connections, in the order they came."""
        now = self._clock()
        found: list[PlayerFigures] = []
        for number, member in self.members.items():
            peer = member.link
            if peer is None:
                continue
            estimate = peer.delivery.estimate
            found.append(
                PlayerFigures(
                    peer=number,
                    player=self.authority.player_of(number),
                    name=member.name,
                    address=member.address,
                    ping=1000 * estimate.rtt,
                    jitter=1000 * estimate.deviation,
                    loss=estimate.loss,
                    bytes_in=peer.bytes_in,
                    bytes_out=peer.bytes_out,
                    backlog=peer.delivery.backlog,
                    seconds=now - member.since,
                )
            )
        return found

    def figures(self, *, worker: int) -> RoomFigures:
        """All there is to know."""
        players = self.player_figures()
        running = self.empty_since is None
        return RoomFigures(
            code=self.code,
            worker=worker,
            state=self.state.value,
            listed=self.listed,
            seats=self.seats,
            reserved=self.promised + self.promised_to_watch,
            players=players,
            tick=self.scene.tick,
            status=self.status(),
            seconds=self._clock() - self.opened,
            ticks=self.ticks.count,
            dropped=self.ticks.dropped,
            cost=1000 * self.cost,
            share=self.cost / self.period if running else 0.0,
            late=self.recent.late(self._clock()),
            rate=self.ticks.rate_at(self._clock()),
            bytes_in=self._bytes_before[0] + sum(player.bytes_in for player in players),
            bytes_out=self._bytes_before[1] + sum(player.bytes_out for player in players),
            failures=self.failures,
        )
