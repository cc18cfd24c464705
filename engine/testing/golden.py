"""Golden replays: a recorded match that must come out the same for ever, tick by tick."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine import __version__
from engine.app import Game, Options, Recorder, Replay
from engine.events import read_journal
from engine.testing.driving import Harness, play


def record_golden(
    path: Path | str,
    game: Game,
    options: Options | None = None,
    *,
    ticks: int = 600,
    script: Callable[[Harness], object] | None = None,
) -> Path:
    """Record a match to `path`, to be checked in and given to `assert_replays`.

    `script(harness)` plays: it injects input and runs ticks; after it the match runs on to tick `ticks`. The file is
    the same as `tickwire play --record` makes, so `tickwire replay` shows it.
    """
    options = options or Options(humans=1)
    header = {"game": game.name, "game_version": game.version, "engine": __version__, "options": options.to_header()}
    match = play(game, options)
    recorder = match.scene.recorder = Recorder(path, header, only=game.journalled)
    try:
        if script is not None:
            script(match)
        match.run_ticks(max(0, ticks - match.tick))
    finally:
        match.close()
    if recorder.stopped is not None:
        raise AssertionError(recorder.stopped)
    return Path(path)


def assert_replays(path: Path | str, game: Game) -> int:
    """Play a recording through `game` and compare every state hash in it. Returns how many ticks were compared.

    Raises `AssertionError` naming the first tick and component that differ, or what keeps the file from proving
    anything: damage, no hashes, another game or version.
    """
    journal = read_journal(path)
    made = (journal.header.get("game"), journal.header.get("game_version"))
    if made != (game.name, game.version):
        raise AssertionError(f"{path} records {made[0]} version {made[1]}, not {game.name} version {game.version}")
    if journal.damage is not None:
        raise AssertionError(f"{path} is {journal.damage}")
    if not journal.hashes:
        raise AssertionError(f"{path} holds no state hashes to compare")
    scene = game.scene(Options.from_header(journal.header.get("options") or {}))
    replay = scene.replay = Replay(journal)
    while scene.tick < journal.last_tick and replay.difference is None:
        scene.run_tick()
    if replay.difference is not None:
        tick, component = replay.difference
        raise AssertionError(
            f"{path}: tick {tick} differs in {component}; {replay.verified} ticks before it are the same"
        )
    return replay.verified
