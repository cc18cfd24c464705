"""Recording a scene into a journal, and playing a journal back into a scene built the same way."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.app.command import Commanded
from engine.app.errors import ReplayError
from engine.ecs import combine, component_hashes
from engine.events import Journal, JournalError, JournalWriter
from engine.events.plain import NAME

if TYPE_CHECKING:
    from engine.app.scene import Scene

log = logging.getLogger("tickwire.app")


class Recorder:
    """Writes what comes into a scene from outside, and the state hashes after every `hash_every`-th tick.

    `path` is that of a file, or an open binary stream.

    `only` limits the external events to these types; commands are always noted. Cosmetic device events, which a
    game turns into commands, need not be.
    """

    def __init__(
        self,
        path: Path | str | BinaryIO,
        header: Mapping[str, Any],
        *,
        only: tuple[type, ...] | None = None,
        hash_every: int = 1,
    ) -> None:
        if isinstance(path, (Path, str)):
            self.name = str(path)
            self._writer = JournalWriter.create(path, header)
        else:
            self.name = getattr(path, "name", "a stream")
            self._writer = JournalWriter(path, header)
        self._only = only
        self._hash_every = hash_every
        self.stopped: str | None = None
        """Why recording ended early, if it did."""

    def event(self, tick: int, event: object) -> None:
        if self._only is not None and not isinstance(event, (*self._only, Commanded)):
            return
        self._try(lambda: self._writer.event(tick, event), tick)

    def tick_done(self, scene: Scene) -> None:
        tick = scene.tick
        if tick % self._hash_every == 0:
            hashes = component_hashes(scene.world)
            self._try(lambda: self._writer.hashes(tick, combine(hashes), hashes), tick)

    def close(self, tick: int) -> None:
        if self.stopped is None:
            self._try(lambda: self._writer.close(tick), tick)

    def _try(self, write: Any, tick: int) -> None:
        if self.stopped is not None:
            return
        try:
            write()
        except JournalError as error:
            self.stopped = f"recording to {self.name} ended at tick {tick}: {error}"
            log.error("%s; the game goes on unrecorded", self.stopped)


class Replay:
    """Feeds a scene from a journal instead of from outside, and compares hashes as it goes."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._noted = {plain.get(NAME) for events in journal.events.values() for plain in events}
        self.verified = 0
        """Ticks whose hash was in the journal and matched."""
        self.difference: tuple[int, str] | None = None
        """The first tick whose hash differed, and the component that did."""

    @property
    def last_tick(self) -> int:
        """The last tick the journal knows."""
        return self.journal.last_tick

    def has_noted(self, event: object) -> bool:
        """Whether the journal has events of this type: then it alone says when they happen, and live ones are void."""
        return type(event).__name__ in self._noted

    def take(self, scene: Scene, tick: int) -> tuple[list[object], list[Commanded[Any]]]:
        """The external events and the commands of `tick`. Raises `ReplayError` if the game does not know one."""
        try:
            everything = self.journal.decoded(tick, scene.known_types())
        except JournalError as error:
            raise ReplayError(f"replay stopped at tick {tick}: {error}") from error
        commands: list[Commanded[Any]] = []
        events: list[object] = []
        for entry in everything:
            if isinstance(entry, Commanded):
                commands.append(entry)  # pyright: ignore[reportUnknownArgumentType]
            else:
                events.append(entry)
        return events, commands

    def tick_done(self, scene: Scene) -> None:
        noted = self.journal.hashes.get(scene.tick)
        if noted is None or self.difference is not None:
            return
        hashes = component_hashes(scene.world)
        if combine(hashes) == noted.total:
            self.verified += 1
            return
        names = [*noted.components, *(name for name in hashes if name not in noted.components)]
        culprit = next(
            (
                name
                for name in names
                if name not in hashes
                or name not in noted.components
                or hashes[name] & 0xFFFFFFFF != noted.components[name]
            ),
            "the order of components",
        )
        self.difference = (scene.tick, culprit)
