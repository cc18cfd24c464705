"""What can go wrong with assets."""

from engine.errors import TickwireError


class AssetError(TickwireError):
    """A file is missing, outside of the roots, or not what it should be. The message names the path and the cure."""
