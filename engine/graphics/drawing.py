"""From a world to a list of things to draw: placed between ticks, culled by the view, ordered by layer."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ecs import Entity, Rows, World
from engine.ecs.entity import SLOT
from engine.graphics.camera import View
from engine.graphics.line import Lines
from engine.graphics.particles import Particles
from engine.graphics.picture import picture_number, picture_run
from engine.graphics.placement import Placed, placed
from engine.graphics.renderer import Renderer, SpriteBatch, Stroke
from engine.graphics.sprite import Animation, Sprite, Tiling
from engine.graphics.text import Text
from engine.graphics.trail import Trails
from engine.scene import Offset, Transform

Draw = Callable[[], None]
Place = tuple[int, int]
"""Layer, and rank within the layer."""
Item = tuple[int, int, Draw]
"""Layer, rank within the layer, and what to do."""

TILING, GEOMETRY, SPRITE, TRAIL, LIGHT, PARTICLE, TEXT = range(7)


def animate(world: World, dt: float) -> None:
    """Advance animations by `dt` seconds and set their sprites' pictures."""
    for rows in world.tables(Animation, Sprite):
        first = rows[Animation.first]
        if not first.all():
            _look_up_runs(rows, first)
            first = rows[Animation.first]
        rows[Animation.seconds] += np.where(rows[Animation.playing], np.float32(dt), np.float32(0.0))
        count = np.maximum(rows[Animation.count], 1).astype(np.int64)
        frame = (rows[Animation.seconds] * rows[Animation.fps]).astype(np.int64)
        frame = np.where(rows[Animation.loop], frame % count, np.minimum(frame, count - 1))
        rows[Sprite.picture] = first + frame


def _look_up_runs(rows: Rows, first: NDArray[np.uint32]) -> None:
    counts = rows[Animation.count].copy()
    numbers = first.copy()
    frames = rows[Animation.frames]
    for row in np.flatnonzero(first == 0).tolist():
        names = frames[row] or ("",)
        numbers[row] = picture_run(names)
        counts[row] = len(names)
    rows[Animation.first] = numbers
    rows[Animation.count] = counts


def draw_list(world: World, view: View, renderer: Renderer, alpha: float) -> list[Item]:
    """Everything of the world to draw in `view`, in order."""
    items: list[Item] = []
    for make in (_tilings, _lines, _trails, _particles, _texts):
        items.extend(make(world, view, renderer, alpha))
    items.extend(_sprites(world, view, renderer, alpha, sorted({item[:2] for item in items})))
    items.sort(key=lambda item: item[:2])
    return items


