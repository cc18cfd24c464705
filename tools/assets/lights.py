"""Light alone, on black, for adding to the picture: sparks, a streak, a shock ring; and the vignette, which darkens."""

from __future__ import annotations

import numpy as np

from .paint import BLACK, WHITE, Canvas, Pixels, halo


def spark(size: int) -> Pixels:
    """A round soft dot that reaches exactly zero at its edge."""
    canvas = Canvas(size, size, detail=8)
    away = np.hypot(canvas.x, canvas.y) / (size / 2)
    canvas.lay(WHITE, 0.55 * np.clip(1 - away**2, 0, 1) ** 3 + 0.45 * halo(away, 1.0) ** 0.7)
    return canvas.rgb()


def streak() -> Pixels:
    """A trail's piece, 64 × 16, its bright head at the right."""
    canvas = Canvas(64, 16, origin=(54, 8), detail=6)
    tail = np.clip(1 + canvas.x / 52, 0, 1)
    behind = np.where(canvas.x < 0, np.abs(canvas.y) / (1.5 + 5.5 * tail), np.hypot(canvas.x, canvas.y) / 7.5)
    canvas.lay(WHITE, halo(behind, 1.0) * np.where(canvas.x < 0, tail**1.6, 1.0))
    return canvas.rgb()


def ring() -> Pixels:
    """A shock wave, radius 112 of 256 px: a hard front with light trailing inward."""
    canvas = Canvas(256, 256, detail=2)
    away = np.hypot(canvas.x, canvas.y)
    front = np.exp(-(((away - 112) / 2.6) ** 2))
    wake = np.where(away < 112, np.exp(-((112 - away) / 22)), 0.0) * np.clip(away / 60, 0, 1) ** 2
    outer = np.where(away >= 112, halo(away - 112, 15.0), 1.0)
    canvas.lay(WHITE, np.clip(0.85 * front + 0.40 * wake * outer + 0.35 * outer * np.where(away >= 112, 1, wake), 0, 1))
    return canvas.rgb()


def vignette() -> Pixels:
    """Black with alpha, 640 × 360, to be scaled over the window."""
    canvas = Canvas(640, 360, detail=1)
    away = np.hypot(canvas.x / 320, canvas.y / 180) / np.sqrt(2)
    canvas.lay(BLACK, 0.78 * np.clip((away - 0.45) / 0.55, 0, 1) ** 1.7)
    return canvas.rgba(BLACK)
