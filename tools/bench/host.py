"""A server as its operator has it: how fast it is there, what it takes idle, how many players it holds, how it ends.

The players are `tickwire bots` in processes of their own, so this takes two cores, with nothing else on them. They take
more of a core than the server takes for them: where they are late themselves, the figures are theirs, and the ramp ends
there. What is held is the last step on which no tick was dropped and 99 of 100 began within 4 ms of when they were due,
in the best of three tries.

`python -m tools.bench.host` draws the ramp into docs/media/hosting.png; the step that was too much is red.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from engine.server.ticks import BOUNDS, Histogram
from tools.bench.figure import Figure

STEPS = (16, 32, 48, 64, 80, 96, 128, 144, 160, 176, 200)
SETTLE, MEASURE = 8.0, 10.0
"""Seconds."""
TRIES = 3
"""Of each step: a machine that others use, too, may stand still for a moment, which fails one."""
ROOMS, BOTS = 24, 15
"""More rooms, each of one player and these, than a worker can hold."""
IDLE = 8.0
REACH, LATE = 200, 0.004
HONEST = 0.05
"""The share of their ticks that bots may be late for: above, they are too busy to be players."""
DRAINED = 50
COMMAND = (sys.executable, "-m", "engine.cli.main")


@dataclass(frozen=True, slots=True)
class Look:
    """A server at one moment; all but the memory are totals since its start."""

    at: float
    cpu: float
    memory: float
    dropped: float
    ticks: float
    lateness: Histogram


class Server:
    """`tickwire serve ricochet` in a process of its own."""

    def __init__(self, *more: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        log = Path(self._folder.name) / "log"
        ops = _free_port()
        options = (
            "--bind",
            "127.0.0.1:0",
            "--ops",
            f"127.0.0.1:{ops}",
            "--max-players",
            "1000",
            "--log-level",
            "error",
        )
        started = time.perf_counter()
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "ricochet", *options, *more], stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self.process.stdout is not None
        self.invite = next(line.strip() for line in self.process.stdout if line.startswith("tickwire://"))
        self.start_seconds = time.perf_counter() - started
        self._url = f"http://127.0.0.1:{ops}/metrics"

    def look(self) -> Look:
        """How it is now."""
        with urllib.request.urlopen(self._url, timeout=30) as response:
            text = response.read().decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

        def total(name: str) -> float:
            return sum(sample.value for sample in samples if sample.name == name)

        lateness = Histogram(BOUNDS)
        reached = [
            sum(
                sample.value
                for sample in samples
                if sample.name == "tickwire_tick_lateness_seconds_bucket" and float(sample.labels["le"]) == bound
            )
            for bound in (*BOUNDS, float("inf"))
        ]
        lateness.counts[:] = [int(now - before) for before, now in zip([0.0, *reached[:-1]], reached, strict=True)]
        return Look(
            time.perf_counter(),
            total("process_cpu_seconds_total"),
            total("process_resident_memory_bytes"),
            total("tickwire_ticks_dropped_total"),
            reached[-1],
            lateness,
        )

    def watch(self, settle: float, measure: float) -> tuple[Look, Look]:
        """How it is after `settle` seconds, and `measure` seconds later."""
        time.sleep(settle)
        before = self.look()
        time.sleep(measure)
        return before, self.look()

    def end(self) -> float:
        """SIGTERM; how long it took. Raises `AssertionError` if it does not end in order."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(90) == 0
        return time.perf_counter() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()


@dataclass(frozen=True, slots=True)
class Step:
    """What so many players took."""

    players: int
    cpu: float
    """Share of a core."""
    late: float
    """Seconds, 99 of 100 ticks."""
    dropped: float
    robots: dict[str, Any]

    @property
    def honest(self) -> bool:
        """Whether the robots were what they should be."""
        return self.robots["playing"] == self.players and self.robots["late"] <= HONEST

    @property
    def held(self) -> bool:
        """Whether the server was up to them."""
        return self.dropped == 0 and self.late <= LATE


def host() -> Iterator[Figure]:
    """Start, idle, the ramp, the end."""
    with Server() as server:
        before, after = server.watch(2.0, IDLE)
        yield Figure("host start to accepting", server.start_seconds, "s", reach="<= 1")
        yield Figure("host idle", 100 * (after.cpu - before.cpu) / (after.at - before.at), "% of a core", reach="<= 2")
        yield Figure("host idle memory", after.memory / 1e6, "MB", reach="<= 90")
        server.end()
    held = 0
    for step in _ramp():
        players = step.players
        yield Figure(f"host {players} players: server", 100 * step.cpu, "% of a core")
        yield Figure(f"host {players} players: ticks late, p99", 1000 * step.late, "ms")
        yield Figure(f"host {players} players: ticks dropped", step.dropped, "ticks")
        yield Figure(f"host {players} players: bots late", 100 * step.robots["late"], "% of their ticks")
        if step.held and step.honest:
            held = players
    yield Figure("host players held", held, "players", reach=f">= {REACH}")
    one, two = (max(tries) for tries in zip(*((_ticks(1), _ticks(2)) for _ in range(TRIES)), strict=True))
    yield Figure("host two workers for one: room ticks", two / one, "times as many", reach=">= 1.7")
    yield Figure("host two cores for one: bare loops", _loops(2) / _loops(1), "times as many")
    yield Figure(f"host drain of {DRAINED} players", _drain(), "s", reach="<= 62")


