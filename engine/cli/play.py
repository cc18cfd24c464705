"""`tickwire play`: a window where there is a display, a headless match of bots where there is none."""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, replace
from errno import EISDIR
from pathlib import Path
from typing import Any

from engine import __version__
from engine.app import Game, Options, Recorder, Scene
from engine.cli.games import installed, load_game
from engine.ecs import state_hash
from engine.events import Trace

HEADLESS_SECONDS = 60.0
"""Simulated seconds of a headless match, unless told otherwise."""
HEADLESS_BOTS = 8
PICTURE_AT = 0.8
"""When the headless picture is taken, as a part of the match: in its midst, not on the podium."""
TABLE_EVERY = 0.1
"""Real seconds between looks at the live table."""
COLUMN_MARGIN = 3
"""What a column of the table takes besides its text: a space on both sides, and one between columns."""
LINE_EVERY = 10
"""Simulated seconds between lines where the output is no terminal."""


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """What was asked for on the command line."""

    game: str
    bots: int | None
    level: str
    arena: str
    mode: str
    seed: int | None
    seconds: float | None
    headless: bool
    screenshot: Path | None
    record: Path | None
    trace: Path | None
    fullscreen: bool
    mute: bool

    def for_match(self, *, humans: int) -> Options:
        """The options of the match; chance starts anywhere if no seed was given."""
        seed = random.SystemRandom().randrange(1 << 32) if self.seed is None else self.seed
        bots = self.bots if self.bots is not None else (Options().bots if humans else HEADLESS_BOTS)
        return Options(seed, bots, self.level, humans, self.arena, self.mode)

    @property
    def names_a_match(self) -> bool:
        """Whether enough was said to skip the menu."""
        asked = self.bots, self.seed, self.seconds, self.record, self.trace
        return any(value is not None for value in asked) or bool(self.arena or self.mode) or self.level != "normal"


def run_play(asked: PlayOptions) -> None:
    """Play, in a window or headless. Raises `OSError` before the match if what it leaves has nowhere to go."""
    game = load_game(asked.game)
    for path in (asked.screenshot, asked.record, asked.trace):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(EISDIR, "is a folder; give the path of a file", str(path))
    if asked.headless:
        return run_headless(game, asked)
    from engine.desktop.window import WindowError, display_available

    if not display_available():
        print("no display: playing a match of bots headless instead (tickwire play --headless)")
        return run_headless(game, asked)
    try:
        return run_window(game, asked)
    except WindowError as error:
        print(f"no window: {error}")
        print("playing a match of bots headless instead (tickwire play --headless)")
        return run_headless(game, asked)


def run_window(game: Game, asked: PlayOptions) -> None:
    """Open a window: the game's menu, or at once the match that was asked for."""
    from engine.desktop.play import play_game

    options = asked.for_match(humans=1)
    play_game(
        game,
        options,
        skip_opening=asked.names_a_match,
        fullscreen=asked.fullscreen,
        mute=asked.mute,
        seconds=asked.seconds,
        screenshot=asked.screenshot,
        record=asked.record,
        header=header(game, options),
        trace=asked.trace,
    )


def header(game: Game, options: Options) -> dict[str, Any]:
    """What a recording says about itself."""
    return {"game": game.name, "game_version": game.version, "engine": __version__, "options": options.to_header()}


def run_headless(game: Game, asked: PlayOptions) -> None:
    """Bots play at full speed; the score is shown live, and a picture and a replay are left."""
    from engine.desktop.offscreen import Offscreen

    options = asked.for_match(humans=0)
    if options.bots < 1:
        options = replace(options, bots=HEADLESS_BOTS)
    seconds = asked.seconds or HEADLESS_SECONDS
    picture = asked.screenshot or Path(f"{game.name}.png")
    recording = asked.record or Path(f"{game.name}.twr")
    offscreen = Offscreen()
    scene = game.scene(options, game.view(options), resources=offscreen.resources())
    scene.recorder = recorder = Recorder(recording, header(game, options), only=game.journalled)
    trace = Trace(time.perf_counter) if asked.trace else None
    scene.dispatcher.tracer = trace
    ticks = max(1, round(seconds / scene.time.dt))
    picture_tick = max(1, int(ticks * PICTURE_AT))
    print(f"{game.title}: {options.bots} bots, {options.level}, seed {options.seed}, {seconds:g} s")
    started = time.perf_counter()
    try:
        with _board(game, scene) as board:
            while scene.tick < ticks:
                scene.run_tick()
                if picture_tick - offscreen.warm_up_ticks <= scene.tick <= picture_tick:
                    offscreen.draw(scene)
                    if scene.tick == picture_tick:
                        offscreen.save(picture)
                board.update()
    finally:
        scene.close()
    took = time.perf_counter() - started
    print(f"final state {state_hash(scene.world):016x} after {scene.tick} ticks, {seconds / took:.1f}× real time")
    if trace is not None and asked.trace is not None:
        trace.write(asked.trace)
        print(f"trace      {asked.trace}  (open in ui.perfetto.dev or chrome://tracing)")
    print(f"screenshot {picture}")
    if recorder.stopped is None:
        own = "" if game.name in installed() else f" --game {asked.game}"
        print(f"replay     {recording}  (watch: tickwire replay {recording}{own}; check: --verify)")


def _board(game: Game, scene: Scene) -> _Lines | _Live:
    return _Live(game, scene) if sys.stdout.isatty() else _Lines(game, scene)


class _Lines:
    """Progress where the output is a file or a pipe: a line now and then, and the table at the end."""

    def __init__(self, game: Game, scene: Scene) -> None:
        self.game = game
        self.scene = scene
        self.next_line = LINE_EVERY

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        for standing in self.game.standings(self.scene.world):
            print("  ".join((f"{standing.name:12}", *(f"{column:>8}" for column in standing.columns))))

    def update(self) -> None:
        seconds = self.scene.time.seconds
        if seconds >= self.next_line:
            self.next_line += LINE_EVERY
            first = next(iter(self.game.standings(self.scene.world)), None)
            leader = f", {first.name} leads with {first.columns[0]}" if first and first.columns else ""
            print(f"{seconds:5.0f} s  {self.game.status(self.scene.world)}{leader}", flush=True)


class _Live:
    """The score as a table that changes in place."""

    def __init__(self, game: Game, scene: Scene) -> None:
        from rich.console import Console
        from rich.live import Live

        self.game = game
        self.scene = scene
        self.shown = 0.0
        self.console = Console()
        self.live = Live(self._table(), console=self.console, auto_refresh=False)

    def __enter__(self) -> _Live:
        self.live.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.live.update(self._table(), refresh=True)
        self.live.__exit__(*exc)

    def update(self) -> None:
        now = time.perf_counter()
        if now - self.shown >= TABLE_EVERY:
            self.shown = now
            self.live.update(self._table(), refresh=True)

    def _table(self) -> Any:
        from rich import box
        from rich.table import Table

        world = self.scene.world
        table = Table(title=self.game.status(world), box=box.SIMPLE_HEAD, title_style="bold cyan")
        names = [f"{place}. {standing.name}" for place, standing in enumerate(self.game.standings(world), 1)]
        table.add_column("", no_wrap=True)
        room = self.console.width - 1 - max(map(len, names), default=0) - COLUMN_MARGIN
        for heading in self.game.headings:  # those that fit: half a word under each other helps nobody
            room -= len(heading) + COLUMN_MARGIN
            if room >= 0:
                table.add_column(heading, justify="right")
        for name, standing in zip(names, self.game.standings(world), strict=True):
            table.add_row(name, *standing.columns[: len(table.columns) - 1])
        return table
