"""The pages: health, metrics, JSON, what changes something, and the dashboard. See docs/hosting.md for all of them.

    GET  /                          the dashboard
    GET  /healthz, /readyz          200 or 503, and why
    GET  /metrics                   for Prometheus
    GET  /api/server                the server, its processes and rooms
    GET  /api/history               the last minutes, a sample a second
    GET  /api/notes                 what happened lately
    GET  /api/rooms, /api/rooms/ID  rooms; one with its players and score table
    GET  /api/live                  a WebSocket, see `engine.server.ops.live`
    POST /api/say                   {"words": ...}
    POST /api/drain                 {"deadline": seconds or null}
    POST /api/rooms/ID/say          {"words": ...}
    POST /api/rooms/ID/kick         {"peer": number, "words": ...}
    POST /api/rooms/ID/ban          {"peer": number, "words": ..., "minutes": ...}
    POST /api/rooms/ID/drain        {"deadline": seconds}
    POST /api/rooms/ID/close        {"words": ...}
    GET  /api/bans                  addresses, and seconds left; takes the token as POST does
    POST /api/pardon                {"address": ...}

An error is {"error": "words"} with its status.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, cast

from aiohttp import web

from engine.errors import TickwireError
from engine.server.ops.admission import Admission, RefusedError
from engine.server.ops.fleet import READY, Watch
from engine.server.ops.gate import Gate
from engine.server.ops.live import Lives

log = logging.getLogger("tickwire.server")

MOST_BODY = 4096
MOST_WORDS = 300
"""Characters that are said to players."""
READING = 5.0
"""Seconds that a request's body may take."""
BAN_MINUTES = 60.0
MOST_MINUTES = 60.0 * 24 * 365
MOST_DEADLINE = 86_400.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages:
    """The application. `gate` is told of requests and WebSockets."""

    def __init__(self, watch: Watch, admission: Admission) -> None:
        self.watch = watch
        self.admission = admission
        self.gate: Gate | None = None
        self.lives = Lives(watch, admission)
        self._page, self._policy = _read_page()
        self.application = web.Application(client_max_size=MOST_BODY, middlewares=[self._guard])
        self._route()

    def _route(self) -> None:
        get, post = self.application.router.add_get, self.application.router.add_post
        get("/", self._dashboard)
        get("/healthz", self._healthz)
        get("/readyz", self._readyz)
        get("/metrics", self._metrics)
        get("/api/server", self._server)
        get("/api/history", self._history)
        get("/api/notes", self._notes)
        get("/api/rooms", self._rooms)
        get("/api/rooms/{room}", self._room)
        get("/api/live", self._live)
        get("/api/bans", self._bans)
        post("/api/say", self._say)
        post("/api/drain", self._drain)
        post("/api/pardon", self._pardon)
        post("/api/rooms/{room}/{action:say|kick|ban|drain|close}", self._act)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Before any page: is it from here, and may it? After: headers that all of them have."""
        if self.gate is not None:
            self.gate.asked(request.protocol)
        try:
            self.admission.check_source(request.host, request.headers.get("Origin"))
            if request.method == "POST" or request.path == "/api/bans":
                self.admission.check_token(request.headers.get("Authorization"))
            response = await handler(request)
        except RefusedError as refused:
            response = _error(refused.status, str(refused))
            if refused.status == 401:
                response.headers["WWW-Authenticate"] = "Bearer"
        except web.HTTPException as error:
            response = _error(error.status, error.reason)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
        except TickwireError as error:
            response = _error(503, str(error))
        if not response.prepared:
            response.headers["Server"] = "tickwire"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        return response

    # What programs read

    async def _healthz(self, request: web.Request) -> web.Response:
        problems = await self.watch.health()
        return _json({"ok": not problems, "problems": problems}, status=503 if problems else 200)

    async def _readyz(self, request: web.Request) -> web.Response:
        stage = str(self.watch.fleet.stage.value)
        return _json({"ready": stage == READY, "stage": stage}, status=200 if stage == READY else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=await self.watch.metrics(), headers={"Content-Type": METRICS_TYPE})

    # What people read

    async def _dashboard(self, request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": self._policy, "Cache-Control": "no-cache"}
        return web.Response(body=self._page, content_type="text/html", charset="utf-8", headers=headers)

    async def _server(self, request: web.Request) -> web.Response:
        return _json(self.watch.summary())

    async def _history(self, request: web.Request) -> web.Response:
        return _json(list(self.watch.history))

    async def _notes(self, request: web.Request) -> web.Response:
        return _json([self.lives.plain_note(note) for note in self.watch.fleet.notes])

    async def _rooms(self, request: web.Request) -> web.Response:
        return _json(self.watch.summary()["rooms"])

    async def _room(self, request: web.Request) -> web.Response:
        known = self.admission.is_borne(request.headers.get("Authorization", ""))
        detail = await self.lives.detail(request.match_info["room"], addresses=known)
        if detail is None:
            raise RefusedError(404, f"there is no room {request.match_info['room']}")
        return _json(detail)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if self.gate is not None:
            self.gate.stays(request.protocol)
        return await self.lives.serve(request)

    # What changes something

    async def _bans(self, request: web.Request) -> web.Response:
        return _json({source: round(left) for source, left in self.watch.fleet.reception.banned.items()})

    async def _pardon(self, request: web.Request) -> web.Response:
        address = _text(await _said(request), "address")
        if not self.watch.fleet.reception.pardon(address):
            raise RefusedError(404, f"{address} is not banned")
        return self._done(request, {"pardoned": address})

    async def _say(self, request: web.Request) -> web.Response:
        words = _text(await _said(request), "words")
        return self._done(request, {"told": await self.watch.fleet.say(words)})

    async def _drain(self, request: web.Request) -> web.Response:
        deadline = _number(await _said(request), "deadline", None, MOST_DEADLINE)
        self.watch.fleet.drain(deadline)
        return self._done(request, {"stage": str(self.watch.fleet.stage.value)})

    async def _act(self, request: web.Request) -> web.Response:
        fleet, room = self.watch.fleet, request.match_info["room"]
        said = await _said(request)
        match request.match_info["action"]:
            case "say":
                words = _text(said, "words")
                if await fleet.ask_room("detail", room) is None:
                    raise RefusedError(404, f"there is no room {room}")
                return self._done(request, {"told": await fleet.say(words, room)})
            case "kick" | "ban" as action:
                return await self._kick(request, room, said, bans=action == "ban")
            case "drain":
                deadline = _number(said, "deadline", fleet.config.drain.deadline, MOST_DEADLINE)
                done = await fleet.ask_room("wind_down", room, deadline=deadline)
            case _:
                done = await fleet.close_room(room, _text(said, "words", ""))
        if not done:
            raise RefusedError(404, f"there is no room {room}")
        return self._done(request, {"room": room})

    async def _kick(self, request: web.Request, room: str, said: dict[str, Any], *, bans: bool) -> web.Response:
        peer = said.get("peer")
        if type(peer) is not int:
            raise RefusedError(400, "peer: the number of a player's connection, as in /api/rooms/ID")
        words = _text(said, "words", "")
        minutes = _number(said, "minutes", BAN_MINUTES, MOST_MINUTES) if bans else 0.0
        assert minutes is not None
        if not await self.watch.fleet.kick(room, peer, words, ban=60.0 * minutes):
            raise RefusedError(404, f"there is no player {peer} in a room {room}")
        return self._done(request, {"room": room, "peer": peer})

    def _done(self, request: web.Request, found: dict[str, Any]) -> web.Response:
        log.warning("ops: %s, from %s", request.path.removeprefix("/api/"), request.remote, extra=found)
        return _json({"ok": True, **found})


async def _said(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request; none is an empty one. Raises `RefusedError`."""
    try:
        async with asyncio.timeout(READING):
            body = await request.read()
        said: Any = json.loads(body) if body else {}
    except TimeoutError:
        raise RefusedError(408, f"the request did not come within {READING:g} s") from None
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is not JSON") from None
    if not isinstance(said, dict):
        raise RefusedError(400, "the body is not a JSON object")
    return cast("dict[str, Any]", said)


