"""A trial of a network: a room of bots at this machine, which one joins as if it were far away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from engine.app import App, Options
from engine.app.reactor import run
from engine.errors import TickwireError
from engine.events import OnError
from engine.net.connection.events import Event
from engine.net.multiplayer import multiplayer_of
from engine.net.replication.authority import Authority
from engine.net.session import Joining
from engine.net.transport.host import Host
from games.ricochet.game import GAME

log = logging.getLogger("tickwire.ricochet")


_running: set[asyncio.Task[None]] = set()
"""Kept, as the loop itself holds its tasks only weakly."""


class Trial:
    """The room, from the start of the way into it until one has left it."""

    def __init__(self, options: Options, join: Callable[[str], Joining], rate: float) -> None:
        self.words = ""
        """Why it could not be, if so."""
        self.joining: Joining | None = None
        self._options = options
        self._join = join
        self._rate = rate
        self.task = asyncio.get_running_loop().create_task(self._run())
        _running.add(self.task)
        self.task.add_done_callback(_running.discard)

    @property
    def failed(self) -> str:
        """Why it came to nothing, or nothing."""
        return self.words or (self.joining.words if self.joining is not None else "")

    def cancel(self) -> None:
        """Give up."""
        self.task.cancel()

    async def _run(self) -> None:
        multiplayer, authority = multiplayer_of(GAME), None

        def sink(event: Event) -> None:
            if authority is not None:
                authority.receive(event)

        try:
            async with await Host.open(multiplayer.protocol, sink, host="127.0.0.1", port=0) as host:
                authority = Authority(multiplayer, host.server, self._options, asyncio.get_running_loop().time)
                app = App(rate=self._rate)
                app.push(GAME.scene(self._options, [authority.plugin], resources=[host], on_error=OnError.ISOLATE))
                room = asyncio.get_running_loop().create_task(run(app))
                try:
                    self.joining = self._join(str(host.invite))
                    await asyncio.wait([self.joining.task, room], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if self.joining is not None:
                        self.joining.cancel()
                    room.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await room
                    app.close()
        except (TickwireError, OSError) as error:
            self.words = str(error)
