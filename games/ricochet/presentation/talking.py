"""Talk on the screen: Enter opens a line, what was said stands at the left for a while."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil

from engine.app import Frame, Plugin, SceneCovered, SceneLeft, Time
from engine.ecs import Resource, World
from engine.graphics import Canvas, Color, DrawOverlay
from engine.input import Key, KeyPressed
from engine.sound import PlaySound
from engine.widgets import Anchor, TextField, Ui, widgets
from games.ricochet.components import NOBODY
from games.ricochet.events import SeatFreed, SeatTaken
from games.ricochet.messages import LONGEST_TALK, Chat
from games.ricochet.presentation.company import company, in_company, say
from games.ricochet.presentation.controls import RicochetControls, controls
from games.ricochet.presentation.effects import color_in
from games.ricochet.presentation.hud import FADE_STEPS, PANEL
from games.ricochet.presentation.looks import BRIGHT, CALM
from games.ricochet.presentation.viewer import Viewer

talking = Plugin("ricochet.presentation.talking", needs=[controls, widgets, company])

SECONDS = 9.0
"""How long a line stands."""
LINES = 7
WIDTH, SIZE, STEP = 372.0, 20.0, 24.0
LEFT, BOTTOM = 14.0, 74.0
"""Of the newest line, from the screen's edges."""


@dataclass(slots=True)
class Spoken:
    """A line on the screen."""

    name: str
    text: str
    color: Color
    left: float = SECONDS
    """Seconds until it is gone."""
    rows: list[str] = field(default_factory=list[str])
    """Broken to fit, once it has been drawn."""


class Talk(Resource, local=True):
    """What was said, newest last, and the line being written."""

    lines: deque[Spoken] = field(default_factory=lambda: deque[Spoken](maxlen=LINES))
    writing: TextField | None = None


@talking.setup
def prepare(world: World) -> None:
    world.insert(Talk())


@talking.on(KeyPressed)
def begin(world: World, pressed: KeyPressed) -> None:
    """Enter opens a line, where there is somebody to talk to."""
    talk, ui = world.resource(Talk), world.resource(Ui)
    if pressed.key not in (Key.ENTER, Key.KEYPAD_ENTER) or pressed.repeat or talk.writing or ui.took(pressed):
        return
    if not in_company(world):
        return
    line = TextField(limit=LONGEST_TALK, hint="say something", width=WIDTH, on_submit=lambda text: _send(world, text))
    line.anchor, line.margin = Anchor.BOTTOM_LEFT, LEFT
    talk.writing = line
    world.resource(RicochetControls).enabled = False
    ui.show(line, modal=False, on_cancel=lambda: _close(world))


def _send(world: World, text: str) -> None:
    say(world, text, world.resource(Viewer).seat)
    _close(world)


def _close(world: World) -> None:
    talk = world.resource(Talk)
    if talk.writing is not None:
        world.resource(Ui).hide(talk.writing)
        talk.writing = None
        world.resource(RicochetControls).enabled = True


def _interrupt(world: World, event: object) -> None:
    _close(world)


talking.on(SceneCovered)(_interrupt)
talking.on(SceneLeft)(_interrupt)


@talking.on(Chat)
def hear(world: World, chat: Chat) -> None:
    color = color_in(world, chat.seat) if chat.seat != NOBODY else CALM
    world.resource(Talk).lines.append(Spoken(f"{chat.name}: ", chat.text, color))
    world.post(PlaySound("ui_move", 0.7))


@talking.on(SeatTaken)
def welcome(world: World, taken: SeatTaken) -> None:
    if not in_company(world) or taken.seat == world.resource(Viewer).seat:
        return
    if taken.person:
        note(world, f"{taken.name} is here", color_in(world, taken.seat))
    elif world.resource(Time).tick > 1:  # not the bots that are there from the start
        note(world, f"{taken.name}, a bot, takes over", CALM)


@talking.on(SeatFreed)
def miss(world: World, freed: SeatFreed) -> None:
    if in_company(world):
        note(world, "someone has left", CALM)


def note(world: World, text: str, color: Color) -> None:
    """Tell the player something that nobody said."""
    world.resource(Talk).lines.append(Spoken("", text, color))


@talking.on(Frame)
def age(world: World, frame: Frame) -> None:
    for line in world.resource(Talk).lines:
        line.left -= frame.dt


@talking.on(DrawOverlay)
def draw(world: World, overlay: DrawOverlay) -> None:
    """Upwards from the newest; all of them while a line is being written."""
    canvas, talk = overlay.canvas, world.resource(Talk)
    y = canvas.height - BOTTOM
    for line in reversed(talk.lines):
        fade = 1.0 if talk.writing else ceil(FADE_STEPS * min(1.0, max(0.0, line.left) / 0.8)) / FADE_STEPS
        if fade <= 0:
            break
        line.rows = line.rows or _broken(canvas, line.name + line.text)
        y -= STEP * len(line.rows)
        _draw_line(canvas, line, y, fade)


def _draw_line(canvas: Canvas, line: Spoken, y: float, fade: float) -> None:
    wide = max(canvas.measure(row, size=SIZE)[0] for row in line.rows)
    back = PANEL & 0xFFFFFF00 | round(0xB0 * fade)
    canvas.rect(LEFT, y - 3, wide + 20, STEP * len(line.rows) - 2, fill=back, radius=7)
    for number, row in enumerate(line.rows):
        x = LEFT + 10
        if number == 0 and line.name and row.startswith(line.name):
            canvas.text(line.name, x, y, size=SIZE, color=line.color.fade(fade))
            x += canvas.measure(line.name, size=SIZE)[0]
            row = row[len(line.name) :]
        color = BRIGHT if line.name else line.color
        canvas.text(row, x, y + number * STEP, size=SIZE, color=color.fade(fade))


def _broken(canvas: Canvas, text: str) -> list[str]:
    """The text in rows that fit, broken between words where that is possible."""
    rows: list[str] = []
    while text:
        end = len(text)
        while end > 1 and canvas.measure(text[:end], size=SIZE)[0] > WIDTH - 20:
            space = text.rfind(" ", 1, end - 1)
            end = space if space > 0 else end - 1
        rows.append(text[:end])
        text = text[end:].lstrip()
    return rows
