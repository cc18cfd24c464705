"""The `tickwire` command as people type it, on a machine without a display."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main


@pytest.fixture
def tickwire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)

    def run(line: str) -> Result:
        return CliRunner().invoke(main, line.split(), catch_exceptions=False)

    return run


MATCH = "play ricochet --headless --bots 4 --seconds 3 --seed 7 --record a.twr --screenshot a.png"


def final_state(output: str) -> str:
    found = re.search(r"final state ([0-9a-f]{16}) after (\d+) ticks", output)
    assert found, output
    return found[1]


def test_help_teaches(tickwire):
    text = tickwire("--help").output
    assert all(word in text for word in ("play", "replay", "bench", "tickwire replay match.twr"))
    assert "--seed" in tickwire("play --help").output
    assert "verified N ticks" in tickwire("replay --help").output


def test_a_headless_match_leaves_a_picture_and_a_replay_that_verifies(tickwire, tmp_path):
    first = tickwire(MATCH)
    assert first.exit_code == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    verified = tickwire("replay a.twr --verify")
    assert (verified.exit_code, verified.output.strip()) == (0, "verified 180 ticks")
    assert final_state(tickwire(MATCH).output) == final_state(first.output)


def test_another_seed_is_another_match(tickwire):
    other = MATCH.replace("--seed 7", "--seed 8")
    assert final_state(tickwire(MATCH).output) != final_state(tickwire(other).output)


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere there always is a display")
def test_without_a_display_play_says_so_and_goes_on(tickwire, tmp_path):
    done = tickwire("play --bots 3 --seconds 1 --seed 1")
    assert done.exit_code == 0
    assert "no display" in done.output
    assert (tmp_path / "ricochet.png").exists()
    assert (tmp_path / "ricochet.twr").exists()


def test_a_damaged_recording_is_one_line_and_what_was_before_is_verified(tickwire, tmp_path):
    tickwire(MATCH)
    raw = bytearray((tmp_path / "a.twr").read_bytes())
    raw[len(raw) // 2] ^= 0x40
    (tmp_path / "damaged.twr").write_bytes(raw)
    (tmp_path / "short.twr").write_bytes(raw[: len(raw) // 3])
    for name in ("damaged.twr", "short.twr"):
        done = tickwire(f"replay {name} --verify")
        assert done.exit_code == 1
        assert len(done.output.strip().splitlines()) == 1
        assert re.search(r"damaged at byte \d+.*ticks before it are verified", done.output)


def test_a_recording_that_differs_names_tick_and_component(tickwire, tmp_path, monkeypatch):
    tickwire(MATCH)
    from games.ricochet import tuning

    monkeypatch.setattr(tuning, "DRAG", tuning.DRAG * 1.01)
    done = tickwire("replay a.twr --verify")
    assert done.exit_code == 1
    assert re.search(r"tick \d+ differs in \w+", done.output)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("play richochet", "did you mean ricochet"),
        ("play nowhere.py", "no file nowhere.py"),
        ("play --headless --level godlike", "easy, normal, hard"),
        ("play --headless --arena atlantis", "crossfire"),
        ("play --headless --mode chess", "deathmatch"),
        ("play --headless --seconds 1 --record plain/where.twr", "plain"),
        ("play --headless --seconds 1 --screenshot plain/where.png", "plain"),
        ("play --headless --seconds 1 --screenshot folder", "folder: is a folder"),
        ("play --headless --seconds 1 --record folder", "folder: is a folder"),
        ("play slip.py", "slip.py, line 1"),
        ("play lacking.py", "no_such_module_here"),
        ("replay nothing.twr", "nothing.twr"),
        ("bench nothing", "no benchmark"),
    ],
)
def test_a_mistake_is_one_line_that_helps(tickwire, tmp_path, line, word):
    (tmp_path / "plain").write_text("a file where a folder is wanted")
    (tmp_path / "folder").mkdir()
    (tmp_path / "slip.py").write_text("GAME =")
    (tmp_path / "lacking.py").write_text("import no_such_module_here")
    done = tickwire(line)
    assert done.exit_code == 1
    assert word in done.output
    assert len(done.output.strip().splitlines()) == 1, done.output


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "soon"])
def test_seconds_are_a_time(tickwire, seconds):
    done = tickwire(f"play --headless --seconds {seconds}")
    assert done.exit_code == 2
    assert "--seconds" in done.output.splitlines()[-1]


@pytest.mark.parametrize("name", ["{folder}/intruder.py", "intruder", "this", "..", "", "ricochet.game"])
def test_a_recording_cannot_choose_what_code_is_run(tickwire, tmp_path, monkeypatch, name):
    from engine.events import JournalWriter

    (tmp_path / "intruder.py").write_text("open('been_here', 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    header = {"game": name.format(folder=tmp_path), "game_version": 1, "options": {}}
    JournalWriter.create(tmp_path / "trap.twr", header).close(0)
    done = tickwire("replay trap.twr --verify")
    assert done.exit_code == 1
    assert "no installed game" in done.output
    assert not (tmp_path / "been_here").exists()


@pytest.mark.skipif("sys.platform != 'linux'", reason="/dev/full")
def test_a_full_disk_is_one_line(tickwire):
    done = tickwire("play --headless --seconds 1 --record /dev/full")
    assert done.exit_code == 1
    assert len(done.output.strip().splitlines()) == 1, done.output


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere there always is a display")
def test_a_replay_without_a_display_says_what_does_without(tickwire):
    tickwire(MATCH)
    done = tickwire("replay a.twr")
    assert done.exit_code == 1
    assert "--verify" in done.output
    assert "--headless" not in done.output


def test_a_console_that_lacks_signs_still_gets_the_score(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    line = [sys.executable, "-m", "engine.cli.main", *MATCH.split()]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "final state" in done.stdout


@pytest.mark.skipif("sys.platform != 'linux'", reason="a terminal of its own")
def test_in_a_narrow_terminal_columns_are_left_out_not_cut(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "40", "TERM": "xterm"}
    line = [sys.executable, "-m", "engine.cli.main", *MATCH.split()]
    with subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=theirs, stderr=theirs) as run:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # how a terminal says that its last writer has gone
            pass
        assert run.wait() == 0
    os.close(ours)
    assert "points" in shown.decode()
    assert "…" not in shown.decode()
    assert "suicides" not in shown.decode()


def test_a_recording_of_another_version_is_refused(tickwire, tmp_path):
    from engine.events import JournalWriter

    writer = JournalWriter.create(tmp_path / "old.twr", {"game": "ricochet", "game_version": -1, "options": {}})
    writer.close(0)
    done = tickwire("replay old.twr --verify")
    assert done.exit_code == 1
    assert "version -1" in done.output


def test_a_file_that_is_no_recording(tickwire, tmp_path):
    (tmp_path / "cat.twr").write_bytes(b"meow" * 10)
    done = tickwire("replay cat.twr")
    assert done.exit_code == 1
    assert "no Tickwire journal" in done.output


def test_a_trace_names_handlers_and_events(tickwire, tmp_path):
    tickwire("play --headless --bots 2 --seconds 1 --seed 1 --trace deep/down/t.json")
    spans = json.loads((tmp_path / "deep/down/t.json").read_text())["traceEvents"]
    assert {"Tick", "Begin"} <= {span["cat"] for span in spans}
    assert all(span["ph"] == "X" and span["dur"] >= 0 for span in spans)


def test_bench_lists_and_speaks_json(tickwire):
    assert "ecs-columns" in tickwire("bench --list").output.split()
    done = tickwire("bench ecs-rows --json")
    for line in done.stdout.strip().splitlines():
        figure = json.loads(line)
        assert set(figure) == {
            *("name", "scenario", "value", "unit", "against", "against_value", "ratio", "reach", "ok"),
        }


def test_a_game_of_ones_own_plays_from_a_file(tickwire, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from engine.app import Game, Plugin\n"
        "rules = Plugin('mine')\n"
        "GAME = Game(name='mine', title='Mine', version=1, rules=lambda o: [rules], resources=lambda o: [],\n"
        "            view=lambda o: [], pilot=lambda o: [])\n"
    )
    played = tickwire("play mine.py --headless --seconds 1 --seed 1")
    assert played.exit_code == 0
    assert "tickwire replay mine.twr --game mine.py" in played.output
    assert tickwire("replay mine.twr --game mine.py --verify").output.strip() == "verified 60 ticks"
    assert "--game" in tickwire("replay mine.twr --verify").output
    assert "the one it records" in tickwire("replay mine.twr --game ricochet --verify").output
    (tmp_path / "empty.py").write_text("")
    assert "has no GAME" in tickwire("play empty.py --headless").output
