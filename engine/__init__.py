"""Tickwire: a 2D game engine in which input, physics and the network are one stream of events."""

__version__ = "0.1.0"
