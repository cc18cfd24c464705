"""`tickwire serve`: a room without a window, for as many as there are seats."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.app import App, AppError, Game, Options, Recorder, run
from engine.app.garbage import set_aside
from engine.cli.games import load_game
from engine.cli.play import header
from engine.events import OnError
from engine.net.connection.address import Address
from engine.net.multiplayer import multiplayer_of
from engine.net.networking import networking
from engine.net.replication.authority import Authority
from engine.net.replication.hosted import journalled
from engine.net.transport.conditioner import Conditions
from engine.net.transport.host import Host

STATUS_EVERY = 10.0
"""Seconds between lines about how it goes."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What was asked for on the command line."""

    game: str
    bind: str
    public: str | None
    max_players: int
    bots: int
    level: str
    arena: str
    mode: str
    seed: int | None
    seconds: float | None
    record: Path | None
    conditions: Conditions | None = None


def run_serve(asked: ServeOptions) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code."""
    game = load_game(asked.game)
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    options = Options(seed, asked.bots, asked.level, 0, asked.arena, asked.mode)
    asyncio.run(serve(game, options, asked))
    return 0


async def serve(game: Game, options: Options, asked: ServeOptions) -> None:
    """Open the room and run it. Raises what `Host.open` and the game's own options do."""
    multiplayer = multiplayer_of(game)
    bind = _address(asked.bind)
    loop = asyncio.get_running_loop()
    app = App(rate=60, on_error=OnError.ISOLATE)
    authority: Authority | None = None

    def sink(event: Any) -> None:
        if authority is not None:
            authority.receive(event)

    async with await Host.open(
        multiplayer.protocol,
        sink,
        host=bind.host,
        port=bind.port,
        public=asked.public,
        max_clients=asked.max_players,
        conditions=asked.conditions,
    ) as host:
        authority = Authority(multiplayer, host.server, options, time.monotonic)
        scene = game.scene(options, [authority.plugin, networking], resources=[host], on_error=OnError.ISOLATE)
        if asked.record is not None:
            asked.record.parent.mkdir(parents=True, exist_ok=True)
            notes = {**header(game, options), "hosted": True}
            scene.recorder = Recorder(asked.record, notes, only=journalled(game))
        app.push(scene)
        for name in ("SIGINT", "SIGTERM"):
            with suppress(NotImplementedError, AttributeError):  # where the loop has no signals, Ctrl-C raises
                loop.add_signal_handler(getattr(signal, name), app.quit)
        print(f"{game.title} for {asked.max_players}: give this to those who are to join", flush=True)
        print(host.invite, flush=True)
        set_aside()
        status = loop.create_task(_status(app, game, authority))
        try:
            await run(app, clock=time.monotonic, seconds=asked.seconds)
        finally:
            status.cancel()
            app.close()
    print("closed; everyone was told", file=sys.stderr)


async def _status(app: App, game: Game, authority: Authority) -> None:
    """A line now and then: who is here, and what it costs."""
    used, at = time.process_time(), time.perf_counter()
    while True:
        await asyncio.sleep(STATUS_EVERY)
        now_used, now = time.process_time(), time.perf_counter()
        share = (now_used - used) / (now - at)
        used, at = now_used, now
        people = len(authority.seats.by_player)
        watching = len(authority.peers) - sum(seat.peer is not None for seat in authority.seats.by_player.values())
        words = [
            f"{people} playing, {watching} watching",
            f"{100 * share:.0f}% of a core",
            f"{app.step.dropped} ticks dropped",
            game.status(app.world),
        ]
        print(" · ".join(words), flush=True)


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise AppError(f"{text!r} is no address to listen at; write HOST:PORT, such as 0.0.0.0:7777")
    return Address(host.strip("[]") or "0.0.0.0", int(port))
