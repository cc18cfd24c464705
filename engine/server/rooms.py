"""The rooms of one process: who may come in where, whose tick is next, and what becomes of those that break.

    rooms = Rooms(game, server, clock, Plan(options))
    place = rooms.reserve(Wish(), name="Ana", source="203.0.113.5")    # goes into the connect token
    rooms.receive(event)                                               # every event of the server
    due = rooms.advance()                                              # runs what is due, returns when to come again

All rooms tick in turn, on one thread. Their ticks are spread over the time of one, so that no two rooms that fit into
it wait for each other. A room whose tick takes long goes after the others, rests, and drops ticks of its own.

A place is kept from the moment it is promised, when the connect token is made, until its owner connects, or for
`Plan.hold` seconds. The token says which room it is for, so a client cannot go anywhere else.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from enum import Enum
from math import inf
from pathlib import Path
from typing import Any, cast

from engine.app import AppError, Game, Options, Watchdog
from engine.errors import TickwireError
from engine.events import Failure
from engine.net.connection.events import Connected, Disconnected, Reason, Received, Settled
from engine.net.connection.server import Server
from engine.net.connection.token import USER_BYTES, Entropy
from engine.net.multiplayer import multiplayer_of
from engine.net.wire.system import MOST_WORDS, Closing, Notice
from engine.server.blackbox import PostMortem, examine
from engine.server.figures import Note, RoomFigures
from engine.server.keeping import Keeping, Kept
from engine.server.logs import about
from engine.server.room import CATCH_UP, HEAVY, Recent, Room, RoomState
from engine.server.stream import Stream
from engine.server.ticks import Ticks

log = logging.getLogger("tickwire.server")

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of codes: what people do not mistake for one another."""
LISTED_LETTERS, PRIVATE_LETTERS = 4, 9
"""Letters of a code; that of a private room, 44 bits, cannot be guessed at the rate tokens are given."""
SLICE = 0.008
"""Seconds of ticks after which sockets and everything else on the loop get their turn."""
EARLY = 0.0005
"""Seconds that a tick may be run before it is due: timers are no finer."""
LOOK_EVERY = 0.25
"""Seconds between looks for places, rooms and farewells whose time is over."""
STANDSTILL = 1.0
"""Seconds without a look after which the process is known to have stood still."""
GOODBYE = 1.0
"""Seconds that last words have to arrive."""
MOST_PROMISED = 32
"""Places promised to one address at a time, so that nobody can hold all of them."""
AGAIN = 1.0
"""Seconds after which somebody may ask again whose address has as many promises as it may."""
RESTORED_LINGER = 600.0
"""Seconds that a room which was there before a restart waits for its people."""
MOST_NOTES = 500
BEHIND_EVERY = 10.0
"""Seconds between words about a room that drops ticks."""

BROKEN = "something in this room broke, and it had to be closed; the server has noted what. Join again for another one."
ENDED = "the server is closing; thank you for playing"
OVER = "this room was closed by whoever runs the server"
KICKED = "you were thrown out by whoever runs the server"
STRAY = "the place kept for you was given to someone else: join again"


class NoPlaceError(TickwireError):
    """Nobody can be let in; the message says why, in words for the player."""

    def __init__(self, words: str, again: float = 0.0, *, gone: bool = False) -> None:
        super().__init__(words)
        self.again = again
        """Seconds after which it may be otherwise; 0 if there is no saying."""
        self.gone = gone
        """Whether there is no such room as was asked for."""


def no_room(code: str) -> NoPlaceError:
    """What is said to whoever asks for a room that is not there."""
    return NoPlaceError(f"there is no room {code} on this server: it may be over", gone=True)


def no_room_left(most: int) -> NoPlaceError:
    """What is said where no more rooms may be opened."""
    return NoPlaceError(f"all {most} rooms of this server are in use: try again later")


def busy() -> NoPlaceError:
    """What is said where another room would make all of them late."""
    return NoPlaceError("this server has as many rooms as it can run at full speed: try again later")


