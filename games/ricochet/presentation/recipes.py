"""Recipes of light: what bursts when something happens."""

from __future__ import annotations

from math import radians

from engine.graphics import Burst
from games.ricochet.presentation.looks import CRATE, Layer

SPARKS = Burst(
    count=14, speed=(80, 420), life=(0.15, 0.45), size=(6, 14), spread=radians(120), drag=5.0, layer=Layer.SPARKS
)
"""A bounce."""
GLINT = Burst(count=1, speed=(0, 0), life=(0.16, 0.16), size=(64, 64), drag=0.0, grow=0.4, layer=Layer.SPARKS)
"""The light on the wall where a disc bounces."""
DEBRIS = Burst(count=60, speed=(60, 620), life=(0.3, 1.0), size=(6, 20), drag=3.5, grow=0.2, layer=Layer.SPARKS)
"""A ship bursts."""
FLASH = Burst(count=1, speed=(0, 0), life=(0.22, 0.22), size=(230, 230), drag=0.0, grow=1.6, layer=Layer.SPARKS)
"""One big soft light."""
RING = Burst(
    count=1,
    speed=(0, 0),
    life=(0.5, 0.5),
    size=(90, 90),
    grow=4.5,
    drag=0.0,
    image="sprites/ring.png",
    image_size=256.0,
    layer=Layer.SPARKS,
)
"""A shock wave."""
WIDE_RING = Burst(
    count=1,
    speed=(0, 0),
    life=(0.9, 0.9),
    size=(60, 60),
    grow=9.0,
    drag=0.0,
    image="sprites/ring.png",
    image_size=256.0,
    layer=Layer.SPARKS,
)
"""The shock wave of a third-bounce kill."""
SMALL_RING = Burst(
    count=1,
    speed=(0, 0),
    life=(0.3, 0.3),
    size=(36, 36),
    grow=3.2,
    drag=0.0,
    image="sprites/ring.png",
    image_size=256.0,
    layer=Layer.SPARKS,
)
EMBERS = Burst(count=10, speed=(5, 50), life=(0.2, 0.5), size=(8, 18), drag=2.0, layer=Layer.TRAILS)
"""Left behind by a leap."""
SPLINTERS = Burst(count=26, color=CRATE, speed=(60, 340), life=(0.25, 0.7), size=(6, 14), layer=Layer.SPARKS)
"""A crate breaks."""
MUZZLE = Burst(count=7, speed=(120, 380), life=(0.08, 0.22), size=(6, 12), spread=radians(50), layer=Layer.SPARKS)
"""A disc is thrown."""
GLITTER = Burst(count=24, speed=(40, 220), life=(0.3, 0.8), size=(5, 11), drag=2.5, layer=Layer.SPARKS)
"""A pickup is taken, a ship arrives."""
