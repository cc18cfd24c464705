"""The effects. What is tuned is tuned to A minor, the key of the music, so that a busy fight still sounds like a tune.

The peaks differ on purpose: the files are already mixed against each other, and the game may play them all at volume 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .synth import (
    Sound,
    Wave,
    band,
    bump,
    clock,
    decay,
    drive,
    finished,
    noise,
    note,
    partials,
    place,
    room,
    saw,
    sine,
    square,
    sweep,
)

# When, within ``kill_ricochet``, the explosion comes: the game's hit-stop ends there.
IMPACT = 0.26

# Overtones of a struck glass plate and of a tight metal bar.
GLASS = {1.0: 1.0, 2.32: 0.45, 4.25: 0.28, 6.63: 0.13, 9.38: 0.06}
BAR = {1.0: 1.0, 2.756: 0.5, 5.404: 0.3, 8.933: 0.15}


def struck(frequency: float, seconds: float, overtones: dict[float, float], half_life: float) -> Wave:
    """Overtones that die the sooner the higher they lie."""
    t = clock(seconds)
    total = np.zeros_like(t)
    for multiple, level in overtones.items():
        if frequency * multiple < 19_000:
            total += level * sine(frequency * multiple, t) * decay(t, half_life / multiple**0.7)
    return total


def pluck(frequency: float, seconds: float, half_life: float, harmonics: int = 14) -> Wave:
    """A synthesiser's string whose filter closes as it dies."""
    t = clock(seconds)
    total = np.zeros_like(t)
    for n in range(1, harmonics + 1):
        if frequency * n < 19_000:
            total += sine(frequency * n, t) / n * decay(t, half_life / n**0.8, 0.002)
    return total


def throw() -> Sound:
    t = clock(0.26)
    air = band(noise(0.26, "throw"), 700, 5200) * bump(t, 0.0, 0.20) * 0.9
    whip = sine(sweep(t, 1500, 260, 0.035), t) * decay(t, 0.035, 0.003)
    body = drive(sine(sweep(t, 420, 90, 0.03), t) * decay(t, 0.03, 0.001), 2.0) * 0.8
    return finished(room(air * 0.55 + whip * 0.5 + body, 0.03, 0.12, 0.08, "throw.room"), 0.62)


def bounce(frequency: float, energy: float) -> Sound:
    """A disc on a wall: a click, a bar's ring, and with each bounce more glass and a longer tail."""
    length = 0.24 + 0.10 * energy
    t = clock(length)
    ring = struck(frequency, length, BAR, 0.045 + 0.035 * energy)
    shine = struck(frequency * 2, length, GLASS, 0.05 + 0.05 * energy) * (0.15 + 0.45 * energy)
    click = band(noise(length, "bounce"), 2200, 9000) * decay(t, 0.004, 0.0005) * 0.9
    thump = sine(sweep(t, 300, 110, 0.012), t) * decay(t, 0.018, 0.0008) * 0.8
    return finished(
        room(ring + shine + click + thump, 0.05 + 0.04 * energy, 0.16, 0.12, "bounce.room"), 0.60 + 0.12 * energy
    )


def bumper() -> Sound:
    t = clock(0.42)
    spring = sine(sweep(t, 180, 330, 0.06) * (1 + 0.05 * np.sin(2 * np.pi * 27 * t) * decay(t, 0.1)), t) * decay(
        t, 0.07, 0.002
    )
    bell = struck(note("E5"), 0.42, GLASS, 0.09) * 0.42 + struck(note("A5"), 0.42, GLASS, 0.07) * 0.25
    knock = drive(sine(sweep(t, 520, 70, 0.015), t) * decay(t, 0.03), 3.0) * 0.9
    return finished(room(spring * 0.8 + bell + knock, 0.07, 0.18, 0.12, "bumper.room"), 0.72)


