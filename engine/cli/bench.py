"""`tickwire bench`: run the benchmarks of the checkout and show each figure next to its peer's."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import engine
from engine.app import AppError

MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: ""}


def run_bench(names: Sequence[str], *, as_json: bool, listing: bool) -> int:
    """Run the named benchmarks, or all; returns the exit code."""
    suite = _suite()
    known: list[str] = list(suite.NAMES)
    if listing:
        print("\n".join(known))
        return 0
    if unknown := [name for name in names if name not in known]:
        raise AppError(f"there is no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    figures: list[Any] = []
    for name in names or known:
        if not as_json:
            print(f"{name} …", file=sys.stderr, flush=True)
        for figure in suite.run(name):
            figures.append(figure)
            if as_json:
                print(json.dumps(figure.as_dict(), ensure_ascii=False), flush=True)
    if not as_json:
        _print_tables(figures)
    return 0 if all(figure.ok is not False for figure in figures) else 1


def _suite() -> Any:
    root = Path(engine.__file__).parent.parent
    if not (root / "tools" / "bench" / "__init__.py").is_file():
        raise AppError("the benchmarks come with the source, not with the wheel; run this in a checkout of Tickwire")
    sys.path.insert(0, str(root))
    return importlib.import_module("tools.bench")


def _print_tables(figures: Sequence[Any]) -> None:
    if alone := [figure for figure in figures if figure.scenario is None]:
        _print_table(alone)
    if compared := [figure for figure in figures if figure.scenario is not None]:
        _print_scenarios(compared)


def _print_scenarios(figures: Sequence[Any]) -> None:
    """A row for each figure, a column for each scenario."""
    from rich.console import Console
    from rich.table import Table

    scenarios = list(dict.fromkeys(figure.scenario for figure in figures))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("benchmark")
    for scenario in scenarios:
        table.add_column(scenario, justify="right")
    table.add_column("")
    for name in dict.fromkeys(figure.name for figure in figures):
        row = {figure.scenario: figure for figure in figures if figure.name == name}
        cells = [_cell(row[scenario]) if scenario in row else "—" for scenario in scenarios]
        table.add_row(name, *cells, next(iter(row.values())).unit)
    Console().print(table)


def _cell(figure: Any) -> str:
    value = f"{figure.value:.4g}"
    return f"{value} {MARKS[figure.ok]} {figure.reach}" if figure.reach else value


def _print_table(figures: Sequence[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("benchmark", "ours", "against", "theirs", "ratio", "reach", ""):
        table.add_column(heading, justify="left" if heading in ("benchmark", "against", "") else "right")
    for figure in figures:
        theirs = "—" if figure.against_value is None else f"{figure.against_value:.4g} {figure.unit}"
        ratio = "—" if figure.ratio is None else f"{figure.ratio:.2f}×"
        table.add_row(
            figure.name,
            f"{figure.value:.4g} {figure.unit}",
            figure.against or "—",
            theirs,
            ratio,
            figure.reach or "—",
            MARKS[figure.ok],
        )
    Console().print(table)
