"""How an app talks: `async with` a host or a guest, and the plugin that brings messages to handlers of their type.

app = App(room)                                           # a plugin that needs `networking`
async with hosting(app, protocol, port=7777) as host:     # a resource of its world from now on
    print(host.invite)
    await run(app)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from engine.app import App, End, Plugin
from engine.ecs import World
from engine.errors import TickwireError
from engine.events import Phase
from engine.net.connection.events import Connected, Refused
from engine.net.connection.invite import Invite
from engine.net.connection.issuer import Door, open_door
from engine.net.connection.routing import routing
from engine.net.transport.host import Guest, Host
from engine.net.wire.protocol import Protocol


class RefusedError(TickwireError):
    """A server did not let a guest in; the message says why."""


networking = Plugin("net", needs=[routing])
"""For plugins with handlers of `Received[Chat]` to need."""


@networking.on(End, phase=Phase.LATE, priority=-1000)
def flush(world: World, end: End) -> None:
    """What this tick sent goes out now."""
    for kind in (Host, Guest):
        wire = world.find_resource(kind)
        if wire is not None:
            wire.flush()


@asynccontextmanager
async def hosting(
    app: App,
    protocol: Protocol,
    *,
    host: str = "0.0.0.0",
    port: int = 7777,
    public: str | None = None,
    door: Door = open_door,
    max_clients: int = 64,
) -> AsyncGenerator[Host, None]:
    """A `Host` whose events `app` gets, and which is a resource of its world. Raises what `Host.open` does."""
    opened = await Host.open(
        protocol, app.post, host=host, port=port, public=public, door=door, max_clients=max_clients
    )
    async with app.world.insert(opened):
        yield opened


@asynccontextmanager
async def joining(
    app: App, protocol: Protocol, invite: Invite | str, *, name: str = "", secret: str = ""
) -> AsyncGenerator[Guest, None]:
    """A connected `Guest` whose events `app` gets, and which is a resource of its world.

    Raises what `Guest.open` does, and `RefusedError` if the server cannot be reached or does not take it.
    """
    answer: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()

    def sink(event: object) -> None:
        app.post(event)
        if isinstance(event, Connected | Refused) and not answer.done():
            answer.set_result(event if isinstance(event, Refused) else None)

    async with await Guest.open(invite, protocol, sink, name=name, secret=secret) as guest:
        refused = await answer
        if refused is not None:
            raise RefusedError(str(refused))
        yield app.world.insert(guest)
