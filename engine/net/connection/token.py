"""Connect tokens of the netcode standard 1.02: who may connect, to which servers, until when, under which keys.

A token is made where players are authenticated, handed to one player over a secure channel, and proves to a game
server, which shares only the private key with the maker, all it needs to know. STANDARD.md, "Connect Token":

    public, 2048 bytes: version 13 | protocol id u64 | created u64 | expires u64 | nonce 24 | sealed private part 1024
                        | timeout i32 | servers | client to server key 32 | server to client key 32 | zeros
    private, 1008 bytes, + 16 of MAC: client id u64 | timeout i32 | servers | both keys | user data 256 | zeros
    servers:            count u32 in [1, 32], then each address
    challenge, 284 bytes, + 16 of MAC: client id u64 | user data 256 | zeros

Integers are little-endian. The private part is sealed with XChaCha20-Poly1305 under the private key, with version,
protocol id and expiry as associated data; a challenge with ChaCha20-Poly1305 under a key only its server knows.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from engine.net.connection.address import Address, pack_address, unpack_address
from engine.net.wire.errors import ProtocolError

VERSION = b"NETCODE 1.02\0"
KEY_BYTES = 32
MAC_BYTES = 16
NONCE_BYTES = 24
USER_BYTES = 256
PRIVATE_BYTES = 1024
TOKEN_BYTES = 2048
CHALLENGE_BYTES = 300
MAX_SERVERS = 32

Entropy = Callable[[int], bytes]
"""A source of secret random bytes: `os.urandom`, unless a test wants the same run twice."""

_HEAD = struct.Struct("<13sQQQ24s1024s")  # version, protocol id, created, expires, nonce, sealed private part
_CLIENT = struct.Struct("<Q")
_SERVERS = struct.Struct("<iI")  # timeout in seconds, count of servers
_ASSOCIATED = struct.Struct("<13sQQ")


@dataclass(frozen=True, slots=True)
class PrivateToken:
    """What a server learns from a token, once it has opened it."""

    client_id: int
    timeout: int
    """Seconds of silence after which either side gives up; zero or less, never (for debuggers)."""
    servers: tuple[Address, ...]
    client_to_server: bytes
    server_to_client: bytes
    user: bytes
    """256 bytes the maker of the token says to the game: what they mean is between those two."""


@dataclass(frozen=True, slots=True)
class ConnectToken:
    """What a client is given. `encode` and `decode` are for the way from the maker to the client."""

    protocol_id: int
    created: int
    """Unix time, in seconds."""
    expires: int
    """Unix time, in seconds; no server accepts the token from then on."""
    nonce: bytes
    sealed: bytes
    timeout: int
    servers: tuple[Address, ...]
    client_to_server: bytes
    server_to_client: bytes

    def encode(self) -> bytes:
        """The 2048 bytes of the standard."""
        head = _HEAD.pack(VERSION, self.protocol_id, self.created, self.expires, self.nonce, self.sealed)
        tail = _pack_servers(self.timeout, self.servers) + self.client_to_server + self.server_to_client
        return (head + tail).ljust(TOKEN_BYTES, b"\0")

    @classmethod
    def decode(cls, encoded: bytes) -> ConnectToken:
        """Read `encode`'s bytes. Raises `ProtocolError` saying what is wrong with them."""
        if len(encoded) != TOKEN_BYTES:
            raise ProtocolError(f"a connect token has {TOKEN_BYTES} bytes, this one {len(encoded)}")
        version, protocol_id, created, expires, nonce, sealed = _HEAD.unpack_from(encoded)
        if version != VERSION:
            raise ProtocolError(f"a connect token of another version: {version!r}, not {VERSION!r}")
        if created > expires:
            raise ProtocolError(f"a connect token that expires ({expires}) before it is made ({created})")
        timeout, servers, offset = _unpack_servers(encoded, _HEAD.size)
        to_server, to_client, _ = _unpack_keys(encoded, offset)
        return cls(protocol_id, created, expires, nonce, sealed, timeout, servers, to_server, to_client)


