"""The bots' plugin: gives brains to seats without people, lets a few think each tick, and sends what they want."""

from __future__ import annotations

from collections.abc import Iterator
from math import remainder, tau

from engine.app import Commanded, Plugin, Time
from engine.ecs import World
from games.ricochet.arena import Arenas
from games.ricochet.authority import authority
from games.ricochet.bots.brain import THOUGHT, BotSettings, Brain
from games.ricochet.bots.evasion import evade
from games.ricochet.bots.gunner import consider_throw, watch
from games.ricochet.bots.pilot import fly
from games.ricochet.bots.sight import Self, Sight
from games.ricochet.bots.skill import LEVELS, SKILLS, Skill
from games.ricochet.bots.thought import Terrain, Thought, learn
from games.ricochet.commands import Fly
from games.ricochet.components import Player
from games.ricochet.events import SeatTaken
from games.ricochet.seats import player_in

bots = Plugin("ricochet.bots", needs=[authority])

STEADY_AIM = 0.05
"""The aim is on a mark nearer than this, radians."""


@bots.setup
def learn_arenas(world: World) -> None:
    """All arenas are learnt before the match, so that no tick waits for it, nor the change from one to the next."""
    for arena in world.resource(Arenas).in_order:
        learn(arena)


@bots.on(SeatTaken)
def wake(world: World, taken: SeatTaken) -> None:
    """A seat without a person gets a brain."""
    player = player_in(world, taken.seat)
    if player is None or taken.person:
        return
    settings = world.resource(BotSettings)
    level = settings.levels.get(taken.seat, settings.level)
    player.add(Brain(level=LEVELS.index(level)))


@bots.commands(simulated=True)
def play(world: World) -> Iterator[Commanded[Fly]]:
    """What every bot with a ship wants in this tick."""
    time = world.resource(Time)
    sight: Sight | None = None
    for player, brain in world.rows(Player, Brain):
        ship = world.find(player.ship)
        if ship is None:
            continue
        skill = SKILLS[LEVELS[brain.level]]
        if (time.tick + player.seat) % THOUGHT == 0:
            sight = sight or Sight.take(world)
            _think(Thought(brain, skill, Self.of(ship), sight, Terrain.of(world), THOUGHT * time.dt, world.rng))
        yield Commanded(player.seat, _act(brain, skill, time.dt))


def _think(thought: Thought) -> None:
    target = watch(thought)
    if not evade(thought):
        fly(thought, target)
    consider_throw(thought, target)


def _act(brain: Brain, skill: Skill, dt: float) -> Fly:
    """Bring the aim round, count the times down, and make a command of it all."""
    turn = remainder(brain.wish - brain.aim, tau)
    most = skill.turning * dt
    brain.aim = remainder(brain.aim + max(-most, min(most, turn)), tau)
    fire = brain.shot > 0 and abs(turn) < STEADY_AIM
    if fire:
        brain.shot = 0.0
        brain.rest = skill.patience
    dash, brain.leap = bool(brain.leap), False
    brain.shot = max(0.0, brain.shot - dt)
    brain.rest = max(0.0, brain.rest - dt)
    brain.nerve = max(0.0, brain.nerve - dt)
    brain.cover = max(0.0, brain.cover - dt)
    return Fly(brain.thrust_x, brain.thrust_y, brain.aim, fire, dash, brain.cover > 0)
