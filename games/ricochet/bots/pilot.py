"""The pilot: flies to pickups and about, and circles an enemy once it has found one."""

from __future__ import annotations

from math import hypot

from games.ricochet import tuning
from games.ricochet.bots.sight import Seen
from games.ricochet.bots.thought import Thought

CRUISE = 0.9 * tuning.THRUST / tuning.DRAG
"""The speed it wants, units/s."""
RANGE = 380.0
"""The distance it keeps from an enemy, units."""
ROOM = 110.0
"""Units ahead that must be free for circling."""
ARRIVED = 70.0
"""Nearer to its goal than this it is there, units."""
RESOLVE = 7.0
"""Seconds after which it looks for another goal, about."""
CHASE = 3.0
"""Seconds it flies to where it last saw an enemy."""
HUNTING = 0.7
"""Chance that it follows an arrow rather than look anywhere."""
SLOW = 40.0
"""Slower than this it hardly moves, units/s."""
STUCK = 0.8
"""Seconds of that after which it does something else."""


def fly(thought: Thought, target: Seen | None) -> None:
    """Decide where to thrust."""
    brain, me = thought.brain, thought.me
    brain.resolve -= thought.passed
    brain.idle = brain.idle + thought.passed if hypot(me.motion.vx, me.motion.vy) < SLOW else 0.0
    restless = brain.idle > STUCK or brain.resolve <= 0
    if restless:
        brain.side = thought.rng.choice((-1.0, 1.0))
    if restless or _is_done(thought):
        _choose_goal(thought)
    pickup = _sees_pickup(thought)
    if target is not None and not pickup and _circle(thought, target):
        return
    chasing = target is None and brain.ago < CHASE and not pickup
    goal_x, goal_y = (brain.x, brain.y) if chasing else (brain.goal_x, brain.goal_y)
    x, y = thought.terrain.ground.towards(me.at.x, me.at.y, goal_x, goal_y)
    _thrust(thought, x - me.at.x, y - me.at.y)


def _choose_goal(thought: Thought) -> None:
    """Make for a pad that may have something, for where an arrow points, or for any place."""
    brain, me, rng = thought.brain, thought.me, thought.rng
    brain.idle = 0.0
    brain.resolve = RESOLVE * (0.6 + 0.8 * rng.random())
    pads = [pad for pad in thought.sight.pads if pad.full or not me.has_on_screen(pad.x, pad.y)]
    enemy = thought.sight.arrow(me)
    if pads and rng.random() < thought.skill.greed:
        goal = min(pads, key=lambda pad: me.distance(pad.x, pad.y) * (0.4 + rng.random()))
    elif enemy is not None and rng.random() < HUNTING:
        goal = enemy
    else:
        goal = rng.choice(thought.terrain.arena.spawns)
    brain.goal_x, brain.goal_y = goal.x, goal.y


def _is_done(thought: Thought) -> bool:
    """Whether it has arrived where nothing lies, or sees from afar that the pad it makes for is empty."""
    brain, me = thought.brain, thought.me
    if me.distance(brain.goal_x, brain.goal_y) < ARRIVED:
        return not _sees_pickup(thought)
    return _sees_pad(thought, full=False)


def _sees_pickup(thought: Thought) -> bool:
    """Whether it can see that a pickup lies where it wants to go."""
    return _sees_pad(thought, full=True)


def _sees_pad(thought: Thought, *, full: bool) -> bool:
    brain, me = thought.brain, thought.me
    if not me.has_on_screen(brain.goal_x, brain.goal_y):
        return False
    pads = thought.sight.pads
    return any(pad.full is full and abs(pad.x - brain.goal_x) + abs(pad.y - brain.goal_y) < 1 for pad in pads)


def _circle(thought: Thought, target: Seen) -> bool:
    """Fly around the enemy at a distance. Returns whether there is room to."""
    brain, at = thought.brain, thought.me.at
    dx, dy = target.x - at.x, target.y - at.y
    distance = hypot(dx, dy) or 1.0
    dx, dy = dx / distance, dy / distance
    closer = max(-1.0, min(1.0, (distance - RANGE) / 150))
    for side in (brain.side, -brain.side):
        x, y = dx * closer - dy * side, dy * closer + dx * side
        length = hypot(x, y)
        x, y = x / length, y / length
        if thought.terrain.ground.is_clear(at.x, at.y, at.x + x * ROOM, at.y + y * ROOM):
            brain.side = side
            _thrust(thought, x, y)
            return True
    return False


def _thrust(thought: Thought, dx: float, dy: float) -> None:
    """Thrust so that the drift turns towards (dx, dy)."""
    motion, length = thought.me.motion, hypot(dx, dy) or 1.0
    x, y = dx / length * CRUISE - motion.vx, dy / length * CRUISE - motion.vy
    strength = max(hypot(x, y), 120.0)
    thought.brain.thrust_x, thought.brain.thrust_y = x / strength, y / strength
