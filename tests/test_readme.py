"""The README's programs, run as they stand there."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder of its own, on a machine without display or sound."""
    import os

    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"}
    environment = {k: v for k, v in os.environ.items() if k not in hidden} | {"SDL_AUDIODRIVER": "dummy"}
    (folder / "program.py").write_text(code, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture = ROOT / "assets" / "ricochet" / "sprites" / "ships" / "arrow.png"
    (tmp_path / "arrow.png").write_bytes(picture.read_bytes())
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is a display")
@pytest.mark.parametrize("with_keys", [False, True])
def test_the_first_program_runs_unseen_where_there_is_no_display(folder: Path, with_keys: bool):
    first, keys = BLOCKS[0], BLOCKS[1]
    if with_keys:
        first = first.replace("import Plugin", "import KeyPressed, Plugin").replace("play(game", f"{keys}\nplay(game")
    done = python(first.replace('title="Hello"', 'title="Hello", seconds=0.5'), folder)
    assert done.returncode == 0, done.stderr
    assert "hello.png shows the end" in done.stdout
    assert (folder / "hello.png").stat().st_size > 1000


def test_the_first_program_has_at_most_eight_lines():
    assert len([line for line in BLOCKS[0].splitlines() if line.strip()]) <= 8


def test_the_duel_ends_as_told(folder: Path):
    done = python(BLOCKS[2] + BLOCKS[3], folder)
    assert done.returncode == 0, done.stderr


def test_names_are_the_same_wherever_they_are_imported_from():
    module_of = {name: module for module, names in engine._WHERE.items() for name in names.split()}
    for name in engine.__all__:
        value = getattr(engine, name)
        assert getattr(import_module(module_of[name]), name) is value
    assert set(engine.__all__) == set(module_of)


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Sprit"):
        engine.Sprit  # noqa: B018


def test_asking_for_a_world_loads_neither_pygame_nor_pymunk(folder: Path):
    done = python("import sys, engine; engine.World; print({'pygame', 'pymunk'} & set(sys.modules))", folder)
    assert done.stdout.strip() == "set()"
