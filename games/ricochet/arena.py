"""Arenas as they are written in map files (docs/ricochet-maps.md): read, checked, and made plain for everyone.

Arcs and closed lines become chains of points here, so that nobody after this has to know about them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from math import ceil, cos, isfinite, radians, sin
from pathlib import Path
from typing import Any, TypeVar, cast

from engine.ecs import Resource
from engine.errors import TickwireError
from games.ricochet.components import Pickup, Team

T = TypeVar("T")
Point = tuple[float, float]

MAPS = Path(__file__).resolve().parents[2] / "assets" / "ricochet" / "maps"
ARC_STEP = 6.0
"""Degrees between the points of an arc: close enough to bounce as a curve does."""
FURTHEST = 100_000.0
"""No coordinate lies beyond this, in units."""


class ArenaError(TickwireError):
    """A map file that cannot be used; the message names the file, the place in it, and the cure."""


@dataclass(frozen=True, slots=True)
class WallLine:
    """A wall: a chain of points, `thickness` wide, half of it on either side, with round ends."""

    points: tuple[Point, ...]
    """The last is the first again if the wall is closed."""
    thickness: float


@dataclass(frozen=True, slots=True)
class BumperSpot:
    x: float
    y: float
    radius: float
    kick: float


@dataclass(frozen=True, slots=True)
class CrateSpot:
    x: float
    y: float
    size: float
    angle: float


@dataclass(frozen=True, slots=True)
class SpawnSpot:
    x: float
    y: float
    angle: float
    team: Team


@dataclass(frozen=True, slots=True)
class PadSpot:
    x: float
    y: float
    kinds: tuple[Pickup, ...]
    every: float
    """Seconds"""


@dataclass(frozen=True, slots=True)
class BallSpot:
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Arena:
    """One map."""

    key: str
    """The file's stem, by which options name it."""
    name: str
    width: float
    height: float
    wall_color: str
    ball: BallSpot | None
    walls: tuple[WallLine, ...]
    """The first is the border."""
    bumpers: tuple[BumperSpot, ...]
    crates: tuple[CrateSpot, ...]
    spawns: tuple[SpawnSpot, ...]
    pads: tuple[PadSpot, ...]


class Arenas(Resource, local=True):
    """The arenas of a match in the order they are played. Not state: every side of a game has the same files."""

    in_order: list[Arena] = field(default_factory=list[Arena])

    def __getitem__(self, key: str) -> Arena:
        return next(arena for arena in self.in_order if arena.key == key)

    def after(self, key: str) -> Arena:
        """The arena of the next round."""
        place = next(place for place, arena in enumerate(self.in_order) if arena.key == key)
        return self.in_order[(place + 1) % len(self.in_order)]


def arena_keys() -> tuple[str, ...]:
    """The arenas that come with the game."""
    return tuple(sorted(path.stem for path in MAPS.glob("*.json")))


@cache
def load_arenas(first: str = "") -> tuple[Arena, ...]:
    """The arenas that come with the game, `first` in front. Raises `ArenaError`."""
    keys = arena_keys()
    if not keys:
        raise ArenaError(f"no map files in {MAPS}; run tools/make_assets.py to make them")
    start = keys.index(first) if first in keys else 0
    return tuple(read_arena(MAPS / f"{key}.json") for key in (*keys[start:], *keys[:start]))


