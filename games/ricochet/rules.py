"""The rules of Ricochet, the same on a server, in a prediction, in a replay and for a bot.

The order of the plugins is the order of their handlers within an event: wishes, motion, weapons, then what follows.
"""

from __future__ import annotations

from engine.app import Plugin
from engine.physics import physics
from games.ricochet.ball import balls
from games.ricochet.crates import crates
from games.ricochet.discs import discs
from games.ricochet.flight import flight
from games.ricochet.lives import lives
from games.ricochet.pickups import pickups
from games.ricochet.rounds import rounds
from games.ricochet.scoring import scoring
from games.ricochet.seats import seats
from games.ricochet.shield import shields
from games.ricochet.throwing import throwing

rules = Plugin(
    "ricochet.rules",
    needs=[physics, seats, flight, shields, throwing, crates, discs, balls, pickups, lives, scoring, rounds],
)
