"""The gunner: keeps an eye on an enemy, and thinks of throws that would hit it, straight or over the walls."""

from __future__ import annotations

from math import atan2, pi

import numpy as np
from numpy.typing import NDArray

from games.ricochet import tuning
from games.ricochet.bots.foresight import misses
from games.ricochet.bots.sight import Seen
from games.ricochet.bots.thought import Thought
from games.ricochet.layers import Layer

CANDIDATES = 3
"""Enemies it looks at in one thought."""
MEMORY = 2.0
"""Seconds it goes on throwing at where an enemy was."""
HIT = tuning.SHIP_RADIUS + 0.5 * tuning.DISC_RADIUS
"""What passes closer than this in thought is a hit, units."""
LONGEST = 1.7
"""Seconds a throw may take to arrive."""
RATHER_BANKED = 0.45
"""Seconds longer that a throw over a wall may take to seem as good as a straight one: it kills."""
RETURNS = 1.6
"""Seconds; whether a disc comes back later than this is not thought of."""
SHOT_TIME = 0.3
"""Seconds for bringing the aim round; after that the chance has passed."""


def watch(thought: Thought) -> Seen | None:
    """Choose the enemy to be after and note where it is. Returns it if it is in sight now."""
    brain, me, sight = thought.brain, thought.me, thought.sight
    for seen in sight.enemies(me, brain.target)[:CANDIDATES]:
        if sight.is_open(me, seen.x, seen.y):
            before = brain.watched if brain.target == seen.entity.id else 0.0
            brain.watched = before + thought.passed
            brain.target, brain.ago = seen.entity.id, 0.0
            brain.x, brain.y, brain.vx, brain.vy = seen.x, seen.y, seen.vx, seen.vy
            return seen
    brain.watched = 0.0
    brain.ago += thought.passed
    return None


def consider_throw(thought: Thought, target: Seen | None) -> None:
    """Decide whether to throw, and where."""
    brain, me, skill, rng = thought.brain, thought.me, thought.skill, thought.rng
    brain.wish = atan2(brain.y - me.at.y, brain.x - me.at.x) if target else atan2(me.motion.vy, me.motion.vx)
    if not thought.sight.playing or me.magazine.discs == 0 or me.shield.raised or brain.rest > 0 or brain.shot > 0:
        return
    if target is not None and target.safe:
        return
    straight: list[float] = []
    if target is not None and brain.watched >= skill.reaction:
        straight = _straight(thought)
    banked: list[float] = []
    if brain.ago < MEMORY and rng.random() < skill.banking:
        turn = rng.random()
        banked = [2 * pi * (look + turn) / skill.looks for look in range(skill.looks)]
    if not (straight or banked):
        return
    angles = np.array(straight + banked)
    place = _best(thought, angles, len(straight))
    if place is not None:
        brain.wish = float(angles[place]) + rng.gauss(0.0, skill.error)
        brain.shot = SHOT_TIME


def _straight(thought: Thought) -> list[float]:
    """The direction in which a disc would meet the enemy if it flew on as it does, if the way there is open."""
    brain, me = thought.brain, thought.me
    x, y = brain.x, brain.y
    for _ in range(2):
        when = me.distance(x, y) / tuning.DISC_SPEED
        x, y = brain.x + brain.vx * when, brain.y + brain.vy * when
    space = thought.sight.space
    if space.raycast(me.at.x, me.at.y, x, y, radius=tuning.DISC_RADIUS, mask=Layer.SOLID) is not None:
        return []
    return [atan2(y - me.at.y, x - me.at.x)]


def _best(thought: Thought, angles: NDArray[np.float64], straight: int) -> int | None:
    """The place of the most promising direction: it hits soon, rather off a wall, and the disc does not come back.

    The first `straight` of them are known to hit. None if nothing is worth a throw.
    """
    brain, me = thought.brain, thought.me
    speed = tuning.DISC_SPEED * (tuning.OVERCHARGE_SPEED if me.boosts.overcharge > 0 else 1.0)
    legs = thought.terrain.foresight.fly(me.at.x, me.at.y, angles, bounces=tuning.MAX_BOUNCES)
    cost = np.full(len(angles), np.inf)
    cost[:straight] = LONGEST
    for bounces, leg in enumerate(legs):
        miss = misses(leg, speed, brain.x, brain.y, brain.vx, brain.vy)
        when = (leg.start + np.hypot(brain.x - leg.x, brain.y - leg.y)) / speed
        better = when - (RATHER_BANKED if bounces else 0.0)
        cost = np.where((miss < HIT) & (when < LONGEST), np.minimum(cost, better), cost)
    for leg in legs[1:]:
        stays = misses(leg, speed, me.at.x, me.at.y, 0.0, 0.0)
        drifts = misses(leg, speed, me.at.x, me.at.y, me.motion.vx, me.motion.vy)
        cost[(np.minimum(stays, drifts) < thought.skill.caution) & (leg.start < RETURNS * speed)] = np.inf
    place = int(np.argmin(cost))
    return place if np.isfinite(cost[place]) else None
