"""Invites: one URI with which a friend's game finds a server, and knows that it is the right one.

    tickwire://203.0.113.9:7777?key=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
    tickwire://203.0.113.9:7777?key=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU&room=k3f9
    tickwire://play.example.org:7777?key=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU&ca=1

The game asks that host and port over HTTPS for a connect token, and talks to the server only if the SHA-256 of its TLS
key is `key`, so no certificate authority is needed and no one in between can answer.

With `ca`, the key may also be another, if a certificate authority that the player's system trusts vouches for it under
that host's name: so an invite outlives a certificate that is renewed with a new key. Only a server that has such a
certificate says so; for others, the key alone counts.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from engine.errors import TickwireError

SCHEME = "tickwire"
FINGERPRINT_BYTES = 32

_NAME = re.compile(r"(?!-)[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
ROOM_CODE = re.compile(r"[A-Za-z0-9]{1,20}")


class InviteError(TickwireError, ValueError):
    """A text that is no invite, or an invite to nowhere; the message says which part is wrong."""


@dataclass(frozen=True, slots=True)
class Invite:
    """Where to ask for a connect token, and the SHA-256 of the TLS key (its SubjectPublicKeyInfo) found there.

    With `room`, it is to that room of the host; else to whichever the host chooses.
    """

    host: str
    """A name or an IP address."""
    port: int
    fingerprint: bytes
    room: str = ""
    """The code of a room: up to 20 letters and digits."""
    vouched: bool = False
    """Whether another key will do, if an authority vouches for it under the host's name."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.host):
            raise InviteError(f"an invite to {self.host!r}: neither a host name nor an IP address")
        if not 0 < self.port < 1 << 16:
            raise InviteError(f"an invite to port {self.port}: not 1 to 65535")
        if len(self.fingerprint) != FINGERPRINT_BYTES:
            raise InviteError(f"an invite with a key of {len(self.fingerprint)} bytes: not {FINGERPRINT_BYTES}")
        if self.room and not ROOM_CODE.fullmatch(self.room):
            raise InviteError(f"an invite to room {self.room!r}: a code has up to 20 letters and digits")

    @property
    def authority(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        key = base64.urlsafe_b64encode(self.fingerprint).rstrip(b"=").decode()
        room = f"&room={self.room}" if self.room else ""
        return f"{SCHEME}://{self.authority}?key={key}{'&ca=1' if self.vouched else ''}{room}"

    @classmethod
    def parse(cls, text: str) -> Invite:
        """Read what `str` wrote. Raises `InviteError` that says which part is wrong."""
        text = text.strip()
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise InviteError(f"{text!r} is no invite: {error}") from None
        if parts.scheme != SCHEME:
            raise InviteError(f"{text!r} is no invite: one begins with {SCHEME}://")
        if not host or port is None:
            raise InviteError(
                f"{text!r} is no invite: it names no host and port, as in {SCHEME}://203.0.113.9:7777?key=..."
            )
        if parts.path not in ("", "/") or parts.fragment or parts.username is not None:
            raise InviteError(f"{text!r} is no invite: after host and port comes only ?key=...")
        query = dict(parse_qsl(parts.query))
        key, room, ca = query.pop("key", None), query.pop("room", ""), query.pop("ca", "")
        if key is None or query or ca not in ("", "1"):
            raise InviteError(
                f"{text!r} is no invite: it holds key=..., and may hold ca=1 and room=..., and nothing else; "
                "was it cut off?"
            )
        try:
            fingerprint = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise InviteError(f"{text!r} is no invite: its key is not base64url; was it cut off?") from None
        return cls(host, port, fingerprint, room, ca == "1")