def _ramp() -> Iterator[Step]:
    """More and more players, until the server or the bots are no longer up to it."""
    for players in STEPS:
        tries: list[Step] = []
        while len(tries) < TRIES and not any(step.honest and step.held for step in tries):
            tries.append(_play(players))
        step = min(tries, key=lambda step: (not (step.honest and step.held), step.late))
        yield step
        if not step.honest:
            print(f"at {players} the bots need more than a core, and are no players any more", file=sys.stderr)
        if not (step.honest and step.held):
            break


def _play(players: int) -> Step:
    with Server() as server:
        robots = _robots(server, players, SETTLE + MEASURE + 4)
        before, after = server.watch(SETTLE, MEASURE)
        report: dict[str, Any] = json.loads(robots.communicate(timeout=90)[0])
        server.process.send_signal(signal.SIGTERM)  # with nobody there, it ends at once
        return Step(
            players,
            (after.cpu - before.cpu) / (after.at - before.at),
            after.lateness.since(before.lateness).quantile(0.99),
            after.dropped - before.dropped,
            report,
        )


def _ticks(workers: int) -> float:
    """How many room ticks a second so many workers run that have more rooms than they can hold.

    The rooms are full of the server's own bots, as those who play over the network would take a core themselves.
    """
    options = ("--workers", str(workers), "--seats", "1", "--bots", str(BOTS), "--rooms", str(ROOMS))
    with Server(*options) as server:
        robots = _robots(server, ROOMS, SETTLE + MEASURE + 4)
        before, after = server.watch(SETTLE, MEASURE)
        robots.kill()
        robots.communicate()
        server.process.send_signal(signal.SIGTERM)
        return (after.ticks - before.ticks) / (after.at - before.at)


def _loops(processes: int) -> float:
    """How often a second so many processes that do nothing else run a loop: what the machine's cores are worth."""
    code = f"""
import time
end, turns = time.monotonic() + {MEASURE}, 0
while time.monotonic() < end:
    turns += sum(1 for _ in range(10_000))
print(turns)
"""
    loops = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    return sum(int(loop.communicate()[0]) for loop in loops) / MEASURE


def _drain() -> float:
    """With players in it, until it has ended in order; every one of them must have been told."""
    with Server("--drain-deadline", "5") as server:
        robots = _robots(server, DRAINED, 20)
        time.sleep(SETTLE)
        seconds = server.end()
        report: dict[str, Any] = json.loads(robots.communicate(timeout=90)[0])
        assert report["connected"] == 0, report
        assert report["refused"] == ["the server is closing; thank you for playing"], report["refused"]
        return seconds


def _robots(server: Server, count: int, seconds: float) -> subprocess.Popen[str]:
    options = ("--clients", str(count), "--seconds", str(seconds), "--predicting", "0", "--json")
    return subprocess.Popen([*COMMAND, "bots", server.invite, *options], stdout=subprocess.PIPE, text=True)


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _draw(path: Path, steps: Sequence[Step]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    players = [step.players for step in steps]
    figure, (cpu, late) = pyplot.subplots(1, 2, figsize=(9, 3.4), constrained_layout=True)
    for axis, values, title in (
        (cpu, [100 * step.cpu for step in steps], "% of a core, server"),
        (late, [1000 * step.late for step in steps], "ms, 99 of 100 ticks began within"),
    ):
        axis.plot(players, values, color="#1f6f8b")
        for step, value in zip(steps, values, strict=True):
            up_to_it = step.held and step.honest
            axis.plot([step.players], [value], "o", color="#1f6f8b" if up_to_it else "#c0392b")
        axis.set(title=title, xlabel="players, in rooms of 16", ylim=(0, None), xlim=(0, None))
        axis.grid(alpha=0.3)
    late.axhline(1000 * LATE, color="#c0392b", linestyle="--", linewidth=1)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    found: list[Step] = []
    for step in _ramp():
        found.append(step)
        print(f"{step.players} players: {100 * step.cpu:.0f}% of a core, p99 {1000 * step.late:.1f} ms late, "
              f"{step.dropped:.0f} ticks dropped, bots late {100 * step.robots['late']:.1f}%")  # fmt: skip
    _draw(Path(__file__).parents[2] / "docs" / "media" / "hosting.png", found)
