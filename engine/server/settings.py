"""What a setting is: its type and bounds, how it is read from text or TOML, and how it is shown."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import math
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args

from engine.net.connection.address import Address
from engine.server.secret import Secret

OFF = "off"
"""The text for an optional setting that is not set."""
_TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def setting(
    default: Any,
    about: str,
    *,
    reload: bool = False,
    option: str = "",
    choices: tuple[str, ...] = (),
    least: float = 0,
    most: float = math.inf,
    unit: str = "seconds",
    host: str = "",
) -> Any:
    """Declares a field of a section to be a setting. The keywords are those of `Setting`."""
    metadata = {"about": about, "reload": reload, "option": option, "choices": choices}
    bounds = {"least": least, "most": most, "unit": unit}
    return dataclasses.field(default=default, metadata={**metadata, **bounds, "host": host})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the schema."""

    name: str
    """Dotted, such as ``server.bind``."""
    declared: Any
    """The type of its field: str, int, float, bool, Address, Path or Secret; or with None."""
    default: Any
    about: str
    """What it is for, in a sentence."""
    reload: bool
    """Whether a running server can take up another value."""
    option: str
    """Its command-line option, if it has one."""
    choices: tuple[str, ...]
    """The texts it can be, if not any."""
    least: float
    most: float
    """Bounds of a number, both included; `most` of a text, in characters."""
    unit: str
    """What a number that need not be whole counts."""
    host: str
    """For an address: the host where only a port is given."""

    @property
    def type(self) -> type[Any]:
        """The type of a value that is set."""
        return get_args(self.declared)[0] if isinstance(self.declared, UnionType) else self.declared

    @property
    def optional(self) -> bool:
        """Whether it can be off."""
        return isinstance(self.declared, UnionType)

    def take(self, value: object) -> Any:
        """Read a value: text from the environment or the command line, or what TOML holds.

        Raises `ValueError` that says what it should be.
        """
        if self.optional and (value is None or value is False or value in ("", OFF)):
            return None
        reader = {bool: self._bool, int: self._int, float: self._float, Address: self._address}.get(self.type)
        if reader is not None:
            return reader(value)
        if isinstance(value, Secret):
            value = value.reveal()
        if self.type is Path:
            if isinstance(value, Path):
                return value
            if not isinstance(value, str) or "\0" in value:
                raise ValueError('a path in quotes, such as "saves"')
            return Path(value)
        text = self._text(value)
        return Secret(text) if self.type is Secret else text

    def _bool(self, value: object) -> bool:
        if isinstance(value, str):
            value = _TRUTHS.get(value.lower(), value)
        if not isinstance(value, bool):
            raise ValueError("true or false")
        return value

    def _int(self, value: object) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise ValueError(f"a whole number {self._bounds()}, such as {self.default}")
        return value

    def _float(self, value: object) -> float:
        number = math.nan
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                number = math.nan
        if not self.least <= number <= self.most:
            raise ValueError(f"a number of {self.unit} {self._bounds()}, such as {self.default:g}")
        return number

    def _bounds(self) -> str:
        return f"from {self.least:g}" + ("" if self.most == math.inf else f" to {self.most:g}")

    def _address(self, value: object) -> Address:
        where = f"a port alone is at {self.host}" + (f', "{OFF}" is nowhere' if self.optional else "")
        wrong = ValueError(f'IP address and port, such as "{self.host}:7777" or "[::]:7777"; {where}')
        if isinstance(value, Address):
            return value
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise wrong
        host, _, port = str(value).strip().rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        host = host[1:-1] if bracketed else host or self.host
        if host == "localhost":
            host = "127.0.0.1"
        if not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 1 << 16):
            raise wrong
        try:
            ip = ipaddress.ip_address(host)
        except ValueError:
            raise wrong from None
        if bracketed != (ip.version == 6):
            raise wrong
        return Address(str(ip), int(port))

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("a text in quotes")
        if self.choices and value not in self.choices:
            raise ValueError(f"one of {', '.join(self.choices)}")
        if len(value) > self.most:
            raise ValueError(f"at most {self.most:g} characters, not {len(value)}")
        if any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise ValueError("a text of one line, without control characters")
        return value

    def shown(self, value: object) -> str:
        """A value as it would stand in the file; a secret masked."""
        if value is None:
            return f'"{OFF}"'
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, Secret):
            return json.dumps(str(value) if value else "")
        if isinstance(value, float):
            return f"{value:g}"
        if isinstance(value, int):
            return str(value) if abs(value) < 1 << 64 else hex(value)[:20] + "..."
        if isinstance(value, (str, Address, Path)):
            return json.dumps(str(value), ensure_ascii=False)
        return type(value).__name__

    def example(self) -> str:
        """The default as it would stand in the file."""
        return self.shown(self.default)