def issue_token(
    *,
    protocol_id: int,
    private_key: bytes,
    client_id: int,
    servers: Sequence[Address],
    now: float,
    lifetime: int = 30,
    timeout: int = 10,
    user: bytes = b"",
    internal_servers: Sequence[Address] | None = None,
    entropy: Entropy = os.urandom,
) -> ConnectToken:
    """Make a token for one player.

    `now` is Unix time and `lifetime` and `timeout` are seconds. `client_id` is the player's, a 64-bit number; a server
    has each at most once. `servers` are tried in turn, by the addresses clients know; where servers know themselves by
    others, those are `internal_servers`. `user` is at most 256 bytes for the game.

    Raises `ValueError` naming the argument that is out of bounds.
    """
    internal = servers if internal_servers is None else internal_servers
    for what, value, right in (
        ("protocol_id: 64 bits", protocol_id, 0 <= protocol_id < 1 << 64),
        ("private_key: 32 bytes", "of another length", len(private_key) == KEY_BYTES),
        ("client_id: 64 bits", client_id, 0 <= client_id < 1 << 64),
        ("servers: 1 to 32", servers, 1 <= len(servers) <= MAX_SERVERS),
        ("internal_servers: 1 to 32", internal, 1 <= len(internal) <= MAX_SERVERS),
        ("lifetime: at least a second", lifetime, lifetime > 0),
        ("timeout: 32 bits", timeout, -(1 << 31) <= timeout < 1 << 31),
        ("user: at most 256 bytes", user, len(user) <= USER_BYTES),
    ):
        if not right:
            raise ValueError(f"{what}, not {value!r}")
    created = int(now)
    to_server, to_client = entropy(KEY_BYTES), entropy(KEY_BYTES)
    private = PrivateToken(client_id, timeout, tuple(internal), to_server, to_client, user.ljust(USER_BYTES, b"\0"))
    nonce = entropy(NONCE_BYTES)
    sealed = seal_private(private, protocol_id, created + lifetime, nonce, private_key)
    return ConnectToken(
        protocol_id, created, created + lifetime, nonce, sealed, timeout, tuple(servers), to_server, to_client
    )


def seal_private(private: PrivateToken, protocol_id: int, expires: int, nonce: bytes, private_key: bytes) -> bytes:
    """The 1024 bytes of a private part, sealed."""
    plain = (
        _CLIENT.pack(private.client_id)
        + _pack_servers(private.timeout, private.servers)
        + private.client_to_server
        + private.server_to_client
        + private.user
    ).ljust(PRIVATE_BYTES - MAC_BYTES, b"\0")
    associated = _ASSOCIATED.pack(VERSION, protocol_id, expires)
    return crypto_aead_xchacha20poly1305_ietf_encrypt(plain, associated, nonce, private_key)


def open_private(sealed: bytes, protocol_id: int, expires: int, nonce: bytes, private_key: bytes) -> PrivateToken:
    """Undo `seal_private`. Raises `ProtocolError` if any of it was sealed otherwise, or holds no token."""
    associated = _ASSOCIATED.pack(VERSION, protocol_id, expires)
    try:
        plain = crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, associated, nonce, private_key)
    except CryptoError:
        raise ProtocolError("a connect token that was not made with this server's key") from None
    (client_id,) = _CLIENT.unpack_from(plain)
    timeout, servers, offset = _unpack_servers(plain, _CLIENT.size)
    to_server, to_client, offset = _unpack_keys(plain, offset)
    user = plain[offset : offset + USER_BYTES]  # 32 IPv6 servers, the most there can be, still leave room for all of it
    return PrivateToken(client_id, timeout, servers, to_server, to_client, user)


def _pack_servers(timeout: int, servers: Sequence[Address]) -> bytes:
    return _SERVERS.pack(timeout, len(servers)) + b"".join(pack_address(server) for server in servers)


def _unpack_servers(encoded: bytes, offset: int) -> tuple[int, tuple[Address, ...], int]:
    timeout, count = _SERVERS.unpack_from(encoded, offset)
    if not 1 <= count <= MAX_SERVERS:
        raise ProtocolError(f"a connect token for {count} servers: not 1 to {MAX_SERVERS}")
    offset += _SERVERS.size
    servers: list[Address] = []
    for _ in range(count):
        server, offset = unpack_address(encoded, offset)
        servers.append(server)
    return timeout, tuple(servers), offset


def _unpack_keys(encoded: bytes, offset: int) -> tuple[bytes, bytes, int]:
    middle, end = offset + KEY_BYTES, offset + 2 * KEY_BYTES
    return encoded[offset:middle], encoded[middle:end], end


class Challenges:
    """Challenge tokens of one running server: sealed under a key of its own, so only it can have made them."""

    __slots__ = ("_cipher", "_sequence")

    def __init__(self, entropy: Entropy = os.urandom) -> None:
        self._cipher = ChaCha20Poly1305(entropy(KEY_BYTES))
        self._sequence = 0

    def seal(self, client_id: int, user: bytes) -> tuple[int, bytes]:
        """A new challenge: its sequence number and its 300 bytes."""
        sequence = self._sequence
        self._sequence += 1
        plain = (_CLIENT.pack(client_id) + user).ljust(CHALLENGE_BYTES - MAC_BYTES, b"\0")
        return sequence, self._cipher.encrypt(packet_nonce(sequence), plain, None)

    def open(self, sequence: int, sealed: bytes) -> tuple[int, bytes]:
        """The client id and user data of a challenge. Raises `ProtocolError` if this server did not make it."""
        try:
            plain = self._cipher.decrypt(packet_nonce(sequence), sealed, None)
        except InvalidTag:
            raise ProtocolError("a challenge this server did not make") from None
        return _CLIENT.unpack_from(plain)[0], plain[8 : 8 + USER_BYTES]


def packet_nonce(sequence: int) -> bytes:
    """The 96-bit nonce of a sequence number: four zero bytes, then the number, little-endian."""
    return b"\0\0\0\0" + sequence.to_bytes(8, "little")
