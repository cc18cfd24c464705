"""The rules of Ricochet: what flies and bounces, the same on a server, in a prediction, in a replay and for a bot.

The order of the plugins is the order of their handlers within an event: wishes, motion, weapons, then what follows.
Who plays, scores and launches is for `authority` to say, which needs these rules and has its handlers after them.
"""

from __future__ import annotations

from engine.app import Plugin
from engine.physics import physics
from games.ricochet.ball import balls
from games.ricochet.discs import discs
from games.ricochet.flight import flight
from games.ricochet.shield import shields
from games.ricochet.throwing import throwing
from games.ricochet.waiting import waiting

rules = Plugin("ricochet.rules", needs=[physics, flight, shields, throwing, discs, balls, waiting])
"""What a client may simulate ahead of its server: it needs no more than the entities it is told of."""
