"""`tickwire rooms`, `kick`, `ban`, `drain` and `say`: a running server's pages, from a terminal."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.server.config import load
from engine.server.redaction import one_line
from engine.server.secret import Secret

PORT = 9100
"""Where the pages are asked for if nobody says where they are."""
TIMEOUT = 6.0
"""Seconds."""
MOST_ANSWER = 32 << 20
"""Bytes."""
LOOPBACK = ("127.", "localhost", "[::1]")


class OpsClientError(TickwireError):
    """The server did not do as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the pages are and what opens them, as given on the command line."""

    url: str = ""
    config: Path | None = None
    token_file: Path | None = None


class Pages:
    """The pages of a server. Raises `OpsClientError` with one line for people."""

    def __init__(self, url: str, token: Secret) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._opener = urllib.request.OpenerDirector()
        for handler in (  # no proxy and no redirect: the token is for the server that was asked, and for no other
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
        ):
            self._opener.add_handler(handler)

    def get(self, path: str) -> Any:
        """What a page says."""
        return self._ask(urllib.request.Request(f"{self.url}/{path}"))

    def post(self, path: str, said: Mapping[str, object]) -> Any:
        """Have something done."""
        if not self._token:
            raise OpsClientError("this takes the token: set TICKWIRE_OPS_TOKEN, or give --config or --token-file")
        body = json.dumps(dict(said)).encode()
        return self._ask(
            urllib.request.Request(f"{self.url}/{path}", body, {"Content-Type": "application/json"}, method="POST")
        )

    def _ask(self, request: urllib.request.Request) -> Any:
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token.reveal()}")
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                return json.loads(response.read(MOST_ANSWER))
        except urllib.error.HTTPError as error:
            raise OpsClientError(_words_of(error)) from error
        except urllib.error.URLError as error:
            raise OpsClientError(
                f"{self.url} cannot be reached: {error.reason}; is the server running, with --ops there?"
            ) from error
        except TimeoutError:
            raise OpsClientError(f"{self.url} did not answer within {TIMEOUT:g} s") from None
        except (ValueError, RecursionError, HTTPException) as error:
            raise OpsClientError(f"{self.url} is not the dashboard of a Tickwire server") from error
        except OSError as error:
            raise OpsClientError(f"{self.url}: {error.strerror or error}") from error


def _words_of(error: urllib.error.HTTPError) -> str:
    try:
        said: Any = json.loads(error.read(4096))
        return one_line(str(cast("dict[str, object]", said)["error"]))
    except (ValueError, KeyError, TypeError, OSError):
        return f"{error.url} answered {error.code} {error.reason}"


def open_pages(asked: Asked) -> Pages:
    """The pages meant. Raises `TickwireError` if it cannot be told which."""
    environment = {name: value for name, value in os.environ.items() if name.startswith("TICKWIRE_OPS_")}
    config = load(asked.config, environment=environment)
    token = config.ops.token
    url = asked.url
    if url and "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        usable = not url or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:  # of a port, or of brackets
        parts, usable = urlsplit(""), False
    if not usable:
        raise OpsClientError(f"{asked.url!r} is no address of a dashboard, such as http://127.0.0.1:{PORT}")
    given = parse_qs(parts.fragment).get("token")
    if given:
        token = Secret(given[0])
    if asked.token_file is not None:
        try:
            token = Secret(asked.token_file.read_text("utf-8").strip())
        except UnicodeDecodeError:
            raise OpsClientError(f"{asked.token_file} is no text: it should hold the token, and nothing else") from None
    if not url:
        url = _url_of(config.ops.bind or Address("127.0.0.1", PORT))
    url = url.partition("#")[0]
    if token and url.startswith("http://") and not urlsplit(url).netloc.startswith(LOOPBACK):
        print(f"warning: the token goes to {url} unencrypted", file=sys.stderr)
    return Pages(url, token)


def _url_of(address: Address) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{address.port}"


# Looking


def show_rooms(pages: Pages, room: str, *, as_json: bool) -> None:
    """Print all rooms, or one with its players."""
    found = pages.get(f"api/rooms/{quote(room, safe='')}" if room else "api/rooms")
    if as_json:
        print(json.dumps(found, indent=2))
        return
    console = Console(highlight=False)
    if room:
        console.print(Text(f"{room}  {found['state']}  {one_line(found['status'])}"))
        console.print(players_table(found["players"]))
    elif found:
        console.print(rooms_table(found))
    else:
        console.print("no rooms are open")


def rooms_table(rooms: list[dict[str, Any]]) -> Table:
    """A line a room."""
    headings = ("room", "players", "ping", "tick", "late p99", "dropped", "out")
    lines = [_room_line(room) for room in rooms]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        width = max([len(heading), *(len(line[place]) for line in lines)])
        table.add_column(heading, justify="right" if place else "left", no_wrap=True, min_width=width)
    table.add_column("match", overflow="ellipsis", no_wrap=True)
    for room, line in zip(rooms, lines, strict=True):
        match = ("closing · " if room["state"] == "closing" else "") + one_line(room["status"])
        idle = room["state"] == "empty"
        table.add_row(*line, Text("empty" if idle else match), style="dim" if idle else "")
    return table


def _room_line(room: dict[str, Any]) -> list[str]:
    idle = room["state"] == "empty"
    return [
        room["code"],
        f"{room['people']}/{room['seats']}" + (f" +{room['watching']}" if room["watching"] else ""),
        "" if room["ping"] is None else f"{room['ping']:.0f} ms",
        "" if idle else f"{room['cost']:.2f} ms",
        "" if idle else f"{room['late']:.1f} ms",
        str(room["dropped"]),
        size(room["bytes_out"]),
    ]


def players_table(players: list[dict[str, Any]]) -> Table:
    """A line a player."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("connection", "name", "ping", "jitter", "loss", "sent", "for"):
        table.add_column(heading, justify="left" if heading == "name" else "right")
    table.add_column("address")
    for player in players:
        table.add_row(
            str(player["peer"]),
            Text(one_line(player["name"]) + ("" if player["player"] >= 0 else " (watches)")),
            f"{player['ping']:.0f} ms",
            f"{player['jitter']:.0f} ms",
            f"{100 * player['loss']:.1f}%",
            size(player["bytes_out"]),
            lasted(player["seconds"]),
            one_line(player["address"]),
        )
    return table


