"""Mixers: what makes sounds heard. The sound plugin decides what is worth a voice and hands it over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Mixer(Protocol):
    """Plays recordings by name. A voice is one recording being played; a music plays beside all voices."""

    def seconds(self, name: str, pitch: float) -> float:
        """How long the recording takes at this pitch; 0 if there is none, which the mixer says in the log, once."""
        ...

    def play(self, name: str, left: float, right: float, pitch: float) -> int:
        """Start a voice with a factor, 0 to 1, for each ear. Returns the voice's number, to stop it with."""
        ...

    def stop(self, voice: int) -> None:
        """Stop a voice; nothing happens if it has ended."""
        ...

    def play_music(self, name: str, volume: float, loop: bool) -> None:
        """Play this music instead of what is playing."""
        ...

    def set_music_volume(self, volume: float) -> None:
        """A factor, 0 to 1, on the music that plays."""
        ...

    def stop_music(self, fade: float) -> None:
        """Let the music fade out over `fade` seconds."""
        ...

    def close(self) -> None:
        """Silence everything and let go of the device."""
        ...


@dataclass(slots=True)
class Played:
    """A voice that a `NullMixer` was asked for."""

    name: str
    left: float
    right: float
    pitch: float


class NullMixer:
    """Plays nothing and keeps what it was asked for, for tests and for machines without an audio device.

    `length` is how many seconds every recording is taken to have at pitch 1. With `keep` 0 nothing is kept.
    """

    def __init__(self, *, length: float = 0.5, keep: int = 10_000) -> None:
        self.length = length
        self.keep = keep
        self.played: list[Played] = []
        """The voices started, in order; the oldest are dropped beyond `keep`."""
        self.stopped: list[int] = []
        """The numbers of the voices stopped; the first voice is number 1."""
        self.music: str | None = None
        """The music playing."""
        self.music_volume = 0.0
        self._voices = 0

    @property
    def names(self) -> list[str]:
        """The names of the voices started, in order."""
        return [voice.name for voice in self.played]

    def seconds(self, name: str, pitch: float) -> float:
        return self.length / pitch

    def play(self, name: str, left: float, right: float, pitch: float) -> int:
        self._voices += 1
        self.played.append(Played(name, left, right, pitch))
        if len(self.played) > self.keep:
            del self.played[0]
        return self._voices

    def stop(self, voice: int) -> None:
        self.stopped.append(voice)
        if len(self.stopped) > self.keep:
            del self.stopped[0]

    def play_music(self, name: str, volume: float, loop: bool) -> None:
        self.music = name
        self.music_volume = volume

    def set_music_volume(self, volume: float) -> None:
        self.music_volume = volume

    def stop_music(self, fade: float) -> None:
        self.music = None

    def close(self) -> None:
        self.music = None
