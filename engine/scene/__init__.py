"""What a world is made of: where things are, what they hang on, what happens later."""

from engine.scene.hierarchy import Offset, hierarchy
from engine.scene.interpolation import Interpolation, interpolation
from engine.scene.timers import Timers, timers
from engine.scene.transform import Transform

__all__ = ["Interpolation", "Offset", "Timers", "Transform", "hierarchy", "interpolation", "timers"]
