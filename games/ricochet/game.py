"""Ricochet as the command line, replays and the test kit see it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.app import App, AppError, Game, Options, Plugin, Scene, Standing
from engine.ecs import World
from engine.net.multiplayer import SPECTATOR, Multiplayer
from engine.physics import PhysicsSettings
from games.ricochet import tuning
from games.ricochet.arena import Arenas, arena_keys, load_arenas
from games.ricochet.authority import authority
from games.ricochet.autopilot import Autopilot
from games.ricochet.bots import LEVELS, BotSettings, bots
from games.ricochet.chat import room
from games.ricochet.components import Score, Team
from games.ricochet.events import Joined, Left, WantedOn
from games.ricochet.lasting import load, save
from games.ricochet.match import Match, Mode, Part
from games.ricochet.protocol import PROTOCOL
from games.ricochet.rules import rules
from games.ricochet.scoring import ranking, team_points
from games.ricochet.seats import Roster, seat_for_newcomer

MODES = tuple(mode.value for mode in Mode)


def simulation(options: Options) -> Sequence[Plugin]:
    """The rules, and the bots that fly where people do not."""
    return [authority, bots]


def resources(options: Options) -> Sequence[object]:
    """What a match depends on; nobody may be there at its start. Raises `AppError` if there are too few seats."""
    if options.humans + options.bots > tuning.MAX_SEATS:
        raise AppError(
            f"Ricochet has seats for 1 to {tuning.MAX_SEATS}, not for {options.humans + options.bots} "
            f"({options.humans} people and {options.bots} bots); change the number of bots"
        )
    return [
        PhysicsSettings(substeps=2),
        Arenas(list(load_arenas(options.arena))),
        BotSettings(level=options.level),
        Match(people=options.humans, bots=options.bots, mode=Mode(options.mode or MODES[0]), name=options.name),
    ]


def view(options: Options) -> Sequence[Plugin]:
    """What draws and sounds."""
    from games.ricochet.presentation import presentation

    return [presentation]


def pilot(options: Options) -> Sequence[Plugin]:
    """What turns keys, mouse and pads into `Fly`, Enter into talk, and Esc into a pause."""
    from games.ricochet.presentation.menus import connection, pausing
    from games.ricochet.presentation.pilot import pilot

    return [pilot, connection, pausing(options)]


def opening(app: App, options: Options) -> Scene:
    """The menu, over a match of bots."""
    from games.ricochet.presentation.menus import opening

    return opening(app, options)


def standings(world: World) -> list[Standing]:
    """The score table."""
    return [Standing(player.name, _columns(score)) for player, score in ranking(world)]


def _columns(score: Score) -> tuple[str, ...]:
    return tuple(str(value) for value in (score.points, score.kills, score.ricochets, score.deaths, score.suicides))


def status(world: World) -> str:
    """For example: Crossfire · round 1 · 1:23 left."""
    match = world.resource(Match)
    name = world.resource(Arenas)[match.arena].name
    seconds = int(match.left + 0.999)
    time = {
        Part.COUNTDOWN: f"starts in {seconds}",
        Part.PLAY: f"{seconds // 60}:{seconds % 60:02d} left",
        Part.PODIUM: "over",
    }[match.part]
    parts = [name, f"round {match.round}", time]
    if match.mode is Mode.TEAMS:
        points = team_points(world)
        parts.append(f"A {points[Team.A]} : {points[Team.B]} B")
    return " · ".join(parts)


# With others, over a network


def prediction(options: Options) -> Sequence[Plugin]:
    """What a client simulates ahead of its server."""
    return [rules]


def told_elsewhere(options: Options) -> Sequence[object]:
    """What a client's worlds have from the start; the server tells what the match and the roster hold."""
    return [PhysicsSettings(substeps=2), Arenas(list(load_arenas())), Match(), Roster()]


def seated(world: World, player: int) -> None:
    """A client learns which seat is its own, if any."""
    from games.ricochet.presentation.viewer import be_seated

    be_seated(world, player if player != SPECTATOR else None)


def between_rounds(world: World) -> bool:
    """Whether nothing is at stake at the moment."""
    return not world.resource(Match).playing


GAME = Game(
    name="ricochet",
    title="Ricochet",
    version=1,
    rules=simulation,
    resources=resources,
    view=view,
    pilot=pilot,
    opening=opening,
    levels=LEVELS,
    arenas=arena_keys(),
    modes=MODES,
    headings=("points", "kills", "ricochets", "deaths", "suicides"),
    standings=standings,
    status=status,
    journalled=(Joined, Left, WantedOn),
    multiplayer=Multiplayer(
        protocol=PROTOCOL,
        prediction=prediction,
        resources=told_elsewhere,
        seat=seat_for_newcomer,
        joined=Joined,
        left=Left,
        room=[room],
        seated=seated,
        may_close=between_rounds,
        save=save,
        load=load,
        autopilot=Autopilot(),
    ),
)
