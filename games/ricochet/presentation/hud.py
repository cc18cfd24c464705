"""The head-up display: clock, own state, kill feed, messages, scoreboard and podium."""

from __future__ import annotations

from collections import deque
from dataclasses import field
from math import atan2, ceil, cos, pi, sin

from engine.app import Frame, Plugin, SceneCovered, SceneUncovered, Time
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
    TEAM_IMAGES,
    color_of,
    shape_of,
)
from games.ricochet.presentation.scoreboard import podium, scoreboard
from games.ricochet.presentation.viewer import Viewer
from games.ricochet.scoring import ranking, team_points
from games.ricochet.seats import player_in, ship_of

hud = Plugin("ricochet.presentation.hud")

FADE_STEPS = 6
"""A text is drawn anew for each strength, so it fades in few steps."""
FEED_SECONDS = 6.0
FEED_LINES = 5
EDGE_RINGS, EDGE_STEP = 14, 4.0
STAGE_SECONDS, STAGE_BAR = 1.5, 66.0
STATE_WIDTH, STATE_HEIGHT = 480.0, 66.0
EDGE = 38.0
"""From the screen's edge to who is pointed at from there."""
FARTHEST = 1300.0
"""Units beyond which nobody is pointed at."""
TURN = pi / 8
PANEL = 0x070B14C8
"""The dark glass behind text."""


class Feed(Resource, local=True):
    """What the display tells besides the state of the match."""

    lines: deque[tuple[float, Killed]] = field(default_factory=lambda: deque[tuple[float, Killed]](maxlen=FEED_LINES))
    """The kills, newest first, with the simulated time of each."""
    message: str = ""
    message_until: float = 0.0
    """Simulated time."""
    staged: float = STAGE_SECONDS
    """Real seconds since one's own third-bounce kill: the world itself nearly stands still then."""
    scoreboard: bool = False
    """Whether the player holds the scoreboard open."""
    crosshair: tuple[float, float] | None = None
    """Where the pointer is on the virtual screen, if someone aims here."""
    covered: bool = False
    """Whether a menu lies over the match."""

    def board_shown(self, world: World) -> bool:
        """Whether the middle of the screen is taken by the scores."""
        return self.scoreboard or world.resource(Match).part is Part.PODIUM


@hud.setup
def prepare(world: World) -> None:
    world.insert(Feed())


@hud.on(Killed)
def note(world: World, killed: Killed) -> None:
    feed = world.resource(Feed)
    feed.lines.appendleft((world.resource(Time).seconds, killed))
    if killed.credited and killed.bounces >= 3 and killed.by == world.resource(Viewer).seat:
        feed.staged = 0.0


@hud.on(RoundStarted)
def go(world: World, started: RoundStarted) -> None:
    feed = world.resource(Feed)
    feed.message, feed.message_until = "GO!", world.resource(Time).seconds + 0.9


@hud.on(Frame)
def age(world: World, frame: Frame) -> None:
    world.resource(Feed).staged += frame.dt


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
    if not match.arena:  # a guest has not been told yet
        return
    if match.part is Part.PODIUM:
        podium(world, canvas)
        return
    _arrows(world, canvas, viewer)
    _stage(canvas, world.resource(Feed).staged)
    _clock(world, canvas, match)
    _watched(world, canvas, viewer)
    if world.resource(Feed).scoreboard:
        scoreboard(world, canvas, 76.0, canvas.height - 90.0)
    else:
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
    _crosshair(world, canvas)


# Top


def _clock(world: World, canvas: Canvas, match: Match) -> None:
    middle = canvas.width / 2
    seconds = ceil(match.left) if match.playing else int(match.round_time)
    urgent = match.playing and seconds <= 10
    half = 190.0 if match.mode is Mode.TEAMS else 78.0
    canvas.rect(middle - half, 10, 2 * half, 46, fill=PANEL, radius=10)
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
            beyond = canvas.measure(str(points[team]), size=34)[0] + 24
            at = x - beyond if side == "right" else x + beyond
            canvas.sprite(TEAM_IMAGES[team], at, 32, scale=0.34, tint=TEAM_COLORS[team])


def _watched(world: World, canvas: Canvas, viewer: Viewer) -> None:
    """For a spectator: with whom the camera is."""
    player = player_in(world, viewer.watched) if viewer.seat is None else None
    if player is not None:
        color = color_of(viewer.watched, player[Player].team)
        canvas.text(f"watching {player[Player].name}", canvas.width / 2, 62, size=20, color=color, align="center")


