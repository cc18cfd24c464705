"""Playing over the internet from a running app: join a game by its invite, or host one and play along.

    joining = Joining(app, game, invite, "Ana", plugins=[*game.view(options), *game.pilot(options)])
    ...                                  # joining.state, joining.words say how it goes; then the app has its scene

Both are asyncio tasks beside the loop that runs the app. A connection that is cut is taken up again for half a minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from engine.app import App, Game, Options, Plugin, Scene, SceneLeft
from engine.ecs import World
from engine.errors import TickwireError
from engine.events import OnError
from engine.net.connection.events import Connected, Disconnected, Reason, Refused
from engine.net.multiplayer import multiplayer_of
from engine.net.networking import networking
from engine.net.replication.authority import Authority
from engine.net.replication.participant import Participant
from engine.net.replication.seats import HELD
from engine.net.replication.showing import client_scene
from engine.net.transport.conditioner import Conditions
from engine.net.transport.host import Guest, Host

log = logging.getLogger("tickwire.net")

LOADING_PATIENCE = 15.0
"""Seconds a server that has let us in may take to tell what there is."""
RETRY = 1.0
"""Seconds between attempts to come back after a cut."""


class State(Enum):
    """How far it is. The value is said to people."""

    ASKING = "asking for a way in"
    CONNECTING = "connecting"
    LOADING = "loading the match"
    PLAYING = "playing"
    RESUMING = "connection lost, coming back"
    FAILED = "over"


class Joining:
    """A client on its way into a room, and in it. A resource of the scene it makes.

    It begins at once, where an asyncio loop runs. When the room is there, `app` has the scene of it, made with
    `plugins`, in place of all others. Raises `AppError` if the game is for one machine only.
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
        self.participant = Participant(multiplayer_of(game), spectate=spectate, rate=app.step.rate)
        self.scene: Scene | None = None
        self._plugins = plugins
        self._secret = secret
        self._conditions = conditions
        self._on_error = on_error
        self._guest: Guest | None = None
        self._connected = False
        self._ended: asyncio.Future[Disconnected | Refused] | None = None
        self.task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        """Give up, or leave."""
        self.task.cancel()

    def condition(self, conditions: Conditions | None) -> None:
        """Make the way to the server a bad one from now on, each direction like this; None for as it is."""
        self._conditions = conditions
        if self._guest is not None:
            self._guest.udp.condition(conditions)

    async def _run(self) -> None:
        try:
            ended = await self._connect()
            while ended is not None and self._may_resume(ended):
                ended = await self._resume(ended)
            if ended is not None:
                self._fail(self.participant.last_words or str(ended))
        except TickwireError as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(error.strerror or str(error))
        except Exception as error:
            log.exception("joining failed")
            self._fail(f"an error in this program: {error!r}")
        finally:
            guest, self._guest = self._guest, None
            if guest is not None:
                await guest.close()

    def _may_resume(self, ended: Disconnected | Refused) -> bool:
        if self.scene is None or self.participant.last_words:
            return False
        return isinstance(ended, Disconnected) and ended.reason is Reason.TIMED_OUT

    async def _resume(self, ended: Disconnected | Refused) -> Disconnected | Refused | None:
        """Try to come back for as long as the seat is kept. Returns how the connection ended that came of it."""
        self.state, self.words = State.RESUMING, str(ended)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HELD
        while loop.time() < deadline:
            try:
                again = await self._connect()
            except (TickwireError, OSError) as error:
                self.words = str(error)
            else:
                if not isinstance(again, Refused):
                    return again
                self.words = str(again)
            self.state = State.RESUMING
            await asyncio.sleep(RETRY)
        return Disconnected(0, Reason.TIMED_OUT, "and did not come back in time")

    async def _connect(self) -> Disconnected | Refused | None:
        """One connection, from the token to its end."""
        loop = asyncio.get_running_loop()
        ended = self._ended = loop.create_future()
        self._connected = False  # so that what an earlier connection told does not count as loaded
        if self._guest is not None:
            await self._guest.close()
            self._guest = None
        if self.state is not State.RESUMING:
            self.state = State.ASKING
        guest = await Guest.open(
            self.invite,
            self.participant.protocol,
            lambda event: self._take(event, ended),
            name=self.name,
            secret=self._secret,
            conditions=self._conditions,
        )
        self._guest = guest
        self.invite = str(guest.invite)  # after a cut, back into the same room
        if self.state is State.ASKING:
            self.state = State.CONNECTING
        try:
            await self._load(ended)
            if not ended.done():
                self._play(guest)
            return await ended
        finally:
            await guest.close()

    def _take(self, event: Any, ended: asyncio.Future[Disconnected | Refused]) -> None:
        if isinstance(event, Connected) and self._guest is not None:
            if self.state is State.CONNECTING:
                self.state = State.LOADING
            self._connected = True
            self.participant.connected(self._guest.send, self._guest.client.estimate)
        elif isinstance(event, Disconnected | Refused) and not ended.done():
            ended.set_result(event)
        self.participant.receive(event, asyncio.get_running_loop().time())

    async def _load(self, ended: asyncio.Future[Disconnected | Refused]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LOADING_PATIENCE
        connected = False
        while not ended.done() and not (self._connected and self.participant.ready):
            if not connected and self._connected and self.participant.greeted:
                connected, deadline = True, loop.time() + LOADING_PATIENCE
            if connected and loop.time() > deadline:
                raise TickwireError("the server let us in, but did not tell what there is; it may be overloaded")
            await asyncio.sleep(0.01)

    def _play(self, guest: Guest) -> None:
        if self.scene is None:
            self.scene = client_scene(
                self.game,
                self.participant,
                asyncio.get_running_loop().time,
                plugins=[*self._plugins, _ending],
                resources=[*self.app.shared, self, guest],
                rate=self.app.step.rate,
                on_error=self._on_error,
            )
            self.app.replace(self.scene)
        else:
            self.scene.world.insert(guest)
        self.state, self.words = State.PLAYING, ""

    def _fail(self, words: str) -> None:
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
        if session is not None:
            session.cancel()
