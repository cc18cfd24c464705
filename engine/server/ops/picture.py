"""A room as it is drawn by whoever looks in: places, outlines and owners of everything that has a place in the world.

A picture needs to know nothing of the game: places are `Transform`, outlines the shapes of `Collider`, and owners what
the game's protocol declares. Shapes have numbers and are sent once; what stands still is sent when it changes.

    {"epoch": 1, "tick": 512, "from": 0,
     "shapes": [[["c", x, y, r]], [["f", x1, y1, x2, y2, ...]], [["p", width, closed, x1, y1, x2, y2, ...]], ...],
     "stills": 3, "still": [[id, shape, owner, x, y, angle, sensor], ...],      "still" only if it is news
     "moving": [[id, shape, owner, x, y, angle, sensor], ...], "names": {"3": "Ana"}}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.ecs import Component, World
from engine.net.wire.declaration import Declarations
from engine.physics import Body, Box, Chain, Circle, Collider, Compound, Polygon, Segment, Shape
from engine.scene import Transform

NOBODY = -1
DOT = -1
"""The shape of what has a place and no outline."""
MOST_SHAPES = 1_000
"""Shapes that have numbers at a time; a game that makes ever new ones has them counted from 0 again."""
MOST_THINGS = 1_500
MOST_POINTS = 20_000
"""Points of one shape."""
MOST_NAME = 24
"""Characters."""

Parts = list[list[Any]]


class Picture:
    """What one room looks like, from one asking to the next."""

    def __init__(self, declarations: Declarations) -> None:
        self._owners = declarations.owners
        self._named = [kind for kind in declarations.owners if "name" in kind.specs]
        self._epoch = 0
        self._numbers: dict[int, tuple[Shape, int]] = {}  # by identity: shapes are kept, so none takes another's
        self._equal: dict[Shape, int] = {}
        self._shapes: list[Parts] = []
        self._still: list[list[float]] = []
        self._stills = 0
        self._begin()

    def _begin(self) -> None:
        self._epoch += 1
        self._numbers.clear()
        self._equal.clear()
        self._shapes.clear()

    def look(self, world: World, tick: int, *, epoch: int = 0, shapes: int = 0, stills: int = 0) -> dict[str, Any]:
        """How it is now, for somebody who knows so many shapes of an epoch, and what stands still by this number."""
        if len(self._shapes) > MOST_SHAPES:
            self._begin()
        owners = self._owners_of(world)
        moving = self._things(world, (Body,), (), owners)
        still = self._things(world, (), (Body,), owners)
        if still != self._still:
            self._still = still
            self._stills += 1
        known = shapes if epoch == self._epoch else 0
        found: dict[str, Any] = {
            "epoch": self._epoch,
            "tick": tick,
            "from": known,
            "shapes": self._shapes[known:],
            "stills": self._stills,
            "moving": moving,
            "names": {str(owner): name for owner, name in self._names(world)},
        }
        if epoch != self._epoch or stills != self._stills:
            found["still"] = still
        return found

    def _owners_of(self, world: World) -> dict[int, int]:
        found: dict[int, int] = {}
        for kind, name in self._owners.items():
            column: Any = vars(kind)[name]
            tables: Any = world.tables(kind)
            for rows in tables:
                found.update(zip(rows.ids.tolist(), rows[column].tolist(), strict=True))
        return found

    def _names(self, world: World) -> Iterable[tuple[int, str]]:
        """What players are called, where the game has a component that says whose it is and has a name."""
        for kind in self._named:
            owner: Any = vars(kind)[self._owners[kind]]
            name: Any = vars(kind)["name"]
            tables: Any = world.tables(kind)
            for rows in tables:
                for player, called in zip(rows[owner].tolist(), rows[name], strict=True):
                    yield player, str(called)[:MOST_NAME]

    def _things(
        self,
        world: World,
        having: tuple[type[Component], ...],
        without: tuple[type[Component], ...],
        owners: dict[int, int],
    ) -> list[list[float]]:
        things: list[list[float]] = []
        for rows in world.tables(Transform, Collider, *having, without=without):
            numbers = [self._number(shape) for shape in rows[Collider.shape]]
            self._place(things, rows, numbers, rows[Collider.sensor].tolist(), owners)
        for rows in world.tables(Transform, *having, without=(Collider, *without)):
            self._place(things, rows, [DOT] * len(rows), [0] * len(rows), owners)
        return things

    def _place(
        self, things: list[list[float]], rows: Any, shapes: list[int], sensors: list[int], owners: dict[int, int]
    ) -> None:
        ids: list[int] = rows.ids.tolist()
        xs, ys = rows[Transform.x].round(1).tolist(), rows[Transform.y].round(1).tolist()
        angles = rows[Transform.angle].round(3).tolist()
        for id, shape, x, y, angle, sensor in zip(ids, shapes, xs, ys, angles, sensors, strict=True):
            if (
                x - x + y - y + angle - angle == 0 and len(things) < MOST_THINGS
            ):  # neither nan nor inf, which JSON lacks
                things.append([id & 0xFFFF_FFFF, shape, owners.get(id, NOBODY), x, y, angle, int(sensor)])

    def _number(self, shape: Shape) -> int:
        known = self._numbers.get(id(shape))
        if known is None:
            number = self._equal.get(shape)
            if number is None:
                number = self._equal[shape] = len(self._shapes)
                self._shapes.append(parts_of(shape))
            if len(self._numbers) > MOST_SHAPES:
                self._numbers.clear()
            known = self._numbers[id(shape)] = (shape, number)
        return known[1]


def parts_of(shape: Shape) -> Parts:
    """A shape in its own coordinates: circles, areas, and lines so wide, closed or not."""
    match shape:
        case Circle(radius, x, y):
            return [["c", _short(x), _short(y), _short(radius)]]
        case Box():
            return [["f", *_flat(shape.corners)]]
        case Polygon(points):
            return [["f", *_flat(points)]]
        case Segment(ax, ay, bx, by, radius):
            return [_line(((ax, ay), (bx, by)), radius, False)]
        case Chain(points, radius, closed):
            return [_line(points, radius, closed)]
        case Compound(shapes):
            return [part for each in shapes for part in parts_of(each)]


def _line(points: Iterable[tuple[float, float]], radius: float, closed: bool) -> list[Any]:
    return ["p", _short(2 * radius), int(closed), *_flat(points)]


def _flat(points: Iterable[tuple[float, float]]) -> list[float]:
    return [_short(value) for point in points for value in point][: 2 * MOST_POINTS]


def _short(value: float) -> float:
    return round(value, 1)