def hit() -> Sound:
    t = clock(0.24)
    crack = band(noise(0.24, "hit"), 900, 7000) * decay(t, 0.014, 0.0005)
    plate = struck(310, 0.24, BAR, 0.028) * 0.6
    punch = drive(sine(sweep(t, 340, 62, 0.02), t) * decay(t, 0.026), 3.0)
    return finished(crack * 1.4 + plate + punch * 0.8, 0.78)


def explosion(seconds: float, name: str, half_life: float) -> Wave:
    t = clock(seconds)
    grit = noise(seconds, name)
    low = band(grit, 40, 420) * 3.2 * decay(t, half_life, 0.002)
    middle = band(grit, 420, 2600) * 1.9 * decay(t, half_life * 0.45, 0.001)
    high = band(grit, 2600, 12_000) * 1.4 * decay(t, half_life * 0.22, 0.0005)
    sub = sine(sweep(t, 170, 36, 0.06), t) * decay(t, half_life * 1.2, 0.002) * 1.5
    return drive(low + middle + high + sub, 1.6)


def kill() -> Sound:
    total = np.zeros(len(clock(0.75)))
    place(total, explosion(0.75, "kill", 0.085), 0.0)
    for i, name in enumerate(("E5", "C5", "A4")):
        place(total, pluck(note(name), 0.35, 0.06) * 0.34, 0.02 + 0.055 * i)
    return finished(room(total, 0.10, 0.18, 0.2, "kill.room"), 0.88)


def kill_ricochet() -> Sound:
    """The staged one. A crack at once; then, while the game holds its breath, the three bounces are heard again as a
    rising run; and at ``IMPACT`` seconds all of it: a drop into the sub, a chord over five octaves, shattered glass,
    and a bell that bounces three times away."""
    total = np.zeros(len(clock(2.3)))
    impact = IMPACT
    t = clock(0.2)
    place(total, band(noise(0.2, "crack"), 1200, 12_000) * decay(t, 0.012, 0.0004) * 1.1, 0.0)
    place(total, drive(sine(sweep(t, 520, 70, 0.014), t) * decay(t, 0.035, 0.0005), 3.0) * 0.9, 0.0)
    t = clock(impact)
    breath = band(noise(impact, "breath"), 900, 9000) * (t / impact) ** 3 * np.clip((impact - t) / 0.03, 0, 1)
    place(total, breath * 0.75, 0.0)
    place(
        total,
        saw(sweep(t, 110, 880, 0.11), t, 12) * (t / impact) ** 2.5 * np.clip((impact - t) / 0.03, 0, 1) * 0.4,
        0.0,
    )
    for i, name in enumerate(("A4", "C5", "E5")):
        place(total, struck(note(name), 0.4, BAR, 0.06) * (0.45 + 0.12 * i), 0.03 + 0.07 * i)
    place(total, explosion(1.3, "kill_ricochet", 0.15) * 1.25, impact)
    t = clock(1.6)
    place(total, sine(sweep(t, 220, 41, 0.07), t) * decay(t, 0.22, 0.002) * 0.95, impact)
    for name, level in (
        ("A2", 0.55),
        ("E3", 0.42),
        ("A3", 0.42),
        ("C4", 0.36),
        ("E4", 0.34),
        ("B4", 0.28),
        ("A5", 0.20),
    ):
        for detune in (0.9965, 1.0035):
            place(total, saw(note(name) * detune, t, 16, 1.25) * decay(t, 0.20, 0.003) * level * 0.80, impact)
    for i, name in enumerate(("A5", "C6", "E6", "A6", "E6", "A6", "C7", "A7")):
        place(total, struck(note(name), 0.7, GLASS, 0.12) * 0.52 * 0.9**i, impact + 0.03 + 0.062 * i)
    for i in range(1, 4):
        place(total, struck(note("A6"), 0.5, GLASS, 0.09) * 0.50 * 0.65**i, impact + 0.62 + 0.30 * i * 0.9**i)
    return finished(drive(room(total, 0.22, 0.30, 0.35, "kill_ricochet.room") * 0.42, 1.5), 0.96)


