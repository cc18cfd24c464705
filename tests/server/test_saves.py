"""Saves: whole or not there, whatever ends the process, fills the disk or damages the files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.server.saves import HEADER_BYTES, SaveError, Saves, open_sealed, seal

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and limits of POSIX")

FIRST = b"first" * 2000
SECOND = b"second" * 3000
THIRD = b"third" * 1000

KILLED = """
import os, signal, sys
from pathlib import Path
from engine.server.saves import Saves

steps = []

def step(name):
    steps.append(name)
    if len(steps) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

Saves(Path(sys.argv[1]), step=step).write("room", b"third" * 1000)
"""


@pytest.fixture
def saves(tmp_path: Path) -> Saves:
    return Saves(tmp_path / "saves")


def content(saves: Saves) -> bytes:
    saved = saves.load("room")
    assert saved is not None
    return saved.content


def test_what_is_saved_is_loaded(saves: Saves) -> None:
    assert saves.load("room") is None
    assert saves.names() == []
    for written in (FIRST, b"", SECOND):
        saves.write("room", written)
        saved = saves.load("room")
        assert saved is not None
        assert (saved.content, saved.problem) == (written, "")
    saves.write("lobby", FIRST)
    assert saves.names() == ["lobby", "room"]
    assert content(saves) == SECOND


def test_a_removed_save_is_gone(saves: Saves) -> None:
    saves.write("room", FIRST)
    saves.write("room", SECOND)
    saves.remove("room")
    assert saves.load("room") is None
    assert saves.names() == []


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "x" * 101, "ä", "a\n"])
def test_a_name_cannot_lead_out_of_the_folder(saves: Saves, name: str) -> None:
    for act in (lambda: saves.write(name, b""), lambda: saves.load(name), lambda: saves.remove(name)):
        with pytest.raises(SaveError, match="a save called"):
            act()


# The end of the process


def write_and_die(folder: Path, step: int) -> bool:
    """Write the third save in a process of its own that kills itself at a step; whether it came that far."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(step)], env=environment, check=False)
    assert ended.returncode in (0, -9)
    return ended.returncode == -9


@posix
def test_a_kill_at_any_step_leaves_the_save_before_or_the_new_one(tmp_path: Path) -> None:
    found: list[bytes] = []
    for step in range(1, 100):
        saves = Saves(tmp_path / str(step))
        saves.write("room", FIRST)
        saves.write("room", SECOND)
        died = write_and_die(saves.folder, step)
        found.append(content(saves))
        saves.write("room", FIRST)  # what was left over is in nobody's way
        assert content(saves) == FIRST
        assert len(list(saves.folder.iterdir())) == 2
        if not died:
            break
    assert len(found) >= 9
    assert found[-1] == THIRD
    turn = found.index(THIRD)
    assert found == [SECOND] * turn + [THIRD] * (len(found) - turn)


@posix
def test_a_kill_at_any_step_of_the_first_save_leaves_none_or_the_new_one(tmp_path: Path) -> None:
    steps: list[str] = []
    Saves(tmp_path / "whole", step=steps.append).write("room", THIRD)
    found: list[bytes | None] = []
    for step, name in enumerate(steps, 1):
        saves = Saves(tmp_path / name)
        assert write_and_die(saves.folder, step)
        saved = saves.load("room")
        found.append(saved.content if saved is not None else None)
    turn = found.index(THIRD)
    assert turn > 1
    assert found == [None] * turn + [THIRD] * (len(found) - turn)


# A full disk


@posix
def test_a_file_too_large_for_the_limit_leaves_the_save_before(saves: Saves) -> None:
    saves.write("room", FIRST)
    saves.write("room", SECOND)
    script = """
import resource, sys
from pathlib import Path
from engine.server.saves import SaveError, Saves
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
try:
    Saves(Path(sys.argv[1])).write("room", b"third" * 1000)
except SaveError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", script, str(saves.folder)]
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert "cannot save" in said
    assert "room.save: File too large; the save before is kept" in said
    assert content(saves) == SECOND
    assert sorted(path.name for path in saves.folder.iterdir()) == ["room.save", "room.save.previous"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_no_space_left_leaves_the_save_before(saves: Saves) -> None:
    saves.write("room", FIRST)
    (saves.folder / "room.save.new").symlink_to("/dev/full")
    with pytest.raises(SaveError, match=r"room\.save: No space left on device; the save before is kept"):
        saves.write("room", SECOND)
    assert content(saves) == FIRST
    saves.write("room", SECOND)
    assert content(saves) == SECOND


def test_a_folder_that_cannot_be_had_is_named_before_anything_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = Saves(tmp_path / "file" / "saves")
    with pytest.raises(SaveError, match=r"cannot save in .*saves: .*; set save\.folder"):
        blocked.check()
    with pytest.raises(SaveError, match="cannot save"):
        blocked.write("room", FIRST)
    Saves(tmp_path / "new").check()
    assert list((tmp_path / "new").iterdir()) == []


# Damage


def test_a_damaged_save_gives_way_to_the_one_before_with_a_word(saves: Saves, caplog: pytest.LogCaptureFixture) -> None:
    saves.write("room", FIRST)
    saves.write("room", SECOND)
    last = saves.folder / "room.save"
    file = bytearray(last.read_bytes())
    file[-1] ^= 1
    last.write_bytes(file)
    saved = saves.load("room")
    assert saved is not None
    assert saved.content == FIRST
    assert saved.problem.endswith("room.save is damaged: its checksum is wrong; taking room.save.previous")
    assert saved.problem in caplog.text


def test_a_damaged_save_does_not_replace_the_good_one_before(saves: Saves) -> None:
    saves.write("room", FIRST)
    saves.write("room", SECOND)
    (saves.folder / "room.save").write_bytes(b"rotten")
    saves.write("room", THIRD)
    (saves.folder / "room.save").write_bytes(b"rotten again")
    assert content(saves) == FIRST


def test_when_all_are_damaged_it_says_so_and_keeps_them(saves: Saves) -> None:
    saves.write("room", FIRST)
    saves.write("room", SECOND)
    for path in saves.folder.iterdir():
        path.write_bytes(b"TWSV" + bytes(HEADER_BYTES))
    with pytest.raises(SaveError, match=r"room\.save is damaged.*room\.save\.previous is damaged.*move the files away"):
        saves.load("room")
    assert len(list(saves.folder.iterdir())) == 2


def test_a_save_of_a_later_version_is_not_misread() -> None:
    file = bytearray(seal(b"x"))
    file[4] = 2
    with pytest.raises(ValueError, match="newer"):
        open_sealed(bytes(file))


@given(st.binary(max_size=200), st.data())
def test_no_change_of_a_file_goes_unnoticed(content: bytes, data: st.DataObject) -> None:
    file = seal(content)
    assert open_sealed(file) == content
    at = data.draw(st.integers(0, len(file) - 1))
    changed = bytearray(file)
    changed[at] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(changed), file[:at], file + b"\0"):
        with pytest.raises(ValueError, match=r"^its? "):
            open_sealed(damaged)


@given(st.binary(max_size=200))
def test_no_bytes_but_a_save_are_taken_for_one(file: bytes) -> None:
    with pytest.raises(ValueError, match=r"^its? "):
        open_sealed(file)