def _sprites(world: World, view: View, renderer: Renderer, alpha: float, others: list[Place]) -> Iterator[Item]:
    """Batches of sprites, as large as the layers and ranks of `others`, drawn in between, allow."""
    parts = [part for rows in placed(world, Sprite, alpha) if (part := _seen(rows, view, renderer)) is not None]
    if not parts:
        return
    picture, x, y, angle, scale, tint, opacity, flip, order = (
        parts[0] if len(parts) == 1 else [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    )
    if (np.diff(order) < 0).any():
        sorting = np.argsort(order, kind="stable")
        columns: list[Any] = [column[sorting] for column in (picture, x, y, angle, scale, tint, opacity, flip, order)]
        picture, x, y, angle, scale, tint, opacity, flip, order = columns
    for start, stop, (layer, rank) in _cuts(order >> 32, others):
        part = slice(start, stop)
        additive = rank == LIGHT
        batch = SpriteBatch(
            picture[part], x[part], y[part], angle[part], scale[part], tint[part], opacity[part], flip[part], additive
        )
        yield layer, rank, lambda batch=batch: renderer.sprites(batch)


def _cuts(groups: NDArray[np.int64], others: list[Place]) -> list[tuple[int, int, Place]]:
    """Cut the sorted `groups` (layer << 1 | additive) where the blending changes or something else is in between."""
    cuts: list[tuple[int, Place]] = []
    last: tuple[int, int] | None = None
    for start in (0, *(np.flatnonzero(np.diff(groups)) + 1).tolist()):
        group = int(groups[start])
        place = group >> 1, LIGHT if group & 1 else SPRITE
        run = bisect(others, place), place[1]
        if run != last:
            cuts.append((start, place))
            last = run
    stops = [*(start for start, _ in cuts[1:]), len(groups)]
    return [(start, stop, place) for (start, place), stop in zip(cuts, stops, strict=True)]


def _seen(found: Placed, view: View, renderer: Renderer) -> list[Any] | None:
    """The columns of the sprites in view, the last being their order: layer, additive, index of the entity."""
    rows, x, y, angle = found
    picture = rows[Sprite.picture]
    if not picture.all():
        _look_up(rows, picture)
        picture = rows[Sprite.picture]
    x, y = view.to_screen(x, y)
    scale = rows[Sprite.scale] * np.float32(view.zoom)
    reach = renderer.radii(picture) * np.abs(scale)
    seen = rows[Sprite.visible] & (picture != 0)
    seen &= (x > -reach) & (x < view.width + reach) & (y > -reach) & (y < view.height + reach)
    order = (rows[Sprite.layer].astype(np.int64) << 33) | (rows.ids & np.uint64(SLOT)).astype(np.int64)
    order += rows[Sprite.additive].astype(np.int64) << 32
    columns: list[Any] = [
        picture,
        x,
        y,
        angle + rows[Sprite.angle],
        scale,
        rows[Sprite.tint],
        rows[Sprite.opacity],
        rows[Sprite.flip_x],
        order,
    ]
    if seen.all():
        return columns
    chosen = np.flatnonzero(seen)
    return [column[chosen] for column in columns] if len(chosen) else None


def _look_up(rows: Rows, picture: NDArray[np.uint32]) -> None:
    numbers = picture.copy()
    images = rows[Sprite.image]
    for row in np.flatnonzero(picture == 0).tolist():
        numbers[row] = picture_number(images[row])
    rows[Sprite.picture] = numbers


def _tilings(world: World, view: View, renderer: Renderer, alpha: float) -> Iterator[Item]:
    for entity, tiling in world.rows(Entity, Tiling):
        here = entity.get(Transform)
        x0, y0 = (here.x, here.y) if here is not None else (0.0, 0.0)
        x = (x0 - view.x * tiling.parallax) * view.zoom + view.width / 2
        y = (y0 - view.y * tiling.parallax) * view.zoom + view.height / 2
        image = tiling.image
        yield tiling.layer, TILING, lambda image=image, x=x, y=y: renderer.tiling(image, x, y, view.zoom)


def _lines(world: World, view: View, renderer: Renderer, alpha: float) -> Iterator[Item]:
    standing: dict[int, list[Stroke]] = {}
    for line in world.rows(Lines, without=(Transform, Offset)):
        if line.visible:
            standing.setdefault(line.layer, []).append(_stroke(line))
    for layer, strokes in standing.items():
        key = id(world), layer
        yield layer, GEOMETRY, lambda key=key, strokes=strokes: renderer.geometry(key, strokes, view)
    for rows, xs, ys, angles in placed(world, Lines, alpha):
        where = zip(rows.entities, xs.tolist(), ys.tolist(), angles.tolist(), strict=True)
        for entity, x, y, angle in where:
            line = entity[Lines]
            if line.visible and line.points and x == x:
                stroke = _stroke(line)
                yield (
                    line.layer,
                    GEOMETRY,
                    lambda stroke=stroke, x=x, y=y, angle=angle: renderer.stroke(stroke, x, y, angle, view),
                )


def _stroke(line: Lines) -> Stroke:
    return Stroke(line.points, line.color, line.width, line.glow, line.closed)


def _trails(world: World, view: View, renderer: Renderer, alpha: float) -> Iterator[Item]:
    for layer, batch in world.resource(Trails).batches(view):
        yield layer, TRAIL, lambda batch=batch: renderer.sprites(batch)


def _particles(world: World, view: View, renderer: Renderer, alpha: float) -> Iterator[Item]:
    for layer, batch in world.resource(Particles).batches(view):
        yield layer, PARTICLE, lambda batch=batch: renderer.sprites(batch)


def _texts(world: World, view: View, renderer: Renderer, alpha: float) -> Iterator[Item]:
    area = view.area
    for rows, xs, ys, _ in placed(world, Text, alpha):
        for entity, x, y in zip(rows.entities, xs.tolist(), ys.tolist(), strict=True):
            text = entity[Text]
            margin = text.size * (len(text.text) + 1)
            near = area.x - margin < x < area.right + margin and area.y - margin < y < area.bottom + margin
            if text.visible and near:
                yield text.layer, TEXT, _text(renderer, view, text, x, y)


def _text(renderer: Renderer, view: View, text: Text, x: float, y: float) -> Draw:
    x, y = x + text.dx, y + text.dy
    words, size, color, align, glow, font = text.text, text.size, text.color, text.align, text.glow, text.font

    def draw() -> None:
        canvas = renderer.canvas(view)
        top = y - canvas.measure(words, size=size, font=font)[1] / 2
        canvas.text(words, x, top, size=size, color=color, align=align, glow=glow, font=font)

    return draw
