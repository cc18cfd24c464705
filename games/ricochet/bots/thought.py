"""One thought of one bot: what it sees, what it has in mind, and what it knows of the arena."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from engine.ecs import World
from games.ricochet.arena import Arena, Arenas
from games.ricochet.bots.brain import Brain
from games.ricochet.bots.foresight import Foresight
from games.ricochet.bots.ground import Ground
from games.ricochet.bots.sight import Self, Sight
from games.ricochet.bots.skill import Skill
from games.ricochet.match import Match


@dataclass(slots=True)
class Terrain:
    """An arena known by heart. A resource, but not state: it follows from the map."""

    arena: Arena
    ground: Ground
    foresight: Foresight

    @classmethod
    def of(cls, world: World) -> Terrain:
        """The terrain of the arena that stands."""
        arena = world.resource(Arenas)[world.resource(Match).arena]
        known = world.find_resource(Terrain)
        if known is None or known.arena is not arena:
            known = world.insert(learn(arena))
        return known


@cache
def learn(arena: Arena) -> Terrain:
    """The terrain of an arena. Takes a tenth of a second the first time, so it is not left to a tick."""
    return Terrain(arena, Ground(arena), Foresight(arena))


@dataclass(slots=True)
class Thought:
    """What goes into a thought. The brain takes what comes out of it."""

    brain: Brain
    skill: Skill
    me: Self
    sight: Sight
    terrain: Terrain
    passed: float
    """Seconds since the bot's last thought."""
    rng: Random
