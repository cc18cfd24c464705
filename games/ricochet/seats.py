"""Seats: who is in the match. People come and go while it runs; bots fill the seats nobody wants."""

from __future__ import annotations

from dataclasses import field

from engine.app import Plugin
from engine.ecs import Entity, Resource, World
from games.ricochet import tuning
from games.ricochet.components import Person, Player, Score, Ship, Team
from games.ricochet.events import Joined, Left, SeatFreed, SeatTaken
from games.ricochet.match import Match, Mode

seats = Plugin("ricochet.seats")

BOT_NAMES = (
    *("Ada", "Bix", "Cleo", "Dot", "Echo", "Flux", "Gus", "Halo", "Ivo", "Jinx", "Kit", "Lux", "Mox", "Nova", "Odo"),
    *("Pip", "Quill", "Rook", "Sol", "Taz", "Uma", "Vex", "Wren", "Xan", "Yara", "Zed", "Arlo", "Bolt", "Cass", "Dune"),
    *("Elk", "Fizz"),
)
"""One for each seat."""
LONGEST_NAME = 16
"""Characters of a name that are kept."""


def clean_name(name: str) -> str:
    """What of a chosen name is shown; empty if nothing is left of it."""
    return "".join(c for c in name if c.isprintable()).strip()[:LONGEST_NAME].strip()


class Roster(Resource):
    """Who sits where."""

    players: list[int] = field(default_factory=lambda: [0] * tuning.MAX_SEATS)
    """Entity ids of the players by seat, 0 where nobody sits."""


def player_in(world: World, seat: int) -> Entity | None:
    """The player in a seat, if someone sits there."""
    players = world.resource(Roster).players
    return world.find(players[seat]) if 0 <= seat < len(players) else None


def ship_of(world: World, seat: int) -> Entity | None:
    """The ship flown from a seat, if it has one."""
    player = player_in(world, seat)
    return world.find(player[Player].ship) if player is not None else None


def seat_for_newcomer(world: World) -> int | None:
    """Where a person who comes now would sit: in a bot's seat, else in a free one; None if the match is full."""
    taken = [player_in(world, seat) for seat in range(tuning.MAX_SEATS)]
    bots = [seat for seat, player in enumerate(taken) if player is not None and Person not in player]
    free = [seat for seat, player in enumerate(taken) if player is None]
    return next(iter([*bots, *free]), None)


@seats.setup
def fill(world: World) -> None:
    """The players a match starts with: people first, then bots."""
    world.insert(Roster())
    match = world.resource(Match)
    for seat in range(match.people + match.bots):
        if seat < match.people:
            name = clean_name(match.name) if seat == 0 else ""
            _sit(world, seat, name or f"Player {seat + 1}", _smaller_team(world), person=True)
        else:
            _sit(world, seat, BOT_NAMES[seat], _smaller_team(world), person=False)


@seats.on(Joined)
def come(world: World, joined: Joined) -> None:
    """A bot leaves its seat to a person; a seat that a person holds is not given away."""
    if not 0 <= joined.seat < tuning.MAX_SEATS:
        return
    team = Team.NONE
    if (there := player_in(world, joined.seat)) is not None:
        if Person in there:
            return
        team = Team(there[Player].team)
        _rise(world, there)
    elif world.resource(Match).mode is Mode.TEAMS:
        team = joined.team or _smaller_team(world)
    name = clean_name(joined.name) or f"Player {joined.seat + 1}"
    _sit(world, joined.seat, name, team, person=True)


@seats.on(Left)
def go(world: World, left: Left) -> None:
    """A bot takes over where the match would be too small without."""
    player = player_in(world, left.seat)
    if player is None or Person not in player:
        return
    team = Team(player[Player].team)
    _rise(world, player)
    match = world.resource(Match)
    if sum(map(bool, world.resource(Roster).players)) < match.people + match.bots:
        _sit(world, left.seat, BOT_NAMES[left.seat], team, person=False)
    else:
        world.post(SeatFreed(left.seat))


def _sit(world: World, seat: int, name: str, team: Team, *, person: bool) -> None:
    player = Player(seat=seat, team=team, name=name)
    who = world.spawn(player, Score(), Person()) if person else world.spawn(player, Score())
    world.resource(Roster).players[seat] = who.id
    world.post(SeatTaken(seat, name, person))


def _rise(world: World, player: Entity) -> None:
    ship = world.find(player[Player].ship)
    if ship is not None and ship.alive and Ship in ship:
        ship.despawn()
    world.resource(Roster).players[player[Player].seat] = 0
    player.despawn()


def _smaller_team(world: World) -> Team:
    if world.resource(Match).mode is Mode.DEATHMATCH:
        return Team.NONE
    seated = [world.entity(id)[Player].team for id in world.resource(Roster).players if id]
    return Team.A if seated.count(Team.A) <= seated.count(Team.B) else Team.B
