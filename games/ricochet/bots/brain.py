"""What a bot has in mind between two thoughts. Part of the state, like everything a match depends on."""

from __future__ import annotations

from dataclasses import field

from engine.ecs import F32, I32, Component, Flag, Ref, Resource, f32, flag, i32, ref

THOUGHT = 6
"""Ticks between two thoughts of one bot; they take turns, so that some think on every tick."""
LONG_AGO = 99.0
"""Seconds"""


class BotSettings(Resource):
    """Inserted before set-up."""

    level: str = "normal"
    levels: dict[int, str] = field(default_factory=dict[int, str])
    """Levels of single seats, where they differ."""


class Brain(Component):
    """Sits with a bot's player."""

    level: I32 = i32(default=1)
    """Place in LEVELS."""

    # Whom it is after, as last seen
    target: Ref = ref(default=0)
    x: F32 = f32(default=0.0)
    y: F32 = f32(default=0.0)
    vx: F32 = f32(default=0.0)
    vy: F32 = f32(default=0.0)
    watched: F32 = f32(default=0.0)
    """Seconds it has been in sight without a break; 0 if it is not."""
    ago: F32 = f32(default=LONG_AGO)
    """Seconds since it was seen."""

    # Where it flies
    goal_x: F32 = f32(default=0.0)
    goal_y: F32 = f32(default=0.0)
    resolve: F32 = f32(default=0.0)
    """Seconds until it makes up its mind anew."""
    side: F32 = f32(default=1.0)
    """Which way it circles: 1 or -1."""
    idle: F32 = f32(default=0.0)
    """Seconds it has hardly moved."""
    thrust_x: F32 = f32(default=0.0)
    thrust_y: F32 = f32(default=0.0)

    # What it aims at
    aim: F32 = f32(default=0.0)
    wish: F32 = f32(default=0.0)
    """Where the aim is moving to."""
    shot: F32 = f32(default=0.0)
    """Seconds in which it will throw as soon as the aim is there."""
    rest: F32 = f32(default=1.0)
    """Seconds until it thinks of throwing again."""

    # What it does about discs
    alarm: F32 = f32(default=0.0)
    """Seconds it has seen one come."""
    nerve: F32 = f32(default=0.0)
    """Seconds in which it sticks to what it does about it."""
    cover: F32 = f32(default=0.0)
    """Seconds it holds the shield up."""
    leap: Flag = flag(default=False)
    """It wants to dash."""
