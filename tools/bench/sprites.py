"""Sprites: 10,000 moving ones through entities, interpolation, culling and the renderer, against bare `fblits`.

The bare list holds the same frames at the same places, made beforehand, with straight alpha, as pygame loads them. The
second figure is against the renderer's own list, whose frames it has premultiplied. Neither side clears the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pygame

from engine.app import Frame, Scene
from engine.assets import Assets
from engine.desktop.software import SoftwareRenderer
from engine.graphics import Camera, Screen, Sprite, SpriteBatch, graphics
from engine.scene import Interpolation, Transform
from tools.bench.figure import Figure, rival

SPRITES = 10_000
PICTURES = 8
SIZE = (1280, 720)

Blits = list[tuple[pygame.Surface, tuple[int, int]]]


class _Noted(SoftwareRenderer):
    """Keeps the last batch, so that the same list can be blitted bare."""

    batch: SpriteBatch | None = None

    def sprites(self, batch: SpriteBatch) -> None:
        self.batch = batch
        super().sprites(batch)


def sprites() -> Iterator[Figure]:
    """Time both turn about."""
    with TemporaryDirectory() as folder:
        scene, renderer = _scene(Path(folder))
        scene.world.resource(Camera).background = None
        frame = Frame(0.5, 1 / 60, 0.0)
        _move(scene)
        scene.run_frame(frame)
        placed, straight = _lists(renderer)

        def image() -> None:
            renderer.begin()
            scene.run_frame(frame)

        surface = renderer.surface
        times = rival(
            {
                "engine": image,
                "bare": lambda: surface.fblits(placed, pygame.BLEND_PREMULTIPLIED),
                "straight": lambda: surface.fblits(straight),
            },
            rounds=30,
            number=5,
        )
    ours = times["engine"] * 1e3
    yield Figure("sprites", ours, "ms", "bare fblits of the same list", times["straight"] * 1e3, "<= 1.5")
    yield Figure("sprites premultiplied", ours, "ms", "bare fblits of the renderer's list", times["bare"] * 1e3)


def _scene(folder: Path) -> tuple[Scene, _Noted]:
    """Sprites all in view, of several pictures, in several directions."""
    renderer = _Noted(SIZE, Assets(folder))
    scene = Scene(graphics, resources=[Screen(renderer)])
    rng = np.random.default_rng(1)
    for number in range(PICTURES):
        picture = pygame.Surface((16, 16), pygame.SRCALPHA, 32)
        pygame.draw.circle(picture, (40 + 25 * number, 220 - 20 * number, 255, 200), (8, 8), 7)
        pygame.image.save(picture, folder / f"{number}.png")
        count = SPRITES // PICTURES
        scene.world.spawn_many(
            count,
            Transform(),
            Sprite(f"{number}.png"),
            values={
                Transform.x: rng.uniform(20, SIZE[0] - 20, count),
                Transform.y: rng.uniform(20, SIZE[1] - 20, count),
                Transform.angle: rng.integers(0, 16, count) * (np.pi / 8),
            },
        )
    return scene, renderer


def _move(scene: Scene) -> None:
    """One tick's motion, so that there is something to interpolate."""
    scene.world.resource(Interpolation).note(scene.world)
    for rows in scene.world.tables(Transform):
        rows[Transform.x] += np.where(rows.ids % np.uint64(2), 0.75, -0.75)
        rows[Transform.y] += np.where(rows.ids % np.uint64(3), -0.5, 1.0)


def _lists(renderer: _Noted) -> tuple[Blits, Blits]:
    batch = renderer.batch
    assert batch is not None
    assert len(batch) == SPRITES
    surfaces, from_left, from_top, _ = renderer.frames.of(batch)
    left = np.rint(batch.x - from_left).astype(int).tolist()
    top = np.rint(batch.y - from_top).astype(int).tolist()
    straight = {id(surface): surface.copy() for surface in surfaces}
    places = list(zip(left, top, strict=True))
    return (
        list(zip(surfaces, places, strict=True)),
        list(zip([straight[id(surface)] for surface in surfaces], places, strict=True)),
    )
