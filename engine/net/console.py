"""The command line of a small game without a window: `serve` hosts it, `join` enters, lines typed are events."""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from engine.app import App, Plugin, run
from engine.ecs import World
from engine.errors import TickwireError
from engine.events import OnError
from engine.net.connection.events import Disconnected
from engine.net.networking import hosting, joining
from engine.net.transport.host import Guest, Host
from engine.net.wire.protocol import Protocol


def console(
    protocol: Protocol,
    *,
    host: Plugin,
    guest: Plugin,
    typed: Callable[[str], object],
    arguments: Sequence[str] | None = None,
) -> int:
    """Do what the command line says; returns the exit code, and tells errors in one line.

    ``serve`` prints an invite and runs an app of `host`, ``join INVITE`` one of `guest`, until Ctrl-C, or the end of
    the connection. There, each line on standard input is posted as `typed(line)`.
    """
    parser = argparse.ArgumentParser(prog=f"python -m games.{protocol.name}", description=f"{protocol.build}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="host it, and print the invite")
    serve.add_argument("--port", type=int, default=7777, help="TCP and UDP; 0 for any (default: 7777)")
    serve.add_argument("--host", default="0.0.0.0", help="the IP address to listen at (default: all of this machine)")
    serve.add_argument("--public", help="the name or address in the invite (default: this machine's own)")
    join = commands.add_parser("join", help="enter by an invite")
    join.add_argument("invite", help="tickwire://...")
    join.add_argument("name", nargs="?", default="somebody", help="what to be called")
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "serve":
            app = App(host, on_error=OnError.ISOLATE)
            asyncio.run(_run(app, hosting(app, protocol, host=asked.host, port=asked.port, public=asked.public)))
        else:
            app = App(guest, _ending, on_error=OnError.ISOLATE)
            asyncio.run(_run(app, joining(app, protocol, asked.invite, name=asked.name), typed))
    except TickwireError as error:
        print(f"{protocol.name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


_ending = Plugin("net.console")


@_ending.on(Disconnected)
def _end(world: World, event: Disconnected) -> None:
    print(event, file=sys.stderr)
    world.resource(App).quit()


async def _run(
    app: App, talking: AbstractAsyncContextManager[Host | Guest], typed: Callable[[str], object] | None = None
) -> None:
    async with talking as wire:
        if isinstance(wire, Host):
            print(wire.invite, flush=True)
        elif typed is not None:
            threading.Thread(target=_read, args=(app, typed), daemon=True).start()
        await run(app)


def _read(app: App, typed: Callable[[str], object]) -> None:
    for line in sys.stdin:
        app.post(typed(line.rstrip("\r\n")))
