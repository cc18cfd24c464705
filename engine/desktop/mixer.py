"""The mixer on pygame: finds recordings, keeps them resampled by pitch, and plays them on SDL's channels."""

from __future__ import annotations

import difflib
import logging
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pygame
from numpy.typing import NDArray

from engine.assets import AssetError, Assets
from engine.desktop.quiet import quiet
from engine.sound import Mixer, NullMixer

log = logging.getLogger("tickwire.desktop")

RATE = 44_100
BUFFER = 512
"""Frames a buffer: 12 ms, the delay between an event and its sound."""
CHANNELS = 32
"""More than the speakers give out voices, so that none is refused while another rings out."""
ENDINGS = (".wav", ".ogg", ".mp3", ".flac")
VARIANTS = 256
"""Resampled recordings kept; the least recently played go first."""


def open_mixer(assets: Assets, folder: str = "sounds") -> Mixer:
    """A mixer on the audio device, for the recordings in `folder`. Without a device: a line in the log, and silence."""
    try:
        return PygameMixer(assets, folder)
    except pygame.error as error:
        log.warning("no sound: the audio device cannot be opened (%s)", error)
        return NullMixer(keep=0)


class PygameMixer:
    """Plays on the default audio device. Raises `pygame.error` if there is none."""

    def __init__(self, assets: Assets, folder: str = "sounds") -> None:
        self.assets = assets
        self.folder = folder
        pygame.mixer.quit()  # init leaves a device alone that is open in another format
        with quiet():
            pygame.mixer.init(RATE, -16, 2, BUFFER, allowedchanges=0)
        pygame.mixer.set_num_channels(CHANNELS)
        self._sounds: dict[str, pygame.mixer.Sound | None] = {}
        self._variants: OrderedDict[tuple[str, float], pygame.mixer.Sound] = OrderedDict()
        self._channels: dict[int, int] = {}
        """The voice that each channel was last given to."""
        self._voices = 0

    # Effects

    def seconds(self, name: str, pitch: float) -> float:
        recording = self._recording(name, pitch)
        return recording.get_length() if recording is not None else 0.0

    def play(self, name: str, left: float, right: float, pitch: float) -> int:
        recording = self._recording(name, pitch)
        number = self._free_channel()
        if recording is None or number is None:
            return 0
        channel = pygame.mixer.Channel(number)
        channel.play(recording)
        channel.set_volume(left, right)
        self._voices += 1
        self._channels[number] = self._voices
        return self._voices

    def stop(self, voice: int) -> None:
        for number, own in self._channels.items():
            if own == voice:
                pygame.mixer.Channel(number).stop()

    def _free_channel(self) -> int | None:
        return next((n for n in range(CHANNELS) if not pygame.mixer.Channel(n).get_busy()), None)

    def _recording(self, name: str, pitch: float) -> pygame.mixer.Sound | None:
        if name not in self._sounds:
            self._sounds[name] = self._load(name)
        original = self._sounds[name]
        if original is None or pitch == 1.0:
            return original
        variant = self._variants.get((name, pitch))
        if variant is None:
            variant = self._variants[name, pitch] = pygame.mixer.Sound(buffer=resampled(samples_of(original), pitch))
            if len(self._variants) > VARIANTS:
                self._variants.popitem(last=False)
        self._variants.move_to_end((name, pitch))
        return variant

    def _load(self, name: str) -> pygame.mixer.Sound | None:
        path = self._find(name)
        if path is None:
            return None
        try:
            return pygame.mixer.Sound(str(path))
        except (pygame.error, OSError) as error:
            log.warning("%s cannot be played (%s); %r stays silent", path, error, name)
            return None

    # Music

    def play_music(self, name: str, volume: float, loop: bool) -> None:
        path = self._find(name)
        pygame.mixer.music.stop()
        if path is None:
            return
        try:
            pygame.mixer.music.load(str(path))
            pygame.mixer.music.set_volume(volume)
            pygame.mixer.music.play(-1 if loop else 0)
        except pygame.error as error:
            log.warning("%s cannot be played (%s); there is no music", path, error)

    def set_music_volume(self, volume: float) -> None:
        pygame.mixer.music.set_volume(volume)

    def stop_music(self, fade: float) -> None:
        pygame.mixer.music.fadeout(max(0, round(fade * 1000)))

    def close(self) -> None:
        self._sounds.clear()
        self._variants.clear()
        pygame.mixer.quit()

    # Files

    def _find(self, name: str) -> Path | None:
        """The file of a recording; if there is none, say so and what is nearest."""
        wanted = PurePosixPath(self.folder, name)
        try:
            for ending in ENDINGS:
                path = self.assets.find(f"{wanted}{ending}")
                if path is not None:
                    return path
        except AssetError as error:
            log.warning("%s; it stays silent", error)
            return None
        near = difflib.get_close_matches(name, self._names(), 1)
        log.warning(
            "there is no sound %r: no %s in %s%s",
            name,
            f"{wanted}{ENDINGS[0]}",
            " or ".join(map(str, self.assets.roots)),
            f"; did you mean {near[0]!r}? It stays silent" if near else "; it stays silent",
        )
        return None

    def _names(self) -> list[str]:
        """What can be played, without the endings."""
        paths = map(PurePosixPath, self.assets.names(self.folder))
        found = (path for path in paths if path.suffix in ENDINGS)
        return [path.relative_to(self.folder).with_suffix("").as_posix() for path in found]


def samples_of(recording: pygame.mixer.Sound) -> NDArray[np.int16]:
    """The samples of a recording, shape (frames, 2)."""
    flat: Any = np.frombuffer(recording.get_raw(), np.int16)
    return flat.reshape(-1, 2)


def resampled(samples: NDArray[np.int16], pitch: float) -> bytes:
    """The samples, shape (frames, channels), played `pitch` times as fast, by linear interpolation."""
    frames = len(samples)
    count = max(1, round(frames / pitch))
    at = np.arange(count) * pitch
    columns = [np.interp(at, np.arange(frames), samples[:, channel]) for channel in range(samples.shape[1])]
    return np.rint(np.stack(columns, axis=1)).astype(np.int16).tobytes()
