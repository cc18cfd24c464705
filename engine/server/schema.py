"""The settings of a server, each declared once: name, type, default, bounds, purpose, and whether a reload changes it.

A secret has no command-line option: everyone on the machine can see a command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_type_hints

from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.server.secret import Secret
from engine.server.settings import Setting, setting

PREFIX = "TICKWIRE"
"""What the environment variables begin with."""


class ConfigError(TickwireError):
    """The configuration cannot be used. `problems` has each thing that is wrong, as a line for people."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(self.problems[0])
        else:
            super().__init__("\n  ".join([f"{len(self.problems)} problems in the configuration:", *self.problems]))


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Who may join, where."""

    bind: Address = setting(
        Address("0.0.0.0", 7777),
        "Address and port of the game, UDP and TCP; a port alone is on every address.",
        option="--bind",
        host="0.0.0.0",
    )
    public: str = setting(
        "", "Name or address in the invite; empty is this machine's own in its network.", option="--public", most=253
    )
    name: str = setting("A Tickwire server", "What players see in lists.", reload=True, option="--name", most=60)
    max_players: int = setting(
        256, "Players on the whole server.", reload=True, option="--max-players", least=1, most=10_000
    )
    workers: int = setting(1, "Processes that run rooms; 0 is one for each core.", option="--workers", most=64)
    password: Secret = setting(
        Secret(""), "What players must give to join; empty lets everyone in.", reload=True, most=100
    )


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What is played in rooms that are opened from now on."""

    game: str = setting("ricochet", "The game, by name.", option="--game")
    arena: str = setting("", "The arena; empty is the game's first.", reload=True, option="--arena")
    mode: str = setting("", "The mode; empty is the game's first.", reload=True, option="--mode")
    bots: int = setting(4, "Bots in a room; they leave their seats to people.", reload=True, option="--bots", most=64)
    level: str = setting(
        "normal", "How well bots play.", reload=True, option="--level", choices=("easy", "normal", "hard")
    )
    seats: int = setting(16, "Players in a room.", reload=True, option="--seats", least=1, most=256)
    max: int = setting(64, "Rooms at most.", reload=True, option="--rooms", least=1, most=4096)
    load: float = setting(
        0.75,
        "Share of a core that ticks take in a process before it opens no further room.",
        reload=True,
        most=100,
        unit="cores",
    )
    private: bool = setting(True, "Whether players may open rooms that take a code to join.", reload=True)


@dataclass(frozen=True, slots=True)
class OpsSettings:
    """The pages for whoever runs the server."""

    bind: Address | None = setting(
        None,
        "Where health, metrics and dashboard are; a port alone is on this machine only.",
        option="--ops",
        host="127.0.0.1",
    )
    token: Secret = setting(
        Secret(""), "What a request that changes something must bear; without one, none may.", reload=True, most=200
    )
    name: str = setting(
        "", "Host name under which the pages are asked for, such as behind a proxy.", reload=True, most=253
    )


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """A certificate of one's own, instead of the one made at the first start."""

    certificate: Path | None = setting(
        None,
        "PEM file with the certificate, and its chain below; a reload reads it again.",
        reload=True,
        option="--tls-certificate",
    )
    key: Path | None = setting(
        None, "PEM file with the private key of the certificate.", reload=True, option="--tls-key"
    )


@dataclass(frozen=True, slots=True)
class DrainSettings:
    """What happens between SIGTERM and the end."""

    deadline: float = setting(
        60.0, "Seconds for rounds to finish in.", reload=True, option="--drain-deadline", most=86_400
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to standard error."""

    level: str = setting(
        "info",
        "The least that is written.",
        reload=True,
        option="--log-level",
        choices=("debug", "info", "warning", "error"),
    )
    format: str = setting(
        "auto",
        "Lines for people or for programs; auto asks whether it is a terminal.",
        option="--log-format",
        choices=("auto", "human", "json"),
    )


@dataclass(frozen=True, slots=True)
class SaveSettings:
    """Where rooms survive a restart."""

    folder: Path | None = setting(None, "Where saves are; without one, nothing is saved.", option="--save")
    every: float = setting(60.0, "Seconds between saves of a room.", reload=True, least=1, most=86_400)


@dataclass(frozen=True, slots=True)
class DiscoverySettings:
    """How others come to know of the server."""

    lan: bool = setting(True, "Announce the server in the local network (mDNS).", reload=True, option="--lan")
    query: bool = setting(True, "Answer server browsers and monitors (A2S).", reload=True, option="--query")


@dataclass(frozen=True, slots=True)
class Config:
    """What the server is to do. Made by `load`; by itself, all defaults."""

    server: ServerSettings = field(default_factory=ServerSettings)
    rooms: RoomSettings = field(default_factory=RoomSettings)
    ops: OpsSettings = field(default_factory=OpsSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)
    drain: DrainSettings = field(default_factory=DrainSettings)
    log: LogSettings = field(default_factory=LogSettings)
    save: SaveSettings = field(default_factory=SaveSettings)
    discovery: DiscoverySettings = field(default_factory=DiscoverySettings)
    origins: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, compare=False)
    """Where each setting that is not a default comes from, by dotted name."""
    warnings: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """What is allowed but may not be meant, as lines for people."""

    def get(self, name: str) -> Any:
        """The value of the setting called `name`, such as ``server.bind``."""
        section, _, key = name.partition(".")
        return getattr(getattr(self, section), key)

    def origin(self, name: str) -> str:
        """Where the value of a setting comes from: ``server.toml:12``, a variable, an option, or ``default``."""
        return self.origins.get(name, "default")

    def problem(self, name: str, wrong: str) -> ConfigError:
        """The error that a setting is of no use after all, say because the game has no such arena; to be raised."""
        return ConfigError([complaint(SETTINGS[name], self.origin(name), self.get(name), wrong)])

    def replace(self, values: Mapping[str, object], origins: Mapping[str, str], warnings: Iterable[str]) -> Config:
        """The same with these values, by dotted name, in place of its own, and with these origins and warnings."""
        sections: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            section, _, key = name.partition(".")
            sections.setdefault(section, {})[key] = value
        changed: dict[str, Any] = {
            section: dataclasses.replace(getattr(self, section), **own) for section, own in sections.items()
        }
        return dataclasses.replace(self, **changed, origins=dict(origins), warnings=tuple(warnings))

    def secrets(self) -> list[Secret]:
        """All secrets that are set, for whoever keeps them out of logs."""
        values = [self.get(name) for name in SETTINGS]
        return [value for value in values if isinstance(value, Secret) and value]


def _settings() -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for section in dataclasses.fields(Config):
        kind = cast("type[Any]", section.default_factory)
        if not dataclasses.is_dataclass(kind):
            continue
        types = get_type_hints(kind)
        for each in dataclasses.fields(kind):
            name = f"{section.name}.{each.name}"
            found[name] = Setting(name, types[each.name], each.default, **each.metadata)
    return found


SETTINGS: Mapping[str, Setting] = _settings()
"""Every setting by dotted name, in the order of the schema."""

SECTIONS = tuple(dict.fromkeys(name.partition(".")[0] for name in SETTINGS))
"""The tables that settings are in."""


def complaint(known: Setting, origin: str, value: object, wrong: str) -> str:
    """What is wrong with a setting, where, in the words of the place it comes from."""
    shown = "..." if known.type is Secret else known.shown(value)
    if origin.startswith(f"{PREFIX}_"):
        return f"{origin}={shown}: {wrong}"
    if origin.startswith("--"):
        return f"{origin} {shown}: {wrong}"
    return f"{origin}: {known.name} = {shown}: {wrong}"
