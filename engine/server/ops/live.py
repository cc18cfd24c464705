"""The WebSocket of the dashboard: what goes on, to those who look, no faster than they read.

A client says what it wants, whenever that changes:

    {"token": "...", "look": "k3f9" or null, "events": "k3f9" or "*" or null}

and is sent JSON objects with a type `t`:

    hello    title, whether there is a token to act with, whether the one given is right, history, notes
    server   as /api/server, once a second
    room     as /api/rooms/ID, of the room looked at; {"t": "room", "gone": code} when it is no more
    look     as it is drawn, 15 times a second; see `Picture`
    events   what happened in rooms; see `Stream`
    note     what happened to the server
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from math import inf
from typing import Any, cast

from aiohttp import WSMsgType, web

from engine.errors import TickwireError
from engine.server.figures import Note
from engine.server.ops.admission import Admission, RefusedError
from engine.server.ops.fleet import Watch

log = logging.getLogger("tickwire.server")

LOOKS = 1 / 15
"""Seconds between two pictures of a room."""
EVENTS = 0.25
SUMMARY = 1.0
MOST_LIVE = 16
"""Who may look at a time."""
MOST_SAID = 2048
"""Bytes of a message from a client."""
STALLED = 10.0
"""Seconds in which a client must take what it was sent."""
HEARTBEAT = 20.0
MOST_NOTES = 200


class Lives:
    """All who look at the dashboard."""

    def __init__(self, watch: Watch, admission: Admission) -> None:
        self.watch = watch
        self.admission = admission
        self._open: set[web.WebSocketResponse] = set()

    def __len__(self) -> int:
        return len(self._open)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Talk to one of them until it goes."""
        if len(self._open) >= MOST_LIVE:
            raise RefusedError(503, f"{MOST_LIVE} are looking already: close one of these pages")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=MOST_SAID, compress=False, timeout=2.0)
        self._open.add(socket)
        try:
            await socket.prepare(request)
            live = Live(self, socket)
            sending = asyncio.get_running_loop().create_task(live.send_all())
            sending.add_done_callback(lambda _: request.transport.abort() if request.transport is not None else None)
            try:
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        live.hear(message.data)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        finally:
            self._open.discard(socket)
        return socket

    async def close(self) -> None:
        """Say goodbye to all."""
        for socket in list(self._open):
            await socket.close(code=1001, message=b"the server is closing")

    async def detail(self, room: str, *, addresses: bool) -> dict[str, Any] | None:
        """A room with its players; without their addresses for who has no token."""
        found: dict[str, Any] | None = await self.watch.fleet.ask_room("detail", room)
        if found is not None and not addresses:
            found = {**found, "players": [{**player, "address": ""} for player in found["players"]]}
        return found

    def plain_note(self, note: Note) -> dict[str, Any]:
        """A note, for JSON."""
        return asdict(note)


