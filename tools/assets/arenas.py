"""The two arenas, their check and their picture.

Each is written as its first half; the second is the first turned by 180° around the middle, with the teams swapped, so
neither side ever has the better ground. The format is described in docs/ricochet-maps.md.
"""

from __future__ import annotations

import itertools
import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .paint import (
    AMBER,
    CYAN,
    INK,
    LIME,
    MAGENTA,
    STEEL,
    VIOLET,
    WHITE,
    Canvas,
    Color,
    Field,
    Pixels,
    Point,
    halo,
    mix,
    polar,
)

Item = dict[str, Any]

SHIP_RADIUS = 20
NARROWEST = 140
SPAWN_CLEARANCE = 120


def segment(start: Point, end: Point, thickness: float = 26) -> Item:
    return {"kind": "segment", "from": list(start), "to": list(end), "thickness": thickness}


def polyline(points: Sequence[Point], closed: bool = False, thickness: float = 26) -> Item:
    return {"kind": "polyline", "points": [list(point) for point in points], "closed": closed, "thickness": thickness}


def arc(center: Point, radius: float, start: float, end: float, thickness: float = 26) -> Item:
    return {
        "kind": "arc",
        "center": list(center),
        "radius": radius,
        "start_degrees": start,
        "end_degrees": end,
        "thickness": thickness,
    }


def whole(point: Point) -> Point:
    return (round(point[0]), round(point[1]))


@dataclass
class Arena:
    """One map; the lists hold what the file holds."""

    name: str
    width: int
    height: int
    wall_color: str
    walls: list[Item] = field(default_factory=list[Item])
    bumpers: list[Item] = field(default_factory=list[Item])
    crates: list[Item] = field(default_factory=list[Item])
    spawns: list[Item] = field(default_factory=list[Item])
    pads: list[Item] = field(default_factory=list[Item])
    ball: Item = field(default_factory=dict[str, Any])

    def flip(self, point: Sequence[float]) -> list[float]:
        return [self.width - point[0], self.height - point[1]]

    def wall(self, item: Item) -> None:
        self.walls.append(item)
        twin = dict(item)
        for key in ("from", "to", "center"):
            if key in twin:
                twin[key] = self.flip(twin[key])
        if "points" in twin:
            twin["points"] = [self.flip(point) for point in twin["points"]]
        if "start_degrees" in twin:
            turn = 180 if twin["end_degrees"] <= 180 else -180
            twin["start_degrees"] += turn
            twin["end_degrees"] += turn
        self.walls.append(twin)

    def bumper(self, at: Point, radius: float = 36, kick: float = 1.25) -> None:
        for place in (list(at), self.flip(at)):
            self.bumpers.append({"at": place, "radius": radius, "kick": kick})

    def crate(self, at: Point, degrees: float = 0, size: float = 48) -> None:
        for place in (list(at), self.flip(at)):
            self.crates.append({"at": place, "size": size, "degrees": degrees})

    def spawn(self, at: Point, degrees: float, team: str | None = "a") -> None:
        rival = {"a": "b", "b": "a", None: None}[team]
        self.spawns.append({"at": list(at), "degrees": degrees % 360, "team": team})
        self.spawns.append({"at": self.flip(at), "degrees": (degrees + 180) % 360, "team": rival})

    def pad(self, at: Point, kinds: Sequence[str], every: float) -> None:
        for place in (list(at), self.flip(at)):
            self.pads.append({"at": place, "kinds": list(kinds), "every_seconds": every})


def corner(center: Point, radius: float, start: float, steps: int = 12) -> list[Point]:
    """A quarter turn as points, for a rounded corner of the border."""
    return [whole(polar(radius, start + 90.0 * i / steps, center)) for i in range(steps + 1)]


