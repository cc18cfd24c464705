"""Bindings on disk: JSON, written whole or not at all; a broken file is kept aside and the defaults are used.

    {"version": 1, "controls": {"RicochetControls": {"fire": ["mouse.LEFT", "pad_axis.RIGHT_TRIGGER"]}}}

Only what differs from the defaults is kept, so better defaults of a later version reach players who never changed them.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, cast

from engine.files import set_aside, write_whole
from engine.input.controls import Controls

VERSION = 1

log = logging.getLogger("tickwire.input")


def user_bindings(game: str) -> Path:
    """Where the bindings of a game belong in the user's config folder, e.g. `~/.config/ricochet/controls.json`."""
    import platformdirs  # here, as most programs that import engine.input never ask

    return Path(platformdirs.user_config_dir(game, appauthor=False)) / "controls.json"


class BindingsFile:
    """A file of bindings, for one or more classes of controls. As a resource of a world it is found by `input_plugin`.

    With `path` None nothing is read or kept: that is what tests want.
    """

    def __init__(self, path: Path | str | None) -> None:
        self.path = Path(path) if path is not None else None

    def load(self, controls: Controls) -> list[str]:
        """Take over what was saved. Returns what had to be ignored, in words; it is also logged as a warning.

        A file that is broken is renamed to `*.broken`, and the defaults are used.
        """
        if self.path is None:
            return []
        problems: list[str] = []
        try:
            sections = _read(self.path)
        except FileNotFoundError:
            return []
        except OSError as error:
            problems.append(f"cannot be read ({error.strerror}); the default controls are used")
            sections = {}
        except _BrokenError as error:
            problems.append(f"{error}; the default controls are used{self._keep_aside()}")
            sections = {}
        own = sections.get(type(controls).__name__, {})
        if isinstance(own, dict):
            found = controls.bindings.load_plain(cast("dict[str, Any]", own))
            problems.extend(f"{problem}; ignored" for problem in found)
        else:
            problems.append(f"{type(controls).__name__} is no JSON object; the default controls are used")
        problems = [f"{self.path}: {problem}" for problem in problems]
        for problem in problems:
            log.warning("%s", problem)
        return problems

    def save(self, controls: Controls) -> None:
        """Keep the bindings. Those of other controls in the file stay. Raises `OSError` if it cannot be written."""
        if self.path is None:
            return
        try:
            sections = _read(self.path)
        except (OSError, _BrokenError):
            sections = {}
        sections[type(controls).__name__] = controls.bindings.to_plain()
        text = json.dumps({"version": VERSION, "controls": sections}, indent=2, ensure_ascii=False) + "\n"
        write_whole(self.path, text)

    def _keep_aside(self) -> str:
        assert self.path is not None
        aside = set_aside(self.path)
        return f", and the file is kept as {aside.name}" if aside is not None else ""


class _BrokenError(Exception):
    """The file is no bindings file of a version this engine reads."""


def _read(path: Path) -> dict[str, Any]:
    try:
        content: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _BrokenError(f"is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise _BrokenError("holds no JSON object")
    document = cast("dict[str, Any]", content)
    version = document.get("version")
    if version != VERSION:
        raise _BrokenError(f"has version {version!r}, but this engine reads version {VERSION}")
    sections = document.get("controls")
    if not isinstance(sections, dict):
        raise _BrokenError('has no object "controls"')
    return cast("dict[str, Any]", sections)
