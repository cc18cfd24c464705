"""A player's settings: what shows and sounds how. Kept in the user's config folder; a broken file is kept aside."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast

from engine.ecs import Resource

log = logging.getLogger("tickwire.ricochet")


class Settings(Resource, local=True):
    """What the settings page changes."""

    name: str = "Pilot"
    effects_volume: float = 0.8
    music_volume: float = 0.6
    camera_kick: bool = True
    """The camera shakes and gives way."""
    hit_stop: bool = True
    """The world stands still for an instant when you kill or are killed."""
    debug: bool = False
    """Physics outlines, switched by F2; not kept."""


def read_settings(path: Path | None) -> Settings:
    """The settings kept at `path`, or the defaults. What cannot be used is named in the log and left out."""
    settings = Settings()
    if path is None or not path.exists():
        return settings
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no JSON object")
    except (OSError, ValueError) as error:
        aside = path.with_name(path.name + ".broken")
        try:
            os.replace(path, aside)
        except OSError:
            aside = path
        log.warning("%s is broken (%s); defaults are used and the file is kept as %s", path, error, aside.name)
        return settings
    given = cast("dict[str, Any]", content)
    for field in fields(settings):
        value = given.get(field.name)
        if type(value) is type(getattr(settings, field.name)):
            setattr(settings, field.name, value)
        elif value is not None:
            log.warning("%s: %s is %r, which is no such setting; the default is used", path, field.name, value)
    settings.effects_volume = min(1.0, max(0.0, settings.effects_volume))
    settings.music_volume = min(1.0, max(0.0, settings.music_volume))
    settings.debug = False
    return settings


def write_settings(settings: Settings, path: Path | None) -> None:
    """Keep the settings, whole or not at all. A folder that cannot be written to is named in the log."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.write_text(json.dumps(asdict(settings), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(new, path)
    except OSError as error:
        log.warning("the settings cannot be kept at %s: %s", path, error.strerror)


def user_settings() -> Path:
    """Where the settings belong in the user's config folder."""
    import platformdirs

    return Path(platformdirs.user_config_dir("ricochet", appauthor=False)) / "settings.json"
