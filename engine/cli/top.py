"""`tickwire top`: a running server in a terminal, or a line now and then where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from engine.cli.ops import OpsClientError, Pages, lasted, rooms_table, size
from engine.server.redaction import one_line

BARS = " ▁▂▃▄▅▆▇█"
SHOWN = 60
"""Samples in a plot."""
NOTES = 8
MANY_FAILURES = 5
"""Times in a row that the server may not answer before that is the end, where nobody watches."""


def run_top(pages: Pages, *, every: float, once: bool) -> int:
    """Show how it goes until Ctrl-C; returns the exit code."""
    console = Console(highlight=False)
    try:
        if once or not console.is_terminal:
            return _lines(pages, every, once)
        with Live(console=console, screen=True, auto_refresh=False) as live:
            shown: RenderableType = ""
            while True:
                try:
                    shown = screen(pages.get("api/server"), pages.get("api/history"), pages.get("api/notes"))
                    live.update(shown, refresh=True)
                except OpsClientError as error:
                    live.update(Group(Text(f"{error}; trying again", style="red"), shown), refresh=True)
                time.sleep(every)
    except KeyboardInterrupt:
        return 0


def _lines(pages: Pages, every: float, once: bool) -> int:
    failures = MANY_FAILURES - 1  # one that never answered is not waited for
    while True:
        try:
            print(line(pages.get("api/server")), flush=True)
            failures = 0
        except OpsClientError as error:
            failures += 1
            if failures >= MANY_FAILURES:
                raise
            print(f"tickwire: {error}", file=sys.stderr, flush=True)
        if once:
            return 0
        time.sleep(every)


def line(server: dict[str, Any]) -> str:
    """How it is, in a line."""
    now: dict[str, float] = server["now"] or {}
    words = [
        server["stage"],
        f"{server['players']} playing in {len(server['rooms'])} rooms",
        f"tick {now.get('tick', 0):.2f} ms, p99 {now.get('tick_p99', 0):.1f} ms",
        f"late p99 {now.get('late_p99', 0):.1f} ms",
        f"{int(now.get('dropped', 0))} dropped",
        f"in {size(now.get('in', 0))}/s, out {size(now.get('out', 0))}/s",
        f"{100 * now.get('cpu', 0):.0f}% of a core",
    ]
    return " · ".join(words)


def screen(server: dict[str, Any], history: list[dict[str, Any]], notes: list[dict[str, Any]]) -> RenderableType:
    """All of it."""
    memory = sum(process["memory"] for process in server["processes"])
    head = Text.assemble(
        (one_line(server["name"]), "bold"),
        f"  {server['title']} · ",
        (server["stage"], "green" if server["ready"] else "yellow"),
        f" · up {lasted(server['seconds'])} · {server['players']} of {server['most_players']} players"
        + (f" · {size(memory)}" if memory else ""),
    )
    if server["missing"]:
        head.append(f" · worker {', '.join(map(str, server['missing']))} is not there", "red")
    parts: list[RenderableType] = [head, "", plots(history[-SHOWN:]), ""]
    parts.append(rooms_table(server["rooms"]) if server["rooms"] else Text("no rooms are open", "dim"))
    parts.append("")
    for note in notes[-NOTES:]:
        clock = time.strftime("%H:%M:%S", time.localtime(note["time"]))
        style = "red" if note["kind"] in ("crashed", "failed") else ""
        parts.append(Text.assemble((f"{clock} {note['kind']:<10} ", "dim"), (one_line(note["words"]), style)))
    return Group(*parts)


def plots(history: Sequence[dict[str, Any]]) -> RenderableType:
    """The last minute of what matters."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right", min_width=10)
    table.add_column(style="blue", no_wrap=True)
    for name, key, show, floor in (
        ("tick p99", "tick_p99", _milliseconds, 4.0),
        ("late p99", "late_p99", _milliseconds, 4.0),
        ("out", "out", _rate, 1000.0),
        ("in", "in", _rate, 1000.0),
        ("cpu", "cpu", _share, 0.2),
    ):
        values = [float(sample[key]) for sample in history]
        table.add_row(name, show(values[-1]) if values else "", spark(values, floor))
    return table


def _milliseconds(value: float) -> str:
    return f"{value:.2f} ms"


def _rate(value: float) -> str:
    return f"{size(value)}/s"


def _share(value: float) -> str:
    return f"{100 * value:.0f}%"


def spark(values: Sequence[float], floor: float) -> str:
    """A plot of one line; its top is the greatest value, or `floor` if that is more."""
    most = max([floor, *values])
    return "".join(BARS[round((len(BARS) - 1) * value / most)] for value in values)
