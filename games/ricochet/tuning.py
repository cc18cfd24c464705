"""Every number the game is balanced by, with its unit. Lengths are world units, times seconds, angles radians.

The one rule behind them: a disc that has bounced kills, a direct hit only hurts. So the arena is the weapon.
"""

from __future__ import annotations

from math import radians

# Ships

SHIP_RADIUS = 20.0
SHIP_MASS = 4.0
SHIP_ELASTICITY = 0.55
"""Part of the speed kept in a bump against a wall."""
THRUST = 1500.0
"""Acceleration at full stick, units/s²."""
DRAG = 2.6
"""Part of the speed lost a second, 1/s. Top speed is THRUST / DRAG, about 580 units/s."""
HULL = 100.0
"""Points of a whole ship; at 0 it is gone."""

# Discs

DISC_RADIUS = 9.0
DISC_MASS = 0.6
DISC_SPEED = 760.0
"""Speed of a thrown disc, units/s; the thrower's own motion is not added, so that aim means direction."""
DISC_TOP_SPEED = 1100.0
"""No disc flies faster, units/s. Faster ones could pass a wall between two steps."""
DISC_LIFE = 6.0
"""Seconds a disc flies at most."""
MAX_BOUNCES = 3
"""Things a disc bounces off; it dies on the next."""
DIRECT_DAMAGE = 55.0
"""Hull points taken by a disc that has not bounced yet: two direct hits kill."""
BANKED_DAMAGE = 100.0
"""Hull points taken by a disc that has bounced, or an overcharged one: it kills."""
MAGAZINE = 3
REFILL = 1.15
"""Seconds until the next disc is back in the magazine."""
THROW_PAUSE = 0.22
"""Seconds between two throws."""
RECOIL = 18.0
"""Speed a throw takes from the thrower, against the aim, units/s."""

# Dash

DASH_SPEED = 1050.0
"""units/s"""
DASH_TIME = 0.16
"""Seconds a dash lasts; no disc harms the ship meanwhile."""
DASH_COOLDOWN = 1.8
"""Seconds from one dash to the next."""
DASH_EXIT = 0.55
"""Part of the dash's speed that is left when it ends."""

# Shield

SHIELD_RADIUS = 36.0
SHIELD_ENERGY = 1.0
"""Seconds a full shield lasts."""
SHIELD_RECHARGE = 0.22
"""Energy regained a second while lowered."""
SHIELD_MINIMUM = 0.25
"""Energy needed to raise it."""
SHIELD_REFLECT_COST = 0.3
"""Energy a reflected disc takes."""
SHIELD_THRUST = 0.5
"""Part of the thrust left while it is up."""

# Arena

BUMPER_ELASTICITY = 1.0
CRATE_POINTS = 2
"""Hits a crate stands."""
BALL_MASS = 9.0
BALL_DRAG = 0.15
"""Part of the ball's speed lost a second, 1/s."""
BALL_ELASTICITY = 0.95
BALL_DRIVE = 130.0
"""Speed a disc adds to the ball besides its own push, units/s."""
BALL_TOP_SPEED = 900.0
"""units/s"""
BALL_HURTS_FROM = 200.0
"""Closing speed of ball and ship from which it hurts, units/s."""
BALL_DAMAGE = 0.25
"""Hull points a unit/s of closing speed above that."""
BALL_BREAKS_FROM = 200.0
"""Speed of the ball from which it breaks crates, units/s."""

# Pickups

PAD_RADIUS = 34.0
FIRST_PICKUP = 0.35
"""Part of a pad's interval that passes before its first pickup of a round."""
TRIPLE_THROWS = 3
"""Throws that send three discs."""
TRIPLE_SPREAD = radians(11)
"""Angle between the three."""
OVERCHARGE_TIME = 8.0
"""Seconds in which thrown discs kill without a bounce."""
OVERCHARGE_SPEED = 1.3
"""How much faster they fly."""
PHASE_DASHES = 3
"""Dashes that pass through walls."""
PHASE_COOLDOWN = 0.6
"""Seconds from one of them to the next."""

# Lives and rounds

RESPAWN_DELAY = 2.0
SPAWN_PROTECTION = 1.8
"""Seconds in which a new ship cannot be harmed; throwing ends them."""
COUNTDOWN = 3.0
"""Seconds before a round in which nobody can throw."""
ROUND_TIME = 180.0
PODIUM_TIME = 8.0

# Score, in points

KILL_POINTS = 10
BOUNCE_POINTS = 5
"""For each bounce of the disc that killed."""
SUICIDE_POINTS = -10
"""For killing oneself or a team mate."""

MAX_SEATS = 32
