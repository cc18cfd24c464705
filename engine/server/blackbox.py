"""What came into a room in its last seconds, and what is written when it breaks.

    post-mortem/k3f9-20261123-232403/report.json    what broke, at which tick, and what the world held
                                     journal.twr    what came in, as `tickwire replay` reads it

A journal that begins with the room can be replayed up to the tick that broke; a later one is to be read.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import time
import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.app import Commanded, Recorder, Scene
from engine.ecs import combine, component_hashes
from engine.events import JournalError, JournalWriter

MEMORY = 10.0
"""Seconds."""
MOST_EVENTS = 100_000
MOST_POST_MORTEMS = 20
"""Folders kept; the oldest give way, so that a room that breaks again and again does not fill the disk."""
MOST_VALUE = 2_000
"""Characters shown of a resource."""


class BlackBox(Recorder):
    """Keeps the events of the last ticks as they are: they are written out only when somebody wants to know."""

    def __init__(self, header: Mapping[str, Any], *, only: tuple[type, ...], ticks: int) -> None:
        self.name = "memory"
        self.stopped = None
        self._header = dict(header)
        self._kept = (*only, Commanded)
        self._ticks = ticks
        self._events: deque[tuple[int, object]] = deque(maxlen=MOST_EVENTS)
        self._first_tick = 1
        self.also: Recorder | None = None
        """Records all of it besides."""

    def event(self, tick: int, event: object) -> None:
        if self.also is not None:
            self.also.event(tick, event)
        if isinstance(event, self._kept):
            self._events.append((tick, event))

    def tick_done(self, scene: Scene) -> None:
        if self.also is not None:
            self.also.tick_done(scene)
        events, first = self._events, scene.tick - self._ticks
        while events and events[0][0] <= first:
            self._first_tick = events.popleft()[0] + 1

    def close(self, tick: int) -> None:
        if self.also is not None:
            self.also.close(tick)
        self._events.clear()

    def journal(self, tick: int) -> bytes:
        """A journal of what is kept, that ends with `tick`."""
        file = _Kept()
        writer = JournalWriter(file, {**self._header, "from_tick": self._first_tick})
        for at, event in self._events:
            try:
                writer.event(at, event)
            except JournalError:
                continue  # something that no journal can hold was not for one
        writer.close(tick)
        return file.content


class _Kept(io.BytesIO):
    """Can be read after it was closed."""

    content = b""

    def close(self) -> None:
        if not self.closed:
            self.content = self.getvalue()
        super().close()


@dataclass(frozen=True, slots=True)
class PostMortem:
    """What is known of a room that broke; `write` can run on another thread, as it shares nothing with the room."""

    name: str
    report: dict[str, Any]
    journal: bytes

    def write(self, folder: Path) -> Path:
        """Put it into a folder of its own below `folder`. Raises `OSError` if that cannot be done."""
        folder.mkdir(parents=True, exist_ok=True)
        _make_room(folder)
        path = folder / self.name
        path.mkdir(exist_ok=True)
        (path / "report.json").write_text(json.dumps(self.report, indent=2), "utf-8")
        (path / "journal.twr").write_bytes(self.journal)
        return path


def _make_room(folder: Path) -> None:
    kept = sorted((each for each in folder.iterdir() if each.is_dir()), key=os.path.getmtime)
    for old in kept[: max(0, len(kept) + 1 - MOST_POST_MORTEMS)]:
        shutil.rmtree(old, ignore_errors=True)


def examine(code: str, scene: Scene, box: BlackBox, error: BaseException, about: Mapping[str, Any]) -> PostMortem:
    """Look at a room that broke with `error`. Whatever state it is in, this does not raise."""
    report: dict[str, Any] = {
        "room": code,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **about,
        "tick": scene.tick,
        "error": repr(error),
        "traceback": traceback.format_exception(error),
    }
    for name, look in (("state", _state), ("entities", _entities), ("resources", _resources)):
        try:
            report[name] = look(scene)
        except Exception as wrong:  # part of what broke
            report[name] = f"cannot be read: {wrong!r}"
    try:
        journal = box.journal(scene.tick)
    except Exception as wrong:
        journal, report["journal"] = b"", f"cannot be written: {wrong!r}"
    return PostMortem(f"{code}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}", report, journal)


def _state(scene: Scene) -> dict[str, Any]:
    hashes = component_hashes(scene.world)
    return {
        "hash": f"{combine(hashes):016x}",
        "components": {name: f"{value:016x}" for name, value in hashes.items()},
    }


def _entities(scene: Scene) -> dict[str, int]:
    """How many there are of each make."""
    tables = [table for table in scene.world.archetypes() if table.count]
    return {" ".join(kind.__name__ for kind in table.components): table.count for table in tables}


def _resources(scene: Scene) -> dict[str, str]:
    return {type(each).__name__: repr(vars(each))[:MOST_VALUE] for each in scene.world.state_resources}
