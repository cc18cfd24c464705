"""Playing over the internet from a running app: join a game by its invite, or host one and play along.

    joining = Joining(app, game, invite, "Ana", plugins=[*game.view(options), *game.pilot(options)])
    ...                                  # joining.state, joining.words say how it goes; then the app has its scene

Both are asyncio tasks beside the loop that runs the app. A connection that is cut is taken up again for half a minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Any, cast

from engine.app import App, Game, Options, Plugin, Scene, SceneLeft
from engine.ecs import World
from engine.errors import TickwireError
from engine.events import OnError
from engine.net.connection.events import Connected, Disconnected, Reason, Received, Refused
from engine.net.connection.invite import Invite
from engine.net.multiplayer import multiplayer_of
from engine.net.networking import networking
from engine.net.replication.authority import Authority
from engine.net.replication.participant import Participant
from engine.net.replication.seats import HELD
from engine.net.replication.showing import client_scene
from engine.net.transport.conditioner import Conditions
from engine.net.transport.host import Guest, Host
from engine.net.transport.token_service import NoRoomError

log = logging.getLogger("tickwire.net")

LOADING_PATIENCE = 15.0
"""Seconds a server that has let us in may take to tell what there is."""
RETRY = 1.0
"""Seconds between attempts to come back after a cut."""
QUIET = 2.5
"""Seconds of silence that are taken for one."""
LOOK = 0.1
"""Seconds between looks for that."""


class State(Enum):
    """How far it is. The value is said to people."""

    ASKING = "asking for a way in"
    CONNECTING = "connecting"
    LOADING = "loading the match"
    PLAYING = "playing"
    RESUMING = "connection lost, coming back"
    FAILED = "over"


@dataclass(slots=True, eq=False)
class _Way:
    """One connection, from its token to its end."""

    ended: asyncio.Future[Disconnected | Refused]
    guest: Guest = field(init=False)
    early: list[Any] = field(default_factory=list[Any])
    """What happened before it was taken."""
    anew: bool = False
    """It leads into another room than the one before."""
    connected: bool = False
    playing: bool = False


class Joining:
    """A client on its way into a room, and in it. A resource of the scene it makes.

    It begins at once, where an asyncio loop runs. When the room is there, `app` has the scene of it, made with
    `plugins`, in place of all others. Raises `AppError` if the game is for one machine only.

    After `quiet` seconds of silence it says that the connection is lost, and asks for another one beside it: by that it
    finds its way back before a time-out, or into another room if its own is gone with the process it was in.
    """

    def __init__(
        self,
        app: App,
        game: Game,
        invite: str,
        name: str,
        *,
        plugins: Sequence[Plugin] = (),
        spectate: bool = False,
        secret: str = "",
        conditions: Conditions | None = None,
        quiet: float = QUIET,
        on_error: OnError = OnError.RAISE,
    ) -> None:
        self.app = app
        self.game = game
        self.state = State.ASKING
        self.words = ""
        """What went wrong, for people."""
        self.invite = invite
        self.name = name
        self.spectate = spectate
        self.participant = self._new_participant()
        self.scene: Scene | None = None
        self.moved = False
        """Whether it had to go on to another room, as its own was gone."""
        self._given = invite
        self._plugins = plugins
        self._secret = secret
        self._conditions = conditions
        self._on_error = on_error
        self._quiet = quiet
        self._way: _Way | None = None
        self._until = 0.0  # when the seat is given away, after a cut
        self.task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        """Give up, or leave."""
        self.task.cancel()

    def condition(self, conditions: Conditions | None) -> None:
        """Make the way to the server a bad one from now on, each direction like this; None for as it is."""
        self._conditions = conditions
        if self._way is not None:
            self._way.guest.udp.condition(conditions)

    async def _run(self) -> None:
        try:
            way: _Way | None = await self._open()
            while way is not None:
                way = await self._follow(way)
        except TickwireError as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(error.strerror or str(error))
        except Exception as error:
            log.exception("joining failed")
            self._fail(f"an error in this program: {error!r}")
        finally:
            if self._way is not None:
                await self._way.guest.close()

    async def _open(self) -> _Way:
        """Ask for a way in, or back into the same room; if that is gone, into another, unless it was asked for."""
        anew = False
        try:
            way = await self._open_to(self.invite)
        except NoRoomError:
            if Invite.parse(self._given).room:
                raise
            way, anew = await self._open_to(self._given), True
        way.anew = anew
        return way

    async def _open_to(self, invite: str) -> _Way:
        way = _Way(asyncio.get_running_loop().create_future())
        way.guest = await Guest.open(
            invite,
            self.participant.protocol,
            lambda event: self._take(way, event),
            name=self.name,
            secret=self._secret,
            conditions=self._conditions,
        )
        return way

    async def _follow(self, way: _Way) -> _Way | None:
        """Go this way to its end. Returns another one to go on by, None if all is over."""
        self._enter(way)
        problem = await self._load(way)
        if not problem and not way.ended.done():
            self._play(way)
            other = await self._stay(way)
            if other is not None:
                way.guest.udp.close()  # without a farewell, at which the server would give the seat away
                return other
        await way.guest.close()
        ended = way.ended.result() if way.ended.done() else None
        words = problem or self.participant.last_words or str(ended)
        if not self._may_resume(ended):
            self._fail(words)
            return None
        self._lose(words)
        if way.playing:
            self._until = asyncio.get_running_loop().time() + HELD
        else:
            await asyncio.sleep(RETRY)
        return await self._come_back()

    def _enter(self, way: _Way) -> None:
        self._way = way
        self.invite = str(way.guest.invite)  # after a cut, back into the same room
        if way.anew:
            self.participant = self._new_participant()
        if self.state is State.ASKING:
            self.state = State.CONNECTING
        early, way.early = way.early, []
        for event in early:
            self._take(way, event)

    def _take(self, way: _Way, event: Any) -> None:
        if way is not self._way:  # it may not be needed after all
            way.early.append(event)
            return
        if isinstance(event, Connected):
            if self.state is State.CONNECTING:
                self.state = State.LOADING
            way.connected = True
            self.participant.connected(way.guest.send, way.guest.client.estimate)
        elif isinstance(event, Disconnected | Refused):
            if not way.ended.done():
                way.ended.set_result(event)
        elif way.playing and isinstance(event, Received):
            self._found()
        self.participant.receive(cast("object", event), asyncio.get_running_loop().time())

    async def _load(self, way: _Way) -> str:
        """Wait until there is something to show, or the connection ends; words of what is wrong, if so."""
        loop = asyncio.get_running_loop()
        deadline = inf
        while not way.ended.done() and not (way.connected and self.participant.ready):
            if deadline == inf and way.connected and self.participant.greeted:
                deadline = loop.time() + LOADING_PATIENCE
            if loop.time() > deadline:
                return "the server let us in, but did not tell what there is; it may be overloaded"
            await asyncio.sleep(0.01)
        return ""

    def _play(self, way: _Way) -> None:
        if self.scene is None or way.anew:
            self.moved = way.anew
            self.scene = client_scene(
                self.game,
                self.participant,
                asyncio.get_running_loop().time,
                plugins=[*self._plugins, _ending],
                resources=[*self.app.shared, self, way.guest],
                rate=self.app.step.rate,
                on_error=self._on_error,
            )
            self.app.replace(self.scene)
        else:
            self.scene.world.insert(way.guest)
        way.playing = True
        self._found()

    async def _stay(self, way: _Way) -> _Way | None:
        """Until the connection ends; or until there is another way in, while it is silent."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while not way.ended.done():
            await asyncio.wait([way.ended], timeout=LOOK)
            before, looked = looked, loop.time()
            if way.ended.done() or looked - before > 4 * LOOK:  # we did not run: who knows what has arrived
                continue
            if way.guest.client.silence(looked) > self._quiet:
                self._lose("the server is silent")
                other = await self._another(way)
                if other is not None:
                    return other
        return None

    async def _another(self, way: _Way) -> _Way | None:
        """Another way in, if there is one before this one is heard again, or ends."""
        opening = asyncio.create_task(self._open())
        try:
            await asyncio.wait([opening, way.ended], return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                return None
            other = await opening
            if self.state is State.RESUMING and not way.ended.done():
                return other
            await other.guest.close()
        except NoRoomError:
            if self.state is State.RESUMING:
                raise
        except (TickwireError, OSError) as error:
            if self.state is State.RESUMING:
                self.words = str(error)
                await asyncio.wait([way.ended], timeout=RETRY)
        finally:
            opening.cancel()
        return None

    def _may_resume(self, ended: Disconnected | Refused | None) -> bool:
        if self.scene is None or self.participant.last_words:
            return False
        if isinstance(ended, Disconnected):
            return ended.reason is Reason.TIMED_OUT
        return self.state is State.RESUMING

    async def _come_back(self) -> _Way | None:
        """Another way in, for as long as the seat is kept."""
        loop = asyncio.get_running_loop()
        while loop.time() < self._until:
            try:
                return await self._open()
            except NoRoomError:
                raise
            except (TickwireError, OSError) as error:
                self.words = str(error)
                await asyncio.sleep(RETRY)
        self._fail(str(Disconnected(0, Reason.TIMED_OUT, "and did not come back in time")))
        return None

    def _lose(self, words: str) -> None:
        self.state, self.words = State.RESUMING, words

    def _found(self) -> None:
        self.state, self.words = State.PLAYING, ""

    def _new_participant(self) -> Participant:
        return Participant(multiplayer_of(self.game), spectate=self.spectate, rate=self.app.step.rate)

    def _fail(self, words: str) -> None:
        if self.participant.last_words:  # there is no way back into the room, but perhaps into another
            self.invite = self._given
        self.state, self.words = State.FAILED, words


class Hosting:
    """A room in this process, in which its host plays too. A resource of its scene.

    It begins at once, where an asyncio loop runs. The scene, made with `plugins`, replaces all others in `app`. Raises
    `AppError` if the game is for one machine only.
    """

    def __init__(
        self,
        app: App,
        game: Game,
        options: Options,
        *,
        plugins: Sequence[Plugin] = (),
        bind: str = "0.0.0.0",
        port: int = 7777,
        public: str | None = None,
        max_clients: int = 64,
        on_error: OnError = OnError.RAISE,
    ) -> None:
        self.app = app
        self.game = game
        self.state = State.LOADING
        self.words = ""
        self.invite = ""
        """What to give to those who are to join."""
        self.authority: Authority | None = None
        self._options = options
        self._plugins = plugins
        self._at = bind, port, public, max_clients
        self._on_error = on_error
        self._closing = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        """Close the room; everyone is told."""
        self._closing.set()

    async def _run(self) -> None:
        bind, port, public, max_clients = self._at
        multiplayer = multiplayer_of(self.game)
        loop = asyncio.get_running_loop()
        sink: Callable[[Any], object] = lambda event: self.authority and self.authority.receive(event)  # noqa: E731
        try:
            async with await Host.open(
                multiplayer.protocol, sink, host=bind, port=port, public=public, max_clients=max_clients
            ) as host:
                self.invite = str(host.invite)
                self.authority = Authority(multiplayer, host.server, self._options, loop.time)
                scene = self.game.scene(
                    self._options,
                    [*self._plugins, self.authority.plugin, _ending],
                    resources=[*self.app.shared, self, host],
                    on_error=self._on_error,
                )
                self.app.replace(scene)
                self.state = State.PLAYING
                await self._closing.wait()
                self.state = State.FAILED
        except TickwireError as error:
            self.state, self.words = State.FAILED, str(error)
        except Exception as error:
            log.exception("hosting failed")
            self.state, self.words = State.FAILED, f"an error in this program: {error!r}"


_ending = Plugin("net.session.ending", needs=[networking])


@_ending.on(SceneLeft)
def _leave(world: World, event: SceneLeft) -> None:
    """Whoever leaves the scene leaves the room."""
    for kind in (Joining, Hosting):
        session = world.find_resource(kind)
        if isinstance(session, Joining) and session.scene is not world.resource(Scene):
            continue  # it has gone on to another room
        if session is not None:
            session.cancel()
