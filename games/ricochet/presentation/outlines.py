"""F2: what the physics sees, drawn over what the player sees."""

from __future__ import annotations

from itertools import pairwise

from engine.app import Plugin
from engine.ecs import Resource, World
from engine.graphics import Camera, Color, DrawWorld
from engine.input import Key, KeyPressed
from engine.physics import DebugKind, Space, debug_lines

outlines = Plugin("ricochet.presentation.outlines")

COLORS = {
    DebugKind.STATIC: Color.parse("#8fa3c8"),
    DebugKind.KINEMATIC: Color.parse("#b48cff"),
    DebugKind.DYNAMIC: Color.parse("#4dff88"),
    DebugKind.SLEEPING: Color.parse("#3f8a5c"),
    DebugKind.SENSOR: Color.parse("#ffd23f"),
    DebugKind.ABSENT: Color.parse("#ff4d5e"),
    DebugKind.CONTACT: Color.parse("#ff4d5e"),
    DebugKind.JOINT: Color.parse("#ff5fd2"),
    DebugKind.VELOCITY: Color.parse("#38e1ff"),
}


class Outlines(Resource, local=True):
    """Whether they are shown."""

    shown: bool = False


@outlines.setup
def prepare(world: World) -> None:
    world.insert(Outlines())


@outlines.on(KeyPressed)
def toggle(world: World, pressed: KeyPressed) -> None:
    if pressed.key is Key.F2 and not pressed.repeat:
        state = world.resource(Outlines)
        state.shown = not state.shown


@outlines.on(DrawWorld)
def draw(world: World, event: DrawWorld) -> None:
    """Piece by piece, and only those in view: the border alone is larger than the screen."""
    if not world.resource(Outlines).shown or world.find_resource(Space) is None:  # a guest's screen has no physics
        return
    view = world.resource(Camera).view
    for line in debug_lines(world):
        color = COLORS[line.kind]
        points = [*line.points, line.points[0]] if line.closed else line.points
        for (x1, y1), (x2, y2) in pairwise(points):
            if max(x1, x2) > view.x and min(x1, x2) < view.right and max(y1, y2) > view.y and min(y1, y2) < view.bottom:
                event.canvas.line(x1, y1, x2, y2, color, width=1.5)
