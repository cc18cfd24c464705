"""One process with rooms: its UDP port, its rooms, and the timer that drives both.

    process = Process.open(game, plan, host="0.0.0.0", port=7777, private_key=key, epoch=epoch)
    answer = await process.answer("reserve", {"room": "k3f9", "name": "Ana"})
    ...
    process.close()

What can be asked of it is asked by `answer`, in plain values, so that it makes no difference whether the process is
this one or that of a worker. See `Process.verbs` for what there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from engine.app import Game, Overrun, Watchdog
from engine.app.garbage import Sweeper
from engine.net.connection.address import Address
from engine.net.connection.server import Server
from engine.net.multiplayer import multiplayer_of
from engine.net.transport.conditioner import Conditions
from engine.net.transport.udp import Other, Udp
from engine.server.figures import Note, ProcessFigures
from engine.server.keeping import Keeping
from engine.server.logs import adjust
from engine.server.ops.inside import Inside
from engine.server.rooms import ENDED, KICKED, OVER, Plan, Rooms, Stage, Wish

log = logging.getLogger("tickwire.server")

TOKEN_LIFETIME = 30
"""Seconds that a connect token is good for."""
TOKEN_TIMEOUT = 15
"""Seconds of silence after which either side gives up: a server that is stopped for ten goes on with its players."""
FULL_SWEEP = 60.0
"""Seconds between full collections while rooms tick."""
BLOCKED = 0.5
"""Seconds after which a tick is reported that is still running."""
SPARE_SLOTS = 64
"""Connections beyond players and watchers, for those who are being told why they cannot stay."""
FAREWELL = 0.6
"""Seconds that last words have to get through at the end."""
CPU_WINDOW = 2.0
"""Seconds that the share of a core is an average of, at least."""

Answer = Callable[[Mapping[str, Any]], Any]
"""Takes plain values by name, and gives a plain value, or something to await that does."""


class Process:
    """Rooms, their sockets, and their timer. Made by `open`."""

    def __init__(self, server: Server, worker: int, epoch: float) -> None:
        self.server = server
        self.worker = worker
        self.epoch = epoch
        self.rooms: Rooms
        self.udp: Udp
        self.inside: Inside
        """What can be seen of it, and asked by whoever runs the server."""
        self.address = Address("0.0.0.0", 0)
        """Where its UDP socket is, as connect tokens name it."""
        self.watchdog = Watchdog(BLOCKED, time.monotonic, self._overran)
        self._sweeper = Sweeper(time.monotonic, full=FULL_SWEEP)
        self.verbs: dict[str, Answer] = {
            "reserve": self._reserve,
            "figures": lambda said: self.figures().plain(),
            "kick": lambda said: self.rooms.kick(said["room"], said["peer"], said.get("words") or KICKED),
            "say": lambda said: self.rooms.say(said["words"], said.get("room", "")),
            "close": lambda said: self.rooms.close_room(said["room"], said.get("words") or OVER),
            "drain": lambda said: self.rooms.drain(said["deadline"]),
            "stage": lambda said: self.rooms.stage.value,
            "verbosity": lambda said: adjust(said["level"]),
        }
        """What can be asked; more may be added. Each takes plain values by name, and gives a plain value."""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._opened = time.monotonic()
        self._cpu = (self._opened, time.process_time(), 0.0)
        self._closed = False

    @classmethod
    def open(
        cls,
        game: Game,
        plan: Plan,
        *,
        host: str,
        port: int,
        private_key: bytes,
        epoch: float,
        worker: int = 0,
        mark: str = "",
        conditions: Conditions | None = None,
        other: Other | None = None,
        executor: Executor | None = None,
        on_note: Callable[[Note], object] = lambda note: None,
    ) -> Process:
        """Bind the UDP port, or any if it is 0, and open the permanent rooms.

        `epoch` is the Unix time at 0 of the monotonic clock, by which connect tokens are dated. Raises `OSError` if the
        port cannot be had, and what the game says of options it does not have.
        """
        clock = time.monotonic
        slots = 2 * plan.most_players + SPARE_SLOTS
        server = Server(
            multiplayer_of(game).protocol,
            private_key,
            [Address(host, port)],
            clock(),
            epoch=epoch,
            max_clients=slots,
        )
        process = cls(server, worker, epoch)
        keeping = Keeping(game, plan.saves, mark=mark) if plan.saves is not None else None
        process.rooms = Rooms(
            game, server, clock, plan, mark=mark, worker=worker, wake=process._wake, executor=executor, keeping=keeping
        )
        process.rooms.on_note = on_note
        process.rooms.watchdog = process.watchdog
        process.udp = Udp(
            server, process.rooms.receive, local=[Address(host, port)], conditions=conditions, other=other
        )
        process.udp.open()
        try:
            process.address = Address(host, process.udp.addresses[0].port)
            server.netcode.addresses = frozenset([process.address])
            process.inside = Inside(process)
            process.rooms.restore()
            process.rooms.open_permanent()
        except BaseException:
            process.udp.close()
            raise
        process.watchdog.start()
        process._run()
        return process

    # The timer

    def _run(self) -> None:
        """Do what is due, send what came of it, and come again."""
        self._timer = None
        if self._closed:
            return
        try:
            due = self.rooms.advance()
        except Exception:  # not a room's: those are contained
            log.exception("an error in the server")
            due = time.monotonic() + 0.1
        self.udp.flush()
        self._sweeper.sweep(idle=not self.rooms.is_ticking)
        self._schedule(due)

    def _schedule(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_later(max(0.0, due - time.monotonic()), self._run)

    def _wake(self) -> None:
        """Something may be due sooner. Never runs it from here, as this may be called from inside."""
        if self._timer is not None and not self._closed:
            self._schedule(time.monotonic())

    def _overran(self, overrun: Overrun) -> None:
        """On the thread of the watchdog, while the handler still runs: all but the log has to wait until it is done."""
        room = self.rooms.ticking
        words = f"room {room}: {overrun}"
        log.warning("%s", words, extra={"room": room})
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            self._loop.call_soon_threadsafe(self.rooms.held_up, room, words)

    # What can be asked of it

    async def answer(self, what: str, said: Mapping[str, Any]) -> Any:
        """Do as asked. Raises `TickwireError` with words for whoever asked, and `KeyError` if it is nothing known."""
        found: Any = self.verbs[what](said)
        return await found if inspect.isawaitable(found) else found

    def _reserve(self, said: Mapping[str, Any]) -> dict[str, Any]:
        wish = Wish(said.get("room", ""), said.get("private", False), said.get("watch", False))
        place = self.rooms.reserve(
            wish, name=said.get("name", ""), source=said.get("source", ""), may_open=said.get("may_open", True)
        )
        there = {"people": self.rooms.people, "rooms": len(self.rooms.by_code)}
        return {"room": place.room, "client_id": place.client_id, "user": place.user, **there}

    def replan(self, plan: Plan) -> None:
        """Go by another plan from now on, as far as that is possible while running."""
        self.rooms.plan = replace(plan, permanent=self.rooms.plan.permanent)

    def figures(self) -> ProcessFigures:
        """All there is to know."""
        rooms, now = self.rooms, time.monotonic()
        return ProcessFigures(
            worker=self.worker,
            pid=os.getpid(),
            port=self.address.port,
            alive=True,
            seconds=now - self._opened,
            cpu=self._share_of_core(now),
            memory=resident_bytes(),
            bytes_in=self.udp.bytes_in,
            bytes_out=self.udp.bytes_out,
            unsent=self.udp.unsent,
            ignored={reason.name.lower(): count for reason, count in self.server.ignored.items()},
            ticks=rooms.ticks.count,
            late=rooms.recent.late(now),
            dropped=rooms.ticks.dropped,
            failures=rooms.failures,
            crashes=rooms.crashes,
            reservations=rooms.given,
            expired=rooms.expired,
            refused=rooms.refused,
            standstills=rooms.standstills,
            people=rooms.people,
            rooms=rooms.room_figures(),
            notes=list(rooms.notes),
        )

    def _share_of_core(self, now: float) -> float:
        at, used, share = self._cpu
        if now - at >= CPU_WINDOW:
            share = (time.process_time() - used) / (now - at)
            self._cpu = (now, time.process_time(), share)
        return share

    # Its end

    @property
    def is_over(self) -> bool:
        """Whether a drain has come to its end."""
        return self.rooms.stage is Stage.OVER

    async def say_farewell(self) -> None:
        """Close every room, and wait until everyone was told, or might have been."""
        self.rooms.drain(0.0)
        for room in list(self.rooms.by_code.values()):
            self.rooms.close(room, ENDED)
        until = time.monotonic() + FAREWELL
        while not self.is_over and time.monotonic() < until:
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """End every connection, and give the port back."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.watchdog.stop()
        with contextlib.suppress(Exception):
            self.udp.flush()  # last words, before the farewells that end the connections
        self.server.close()
        self.udp.close()
        if self.rooms.keeping is not None:
            self.rooms.keeping.close()


def resident_bytes() -> int:
    """The memory of this process that is in RAM; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
