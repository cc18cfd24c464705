"""The head-up display: clock, own state, kill feed, messages, scoreboard and podium."""

from __future__ import annotations

from collections import deque
from dataclasses import field
from math import ceil, pi, sin

from engine.app import Frame, Plugin, SceneCovered, SceneUncovered
from engine.ecs import Entity, Resource, World
from engine.graphics import Camera, Canvas, Color, DrawOverlay
from engine.scene import Transform
from games.ricochet import tuning
from games.ricochet.arena import Arenas
from games.ricochet.components import (
    NOBODY,
    Boosts,
    Dash,
    Hull,
    Magazine,
    Person,
    Pickup,
    Player,
    Shield,
    Ship,
    Team,
)
from games.ricochet.events import Cause, Killed, RoundStarted
from games.ricochet.match import Match, Mode, Part
from games.ricochet.presentation.effects import color_in
from games.ricochet.presentation.looks import (
    BRIGHT,
    CALM,
    DANGER,
    GOLD,
    PICKUP_COLORS,
    PICKUP_NAMES,
    TEAM_COLORS,
    color_of,
    shape_of,
)
from games.ricochet.presentation.viewer import Viewer
from games.ricochet.scoring import ranking, team_points
from games.ricochet.seats import player_in, ship_of

hud = Plugin("ricochet.presentation.hud")

FEED_SECONDS = 6.0
FEED_LINES = 5
EDGE_RINGS, EDGE_STEP = 14, 4.0
PANEL = 0x070B14C8
"""The dark glass behind text."""


class Feed(Resource, local=True):
    """The kill feed and the big message, with the seconds they have been shown."""

    lines: deque[tuple[float, Killed]] = field(default_factory=lambda: deque[tuple[float, Killed]](maxlen=FEED_LINES))
    message: str = ""
    message_left: float = 0.0
    scoreboard: bool = False
    """Whether the player holds the scoreboard open."""
    crosshair: tuple[float, float] | None = None
    """Where the pointer is on the virtual screen, if someone aims here."""
    covered: bool = False
    """Whether a menu lies over the match."""


@hud.setup
def prepare(world: World) -> None:
    world.insert(Feed())


@hud.on(Killed)
def note(world: World, killed: Killed) -> None:
    world.resource(Feed).lines.appendleft((0.0, killed))


@hud.on(RoundStarted)
def go(world: World, started: RoundStarted) -> None:
    feed = world.resource(Feed)
    feed.message, feed.message_left = "GO!", 0.9


@hud.on(Frame)
def age(world: World, frame: Frame) -> None:
    feed = world.resource(Feed)
    feed.message_left = max(0.0, feed.message_left - frame.dt)
    aged = [(seconds + frame.dt, killed) for seconds, killed in feed.lines if seconds + frame.dt < FEED_SECONDS]
    feed.lines.clear()
    feed.lines.extend(aged)


@hud.on(SceneCovered)
def clear_the_view(world: World, event: SceneCovered) -> None:
    world.resource(Feed).covered = True


@hud.on(SceneUncovered)
def come_back(world: World, event: SceneUncovered) -> None:
    world.resource(Feed).covered = False


@hud.on(DrawOverlay)
def draw(world: World, overlay: DrawOverlay) -> None:
    """Everything over the arena, furthest back first."""
    if world.resource(Feed).covered:
        return
    canvas = overlay.canvas
    match = world.resource(Match)
    viewer = world.resource(Viewer)
    ship = ship_of(world, viewer.watched)
    _arrows(world, canvas, viewer)
    _clock(world, canvas, match)
    _standing(world, canvas, viewer)
    _feed(world, canvas)
    if ship is not None and ship.alive and Hull in ship:
        _state(canvas, ship)
        _boosts(canvas, ship)
        _edge_warning(canvas, ship, overlay.frame.time)
    elif viewer.seat is not None and match.playing:
        _waiting(world, canvas, viewer.seat)
    if match.part is Part.COUNTDOWN:
        _countdown(world, canvas, match)
    _message(world, canvas)
    if match.part is Part.PODIUM:
        _podium(world, canvas)
    elif world.resource(Feed).scoreboard:
        scoreboard(world, canvas, 150.0)
    _crosshair(world, canvas)


# Top