def crossfire() -> Arena:
    """A turbine in the middle round the ball, two shielded bases, a long lane above and below."""
    arena = Arena("Crossfire", 3200, 1800, "#2edbff")
    middle: Point = (1600, 900)
    # Two corners are straight banks and two are curved: a disc leaves them in different ways.
    rim: list[Point] = [
        (20, 330),
        (330, 20),
        *corner((2840, 360), 340, 270),
        (3180, 1470),
        (2870, 1780),
        *corner((360, 1440), 340, 90),
    ]
    arena.walls.append(polyline(rim, closed=True, thickness=40))

    # The turbine: four arcs, each with a blade that leans over the gap and scoops passing discs towards the ball.
    for quarter in (90, 180):
        arena.wall(arc(middle, 330, quarter + 22, quarter + 68))
        arena.wall(segment(whole(polar(330, quarter + 68, middle)), whole(polar(448, quarter + 80, middle))))

    # The bases' shields, the long lanes, and a bowl that throws discs back at the middle.
    arena.wall(arc((470, 900), 330, -44, 44))
    arena.wall(polyline([(600, 330), (1120, 330), (1250, 460)]))
    arena.wall(segment((300, 520), (430, 390)))
    arena.wall(segment((560, 1440), (860, 1440)))
    arena.wall(arc((1180, 1200), 200, 100, 194))
    arena.wall(arc(middle, 640, 260, 280))

    arena.bumper((1010, 820), 40, 1.35)
    arena.bumper((1300, 218), 36, 1.25)
    arena.bumper((370, 1520), 36, 1.25)

    arena.crate((900, 600))
    arena.crate((960, 600))
    arena.crate((930, 542), 12)
    arena.crate((1252, 1560))
    arena.crate((1302, 1560), 4)
    arena.crate((210, 900))

    arena.spawn((240, 700), 0)
    arena.spawn((240, 1100), 0)
    arena.spawn((430, 800), 0)
    arena.spawn((430, 1000), 0)
    arena.spawn((560, 180), 0)
    arena.spawn((900, 180), 0)
    arena.spawn((250, 1320), 0)
    arena.spawn((620, 1280), 0)
    arena.spawn((1040, 1620), 0, None)
    arena.spawn((1180, 640), 30, None)

    arena.pad((800, 660), ("repair",), 15)
    arena.pad((1600, 150), ("triple", "overcharge"), 20)
    arena.pad((780, 1600), ("dash", "triple"), 18)
    arena.pad((1600, 640), ("overcharge",), 30)
    arena.ball = {"at": list(middle), "radius": 48}
    return arena


def foundry() -> Arena:
    """Smaller and quicker: one great S of wall, with bumpers in its bends, and the ball between them."""
    arena = Arena("Foundry", 2400, 1400, "#ff5f45")
    middle: Point = (1200, 700)
    rim: list[Point] = [
        *corner((300, 300), 280, 180),
        (2140, 20),
        (2380, 260),
        *corner((2100, 1100), 280, 0),
        (260, 1380),
        (20, 1140),
    ]
    arena.walls.append(polyline(rim, closed=True, thickness=40))
    arena.wall(arc((930, 560), 250, 150, 330))
    arena.wall(polyline([(440, 330), (440, 620), (540, 720)]))
    arena.wall(segment((420, 1120), (690, 1120)))
    arena.wall(arc(middle, 470, 100, 128))
    arena.bumper((930, 560), 44, 1.4)
    arena.bumper((300, 900), 36, 1.25)
    arena.crate((478, 420))
    arena.crate((1320, 1335))
    arena.crate((1370, 1335))
    arena.crate((1345, 1286), 6)
    arena.spawn((220, 300), 90)
    arena.spawn((240, 640), 0)
    arena.spawn((640, 200), 0)
    arena.spawn((270, 1150), 0)
    arena.spawn((560, 900), 0)
    arena.spawn((800, 880), 0)
    arena.spawn((990, 1258), 0, None)
    arena.spawn((880, 150), 0, None)
    arena.pad((1200, 330), ("repair",), 15)
    arena.pad((640, 1250), ("triple", "dash"), 18)
    arena.pad((1010, 700), ("overcharge",), 25)
    arena.ball = {"at": list(middle), "radius": 48}
    return arena


ARENAS: dict[str, Callable[[], Arena]] = {"crossfire": crossfire, "foundry": foundry}


