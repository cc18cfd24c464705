"""What of a match outlasts a restart of its server: the arena, how far the round is, and scores, by player's name.

Ships, discs and crates do not: whoever comes back is launched anew, into the same round with the points made in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from engine.app import Plugin
from engine.ecs import Entity, Resource, World
from games.ricochet.arena import Arenas
from games.ricochet.components import Person, Player, Score, Team
from games.ricochet.events import SeatTaken
from games.ricochet.match import Match, Mode, Part
from games.ricochet.scenery import open_arena
from games.ricochet.seats import player_in

lasting = Plugin("ricochet.lasting")

COUNTS = ("points", "kills", "deaths", "suicides", "ricochets", "best")
"""The fields of a `Score`."""
MOST = 1_000_000
"""Of anything counted, in what is loaded."""


@dataclass(slots=True)
class Line:
    """Somebody's score in the round."""

    name: str
    person: bool
    team: Team
    counts: tuple[int, ...]
    """As in `COUNTS`."""


class Remembered(Resource):
    """The scores of those who were here before a restart and have not come back yet. There is one only after that."""

    round: int = 0
    """They are of this one, and good for nothing in the next."""
    lines: list[Line] = field(default_factory=list[Line])


def save(world: World) -> dict[str, Any]:
    """The match as plain JSON values."""
    match, remembered = world.resource(Match), world.find_resource(Remembered)
    lines = [
        Line(player.name, Person in entity, Team(player.team), tuple(getattr(score, name) for name in COUNTS))
        for entity, player, score in world.rows(Entity, Player, Score)
    ]
    if remembered is not None and remembered.round == match.round:
        lines += remembered.lines
    return {
        "arena": match.arena,
        "round": match.round,
        "part": match.part.value,
        "left": match.left,
        "scores": [[line.name, line.person, line.team.value, *line.counts] for line in lines],
    }


def load(world: World, state: Mapping[str, Any]) -> None:
    """Take a match up again where `save` found it, before its first tick.

    Raises `KeyError`, `TypeError` or `ValueError` if that is not what `state` is, with the world as it was.
    """
    match, arenas = world.resource(Match), world.resource(Arenas)
    number, part, left = _count(state["round"]), Part(state["part"]), float(state["left"])
    if state["arena"] not in [arena.key for arena in arenas.in_order]:
        raise ValueError(f"there is no arena {state['arena']!r} here")
    if not (isfinite(left) and 0 <= left <= MOST):
        raise ValueError(f"{left} seconds are not left of anything")
    lines = [_line(*line) for line in state["scores"]]
    match.arena, match.round, match.part, match.left = state["arena"], number, part, left
    open_arena(world, arenas[match.arena])
    world.insert(Remembered(round=number, lines=lines))
    for entity in world.rows(Entity, having=(Player,)):
        _recall(world, entity)


def _line(name: str, person: bool, team: int, *counts: int) -> Line:
    if not isinstance(name, str) or len(counts) != len(COUNTS):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"not a score: {name!r}, {counts}")
    return Line(name, bool(person), Team(team), tuple(map(_count, counts)))


def _count(value: Any) -> int:
    if type(value) is not int or abs(value) > MOST:
        raise ValueError(f"not a number to count by: {value!r}")
    return value


@lasting.on(SeatTaken)
def come_back(world: World, taken: SeatTaken) -> None:
    """Who was here before the restart has their score again."""
    player = player_in(world, taken.seat)
    if player is not None:
        _recall(world, player)


def _recall(world: World, entity: Entity) -> None:
    remembered, match = world.find_resource(Remembered), world.resource(Match)
    if remembered is None or remembered.round != match.round:
        return
    player = entity[Player]
    for line in remembered.lines:
        if (line.name, line.person) == (player.name, Person in entity):
            remembered.lines.remove(line)
            entity.add(Score(**dict(zip(COUNTS, line.counts, strict=True))))
            if match.mode is Mode.TEAMS and line.team is not Team.NONE:
                player.team = line.team
            return
