"""Trails: light left behind by what moves, kept as columns of past places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.ecs import F32, I32, U32, Component, Flag, World, f32, flag, i32, u32
from engine.graphics.camera import View
from engine.graphics.color import WHITE
from engine.graphics.picture import DRAWN_SIZE, SOFT, picture_number
from engine.graphics.placement import placed
from engine.graphics.renderer import SpriteBatch

SAMPLES = 24
"""Places remembered per trail."""
JUMP = 6000.0
"""World units per second beyond which a move is a teleport and breaks the trail."""
MOST_DOTS = 6000
"""Lights drawn per image for all trails together; beyond, they are set wider apart."""


class Trail(Component, local=True):
    """Leaves a streak of light, `width` world units wide, that fades over `seconds`.

    It follows the entity as drawn, and fades in peace when the entity is gone.
    """

    color: U32 = u32(default=WHITE)
    width: F32 = f32(default=8.0)
    seconds: F32 = f32(default=0.4)
    additive: Flag = flag(default=True)
    layer: I32 = i32(default=0)
    opacity: F32 = f32(default=1.0)


class Trails:
    """The places where trails have been. Row i of every column belongs to the entity `ids[i]`.

    `x`, `y` and `age` have shape (trails, SAMPLES), newest first; an age of infinity marks an unused place.
    """

    def __init__(self) -> None:
        self.ids = np.zeros(0, np.uint64)
        self.x = np.zeros((0, SAMPLES))
        self.y = np.zeros((0, SAMPLES))
        self.age = np.zeros((0, SAMPLES))
        self.color = np.zeros(0, np.uint32)
        self.width = np.zeros(0)
        self.seconds = np.zeros(0)
        self.layer = np.zeros(0, np.int64)
        self.opacity = np.zeros(0)
        self.additive = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return len(self.ids)

    def advance(self, world: World, alpha: float, dt: float) -> None:
        """Age all, take the places of this image, and drop the trails that have faded away."""
        self.age += dt
        for rows, x, y, _ in placed(world, Trail, alpha):
            self._extend(rows.ids, x, y, dt)
            where = self._rows_of(rows.ids)
            self.color[where] = rows[Trail.color]
            self.width[where] = rows[Trail.width]
            self.seconds[where] = np.maximum(rows[Trail.seconds], 1e-3)
            self.layer[where] = rows[Trail.layer]
            self.opacity[where] = rows[Trail.opacity]
            self.additive[where] = rows[Trail.additive]
        if len(self.ids):
            self._keep(self.age[:, 0] < self.seconds)

    def _rows_of(self, ids: NDArray[np.uint64]) -> NDArray[np.intp]:
        return np.searchsorted(self.ids, ids)

    def _extend(self, ids: NDArray[np.uint64], x: NDArray[np.float64], y: NDArray[np.float64], dt: float) -> None:
        new = ids[~np.isin(ids, self.ids)]
        if len(new):
            self._add(new)
        where = self._rows_of(ids)
        far = np.hypot(x - self.x[where, 0], y - self.y[where, 0]) > JUMP * max(dt, 1 / 240) + 50.0
        self.age[where[far]] = np.inf
        # A new place is taken when the newest one is old enough that the places in use cover the trail's time.
        due = self.age[where, 1] >= self.seconds[where] / (SAMPLES - 2)
        moved = where[due]
        for column in (self.x, self.y, self.age):
            column[moved, 1:] = column[moved, :-1]
        self.x[where, 0], self.y[where, 0], self.age[where, 0] = x, y, 0.0

    def _add(self, ids: NDArray[np.uint64]) -> None:
        order = np.argsort(np.concatenate((self.ids, ids)), kind="stable")
        for name, column in vars(self).items():
            blank = np.zeros((len(ids), *column.shape[1:]), column.dtype)
            setattr(self, name, np.concatenate((column, ids if name == "ids" else blank))[order])
        added = self._rows_of(ids)
        self.age[added] = np.inf
        self.seconds[added] = 1.0

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        if not kept.all():
            for name, column in vars(self).items():
                setattr(self, name, column[kept])

    def batches(self, view: View) -> Iterator[tuple[int, SpriteBatch]]:
        """The trails in view as rows of soft lights, as (layer, batch)."""
        if not len(self.ids):
            return
        x, y = view.to_screen(self.x, self.y)
        live = self.age < self.seconds[:, None]
        margin = float(self.width.max()) * view.zoom
        inside = (x > -margin) & (x < view.width + margin) & (y > -margin) & (y < view.height + margin)
        joined = live[:, :-1] & np.isfinite(self.age[:, 1:]) & (inside[:, :-1] | inside[:, 1:])
        trail, place = np.nonzero(joined)
        if not len(trail):
            return
        x0, y0, x1, y1 = x[trail, place], y[trail, place], x[trail, place + 1], y[trail, place + 1]
        length = np.hypot(x1 - x0, y1 - y0)
        width = self.width[trail] * view.zoom
        spacing = np.maximum(width * 0.45, 1.5)
        counts = np.ceil(length / spacing)
        total = float(counts.sum())
        if total > MOST_DOTS:
            counts = np.ceil(counts * (MOST_DOTS / total))
        counts = counts.astype(np.intp)
        total = int(counts.sum())
        if not total:
            return
        piece = np.repeat(np.arange(len(trail)), counts)
        share = (np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts) + 0.5) / counts[piece]
        owner = trail[piece]
        first, second = self.age[owner, place[piece]], self.age[owner, place[piece] + 1]
        fade = 1.0 - np.clip((first + (second - first) * share) / self.seconds[owner], 0.0, 1.0)
        # Lights overlap, and their sum should not depend on how close they are set.
        density = np.minimum(1.0, (length / np.maximum(counts, 1) / width)[piece] * 1.1)
        scale = width[piece] * (0.4 + 0.6 * fade) * (2.0 / DRAWN_SIZE)
        opacity = fade**1.5 * density * self.opacity[owner]
        kinds = self.layer[owner] * 2 + self.additive[owner]
        dot_x = x0[piece] + (x1 - x0)[piece] * share
        dot_y = y0[piece] + (y1 - y0)[piece] * share
        number = picture_number(SOFT)
        for kind in np.unique(kinds).tolist():
            chosen = np.flatnonzero(kinds == kind)
            count = len(chosen)
            yield (
                kind >> 1,
                SpriteBatch(
                    np.full(count, number, np.uint32),
                    dot_x[chosen],
                    dot_y[chosen],
                    np.zeros(count),
                    scale[chosen],
                    self.color[owner[chosen]],
                    opacity[chosen],
                    np.zeros(count, np.bool_),
                    bool(kind & 1),
                ),
            )
