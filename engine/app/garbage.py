"""Garbage: what has come to stay is set aside from collections, so that no tick or image waits for a long one.

A full collection looks at everything there is, modules and pictures too, which takes as long as one or two images.
"""

from __future__ import annotations

import gc


def set_aside() -> None:
    """Collect now, and spare what is left from collections until the next call, or `take_back`.

    For when a match or a menu has just been set up: it takes some hundredths of a second.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def take_back() -> None:
    """Let collections see everything again."""
    gc.unfreeze()
