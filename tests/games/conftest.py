"""A small arena and a match in it, driven by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from engine.app import Commanded, Plugin, Scene
from engine.ecs import Component, Entity, World
from engine.physics import PhysicsSettings, Velocity
from engine.scene import Transform
from games.ricochet.arena import Arenas, parse_arena
from games.ricochet.authority import authority
from games.ricochet.bots import BotSettings, bots
from games.ricochet.commands import Fly
from games.ricochet.components import Disc, Player, Protection, Score
from games.ricochet.discs import disc
from games.ricochet.match import Match, Mode
from games.ricochet.seats import player_in, ship_of

E = TypeVar("E")
C = TypeVar("C", bound=Component)

EMPTY_BOX: dict[str, Any] = {
    "format": "ricochet-map",
    "version": 1,
    "name": "Box",
    "size": [1600, 1000],
    "wall_color": "#ffffff",
    "ball": None,
    "walls": [
        {
            "kind": "polyline",
            "points": [[20, 20], [1580, 20], [1580, 980], [20, 980]],
            "closed": True,
            "thickness": 40,
        }
    ],
    "bumpers": [],
    "crates": [],
    "spawns": [
        {"at": [300, 500], "degrees": 0, "team": "a"},
        {"at": [1300, 500], "degrees": 180, "team": "b"},
        {"at": [800, 200], "degrees": 90, "team": None},
        {"at": [800, 800], "degrees": 270, "team": None},
    ],
    "pads": [],
}


class Table:
    """A match that a test plays: it places ships, holds their controls, and reads what happened."""

    def __init__(
        self,
        *,
        people: int = 2,
        bots_too: int = 0,
        mode: Mode = Mode.DEATHMATCH,
        playing: bool = True,
        changes: dict[str, Any] | None = None,
        arenas: int = 1,
        round_time: float = 180.0,
    ) -> None:
        self.held: dict[int, Fly] = {}
        hands = Plugin("hands")

        @hands.commands()
        def sample(world: World) -> Iterator[Commanded[Fly]]:
            for seat, fly in self.held.items():
                yield Commanded(seat, fly)

        text = json.dumps({**EMPTY_BOX, **(changes or {})})
        self.scene = Scene(
            *([authority, bots] if bots_too else [authority]),
            hands,
            seed=1,
            resources=[
                PhysicsSettings(substeps=2),
                Arenas([parse_arena(text, f"box{number}.json") for number in range(arenas)]),
                BotSettings(),
                Match(people=people, bots=bots_too, mode=mode, round_time=round_time),
            ],
        )
        self.world = self.scene.world
        self.match = self.world.resource(Match)
        if playing:
            self.match.left = 0.0
            self.run(2)
            for protection in self.world.rows(Protection):
                protection.seconds = 0.0

    def run(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.scene.run_tick()

    def run_seconds(self, seconds: float) -> None:
        self.run(round(seconds * 60))

    def hear(self, kind: type[E]) -> list[E]:
        """A list that every event of this kind is added to from now on."""
        heard: list[E] = []
        self.scene.dispatcher.subscribe(kind, lambda _, event: heard.append(event))
        return heard

    def hold(self, seat: int, **controls: Any) -> None:
        """Hold the controls of a seat like this until told otherwise."""
        self.held[seat] = Fly(**controls)

    def tap(self, seat: int, **controls: Any) -> None:
        """Hold the controls for one tick, then let go of the buttons."""
        self.hold(seat, **controls)
        self.run()
        self.hold(seat, aim=controls.get("aim", 0.0))

    def ship(self, seat: int) -> Entity:
        ship = ship_of(self.world, seat)
        assert ship is not None, f"seat {seat} has no ship"
        return ship

    def has_ship(self, seat: int) -> bool:
        return ship_of(self.world, seat) is not None

    def place(self, seat: int, x: float, y: float) -> Entity:
        """Put a ship somewhere, at rest."""
        ship = self.ship(seat)
        ship[Transform].x, ship[Transform].y = x, y
        ship[Velocity].vx = ship[Velocity].vy = 0.0
        return ship

    def throw(self, seat: int, x: float, y: float, angle: float, **fields: Any) -> Entity:
        """A disc of this seat in mid-flight, with these fields of `Disc`."""
        thrown = self.world.spawn(*disc(self.ship(seat), angle))
        thrown[Transform].x, thrown[Transform].y = x, y
        for name, value in {"away": True, **fields}.items():
            setattr(thrown[Disc], name, value)
        return thrown

    def player(self, seat: int) -> Player:
        player = player_in(self.world, seat)
        assert player is not None, f"nobody sits in seat {seat}"
        return player[Player]

    def score(self, seat: int) -> Score:
        player = player_in(self.world, seat)
        assert player is not None, f"nobody sits in seat {seat}"
        return player[Score]


@pytest.fixture
def table() -> Callable[..., Table]:
    """Makes a match: `table(people=2, changes={"crates": [...]})`."""
    return Table
