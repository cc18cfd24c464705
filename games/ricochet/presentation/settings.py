"""A player's settings: what shows and sounds how. Kept in the user's config folder; a broken file is kept aside."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, field, fields, replace
from pathlib import Path
from typing import Any, cast

from engine.app import Options
from engine.ecs import Resource
from engine.files import set_aside, write_whole
from engine.input import BindingsFile
from engine.net.transport.conditioner import Conditions
from engine.net.transport.presets import PRESETS
from games.ricochet import tuning
from games.ricochet.arena import arena_keys
from games.ricochet.bots import LEVELS
from games.ricochet.match import Mode
from games.ricochet.seats import clean_name

MODES = tuple(mode.value for mode in Mode)
OWN_NETWORK = "own"
NETWORKS = ("none", *PRESETS, OWN_NETWORK)
MOST_INVITES = 5
HIGHEST_LATENCY, HIGHEST_JITTER, HIGHEST_LOSS = 400.0, 150.0, 20.0
log = logging.getLogger("tickwire.ricochet")


class Settings(Resource, local=True):
    """What the settings page changes, and what was last chosen for a match."""

    name: str = "Pilot"
    effects_volume: float = 0.8
    music_volume: float = 0.6
    camera_kick: bool = True
    """The camera shakes and gives way."""
    hit_stop: bool = True
    """The world stands still for an instant when you kill or are killed."""
    fullscreen: bool = False
    bots: int = 7
    level: str = "normal"
    arena: str = ""
    mode: str = ""
    port: int = 7777
    """Where a room is opened for others."""
    address: str = ""
    """Of this machine, as its invites name it; empty for the one in its own network."""
    invites: list[str] = field(default_factory=list[str])
    """Those that were followed last, newest first."""
    network: str = "none"
    """The network that is played over: as it is, one of those known by name, or one's own."""
    latency: float = 0.0
    """Round trip of one's own, in milliseconds."""
    jitter: float = 0.0
    """How far it strays, in milliseconds."""
    loss: float = 0.0
    """Per cent of datagrams lost, each way."""

    def remember(self, invite: str) -> None:
        """Put an invite first among those that were followed."""
        self.invites = [invite, *(old for old in self.invites if old != invite)][:MOST_INVITES]

    def conditions(self) -> Conditions | None:
        """What each direction of the network does to datagrams; None for nothing."""
        if self.network == OWN_NETWORK:
            return Conditions(self.latency / 2000, self.jitter / 2000, self.loss / 100)
        return PRESETS.get(self.network)

    def options(self, seed: int) -> Options:
        """The match that was last chosen, with chance starting at `seed`."""
        return Options(
            seed=seed,
            bots=self.bots,
            level=self.level,
            humans=1,
            arena=self.arena,
            mode=self.mode,
            name=self.name,
        )


class SettingsFile:
    """The file the settings are kept in; none with `path` None, as in tests and headless runs."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._kept = Settings()

    @classmethod
    def beside(cls, bindings: BindingsFile) -> SettingsFile:
        """In the folder of the key bindings, so that one resource says where everything of the player's is kept."""
        return cls(bindings.path.with_name("settings.json") if bindings.path is not None else None)

    def load(self) -> Settings:
        """The settings kept, or the defaults."""
        settings = read_settings(self.path)
        self._kept = replace(settings)
        return settings

    def keep(self, settings: Settings) -> None:
        """Write the settings if they have changed."""
        if settings != self._kept:
            self._kept = replace(settings)
            write_settings(settings, self.path)


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
        aside = set_aside(path) or path
        log.warning("%s is broken (%s); defaults are used and the file is kept as %s", path, error, aside.name)
        return settings
    given = cast("dict[str, Any]", content)
    for known in fields(settings):
        value = given.get(known.name)
        if type(value) is type(getattr(settings, known.name)):
            setattr(settings, known.name, value)
        elif value is not None:
            log.warning("%s: %s is %r, which is no such setting; the default is used", path, known.name, value)
    settings.effects_volume = min(1.0, max(0.0, settings.effects_volume))
    settings.music_volume = min(1.0, max(0.0, settings.music_volume))
    settings.bots = min(tuning.MAX_SEATS - 1, max(1, settings.bots))
    settings.port = min(0xFFFF, max(1, settings.port))
    settings.latency = min(HIGHEST_LATENCY, max(0.0, settings.latency))
    settings.jitter = min(HIGHEST_JITTER, max(0.0, settings.jitter))
    settings.loss = min(HIGHEST_LOSS, max(0.0, settings.loss))
    settings.invites = [invite for invite in settings.invites if type(invite) is str][:MOST_INVITES]
    settings.name = clean_name(settings.name) or Settings().name
    for name, known in (("level", LEVELS), ("arena", arena_keys()), ("mode", MODES), ("network", NETWORKS)):
        if getattr(settings, name) not in known:
            setattr(settings, name, getattr(Settings(), name))
    return settings


def write_settings(settings: Settings, path: Path | None) -> None:
    """Keep the settings, whole or not at all. A folder that cannot be written to is named in the log."""
    if path is None:
        return
    try:
        write_whole(path, json.dumps(asdict(settings), indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        log.warning("the settings cannot be kept at %s: %s", path, error.strerror)