def size(count: float) -> str:
    """Bytes, for people."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while count >= 1000 and len(units) > 1:
        count /= 1000
        del units[0]
    return f"{count:.0f} {units[0]}" if units[0] == "B" or count >= 10 else f"{count:.1f} {units[0]}"


def lasted(seconds: float) -> str:
    """A while, for people."""
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else f"{int(seconds)} s"


# Acting


def kick(pages: Pages, room: str, player: str, words: str, minutes: float | None = None) -> None:
    """Throw somebody out, by name or connection number; with `minutes`, for so long."""
    path = f"api/rooms/{quote(room, safe='')}"
    peer, name = find_player(pages.get(path)["players"], room, player)
    if minutes is None:
        pages.post(f"{path}/kick", {"peer": peer, "words": words})
        print(f"{name} was kicked from room {room}")
    else:
        pages.post(f"{path}/ban", {"peer": peer, "words": words, "minutes": minutes})
        print(f"{name} was banned for {minutes:g} minutes")


def find_player(players: list[dict[str, Any]], room: str, player: str) -> tuple[int, str]:
    """The connection that is meant, and its name. Raises `OpsClientError` if it is not one."""
    found = [each for each in players if each["name"] == player or str(each["peer"]) == player]
    if len(found) == 1:
        return found[0]["peer"], one_line(found[0]["name"]) or "somebody"
    if found:
        numbers = ", ".join(str(each["peer"]) for each in found)
        raise OpsClientError(f"{player} can be any of the connections {numbers} in room {room}: give the number")
    there = ", ".join(one_line(each["name"]) for each in players[:12])
    raise OpsClientError(f"there is no {player} in room {room}" + (f"; there are {there}" if there else ""))


def drain(pages: Pages, room: str, deadline: float | None) -> None:
    """Let nobody in any more, into a room or at all, and end it when rounds are over."""
    pages.post(f"api/rooms/{quote(room, safe='')}/drain" if room else "api/drain", {"deadline": deadline})
    print(f"room {room} is closed when its round is over" if room else "the server ends when its rounds are over")


def say(pages: Pages, words: str, room: str) -> None:
    """Have words shown to players."""
    told = pages.post(f"api/rooms/{quote(room, safe='')}/say" if room else "api/say", {"words": words})["told"]
    print("nobody was there to hear it" if not told else f"{told} were told")
