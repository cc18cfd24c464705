"""What can go wrong in a world, each error naming the entity or column and the cure."""

from engine.errors import TickwireError


class EcsError(TickwireError):
    """Base of all errors raised by `engine.ecs`."""


class ComponentError(EcsError):
    """A component class is declared wrongly."""


class StaleEntityError(EcsError):
    """A handle was used after its entity had been despawned."""


class StaleRowError(EcsError):
    """A row was kept, and used after it had left its place in the table."""


class MissingComponentError(EcsError, KeyError):
    """An entity or a table does not have the component asked for."""

    def __str__(self) -> str:
        return str(self.args[0])


class MissingResourceError(EcsError, KeyError):
    """No resource of that type was inserted into the world."""

    def __str__(self) -> str:
        return str(self.args[0])


class SnapshotError(EcsError):
    """A snapshot cannot be taken now, or does not fit the world it is restored into."""
