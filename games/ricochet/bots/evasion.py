"""Evasion: seeing a disc come, and doing something about it, or not."""

from __future__ import annotations

from math import hypot

from games.ricochet import tuning
from games.ricochet.bots.sight import Seen, Self, Sight
from games.ricochet.bots.thought import Thought
from games.ricochet.components import Ball, Disc

SOON = 0.75
"""Seconds; what arrives later is no worry yet."""
CLOSE = tuning.SHIP_RADIUS + tuning.DISC_RADIUS + 14.0
"""A disc that will pass at a greater distance is no worry, units."""
BALL_CLOSE = CLOSE + 40.0
"""The same for the ball."""
HARMLESS = 200.0
"""Slower than this nothing is a worry, units/s."""
STEADY = 0.35
"""Seconds it sticks to what it has decided."""
AT_LAST = 0.4
"""Seconds before the hit at which it is time to do something."""
ASIDE = 80.0
"""Units of room it wants on the side it flies to."""


def evade(thought: Thought) -> bool:
    """Decide what to do about the next disc. Returns whether the bot flies to get out of its way."""
    brain, me, skill, rng = thought.brain, thought.me, thought.skill, thought.rng
    if brain.nerve > 0:
        return bool(brain.thrust_x or brain.thrust_y)
    threat = _next_threat(thought.sight, me)
    if threat is None:
        brain.alarm = 0.0
        return False
    when, missile, side = threat
    brain.alarm += thought.passed
    if brain.alarm < skill.reaction or when > AT_LAST:
        return False
    brain.nerve = STEADY
    brain.thrust_x = brain.thrust_y = 0.0
    if rng.random() >= skill.dodging:
        return False
    if me.shield.energy >= tuning.SHIELD_MINIMUM and Disc in missile.entity and rng.random() < skill.shielding:
        brain.cover = when + 0.15
        return False
    brain.leap = me.dash.cooldown <= 0 and rng.random() < skill.dashing
    _step_aside(thought, missile, side)
    return True


def _next_threat(sight: Sight, me: Self) -> tuple[float, Seen, float] | None:
    """What will hit the bot first: in how many seconds, what, and on which side of its path the bot is."""
    found: list[tuple[float, int, Seen, float]] = []
    for number, seen in enumerate(sight.missiles):
        rx, ry = me.at.x - seen.x, me.at.y - seen.y
        vx, vy = seen.vx - me.motion.vx, seen.vy - me.motion.vy
        square = vx * vx + vy * vy
        when = (rx * vx + ry * vy) / max(square, 1.0)
        if not 0 < when < SOON or square < HARMLESS**2 or not me.has_on_screen(seen.x, seen.y):
            continue
        side = (vx * ry - vy * rx) / square**0.5
        if abs(side) < (BALL_CLOSE if Ball in seen.entity else CLOSE) and not _is_leaving(seen, me):
            found.append((when, number, seen, side))
    for when, _, seen, side in sorted(found)[:2]:
        if sight.is_open(me, seen.x, seen.y):
            return when, seen, side
    return None


def _is_leaving(seen: Seen, me: Self) -> bool:
    """Whether it is the bot's own disc on its way out."""
    disc = seen.entity.get(Disc)
    return disc is not None and disc.ship == me.entity.id and not disc.away


def _step_aside(thought: Thought, missile: Seen, side: float) -> None:
    """Fly across the disc's path, to the side the bot is on already if there is room."""
    at, speed = thought.me.at, hypot(missile.vx, missile.vy) or 1.0
    x, y = -missile.vy / speed, missile.vx / speed
    if side < 0:
        x, y = -x, -y
    if not thought.terrain.ground.is_free(at.x + x * ASIDE, at.y + y * ASIDE):
        x, y = -x, -y
    thought.brain.thrust_x, thought.brain.thrust_y = x, y
