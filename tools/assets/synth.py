"""Waves, envelopes, filters and rooms, all as arrays of samples; a sound is a short formula over them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float64]
RATE = 44_100


@dataclass(frozen=True)
class Sound:
    rate: int
    samples: NDArray[np.int16]


def clock(seconds: float, rate: int = RATE) -> Wave:
    return np.arange(round(seconds * rate)) / rate


def note(name: str) -> float:
    """Frequency in Hz of a note such as ``A4`` or ``C#5``, equal temperament at A4 = 440 Hz."""
    step = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}[name[0]] + name.count("#") - name.count("b")
    return 440.0 * 2.0 ** (step / 12 + int(name[-1]) - 4)


def noise(seconds: float, name: str, rate: int = RATE) -> Wave:
    """White noise that is the same whenever the same ``name`` asks."""
    return np.random.default_rng(zlib.crc32(name.encode())).uniform(-1.0, 1.0, round(seconds * rate))


def decay(t: Wave, half_life: float, attack: float = 0.001) -> Wave:
    """A struck thing: up within ``attack`` seconds, then halved each ``half_life``."""
    return np.clip(t / attack, 0.0, 1.0) * 0.5 ** (np.maximum(t - attack, 0.0) / half_life)


def bump(t: Wave, start: float, end: float) -> Wave:
    """A smooth hill from ``start`` to ``end`` seconds, 0 outside."""
    return np.sin(np.pi * np.clip((t - start) / (end - start), 0.0, 1.0)) ** 2


def sweep(t: Wave, start: float, end: float, half_life: float) -> Wave:
    """Frequencies that fall or rise from ``start`` towards ``end`` Hz."""
    return end + (start - end) * 0.5 ** (t / half_life)


def sine(frequency: Wave | float, t: Wave, phase: float = 0.0) -> Wave:
    return np.sin(_turns(frequency, t) + phase)


def _turns(frequency: Wave | float, t: Wave) -> Wave:
    if isinstance(frequency, float | int):
        return 2 * np.pi * frequency * t
    step = t[1] - t[0]
    return 2 * np.pi * (np.cumsum(frequency) - frequency[0]) * step


def partials(frequency: Wave | float, t: Wave, levels: dict[float, float], rate: int = RATE) -> Wave:
    """A sum of sines at multiples of ``frequency``; those above the hearing of the sample rate are left out."""
    total = np.zeros_like(t)
    highest = float(np.max(frequency))
    for multiple, level in levels.items():
        if highest * multiple < rate * 0.45:
            total += level * np.sin(_turns(frequency, t) * multiple)
    return total


def saw(frequency: Wave | float, t: Wave, harmonics: int = 24, bright: float = 1.0, rate: int = RATE) -> Wave:
    """A band-limited sawtooth; ``bright`` above 1 darkens it."""
    return partials(frequency, t, {float(n): 0.6 / n**bright for n in range(1, harmonics + 1)}, rate)


def square(frequency: Wave | float, t: Wave, harmonics: int = 15, rate: int = RATE) -> Wave:
    return partials(frequency, t, {float(n): 0.8 / n for n in range(1, harmonics + 1, 2)}, rate)


def band(wave: Wave, low: float = 0.0, high: float = 1e9, order: int = 2, rate: int = RATE) -> Wave:
    """Keeps ``low`` to ``high`` Hz, with Butterworth slopes and no shift in time."""
    padded = np.concatenate([wave, np.zeros(rate // 10)])
    spectrum = np.fft.rfft(padded)
    hertz = np.fft.rfftfreq(len(padded), 1 / rate)
    gain = 1 / np.sqrt(1 + (hertz / high) ** (2 * order))
    if low > 0.0:
        gain *= 1 / np.sqrt(1 + (low / np.maximum(hertz, 1e-6)) ** (2 * order))
    return np.fft.irfft(spectrum * gain, len(padded))[: len(wave)]


def room(wave: Wave, half_life: float, wet: float, tail: float, name: str, high: float = 6000.0) -> Wave:
    """Adds a decaying diffuse echo and ``tail`` seconds for it to ring out."""
    t = clock(max(tail, 0.05))
    answer = band(noise(max(tail, 0.05), name) * 0.5 ** (t / half_life), 180.0, high)
    answer *= wet / np.sqrt(np.sum(answer**2))
    length = len(wave) + len(answer)
    size = 1 << (length - 1).bit_length()
    echo = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(answer, size), size)[:length]
    echo[: len(wave)] += wave
    return echo


def drive(wave: Wave, amount: float) -> Wave:
    """Warm clipping."""
    return np.tanh(wave * amount) / np.tanh(amount)


def place(total: Wave, wave: Wave, at: float, rate: int = RATE) -> None:
    """Adds ``wave`` into ``total`` at ``at`` seconds; what lies beyond the end is lost."""
    start = round(at * rate)
    room_left = max(len(total) - start, 0)
    total[start : start + len(wave)] += wave[:room_left]


def finished(wave: Wave, peak: float, rate: int = RATE) -> Sound:
    """Takes out what lies under hearing and the tail below -50 dB, ends without a click, sets the peak to ``peak``."""
    wave = band(wave, low=28.0, order=2, rate=rate)
    heard = np.nonzero(np.abs(wave) > np.max(np.abs(wave)) * 0.003)[0]
    wave = wave[: min(int(heard[-1]) + rate // 40, len(wave))]
    rise, fall = int(0.0008 * rate), min(int(0.03 * rate), len(wave) // 4)
    wave[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
    wave[-fall:] *= np.cos(np.linspace(0, np.pi / 2, fall)) ** 2
    wave *= peak / np.max(np.abs(wave))
    return Sound(rate, np.rint(wave * 32767).astype(np.int16))
