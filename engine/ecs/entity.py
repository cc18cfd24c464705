"""Handles: an entity is an id made of an index, a generation and a locality bit, and the world it lives in.

Id layout, 64 bits: generation (32) | local (1) | index (31). Generations start at 1, so no live id is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from engine.ecs.component import Component

if TYPE_CHECKING:
    from engine.ecs.world import World

C = TypeVar("C", bound=Component)

LOCAL = 1 << 31
INDEX = LOCAL - 1
SLOT = LOCAL | INDEX


class Entity:
    """A handle to one entity. It stays comparable and hashable after the entity is gone; using it then raises.

    Raises `StaleEntityError` from every access once the entity has been despawned; only `alive` may still be asked.
    """

    __slots__ = ("id", "world")

    def __init__(self, world: World, id: int) -> None:
        self.world = world
        self.id = id

    def __getitem__(self, component: type[C]) -> C:
        """The entity's row of `component`. Use it in the handler that asked for it; keep the entity, not the row.

        Raises `MissingComponentError` if the entity has no such component.
        """
        return self.world.row(self, component)

    def get(self, component: type[C]) -> C | None:
        """The entity's row of `component`, or None if it has none."""
        return self.world.row(self, component) if self.world.has(self, component) else None

    def __contains__(self, component: type[Component]) -> bool:
        """Whether the entity has `component`."""
        return self.world.has(self, component)

    def add(self, component: Component) -> None:
        """Add a component, or overwrite the one of its type. Takes effect at the end of the stage; see `World.add`."""
        self.world.add(self, component)

    def remove(self, component: type[Component]) -> None:
        """Remove a component. Takes effect at the end of the stage; see `World.remove`."""
        self.world.remove(self, component)

    def despawn(self) -> None:
        """Despawn the entity and its children. Takes effect at the end of the stage; see `World.despawn`."""
        self.world.despawn(self)

    @property
    def alive(self) -> bool:
        """Whether the entity exists and has not been told to despawn."""
        return self.world.is_alive(self)

    @property
    def local(self) -> bool:
        """Whether the entity belongs to this machine only."""
        return bool(self.id & LOCAL)

    @property
    def parent(self) -> Entity | None:
        """The entity this one is attached to."""
        return self.world.parent(self)

    @property
    def children(self) -> list[Entity]:
        """The entities attached to this one, in order of attachment."""
        return self.world.children(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Entity:
        """The same entity; of the world that the memo puts in place of this one, as a snapshot's does."""
        return Entity(memo.get(id(self.world), self.world), self.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entity) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        kind = "local entity" if self.local else "entity"
        return f"<{kind} {self.id & INDEX} generation {self.id >> 32}>"
