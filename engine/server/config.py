"""The server's configuration, from command-line options, environment variables and a TOML file.

    config = load(Path("server.toml"), environment=os.environ, options={"server.workers": 2})
    config.server.workers               # 2
    config.origin("server.workers")     # "--workers"

A setting has one dotted name, ``server.max_players``, from which its others follow: the key ``max_players`` in the
table ``[server]`` and the variable ``TICKWIRE_SERVER_MAX_PLAYERS``. Where it is set more than once, the option wins
over the environment, that over the file, and that over the default. A secret can also be read from a file that a
variable names: ``TICKWIRE_SERVER_PASSWORD_FILE``.

Everything that is wrong is reported at once, each with where it is, what is there, and what could be.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from engine.net.connection.address import Address
from engine.server.schema import PREFIX, SECTIONS, SETTINGS, Config, ConfigError, complaint
from engine.server.secret import Secret
from engine.server.settings import Setting
from engine.server.toml_lines import key_lines, syntax_problem

MIN_TOKEN = 16
"""Characters of a token that guards what changes state: fewer can be guessed."""


def load(
    path: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
) -> Config:
    """Put the configuration together.

    `options` are by dotted name; those that are None were not given. Paths in the file are relative to its folder,
    others to the current one. Raises `ConfigError` with all that is wrong.
    """
    reader = _Reader()
    if path is not None:
        reader.read_file(path)
    reader.read_environment(environment or {})
    reader.read_options(options or {})
    return reader.config()


def check(path: Path) -> tuple[str, ...]:
    """All that is wrong with a file on its own; empty if it could be used."""
    try:
        load(path)
    except ConfigError as error:
        return error.problems
    return ()


@dataclass(frozen=True, slots=True)
class Reload:
    """What becomes of a running server's configuration when it is read again."""

    config: Config
    """What holds from now on: what can change while running has changed, the rest is as it was."""
    changed: tuple[str, ...]
    """The settings that changed, by dotted name."""
    needs_restart: tuple[str, ...]
    """The settings that would have changed."""


def reload(running: Config, read: Config) -> Reload:
    """Take over from `read` what a running server can take over."""
    different = [name for name in SETTINGS if running.get(name) != read.get(name)]
    later = tuple(name for name in different if not SETTINGS[name].reload)
    origins = {name: origin for name, origin in read.origins.items() if name not in later}
    origins |= {name: running.origins[name] for name in later if name in running.origins}
    config = read.replace({name: running.get(name) for name in later}, origins, read.warnings)
    return Reload(config, tuple(name for name in different if SETTINGS[name].reload), later)


def describe(config: Config) -> str:
    """Every setting, its value and where that comes from, a line each. Secrets are masked."""
    lines = [(f"{name} = {SETTINGS[name].shown(config.get(name))}", config.origin(name)) for name in SETTINGS]
    width = max(len(line) for line, _ in lines)
    return "\n".join(f"{line:<{width}}  # {origin}" for line, origin in lines)


def example() -> str:
    """A configuration file with every setting at its default, commented out, and what it is for."""
    lines = ["# Settings of a Tickwire server. Those marked (restart) are not taken up by a reload (SIGHUP)."]
    last = ""
    for known in SETTINGS.values():
        section, key = known.name.split(".")
        if section != last:
            purpose = (type(getattr(Config(), section)).__doc__ or "").splitlines()[0]
            lines += ["", f"[{section}]  # {purpose}"]
            last = section
        lines += [f"# {known.about}{'' if known.reload else ' (restart)'}"]
        lines += [f"#{key} = {known.example()}"]
    return "\n".join(lines) + "\n"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}_{name.replace('.', '_').upper()}"


