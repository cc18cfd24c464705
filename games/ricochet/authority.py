"""What one side alone decides, the server or the machine that a match is played on: seats, lives, scores, rounds.

Also what is too dear to guess wrongly and take back: crates that break, pickups that are taken.
"""

from __future__ import annotations

from engine.app import Plugin
from games.ricochet.crates import crates
from games.ricochet.lasting import lasting
from games.ricochet.lives import lives
from games.ricochet.pickups import pickups
from games.ricochet.rounds import rounds
from games.ricochet.rules import rules
from games.ricochet.scoring import scoring
from games.ricochet.seats import seats

authority = Plugin("ricochet.authority", needs=[rules, seats, lasting, crates, pickups, lives, scoring, rounds])
