"""Whoever hosts a server and slips gets one line that says what is wrong, where, and what could be done; no more."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main

FILES = {
    "syntax.toml": b"[server\n",
    "wrong.toml": b'[rooms]\nseats = "many"\n',
    "binary": b"\xff\xfe",
    "raises.py": b"X = 1\nX / 0\n",
    "misused.py": b"from engine.ecs import World\nWorld().resource(int)\n",
    "empty.py": b"",
    "other.py": b"GAME = 5\n",
    "file": b"",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TICKWIRE_OPS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield
    for name in ("raises", "misused", "empty", "other"):
        sys.modules.pop(name, None)


def tickwire(line: str) -> Result:
    return CliRunner().invoke(main, line.split())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("serve nosuch", "there is no game 'nosuch'"),
        ("serve nosuch.py", "there is no file nosuch.py"),
        ("serve raises.py", "raises.py, line 2: ZeroDivisionError: division by zero"),
        ("serve misused.py", "misused.py, line 2: "),
        ("serve empty.py", "empty.py has no GAME"),
        ("serve other.py", "other.py has no GAME"),
        ("serve games.chat", "games.chat has no GAME"),
        ("serve --config nosuch.toml", "nosuch.toml: cannot be read: No such file"),
        ("serve --config syntax.toml", "syntax.toml:1: not TOML"),
        ("serve --config wrong.toml", 'wrong.toml:2: rooms.seats = "many": a whole number'),
        ("serve --config binary", "binary:1: not UTF-8"),
        ("serve --config .", "cannot be read: Is a directory"),
        ("serve --bots some", '--bots "some": a whole number'),
        ("serve --bind nowhere", '--bind "nowhere": IP address and port'),
        ("serve --bind 192.0.2.1:7777", "this machine has no such address"),
        ("serve --check --arena moon", '--arena "moon": Ricochet has crossfire'),
        ("serve --bind 127.0.0.1:0 --save file/saves", "cannot save in file/saves"),
        ("serve --bind 127.0.0.1:0 --record file/match.twr", "cannot write the journal file/match.twr"),
        ("serve --bind 127.0.0.1:0 --ops 192.0.2.1:9100", "choose another port for --ops"),
        ("top http://127.0.0.1:1", "is the server running, with --ops there?"),
        ("top --once http://[::1", "is no address of a dashboard"),
        ("top --once http://127.0.0.1:99999", "is no address of a dashboard"),
        ("kick k3f9 Ana --url http://127.0.0.1:1", "is the server running, with --ops there?"),
        ("say hi --url http://127.0.0.1:1", "this takes the token: set TICKWIRE_OPS_TOKEN"),
        ("say hi --token-file nosuch", "nosuch: No such file or directory"),
        ("say hi --token-file binary", "binary is no text"),
        ("bots nowhere", "invite"),
        ("join nowhere", "there is no display"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="the words of other systems differ")
def test_a_mistake_is_one_line(line: str, said: str) -> None:
    done = tickwire(line)
    assert (done.exit_code, done.exception is None or isinstance(done.exception, SystemExit)) == (1, True)
    lines = [each for each in done.output.splitlines() if '"level": "warning"' not in each]
    assert len(lines) == 1, done.output
    assert lines[0].startswith("tickwire: ")
    assert said in lines[0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_recording_to_a_full_disk_names_the_file() -> None:
    done = tickwire("serve --bind 127.0.0.1:0 --record /dev/full")
    assert done.output == "tickwire: cannot write the journal /dev/full: No space left on device; give another path\n"


def _two_ports() -> tuple[socket.socket, int]:
    """A port that is free for TCP and UDP, where the next one is taken."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        taken = socket.socket(type=socket.SOCK_DGRAM)
        try:
            taken.bind(("127.0.0.1", port + 1))
        except (OSError, OverflowError):
            taken.close()
        else:
            return taken, port


def run(*words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "engine.cli.main", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_port_that_a_worker_needs_is_named() -> None:
    taken, port = _two_ports()
    with taken, run("serve", "games.tag", "--bind", f"127.0.0.1:{port}", "--workers", "2") as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == (
        f"tickwire: cannot open UDP 127.0.0.1:{port + 1}: Address already in use; "
        "worker 0 takes that port besides --bind's own\n"
    )


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("moment", ["start", "ready", "ready, and again"])
def test_ctrl_c_is_a_line_at_most(tmp_path: Path, workers: str, moment: str) -> None:
    words = ("serve", "games.tag", "--bind", "127.0.0.1:0", "--workers", workers, "--log-level", "error")
    with run(*words) as process:
        assert process.stdout is not None
        if moment == "start":
            while process.poll() is None and not list(tmp_path.rglob("certificate.pem")):
                time.sleep(0.001)
        else:
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        if "again" in moment:
            process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert said in ("", "stopped\n")
    assert process.returncode in (0, 130, -signal.SIGINT)
