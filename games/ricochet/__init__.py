"""Ricochet: a neon arena in which your discs kill on the rebound, yourself included."""