def dash() -> Sound:
    t = clock(0.36)
    air = noise(0.36, "dash")
    rush = band(air, 300, 1800) * bump(t, 0.0, 0.30) + band(air, 1800, 8000) * bump(t, 0.04, 0.22) * 0.8
    jet = saw(sweep(t, 90, 620, 0.10), t, 14) * bump(t, 0.0, 0.26) * 0.55
    kick = sine(sweep(t, 260, 55, 0.02), t) * decay(t, 0.05)
    return finished(room(rush * 0.7 + jet + kick * 0.7, 0.05, 0.15, 0.12, "dash.room"), 0.54)


def shield_up() -> Sound:
    t = clock(0.40)
    rise = sweep(t, 165, 440, 0.07)
    hum = sum(
        (sine(rise * m, t) * level for m, level in ((1.0, 0.7), (1.503, 0.4), (2.0, 0.35), (3.01, 0.2))),
        np.zeros_like(t),
    )
    envelope = np.clip(t / 0.03, 0, 1) * np.clip((0.40 - t) / 0.26, 0, 1) ** 1.5
    glitter = band(noise(0.40, "shield"), 4500, 12_000) * bump(t, 0.0, 0.2) * 0.25
    return finished(
        room(hum * envelope * (1 + 0.25 * np.sin(2 * np.pi * 31 * t)) + glitter, 0.06, 0.18, 0.1, "shield.room"), 0.50
    )


def shield_reflect() -> Sound:
    t = clock(0.5)
    ping = struck(note("A5"), 0.5, GLASS, 0.10) + struck(note("E6"), 0.5, GLASS, 0.09) * 0.6
    zap = sine(sweep(t, 3200, 500, 0.02), t) * decay(t, 0.03, 0.0008) * 0.7
    force = drive(sine(sweep(t, 400, 80, 0.02), t) * decay(t, 0.045), 2.5) * 0.8
    return finished(room(ping * 0.7 + zap + force, 0.09, 0.22, 0.18, "reflect.room"), 0.74)


def run(names: tuple[str, ...], step: float, seconds: float, half_life: float) -> Wave:
    total = np.zeros(len(clock(seconds)))
    for i, name in enumerate(names):
        tone = (
            pluck(note(name), seconds - step * i, half_life) * 0.6
            + struck(note(name) * 2, seconds - step * i, GLASS, half_life) * 0.3
        )
        place(total, tone, step * i)
    return total


def pickup_triple() -> Sound:
    return finished(room(run(("A5", "A5", "E6"), 0.07, 0.42, 0.07), 0.08, 0.2, 0.12, "pickup.room"), 0.46)


def pickup_overcharge() -> Sound:
    t = clock(0.5)
    surge = (
        saw(sweep(t, 110, 880, 0.16), t, 16) * bump(t, 0.0, 0.42) * (0.6 + 0.4 * np.sign(np.sin(2 * np.pi * 24 * t)))
    )
    spark = band(noise(0.5, "overcharge"), 3000, 11_000) * bump(t, 0.18, 0.42) * 0.35
    return finished(
        room(
            band(surge, 90, 5200) * 0.7 + spark + run(("E5", "A5"), 0.26, 0.5, 0.06) * 0.6,
            0.06,
            0.16,
            0.12,
            "pickup.room",
        ),
        0.55,
    )


def pickup_repair() -> Sound:
    return finished(room(run(("C5", "E5", "G5", "C6"), 0.065, 0.55, 0.11), 0.10, 0.24, 0.14, "pickup.room"), 0.42)


