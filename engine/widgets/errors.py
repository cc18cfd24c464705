"""What can go wrong with widgets."""

from engine.errors import TickwireError


class WidgetError(TickwireError):
    """Widgets were put together in a way that makes no sense. The message names the cure."""
