"""Particles: short-lived lights without an entity each, in columns, with a random source of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import tau

import numpy as np

from engine.graphics.camera import View
from engine.graphics.color import WHITE
from engine.graphics.picture import DRAWN_SIZE, GLOW, picture_number
from engine.graphics.renderer import SpriteBatch

Range = tuple[float, float]

_RECORD = np.dtype(
    [
        ("x", "f8"),
        ("y", "f8"),
        ("vx", "f8"),
        ("vy", "f8"),
        ("age", "f4"),
        ("life", "f4"),
        ("size", "f4"),
        ("grow", "f4"),
        ("drag", "f4"),
        ("tint", "u4"),
        ("picture", "u4"),
        ("layer", "i4"),
        ("scale", "f4"),
        ("angle", "f4"),
        ("additive", "?"),
        ("aligned", "?"),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """A recipe for particles thrown at once. Ranges are (least, most), drawn evenly.

    `size` is the diameter in world units, `speed` in units per second, `life` in seconds. `spread` is the full angle,
    in radians, of the cone they fly in; `drag` the share of speed lost per second, as a rate. Over its life a
    particle fades and its size goes to `grow` times what it was. `aligned` turns the picture to where it flies.
    """

    count: int = 20
    color: int = WHITE
    speed: Range = (50.0, 200.0)
    life: Range = (0.2, 0.6)
    size: Range = (4.0, 10.0)
    spread: float = tau
    drag: float = 3.0
    grow: float = 0.3
    additive: bool = True
    aligned: bool = False
    image: str = GLOW
    image_size: float = DRAWN_SIZE
    """The picture's width in pixels, which `size` is measured against."""
    layer: int = 50


class Particles:
    """A resource of every world that is drawn: `world.resource(Particles).burst(SPARKS, x, y, angle)`.

    At most `capacity` live at once; when it is full the oldest give way.
    """

    def __init__(self, capacity: int = 4096, *, seed: int = 1) -> None:
        self.capacity = capacity
        self._rng = np.random.default_rng(seed)
        self._rows = np.zeros(capacity, _RECORD)
        self._count = 0

    def __len__(self) -> int:
        """How many are alive."""
        return self._count

    def clear(self) -> None:
        """Remove all at once."""
        self._count = 0

    def burst(
        self,
        burst: Burst,
        x: float,
        y: float,
        angle: float = 0.0,
        *,
        color: int | None = None,
        velocity: tuple[float, float] = (0.0, 0.0),
        share: float = 1.0,
    ) -> None:
        """Throw a burst from a world point, its cone around `angle`.

        `color` overrides the recipe's, `velocity` is added to each particle's own, `share` scales their number.
        """
        count = min(self.capacity, round(burst.count * share))
        if count <= 0:
            return
        overflow = self._count + count - self.capacity
        if overflow > 0:
            self._rows[: self._count - overflow] = self._rows[overflow : self._count]
            self._count -= overflow
        new = self._rows[self._count : self._count + count]
        self._count += count
        draw = self._rng.uniform
        direction = angle + draw(-0.5, 0.5, count) * burst.spread
        speed = draw(*burst.speed, count)
        new["x"], new["y"] = x, y
        new["vx"] = np.cos(direction) * speed + velocity[0]
        new["vy"] = np.sin(direction) * speed + velocity[1]
        new["age"] = 0.0
        new["life"] = np.maximum(draw(*burst.life, count), 1e-3)
        new["size"] = draw(*burst.size, count) / burst.image_size
        new["grow"] = burst.grow
        new["drag"] = burst.drag
        new["tint"] = burst.color if color is None else color
        new["picture"] = picture_number(burst.image)
        new["layer"] = burst.layer
        new["angle"] = direction if burst.aligned else 0.0
        new["additive"] = burst.additive

    def advance(self, dt: float) -> None:
        """Move all on by `dt` seconds and forget those whose life is over."""
        rows = self._rows[: self._count]
        rows["age"] += dt
        alive = rows["age"] < rows["life"]
        if not alive.all():
            kept = rows[alive]
            self._rows[: len(kept)] = kept
            self._count = len(kept)
            rows = self._rows[: self._count]
        if not len(rows):
            return
        slow = np.exp(-rows["drag"] * dt)
        rows["x"] += rows["vx"] * dt
        rows["y"] += rows["vy"] * dt
        rows["vx"] *= slow
        rows["vy"] *= slow

    def batches(self, view: View) -> Iterator[tuple[int, SpriteBatch]]:
        """What is in view, as (layer, batch), one a layer and way of drawing."""
        rows = self._rows[: self._count]
        if not len(rows):
            return
        x, y = view.to_screen(rows["x"], rows["y"])
        done = rows["age"] / rows["life"]
        scale = rows["size"] * (1.0 + (rows["grow"] - 1.0) * done) * view.zoom
        reach = scale * DRAWN_SIZE
        seen = (x > -reach) & (x < view.width + reach) & (y > -reach) & (y < view.height + reach)
        opacity = 1.0 - done * done
        kinds = rows["layer"].astype(np.int64) * 2 + rows["additive"]
        for kind in np.unique(kinds[seen]).tolist():
            chosen = np.flatnonzero(seen & (kinds == kind))
            some = rows[chosen]
            yield (
                kind >> 1,
                SpriteBatch(
                    some["picture"],
                    x[chosen],
                    y[chosen],
                    some["angle"],
                    scale[chosen],
                    some["tint"],
                    opacity[chosen],
                    np.zeros(len(chosen), np.bool_),
                    bool(kind & 1),
                ),
            )
