"""What to play: effects and music as events, heard from where the listener is. Never imports a sound library."""

from engine.sound.events import PlayMusic, PlaySound, StopMusic, StopSound
from engine.sound.listener import Listener
from engine.sound.mixer import Mixer, NullMixer, Played
from engine.sound.plugin import sound
from engine.sound.speakers import Limit, Speakers
from engine.sound.volumes import Volumes

__all__ = [
    "Limit",
    "Listener",
    "Mixer",
    "NullMixer",
    "PlayMusic",
    "PlaySound",
    "Played",
    "Speakers",
    "StopMusic",
    "StopSound",
    "Volumes",
    "sound",
]
