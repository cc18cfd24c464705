"""The short version of tools/flood_wire.py: real sockets, a server process, strangers at many loopback addresses."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "tools" / "flood_wire.py"


def test_a_player_joins_while_strangers_flood_and_nothing_is_kept_for_them() -> None:
    # How soon is for the script to say on a quiet machine; here it is enough that it happens.
    small = ("--requests", "8000", "--addresses", "100", "--rate", "8000", "--within", "60")
    done = subprocess.run([sys.executable, str(SCRIPT), *small], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8000 requests from 100 addresses" in done.stdout
    assert "kept for strangers: 0 connections" in done.stdout
