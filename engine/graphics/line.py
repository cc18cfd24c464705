"""Glowing lines, drawn from points rather than from a picture."""

from __future__ import annotations

from engine.ecs import F32, I32, U32, Component, Flag, Obj, f32, flag, i32, obj, u32
from engine.graphics.color import WHITE

Point = tuple[float, float]


class Lines(Component, local=True):
    """A line through `points`, given relative to the entity's transform, or in the world if it has none.

    With `glow`, the reach of its light in world units, it is light added to what is below, white at heart; without,
    it is plain. Lines of entities without a transform are drawn once and kept, so a whole arena costs little; to
    change one, assign new `points`.
    """

    points: Obj[tuple[Point, ...]] = obj(default=())
    color: U32 = u32(default=WHITE)
    width: F32 = f32(default=2.0)
    glow: F32 = f32(default=0.0)
    closed: Flag = flag(default=False)
    layer: I32 = i32(default=0)
    visible: Flag = flag(default=True)