def _standing(world: World, canvas: Canvas, viewer: Viewer) -> None:
    """The first three and oneself."""
    lines = ranking(world)
    shown = list(enumerate(lines[:3], 1))
    mine = next(((n, line) for n, line in enumerate(lines, 1) if line[0].seat == viewer.watched), None)
    if mine is not None and mine[0] > 3:
        shown.append(mine)
    canvas.rect(14, 10, 232, 12 + 26 * len(shown), fill=PANEL, radius=10)
    for row, (place, (player, score)) in enumerate(shown):
        y = 17 + 26 * row
        own = player.seat == viewer.watched
        color = color_of(player.seat, player.team)
        canvas.text(f"{place}", 26, y, size=21, color=CALM)
        canvas.sprite(f"sprites/ships/{shape_of(player.seat)}.png", 62, y + 8, scale=0.34, tint=color)
        canvas.text(player.name, 84, y, size=21, color=BRIGHT if own else color)
        canvas.text(f"{score.points}", 234, y, size=21, color=BRIGHT if own else CALM, align="right")


def _feed(world: World, canvas: Canvas) -> None:
    """Who got whom; a chevron for each bounce the disc had made."""
    right, now = canvas.width - 24, world.resource(Time).seconds
    for row, (born, killed) in enumerate(world.resource(Feed).lines):
        left_to_show = born + FEED_SECONDS - now
        if left_to_show <= 0:
            break
        fade = ceil(FADE_STEPS * min(1.0, left_to_show / 0.8)) / FADE_STEPS
        y = 16 + row * 30
        killer, victim = "" if killed.by == killed.seat else _name(world, killed.by), _name(world, killed.seat)
        how = _how(killed)
        rings = killed.bounces if not how else 0
        middle = canvas.measure(how, size=18)[0] if how else 16.0 + 12.0 * rings
        victim_x = right - canvas.measure(victim, size=21)[0]
        middle_x = victim_x - 12 - middle
        left = middle_x - 12 - canvas.measure(killer, size=21)[0] if killer else middle_x
        canvas.rect(left - 10, y - 5, right - left + 20, 26, fill=PANEL & 0xFFFFFF00 | round(0xB0 * fade), radius=8)
        if killer:
            canvas.text(killer, left, y, size=21, color=color_in(world, killed.by).fade(fade))
        canvas.text(victim, victim_x, y, size=21, color=color_in(world, killed.seat).fade(fade))
        color = (GOLD if rings >= 3 else CALM).fade(fade)
        if how:
            canvas.text(how, middle_x, y + 1, size=18, color=color)
        else:
            canvas.circle(middle_x + 8, y + 8, 5, fill=color, width=0)
            for ring in range(rings):
                x = middle_x + 12 + 12 * ring
                canvas.polyline(((x + 2, y + 3), (x + 7, y + 8), (x + 2, y + 13)), color, width=2)


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
    """Hull and shield on the left, discs in the middle, dash on the right. Nobody sees the discs of another."""
    hull, magazine, dash, shield = ship[Hull], ship.get(Magazine), ship[Dash], ship[Shield]
    color = color_of(ship[Ship].seat, ship[Ship].team)
    middle, bottom = canvas.width / 2, canvas.height - 14
    left, right = middle - STATE_WIDTH / 2 + 18, middle + STATE_WIDTH / 2 - 18
    canvas.rect(left - 18, bottom - STATE_HEIGHT, STATE_WIDTH, STATE_HEIGHT, fill=PANEL, radius=12)
    share, low = hull.points / tuning.HULL, hull.points <= tuning.DIRECT_DAMAGE
    canvas.text("HULL", left, bottom - 57, size=17, color=DANGER if low else CALM)
    canvas.text(f"{ceil(hull.points)}", left + 150, bottom - 58, size=20, color=BRIGHT, align="right")
    canvas.bar(left, bottom - 41, 150, 10, share, DANGER if low else color, radius=4)
    canvas.text("SHIELD", left, bottom - 22, size=17, color=CALM)
    energy = shield.energy / tuning.SHIELD_ENERGY
    usable = shield.raised or shield.energy >= tuning.SHIELD_MINIMUM
    canvas.bar(left + 62, bottom - 20, 88, 8, energy, BRIGHT if usable else CALM.fade(0.6), radius=3)
    if magazine is not None:
        for slot in range(tuning.MAGAZINE):
            _slot(canvas, middle + (slot - (tuning.MAGAZINE - 1) / 2) * 36, bottom - 33, magazine, slot, color)
    x, ready = right - 150, dash.cooldown <= 0
    canvas.text("DASH", x, bottom - 57, size=17, color=BRIGHT if ready else CALM)
    if ready:
        canvas.text("ready", right, bottom - 57, size=17, color=color, align="right")
    longest = tuning.PHASE_COOLDOWN if dash.phasing else tuning.DASH_COOLDOWN
    share = 1.0 - min(1.0, dash.cooldown / longest)
    canvas.bar(x, bottom - 41, 150, 10, share, color if ready else CALM, radius=4)


