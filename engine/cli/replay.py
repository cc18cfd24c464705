"""`tickwire replay`: watch a recording again, or prove that it still comes out the same."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from engine import __version__
from engine.app import Game, Options, Plugin, Replay, ReplayError, Scene
from engine.cli.games import load_game, load_installed
from engine.events import Journal, read_journal

PROGRESS_EVERY = 0.25
"""Real seconds between looks at the progress line."""


def open_recording(path: Path, word: str | None = None) -> tuple[Journal, Game, Options]:
    """Read a recording and find its game: the one that `word` means, else the installed one it names.

    Raises `JournalError`, `AppError` or `ReplayError` with the cure.
    """
    journal = read_journal(path)
    name = journal.header.get("game")
    if not isinstance(name, str):
        raise ReplayError(f"{path} does not say which game it records")
    game = load_installed(name) if word is None else load_game(word)
    if game.name != name:
        raise ReplayError(f"{path} records {name!r}, but {word} is the game {game.name!r}; give the one it records")
    version = journal.header.get("game_version")
    if version != game.version:
        raise ReplayError(
            f"{path} was recorded with version {version!r} of {name}, this is version {game.version}; "
            f"replay it with Tickwire {journal.header.get('engine', '?')!r} (this is {__version__!r})"
        )
    return journal, game, Options.from_header(journal.header.get("options") or {})


def _besides(journal: Journal, game: Game) -> Sequence[Plugin]:
    """What simulated the match besides the game's own plugins: a hosted one judged hits by what players saw."""
    if not journal.header.get("hosted"):
        return ()
    from engine.net.multiplayer import multiplayer_of
    from engine.net.replication.hosted import hosted

    return hosted(multiplayer_of(game))


def run_verify(path: Path, word: str | None = None) -> int:
    """Re-run the recording headless, compare hashes tick by tick; returns the exit code."""
    journal, game, options = open_recording(path, word)
    if not journal.hashes:
        raise ReplayError(
            f"{path} has no state hashes to verify" + (f"; it is {journal.damage}" if journal.damage else "")
        )
    scene = game.scene(options, _besides(journal, game))
    replay = scene.replay = Replay(journal)
    shown = time.perf_counter()
    last = max(journal.hashes)
    while scene.tick < last and replay.difference is None:
        scene.run_tick()
        if sys.stderr.isatty() and time.perf_counter() - shown > PROGRESS_EVERY:
            shown = time.perf_counter()
            print(f"\rtick {scene.tick} of {last}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if replay.difference is not None:
        tick, component = replay.difference
        print(f"tick {tick} differs in {component}; {replay.verified} ticks before it are the same")
        return 1
    if journal.damage is not None:
        print(
            f"tickwire: {path} is {journal.damage}; the {replay.verified} ticks before it are verified", file=sys.stderr
        )
        return 1
    print(f"verified {replay.verified} ticks")
    return 0


def run_replay(path: Path, speed: float, word: str | None = None) -> int:
    """Show the recording in a window; returns the exit code."""
    from engine.desktop.play import show_replay
    from engine.desktop.window import WindowError

    journal, game, options = open_recording(path, word)
    if journal.damage is not None:
        print(f"tickwire: {path} is {journal.damage}; playing what is before it", file=sys.stderr)
    scene: Scene = game.scene(options, [*_besides(journal, game), *game.view(options)])
    scene.replay = Replay(journal)
    try:
        show_replay(scene, game.title, speed=speed)
    except WindowError as error:
        raise WindowError(f"{error}; without one, --verify re-runs the recording") from None
    return 0
