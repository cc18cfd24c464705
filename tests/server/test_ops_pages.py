"""The pages of a server that really runs: what they say, who may do what, and what becomes of it."""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.net.connection.address import Address
from engine.net.connection.events import Connected
from engine.net.connection.invite import Invite
from engine.net.multiplayer import multiplayer_of
from engine.net.replication.participant import Participant
from engine.net.transport.host import Guest
from engine.net.transport.token_service import NoTokenError
from engine.server.config import load
from engine.server.figures import Note
from engine.server.lifecycle import Service
from engine.server.ops import live
from engine.server.ops.fleet import Fleet, Watch
from engine.server.ops.live import MOST_LIVE
from engine.server.ops.opening import Ops, OpsError, open_ops
from engine.server.secret import Secret
from games.tag import GAME

TOKEN = "sesame-sesame-sesame"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Running:
    """A server with its pages, and a client that asks them."""

    def __init__(self, service: Service, ops: Ops, session: aiohttp.ClientSession) -> None:
        self.service = service
        self.ops = ops
        self.session = session
        self.guests: list[Guest] = []

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        async with self.session.get(self.ops.url + path, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text

    async def post(
        self, path: str, said: Any = None, headers: Mapping[str, str] = BEARER, *, body: bytes | None = None
    ) -> tuple[int, Any]:
        content = json.dumps(said if said is not None else {}).encode() if body is None else body
        async with self.session.post(self.ops.url + path, data=content, headers=headers) as answer:
            return answer.status, await answer.json()

    async def until(self, reached: Callable[[], Any]) -> None:
        async with asyncio.timeout(15):
            while not (found := reached()):
                await asyncio.sleep(0.005)
                if isinstance(found, Awaitable):
                    raise TypeError("a plain function is wanted")

    async def join(self, name: str) -> tuple[Guest, Participant]:
        """Somebody comes in, sits down, and is there."""
        participant = Participant(multiplayer_of(GAME))
        clock = asyncio.get_running_loop().time

        def take(event: Any) -> None:
            if isinstance(event, Connected):
                participant.connected(guest.send, guest.client.estimate)
                guest.flush()
            participant.receive(event, clock())

        guest = await Guest.open(self.invite, multiplayer_of(GAME).protocol, take, name=name)
        self.guests.append(guest)
        await self.until(lambda: participant.player >= 0)
        worker: Any = self.service.workers[0]
        tick = sum(room.tick for room in self.service.rooms())
        await self.until(lambda: sum(room.scene.tick for room in worker.process.rooms.by_code.values()) > tick + 1)
        await self.ops.pages.watch.look()
        return guest, participant

    @property
    def invite(self) -> Invite:
        return self.service.invite

    @property
    def room(self) -> str:
        return self.service.rooms()[0].code

    async def players(self) -> list[dict[str, Any]]:
        return (await self.get(f"api/rooms/{self.room}", BEARER))[1]["players"]


@contextlib.asynccontextmanager
async def running(tmp_path: Path, **options: object) -> AsyncGenerator[Running]:
    given = {name.replace("__", "."): value for name, value in options.items()}
    config = load(
        options={"server.bind": "127.0.0.1:0", "ops.bind": "127.0.0.1:0", "ops.token": Secret(TOKEN), **given}
    )
    opened: asyncio.Future[Ops] = asyncio.get_running_loop().create_future()

    @contextlib.asynccontextmanager
    async def extension(fleet: Fleet) -> AsyncGenerator[None]:
        assert config.ops.bind is not None
        async with open_ops(fleet, config.ops.bind) as ops:
            opened.set_result(ops)
            yield

    service = Service(GAME, config, folder=tmp_path, extensions=[extension], announce=lambda words: None)
    task = asyncio.get_running_loop().create_task(service.run())
    task.add_done_callback(lambda task: None if opened.done() else opened.cancel())
    try:
        ops = await opened
        async with aiohttp.ClientSession() as session:
            server = Running(service, ops, session)
            await server.until(lambda: service.stage.value == "ready")
            try:
                yield server
            finally:
                for guest in server.guests:
                    await guest.close()
    finally:
        service.stop()
        async with asyncio.timeout(10):
            assert await task == 0


def played(tmp_path: Path, scenario: Callable[[Running], Awaitable[None]], **options: object) -> None:
    async def play() -> None:
        async with asyncio.timeout(30), running(tmp_path, **options) as server:
            await scenario(server)

    asyncio.run(play())


def test_what_programs_read(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        assert await server.get("healthz") == (200, {"ok": True, "problems": []})
        assert await server.get("readyz") == (200, {"ready": True, "stage": "ready"})
        await server.join("Ana")
        status, text = await server.get("metrics")
        assert status == 200
        found = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert found["tickwire_players", "playing"] == 1
        assert found["tickwire_rooms", "open"] == 1
        assert found["tickwire_admitted_total",] == 1
        assert found["tickwire_events_total", "Came"] == 1
        assert found["tickwire_ticks_total",] > 0
        assert found["tickwire_sent_bytes_total",] > 0
        assert found["tickwire_round_trip_seconds", "50"] > 0
        assert found["tickwire_handler_errors_total",] == 0
        lateness = [value for key, value in found.items() if key[0] == "tickwire_tick_lateness_seconds_bucket"]
        assert lateness == sorted(lateness)
        assert lateness[-1] > 0
        for family in text_string_to_metric_families(text):
            assert family.documentation or not family.name.startswith("tickwire"), family.name

    played(tmp_path, scenario)


def test_ready_is_said_when_people_may_come_and_not_before_or_after(tmp_path: Path) -> None:
    async def play() -> None:
        config = load(options={"server.bind": "127.0.0.1:0"})
        found: list[tuple[str, int, str]] = []

        async def look(moment: str, ops: Ops) -> None:
            async with aiohttp.ClientSession() as session, session.get(ops.url + "readyz") as answer:
                found.append((moment, answer.status, (await answer.json())["stage"]))

        @contextlib.asynccontextmanager
        async def extension(fleet: Fleet) -> AsyncGenerator[None]:
            async with open_ops(fleet, Address("127.0.0.1", 0)) as ops:
                await look("before", ops)
                opened.set_result(ops)
                yield
                await look("after", ops)

        opened: asyncio.Future[Ops] = asyncio.get_running_loop().create_future()
        service = Service(GAME, config, folder=tmp_path, extensions=[extension], announce=announced.append)
        task = asyncio.create_task(service.run())
        ops = await opened
        while not announced:
            await asyncio.sleep(0.005)
        await look("then", ops)
        service.stop()
        assert await task == 0
        assert found == [("before", 503, "starting"), ("then", 200, "ready"), ("after", 503, "closed")]

    announced: list[str] = []
    asyncio.run(play())


def test_rooms_and_who_is_in_them(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        _, empty = await server.get("api/rooms")
        assert [(room["state"], room["people"]) for room in empty] == [("empty", 0)]
        await server.join("Ana")
        _, rooms = await server.get("api/rooms")
        assert [(room["state"], room["people"]) for room in rooms] == [("open", 1)]
        _, summary = await server.get("api/server")
        assert (summary["game"], summary["players"], summary["ready"]) == ("tag", 1, True)
        assert summary["rooms"] == rooms
        _, detail = await server.get(f"api/rooms/{server.room}")
        assert [(player["name"], player["player"]) for player in detail["players"]] == [("Ana", 0)]
        assert detail["players"][0]["address"] == "", "where players live is for who has the token"
        assert (await server.players())[0]["address"].startswith("127.0.0.1:")
        assert detail["standings"] == []
        status, error = await server.get("api/rooms/nope")
        assert (status, error) == (404, {"error": "there is no room nope"})
        _, history = await server.get("api/history")
        assert history[-1]["players"] == 1
        _, notes = await server.get("api/notes")
        assert "joined" in [note["kind"] for note in notes]

    played(tmp_path, scenario)


def test_the_page_stands_alone(tmp_path: Path) -> None:
    page = files("engine.server.ops").joinpath("dashboard.html").read_text("utf-8")
    assert not re.findall(r"(?:src|href)=[\"']?(?!data:)\w", page), "nothing is fetched from elsewhere"
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert "innerHTML" not in page, "names of players are text, never markup"

    async def scenario(server: Running) -> None:
        async with server.session.get(server.ops.url) as answer:
            assert answer.content_type == "text/html"
            assert await answer.text() == page
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert policy.count("'sha256-") == 2
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Access-Control-Allow-Origin" not in answer.headers

    played(tmp_path, scenario)


ROOM_ACTIONS = ("say", "kick", "ban", "drain", "close")
ACTIONS = ("say", "drain", "pardon", *(f"rooms/{{}}/{action}" for action in ROOM_ACTIONS))


def test_nothing_changes_without_the_token(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        for action in ACTIONS:
            path = "api/" + action.format(server.room)
            said = {"words": "hi", "peer": 1, "address": "127.0.0.1"}
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
                status, error = await server.post(path, said, headers)
                assert status == 401, action
                assert TOKEN not in str(error)
            status, _ = await server.post(path, said, {**BEARER, "Origin": "http://evil.example"})
            assert status == 403
            status, _ = await server.post(path, said, {**BEARER, "Host": "evil.example"})
            assert status == 421
            status, _ = await server.get(path)
            assert status == 405
        assert (await server.get("api/bans"))[0] == 401
        assert server.service.stage.value == "ready"
        assert server.service.rooms()[0].state == "empty"

    played(tmp_path, scenario)


def test_reading_is_refused_to_other_sites(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        for path in ("", "api/rooms", "metrics", "healthz", "api/live"):
            assert (await server.get(path, {"Host": "evil.example"}))[0] == 421
            assert (await server.get(path, {"Origin": "http://evil.example"}))[0] == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await server.session.ws_connect(server.ops.url + "api/live", origin="http://evil.example")
        assert error.value.status == 403

    played(tmp_path, scenario)


def test_a_server_without_a_token_cannot_be_changed(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        status, error = await server.post("api/say", {"words": "hi"}, {"Authorization": "Bearer "})
        assert (status, error) == (403, {"error": "nothing can be changed here: the server has no ops.token"})
        assert (await server.get("api/rooms"))[0] == 200

    played(tmp_path, scenario, ops__token="")


def test_people_are_told_and_thrown_out(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        _, ana = await server.join("Ana")
        _, bea = await server.join("Bea")
        room = server.room
        assert await server.post("api/say", {"words": "to all"}) == (200, {"ok": True, "told": 2})
        assert (await server.post(f"api/rooms/{room}/say", {"words": "here"}))[1]["told"] == 2
        assert (await server.post("api/rooms/nope/say", {"words": "here"}))[0] == 404
        first, second = await server.players()
        assert (await server.post(f"api/rooms/{room}/kick", {"peer": first["peer"], "words": "be nice"}))[0] == 200
        await server.until(lambda: ana.last_words == "be nice")
        assert [player["name"] for player in await server.players()] == ["Bea"]
        assert (await server.post(f"api/rooms/{room}/kick", {"peer": first["peer"]}))[0] == 404
        await server.join("Ana again")
        assert (await server.post(f"api/rooms/{room}/ban", {"peer": second["peer"], "minutes": 5}))[0] == 200
        await server.until(lambda: bea.last_words)
        with pytest.raises(NoTokenError):
            await server.join("Bea again")
        _, bans = await server.get("api/bans", BEARER)
        assert list(bans) == ["127.0.0.1"]
        assert 290 < bans["127.0.0.1"] <= 300
        assert (await server.post("api/pardon", {"address": "127.0.0.1"}))[0] == 200
        assert (await server.post("api/pardon", {"address": "127.0.0.1"}))[0] == 404
        await server.join("Bea")

    played(tmp_path, scenario)


def test_rooms_are_drained_and_closed(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        room = server.room
        _, ana = await server.join("Ana")
        assert (await server.post(f"api/rooms/{room}/drain", {"deadline": 0}))[0] == 200
        await server.until(lambda: ana.last_words)
        assert (await server.post(f"api/rooms/{room}/drain", {"deadline": 0}))[0] == 404
        _, bea = await server.join("Bea")
        other = next(each.code for each in server.service.rooms() if each.players)
        assert other != room
        assert (await server.post(f"api/rooms/{other}/close", {"words": "good night"}))[0] == 200
        await server.until(lambda: bea.last_words == "good night")
        assert (await server.post(f"api/rooms/{other}/close"))[0] == 404

    played(tmp_path, scenario)


def test_a_drain_ends_the_server(tmp_path: Path) -> None:
    async def play() -> None:
        async with asyncio.timeout(30), running(tmp_path) as server:
            _, ana = await server.join("Ana")
            assert await server.post("api/drain", {"deadline": 0}) == (200, {"ok": True, "stage": "draining"})
            await server.until(lambda: ana.last_words)
            await server.until(lambda: server.service.stage.value == "closed")

    asyncio.run(play())


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        ("say", b"{", 400, "not JSON"),
        ("say", b"[]", 400, "not a JSON object"),
        ("say", b"[" * 4000, 400, "not JSON"),
        ("say", b"\xff\xfe", 400, "not JSON"),
        ("say", b"{}", 400, "words: a text"),
        ("say", b'{"words": "  "}', 400, "words: a text"),
        ("say", b'{"words": 5}', 400, "words: a text"),
        ("say", b'{"words": "%s"}' % (b"x" * 301), 400, "at most 300"),
        ("say", b" " * 5000, 413, ""),
        ("drain", b'{"deadline": -1}', 400, "deadline: a number"),
        ("drain", b'{"deadline": NaN}', 400, "deadline: a number"),
        ("drain", b'{"deadline": true}', 400, "deadline: a number"),
        ("drain", b'{"deadline": "1"}', 400, "deadline: a number"),
        ("rooms/k3f9/kick", b'{"peer": "1"}', 400, "peer: the number"),
        ("rooms/k3f9/kick", b'{"peer": true}', 400, "peer: the number"),
        ("rooms/k3f9/kick", b'{"peer": 1}', 404, "no player 1"),
        ("rooms/k3f9/ban", b'{"peer": 1, "minutes": 1e999}', 400, "minutes: a number"),
        ("rooms/%00%0a/close", b"{}", 404, "no room"),
        ("rooms/k3f9/explode", b"{}", 404, "Not Found"),
    ],
)
def test_nonsense_is_answered_in_words(tmp_path: Path, path: str, body: bytes, status: int, why: str) -> None:
    async def scenario(server: Running) -> None:
        found, error = await server.post(f"api/{path}", body=body)
        assert found == status
        assert why in error["error"]
        assert await server.post("api/say", {"words": "\ud800"}) == (200, {"ok": True, "told": 0})
        assert server.service.stage.value == "ready"

    played(tmp_path, scenario)


class Look:
    """One who looks at the dashboard."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while (found := await self.socket.receive_json())["t"] != kind:
                pass
        return found


def test_the_dashboard_is_told_what_it_wants(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        await server.join("Ana")
        room = server.room
        async with server.session.ws_connect(server.ops.url + "api/live") as socket:
            look = Look(socket)
            hello = await look.next("hello")
            assert (hello["title"], hello["can_act"], hello["bears"]) == ("Tag", True, False)
            assert hello["history"][-1]["players"] == 1
            assert "joined" in [note["kind"] for note in hello["notes"]]
            assert (await look.next("server"))["players"] == 1

            await socket.send_json({"look": room, "events": "*"})
            detail = await look.next("room")
            assert (detail["code"], detail["players"][0]["name"], detail["players"][0]["address"]) == (room, "Ana", "")
            first = await look.next("look")
            assert (first["room"], len(first["moving"]), first["moving"][0][2]) == (room, 1, 0)
            assert first["shapes"] == [[["c", 0, 0, 24.0]]]
            again = await look.next("look")
            assert (again["shapes"], "still" in again) == ([], False)
            assert again["tick"] > first["tick"]
            await server.join("Bea")
            seen = await look.next("events")
            assert {event["room"] for event in seen["events"]} == {room}
            assert "player=1 name='Bea'" in [event["text"] for event in seen["events"] if event["kind"] == "Came"]

            await socket.send_json({"token": TOKEN})
            assert (await look.next("hello"))["bears"]
            assert (await look.next("room"))["players"][0]["address"].startswith("127.0.0.1")
            await socket.send_json({"token": "wrong"})
            assert not (await look.next("hello"))["bears"]

            await server.post("api/say", {"words": "hi"})
            while (note := await look.next("note"))["kind"] != "said":
                pass
            assert (note["kind"], note["words"]) == ("said", "2 were told: hi")
            await server.post(f"api/rooms/{room}/close")
            while "gone" not in (gone := await look.next("room")):
                pass
            assert gone["gone"] == room

    played(tmp_path, scenario)


def test_hostile_lookers(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        url = server.ops.url + "api/live"
        lookers = [await server.session.ws_connect(url) for _ in range(MOST_LIVE)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await server.session.ws_connect(url)
        assert error.value.status == 503
        for said in ("{", "[]", "5", '{"look": 5, "events": [], "token": {}}', '{"look": "nope", "events": "nope"}'):
            await lookers[0].send_str(said)
        await lookers[0].send_bytes(b"\0\1")
        look = Look(lookers[0])
        while "gone" not in (gone := await look.next("room")):
            pass
        assert gone["gone"] == "nope"
        await lookers[1].send_str("x" * 5000)
        async with asyncio.timeout(10):
            while (await lookers[1].receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        await server.until(lambda: len(server.ops.pages.lives) == MOST_LIVE - 1)
        assert (await server.get("healthz"))[0] == 200
        for each in lookers:
            await each.close()
        await server.until(lambda: len(server.ops.pages.lives) == 0)

    played(tmp_path, scenario)


def test_who_looks_and_never_reads_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STALLED", 0.2)

    async def scenario(server: Running) -> None:
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", server.ops.address.port))
        reader, writer = await asyncio.open_connection(sock=opened, limit=1000)
        writer.write(
            b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b"101" in await reader.readline()
        await server.until(lambda: len(server.ops.pages.lives) == 1)
        for _ in range(20):  # more than the system takes for somebody who does not want it
            server.service.notes.append(Note(0, 5.0, "said", "x" * 1_000_000))
        await server.until(lambda: len(server.ops.pages.lives) == 0)
        assert (await server.get("healthz"))[0] == 200
        writer.close()

    played(tmp_path, scenario)


def test_a_port_in_use_is_told_in_a_line(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        with pytest.raises(OpsError, match="choose another port for --ops"):
            async with open_ops(server.service, server.ops.address):
                pass

    played(tmp_path, scenario)


def test_health_is_bad_while_a_worker_does_not_answer(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        worker: Any = server.service.workers[0]
        watch = Watch(server.service, patience=0.05)
        stuck = asyncio.Event()

        async def wait(said: Mapping[str, Any]) -> dict[str, Any]:
            await stuck.wait()
            return {"problems": ["room k3f9: no tick for 5.0 s"]}

        health = worker.process.verbs["health"]
        worker.process.verbs["health"] = wait
        assert await watch.health() == ["no answer for 0.05 s"]
        stuck.set()
        assert await watch.health() == ["room k3f9: no tick for 5.0 s"]
        server.ops.pages.watch = watch
        assert (await server.get("healthz"))[0] == 503
        worker.process.verbs["health"] = health
        assert (await server.get("healthz"))[0] == 200

    played(tmp_path, scenario)


def test_notes_of_the_server_are_plain(tmp_path: Path) -> None:
    async def scenario(server: Running) -> None:
        server.service.notes.append(Note(0, 5.0, "worker", "worker 1 is back", worker=1))
        _, notes = await server.get("api/notes")
        told = {"number": 0, "time": 5.0, "kind": "worker", "words": "worker 1 is back", "room": "", "worker": 1}
        assert notes[-1] == {**told, "peer": 0}

    played(tmp_path, scenario)