def _slot(canvas: Canvas, x: float, y: float, magazine: Magazine, slot: int, color: Color) -> None:
    """A disc at hand, or one that is on its way back."""
    if slot < magazine.discs:
        canvas.circle(x, y, 12, fill=color.fade(0.35), color=color, width=2.5, glow=5)
        return
    canvas.circle(x, y, 12, color=CALM.fade(0.35), width=2.5)
    if slot == magazine.discs:
        done = round((1.0 - magazine.refill / tuning.REFILL) * 24) / 24
        canvas.arc(x, y, 12, -pi / 2, -pi / 2 + 2 * pi * max(0.02, done), color, width=3)


def _boosts(canvas: Canvas, ship: Entity) -> None:
    boosts = ship[Boosts]
    active: list[tuple[Pickup, str]] = []
    if boosts.triple:
        active.append((Pickup.TRIPLE, f"×{boosts.triple}"))
    if boosts.overcharge > 0:
        active.append((Pickup.OVERCHARGE, f"{boosts.overcharge:.0f} s"))
    if boosts.phases:
        active.append((Pickup.DASH, f"×{boosts.phases}"))
    x = canvas.width / 2 - 95 * (len(active) - 1)
    for kind, amount in active:
        canvas.text(
            f"{PICKUP_NAMES[kind]} {amount}",
            x,
            canvas.height - 106,
            size=21,
            color=PICKUP_COLORS[kind],
            align="center",
            glow=6,
        )
        x += 190


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
    """Who is near but out of sight is pointed at from the edge, and the nearest however far, so nobody must search."""
    camera = world.resource(Camera)
    middle_x, middle_y = canvas.width / 2, canvas.height / 2
    others = [(camera.distance(at.x, at.y), at, ship) for at, ship in world.rows(Transform, Ship)]
    others = [other for other in others if other[2].seat != viewer.watched]
    hidden = [other for other in others if not camera.sees(other[1].x, other[1].y, -10)]
    nearest = min((distance for distance, _, _ in hidden), default=0.0)
    for distance, at, ship in hidden:
        if distance > max(FARTHEST, nearest):
            continue
        x, y = camera.world_to_screen(at.x, at.y)
        angle = round(atan2(y - middle_y, x - middle_x) / TURN) * TURN
        edge_x = min(max(x, EDGE), canvas.width - EDGE)
        edge_y = min(max(y, EDGE), canvas.height - EDGE)
        if abs(edge_x - middle_x) < STATE_WIDTH / 2 + EDGE:  # not under the state
            edge_y = min(edge_y, canvas.height - STATE_HEIGHT - 14 - EDGE)
        near = ceil(3 * max(0.0, 1.0 - distance / FARTHEST)) / 3
        color = color_of(ship.seat, ship.team).fade(0.25 + 0.7 * near)
        canvas.sprite(f"sprites/ships/{shape_of(ship.seat)}.png", edge_x, edge_y, scale=0.34, tint=color)
        tip_x, tip_y = round(edge_x + 22 * cos(angle)), round(edge_y + 22 * sin(angle))
        wings = [(tip_x + 7 * cos(angle + side), tip_y + 7 * sin(angle + side)) for side in (2.4, -2.4)]
        canvas.polyline((wings[0], (tip_x, tip_y), wings[1]), color, width=2)


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
    left = feed.message_until - world.resource(Time).seconds
    if left > 0:
        fade = ceil(FADE_STEPS * min(1.0, left / 0.4)) / FADE_STEPS
        canvas.text(feed.message, canvas.width / 2, 220, size=110, color=GOLD.fade(fade), align="center", glow=18)


def _stage(canvas: Canvas, seconds: float) -> None:
    """One's own kill off the third bounce: the screen narrows, and the game says its name."""
    if seconds >= STAGE_SECONDS:
        return
    come, go = min(1.0, seconds / 0.12), min(1.0, (STAGE_SECONDS - seconds) / 0.35)
    height = round(STAGE_BAR * min(come, go))
    canvas.rect(0, 0, canvas.width, height, fill=0x02030AE0)
    canvas.rect(0, canvas.height - height, canvas.width, height, fill=0x02030AE0)
    canvas.rect(0, height, canvas.width, 2, fill=GOLD)
    canvas.rect(0, canvas.height - height - 2, canvas.width, 2, fill=GOLD)
    color = GOLD.fade(ceil(FADE_STEPS * min(come, go)) / FADE_STEPS)
    canvas.text("RICOCHET!", canvas.width / 2, canvas.height - 190, size=96, color=color, align="center", glow=18)


def _crosshair(world: World, canvas: Canvas) -> None:
    point = world.resource(Feed).crosshair
    viewer = world.resource(Viewer)
    if point is None or viewer.seat is None:
        return
    ship = ship_of(world, viewer.seat)
    loaded = ship is not None and Magazine in ship and ship[Magazine].discs > 0
    color: Color = color_in(world, viewer.seat) if loaded else CALM
    canvas.sprite("sprites/crosshair.png", *point, tint=color, opacity=1.0 if loaded else 0.6)
