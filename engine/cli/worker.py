"""A worker process of `tickwire serve --workers`: started by it, with a pipe, and by nobody else."""

from __future__ import annotations

import sys

COMMAND = (sys.executable, "-m", "engine.cli.worker")
"""What starts one."""

if __name__ == "__main__":
    from engine.cli.games import load_game
    from engine.server.child import run_worker

    sys.exit(run_worker(load_game))
