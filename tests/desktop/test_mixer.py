"""The mixer on pygame, on SDL's dummy device: files found, missing, broken, resampled; and no device at all."""

from __future__ import annotations

import logging
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest

from engine.assets import Assets
from engine.desktop.mixer import CHANNELS, PygameMixer, open_mixer, resampled
from engine.sound import NullMixer

RATE = 44_100


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    (tmp_path / "sounds" / "ui").mkdir(parents=True)
    beep(tmp_path / "sounds" / "bounce.wav", 0.5)
    beep(tmp_path / "sounds" / "ui" / "press.wav", 0.1)
    (tmp_path / "sounds" / "broken.wav").write_bytes(b"RIFF but not really")
    return Assets(tmp_path)


@pytest.fixture
def mixer(assets: Assets, monkeypatch: pytest.MonkeyPatch) -> Iterator[PygameMixer]:
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    pygame.mixer.quit()
    mixer = PygameMixer(assets)
    yield mixer
    mixer.close()


def beep(path: Path, seconds: float, hertz: float = 440.0) -> None:
    time = np.arange(round(seconds * RATE)) / RATE
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.sin(time * hertz * 2 * np.pi) * 20_000).astype(np.int16).tobytes())


def test_plays_and_stops(mixer: PygameMixer) -> None:
    assert mixer.seconds("bounce", 1.0) == pytest.approx(0.5, abs=0.01)
    voice = mixer.play("bounce", 0.25, 1.0, 1.0)
    assert pygame.mixer.get_busy()
    mixer.stop(voice)
    assert not pygame.mixer.get_busy()
    assert mixer.play("ui/press", 1.0, 1.0, 1.0) != voice


def test_stopping_a_voice_leaves_the_next_on_its_channel(mixer: PygameMixer) -> None:
    first = mixer.play("bounce", 1.0, 1.0, 1.0)
    mixer.stop(first)
    mixer.play("bounce", 1.0, 1.0, 1.0)
    mixer.stop(first)
    assert pygame.mixer.get_busy()


def test_a_pitched_recording_is_as_much_shorter_and_higher(mixer: PygameMixer) -> None:
    assert mixer.seconds("bounce", 2.0) == pytest.approx(0.25, abs=0.01)
    assert mixer.seconds("bounce", 0.5) == pytest.approx(1.0, abs=0.01)
    time = np.arange(RATE) / RATE
    tone = (np.sin(time * 440 * 2 * np.pi) * 20_000).astype(np.int16)
    up = np.frombuffer(resampled(np.stack([tone, tone // 2], axis=1), 1.5), np.int16).reshape(-1, 2)
    spectrum = np.abs(np.fft.rfft(up[:, 0].astype(float)))
    assert np.argmax(spectrum) * RATE / len(up) == pytest.approx(660, abs=2)
    assert np.abs(up[:, 1].astype(int) * 2 - up[:, 0]).max() <= 3  # the channels stay apart


def test_a_missing_file_is_named_once_with_the_closest(
    mixer: PygameMixer, assets: Assets, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert mixer.seconds("bouncce", 1.0) == 0.0
    [record] = caplog.records
    assert record.getMessage() == (
        f"there is no sound 'bouncce': no sounds/bouncce.wav in {assets.roots[0]}; "
        "did you mean 'bounce'? It stays silent"
    )


def test_a_name_that_leads_out_is_refused(mixer: PygameMixer, caplog: pytest.LogCaptureFixture) -> None:
    assert mixer.seconds("../../secret", 1.0) == 0.0
    assert "leads out of its folder" in caplog.text


def test_a_broken_file_is_silence(mixer: PygameMixer, caplog: pytest.LogCaptureFixture) -> None:
    assert mixer.seconds("broken", 1.0) == 0.0
    mixer.play_music("broken", 1.0, True)
    assert caplog.text.count("broken.wav cannot be played") == 2


def test_music(mixer: PygameMixer, caplog: pytest.LogCaptureFixture) -> None:
    mixer.play_music("bounce", 0.5, True)
    assert pygame.mixer.music.get_busy()
    assert pygame.mixer.music.get_volume() == pytest.approx(0.5, abs=0.02)
    mixer.set_music_volume(0.25)
    assert pygame.mixer.music.get_volume() == pytest.approx(0.25, abs=0.02)
    mixer.play_music("nowhere", 0.5, True)
    assert not pygame.mixer.music.get_busy()
    assert "there is no sound 'nowhere'" in caplog.text
    mixer.stop_music(0.0)


def test_more_voices_than_channels(mixer: PygameMixer) -> None:
    voices = [mixer.play("bounce", 1.0, 1.0, 1.0) for _ in range(CHANNELS + 3)]
    assert voices[-3:] == [0, 0, 0]
    for voice in voices:
        mixer.stop(voice)


def test_no_device_is_one_line_and_silence(
    assets: Assets, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "nonsense")
    pygame.mixer.quit()
    with caplog.at_level(logging.INFO):
        mixer = open_mixer(assets)
    assert isinstance(mixer, NullMixer)
    [record] = caplog.records
    assert record.getMessage().startswith("no sound: the audio device cannot be opened")
    mixer.play("bounce", 1.0, 1.0, 1.0)
    assert mixer.played == []
    mixer.close()


def test_an_open_mixer_of_another_kind_is_replaced(assets: Assets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    pygame.mixer.quit()
    pygame.mixer.init(22_050, -16, 1)
    mixer = PygameMixer(assets)
    assert pygame.mixer.get_init() == (RATE, -16, 2)
    mixer.close()
