"""Telling the service supervisor that started this process how it is, as ``sd_notify(3)`` describes it.

    tell = Notifier.of(os.environ)
    if tell is not None:
        tell("READY=1", "STATUS=21 players")

The supervisor names a Unix socket in ``NOTIFY_SOCKET``, and takes one datagram of ``NAME=value`` lines at a time.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

VARIABLE = "NOTIFY_SOCKET"


class Notifier:
    """Sends to the supervisor at `address`: a path, or ``@`` and a name in the abstract namespace of Linux."""

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Notifier | None:
        """The supervisor of this process; None if it has none, or none of this kind."""
        address = environment.get(VARIABLE, "")
        if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
            return None
        return cls(address)

    def __call__(self, *lines: str) -> bool:
        """Tell it these; whether it could be told. Never blocks, and never raises."""
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Tell it nothing more."""
        self._socket.close()