def _clock(world: World, canvas: Canvas, match: Match) -> None:
    middle = canvas.width / 2
    seconds = ceil(match.left) if match.playing else (0 if match.part is Part.PODIUM else int(match.round_time))
    urgent = match.playing and seconds <= 10
    canvas.rect(middle - 78, 10, 156, 46, fill=PANEL, radius=10)
    canvas.text(
        f"{seconds // 60}:{seconds % 60:02d}",
        middle,
        15,
        size=34,
        color=DANGER if urgent else BRIGHT,
        align="center",
    )
    if match.mode is Mode.TEAMS:
        points = team_points(world)
        for side, team, x in (("right", Team.A, middle - 92), ("left", Team.B, middle + 92)):
            align = "right" if side == "right" else "left"
            canvas.text(str(points[team]), x, 15, size=34, color=TEAM_COLORS[team], align=align, glow=6)


def _standing(world: World, canvas: Canvas, viewer: Viewer) -> None:
    """The first three and oneself."""
    lines = ranking(world)
    shown = list(enumerate(lines[:3], 1))
    mine = next(((n, line) for n, line in enumerate(lines, 1) if line[0].seat == viewer.watched), None)
    if mine is not None and mine[0] > 3:
        shown.append(mine)
    canvas.rect(14, 10, 218, 12 + 24 * len(shown), fill=PANEL, radius=10)
    for row, (place, (player, score)) in enumerate(shown):
        y = 16 + 24 * row
        own = player.seat == viewer.watched
        color = color_of(player.seat, player.team)
        canvas.text(f"{place}", 26, y, size=17, color=CALM)
        canvas.sprite(f"sprites/ships/{shape_of(player.seat)}.png", 58, y + 10, scale=0.34, tint=color)
        canvas.text(player.name, 78, y, size=17, color=BRIGHT if own else color)
        canvas.text(f"{score.points}", 220, y, size=17, color=BRIGHT if own else CALM, align="right")


def _feed(world: World, canvas: Canvas) -> None:
    """Who got whom; a ring for each bounce the disc had made."""
    right = canvas.width - 18
    for row, (seconds, killed) in enumerate(world.resource(Feed).lines):
        fade = min(1.0, (FEED_SECONDS - seconds) / 0.8)
        y = 14 + row * 28
        killer, victim = "" if killed.by == killed.seat else _name(world, killed.by), _name(world, killed.seat)
        how = _how(killed)
        rings = killed.bounces if not how else 0
        middle = canvas.measure(how, size=15)[0] if how else 16.0 + 12.0 * rings
        victim_x = right - canvas.measure(victim, size=17)[0]
        middle_x = victim_x - 10 - middle
        left = middle_x - 10 - canvas.measure(killer, size=17)[0] if killer else middle_x
        canvas.rect(left - 10, y - 3, right - left + 20, 26, fill=PANEL & 0xFFFFFF00 | round(0xB0 * fade), radius=8)
        if killer:
            canvas.text(killer, left, y, size=17, color=color_in(world, killed.by).fade(fade))
        canvas.text(victim, victim_x, y, size=17, color=color_in(world, killed.seat).fade(fade))
        color = (GOLD if rings >= 3 else CALM).fade(fade)
        if how:
            canvas.text(how, middle_x, y + 1, size=15, color=color)
        else:
            canvas.circle(middle_x + 8, y + 10, 5, fill=color, width=0)
            for ring in range(rings):
                x = middle_x + 12 + 12 * ring
                canvas.polyline(((x + 2, y + 5), (x + 7, y + 10), (x + 2, y + 15)), color, width=2)


def _how(killed: Killed) -> str:
    """In words, unless it was a disc of someone else's."""
    if killed.cause is Cause.BALL:
        return "crushed" if killed.by in (NOBODY, killed.seat) else "rolled over"
    return "own disc" if killed.by == killed.seat else ""


def _name(world: World, seat: int) -> str:
    player = player_in(world, seat)
    return player[Player].name if player is not None else "?"


# Bottom: the watched ship


