"""Benchmarks: each takes our figure and its peer's in one run. Run with `tickwire bench`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from tools.bench.figure import Figure

WHERE = {
    "dispatch": "dispatch",
    "dispatch-post": "dispatch",
    "ecs-columns": "ecs",
    "ecs-rows": "ecs",
    "ecs-spawn": "ecs",
    "physics": "physics",
    "sprites": "sprites",
    "headless-ricochet": "ricochet",
    "rollback": "rollback",
    "start": "start",
    "replicate": "replicate",
    "cubes": "cubes",
    "wire-packet": "wire",
    "wire-reliable": "wire",
    "wire-idle": "wire",
    "wire-echo": "wire",
    "netplay": "netplay",
    "shots": "shots",
    "host": "host",
    "room": "room",
}
"""Benchmark name to module; the function has the benchmark's name, with underscores."""

NAMES = tuple(WHERE)


def run(name: str) -> Iterator[Figure]:
    """Run one benchmark."""
    module = importlib.import_module(f"tools.bench.{WHERE[name]}")
    yield from getattr(module, name.replace("-", "_"))()