def pickup_dash() -> Sound:
    t = clock(0.4)
    slide = sine(sweep(t, 440, 1760, 0.07) * (1 + 0.012 * np.sin(2 * np.pi * 18 * t)), t) * bump(t, 0.0, 0.36) * 0.6
    air = band(noise(0.4, "phase"), 2500, 9000) * bump(t, 0.02, 0.34) * 0.35
    return finished(room(slide + air + run(("B5", "E6"), 0.12, 0.4, 0.06) * 0.5, 0.08, 0.22, 0.14, "pickup.room"), 0.44)


def pickup_spawn() -> Sound:
    return finished(room(run(("E5", "B5"), 0.09, 0.36, 0.08) * 0.8, 0.10, 0.3, 0.14, "pickup.room"), 0.30)


def crate_hit() -> Sound:
    t = clock(0.18)
    knock = struck(190, 0.18, {1.0: 1.0, 1.78: 0.6, 3.1: 0.4, 4.7: 0.2}, 0.022)
    return finished(knock + band(noise(0.18, "crate_hit"), 500, 4500) * decay(t, 0.012) * 0.8, 0.58)


def crate_break() -> Sound:
    total = explosion(0.6, "crate", 0.035) * 0.7
    for i in range(11):
        at = 0.012 + 0.034 * i + 0.012 * (i * 7 % 3)
        tone = struck(520 + 173 * (i * 5 % 7), 0.12, {1.0: 1.0, 2.41: 0.5, 3.9: 0.3}, 0.014)
        place(total, tone * 0.55 * 0.84**i, at)
    return finished(room(total, 0.05, 0.16, 0.1, "crate.room"), 0.74)


def ball_hit() -> Sound:
    t = clock(0.6)
    gong = struck(98, 0.6, {1.0: 1.0, 1.51: 0.7, 2.13: 0.5, 2.9: 0.4, 4.2: 0.25, 6.1: 0.15}, 0.13)
    punch = drive(sine(sweep(t, 240, 44, 0.03), t) * decay(t, 0.09), 2.6) * 1.2
    clank = band(noise(0.6, "ball"), 600, 3500) * decay(t, 0.014) * 0.7
    return finished(room(gong * 0.6 + punch + clank, 0.09, 0.18, 0.15, "ball.room"), 0.84)


def spawn() -> Sound:
    total = run(("A3", "E4", "A4", "E5", "A5"), 0.05, 0.6, 0.10) * 0.8
    t = clock(0.6)
    total += band(noise(0.6, "spawn"), 1200, 7000) * (t / 0.24).clip(0, 1) ** 2 * np.clip((0.27 - t) / 0.03, 0, 1) * 0.4
    total += sine(sweep(t, 55, 220, 0.1), t) * bump(t, 0.0, 0.5) * 0.4
    return finished(room(total, 0.10, 0.22, 0.15, "spawn.room"), 0.58)


def countdown() -> Sound:
    t = clock(0.20)
    tone = square(note("A4"), t, 9) * decay(t, 0.04, 0.001) * 0.7 + struck(note("A5"), 0.20, GLASS, 0.04) * 0.4
    return finished(room(tone, 0.05, 0.14, 0.1, "count.room"), 0.52)


def chord(names: tuple[str, ...], seconds: float, half_life: float) -> Wave:
    t = clock(seconds)
    total = np.zeros_like(t)
    for name in names:
        for detune in (0.996, 1.0, 1.004):
            total += saw(note(name) * detune, t, 14, 1.2) * decay(t, half_life, 0.004)
    return total / len(names)


def round_start() -> Sound:
    total = np.zeros(len(clock(1.15)))
    place(total, chord(("A2", "E3", "A3", "E4", "A4", "B4"), 1.1, 0.20) * 1.1, 0.0)
    place(total, explosion(0.6, "round_start", 0.05) * 0.55, 0.0)
    place(total, run(("A5", "E6", "A6"), 0.07, 0.6, 0.10) * 0.4, 0.03)
    return finished(room(total, 0.16, 0.26, 0.3, "round.room"), 0.82)