def _state(canvas: Canvas, ship: Entity) -> None:
    hull, magazine, dash, shield = ship[Hull], ship[Magazine], ship[Dash], ship[Shield]
    color = color_of(ship[Ship].seat, ship[Ship].team)
    middle, bottom = canvas.width / 2, canvas.height - 16
    left = middle - 190
    canvas.rect(left - 16, bottom - 62, 412, 62, fill=PANEL, radius=12)
    share = hull.points / tuning.HULL
    canvas.text("HULL", left, bottom - 56, size=12, color=CALM)
    canvas.bar(left, bottom - 40, 120, 12, share, DANGER if share <= 0.55 else color, radius=4)
    canvas.text(f"{ceil(hull.points)}", left + 120, bottom - 57, size=13, color=BRIGHT, align="right")
    canvas.text("SHIELD", left, bottom - 24, size=12, color=CALM)
    canvas.bar(left + 52, bottom - 20, 68, 8, shield.energy / tuning.SHIELD_ENERGY, BRIGHT, radius=3)
    for slot in range(tuning.MAGAZINE):
        x = middle - 22 + slot * 34 - 12
        ready = slot < magazine.discs
        canvas.circle(
            x,
            bottom - 31,
            11,
            fill=color.fade(0.35) if ready else None,
            color=color if ready else CALM.fade(0.4),
            width=2.5,
        )
        if slot == magazine.discs:
            done = 1.0 - magazine.refill / tuning.REFILL
            canvas.arc(x, bottom - 31, 11, -pi / 2, -pi / 2 + 2 * pi * max(0.02, done), color, width=3)
    x = left + 260
    ready = dash.cooldown <= 0
    canvas.text("DASH", x, bottom - 56, size=12, color=BRIGHT if ready else CALM)
    longest = tuning.DASH_COOLDOWN
    canvas.bar(x, bottom - 40, 120, 12, 1.0 - dash.cooldown / longest, color if ready else CALM, radius=4)


def _boosts(canvas: Canvas, ship: Entity) -> None:
    boosts = ship[Boosts]
    active: list[tuple[Pickup, str]] = []
    if boosts.triple:
        active.append((Pickup.TRIPLE, f"×{boosts.triple}"))
    if boosts.overcharge > 0:
        active.append((Pickup.OVERCHARGE, f"{boosts.overcharge:.0f} s"))
    if boosts.phases:
        active.append((Pickup.DASH, f"×{boosts.phases}"))
    x = canvas.width / 2 - 85 * (len(active) - 1)
    for kind, amount in active:
        canvas.text(
            f"{PICKUP_NAMES[kind]} {amount}",
            x,
            canvas.height - 104,
            size=17,
            color=PICKUP_COLORS[kind],
            align="center",
            glow=6,
        )
        x += 170


def _edge_warning(canvas: Canvas, ship: Entity, time: float) -> None:
    """A red breath at the edge of the screen when one more hit is the last."""
    if ship[Hull].points > tuning.DIRECT_DAMAGE:
        return
    strength = 0.2 + 0.08 * sin(time * 6.0)
    width, height = canvas.width, canvas.height
    for ring in range(EDGE_RINGS):  # light that falls off inwards, in steps too small to see
        color = DANGER.fade(strength * (1.0 - ring / EDGE_RINGS) ** 2)
        out, thick = ring * EDGE_STEP, EDGE_STEP
        canvas.rect(out, out, width - 2 * out, thick, fill=color)
        canvas.rect(out, height - out - thick, width - 2 * out, thick, fill=color)
        canvas.rect(out, out + thick, thick, height - 2 * (out + thick), fill=color)
        canvas.rect(width - out - thick, out + thick, thick, height - 2 * (out + thick), fill=color)


def _waiting(world: World, canvas: Canvas, seat: int) -> None:
    player = player_in(world, seat)
    if player is not None:
        seconds = ceil(player[Player].respawn)
        text = f"back in {seconds}" if seconds else "ready"
        canvas.text(text, canvas.width / 2, canvas.height - 90, size=30, color=BRIGHT, align="center", glow=8)


def _arrows(world: World, canvas: Canvas, viewer: Viewer) -> None:
    """Who is near but out of sight is pointed at from the edge."""
    camera = world.resource(Camera)
    for at, ship in world.rows(Transform, Ship):
        if ship.seat == viewer.watched or camera.sees(at.x, at.y, -10):
            continue
        distance = camera.distance(at.x, at.y)
        if distance > 1300:
            continue
        x, y = camera.world_to_screen(at.x, at.y)
        edge_x = min(max(x, 26.0), canvas.width - 26)
        edge_y = min(max(y, 26.0), canvas.height - 26)
        color = color_of(ship.seat, ship.team).fade(0.9 - 0.6 * distance / 1300)
        canvas.sprite(
            f"sprites/ships/{shape_of(ship.seat)}.png", edge_x, edge_y, scale=0.36, tint=color, angle=at.angle
        )


# Middle


