"""Sprites: pictures at places. Animations change a sprite's picture over time; tilings cover the ground with one."""

from __future__ import annotations

from typing import Any

from engine.ecs import F32, I32, U32, Component, Flag, Obj, f32, flag, i32, obj, u32
from engine.graphics.color import WHITE
from engine.graphics.picture import picture_number


class Sprite(Component, local=True):
    """A picture drawn where the entity's `Transform` is, its middle on the spot.

    Lower layers are drawn first. Within a layer come the sprites that cover, older entities first, then the
    `additive` ones, which add their light to what is below. `scale` 1 draws a pixel as one world unit.
    """

    image: Obj[str] = obj(default="")
    """The picture's name; see `engine.graphics.picture`."""
    layer: I32 = i32(default=0)
    scale: F32 = f32(default=1.0)
    tint: U32 = u32(default=WHITE)
    """A `Color` the picture is multiplied with; its alpha counts too."""
    additive: Flag = flag(default=False)
    angle: F32 = f32(default=0.0)
    """Radians added to the transform's angle."""
    opacity: F32 = f32(default=1.0)
    flip_x: Flag = flag(default=False)
    visible: Flag = flag(default=True)
    picture: U32 = u32(default=0)
    """The number of `image`, or 0 as long as nobody has looked it up."""


class Tiling(Component, local=True):
    """A picture repeated over everything the camera sees, anchored at the entity's transform or the world's origin.

    `parallax` below 1 lets it move slower than the world, as if far away.
    """

    image: Obj[str] = obj(default="")
    layer: I32 = i32(default=0)
    parallax: F32 = f32(default=1.0)


class Animation(Component, local=True):
    """Lets the entity's sprite show `frames`, names of pictures, one after the other; `strip` names those of a strip.

    Without `loop` it stays on the last frame and `finished` turns true. To start again set `seconds` to 0.
    """

    frames: Obj[tuple[str, ...]] = obj(default=())
    fps: F32 = f32(default=12.0)
    loop: Flag = flag(default=True)
    playing: Flag = flag(default=True)
    seconds: F32 = f32(default=0.0)
    """How long it has been running."""
    first: U32 = u32(default=0)
    """The number of the first frame's picture, or 0 as long as nobody has looked it up."""
    count: U32 = u32(default=0)

    @property
    def finished(self) -> bool:
        """Whether an animation that does not loop has shown all its frames."""
        return not self.loop and self.seconds * self.fps >= len(self.frames)


class _Lookup:
    """An object field whose number is kept beside it: assigning the field forgets or renews the number."""

    def __init__(self, column: Any, number: str, find: Any) -> None:
        self.column = column
        self.place = column.place
        self.name = column.name
        self.number = number
        self.find = find

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance._cells[self.place]

    def __set__(self, instance: Any, value: Any) -> None:
        instance._cells[self.place] = value
        setattr(instance, self.number, self.find(value))


def _forget(_: object) -> int:
    return 0


_sprite: Any = Sprite
_sprite.image = _Lookup(_sprite.image, "picture", picture_number)
_animation: Any = Animation
_animation.frames = _Lookup(_animation.frames, "first", _forget)
