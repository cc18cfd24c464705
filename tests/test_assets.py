"""The pictures, sounds and maps that Ricochet comes with: all there, as the script makes them, and fit to be used."""

from __future__ import annotations

import itertools
import json
import math
import re
import shutil
import struct
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets" / "ricochet"
SHIPS = ("arrow", "wedge", "fork", "kite", "hex", "crescent", "manta", "needle")
KINDS = {"triple", "overcharge", "repair", "dash"}
MAPS = sorted((ASSETS / "maps").glob("*.json"))
SOUNDS = sorted((ASSETS / "sounds").glob("*.wav"))


def make_assets(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "tools" / "make_assets.py"
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=100)


def png_size(path: Path) -> tuple[int, int]:
    """Width and height from the IHDR chunk, which always comes first (PNG specification, 11.2.2)."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n", f"{path.name} is no PNG"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def samples(path: Path) -> tuple[int, np.ndarray]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float) / 32768


@pytest.mark.parametrize(
    "pattern", ["sprites/ships/kite*.png", "sprites/disc_3*.png", "sounds/bounce*.wav", "maps/*.json"]
)
def test_what_lies_on_disk_is_what_the_script_makes(pattern: str) -> None:
    result = make_assets("--check", "--only", pattern)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_check_finds_a_file_that_was_changed_by_hand(tmp_path: Path) -> None:
    for name in ("ui_move", "ui_press"):
        target = tmp_path / "sounds" / f"{name}.wav"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ASSETS / "sounds" / f"{name}.wav", target)
    content = bytearray((tmp_path / "sounds" / "ui_press.wav").read_bytes())
    content[1001] ^= 0x40
    (tmp_path / "sounds" / "ui_press.wav").write_bytes(content)
    result = make_assets("--check", "--only", "sounds/ui_*", "--into", str(tmp_path))
    assert result.returncode == 1
    assert "sounds/ui_press.wav" in result.stdout
    assert "sounds/ui_move.wav" not in result.stdout


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    for run in ("first", "second"):
        assert make_assets("--only", "s*/[st]*k*", "--into", str(tmp_path / run)).returncode == 0
    first = {path.relative_to(tmp_path / "first"): path.read_bytes() for path in (tmp_path / "first").rglob("*.*")}
    second = {path.relative_to(tmp_path / "second"): path.read_bytes() for path in (tmp_path / "second").rglob("*.*")}
    assert len(first) >= 4
    assert first == second


def test_a_pattern_that_fits_nothing_is_an_error() -> None:
    result = make_assets("--check", "--only", "sprites/unicorn.png")
    assert result.returncode == 2
    assert "sprites/unicorn.png" in result.stderr


def test_the_readme_names_every_file() -> None:
    text = (ASSETS / "README.md").read_text(encoding="utf-8")
    named: set[str] = set()
    for quoted in re.findall(r"`([^`]+)`", text):
        choice = re.search(r"\{([^}]+)\}", quoted)
        for option in choice.group(1).split(",") if choice else [""]:
            named.add(re.sub(r"\{[^}]+\}", option, quoted).removesuffix(".png"))
    for path in sorted(ASSETS.rglob("*.*")):
        name = path.relative_to(ASSETS).with_suffix("").as_posix()
        if name == "README" or name.endswith("_core"):
            continue
        assert name.split("/", 1)[1] in named, f"{name} is not in the README"


@pytest.mark.parametrize("name", SHIPS)
def test_every_ship_has_a_hull_and_a_core_of_one_size(name: str) -> None:
    assert png_size(ASSETS / "sprites" / "ships" / f"{name}.png") == (96, 96)
    assert png_size(ASSETS / "sprites" / "ships" / f"{name}_core.png") == (96, 96)


def test_strips_hold_whole_frames() -> None:
    assert png_size(ASSETS / "sprites" / "flame.png") == (4 * 48, 32)
    for bounces in range(4):
        assert png_size(ASSETS / "sprites" / f"disc_{bounces}.png") == (6 * 48, 48)


@pytest.mark.parametrize("path", SOUNDS, ids=lambda path: path.stem)
def test_sounds_do_not_clip_drift_or_click(path: Path) -> None:
    rate, wave_ = samples(path)
    assert 0.2 < np.abs(wave_).max() < 0.99
    assert abs(wave_.mean()) < 0.002
    if path.stem == "music":
        assert rate == 22_050
        inside = np.abs(np.diff(wave_)).max()
        assert abs(wave_[0] - wave_[-1]) < inside / 2, "the loop's seam can be heard"
    else:
        assert rate == 44_100
        assert abs(wave_[0]) < 0.01
        assert abs(wave_[-1]) < 0.01
        assert len(wave_) / rate < 3.0


def test_bounces_rise_in_pitch() -> None:
    pitches: list[float] = []
    for bounce in range(4):
        rate, wave_ = samples(ASSETS / "sounds" / f"bounce_{bounce}.wav")
        spectrum = np.abs(np.fft.rfft(wave_[rate // 20 :], 1 << 16))
        hertz = np.fft.rfftfreq(1 << 16, 1 / rate)
        spectrum[(hertz < 300) | (hertz > 1000)] = 0  # the overtones rise too, and may be louder
        pitches.append(float(hertz[spectrum.argmax()]))
    assert np.allclose(pitches, [440.0, 523.25, 659.26, 880.0], rtol=0.02), pitches


def test_the_whole_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in SOUNDS) < 2_500_000
    assert (ASSETS / "sounds" / "music.wav").stat().st_size < 1_000_000
    assert sum(path.stat().st_size for path in ASSETS.rglob("*.png")) < 1_000_000


# Maps. The distances are worked out here anew, not borrowed from the script that checks its own work.


def middle_line(wall: dict[str, Any]) -> list[tuple[float, float]]:
    if wall["kind"] == "segment":
        return [tuple(wall["from"]), tuple(wall["to"])]
    if wall["kind"] == "polyline":
        points: list[tuple[float, float]] = [tuple(point) for point in wall["points"]]
        return [*points, points[0]] if wall["closed"] else points
    assert wall["kind"] == "arc"
    start, end = float(wall["start_degrees"]), float(wall["end_degrees"])
    turns = [math.radians(start + (end - start) * step / 63) for step in range(64)]
    x, y = wall["center"]
    return [(x + wall["radius"] * math.cos(turn), y + wall["radius"] * math.sin(turn)) for turn in turns]


def distance(point: list[float], line: list[tuple[float, float]]) -> float:
    at = complex(*point)
    nearest = math.inf
    for start, end in itertools.pairwise(line):
        a, b = complex(*start), complex(*end)
        along = ((at - a) * (b - a).conjugate()).real / abs(b - a) ** 2
        nearest = min(nearest, abs(at - a - min(max(along, 0.0), 1.0) * (b - a)))
    return nearest


@pytest.fixture(params=MAPS, ids=lambda path: path.stem)
def arena(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text(encoding="utf-8"))


def test_a_map_holds_what_the_format_says(arena: dict[str, Any]) -> None:
    assert (arena["format"], arena["version"]) == ("ricochet-map", 1)
    assert set(arena) == {
        *("format", "version", "name", "size", "wall_color", "ball"),
        *("walls", "bumpers", "crates", "spawns", "pads"),
    }
    assert re.fullmatch(r"#[0-9a-f]{6}", arena["wall_color"])
    border = arena["walls"][0]
    assert border["kind"] == "polyline"
    assert border["closed"]
    for wall in arena["walls"]:
        assert wall["thickness"] > 0
        if wall["kind"] == "arc":
            assert wall["start_degrees"] < wall["end_degrees"] <= wall["start_degrees"] + 360
    for pad in arena["pads"]:
        assert set(pad["kinds"]) <= KINDS
        assert pad["kinds"]
        assert pad["every_seconds"] > 0
    for bumper in arena["bumpers"]:
        assert bumper["kick"] > 1


def test_everything_lies_on_the_ground(arena: dict[str, Any]) -> None:
    width, height = arena["size"]
    for item in (*arena["bumpers"], *arena["crates"], *arena["spawns"], *arena["pads"], arena["ball"]):
        x, y = item["at"]
        assert 40 < x < width - 40
        assert 40 < y < height - 40


def test_spawns_are_clear_of_walls_and_of_each_other(arena: dict[str, Any]) -> None:
    spawns = arena["spawns"]
    assert len(spawns) >= 16
    for index, spawn in enumerate(spawns):
        for wall in arena["walls"]:
            assert distance(spawn["at"], middle_line(wall)) >= 120, f"{spawn} is too near to {wall}"
        for other in spawns[:index]:
            assert math.dist(spawn["at"], other["at"]) > 80
        for bumper in arena["bumpers"]:
            assert math.dist(spawn["at"], bumper["at"]) > bumper["radius"] + 40


def test_pads_and_the_ball_are_clear_of_walls(arena: dict[str, Any]) -> None:
    for item in (*arena["pads"], arena["ball"]):
        for wall in arena["walls"]:
            assert distance(item["at"], middle_line(wall)) >= wall["thickness"] / 2 + 48


def test_half_a_turn_leaves_a_map_as_it_was(arena: dict[str, Any]) -> None:
    width, height = arena["size"]

    def turned(point: list[float]) -> list[float]:
        return [width - point[0], height - point[1]]

    for key in ("bumpers", "crates", "pads"):
        assert {tuple(turned(item["at"])) for item in arena[key]} == {tuple(item["at"]) for item in arena[key]}
    spawns = {(*spawn["at"], spawn["degrees"], spawn["team"]) for spawn in arena["spawns"]}
    rival = {"a": "b", "b": "a", None: None}
    assert spawns == {(width - x, height - y, (degrees + 180) % 360, rival[team]) for x, y, degrees, team in spawns}
    lines = [middle_line(wall) for wall in arena["walls"]]
    for line in lines:
        for point in line[:: max(1, len(line) // 8)]:
            assert min(distance(turned(list(point)), other) for other in lines) < 1.5


def test_both_teams_have_as_many_places(arena: dict[str, Any]) -> None:
    teams = [spawn["team"] for spawn in arena["spawns"]]
    assert teams.count("a") == teams.count("b") >= 6
