"""How things look: one shape and one colour a seat, so that nobody has to tell players apart by colour alone."""

from __future__ import annotations

from enum import IntEnum

from engine.graphics import Color
from games.ricochet.components import Pickup, Team

SHAPES = ("arrow", "wedge", "fork", "kite", "hex", "crescent", "manta", "needle")

COLORS = tuple(
    Color.parse(text)
    for text in ("#38e1ff", "#ff6a3d", "#ffd23f", "#4dff88", "#ff5fd2", "#b48cff", "#f4f7ff", "#7fa8ff")
)
"""Told apart in the three common kinds of colour blindness by hue or by lightness; the shape decides the rest."""
TEAM_COLORS = {Team.A: Color.parse("#38b6ff"), Team.B: Color.parse("#ff8a2b")}

TEAM_IMAGES = {Team.A: "sprites/team_a.png", Team.B: "sprites/team_b.png"}

GROUND = Color.parse("#05070d")
DANGER = Color.parse("#ff4d5e")
CALM = Color.parse("#9fb4d8")
BRIGHT = Color.parse("#eaf2ff")
GOLD = Color.parse("#ffd76a")
CRATE = Color.parse("#ffb35c")
BUMPER = Color.parse("#ff5fd2")
BALL = Color.parse("#ff7a5c")

PICKUP_COLORS = {
    Pickup.TRIPLE: Color.parse("#ffd23f"),
    Pickup.OVERCHARGE: Color.parse("#ff5f45"),
    Pickup.REPAIR: Color.parse("#4dff88"),
    Pickup.DASH: Color.parse("#b48cff"),
}
PICKUP_IMAGES = {
    Pickup.TRIPLE: "sprites/pickup_triple.png",
    Pickup.OVERCHARGE: "sprites/pickup_overcharge.png",
    Pickup.REPAIR: "sprites/pickup_repair.png",
    Pickup.DASH: "sprites/pickup_dash.png",
}
PICKUP_NAMES = {
    Pickup.TRIPLE: "TRIPLE DISC",
    Pickup.OVERCHARGE: "OVERCHARGE",
    Pickup.REPAIR: "REPAIR",
    Pickup.DASH: "PHASE DASH",
}


class Layer(IntEnum):
    """What covers what, lowest first."""

    GROUND = 0
    PADS = 5
    CRATES = 10
    WALLS = 20
    BUMPERS = 22
    TRAILS = 30
    BALL = 32
    FLAMES = 38
    SHIPS = 40
    SHIELDS = 42
    DISCS = 44
    SPARKS = 50
    NAMES = 60


def shape_of(seat: int) -> str:
    """The silhouette of a seat."""
    return SHAPES[seat % len(SHAPES)]


def color_of(seat: int, team: int = Team.NONE) -> Color:
    """The colour of a seat, or of its team where there are teams. Seats of one shape differ in colour."""
    if team in (Team.A, Team.B):
        return TEAM_COLORS[Team(team)]
    return COLORS[(seat + 3 * (seat // len(SHAPES))) % len(COLORS)]
