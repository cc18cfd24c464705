"""The scoreboard, and the podium at the end of a round."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, pi

from engine.ecs import World
from engine.graphics import Canvas, Color
from games.ricochet.chat import Distances
from games.ricochet.components import Person, Player, Ready, Score, Team
from games.ricochet.match import Match, Mode
from games.ricochet.presentation.looks import BRIGHT, CALM, DANGER, GOLD, TEAM_COLORS, TEAM_IMAGES, color_of, shape_of
from games.ricochet.presentation.viewer import Viewer
from games.ricochet.scoring import ranking, team_points, winning_team
from games.ricochet.seats import player_in

Line = tuple[Player, Score]

BOARD = 0x070B14E6
MOST_IN_ONE = 14
"""More lines than this stand in two columns, like the sides of a team match."""
ONE, TWO = 700.0, 1190.0
"""Widths of the board."""
HEAD, STEP, GAP = 46.0, 27.0, 28.0
Columns = tuple[tuple[str, float], ...]
COLUMNS: Columns = (("POINTS", 0.53), ("KILLS", 0.65), ("BANKS", 0.77), ("DEATHS", 0.89), ("OWN", 0.98))
"""What is counted, and where its column ends as a share of the width."""
FAR_COLUMNS: Columns = (
    *(("POINTS", 0.50), ("KILLS", 0.60), ("BANKS", 0.70), ("DEATHS", 0.81), ("OWN", 0.885)),
    ("PING", 0.98),
)
"""The same among people who play over a network."""
LAGGING = 150
"""Milliseconds from which a ping is pointed out."""


def scoreboard(world: World, canvas: Canvas, top: float, bottom: float) -> None:
    """Everyone, best first, between two heights of the screen."""
    lines = list(enumerate(ranking(world), 1))
    teams = world.resource(Match).mode is Mode.TEAMS
    if teams:
        parts = [[line for line in lines if line[1][0].team == team] for team in (Team.A, Team.B)]
    elif len(lines) > MOST_IN_ONE:
        half = (len(lines) + 1) // 2
        parts = [lines[:half], lines[half:]]
    else:
        parts = [lines]
    rows = max(map(len, parts))
    step = min(STEP, (bottom - top - HEAD - 12.0) / max(1, rows))
    width = ONE if len(parts) == 1 else TWO
    left = (canvas.width - width) / 2
    height = HEAD + 12.0 + step * rows
    canvas.rect(left, top, width, height, fill=BOARD, color=CALM.fade(0.5), line=1.5, radius=14)
    each = (width - 16.0 - GAP * (len(parts) - 1)) / len(parts)
    points = team_points(world)
    for number, part in enumerate(parts):
        x = left + 8.0 + (each + GAP) * number
        _head(canvas, x, top, each, _columns(world), (Team.A, Team.B)[number] if teams else Team.NONE, points)
        _lines(world, canvas, part, x, top + HEAD, each, step)


def _pings(world: World) -> dict[int, int]:
    distances = world.find_resource(Distances)
    return distances.by_seat if distances is not None else {}


def _columns(world: World) -> Columns:
    return FAR_COLUMNS if _pings(world) else COLUMNS


def _head(
    canvas: Canvas, x: float, top: float, width: float, columns: Columns, team: Team, points: dict[Team, int]
) -> None:
    if team is not Team.NONE:
        color = TEAM_COLORS[team]
        canvas.sprite(TEAM_IMAGES[team], x + 30, top + 24, scale=0.3, tint=color)
        canvas.text(f"TEAM {team.name}   {points[team]}", x + 52, top + 14, size=24, color=color)
    for name, share in columns:
        canvas.text(name, x + width * share, top + 19, size=15, color=CALM, align="right")


def _lines(
    world: World, canvas: Canvas, lines: Sequence[tuple[int, Line]], x: float, y: float, width: float, step: float
) -> None:
    own = world.resource(Viewer).watched
    people = {player.seat for player in world.rows(Player, having=(Person,))}
    ready = {player.seat for player in world.rows(Player, having=(Ready,))}
    pings, columns = _pings(world), _columns(world)
    size = round(min(21.0, step * 0.82))
    for place, (player, score) in lines:
        color = color_of(player.seat, player.team)
        mine = player.seat == own
        if mine:
            canvas.rect(x + 2, y - 1, width - 4, step, fill=color.fade(0.18), radius=6)
        middle = y + step / 2 - 1
        text = middle - size * 0.34
        canvas.text(f"{place}", x + 34, text, size=size, color=CALM, align="right")
        image = f"sprites/ships/{shape_of(player.seat)}.png"
        canvas.sprite(image, x + 56, middle, scale=round(0.017 * size, 2), tint=color)
        canvas.text(player.name, x + 78, text, size=size, color=BRIGHT if mine else color)
        if player.seat not in people:
            after = canvas.measure(player.name, size=size)[0] + 86
            canvas.text("bot", x + after, text + size * 0.12, size=size * 0.8, color=CALM.fade(0.55))
        elif player.seat in ready:
            after = canvas.measure(player.name, size=size)[0] + 90
            tick = ((x + after, middle), (x + after + 4, middle + 5), (x + after + 12, middle - 6))
            canvas.polyline(tick, GOLD, width=2.5)
        values = (score.points, score.kills, score.ricochets, score.deaths, score.suicides)
        for value, (_, share) in zip(values, columns, strict=False):
            color = BRIGHT if mine or share == columns[0][1] else CALM
            canvas.text(str(value), x + width * share, text, size=size, color=color, align="right")
        if player.seat in pings:
            ping = pings[player.seat]
            color = DANGER if ping >= LAGGING else CALM
            canvas.text(str(ping), x + width * columns[-1][1], text, size=size, color=color, align="right")
        y += step


def podium(world: World, canvas: Canvas) -> None:
    """The first three on their steps, everyone below."""
    match, lines = world.resource(Match), ranking(world)
    middle = canvas.width / 2
    title, color = _title(world, match, lines)
    canvas.rect(0, 0, canvas.width, canvas.height, fill=0x04060CB4)
    canvas.text(title, middle, 16, size=64, color=color, align="center", glow=14)
    left, top = middle - 280, 92.0
    canvas.sprite("sprites/podium.png", middle, top + 120)
    for place, (x, y) in enumerate(((280, 60), (115, 106), (445, 140))):
        if place < len(lines):
            _stand(canvas, *lines[place], left + x, top + y)
    scoreboard(world, canvas, top + 246, canvas.height - 42)
    canvas.text(_hint(world, match), middle, canvas.height - 30, size=22, color=CALM, align="center")


def _hint(world: World, match: Match) -> str:
    """How long it takes, and how to go on at once."""
    seat, hint = world.resource(Viewer).seat, f"next arena in {ceil(match.left)}"
    people, ready = world.count(Person), world.count(Ready)
    if ready and people > 1:
        hint += f"     {ready} of {people} want to go on"
    player = player_in(world, seat) if seat is not None else None
    if player is not None and Person in player and Ready not in player:
        hint += "     dash to go on"
    return hint


def _title(world: World, match: Match, lines: Sequence[Line]) -> tuple[str, Color]:
    if match.mode is Mode.TEAMS:
        team = winning_team(world)
        return ("DRAW", BRIGHT) if team is Team.NONE else (f"TEAM {team.name} WINS", TEAM_COLORS[team])
    if lines and lines[0][0].seat == world.resource(Viewer).seat:
        return "YOU WIN", GOLD
    return (f"{lines[0][0].name} wins".upper(), GOLD) if lines else ("OVER", GOLD)


def _stand(canvas: Canvas, player: Player, score: Score, x: float, y: float) -> None:
    color = color_of(player.seat, player.team)
    image = f"sprites/ships/{shape_of(player.seat)}"
    canvas.sprite(f"{image}.png", x, y - 26, scale=1.1, tint=color, angle=-pi / 2)
    canvas.sprite(f"{image}_core.png", x, y - 26, scale=1.1, angle=-pi / 2)
    canvas.text(f"{player.name}  {score.points}", x, y + 24, size=23, color=BRIGHT, align="center")
