"""What to draw, not how: sprites, lines, text, particles, trails and the camera. Never imports a graphics library."""

from engine.graphics.camera import Camera, Rect, View
from engine.graphics.canvas import Canvas, NullCanvas
from engine.graphics.color import Color
from engine.graphics.display import Display
from engine.graphics.line import Lines, Point
from engine.graphics.particles import Burst, Particles
from engine.graphics.picture import strip
from engine.graphics.placement import place_of
from engine.graphics.plugin import DrawOverlay, DrawWorld, graphics
from engine.graphics.renderer import NullRenderer, Renderer, Screen, SpriteBatch, Stroke
from engine.graphics.sprite import Animation, Sprite, Tiling
from engine.graphics.text import Align, Text
from engine.graphics.trail import Trail, Trails

__all__ = [
    "Align",
    "Animation",
    "Burst",
    "Camera",
    "Canvas",
    "Color",
    "Display",
    "DrawOverlay",
    "DrawWorld",
    "Lines",
    "NullCanvas",
    "NullRenderer",
    "Particles",
    "Point",
    "Rect",
    "Renderer",
    "Screen",
    "Sprite",
    "SpriteBatch",
    "Stroke",
    "Text",
    "Tiling",
    "Trail",
    "Trails",
    "View",
    "graphics",
    "place_of",
    "strip",
]