class Live:
    """One who looks."""

    def __init__(self, lives: Lives, socket: web.WebSocketResponse) -> None:
        self._watch = lives.watch
        self._lives = lives
        self._socket = socket
        self._bears = False
        self._room = ""
        self._events = ""
        self._known = (0, 0, 0)  # what was sent of the picture: epoch, shapes, stills
        self._after: dict[int, int] = {}  # by worker, the last event that was sent
        self._notes: deque[Note] = deque(lives.watch.fleet.notes, maxlen=MOST_NOTES)
        self._last_note: Note | None = self._notes[-1] if self._notes else None
        self._woken = asyncio.Event()
        self._greeted = False

    # In

    def hear(self, text: str) -> None:
        """Take in what it wants; what makes no sense changes nothing."""
        try:
            said: Any = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        wants = cast("dict[str, Any]", said)
        if isinstance(wants.get("token"), str):
            self._bears = self._lives.admission.is_token(wants["token"])
            self._greeted = False
        if "look" in wants:
            room = wants["look"]
            self._room = room if isinstance(room, str) else ""
            self._known = (0, 0, 0)
        if "events" in wants:
            events = wants["events"]
            self._events = events if isinstance(events, str) else ""
            self._after.clear()
        self._woken.set()

    # Out

    async def send_all(self) -> None:
        """Send what it wants, until it is gone or does not read."""
        clock = asyncio.get_running_loop().time
        due = {"summary": 0.0, "look": 0.0, "events": 0.0}
        try:
            while not self._socket.closed:
                now = clock()
                if self._woken.is_set():
                    self._woken.clear()
                    due = dict.fromkeys(due, 0.0)
                if not self._greeted:
                    await self._greet()
                await self._send_notes()
                if now >= due["summary"]:
                    due["summary"] = now + SUMMARY
                    await self._send({"t": "server", **self._watch.summary()})
                    await self._send_room()
                if self._room and now >= due["look"]:
                    due["look"] = max(due["look"] + LOOKS, now + LOOKS / 2)
                    await self._send_look()
                if self._events and now >= due["events"]:
                    due["events"] = now + EVENTS
                    await self._send_events()
                until = min(due["summary"], due["look"] if self._room else inf, due["events"] if self._events else inf)
                try:
                    async with asyncio.timeout(max(0.005, until - clock())):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        except (ConnectionError, TimeoutError):
            pass
        except Exception:
            log.exception("the dashboard's figures cannot be sent")
        finally:
            if not self._socket.closed:
                await self._close()

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(1.0):
                await self._socket.close(code=1011, message=b"")
        except (TimeoutError, ConnectionError):
            pass

    async def _send(self, said: Mapping[str, Any]) -> None:
        async with asyncio.timeout(STALLED):
            await self._socket.send_str(json.dumps(said, separators=(",", ":")))

    async def _greet(self) -> None:
        self._greeted = True
        game = self._watch.fleet.game
        notes, self._notes = list(self._notes), deque(maxlen=MOST_NOTES)
        await self._send(
            {
                "t": "hello",
                "title": game.title,
                "can_act": self._lives.admission.can_act,
                "bears": self._bears,
                "history": list(self._watch.history),
                "notes": [self._lives.plain_note(note) for note in notes],
            }
        )

    async def _send_notes(self) -> None:
        notes = self._watch.fleet.notes
        new: list[Note] = []
        for note in reversed(notes):
            if note is self._last_note:
                break
            new.append(note)
        if new:
            self._last_note = new[0]
            for note in reversed(new[:MOST_NOTES]):
                await self._send({"t": "note", **self._lives.plain_note(note)})

    async def _send_room(self) -> None:
        room = self._room
        if not room:
            return
        try:
            detail = await self._lives.detail(room, addresses=self._bears)
        except TickwireError as error:
            await self._send({"t": "room", "code": room, "error": str(error)})
            return
        if detail is None:
            self._room = ""
            await self._send({"t": "room", "gone": room})
        else:
            await self._send({"t": "room", **detail})

    async def _send_look(self) -> None:
        epoch, shapes, stills = self._known
        room = self._room
        try:
            found = await self._watch.fleet.ask_room("look", room, epoch=epoch, shapes=shapes, stills=stills)
        except TickwireError:
            return  # `_send_room` says so
        if found is not None and room == self._room:
            self._known = (found["epoch"], found["from"] + len(found["shapes"]), found["stills"])
            await self._send({"t": "look", "room": room, **found})

    async def _send_events(self) -> None:
        rooms = None if self._events == "*" else [self._events]
        found: list[dict[str, Any]] = []
        for worker in self._watch.fleet.workers:
            if rooms is not None and not rooms[0].startswith(worker.mark):
                continue
            after = self._after.get(worker.number, 0)
            try:
                seen: list[dict[str, Any]] = await worker.ask("events", after=after, rooms=rooms)
            except TickwireError:
                continue
            if seen:
                self._after[worker.number] = seen[-1]["number"]
                found += [each for each in seen if rooms is None or each["room"] in rooms]
        if found:
            await self._send({"t": "events", "events": found})