class _Reader:
    """Collects values and problems, weakest source first."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._origins: dict[str, str] = {}
        self._problems: list[str] = []
        self._warnings: list[str] = []

    # The file

    def read_file(self, path: Path) -> None:
        try:
            text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
        except OSError as error:
            self._problems.append(f"{path}: cannot be read: {error.strerror or error}")
            return
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self._problems.append(f"{path}:{line}: not UTF-8; TOML always is")
            return
        try:
            tables = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # beyond wrong syntax: numbers too long, arrays too deep
            line, problem = syntax_problem(error, text)
            self._problems.append(f"{path}:{line}: not TOML: {problem}")
            return
        lines = key_lines(text)
        for section, table in tables.items():
            origin = f"{path}:{lines.get(section, 1)}"
            if section not in SECTIONS:
                self._unknown(origin, section)
            elif not isinstance(table, dict):
                self._problems.append(f"{origin}: {section} = ...: a table, begun with [{section}], not a value")
            else:
                for key, value in cast("dict[str, object]", table).items():
                    name = f"{section}.{key}"
                    self._from_file(path, f"{path}:{lines.get(name, 1)}", name, value)
        self._check_readers(path)

    def _from_file(self, path: Path, origin: str, name: str, value: object) -> None:
        known = SETTINGS.get(name)
        if known is None:
            self._unknown(origin, name)
        else:
            self._take(known, origin, value, path.parent)

    def _check_readers(self, path: Path) -> None:
        """Warn of secrets in a file that others on this machine can read."""
        secret = [name for name, value in self._values.items() if isinstance(value, Secret) and value]
        if secret and os.name == "posix" and path.stat().st_mode & 0o004:
            self._warnings.append(f"{path}: holds {secret[0]}, and everyone on this machine can read it: chmod o-r")

    # Environment and options

    def read_environment(self, environment: Mapping[str, str]) -> None:
        by_variable = {variable(known.name): known for known in SETTINGS.values()}
        files = {f"{variable(known.name)}_FILE": known for known in SETTINGS.values() if known.type is Secret}
        for found, text in sorted(environment.items()):
            known = by_variable.get(found)
            if known is not None:
                self._take(known, found, text)
            elif found in files:
                self._take_secret_file(files[found], found, text, environment)
            elif found.startswith(f"{PREFIX}_"):  # orchestrators set names like these of their own accord
                meant = difflib.get_close_matches(found, [*by_variable, *files], 1, 0.85)
                if meant:
                    self._warnings.append(f"{found}: no such setting, and not used; did you mean {meant[0]}?")

    def _take_secret_file(self, known: Setting, found: str, text: str, environment: Mapping[str, str]) -> None:
        if variable(known.name) in environment:
            self._problems.append(f"{found}: {variable(known.name)} is set as well; only one of them can hold")
            return
        try:
            self._take(known, found, Path(text).read_text("utf-8").strip("\r\n"))
        except (OSError, ValueError) as error:
            self._problems.append(f"{found}={text}: cannot be read: {getattr(error, 'strerror', None) or error}")

    def read_options(self, options: Mapping[str, object]) -> None:
        for name, value in options.items():
            if value is not None:
                known = SETTINGS[name]
                self._take(known, known.option or name, value)

    # Both

    def _take(self, known: Setting, origin: str, value: object, folder: Path | None = None) -> None:
        try:
            taken = known.take(value)
        except ValueError as error:
            self._problems.append(complaint(known, origin, value, str(error)))
            return
        if isinstance(taken, Path) and folder is not None:
            taken = folder / taken
        self._values[known.name] = taken
        self._origins[known.name] = origin

    def _unknown(self, origin: str, name: str) -> None:
        name = name if name.isprintable() else ascii(name)
        section, _, key = name.rpartition(".")
        likely = [known for known in SETTINGS if known.rpartition(".")[2] == key]
        likely = likely or difflib.get_close_matches(name, SETTINGS if section else SECTIONS, 1, 0.5)
        if not likely:
            cure = f"there are the tables {', '.join(SECTIONS)}"
        elif likely[0] in SECTIONS or likely[0].startswith(f"{section}."):
            cure = f"did you mean {likely[0]}?"
        else:
            table, _, key = likely[0].partition(".")
            cure = f"did you mean {key} in the table [{table}]?"
        self._problems.append(f"{origin}: {name}: no such setting; {cure}")

    def config(self) -> Config:
        self._check_pairs()
        if self._problems:
            raise ConfigError(self._problems)
        return Config().replace(self._values, self._origins, self._warnings)

    def _check_pairs(self) -> None:
        """What only makes sense together."""
        for one, other in (("tls.certificate", "tls.key"), ("tls.key", "tls.certificate")):
            if self._values.get(one) is not None and self._values.get(other) is None:
                self._problems.append(f"{self._origins[one]}: {one} without {other}: set both, or neither")
        token = self._values.get("ops.token")
        if isinstance(token, Secret) and 0 < len(token) < MIN_TOKEN:
            self._problems.append(
                f"{self._origins['ops.token']}: ops.token has {len(token)} characters, and can be guessed: give at "
                f"least {MIN_TOKEN}, as made by: python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        ops = self._values.get("ops.bind")
        if isinstance(ops, Address) and not ops.host.startswith("127.") and ops.host != "::1" and not token:
            self._warnings.append(
                f"{self._origins['ops.bind']}: ops.bind = {ops}: whoever reaches it can look; without ops.token, "
                "nobody can kick, ban or drain there"
            )


__all__ = ["SETTINGS", "Config", "ConfigError", "Reload", "check", "describe", "example", "load", "reload", "variable"]
