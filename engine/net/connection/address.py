"""Where a peer is: an IP address, as canonical text, and a UDP port."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from engine.net.wire.errors import ProtocolError

IPV4, IPV6 = 1, 2
"""Address types of the netcode standard 1.02, STANDARD.md, "Connect Token"."""


class Address(NamedTuple):
    """Equal to the plain ``(host, port)`` tuple a socket gives, so either finds the other in a dict."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``203.0.113.9:7777`` or ``[2001:db8::9]:7777``. Raises `ValueError` that says which part is wrong."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
            raise ValueError(
                f"{text!r} is no address: it ends in no port, as in 203.0.113.9:7777 or [2001:db8::9]:7777"
            )
        bracketed = host.startswith("[") and host.endswith("]")
        try:
            ip = ipaddress.ip_address(host[1:-1] if bracketed else host)
        except ValueError:
            raise ValueError(f"{text!r} is no address: {host!r} is no IP address; resolve names before") from None
        if bracketed != (ip.version == 6):
            raise ValueError(f"{text!r} is no address: brackets go around an IPv6 address, and only there")
        return cls(str(ip), int(port))


def pack_address(address: Address) -> bytes:
    """The standard's form: type, then 4 bytes or 8 little-endian 16-bit words, then a little-endian port.

    Raises `ValueError` if the host is no IP address: a name has no form here.
    """
    ip = ipaddress.ip_address(address.host)
    if ip.version == 4:
        return bytes([IPV4]) + ip.packed + address.port.to_bytes(2, "little")
    return bytes([IPV6]) + _swap_words(ip.packed) + address.port.to_bytes(2, "little")


def unpack_address(encoded: bytes, offset: int) -> tuple[Address, int]:
    """The address at `offset` and the offset after it. Raises `ProtocolError`."""
    kind = encoded[offset] if offset < len(encoded) else -1
    size = {IPV4: 4, IPV6: 16}.get(kind)
    if size is None:
        raise ProtocolError(f"address type {kind}: neither 1 (IPv4) nor 2 (IPv6)")
    end = offset + 1 + size
    if end + 2 > len(encoded):
        raise ProtocolError("an address is cut off")
    packed = encoded[offset + 1 : end]
    ip = ipaddress.ip_address(packed if kind == IPV4 else _swap_words(packed))
    return Address(str(ip), int.from_bytes(encoded[end : end + 2], "little")), end + 2


def _swap_words(packed: bytes) -> bytes:
    return b"".join(packed[i : i + 2][::-1] for i in range(0, 16, 2))
