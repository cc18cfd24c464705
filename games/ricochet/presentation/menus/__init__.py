"""The menus: scenes of their own on the app's stack, over a match of bots or over the match that is paused.

Read in this order: `flow` is what follows what, `menu` what menus have in common, and the others are the pages.
"""

from games.ricochet.presentation.menus.connection import connection
from games.ricochet.presentation.menus.flow import begin, leave, opening
from games.ricochet.presentation.menus.pause import pausing

__all__ = ["begin", "connection", "leave", "opening", "pausing"]
