"""What a world is made of: where things are, what they hang on, what happens later."""

from engine.scene.interpolation import Interpolation, interpolation
from engine.scene.transform import Transform

__all__ = ["Interpolation", "Transform", "interpolation"]
