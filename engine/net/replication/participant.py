"""A client's side of a room: what arrives is put where it belongs, and commands go out ahead of their tick.

    participant = Participant(multiplayer)
    participant.connected(client.send, now)          # says hello
    participant.receive(event, now)                  # every event of the connection
    ...
    participant.command(tick, [Fly(...)], now)       # each tick

It knows no scene: `showing` makes one of it, and `tickwire bots` plays with it alone.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from engine.app import Options
from engine.errors import TickwireError
from engine.net.connection.estimate import Estimate
from engine.net.connection.events import Received
from engine.net.multiplayer import SPECTATOR, Multiplayer
from engine.net.replication.commands import Outbox
from engine.net.replication.decoding import Decoder
from engine.net.replication.figures import NetFigures
from engine.net.replication.playout import Playout
from engine.net.replication.replica import Replica
from engine.net.replication.state import State
from engine.net.replication.telling import EventCodec, ResourceCopy
from engine.net.replication.timing import Lead
from engine.net.wire.errors import ProtocolError
from engine.net.wire.system import (
    Changed,
    Checked,
    Closing,
    Full,
    Happened,
    Hello,
    Pace,
    Prefab,
    Saw,
    Snapshot,
    Welcome,
)

log = logging.getLogger("tickwire.net")

SAW_EVERY = 12
"""Ticks from one word about how far behind others are shown to the next."""
MOST_WAITING = 1_000
"""Tellings kept until the tick they are about is shown."""


class Participant:
    """One client in one room, through however many connections it takes.

    `decoder` is for a process that has many of them: see `Replica`.
    """

    def __init__(
        self,
        multiplayer: Multiplayer,
        *,
        spectate: bool = False,
        rate: float = 60.0,
        decoder: Decoder | None = None,
    ) -> None:
        self.multiplayer = multiplayer
        self.protocol = multiplayer.protocol
        self.player = SPECTATOR
        self.welcome: Welcome | None = None
        self.options = Options()
        """The match's, as the server tells."""
        self.figures = NetFigures()
        self.desync = ""
        """What was found to differ from the server, if anything ever was."""
        self.malformed = 0
        """Messages that no correct server sends."""
        self.last_words = ""
        """Why the server closed the connection, if it said so, for the player."""
        self.happened: deque[tuple[int, bytes]] = deque()
        """Events told, and their tick, until it is shown."""
        self.changed: deque[tuple[int, bytes]] = deque()
        """Fields of resources told, and since when they hold, until that is shown."""
        self.others: Callable[[object], object] = lambda event: None
        """Takes what is not for the engine: the game's own messages."""
        self.events = EventCodec(self.protocol.declarations)
        self._spectate = spectate
        self._rate = rate
        self._decoder = decoder
        self._resume = b""
        self._send: Callable[[object], object] = lambda message: None
        self._estimate = Estimate()
        self._copy = ResourceCopy(self.protocol.declarations)
        self._start = (0, 0.0)
        self._reset()

    def _reset(self) -> None:
        """Forget what is only good for one connection."""
        self.replica = Replica(self.protocol, decoder=self._decoder)
        self.lead = Lead(1 / self._rate)
        self.outbox = Outbox(self.protocol)
        self.playout = Playout(1 / self._rate, every=self.multiplayer.every)
        self.happened.clear()
        self.changed.clear()
        self.welcome = None
        self._loaded = False

    @property
    def greeted(self) -> bool:
        """Whether the server has let this connection in."""
        return self.welcome is not None

    @property
    def ready(self) -> bool:
        """Whether there is something to show."""
        return self.welcome is not None and self._loaded

    @property
    def latest(self) -> State | None:
        """The newest snapshot."""
        return self.replica.newest

    def connected(self, send: Callable[[object], object], estimate: Estimate) -> None:
        """There is a connection: say hello over it. After a cut, as who one was before."""
        self._reset()
        self._send, self._estimate = send, estimate
        send(Hello(self._spectate, self._resume))

    def receive(self, event: object, now: float) -> None:
        """Take in what arrived. Nothing a server sends makes this raise."""
        if not isinstance(event, Received):
            self.others(event)
            return
        message: object = cast("Received[Any]", event).message
        if isinstance(message, Snapshot):
            state = self.replica.receive(message)
            if state is not None:
                self.playout.arrived(state.tick, now)
                self._loaded = True
        elif isinstance(message, (Full, Prefab)):  # long on their way, they say nothing of the time others take
            self.replica.receive(message)
        elif isinstance(message, Happened):
            self._keep(self.happened, (message.tick, message.payload))
        elif isinstance(message, Pace):
            self.lead.paced(message)
            self.outbox.depth = self.lead.depth
            self.outbox.heard(message.tick)
        elif isinstance(message, Changed):
            self._keep(self.changed, (message.tick, message.payload))
        elif isinstance(message, Welcome):
            self._welcomed(message, now)
        elif isinstance(message, Checked):
            self._check(message)
        else:
            if isinstance(message, Closing):
                self.last_words = message.words
            self.others(cast("object", event))

    def _welcomed(self, welcome: Welcome, now: float) -> None:
        try:
            header = json.loads(welcome.options)
            self.options = Options.from_header(header)
        except (ValueError, RecursionError, TickwireError) as wrong:
            self._malformed(ProtocolError(f"the match's options are none: {wrong}"))
        self.welcome = welcome
        self.player = welcome.player
        self._resume = welcome.resume
        self._start = self.lead.start(welcome.tick, self._estimate.rtt, now), now
        self.outbox.depth = self.lead.depth

    def changes(self, until: float) -> list[tuple[type[Any], dict[str, Any]]]:
        """Take the fields of resources that are to hold at a server tick, in the order in which they were told."""
        found: list[tuple[type[Any], dict[str, Any]]] = []
        while self.changed and self.changed[0][0] <= until:
            try:
                found += self._copy.read(self.changed.popleft()[1])
            except ProtocolError as wrong:
                self._malformed(wrong)
        return found

    def _keep(self, waiting: deque[tuple[int, bytes]], told: tuple[int, bytes]) -> None:
        waiting.append(told)
        if len(waiting) > MOST_WAITING:
            waiting.popleft()

    def _check(self, checked: Checked) -> None:
        state = self.replica.states.get(checked.tick)
        differs = state.check(checked) if state is not None else None
        if differs is not None:
            self.desync = f"tick {checked.tick}: {differs} differs from the server's"
            self.figures.desyncs += 1
            log.error("%s; asking for everything anew", self.desync)
            self.replica.wants_full = True

    def _malformed(self, wrong: ProtocolError) -> None:
        self.malformed += 1
        log.warning("the server sent what no correct one sends: %s", wrong)

    # Each tick

    def first_tick(self, now: float) -> int:
        """The tick to begin with, if that is now."""
        tick, at = self._start
        return tick + round((now - at) * self._rate)

    def command(self, tick: int, commands: Sequence[object] | None, shown: float) -> None:
        """Send what the player wants in `tick`, having seen others as they were at server tick `shown`.

        None stands for the same commands as in the tick before.
        """
        if commands is None:
            self.outbox.again(tick)
        else:
            self.outbox.note(tick, commands)
        self._send(self.outbox.payload(self.replica.acks(), self.replica.wants_full))
        if tick % SAW_EVERY == 0 and self.player != SPECTATOR:
            self._send(Saw(min(0xFFFF, max(0, round((tick - shown) * 4)))))

    def take_figures(self) -> None:
        """Bring those of `figures` up to date that are known here."""
        figures, estimate = self.figures, self._estimate
        figures.rtt, figures.jitter, figures.loss = estimate.rtt, estimate.deviation, estimate.loss
        figures.lead = self.lead.margin
        figures.playout_delay = self.playout.delay
        figures.underruns = self.playout.underruns / max(1, self.playout.frames)
