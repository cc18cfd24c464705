"""Starting: how long until `tickwire --help` has answered, and the modules a server needs are imported."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from tools.bench.figure import Figure

ROUNDS = 10
SERVER_SIDE = "import engine.ecs, engine.events, engine.app, engine.scene, engine.physics"


def start() -> Iterator[Figure]:
    """Each in a fresh process, against `python -c pass`."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "start tickwire --help": [sys.executable, "-m", "engine.cli.main", "--help"],
        "start server-side imports": [sys.executable, "-c", SERVER_SIDE],
    }
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(ROUNDS):
        for name, command in commands.items():
            begin = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best[name] = min(best[name], time.perf_counter() - begin)
    bare = best.pop("python -c pass")
    for name, seconds in best.items():
        yield Figure(name, seconds, "s", "python -c pass", bare)
    check = f"{SERVER_SIDE}; import sys; sys.exit('pygame' in sys.modules)"
    imported = subprocess.run([sys.executable, "-c", check], check=False).returncode
    yield Figure("start pygame imported", float(imported), "modules", None, None, "<= 0")
