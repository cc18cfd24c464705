"""The loop: eight bars of A minor at 112 beats a minute, 17.1 s, drums, bass, arpeggio and pads.

Everything is written into a ring: a tail that passes the end rings on at the start, so the seam cannot be heard.
"""

from __future__ import annotations

import numpy as np

from .synth import Sound, Wave, band, clock, decay, noise, note, partials, sine, sweep

RATE = 22_050
BEATS_PER_MINUTE = 112
BARS = 8
LENGTH = RATE * 60 * 4 * BARS // BEATS_PER_MINUTE
SIXTEENTH = 60 / BEATS_PER_MINUTE / 4

# One chord for each bar: the bass note, and the four notes the arpeggio walks.
CHORDS: list[tuple[str, tuple[str, str, str, str]]] = [
    ("A1", ("A3", "C4", "E4", "B4")),
    ("A1", ("A3", "C4", "E4", "G4")),
    ("F1", ("A3", "C4", "E4", "F4")),
    ("F1", ("A3", "C4", "F4", "G4")),
    ("C2", ("G3", "C4", "E4", "B4")),
    ("C2", ("G3", "C4", "E4", "D5")),
    ("G1", ("G3", "B3", "D4", "A4")),
    ("E1", ("G#3", "B3", "E4", "D5")),
]
ARPEGGIO = (0, 2, 1, 3, 2, 1, 3, 2, 0, 2, 3, 1, 2, 3, 1, 2)
OCTAVES = (1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 2, 1, 2, 1, 1, 2)
BASS = (1.0, 0.0, 0.7, 0.0, 0.0, 0.8, 0.0, 0.6, 0.9, 0.0, 0.0, 0.7, 0.0, 0.0, 0.8, 0.55)


def put(ring: Wave, wave: Wave, step: float) -> None:
    """Adds ``wave`` at a sixteenth counted from the start, round the ring."""
    start = round(step * SIXTEENTH * RATE)
    np.add.at(ring, (np.arange(len(wave)) + start) % LENGTH, wave)


def tone(frequency: float, seconds: float, half_life: float, harmonics: int, bright: float) -> Wave:
    """A sawtooth whose upper harmonics die first, as under a closing filter."""
    t = clock(seconds, RATE)
    total = np.zeros_like(t)
    for n in range(1, harmonics + 1):
        if frequency * n < RATE * 0.42:
            total += sine(frequency * n, t) / n**bright * decay(t, half_life / n**0.75, 0.003)
    return total * np.clip((seconds - t) / 0.02, 0, 1)


def echo(ring: Wave, sixteenths: float, back: float, repeats: int) -> Wave:
    total = np.zeros_like(ring)
    for i in range(1, repeats + 1):
        total += np.roll(ring, round(sixteenths * SIXTEENTH * RATE * i)) * back**i
    return total


def hall(ring: Wave, half_life: float, wet: float) -> Wave:
    """A diffuse echo by circular convolution: its tail too goes round the ring."""
    t = clock(1.6, RATE)
    answer = np.zeros(LENGTH)
    answer[: len(t)] = band(noise(1.6, "hall", RATE) * 0.5 ** (t / half_life), 250, 4800, rate=RATE)
    answer *= wet / np.sqrt(np.sum(answer**2))
    return np.fft.irfft(np.fft.rfft(ring) * np.fft.rfft(answer), LENGTH)


