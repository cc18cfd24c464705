"""Resources: one value of a type per world, such as the score or the round clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, dataclass_transform


@dataclass_transform(field_specifiers=(field,))
class Resource:
    """Base of resources that are simulation state; subclasses become dataclasses::

        class Match(Resource):
            seconds_left: float = 180.0

    Such a resource is hashed and snapshotted with the world. `class Meter(Resource, local=True)` and its subclasses
    are not, and neither is a resource of any other class.
    """

    local: ClassVar[bool] = False
    """Whether the resource belongs to this machine only."""

    def __init_subclass__(cls, *, local: bool | None = None) -> None:
        super().__init_subclass__()
        if local is not None:
            cls.local = local
        dataclass(cls)