def read_arena(path: Path) -> Arena:
    """The arena in a map file. Raises `ArenaError` if there is none to be had."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArenaError(f"{path.name}: cannot be read ({error}); give the path of a map file") from error
    return parse_arena(text, path.name)


def parse_arena(text: str, file: str) -> Arena:
    """The arena in the text of a map file called `file`. Raises `ArenaError`."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArenaError(f"{file}: is no JSON ({error}); see docs/ricochet-maps.md for the format") from error
    root = _Place(file, "", content)
    root.known("format version name size wall_color ball walls bumpers crates spawns pads")
    if root.get("format") != "ricochet-map" or root.get("version") != 1:
        raise ArenaError(f'{file}: is no map of version 1; it must begin with "format": "ricochet-map", "version": 1')
    width, height = root.point("size")
    if min(width, height) < 200:
        raise root.wrong(f"size is {width:g} × {height:g}; an arena needs at least 200 units either way")
    walls = tuple(_wall(place) for place in root.items("walls"))
    if not walls or walls[0].points[0] != walls[0].points[-1] or len(walls[0].points) < 4:
        raise root.wrong("walls[0] must be the border: a closed polyline of three points or more")
    arena = Arena(
        key=Path(file).stem,
        name=root.text("name"),
        width=width,
        height=height,
        wall_color=root.color("wall_color"),
        ball=_ball(root.inner("ball")) if root.get("ball") is not None else None,
        walls=walls,
        bumpers=tuple(_bumper(place) for place in root.items("bumpers")),
        crates=tuple(_crate(place) for place in root.items("crates")),
        spawns=tuple(_spawn(place) for place in root.items("spawns")),
        pads=tuple(_pad(place) for place in root.items("pads")),
    )
    if len(arena.spawns) < 2:
        raise root.wrong(f"spawns has {len(arena.spawns)} items; two players need at least two")
    _check_inside(root, arena)
    return arena


def _wall(place: _Place) -> WallLine:
    kind = place.choice("kind", {"segment": "segment", "polyline": "polyline", "arc": "arc"})
    thickness = place.number("thickness", 1, 500)
    if kind == "segment":
        place.known("kind thickness from to")
        return WallLine((place.point("from"), place.point("to")), thickness)
    if kind == "polyline":
        place.known("kind thickness points closed")
        points = place.points("points")
        return WallLine((*points, points[0]) if place.get("closed") else points, thickness)
    place.known("kind thickness center radius start_degrees end_degrees")
    start, end = place.number("start_degrees", -720, 720), place.number("end_degrees", -720, 1080)
    if not start < end <= start + 360:
        raise place.wrong(f"goes from {start:g}° to {end:g}°; end must be above start, by 360 at most")
    return WallLine(_arc(place.point("center"), place.number("radius", 1), start, end), thickness)


def _arc(center: Point, radius: float, start: float, end: float) -> tuple[Point, ...]:
    pieces = ceil((end - start) / ARC_STEP)
    angles = (radians(start + (end - start) * piece / pieces) for piece in range(pieces + 1))
    points = [(center[0] + radius * cos(angle), center[1] + radius * sin(angle)) for angle in angles]
    if end - start == 360:
        points[-1] = points[0]
    return tuple(points)


def _ball(place: _Place) -> BallSpot:
    place.known("at radius")
    return BallSpot(*place.point("at"), place.number("radius", 4, 200))


def _bumper(place: _Place) -> BumperSpot:
    place.known("at radius kick")
    return BumperSpot(*place.point("at"), place.number("radius", 4, 500), place.number("kick", 1, 3))


def _crate(place: _Place) -> CrateSpot:
    place.known("at size degrees")
    return CrateSpot(*place.point("at"), place.number("size", 8, 500), radians(place.number("degrees", -360, 360)))


def _spawn(place: _Place) -> SpawnSpot:
    place.known("at degrees team")
    team = place.choice("team", {"a": Team.A, "b": Team.B, None: Team.NONE})
    return SpawnSpot(*place.point("at"), radians(place.number("degrees", -360, 360)), team)


def _pad(place: _Place) -> PadSpot:
    place.known("at kinds every_seconds")
    known = {kind.name.lower(): kind for kind in Pickup}
    kinds = tuple(kind.pick(known) for kind in place.items("kinds"))
    if not kinds:
        raise place.wrong(f"has no kinds; name at least one of {', '.join(known)}")
    return PadSpot(*place.point("at"), kinds, place.number("every_seconds", 0.5, 600))


