"""The chat of games/chat.py: two processes on loopback, and what it says when it cannot."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from engine.net.wire import Protocol
from games.chat import PROTOCOL

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen[str]


@contextmanager
def chat(home: Path, *arguments: str) -> Iterator[Process]:
    """A chat process; killed if the test leaves it, or after 30 seconds."""
    environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home), "LOCALAPPDATA": str(home)}
    process = subprocess.Popen(
        [sys.executable, "-m", "games.chat", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    timer = threading.Timer(30, process.kill)
    timer.start()
    try:
        with process:
            try:
                yield process
            finally:
                process.kill()
    finally:
        timer.cancel()


def read(process: Process) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def write(process: Process, line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def interrupt(process: Process) -> tuple[int, str]:
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    return process.returncode, errors


def test_it_has_at_most_40_lines() -> None:
    assert len((ROOT / "games" / "chat.py").read_text().splitlines()) <= 40
    assert isinstance(PROTOCOL, Protocol)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process alone")
def test_two_people_talk_and_everyone_leaves_in_order(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(chat(tmp_path, "serve", "--host", "127.0.0.1", "--port", "0"))
        invite = read(server)
        assert invite.startswith("tickwire://127.0.0.1:")
        ana = stack.enter_context(chat(tmp_path, "join", invite, "Ana"))
        write(ana, "first")
        assert read(ana) == "Ana: first"
        ben = stack.enter_context(chat(tmp_path, "join", invite, "Ben"))
        write(ben, "hello " + "é" * 300)
        assert read(ben) == read(ana) == "Ben: hello " + "é" * 194
        write(ana, "bye")
        assert read(ben) == "Ana: bye"
        assert interrupt(ana) == (130, "stopped\n")
        second = stack.enter_context(
            chat(tmp_path, "serve", "--host", "127.0.0.1", "--port", invite.partition("?")[0].rpartition(":")[2])
        )
        _, errors = second.communicate(timeout=10)
        assert second.returncode == 1
        assert "choose another port" in errors
        assert len(errors.splitlines()) == 1
        assert interrupt(server) == (130, "stopped\n")
        _, errors = ben.communicate(timeout=10)
        assert (ben.returncode, errors) == (0, "the other side left\n")
        late = stack.enter_context(chat(tmp_path, "join", invite, "Late"))
        _, errors = late.communicate(timeout=10)
        assert late.returncode == 1
        assert "cannot be reached" in errors
        assert len(errors.splitlines()) == 1


def test_an_invite_that_is_none_is_one_line(tmp_path: Path) -> None:
    with chat(tmp_path, "join", "nonsense") as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert errors.startswith("chat: 'nonsense' is no invite")
    assert len(errors.splitlines()) == 1
