"""The pilot: flies to pickups and about, and circles an enemy once it has found one."""

from __future__ import annotations

from math import hypot

from games.ricochet import tuning
from games.ricochet.arena import Arena
from games.ricochet.bots.brain import THOUGHT, Brain
from games.ricochet.bots.ground import Ground
from games.ricochet.bots.sight import Seen, Self, Sight, on_screen
from games.ricochet.bots.skill import Skill

CRUISE = 0.9 * tuning.THRUST / tuning.DRAG
"""The speed it wants, units/s."""
RANGE = 380.0
"""The distance it keeps from an enemy, units."""
ARRIVED = 70.0
"""Nearer to its goal than this it is there, units."""
RESOLVE = 7.0
"""Seconds after which it looks for another goal, whether it is there or not."""
CHASE = 3.0
"""Seconds it flies to where it last saw an enemy."""
SLOW = 40.0
"""Slower than this it hardly moves, units/s."""
STUCK = 0.8
"""Seconds of that after which it does something else."""


def fly(sight: Sight, brain: Brain, me: Self, skill: Skill, target: Seen | None, ground: Ground, arena: Arena) -> None:
    """Decide where to thrust."""
    rng = sight.world.rng
    dt = THOUGHT / 60
    brain.resolve -= dt
    brain.idle = brain.idle + dt if hypot(me.motion.vx, me.motion.vy) < SLOW else 0.0
    if brain.idle > STUCK or brain.resolve <= 0:
        brain.side = rng.choice((-1.0, 1.0))
    if brain.idle > STUCK or brain.resolve <= 0 or _is_done(sight, brain, me):
        brain.idle = 0.0
        brain.resolve = RESOLVE * (0.6 + 0.8 * rng.random())
        brain.goal_x, brain.goal_y = _goal(sight, me, skill, arena)
    wants_goal = _is_worth_it(sight, brain)
    if target is not None and not wants_goal and _circle(brain, me, ground, target):
        return
    if target is None and brain.ago < CHASE and not wants_goal:
        x, y = ground.towards(me.at.x, me.at.y, brain.x, brain.y)
    else:
        x, y = ground.towards(me.at.x, me.at.y, brain.goal_x, brain.goal_y)
    _thrust(brain, me, x - me.at.x, y - me.at.y)


def _goal(sight: Sight, me: Self, skill: Skill, arena: Arena) -> tuple[float, float]:
    """A pad it hopes to find something on, or any place."""
    rng = sight.world.rng
    pads = [(x, y) for x, y, lying in sight.pads if lying is not None or not on_screen(me, x, y)]
    if pads and rng.random() < skill.greed:
        x, y = min(pads, key=lambda pad: hypot(pad[0] - me.at.x, pad[1] - me.at.y) * (0.4 + rng.random()))
        return x, y
    spot = rng.choice(arena.spawns)
    return spot.x, spot.y


def _is_done(sight: Sight, brain: Brain, me: Self) -> bool:
    """Whether it has arrived, or sees that the pad it flies to is empty."""
    if hypot(brain.goal_x - me.at.x, brain.goal_y - me.at.y) < ARRIVED:
        return not _is_worth_it(sight, brain)
    return any(
        lying is None and abs(x - brain.goal_x) + abs(y - brain.goal_y) < 1 and on_screen(me, x, y)
        for x, y, lying in sight.pads
    )


def _is_worth_it(sight: Sight, brain: Brain) -> bool:
    """Whether a pickup lies at its goal."""
    return any(lying is not None and abs(x - brain.goal_x) + abs(y - brain.goal_y) < 1 for x, y, lying in sight.pads)


def _circle(brain: Brain, me: Self, ground: Ground, target: Seen) -> bool:
    """Fly around the enemy at a distance. Returns whether there is room to."""
    dx, dy = target.x - me.at.x, target.y - me.at.y
    distance = hypot(dx, dy) or 1.0
    dx, dy = dx / distance, dy / distance
    closer = max(-1.0, min(1.0, (distance - RANGE) / 150))
    for side in (brain.side, -brain.side):
        x, y = dx * closer - dy * side, dy * closer + dx * side
        length = hypot(x, y)
        x, y = x / length, y / length
        if ground.is_clear(me.at.x, me.at.y, me.at.x + x * 110, me.at.y + y * 110):
            brain.side = side
            _thrust(brain, me, x, y)
            return True
    return False


def _thrust(brain: Brain, me: Self, dx: float, dy: float) -> None:
    """Thrust so that the drift turns towards (dx, dy)."""
    length = hypot(dx, dy) or 1.0
    x, y = dx / length * CRUISE - me.motion.vx, dy / length * CRUISE - me.motion.vy
    strength = max(hypot(x, y), 120.0)
    brain.thrust_x, brain.thrust_y = x / strength, y / strength
