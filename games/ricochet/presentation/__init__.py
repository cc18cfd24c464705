"""What a player sees and hears of Ricochet. Listens to the rules' events and never changes the simulation."""

from __future__ import annotations

from engine.app import Plugin
from games.ricochet.presentation.base import base
from games.ricochet.presentation.effects import effects
from games.ricochet.presentation.flyers import flyers
from games.ricochet.presentation.hitstop import hitstop
from games.ricochet.presentation.hud import hud
from games.ricochet.presentation.netgraph import netgraph
from games.ricochet.presentation.outlines import outlines
from games.ricochet.presentation.profiler import profiler
from games.ricochet.presentation.scenery import scenery
from games.ricochet.presentation.sounds import music, sounds
from games.ricochet.presentation.viewer import viewer

backdrop = Plugin("ricochet.presentation.backdrop", needs=[base, viewer, scenery, flyers, effects, music])
"""A match behind a menu: nothing to read, and only the music to hear."""
presentation = Plugin("ricochet.presentation", needs=[backdrop, hitstop, sounds, hud, outlines, profiler, netgraph])
"""A match as it is played and watched."""
