"""Events that ask for something to be heard. Post them from any handler: `world.post(PlaySound("bounce"))`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class PlaySound:
    """Play the effect called `name`, the path of its file below the sounds folder without its ending.

    `volume` is a factor on the recording, `pitch` one on its speed: 2 is an octave up. With a place (`x`, `y`) in
    world units it is quieter far from the `Listener` and comes from its side.
    """

    name: str
    volume: float = 1.0
    pitch: float = 1.0
    x: float | None = None
    y: float | None = None


@dataclass(slots=True)
class StopSound:
    """End the effect called `name` that began last, if that was at most `within` seconds ago.

    For what turns out not to have happened, such as an event that a client's prediction takes back.
    """

    name: str
    within: float = 0.3


@dataclass(slots=True)
class PlayMusic:
    """Play this music instead of what is playing; nothing happens if it is playing already."""

    name: str
    volume: float = 1.0
    loop: bool = True


@dataclass(slots=True)
class StopMusic:
    """Let the music fade out over `fade` seconds."""

    fade: float = 0.5
