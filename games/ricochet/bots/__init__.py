"""Bots: they see what a player sees, send the commands a player sends, and miss like people do."""

from games.ricochet.bots.brain import BotSettings, Brain
from games.ricochet.bots.plugin import bots
from games.ricochet.bots.skill import LEVELS, SKILLS, Skill

__all__ = ["LEVELS", "SKILLS", "BotSettings", "Brain", "Skill", "bots"]