def full(most: int) -> NoPlaceError:
    """What is said where no more may play."""
    return NoPlaceError(f"this server is full: {most} are playing")


@dataclass(frozen=True, slots=True)
class Wish:
    """Where somebody wants to go."""

    room: str = ""
    """A code; empty for any open room."""
    private: bool = False
    """A new room, entered only by its code."""
    watch: bool = False
    """To watch only."""


@dataclass(frozen=True, slots=True)
class Place:
    """A promise to let somebody in."""

    room: str
    client_id: int
    user: str
    """What their token is to say."""


@dataclass(slots=True)
class Plan:
    """What rooms are opened, and how many. May be replaced while they run; it holds for what is opened then."""

    options: Options = field(default_factory=Options)
    seeded: bool = False
    """Whether each room begins with the seed of `options`, rather than one of its own."""
    seats: int = 16
    """Players in a room."""
    watchers: int = 16
    """Who may watch a room, besides."""
    most_rooms: int = 64
    most_load: float = 0.75
    """The share of a core that ticks may take before no further room is opened."""
    most_players: int = 256
    """In all rooms together."""
    private: bool = True
    """Whether players may open rooms of their own."""
    permanent: int = 1
    """Open rooms that are there from the start, and stay."""
    hold: float = 15.0
    """Seconds that a place is kept for somebody who does not come."""
    linger: float = 60.0
    """Seconds until an empty room is closed."""
    saves: Path | None = None
    """Where rooms are saved, if at all."""
    save_every: float = 60.0
    """Seconds between saves of a room."""
    memory: Path | None = None
    """Where post-mortems of rooms that broke go."""


@dataclass(slots=True)
class Reservation:
    """A place that is kept."""

    room: Room
    source: str
    until: float
    watch: bool


class Stage(Enum):
    """How far a drain is."""

    SERVING = "serving"
    DRAINING = "draining"
    OVER = "over"


