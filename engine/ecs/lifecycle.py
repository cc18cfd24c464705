"""What a world tells about itself: entities come and go, components are added and removed.

A world does not know who listens: it posts these to the `Outlet` it was given, and only those somebody wants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from engine.ecs.component import Component
from engine.ecs.entity import Entity

C = TypeVar("C", bound=Component)


class Outlet(Protocol):
    """Where a world posts. `version` changes whenever `listens` may answer otherwise than before."""

    @property
    def version(self) -> int: ...
    @property
    def post(self) -> Callable[[object], None]: ...
    def post_as(self, key: Any, event: object) -> None: ...
    def listens(self, key: Any) -> bool: ...


class Silence:
    """The outlet of a world on its own: nobody listens."""

    version = 0

    def post(self, event: object) -> None:
        """Drop it."""

    def post_as(self, key: Any, event: object) -> None:
        """Drop it."""

    def listens(self, key: Any) -> bool:
        """Nobody does."""
        return False


@dataclass(slots=True)
class Spawned:
    """An entity has come to exist, with its components in place."""

    entity: Entity


@dataclass(slots=True)
class Despawned:
    """An entity is gone; the handle is only good for comparing."""

    entity: Entity


@dataclass(slots=True)
class Added(Generic[C]):
    """`Added[Hull]`: the entity has got a Hull, at its spawning or later."""

    entity: Entity


@dataclass(slots=True)
class Removed(Generic[C]):
    """`Removed[Hull]`: the entity has lost its Hull, or is gone; `value` is the last state of it."""

    entity: Entity
    value: C


@dataclass(slots=True)
class Restored:
    """The whole world was put back to a snapshot. No other event tells of what came and went by that."""