def _text(said: dict[str, Any], key: str, default: str | None = None) -> str:
    value = said.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise RefusedError(400, f"{key}: a text")
    if len(value) > MOST_WORDS:
        raise RefusedError(400, f"{key}: at most {MOST_WORDS} characters, not {len(value)}")
    return value.encode(errors="replace").decode()  # a lone surrogate is valid JSON, and nothing else


def _number(said: dict[str, Any], key: str, default: float | None, most: float) -> float | None:
    value = said.get(key)
    if value is None:
        return default
    if type(value) not in (int, float) or not 0 <= value <= most:
        raise RefusedError(400, f"{key}: a number from 0 to {most:g}")
    return float(value)


def _json(found: Any, status: int = 200) -> web.Response:
    return web.json_response(found, status=status, dumps=_dumps)


def _dumps(found: Any) -> str:
    return json.dumps(found, separators=(",", ":"))


def _error(status: int, why: str) -> web.Response:
    return _json({"error": why}, status)


def _read_page() -> tuple[bytes, str]:
    """The dashboard, and the policy that lets its own script and style run, and nothing else."""
    page = files("engine.server.ops").joinpath("dashboard.html").read_text("utf-8")
    hashes = {
        tag: " ".join(f"'sha256-{_digest(text)}'" for text in re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL))
        for tag in ("script", "style")
    }
    policy = (
        f"default-src 'none'; script-src {hashes['script']}; style-src {hashes['style']}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page.encode(), policy


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