def _check_inside(root: _Place, arena: Arena) -> None:
    """Everything that moves, or is moved to, must start inside the border."""
    border = arena.walls[0].points
    for name, spots in (("spawns", arena.spawns), ("pads", arena.pads), ("ball", [arena.ball] if arena.ball else [])):
        for number, spot in enumerate(spots):
            if not _inside((spot.x, spot.y), border):
                where = name if name == "ball" else f"{name}[{number}]"
                raise root.wrong(f"{where}.at [{spot.x:g}, {spot.y:g}] lies outside the border, walls[0]; move it in")


def _inside(point: Point, polygon: tuple[Point, ...]) -> bool:
    """Even-odd rule: a ray to the right crosses the outline an odd number of times."""
    x, y = point
    crossings = 0
    for (x1, y1), (x2, y2) in pairwise(polygon):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            crossings += 1
    return crossings % 2 == 1


class _Place:
    """A value in a map file that knows where it stands, so that every complaint can say so."""

    def __init__(self, file: str, path: str, value: Any) -> None:
        self.file = file
        self.path = path
        self.value = value

    def wrong(self, what: str) -> ArenaError:
        return ArenaError(f"{self.file}: {self.path}{' ' if self.path else ''}{what}")

    def get(self, key: str) -> Any:
        return self.keys().get(key)

    def keys(self) -> dict[str, Any]:
        value: Any = self.value
        if not isinstance(value, dict):
            raise self.wrong('is no object; write {"key": value, ...}')
        return cast("dict[str, Any]", value)

    def members(self) -> list[Any]:
        value: Any = self.value
        if not isinstance(value, list):
            raise self.wrong("is no list; write [...], or [] for none")
        return cast("list[Any]", value)

    def inner(self, key: str) -> _Place:
        if key not in self.keys():
            raise self.wrong(f"has no {key!r}; add it")
        return _Place(self.file, f"{self.path}.{key}" if self.path else key, self.keys()[key])

    def known(self, names: str) -> None:
        """Refuse keys that are not among `names`: a misspelt key would silently do nothing."""
        for key in self.keys():
            if key not in names.split():
                raise self.wrong(f"has a key {key!r} that means nothing; the keys are {', '.join(names.split())}")

    def items(self, key: str) -> list[_Place]:
        place = self.inner(key)
        return [_Place(self.file, f"{place.path}[{number}]", value) for number, value in enumerate(place.members())]

    def number(self, key: str, low: float = -FURTHEST, high: float = FURTHEST) -> float:
        return self.inner(key).as_number(low, high)

    def as_number(self, low: float = -FURTHEST, high: float = FURTHEST) -> float:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            raise self.wrong(f"is {value!r}; give a number")
        if not low <= value <= high:
            raise self.wrong(f"is {value:g}; give a number from {low:g} to {high:g}")
        return float(value)

    def point(self, key: str) -> Point:
        return self.inner(key).as_point()

    def as_point(self) -> Point:
        if len(self.members()) != 2:
            raise self.wrong("is no point; give two numbers, [x, y]")
        x, y = self.members()
        return (
            _Place(self.file, f"{self.path}[0]", x).as_number(),
            _Place(self.file, f"{self.path}[1]", y).as_number(),
        )

    def points(self, key: str) -> tuple[Point, ...]:
        points = tuple(place.as_point() for place in self.items(key))
        if len(points) < 2:
            raise self.inner(key).wrong("needs two points or more")
        return points

    def text(self, key: str) -> str:
        place = self.inner(key)
        if not isinstance(place.value, str) or not place.value.strip():
            raise place.wrong(f"is {place.value!r}; give some text")
        return place.value

    def color(self, key: str) -> str:
        text = self.text(key)
        if not re.fullmatch("#[0-9a-fA-F]{6}", text):
            raise self.inner(key).wrong(f'is {text!r}; give a colour as "#rrggbb"')
        return text

    def choice(self, key: str, known: dict[Any, T]) -> T:
        return self.inner(key).pick(known)

    def pick(self, known: dict[Any, T]) -> T:
        for name, value in known.items():
            if name == self.value:
                return value
        choices = ", ".join(json.dumps(name) for name in known)
        raise self.wrong(f"is {json.dumps(self.value)}; choose one of {choices}")