def round_end() -> Sound:
    total = np.zeros(len(clock(1.7)))
    for at, names in (
        (0.0, ("F3", "A3", "C4", "F4")),
        (0.20, ("G3", "B3", "D4", "G4")),
        (0.40, ("A2", "A3", "C#4", "E4", "A4", "C#5")),
    ):
        place(total, chord(names, 1.25, 0.09 if at < 0.4 else 0.26), at)
    place(total, run(("A5", "C#6", "E6", "A6"), 0.08, 0.9, 0.14) * 0.4, 0.44)
    return finished(room(total, 0.18, 0.28, 0.3, "round.room"), 0.80)


def ui_move() -> Sound:
    t = clock(0.07)
    return finished(
        sine(note("E6"), t) * decay(t, 0.010, 0.001) + sine(note("E7"), t) * decay(t, 0.005, 0.001) * 0.3, 0.26
    )


def ui_press() -> Sound:
    return finished(room(run(("A5", "E6"), 0.045, 0.18, 0.03), 0.04, 0.15, 0.06, "ui.room"), 0.36)


def empty() -> Sound:
    """Two dry clicks a little apart: nothing to throw."""
    total = np.zeros(len(clock(0.16)))
    t = clock(0.05)
    for at, level in ((0.0, 1.0), (0.055, 0.7)):
        place(
            total,
            (band(noise(0.05, "empty"), 1500, 6000) * decay(t, 0.003) + sine(210.0, t) * decay(t, 0.010)) * level,
            at,
        )
    return finished(total, 0.42)


def reload() -> Sound:
    """One disc back in the magazine."""
    t = clock(0.12)
    tick = band(noise(0.12, "reload"), 2500, 9000) * decay(t, 0.003) * 0.6
    return finished(tick + struck(note("A5"), 0.12, BAR, 0.014) * 0.7, 0.30)


def hurt() -> Sound:
    t = clock(0.34)
    buzz = partials(sweep(t, 240, 95, 0.09), t, {1.0: 1.0, 1.06: 0.9, 2.0: 0.5, 3.02: 0.4, 5.0: 0.2}) * decay(
        t, 0.07, 0.002
    )
    static = band(noise(0.34, "hurt"), 1000, 5000) * decay(t, 0.03) * (0.5 + 0.5 * np.sign(np.sin(2 * np.pi * 61 * t)))
    return finished(drive(buzz, 1.8) * 0.9 + static * 0.8, 0.72)


def low_hull() -> Sound:
    """The alarm of a drone with one hit left."""
    t = clock(0.34)
    tone = square(note("E5"), t, 7) * bump(t, 0.0, 0.15) + square(note("C5"), t, 7) * bump(t, 0.16, 0.32)
    return finished(band(tone, 200, 3500), 0.22)


SOUNDS: dict[str, Callable[[], Sound]] = {
    "throw": throw,
    "bounce": partial(bounce, note("A4"), 0.3),
    "bounce_0": partial(bounce, note("A4"), 0.0),
    "bounce_1": partial(bounce, note("C5"), 0.33),
    "bounce_2": partial(bounce, note("E5"), 0.67),
    "bounce_3": partial(bounce, note("A5"), 1.0),
    "bumper": bumper,
    "hit": hit,
    "kill": kill,
    "kill_ricochet": kill_ricochet,
    "dash": dash,
    "shield_up": shield_up,
    "shield_reflect": shield_reflect,
    "pickup_triple": pickup_triple,
    "pickup_overcharge": pickup_overcharge,
    "pickup_repair": pickup_repair,
    "pickup_dash": pickup_dash,
    "pickup_spawn": pickup_spawn,
    "crate_hit": crate_hit,
    "crate_break": crate_break,
    "ball_hit": ball_hit,
    "spawn": spawn,
    "countdown": countdown,
    "round_start": round_start,
    "round_end": round_end,
    "ui_move": ui_move,
    "ui_press": ui_press,
    "empty": empty,
    "reload": reload,
    "hurt": hurt,
    "low_hull": low_hull,
}
