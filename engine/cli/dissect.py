"""`tickwire dissect`: the datagrams of a capture, or of a live stream, printed for people."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from engine.errors import TickwireError
from engine.net.connection.address import Address
from engine.net.connection.dissect import Dissector
from engine.net.connection.token import KEY_BYTES, ConnectToken
from engine.net.transport.capture import read_capture
from engine.net.wire import Protocol, ProtocolError

LOOK_EVERY = 0.1
"""Seconds between looks at a file that grows."""


class DissectError(TickwireError):
    """Something given on the command line is not what it has to be."""


def run_dissect(
    path: Path,
    *,
    live: bool = False,
    key: Path | None = None,
    tokens: Sequence[Path] = (),
    protocol: str = "",
    port: int | None = None,
    print_line: Callable[[str], object] = print,
) -> int:
    """Print the capture at `path`, `-` being standard input. Returns the exit code."""
    dissector = Dissector(
        private_key=None if key is None else _key(key),
        tokens=[_token(token) for token in tokens],
        protocol=_protocol(protocol) if protocol else None,
    )

    def more() -> bool:
        sys.stdout.flush()
        time.sleep(LOOK_EVERY)
        return True

    source = nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb")
    try:
        with source as stream:
            for captured in read_capture(stream, **({"more": more} if live else {})):
                if port is not None and port not in (captured.source.port, captured.destination.port):
                    continue
                at = datetime.fromtimestamp(captured.at).strftime("%H:%M:%S.%f")
                head, *rest = dissector.lines(captured.datagram, captured.source, captured.destination)
                print_line(f"{at}  {_way(captured.source, captured.destination)}  {head}")
                for line in rest:
                    print_line(f"{'':17}{line}")
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _way(source: Address, destination: Address) -> str:
    return f"{source} → {destination}"


def _key(path: Path) -> bytes:
    raw = path.read_bytes()
    if len(raw) == KEY_BYTES:
        return raw
    try:
        key = bytes.fromhex(raw.decode())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise DissectError(f"{path} holds no private key: {KEY_BYTES} bytes, or {2 * KEY_BYTES} hex digits")
    return key


def _token(path: Path) -> ConnectToken:
    try:
        return ConnectToken.decode(path.read_bytes())
    except ProtocolError as wrong:
        raise DissectError(f"{path}: {wrong}") from None


def _protocol(name: str) -> Protocol:
    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), attribute or "PROTOCOL", None)
    except (ImportError, ValueError) as error:
        raise DissectError(f"{name}: {error}") from None
    if not isinstance(found, Protocol):
        raise DissectError(f"{name} is no Protocol: give MODULE:NAME, as in games.chat:PROTOCOL")
    return found
