"""Where people come in: it hears what they want, finds the process that has it, and gives them a token for there.

reception = Reception(workers, password=config.server.password)
issuer = Issuer(protocol, private_key, [], door=reception.door, rate=TOKEN_RATE)
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.net.connection.issuer import Admitted, TokenRequest, TurnedAway
from engine.server.figures import ProcessFigures
from engine.server.rooms import NoPlaceError, full, no_room, no_room_left
from engine.server.secret import Secret

TOKEN_RATE = 300
"""Requests that one address may make in ten seconds: a school has only one. Wrong ones are limited far lower."""
MOST_NAME = 40
"""Characters of a player's name."""
AGAIN = 1.0
"""Seconds after which somebody may ask again whose process starts anew."""
CLOSED = "this server lets nobody in at the moment: try again in a minute"


class Worker(Protocol):
    """A process with rooms, as seen from where people come in."""

    number: int
    mark: str
    """What the codes of its rooms begin with."""

    @property
    def key(self) -> bytes:
        """The private key of connect tokens for it."""
        ...

    @property
    def address(self) -> Address | None:
        """Where to connect to it; None while it is not there."""
        ...

    @property
    def figures(self) -> ProcessFigures | None:
        """How it is, or was not long ago."""
        ...

    async def ask(self, what: str, **said: Any) -> Any:
        """As `Process.answer`. Raises `TickwireError` if it does not answer."""
        ...


class Reception:
    """The door of a server whose rooms are in several processes, or in one. `clock` is any steady clock."""

    def __init__(
        self,
        workers: Sequence[Worker],
        *,
        password: Secret,
        most_players: int,
        most_rooms: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workers = workers
        self.password = password
        self.most_players = most_players
        self.most_rooms = most_rooms
        self.open = False
        """Whether anybody is let in."""
        self.admitted = 0
        self.turned_away: dict[str, int] = {}
        """How many were not let in, by a word for why."""
        self._banned: dict[str, float] = {}  # by IP address: until when
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._asked: Counter[int] = Counter()  # by worker: questions for a place that are not answered yet,
        self._opening: Counter[int] = Counter()  # and those of them that may open a room
        self._told: dict[int, tuple[ProcessFigures | None, int, int]] = {}
        """By worker: the figures there were when it answered last, and the people and rooms it had then."""

    def ban(self, source: str, seconds: float) -> None:
        """Let nobody in from an IP address for some time."""
        self._banned[source] = self._clock() + seconds

    def pardon(self, source: str) -> bool:
        """Take a ban back; whether there was one."""
        return self._banned.pop(source, None) is not None

    @property
    def banned(self) -> dict[str, float]:
        """The addresses that are banned, and for how many seconds yet."""
        now = self._clock()
        self._banned = {source: until for source, until in self._banned.items() if until > now}
        return {source: until - now for source, until in self._banned.items()}

    async def door(self, request: TokenRequest) -> Admitted | TurnedAway:
        """Admit whoever there is a place for, or say why not."""
        refusal = self._refusal(request)
        if refusal is not None:
            why, words = refusal
            return self._turn_away(why, words)
        name = "".join(sign for sign in request.name if sign.isprintable()).strip()[:MOST_NAME]
        wish = {"room": request.room, "private": request.private, "watch": request.watch, "source": request.source}
        try:
            worker, place = await self._find({**wish, "name": name})
        except NoPlaceError as refused:
            return self._turn_away("gone" if refused.gone else "full", str(refused), refused.again)
        except TickwireError:
            return self._turn_away("broken", CLOSED)
        address = worker.address
        if address is None:
            return self._turn_away("broken", CLOSED)
        self.admitted += 1
        return Admitted(place["client_id"], place["user"], (address,), worker.key, place["room"])

    def _refusal(self, request: TokenRequest) -> tuple[str, str] | None:
        if not self.open:
            return "closed", CLOSED
        if request.source in self.banned:
            return "banned", "whoever runs this server does not want you here for now"
        if self.password and not self.password.matches(request.secret):
            return "password", "the password is wrong" if request.secret else "this server asks for a password"
        return None

    def _turn_away(self, why: str, words: str, again: float = 0.0) -> TurnedAway:
        self.turned_away[why] = self.turned_away.get(why, 0) + 1
        return TurnedAway(words, guess=why == "password", again=again, gone=why == "gone")

    async def _find(self, wish: Mapping[str, Any]) -> tuple[Worker, Mapping[str, Any]]:
        """A place, and where it is. Raises `NoPlaceError` with words for the player."""
        present = [worker for worker in self.workers if worker.address is not None]
        if not present:
            raise NoPlaceError(CLOSED, AGAIN)
        if len(self.workers) == 1:
            return await self._reserve(present[0], wish)
        if not wish["watch"] and sum(self._load(worker)[0] for worker in present) >= self.most_players:
            raise full(self.most_players)
        if wish["room"]:
            for worker in self.workers:
                if wish["room"].startswith(worker.mark):
                    if worker.address is None:
                        raise NoPlaceError(f"the process that had room {wish['room']} starts again", AGAIN)
                    return await self._reserve(worker, wish)
            raise no_room(wish["room"])
        if wish["private"]:
            self._check_rooms(present)
            return await self._reserve(min(present, key=self._load), wish)
        async with self._one_at_a_time:  # or two who come at the same time get a new room each
            return await self._quick_match(present, wish)

    async def _quick_match(self, present: list[Worker], wish: Mapping[str, Any]) -> tuple[Worker, Mapping[str, Any]]:
        """An open room that has a place left, wherever it is; else a new one where there is least to do."""
        last: TickwireError = NoPlaceError(CLOSED)
        for may_open in (False, True):
            if may_open:
                self._check_rooms(present)
            for worker in sorted(present, key=self._load):
                try:
                    return await self._reserve(worker, wish, may_open=may_open)
                except TickwireError as refused:
                    last = refused
        raise last

    async def _reserve(
        self, worker: Worker, wish: Mapping[str, Any], *, may_open: bool = True
    ) -> tuple[Worker, Mapping[str, Any]]:
        opens = may_open and not wish["room"]
        self._asked[worker.number] += 1
        self._opening[worker.number] += opens
        try:
            place = await worker.ask("reserve", **wish, may_open=may_open)
        finally:
            self._asked[worker.number] -= 1
            self._opening[worker.number] -= opens
        if len(self.workers) > 1:
            self._told[worker.number] = worker.figures, place["people"], place["rooms"]
        return worker, place

    def _check_rooms(self, present: Sequence[Worker]) -> None:
        if sum(self._load(worker)[1] for worker in present) >= self.most_rooms:
            raise no_room_left(self.most_rooms)

    def _load(self, worker: Worker) -> tuple[int, int]:
        """How many people and rooms a worker has, those included that it is asked for just now.

        It is also how busy it is: a share of a core says nothing before they play.
        """
        figures = worker.figures
        seen, people, rooms = self._told.get(worker.number, (None, 0, 0))
        if figures is not None and figures is not seen:  # newer than what it answered last
            people, rooms = figures.people, len(figures.rooms)
        return people + self._asked[worker.number], rooms + self._opening[worker.number]
