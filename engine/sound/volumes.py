"""The player's volume settings."""

from __future__ import annotations

from engine.ecs import Resource


class Volumes(Resource, local=True):
    """How loud the player wants it, each 0 to 1: what a slider in a settings page shows.

    The factor on the samples is the square, because ears are nearer to that than to a straight line: half way down
    then sounds about half as loud. Give one object to all scenes and they share it.
    """

    master: float = 1.0
    effects: float = 1.0
    music: float = 1.0

    @property
    def effects_gain(self) -> float:
        """The factor on effects."""
        return _gain(self.master) * _gain(self.effects)

    @property
    def music_gain(self) -> float:
        """The factor on music."""
        return _gain(self.master) * _gain(self.music)


def _gain(setting: float) -> float:
    return max(0.0, min(1.0, setting)) ** 2
