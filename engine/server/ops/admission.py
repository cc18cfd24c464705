"""Who may ask the pages for what.

Anyone who reaches them may look, but only who bears the token may change anything, or see where players live.

Browsers reach loopback addresses too, on behalf of any site. Against that: no CORS headers; a request that another site
caused says so (`Origin`), and is refused; and a request must be for an address, `localhost`, or a name that was
configured, so that no site can have its own name point here (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from engine.server.secret import Secret


class RefusedError(Exception):
    """The request is not answered; `status` is that of the response."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Admission:
    """`token` gives the token in force, which may change; `names` the host names the pages may be asked for under."""

    def __init__(self, token: Callable[[], Secret], names: Callable[[], frozenset[str]]) -> None:
        self._token = token
        self._names = names

    @property
    def can_act(self) -> bool:
        """Whether there is a token, without which nobody can change anything."""
        return bool(self._token())

    def check_source(self, host: str, origin: str | None) -> None:
        """Raises `RefusedError` for what another site may have caused. Both are headers."""
        name = _host_of(host)
        if not _is_address(name) and name != "localhost" and name not in self._names():
            raise RefusedError(
                421, f"the pages are not asked for as {name!r}: use the IP address, or set ops.name to that name"
            )
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise RefusedError(403, "requests from other sites are refused")

    def is_borne(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header bears the token."""
        scheme, _, given = authorization.partition(" ")
        return scheme.lower() == "bearer" and self.is_token(given.strip())

    def is_token(self, given: str) -> bool:
        """Whether it is the token. Takes as long wherever they differ."""
        token = self._token()
        return bool(token) and token.matches(given)

    def check_token(self, authorization: str | None) -> None:
        """Raises `RefusedError` unless the header bears the token."""
        if not self.can_act:
            raise RefusedError(403, "nothing can be changed here: the server has no ops.token")
        if authorization is None:
            raise RefusedError(401, "this takes the token: Authorization: Bearer ...")
        if not self.is_borne(authorization):
            raise RefusedError(401, "the token is wrong")


def _host_of(header: str) -> str:
    """The host in a ``Host`` header, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