class Rooms:
    """All rooms of one process, on one `Server`.

    `mark` begins every code, so that the processes of one server do not give out the same. `wake` is called when
    something became due sooner than `advance` said. `executor` runs what waits for the disk. With `keeping`, rooms are
    saved.
    """

    def __init__(
        self,
        game: Game,
        server: Server,
        clock: Callable[[], float],
        plan: Plan,
        *,
        mark: str = "",
        worker: int = 0,
        wake: Callable[[], object] = lambda: None,
        executor: Executor | None = None,
        keeping: Keeping | None = None,
        entropy: Entropy = os.urandom,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.game = game
        self.server = server
        self.plan = plan
        self.worker = worker
        self.by_code: dict[str, Room] = {}
        self.stage = Stage.SERVING
        self.notes: deque[Note] = deque(maxlen=MOST_NOTES)
        """What happened lately, oldest first."""
        self.on_note: Callable[[Note], object] = lambda note: None
        """Told of each as it happens."""
        self.ticks = Ticks(60.0, clock())
        """Of all rooms there ever were; the rate is that of one room."""
        self.ticks.pause()
        self.recent = Recent(self.ticks, clock())
        self.stream = Stream()
        """The events of all rooms, counted and shown."""
        self.failures = 0
        self.crashes = 0
        self.given = 0
        """Places promised."""
        self.expired = 0
        """Of those, how many nobody came for."""
        self.refused = 0
        self.standstills = 0
        self.watchdog: Watchdog | None = None
        """Told when ticks begin and end."""
        self.ticking = ""
        """The room whose tick is run, or was run last."""
        self.keeping = keeping
        self._multiplayer = multiplayer_of(game)
        self._clock = clock
        self._wall = wall
        self._mark = mark
        self._wake = wake
        self._executor = executor
        self._entropy = entropy
        self._running: list[Room] = []
        self._reserved: dict[int, Reservation] = {}  # by client id, oldest first
        self._by_peer: dict[int, Room] = {}
        self._leaving: dict[int, float] = {}  # peers that were told to go, and when they are gone at the latest
        self._look_at = clock()
        self._looked = clock()
        self._numbers = 0
        self._behind: dict[Room, tuple[float, int]] = {}  # when it was last said, and the dropped ticks then

    # Rooms

    def restore(self) -> None:
        """Open the rooms that were saved. Raises `SaveError` if none can be saved."""
        if self.keeping is None:
            return
        self.keeping.check()
        for kept in self.keeping.load():
            try:
                self._restore(kept)
            except Exception as error:
                log.error("room %s is not there again: %r", kept.code, error, exc_info=error)

    def _restore(self, kept: Kept) -> None:
        if kept.code in self.by_code or not set(kept.code) <= set(ALPHABET):
            raise NoPlaceError("its code is none, or taken")
        room = self.open(listed=kept.listed, permanent=kept.permanent, code=kept.code, options=kept.options)
        try:
            if self._multiplayer.load is not None:
                self._multiplayer.load(room.scene.world, kept.state)
                room.scene.deliver_posted()
        except BaseException:
            self.by_code.pop(room.code)
            room.close()
            raise
        room.linger = RESTORED_LINGER
        self._note("restored", f"room {room.code} is there again", room=room.code)

    def open_permanent(self) -> None:
        """Open the rooms that are there from the start. Raises what the game says of options that it does not have."""
        while sum(room.permanent for room in self.by_code.values()) < min(self.plan.permanent, self.plan.most_rooms):
            self.open(permanent=True)

    def open(
        self, *, listed: bool = True, permanent: bool = False, code: str = "", options: Options | None = None
    ) -> Room:
        """Open another room, with a code and options of its own unless given.

        Raises `NoPlaceError` if there are as many as may be, or none can be made.
        """
        plan = self.plan
        if len(self.by_code) >= plan.most_rooms:
            raise no_room_left(plan.most_rooms)
        code = code or self._new_code(LISTED_LETTERS if listed else PRIVATE_LETTERS)
        if options is None and plan.seeded:
            options = plan.options
        elif options is None:
            options = replace(plan.options, seed=int.from_bytes(self._entropy(4), "little"))
        try:
            room = Room(
                code,
                self.game,
                options,
                self.server,
                self._clock,
                seats=plan.seats,
                watchers=plan.watchers,
                listed=listed,
                permanent=permanent,
                executor=self._executor,
                on_failure=self._failed,
                stream=self.stream,
            )
        except TickwireError:
            raise
        except Exception as error:
            log.exception("a room could not be opened")
            raise NoPlaceError("this server cannot open a room: the game fails to begin") from error
        self.by_code[code] = room
        self._note("opened", f"room {code} was opened", room=code)
        return room

    def _new_code(self, letters: int) -> str:
        while True:
            # A byte has 8 times all 31 letters, and 8 over: those 8 letters come up an eighth more often, no matter.
            code = self._mark + "".join(ALPHABET[byte % len(ALPHABET)] for byte in self._entropy(letters))
            if code not in self.by_code:
                return code

    def close(self, room: Room, words: str = OVER) -> None:
        """End a room; whoever is in it is told `words`."""
        if self.by_code.pop(room.code, None) is None:
            return
        self._stop(room)
        self._behind.pop(room, None)
        if self.keeping is not None:
            if words == ENDED:
                self.keeping.save(room)
            else:
                self.keeping.forget(room)
        for client_id in [id for id, kept in self._reserved.items() if kept.room is room]:
            self._release(client_id)
        for peer in list(room.members):
            self._dismiss(peer, words)
        room.close()
        self.stream.untap(room.code)
        self._note("closed", f"room {room.code} was closed", room=room.code)

    def _dismiss(self, peer: int, words: str) -> None:
        """Tell a peer why it must go, and give the words time to arrive."""
        self._by_peer.pop(peer, None)
        self.server.send(peer, Closing(_cut(words)))
        if peer in self.server.peers:
            self._leaving[peer] = self._clock() + GOODBYE
            self._look_at = min(self._look_at, self._clock() + 2 * EARLY)
            self._wake()

    # Places

    @property
    def players(self) -> int:
        """Seats that are taken or promised, in all rooms."""
        return sum(room.players + room.promised for room in self.by_code.values())

    @property
    def people(self) -> int:
        """Who plays or is expected: as `players`, without those who were cut off and may come back."""
        return sum(len(room.members) - room.watching + room.promised for room in self.by_code.values())

    def reserve(self, wish: Wish, *, name: str = "", source: str = "", may_open: bool = True) -> Place:
        """Promise somebody a place. Raises `NoPlaceError` with the words for them if there is none.

        `may_open` says whether another open room may be opened for it.
        """
        try:
            if sum(kept.source == source for kept in self._reserved.values()) >= MOST_PROMISED:
                raise NoPlaceError(
                    f"{MOST_PROMISED} places are kept already for players at your address: try again in a moment", AGAIN
                )
            room = self._room_for(wish, may_open)
        except NoPlaceError as refused:
            if refused.again or not may_open:
                raise  # not for good
            self.refused += 1
            self._note("refused", f"{name or 'somebody'} was not let in: {refused}")
            raise
        client_id = int.from_bytes(self._entropy(8), "little")
        self._reserved[client_id] = Reservation(room, source, self._clock() + self.plan.hold, wish.watch)
        room.promised += not wish.watch
        room.promised_to_watch += wish.watch
        self.given += 1
        user = f"{room.code}{'~' if wish.watch else '|'}{name}"
        while len(user.encode(errors="replace")) > USER_BYTES:
            user = user[:-1]
        return Place(room.code, client_id, user)

    def _release(self, client_id: int) -> Reservation | None:
        """A place is not kept any longer."""
        kept = self._reserved.pop(client_id, None)
        if kept is not None:
            kept.room.promised -= not kept.watch
            kept.room.promised_to_watch -= kept.watch
        return kept

    def _room_for(self, wish: Wish, may_open: bool) -> Room:
        if self.stage is not Stage.SERVING:
            raise NoPlaceError("this server is about to close, and lets nobody in any more")
        plan = self.plan
        if not wish.watch and self.people >= plan.most_players:
            raise full(plan.most_players)
        if wish.room:
            room = self.by_code.get(wish.room)
            if room is None:
                raise no_room(wish.room)
            if room.state is RoomState.CLOSING:
                raise NoPlaceError(f"room {wish.room} is about to close, and lets nobody in any more")
            if not self._has_place(room, wish.watch, returning=True):
                raise NoPlaceError(f"room {wish.room} is full")
            return room
        if wish.private:
            if not plan.private:
                raise NoPlaceError("this server has no private rooms")
            self._check_load()
            return self.open(listed=False)
        open_rooms = [
            room
            for room in self.by_code.values()
            if room.listed and room.state is not RoomState.CLOSING and self._has_place(room, wish.watch)
        ]
        if open_rooms:
            return max(open_rooms, key=lambda room: (room.players + room.promised, room.permanent))
        if not may_open or wish.watch:
            raise NoPlaceError("there is no room with a place left")
        self._check_load()
        return self.open()

    @property
    def load(self) -> float:
        """The share of a core that the ticks of all rooms take."""
        return sum(room.cost / room.period for room in self._running)

    def _check_load(self) -> None:
        if self.load > self.plan.most_load:
            raise busy()

    def _has_place(self, room: Room, watch: bool, *, returning: bool = False) -> bool:
        """Whether one more fits in. A seat kept for who was cut off counts, unless it may be they who come back."""
        if watch:
            return room.watching + room.promised_to_watch < room.watchers
        taken = len(room.members) - room.watching if returning else room.players
        return taken + room.promised < room.seats

    # From the network

    def receive(self, event: object) -> None:
        """Take in an event of the server. Nothing a peer or a game does makes this raise."""
        if type(event) is Received or type(event) is Settled:
            came = cast("Received[Any] | Settled", event)
            room = self._by_peer.get(came.peer)
            if room is not None:
                self._let_have(room, came)
        elif isinstance(event, Disconnected):
            self._leaving.pop(event.peer, None)
            room = self._by_peer.pop(event.peer, None)
            if room is not None:
                self._tell_of_leaver(room, event)
                self._let_have(room, event)
        elif isinstance(event, Connected):
            self._connected(event)

    def _let_have(self, room: Room, event: Received[Any] | Settled | Disconnected) -> None:
        try:
            room.receive(event)
        except Exception as error:
            self._crashed(room, error)

    def _connected(self, event: Connected) -> None:
        kept = self._release(event.client_id)
        code, watches, name = _read_user(event.user)
        room = kept.room if kept is not None else self.by_code.get(code)
        late = kept is None and (room is None or not self._has_place(room, watches, returning=True))
        if room is None or late or room.code not in self.by_code or self.stage is not Stage.SERVING:
            self._dismiss(event.peer, STRAY if self.stage is Stage.SERVING else ENDED)
            return
        self._by_peer[event.peer] = room
        try:
            room.connected(event, name, watches=watches)
        except Exception as error:
            self._crashed(room, error)
            return
        if room not in self._running:
            room.wake(self._free_moment(room))
            self._running.append(room)
            if self.ticks.paused:
                self.ticks.resume(self._clock())
            self._wake()
        self._note("joined", f"{name or 'somebody'} came into room {room.code}", room=room.code, peer=event.peer)

    def _tell_of_leaver(self, room: Room, event: Disconnected) -> None:
        member = room.members.get(event.peer)
        name = (member.name if member is not None else "") or "somebody"
        why = "" if event.reason is Reason.LEFT else f": {event}"
        self._note("left", f"{name} left room {room.code}{why}", room=room.code, peer=event.peer)

    # Ticks

    @property
    def is_ticking(self) -> bool:
        """Whether anybody plays."""
        return bool(self._running)

    def _stop(self, room: Room) -> None:
        if room in self._running:
            self._running.remove(room)
            if not self._running:
                self.ticks.pause()

    def _free_moment(self, room: Room) -> float:
        """When a room begins to tick: in the middle of the longest time without a tick of others.

        Every second tick, of even number, has a snapshot to be made and sent, which takes longer. Of the two ways to
        have it, that is taken which keeps away from the others' most.
        """
        period, now = room.period, self._clock()
        if not self._running:
            return now
        _, middle = _longest_gap([each.due % period for each in self._running], period)
        first = now + (middle - now) % period
        snapshots = [each.due + period * (1 - each.scene.tick % 2) for each in self._running]
        snapshot = first + period * (1 - room.scene.tick % 2)

        def distance(moment: float) -> float:
            return min(abs((moment - other + period) % (2 * period) - period) for other in snapshots)

        return first if distance(snapshot) >= distance(snapshot + period) else first + period

    def advance(self) -> float:
        """Run the ticks that are due, and all else. Returns when to be called again at the latest."""
        started = now = self._clock()
        if now - self._looked > STANDSTILL:
            self._stood_still(now - self._looked)
        while self._running:
            heavy = self._fair_share()
            room = min(self._running, key=lambda room: (room.due > now + EARLY, room.cost > heavy, room.due))
            if room.due > now + EARLY:
                break
            self._run(room, now)
            now = self._clock()
            if now - started > SLICE:
                break
        if now >= self._look_at:
            self._look(now)
        self._looked = self._clock()
        return min([self._look_at, *(room.due for room in self._running)])

    def _fair_share(self) -> float:
        """Seconds that a tick may take before its room goes after the others."""
        return max(0.25, 1 / len(self._running)) * self._running[0].period

    def _run(self, room: Room, now: float) -> None:
        behind = int((now - room.due) / room.period)
        if behind > CATCH_UP:
            self._drop(room, behind, now)
        late = now - room.due
        room.due += room.period
        self.ticking = room.code
        if self.watchdog is not None:
            self.watchdog.tick_started(room.scene.tick + 1)
        try:
            with about(room=room.code):
                took = room.run_tick(max(0.0, late))
        except Exception as error:
            self._crashed(room, error)
            return
        finally:
            if self.watchdog is not None:
                self.watchdog.tick_ended()
        self.ticks.ticked(self._clock(), late=max(0.0, late), took=took)
        if room.broken is not None:
            self._crashed(room, room.broken)
            return
        if room.is_quiet:
            self._stop(room)
            room.rest(self._clock())
        elif room.cost > HEAVY * room.period and len(self._running) > 1:
            now = self._clock()
            self._drop(room, int((now + room.cost - room.due) / room.period), now)

    def _drop(self, room: Room, behind: int, now: float) -> None:
        """Give up ticks, so that the next one is later by so many."""
        if behind <= 0:
            return
        room.due += behind * room.period
        room.ticks.dropped += behind
        self.ticks.dropped += behind
        said, before = self._behind.get(room, (-inf, room.ticks.dropped - behind))
        if now - said >= BEHIND_EVERY:
            self._behind[room] = (now, room.ticks.dropped)
            count = room.ticks.dropped - before
            words = f"room {room.code} fell behind: {count} ticks dropped; one takes {1000 * room.cost:.1f} ms"
            log.warning("%s", words, extra={"room": room.code})
            self._note("behind", words, room=room.code)

    def _stood_still(self, seconds: float) -> None:
        """The process was stopped, or something blocked its loop. What was missed stays missed."""
        self.standstills += 1
        words = f"the server stood still for {seconds:.1f} s"
        log.warning("%s", words)
        self._note("standstill", words)

    def _look(self, now: float) -> None:
        """See to everything whose time is over."""
        self._look_at = now + LOOK_EVERY
        while self._reserved:
            client_id, kept = next(iter(self._reserved.items()))
            if kept.until > now:
                break
            self._release(client_id)
            self.expired += 1
        for peer, until in list(self._leaving.items()):
            known = self.server.peers.get(peer)
            if known is None:
                del self._leaving[peer]
            elif now >= until or not known.delivery.backlog:
                del self._leaving[peer]
                self.server.disconnect(peer)
        if self._leaving:
            self._look_at = now + 0.02
        if self.keeping is not None:
            self._save(self.keeping, now)
        for room in list(self.by_code.values()):
            if self._is_over(room, now):
                self.close(room, ENDED if self.stage is not Stage.SERVING else OVER)
        if self.stage is Stage.DRAINING and not self.by_code and not self._leaving:
            self.stage = Stage.OVER
            self._note("drained", "all rooms are closed, and everyone was told")

    def _save(self, keeping: Keeping, now: float) -> None:
        """Save one room whose last save is old, so that a look at many of them does not take long."""
        for room in self._running:
            if now >= room.save_at:
                if room.save_at > -inf:
                    keeping.save(room)
                room.save_at = now + self.plan.save_every
                return

    def _is_over(self, room: Room, now: float) -> bool:
        if room.close_at is not None:
            try:
                return now >= room.close_at or room.may_close()
            except Exception:
                log.exception("room %s cannot say whether its round is over", room.code)
                return True
        if room.empty_since is None or room.permanent or now - room.empty_since < (room.linger or self.plan.linger):
            return False
        return not room.promised and not room.promised_to_watch

    # What breaks

    def _failed(self, room: Room, failure: Failure) -> None:
        self.failures += 1
        self._note("failed", str(failure)[:500], room=room.code)

    def _crashed(self, room: Room, error: BaseException) -> None:
        """A room broke: note all about it, tell its players, and let the others play on."""
        if room.code not in self.by_code:
            return
        self.crashes += 1
        log.error("room %s broke and is closed: %r", room.code, error, exc_info=error, extra={"room": room.code})
        self._note("crashed", f"room {room.code} broke and is closed: {error!r}", room=room.code)
        if self.plan.memory is not None:
            who = {"players": [f"{each.player}: {each.name}" for each in room.player_figures()]}
            self._keep(examine(room.code, room.scene, room.box, error, {"game": self.game.name, **who}))
        permanent = room.permanent
        self.close(room, BROKEN)
        if permanent and self.stage is Stage.SERVING:
            try:
                self.open(permanent=True)
            except (NoPlaceError, AppError) as refused:
                log.error("room %s is not replaced: %s", room.code, refused)

    def _keep(self, found: PostMortem) -> None:
        folder = self.plan.memory
        assert folder is not None

        def write() -> None:
            try:
                path = found.write(folder)
            except OSError as error:
                log.error("the post-mortem %s is lost: %s", found.name, error)
            else:
                log.warning("what is known of it is in %s", path)

        if self._executor is None:
            write()
        else:
            self._executor.submit(write)

    def held_up(self, room: str, words: str) -> None:
        """Note that a handler in a room took, or takes, so long that nothing else was done."""
        self._note("blocked", words, room=room)

    # By whoever runs the server

    def kick(self, room: str, peer: int, words: str = KICKED) -> bool:
        """Throw somebody out, telling them why; whether there was such a peer."""
        found = self.by_code.get(room)
        if found is None or peer not in found.members:
            return False
        name = found.members[peer].name or "somebody"
        gone = Disconnected(peer, Reason.CLOSED, words)
        self._dismiss(peer, words)
        try:
            found.receive(gone)
        except Exception as error:
            self._crashed(found, error)
        self._note("kicked", f"{name} was thrown out of room {room}", room=room, peer=peer)
        return True

    def say(self, words: str, room: str = "") -> int:
        """Have words shown to the people in a room, or in all; to how many."""
        if room:
            found = self.by_code.get(room)
            peers = list(found.members) if found is not None else []
        else:
            peers = list(self._by_peer)
        for peer in peers:
            self.server.send(peer, Notice(_cut(words)))
        if peers:
            self._wake()
        self._note("said", f"{len(peers)} were told: {words}", room=room)
        return len(peers)

    def close_room(self, room: str, words: str = OVER) -> bool:
        """End a room now; whether there was one."""
        found = self.by_code.get(room)
        if found is not None:
            self.close(found, words)
        return found is not None

    def drain(self, deadline: float) -> None:
        """Let nobody in any more, and end every room when its round is over, or after `deadline` seconds.

        When everyone is gone, `stage` is `OVER`. A second call may bring the deadline forward.
        """
        now = self._clock()
        if self.stage is Stage.SERVING:
            self.stage = Stage.DRAINING
            if deadline > 0 and self._by_peer:
                self.say(f"The server is about to close: in {deadline:.0f} s, or when this round is over.")
        for client_id in list(self._reserved):
            self._release(client_id)
        for room in self.by_code.values():
            close_at = now + deadline
            room.close_at = close_at if room.close_at is None else min(room.close_at, close_at)
            room.state = RoomState.CLOSING
        self._look_at = now
        self._wake()

    # What can be seen

    def _note(self, kind: str, words: str, *, room: str = "", peer: int = 0) -> None:
        self._numbers += 1
        note = Note(self._numbers, self._wall(), kind, words, room, self.worker, peer)
        self.notes.append(note)
        self.on_note(note)

    def room_figures(self) -> list[RoomFigures]:
        """Of all rooms, oldest first."""
        return [room.figures(worker=self.worker) for room in self.by_code.values()]


def _longest_gap(moments: list[float], cycle: float) -> tuple[float, float]:
    """Of moments that come again every `cycle`: the longest time between two of them, and its middle."""
    ordered = sorted(moments)
    gaps = zip(ordered, [*ordered[1:], ordered[0] + cycle], strict=True)
    return max((after - before, before + (after - before) / 2) for before, after in gaps)


def _cut(words: str) -> str:
    while len(words.encode(errors="replace")) > MOST_WORDS:
        words = words[:-1]
    return words


def _read_user(user: str) -> tuple[str, bool, str]:
    """The code, whether they only watch, and the name in a token."""
    for sign in "|~":
        code, found, name = user.partition(sign)
        if found and all(letter in ALPHABET or letter.isdigit() for letter in code):
            return code, sign == "~", name
    return "", False, user


__all__ = ["NoPlaceError", "Place", "Plan", "Rooms", "Stage", "Wish"]
