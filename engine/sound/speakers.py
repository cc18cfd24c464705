"""The speakers: a mixer, and what is heard through it now. Decides which sounds get a voice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite, log2

from engine.sound.events import PlayMusic, PlaySound
from engine.sound.listener import Listener
from engine.sound.mixer import Mixer
from engine.sound.volumes import Volumes

MOST_VOICES = 24
"""Voices at once. More cannot be told apart, and their sum clips."""
STEPS_PER_OCTAVE = 48
"""Pitches are rounded to a quarter of a semitone, so that a mixer can keep its resampled recordings."""
LOWEST, HIGHEST = 0.25, 4.0
"""Bounds of the pitch: two octaves down and up."""
LOUDER = 2.0
"""How much louder a sound must be to be heard right after one of the same name."""
SILENT = 1 / 512
"""Below this factor nothing is heard over anything else."""


@dataclass(slots=True)
class Limit:
    """How often one sound may be heard at once: thirty bounces in a tick should not be thirty times as loud.

    Within `interval` seconds it is started once, unless it is asked for `LOUDER` times as loud; of those asked for
    together, the loudest is. When all its `voices` are busy, the oldest gives way.
    """

    voices: int = 4
    interval: float = 0.04


@dataclass(slots=True)
class Voice:
    """A recording being played."""

    number: int
    name: str
    loudness: float
    started: float
    ends: float


@dataclass(slots=True)
class Speakers:
    """The resource through which a world is heard. Whoever shows a scene inserts it; without it nothing is heard.

    Give one object to all scenes, so that they share the voices and the music goes on from one to the next.
    """

    mixer: Mixer
    limits: dict[str, Limit] = field(default_factory=lambda: dict[str, Limit]())
    """By sound name, where `limit` does not fit."""
    limit: Limit = field(default_factory=Limit)
    now: float = 0.0
    """Seconds since the start, told from outside."""
    voices: list[Voice] = field(default_factory=lambda: list[Voice]())
    """What is being played, oldest first."""
    music: PlayMusic | None = None
    """What was asked for last."""
    _music_gain: float = 0.0
    _last_frame: float | None = None

    # Time

    def framed(self, time: float) -> None:
        """Note the time of a frame, in seconds; the same again for each scene that is drawn."""
        if self._last_frame is not None:
            self.now += max(0.0, time - self._last_frame)
        self._last_frame = time

    def ticked(self, dt: float) -> None:
        """Note a tick. Counts only where there are no frames, which go on while ticks pause."""
        if self._last_frame is None:
            self.now += dt

    # Effects

    def play(self, sounds: Iterable[PlaySound], listener: Listener, volumes: Volumes) -> None:
        """Start what deserves a voice of the sounds asked for together."""
        gain = volumes.effects_gain
        heard: list[tuple[float, float, float, PlaySound]] = []
        for sound in sounds:
            left, right = listener.hears(sound.x, sound.y)
            volume = sound.volume * gain
            left, right = min(1.0, left * volume), min(1.0, right * volume)
            loudness = max(left, right)
            if loudness >= SILENT and isfinite(loudness):
                heard.append((loudness, left, right, sound))
        heard.sort(key=lambda entry: -entry[0])
        for loudness, left, right, sound in heard:
            self._start(sound.name, loudness, max(0.0, left), max(0.0, right), near_pitch(sound.pitch))

    def _start(self, name: str, loudness: float, left: float, right: float, pitch: float) -> None:
        now = self.now
        self.voices = [voice for voice in self.voices if voice.ends > now]
        limit = self.limits.get(name, self.limit)
        same = [voice for voice in self.voices if voice.name == name]
        if same and now - same[-1].started < limit.interval and loudness < LOUDER * same[-1].loudness:
            return
        if len(same) >= limit.voices:
            self._cut(same[0])
        elif len(self.voices) >= MOST_VOICES:
            quietest = min(self.voices, key=lambda voice: voice.loudness)
            if quietest.loudness > loudness:
                return
            self._cut(quietest)
        length = self.mixer.seconds(name, pitch)
        if length > 0:
            number = self.mixer.play(name, left, right, pitch)
            # a recording shorter than the interval still counts until that is over
            self.voices.append(Voice(number, name, loudness, now, now + max(length, limit.interval)))

    def stop(self, name: str, within: float) -> None:
        """End the sound of that name that began last, if that was at most `within` seconds ago."""
        last = next((voice for voice in reversed(self.voices) if voice.name == name and voice.ends > self.now), None)
        if last is not None and self.now - last.started <= within:
            self._cut(last)

    def _cut(self, voice: Voice) -> None:
        self.mixer.stop(voice.number)
        self.voices.remove(voice)

    # Music

    def play_music(self, music: PlayMusic, volumes: Volumes) -> None:
        """Change to another music; the same one goes on, perhaps at another volume."""
        playing, self.music = self.music, music
        if playing is None or (playing.name, playing.loop) != (music.name, music.loop):
            self._music_gain = self._gain_of(music, volumes)
            self.mixer.play_music(music.name, self._music_gain, music.loop)

    def stop_music(self, fade: float) -> None:
        """Let the music fade out."""
        self.music = None
        self.mixer.stop_music(fade)

    def follow(self, volumes: Volumes) -> None:
        """Keep the music's volume at what the player has set."""
        if self.music is not None:
            gain = self._gain_of(self.music, volumes)
            if gain != self._music_gain:
                self._music_gain = gain
                self.mixer.set_music_volume(gain)

    def _gain_of(self, music: PlayMusic, volumes: Volumes) -> float:
        return max(0.0, min(1.0, music.volume * volumes.music_gain))


def near_pitch(pitch: float) -> float:
    """The nearest pitch that sounds are played at."""
    if not isfinite(pitch) or pitch <= 0:
        return 1.0
    steps = round(log2(max(LOWEST, min(HIGHEST, pitch))) * STEPS_PER_OCTAVE)
    return 2.0 ** (steps / STEPS_PER_OCTAVE)