def written(name: str) -> str:
    """The map's file, one item a line. Raises ValueError if the map is no good to play on."""
    arena = ARENAS[name]()
    if found := faults(arena):
        raise ValueError(f"map {name}: " + "; ".join(found))
    lists = {key: getattr(arena, key) for key in ("walls", "bumpers", "crates", "spawns", "pads")}
    head: Item = {
        "format": "ricochet-map",
        "version": 1,
        "name": arena.name,
        "size": [arena.width, arena.height],
        "wall_color": arena.wall_color,
        "ball": arena.ball,
    }
    parts = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, items in lists.items():
        parts.append(f"  {json.dumps(key)}: [\n" + ",\n".join(f"    {json.dumps(item)}" for item in items) + "\n  ]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


# Geometry, for the check and the picture: a wall is a chain of points and half its thickness.


def chain(wall: Item, step: float = 6.0) -> list[Point]:
    """A wall's middle line as points; an arc is cut into pieces of about ``step`` degrees."""
    if wall["kind"] == "segment":
        return [tuple(wall["from"]), tuple(wall["to"])]
    if wall["kind"] == "arc":
        pieces = max(1, math.ceil((wall["end_degrees"] - wall["start_degrees"]) / step))
        turn = (wall["end_degrees"] - wall["start_degrees"]) / pieces
        return [
            polar(wall["radius"], wall["start_degrees"] + turn * i, tuple(wall["center"])) for i in range(pieces + 1)
        ]
    points: list[Point] = [tuple(point) for point in wall["points"]]
    return [*points, points[0]] if wall["closed"] else points


def distance(points: Sequence[Point], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    nearest = np.full(np.shape(x), np.inf)
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        dx, dy = bx - ax, by - ay
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(x - ax - along * dx, y - ay - along * dy))
    return nearest


def clearance(arena: Arena, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from each point to the nearest thing that stops a ship, negative inside it."""
    free = np.full(np.shape(x), np.inf)
    for wall in arena.walls:
        free = np.minimum(free, distance(chain(wall), x, y) - wall["thickness"] / 2)
    for bumper in arena.bumpers:
        free = np.minimum(free, np.hypot(x - bumper["at"][0], y - bumper["at"][1]) - bumper["radius"])
    for crate in arena.crates:
        c, s = math.cos(math.radians(crate["degrees"])), math.sin(math.radians(crate["degrees"]))
        dx, dy = x - crate["at"][0], y - crate["at"][1]
        qx, qy = np.abs(dx * c + dy * s) - crate["size"] / 2, np.abs(dy * c - dx * s) - crate["size"] / 2
        box = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0)
        free = np.minimum(free, box)
    return free


def pieces(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Numbers the connected parts of ``mask`` from 1, side by side neighbours only; 0 elsewhere."""
    label = np.zeros(mask.shape, np.int32)
    count = 0
    for start in zip(*np.nonzero(mask), strict=True):
        if label[start]:
            continue
        count += 1
        label[start] = count
        queue = deque([start])
        while queue:
            row, column = queue.popleft()
            for near in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
                if 0 <= near[0] < mask.shape[0] and 0 <= near[1] < mask.shape[1] and mask[near] and not label[near]:
                    label[near] = count
                    queue.append(near)
    return label


def faults(arena: Arena) -> list[str]:
    """What is wrong with a map: spawns too near a wall, ground cut off, gaps too narrow to be fun."""
    found: list[str] = []
    for spawn in arena.spawns:
        x, y = spawn["at"]
        for wall in arena.walls:
            near = float(distance(chain(wall), np.array(x), np.array(y)))
            if near < SPAWN_CLEARANCE:
                found.append(f"spawn {spawn['at']} is {near:.0f} from the line of wall {wall['kind']}")
        if float(clearance(arena, np.array(x), np.array(y))) < 2 * SHIP_RADIUS:
            found.append(f"spawn {spawn['at']} touches something")
    found += [
        f"pad {pad['at']} is crowded"
        for pad in arena.pads
        if float(clearance(arena, np.array(pad["at"][0]), np.array(pad["at"][1]))) < 60
    ]

    cell = 20
    x, y = np.meshgrid(*(np.arange(cell / 2, side, cell, dtype=np.float64) for side in (arena.width, arena.height)))
    free = clearance(arena, x, y)
    label = pieces(free >= SHIP_RADIUS)
    home = label[int(arena.spawns[0]["at"][1] // cell), int(arena.spawns[0]["at"][0] // cell)]
    found += [
        f"{item['at']} cannot be reached from the first spawn"
        for item in (*arena.spawns, *arena.pads, arena.ball)
        if label[int(item["at"][1] // cell), int(item["at"][0] // cell)] != home
    ]
    # A ship of radius r fits where the clearance is r. If ships grown to half the narrowest gap find the same ground
    # joined up in the same way (as many pieces, as many islands), no gap lies between.
    reach = label == home
    wide = reach & (free >= NARROWEST / 2 - cell / 2)
    ground, islands = int(pieces(wide).max()), int(pieces(~wide).max())
    if ground != 1:
        lost = [f"({c * cell}, {r * cell})" for r, c in (np.argwhere(pieces(wide) == i + 1)[0] for i in range(ground))]
        found.append(f"gaps under {NARROWEST} part the ground into {ground} pieces, at {', '.join(lost)}")
    expected = int(pieces(~reach).max())
    if islands != expected:
        found.append(f"a gap under {NARROWEST}: {expected} obstacles look like {islands} to a wide ship")
    return found


# The picture.

KIND_COLORS: dict[str, Color] = {"triple": CYAN, "overcharge": AMBER, "repair": LIME, "dash": MAGENTA}


def draw(arena: Arena, width: int, *, detail: int = 2, spawns: bool = False) -> Pixels:
    scale = width / arena.width
    height = round(arena.height * scale)
    canvas = Canvas(width, height, origin=(0, 0), detail=detail)
    color: Color = tuple(int(arena.wall_color[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[assignment]

    def at(point: Sequence[float]) -> Point:
        return (point[0] * scale, point[1] * scale)

    inside = np.ones(canvas.x.shape)
    fields: list[tuple[Field, float]] = []
    for index, wall in enumerate(arena.walls):
        points = [at(point) for point in chain(wall)]
        fields.append((canvas.line(points), wall["thickness"] * scale / 2))
        if index == 0:
            inside = canvas.edge(canvas.polygon(points[:-1]))
    canvas.lay((0.012, 0.016, 0.038), 1.0)
    canvas.lay(INK, inside)
    for axis in (canvas.x / scale, canvas.y / scale):
        canvas.lay((0.10, 0.18, 0.33), 0.35 * np.clip(1 - np.abs((axis + 64) % 128 - 64) * scale, 0, 1) * inside)
    for line, half in fields:
        canvas.lay(color, 0.45 * halo((line - half).clip(min=0), 70 * scale))
    for line, half in fields:
        canvas.lay(mix(INK, color, 0.22), canvas.edge(line - half))
        canvas.lay(color, canvas.edge(np.abs(line - half + 2.5 * scale) - max(3.0 * scale, 0.6)))
    for pad in arena.pads:
        ring = canvas.circle(34 * scale, at(pad["at"]))
        canvas.neon(ring, max(4 * scale, 1.0), KIND_COLORS[pad["kinds"][0]], reach=40 * scale, hot=0.3)
    for crate in arena.crates:
        corners = [
            polar(crate["size"] / math.sqrt(2), crate["degrees"] + 45 + 90 * i, tuple(crate["at"])) for i in range(4)
        ]
        box = canvas.polygon([at(point) for point in corners])
        canvas.fill(box, mix(INK, STEEL, 0.35))
        canvas.neon(box, max(4 * scale, 1.0), STEEL, reach=30 * scale, strength=0.3)
    for bumper in arena.bumpers:
        disc = canvas.circle(bumper["radius"] * scale, at(bumper["at"]))
        canvas.fill(disc, mix(INK, AMBER, 0.35))
        canvas.neon(disc, max(6 * scale, 1.2), AMBER, reach=50 * scale, hot=0.5)
    ball = canvas.circle(arena.ball["radius"] * scale, at(arena.ball["at"]))
    canvas.fill(ball, mix(INK, VIOLET, 0.45))
    canvas.neon(ball, max(7 * scale, 1.2), VIOLET, reach=60 * scale, hot=0.5)
    if spawns:
        for spawn in arena.spawns:
            x, y = spawn["at"]
            nose = [polar(r, spawn["degrees"] + turn, (x, y)) for r, turn in ((30, 0), (26, 140), (26, -140))]
            canvas.fill(canvas.polygon([at(p) for p in nose]), {"a": CYAN, "b": MAGENTA, None: WHITE}[spawn["team"]])
    return canvas.rgb()


def preview(name: str) -> Pixels:
    """The map as a picture 480 px wide, for a menu."""
    return draw(ARENAS[name](), 480, detail=3)