def _countdown(world: World, canvas: Canvas, match: Match) -> None:
    number = ceil(match.left)
    part = match.left - int(match.left)
    arena = world.resource(Arenas)[match.arena]
    middle = canvas.width / 2
    canvas.text(f"ROUND {match.round}", middle, 150, size=24, color=CALM, align="center")
    canvas.text(arena.name.upper(), middle, 178, size=44, color=BRIGHT, align="center", glow=10)
    canvas.text(str(number), middle, 250, size=90 + round(part * 4) * 10, color=GOLD, align="center", glow=16)


def _message(world: World, canvas: Canvas) -> None:
    feed = world.resource(Feed)
    if feed.message_left > 0:
        canvas.text(
            feed.message,
            canvas.width / 2,
            240,
            size=110,
            color=GOLD.fade(min(1.0, feed.message_left / 0.4)),
            align="center",
            glow=18,
        )


def scoreboard(world: World, canvas: Canvas, top: float) -> None:
    """Everyone, best first."""
    lines = ranking(world)
    size, step = (18, 26) if len(lines) <= 16 else (13, 17)
    width, height = 660.0, 54 + step * len(lines)
    left = (canvas.width - width) / 2
    canvas.rect(left, top, width, height, fill=0x070B14E6, color=CALM.fade(0.5), line=1.5, radius=14)
    columns = (("POINTS", 330), ("KILLS", 410), ("BANKS", 490), ("DEATHS", 570), ("OWN", 636))
    for name, x in columns:
        canvas.text(name, left + x, top + 14, size=13, color=CALM, align="right")
    own = world.resource(Viewer).watched
    people = {player.seat for player in world.rows(Player, having=(Person,))}
    for row, (player, score) in enumerate(lines):
        y = top + 40 + row * step
        color = color_of(player.seat, player.team)
        mine = player.seat == own
        if mine:
            canvas.rect(left + 8, y - 3, width - 16, step, fill=color.fade(0.16), radius=6)
        canvas.text(f"{row + 1}", left + 34, y, size=size, color=CALM, align="right")
        canvas.sprite(
            f"sprites/ships/{shape_of(player.seat)}.png", left + 58, y + size * 0.6, scale=0.02 * size, tint=color
        )
        name = player.name if player.seat in people else f"{player.name} ·"
        canvas.text(name, left + 82, y, size=size, color=BRIGHT if mine else color)
        values = (score.points, score.kills, score.ricochets, score.deaths, score.suicides)
        for value, (_, x) in zip(values, columns, strict=True):
            canvas.text(str(value), left + x, y, size=size, color=BRIGHT if mine else CALM, align="right")


def _podium(world: World, canvas: Canvas) -> None:
    """The first three on their steps, everyone below."""
    lines = ranking(world)
    middle = canvas.width / 2
    match = world.resource(Match)
    title = f"{lines[0][0].name} WINS" if lines else "OVER"
    if match.mode is Mode.TEAMS:
        points = team_points(world)
        ahead = max(points, key=lambda team: points[team])
        title = "DRAW" if points[Team.A] == points[Team.B] else f"TEAM {ahead.name} WINS"
    canvas.rect(0, 0, canvas.width, canvas.height, fill=0x04060CA8)
    canvas.text(title.upper(), middle, 26, size=54, color=GOLD, align="center", glow=14)
    left, top = middle - 280, 118.0
    canvas.sprite("sprites/podium.png", middle, top + 120)
    for place, (x, y) in enumerate(((280, 60), (115, 106), (445, 140))):
        if place < len(lines):
            player, score = lines[place]
            color = color_of(player.seat, player.team)
            image = f"sprites/ships/{shape_of(player.seat)}"
            canvas.sprite(f"{image}.png", left + x, top + y - 26, scale=1.1, tint=color, angle=-pi / 2)
            canvas.sprite(f"{image}_core.png", left + x, top + y - 26, scale=1.1, angle=-pi / 2)
            canvas.text(
                f"{player.name}  {score.points}",
                left + x,
                top + y + 26,
                size=19,
                color=BRIGHT,
                align="center",
            )
    scoreboard(world, canvas, top + 252)
    canvas.text(f"next arena in {ceil(match.left)}", middle, canvas.height - 34, size=18, color=CALM, align="center")


def _crosshair(world: World, canvas: Canvas) -> None:
    point = world.resource(Feed).crosshair
    viewer = world.resource(Viewer)
    if point is None or viewer.seat is None:
        return
    ship = ship_of(world, viewer.seat)
    loaded = ship is not None and Magazine in ship and ship[Magazine].discs > 0
    color: Color = color_in(world, viewer.seat) if loaded else CALM
    canvas.sprite("sprites/crosshair.png", *point, tint=color, opacity=1.0 if loaded else 0.6)
