"""A process with rooms, and people who come and go, in time that only tests advance."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from engine.app import Game, Options
from engine.net.connection.events import Connected, Disconnected, Event, Received, Refused
from engine.net.multiplayer import multiplayer_of
from engine.net.replication.participant import Participant
from engine.net.wire.system import Closing, Full, Notice, Snapshot
from engine.server.keeping import Keeping
from engine.server.process import TOKEN_TIMEOUT
from engine.server.rooms import NoPlaceError, Place, Plan, Rooms, Wish
from engine.testing import InlineExecutor
from engine.testing.network import VirtualNetwork
from games.tag import GAME


class Person:
    """Somebody with a client, who plays by nothing but the wire."""

    def __init__(self, house: "House", place: Place) -> None:
        self.house = house
        self.participant = Participant(multiplayer_of(house.game))
        self.connect(place)

    def connect(self, place: Place) -> None:
        """Connect, or connect again after a cut."""
        network = self.house.network
        self.place = place
        self.events: list[Event] = []
        token = network.issue(place.client_id, user=place.user.encode(), timeout=TOKEN_TIMEOUT)
        self.way = network.join(token=token)
        self.way.sink = self._take

    def _take(self, event: Event) -> None:
        if not isinstance(event, Received) or isinstance(event.message, Closing | Notice):
            self.events.append(event)
        elif self.house.blind and isinstance(event.message, Snapshot | Full):
            return
        if isinstance(event, Connected):
            self.participant.connected(self.way.client.send, self.way.client.estimate)
        self.participant.receive(event, self.house.network.now)

    @property
    def player(self) -> int:
        return self.participant.player

    @property
    def ready(self) -> bool:
        return self.participant.greeted if self.house.blind else self.participant.ready

    @property
    def gone(self) -> bool:
        return any(isinstance(event, Disconnected | Refused) for event in self.events)

    @property
    def last_words(self) -> str:
        return next(iter(self._words(Closing)), "")

    @property
    def notices(self) -> list[str]:
        return self._words(Notice)

    def _words(self, kind: type) -> list[str]:
        return [e.message.words for e in self.events if isinstance(e, Received) and type(e.message) is kind]

    def leave(self) -> None:
        self.way.client.disconnect()


class House:
    """Rooms on a virtual network."""

    def __init__(self, game: Game = GAME, *, seed: int = 7, max_clients: int = 64, **changes: Any) -> None:
        self.game = game
        self.blind = changes.pop("blind", False)
        """Whether people look at nothing, which saves most of the time."""
        self.network = VirtualNetwork(
            multiplayer_of(game).protocol, seed=seed, max_clients=max_clients, tick=changes.pop("step", 1 / 120)
        )
        self.spent = 0.0
        self.plan = replace(Plan(Options(bots=0), permanent=0), **changes)
        self.rooms = Rooms(
            game,
            self.network.server,
            lambda: self.network.now + self.spent,
            self.plan,
            wall=lambda: self.network.now,
            entropy=random.Random(seed).randbytes,
            keeping=Keeping(game, self.plan.saves, executor=InlineExecutor()) if self.plan.saves is not None else None,
        )
        self.network.sink = self.rooms.receive

    def run(self, seconds: float) -> None:
        def step() -> None:
            self.rooms.advance()
            self.network.now += self.spent  # what handlers took of the clock, while the network stood still
            self.spent = 0.0

        self.network.run(seconds, step)

    def stand_still(self, seconds: float) -> None:
        """Time passes, and the process does not run; what arrives is taken in, as by the system's buffers."""
        self.network.run(seconds)

    def run_until(self, reached: Callable[[], bool], seconds: float = 20.0) -> None:
        end = self.network.now + seconds
        while not reached():
            assert self.network.now < end, f"nothing came of it in {seconds} simulated seconds"
            self.run(0.05)

    def reserve(self, name: str = "somebody", *, source: str = "", **wish: Any) -> Place:
        return self.rooms.reserve(Wish(**wish), name=name, source=source or name)

    def come(self, name: str = "somebody", place: Place | None = None, **wish: Any) -> Person:
        return Person(self, place or self.reserve(name, **wish))

    def refused(self, **wish: Any) -> str:
        with pytest.raises(NoPlaceError) as error:
            self.rooms.reserve(Wish(**wish))
        return str(error.value)

    def settle(self, people: Iterable[Person]) -> None:
        people = list(people)
        self.run_until(lambda: all(person.ready for person in people))

    def noted(self, kind: str) -> list[str]:
        return [note.words for note in self.rooms.notes if note.kind == kind]


@pytest.fixture
def open_house() -> type[House]:
    """Makes a house: `open_house(seats=2)` takes what `Plan` does, and a game."""
    return House
