"""Skill: how well bots play. All levels play by the same rules and see the same things."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skill:
    """One level of bots."""

    reaction: float
    """Seconds from seeing something to acting on it."""
    error: float
    """Standard deviation of the aim, radians."""
    turning: float
    """How fast the aim moves, radians/s."""
    patience: float
    """Seconds between throws, on average."""
    banking: float
    """Chance that a throw is thought out over the walls."""
    looks: int
    """Directions tried in thought for such a throw."""
    caution: float
    """How far from itself a disc may come back in thought, units; 0 does not think about it."""
    dodging: float
    """Chance to do something about a disc that comes."""
    shielding: float
    """Chance that this is the shield."""
    dashing: float
    """Chance that it is a dash, if not the shield."""
    greed: float
    """Chance to fly to a pickup rather than to roam."""


SKILLS = {
    "easy": Skill(
        reaction=0.6, error=0.17, turning=4.5, patience=1.5, banking=0.15, looks=10, caution=30,
        dodging=0.2, shielding=0.3, dashing=0.2, greed=0.3,
    ),
    "normal": Skill(
        reaction=0.35, error=0.08, turning=8.0, patience=0.9, banking=0.45, looks=16, caution=65,
        dodging=0.5, shielding=0.45, dashing=0.35, greed=0.5,
    ),
    "hard": Skill(
        reaction=0.18, error=0.03, turning=14.0, patience=0.5, banking=0.8, looks=24, caution=95,
        dodging=0.85, shielding=0.55, dashing=0.5, greed=0.65,
    ),
}  # fmt: skip

LEVELS = tuple(SKILLS)
