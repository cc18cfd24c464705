"""Rooms that survive a restart: what their game says is worth keeping, saved now and then and at the end.

A save holds JSON: which game and version, the room's code and options, and what `Multiplayer.save` gave. A room that is
closed in order, or breaks, is forgotten; one that the server's end closes is there again at the next start.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.app import Game, Options
from engine.errors import TickwireError
from engine.net.multiplayer import multiplayer_of
from engine.server.room import Room
from engine.server.saves import SaveError, Saves

log = logging.getLogger("tickwire.server")

PREFIX = "room-"


@dataclass(frozen=True, slots=True)
class Kept:
    """A room as it was saved."""

    code: str
    listed: bool
    permanent: bool
    options: Options
    state: Any


class Keeping:
    """The saves of one process's rooms. `executor` waits for the disk, one save at a time; by default a thread does."""

    def __init__(self, game: Game, folder: Path, *, mark: str = "", executor: Executor | None = None) -> None:
        self._game = game
        self._multiplayer = multiplayer_of(game)
        self._saves = Saves(folder)
        self._mark = mark
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="tickwire-saves")
        self.failed = 0
        """Saves that could not be made."""

    def check(self) -> None:
        """See that saving is possible. Raises `SaveError` if it is not."""
        self._saves.check()

    def save(self, room: Room) -> None:
        """Take down the room as it is now, and have it written. What goes wrong is a line in the log."""
        if self._multiplayer.save is None:
            return
        try:
            content = self._content(room)
        except Exception as error:  # the game's own, or it gave what JSON has no form for
            self.failed += 1
            log.error("room %s cannot be saved: %r; the save before is kept", room.code, error)
            return
        self._executor.submit(self._write, room.code, content)

    def _content(self, room: Room) -> bytes:
        assert self._multiplayer.save is not None
        kept: dict[str, Any] = {
            "game": self._game.name,
            "game_version": self._game.version,
            "code": room.code,
            "listed": room.listed,
            "permanent": room.permanent,
            "options": room.authority.options.to_header(),
            "state": self._multiplayer.save(room.scene.world),
        }
        return json.dumps(kept).encode()

    def _write(self, code: str, content: bytes) -> None:
        try:
            self._saves.write(PREFIX + code, content)
        except SaveError as error:
            self.failed += 1
            log.error("%s", error)

    def forget(self, room: Room) -> None:
        """The room is over: its save goes."""
        if self._multiplayer.save is not None:
            self._executor.submit(self._remove, room.code)

    def _remove(self, code: str) -> None:
        try:
            self._saves.remove(PREFIX + code)
        except SaveError as error:
            log.error("%s", error)

    def load(self) -> Iterator[Kept]:
        """All rooms of this process that were saved. Those that cannot be used are left where they are, and named."""
        if self._multiplayer.save is None:
            return
        try:
            names = self._saves.names()
        except SaveError as error:
            log.error("%s", error)
            return
        for name in names:
            if name.startswith(PREFIX + self._mark):
                try:
                    kept = self._read(name)
                except (TickwireError, ValueError, KeyError) as error:
                    log.error("the save %s is not used: %s", name, error)
                else:
                    yield kept

    def _read(self, name: str) -> Kept:
        saved = self._saves.load(name)
        if saved is None:
            raise ValueError("there is nothing in it")
        said: Any = json.loads(saved.content)
        if not isinstance(said, dict):
            raise ValueError("it holds no room")
        plain: dict[str, Any] = said  # pyright: ignore[reportUnknownVariableType]
        theirs, ours = (plain["game"], plain["game_version"]), (self._game.name, self._game.version)
        if theirs != ours:
            raise ValueError(f"it is of {theirs[0]} {theirs[1]}, and this is {ours[0]} {ours[1]}")
        options = Options.from_header(plain["options"])
        return Kept(str(plain["code"]), bool(plain["listed"]), bool(plain["permanent"]), options, plain["state"])

    def close(self) -> None:
        """Wait until everything is on the disk."""
        self._executor.shutdown(wait=True)