def loop() -> Sound:
    drums, bass, arpeggio, pads = (np.zeros(LENGTH) for _ in range(4))
    t = clock(0.30, RATE)
    kick = (
        sine(sweep(t, 190, 46, 0.018), t) * decay(t, 0.055, 0.001)
        + band(noise(0.30, "kick", RATE), 1500, 6000, rate=RATE) * decay(t, 0.003) * 0.2
    )
    clap = band(noise(0.30, "clap", RATE), 900, 5200, rate=RATE) * (
        decay(t, 0.028, 0.001) + 0.6 * decay((t - 0.012).clip(0), 0.01) * (t > 0.012)
    )
    hat = band(noise(0.30, "hat", RATE), 6500, 10_800, rate=RATE)
    pump = np.ones(LENGTH)

    for bar, (root, chord) in enumerate(CHORDS):
        for step in range(16):
            at = bar * 16 + step
            if step % 4 == 0:
                put(drums, kick * 0.95, at)
            if step in (4, 12):
                put(drums, clap * 0.42, at)
            put(
                drums,
                hat
                * decay(t, 0.035 if step % 4 == 2 else 0.010, 0.0006)
                * (0.52 if step % 4 == 2 else 0.20 + 0.08 * (step % 2)),
                at,
            )
            if BASS[step] > 0.0:
                pitch = note(root) * (2.0 if step in (7, 14) else 1.0)
                body = tone(pitch, 0.30, 0.13, 12, 1.05) + 0.6 * sine(pitch, clock(0.30, RATE)) * decay(
                    clock(0.30, RATE), 0.12, 0.004
                )
                put(bass, body * BASS[step], at)
            pitch = note(chord[ARPEGGIO[step]]) * OCTAVES[step]
            swell = 0.62 + 0.38 * np.sin(2 * np.pi * (bar * 16 + step) / 64.0)
            brightness = 1.40 - 0.55 * swell
            accent = 1.0 if step % 3 == 0 else 0.72
            put(
                arpeggio,
                (tone(pitch, 0.34, 0.075, 10, brightness) + 0.5 * tone(pitch * 1.004, 0.34, 0.07, 8, brightness))
                * accent,
                at,
            )
        bar_seconds = SIXTEENTH * 16
        u = clock(bar_seconds + 0.5, RATE)
        shape = np.clip(u / 0.35, 0, 1) * np.clip((bar_seconds + 0.5 - u) / 0.5, 0, 1)
        for name in chord:
            for detune in (0.9955, 1.0045):
                put(
                    pads,
                    partials(note(name) * detune, u, {float(n): 1 / n**1.7 for n in range(1, 7)}, RATE) * shape * 0.5,
                    bar * 16,
                )
    for name, step in (("E5", 0), ("B5", 22), ("C6", 32), ("G5", 54), ("B5", 64), ("D6", 86), ("A5", 96), ("G#5", 118)):
        bell_t = clock(1.2, RATE)
        bell = sine(note(name), bell_t + 0.0) * decay(bell_t, 0.20, 0.004) + 0.3 * sine(
            note(name) * 2.01, bell_t
        ) * decay(bell_t, 0.09, 0.002)
        put(arpeggio, bell * np.clip((1.2 - bell_t) / 0.1, 0, 1) * 0.85, step)

    dip = clock(SIXTEENTH * 4, RATE)
    duck = 0.38 + 0.62 * np.clip(dip / (SIXTEENTH * 2.6), 0, 1) ** 0.8
    for beat in range(BARS * 4):
        start = round(beat * 4 * SIXTEENTH * RATE)
        pump[start : start + len(duck)] = duck[: LENGTH - start]

    melody = arpeggio + echo(arpeggio, 3, 0.48, 4) * 0.8
    mix = drums * 0.95 + bass * pump * 0.46 + melody * (0.4 + 0.6 * pump) * 0.30 + pads * pump * 0.085
    mix += hall(melody * 0.30 + pads * 0.10 + drums * 0.05, 0.28, 0.40) * pump
    spectrum = np.fft.rfft(mix)
    hertz = np.fft.rfftfreq(LENGTH, 1 / RATE)
    mix = np.fft.irfft(spectrum / np.sqrt(1 + (32.0 / np.maximum(hertz, 1e-3)) ** 4), LENGTH)
    mix = np.tanh(mix / np.max(np.abs(mix)) * 1.7)
    mix *= 0.70 / np.max(np.abs(mix))
    return Sound(RATE, np.rint(mix * 32767).astype(np.int16))
