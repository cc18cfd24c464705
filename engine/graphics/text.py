"""Text standing in the world, such as a name over a ship."""

from __future__ import annotations

from typing import Literal

from engine.ecs import F32, I32, U32, Component, Flag, Obj, f32, flag, i32, obj, u32
from engine.graphics.color import WHITE

Align = Literal["left", "center", "right"]


class Text(Component, local=True):
    """A line of text at the entity's transform, moved by `dx`, `dy`; never turned. Its capital letters
    are about half as high as `size`, in world units.

    `align` says which part of the text lies on the spot; vertically it is the middle.
    """

    text: Obj[str] = obj(default="")
    size: F32 = f32(default=20.0)
    color: U32 = u32(default=WHITE)
    align: Obj[Align] = obj(default="center")
    layer: I32 = i32(default=0)
    glow: F32 = f32(default=0.0)
    dx: F32 = f32(default=0.0)
    dy: F32 = f32(default=0.0)
    font: Obj[str] = obj(default="")
    visible: Flag = flag(default=True)
