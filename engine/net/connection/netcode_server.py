"""The server of the netcode standard 1.02 as a state machine without I/O: datagrams and the time in, datagrams out.

    request with a good token ──→ half-open, challenged ──response──→ connected, in a slot ──→ closed
                                       └── silence ──→ forgotten         └── farewell, or silence

Rules, all of which a hostile peer would like broken:

- Nothing is kept for a peer before its token is opened, and everything kept is counted and has an end.
- Until a peer has answered its challenge, its address is unproven: a datagram draws one reply at most, a shorter one.
- A token works from one address and for one connection. The standard lets the same address connect again with it; both
  sides would then count their packets from zero under the same keys, which gives the key stream away.
- A challenge is good only for the connection it was made for: with two tokens, someone could else answer for an address
  that is not theirs.
- The numbers of packets outside a connection start at a random place in the upper half of all, so they meet neither
  those of connections, which start at zero, nor those of the server that ran here before.
"""

from __future__ import annotations

import enum
import logging
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from engine.net.connection.address import Address
from engine.net.connection.netcode_client import DISCONNECT_PACKETS, SEND_INTERVAL
from engine.net.connection.packet import (
    CHALLENGE_CONTENT,
    KEEP_ALIVE_CONTENT,
    MAX_PAYLOAD_BYTES,
    REQUEST,
    REQUEST_BYTES,
    Opener,
    PacketType,
    Sealer,
)
from engine.net.connection.token import (
    KEY_BYTES,
    MAC_BYTES,
    VERSION,
    Challenges,
    Entropy,
    PrivateToken,
    open_private,
)
from engine.net.wire.errors import ProtocolError

HALF_OPEN_SECONDS = 10.0
"""How long a half-open connection is kept when its token sets no timeout."""
MAX_CHALLENGES = 256
"""Challenges one half-open connection can draw: 25 seconds of requests at the usual rate."""
MAX_USED_TOKENS = 65536
"""Tokens remembered until they expire. With so many alive, new ones are ignored rather than used ones forgotten."""
CHECK_INTERVAL = 0.02
"""How late a keep-alive or a timeout may be, so that those of many clients share one look at all of them."""
STANDSTILL = 2.0
"""Seconds between two looks at the time after which this side is known to have stood still."""
LOG_INTERVAL = 10.0

_log = logging.getLogger(__name__)
_PAYLOAD = int(PacketType.PAYLOAD)  # an enum's attribute costs more than all else the hot path does with it
_FROM_CLIENT = frozenset({PacketType.RESPONSE, PacketType.KEEP_ALIVE, PacketType.PAYLOAD, PacketType.DISCONNECT})


class Ignored(enum.Enum):
    """Why a datagram got no answer."""

    MALFORMED = "not a packet of this protocol"
    OTHER_VERSION = "another version of the netcode standard"
    OTHER_PROTOCOL = "another protocol id: another game, or another build of it"
    EXPIRED = "an expired token"
    BAD_TOKEN = "a token not made with this server's key, or altered"
    OTHER_SERVER = "a token for another server"
    ALREADY_CONNECTED = "already connected, by address or client id"
    USED_TOKEN = "a token used before"
    EARLIER_TOKEN = "a token from before this server started"
    OVERLOADED = "too many half-open connections, or tokens remembered"
    UNKNOWN_PEER = "no connection at this address"
    FORGED = "a packet that was altered, replayed, or is not for a connection in this state"
    BAD_CHALLENGE = "an answer to a challenge this connection was not given"


class Ending(enum.Enum):
    """Why a connection ended."""

    BY_PEER = "the peer left"
    BY_US = "closed on this side"
    TIMED_OUT = "the peer fell silent"


class Session:
    """What the server keeps for one address: half-open while `index` is negative, then a connected client."""

    __slots__ = (
        "address",
        "challenges",
        "client_id",
        "confirmed",
        "index",
        "last_received",
        "last_sent",
        "opener",
        "owner",
        "sealer",
        "sequence",
        "timeout",
        "token_mac",
        "user",
    )

    def __init__(self, address: Address, token: PrivateToken, mac: bytes, protocol_id: int, now: float) -> None:
        self.address = address
        self.client_id = token.client_id
        self.token_mac = mac
        self.timeout = token.timeout
        self.sealer = Sealer(token.server_to_client, protocol_id)
        self.opener = Opener(token.client_to_server, protocol_id, _FROM_CLIENT)
        self.index = -1
        self.owner: Any = None
        """What whoever uses this server keeps for the connection."""
        self.user = b""
        self.sequence = 0
        self.confirmed = False
        self.last_sent = now
        self.last_received = now
        self.challenges: set[int] = set()

    def expiry(self) -> float | None:
        """When silence ends it; None if its token says never."""
        if self.timeout > 0:
            return self.last_received + self.timeout
        return self.last_received + HALF_OPEN_SECONDS if self.index < 0 else None


@dataclass(slots=True)
class Opened:
    """A client answered its challenge and has a slot."""

    session: Session


@dataclass(slots=True)
class Payload:
    """A connected client sent these 1 to 1200 bytes."""

    session: Session
    content: bytes


@dataclass(slots=True)
class Closed:
    """A connected client is no more; its slot is free."""

    session: Session
    ending: Ending


class _UsedToken:
    __slots__ = ("address", "spent")

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.spent = False


class NetcodeServer:
    """All clients of one server. What happened waits in `events`: `Opened`, `Payload`, `Closed`, oldest first.

    `addresses` are those by which connect tokens know this server. `epoch` is the Unix time at `now` = 0, since tokens
    expire by the calendar while all else goes by `now`. With `token_lifetime`, every token must have been issued for
    that many seconds, and one that was issued before this server started, so may have been used with its predecessor,
    is ignored: set it when the private key outlives the process.
    """

    def __init__(
        self,
        protocol_id: int,
        private_key: bytes,
        addresses: Iterable[Address],
        now: float,
        *,
        epoch: float,
        max_clients: int = 64,
        token_lifetime: int | None = None,
        entropy: Entropy = os.urandom,
    ) -> None:
        self.addresses = frozenset(addresses)
        if len(private_key) != KEY_BYTES:
            raise ValueError(f"private_key: {KEY_BYTES} bytes, not {len(private_key)}")
        if not self.addresses:
            raise ValueError("addresses: at least the one that connect tokens name")
        if max_clients < 1:
            raise ValueError(f"max_clients: at least 1, not {max_clients}")
        self.protocol_id = protocol_id
        self.epoch = epoch
        self.max_clients = max_clients
        self.max_half_open = 4 * max_clients
        self.events: deque[Opened | Payload | Closed] = deque()
        self.ignored = dict.fromkeys(Ignored, 0)
        """How many datagrams got no answer, and why."""
        self._private_key = private_key
        self._earliest_expiry = 0 if token_lifetime is None else int(epoch + now) + token_lifetime
        self._challenges = Challenges(entropy)
        self._sequence = 1 << 63 | int.from_bytes(entropy(8), "little") >> 2
        self._sessions: dict[tuple[str, int], Session] = {}
        self._by_id: dict[int, Session] = {}
        self._free = list(range(max_clients))
        self._used: dict[bytes, _UsedToken] = {}
        self._used_until: list[tuple[int, bytes]] = []  # a heap: the next token to expire first
        self._outbox: list[tuple[bytes, Address]] = []
        self._closed = False
        self._checked = now
        self._due = now + SEND_INTERVAL  # the next time anything in _check_time can be due
        self._log_from = dict.fromkeys(Ignored, 0.0)

    @property
    def sessions(self) -> list[Session]:
        """The connected clients, in the order they connected."""
        return list(self._by_id.values())

    @property
    def half_open(self) -> int:
        """How many challenged clients have not answered yet."""
        return len(self._sessions) - len(self._by_id)

    def receive_datagram(self, datagram: bytes, source: tuple[str, int], now: float) -> None:
        """Take in what arrived from `source`. Whatever no correct client sends now is counted and ignored."""
        if self._closed:
            return
        if not datagram or not datagram[0]:
            reason = self._request(datagram, Address(*source), now)
            if reason is not None:
                self._ignore(reason, source, now)
            return
        session = self._sessions.get(source)
        if session is None:
            self._ignore(Ignored.UNKNOWN_PEER, source, now)
            return
        opened = session.opener.open(datagram)
        if opened is None:
            self._ignore(Ignored.FORGED, source, now)
            return
        kind, content = opened
        if kind == _PAYLOAD and session.index >= 0:
            session.last_received = now
            session.confirmed = True
            self.events.append(Payload(session, content))
        elif kind == PacketType.RESPONSE:
            reason = self._response(session, content, now)
            if reason is not None:
                self._ignore(reason, source, now)
        elif session.index < 0:
            self._ignore(Ignored.FORGED, source, now)
        elif kind == PacketType.DISCONNECT:
            self._close(session, Ending.BY_PEER)
        else:
            session.last_received = now
            session.confirmed = True

    def open_payload(self, datagram: bytes, source: tuple[str, int], now: float) -> tuple[Session, bytes] | None:
        """`receive_datagram`, except that a connected client's payload comes back at once, past `events`."""
        session = self._sessions.get(source)
        if session is None or session.index < 0 or not datagram or datagram[0] & 15 != _PAYLOAD:
            self.receive_datagram(datagram, source, now)
            return None
        opened = session.opener.open(datagram)
        if opened is None:
            self._ignore(Ignored.FORGED, source, now)
            return None
        session.last_received = now
        session.confirmed = True
        return session, opened[1]

    def _request(self, datagram: bytes, source: Address, now: float) -> Ignored | None:
        """The steps of STANDARD.md, "Processing Connection Requests", in its order."""
        if len(datagram) != REQUEST_BYTES:
            return Ignored.MALFORMED
        _, version, protocol_id, expires, nonce, sealed = REQUEST.unpack(datagram)
        if version != VERSION:
            return Ignored.OTHER_VERSION
        if protocol_id != self.protocol_id:
            return Ignored.OTHER_PROTOCOL
        if expires <= self.epoch + now:
            return Ignored.EXPIRED
        if expires <= self._earliest_expiry:
            return Ignored.EARLIER_TOKEN
        try:
            token = open_private(sealed, protocol_id, expires, nonce, self._private_key)
        except ProtocolError:
            return Ignored.BAD_TOKEN
        if self.addresses.isdisjoint(token.servers):
            return Ignored.OTHER_SERVER
        session = self._sessions.get(source)
        if (session is not None and session.index >= 0) or token.client_id in self._by_id:
            return Ignored.ALREADY_CONNECTED
        mac = sealed[-MAC_BYTES:]
        reason = self._first_use(mac, source, expires, now)
        if reason is not None:
            return reason
        if not self._free:
            self._outbox.append((self._seal_outside(Sealer(token.server_to_client, protocol_id), b""), source))
            return None
        if session is None or session.token_mac != mac:
            if session is None and self.half_open >= self.max_half_open:
                return Ignored.OVERLOADED
            session = self._sessions[source] = Session(source, token, mac, protocol_id, now)
        if len(session.challenges) >= MAX_CHALLENGES:
            return Ignored.OVERLOADED
        number, challenge = self._challenges.seal(token.client_id, token.user)
        session.challenges.add(number)
        session.last_received = now
        self._outbox.append((self._seal_outside(session.sealer, CHALLENGE_CONTENT.pack(number, challenge)), source))
        return None

    def _first_use(self, mac: bytes, source: Address, expires: int, now: float) -> Ignored | None:
        used = self._used.get(mac)
        if used is not None:
            return Ignored.USED_TOKEN if used.spent or used.address != source else None
        while self._used_until and self._used_until[0][0] <= self.epoch + now:
            del self._used[heappop(self._used_until)[1]]
        if len(self._used) >= MAX_USED_TOKENS:
            return Ignored.OVERLOADED
        self._used[mac] = _UsedToken(source)
        heappush(self._used_until, (expires, mac))
        return None

    def _response(self, session: Session, content: bytes, now: float) -> Ignored | None:
        """The steps of STANDARD.md, "Processing Connection Response Packets", in its order."""
        number, sealed = CHALLENGE_CONTENT.unpack(content)
        try:
            client_id, user = self._challenges.open(number, sealed)
        except ProtocolError:
            return Ignored.BAD_CHALLENGE
        if session.index >= 0 or client_id in self._by_id:
            return Ignored.ALREADY_CONNECTED
        if number not in session.challenges:
            return Ignored.BAD_CHALLENGE
        if not self._free:
            self._outbox.append((self._seal_outside(session.sealer, b""), session.address))
            return None
        used = self._used.get(session.token_mac)
        if used is not None:  # an expired one is forgotten: it cannot be presented again anyway
            used.spent = True
        session.index = heappop(self._free)
        session.user = user
        session.challenges.clear()
        session.last_received = now
        self._by_id[client_id] = session
        self._keep_alive(session, now)
        self.events.append(Opened(session))
        return None

    def send_payload(self, session: Session, payload: bytes, now: float) -> None:
        """Seal 1 to 1200 bytes for a client; dropped once it left. Raises `ValueError` for another length."""
        if not 0 < len(payload) <= MAX_PAYLOAD_BYTES:
            raise ValueError(f"a payload has 1 to {MAX_PAYLOAD_BYTES} bytes, not {len(payload)}")
        if session.index >= 0:
            if not session.confirmed:  # until it has seen a keep-alive, the client discards payloads
                self._keep_alive(session, now)
            sequence = session.sequence
            session.sequence = sequence + 1
            session.last_sent = now
            self._outbox.append((session.sealer.seal(_PAYLOAD, sequence, payload), session.address))

    def disconnect(self, session: Session) -> None:
        """Say farewell to a client, redundantly, and free its slot at once."""
        if session.index >= 0:
            for _ in range(DISCONNECT_PACKETS):
                self._send(session, PacketType.DISCONNECT, b"", session.last_sent)
            self._close(session, Ending.BY_US)

    def close(self) -> None:
        """Disconnect everyone, and ignore all that arrives from now on."""
        for session in self.sessions:
            self.disconnect(session)
        self._sessions.clear()
        self._closed = True

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """Do what is due at `now`, and hand over every datagram there is to send, with where it goes."""
        if now >= self._due:
            self._check_time(now)
        outbox, self._outbox = self._outbox, []
        return outbox

    def next_timer(self) -> float | None:
        """When `datagrams_to_send` has something to do even if nothing arrives; None while there is nobody."""
        return self._due if self._sessions else None

    def _check_time(self, now: float) -> None:
        self._forgive_standstill(now)
        due = now + SEND_INTERVAL
        for session in list(self._sessions.values()):
            expiry = session.expiry()
            if expiry is not None and expiry <= now:
                if session.index < 0:
                    del self._sessions[session.address]
                else:
                    self._close(session, Ending.TIMED_OUT)
                continue
            if session.index >= 0:
                if session.last_sent + SEND_INTERVAL <= now:
                    self._keep_alive(session, now)
                due = min(due, session.last_sent + SEND_INTERVAL)
            if expiry is not None:
                due = min(due, expiry)
        self._due = max(due, now + CHECK_INTERVAL)

    def _forgive_standstill(self, now: float) -> None:
        """While there are clients this is called many times a second; if not, this side did not run, and who was not
        heard meanwhile may well have spoken."""
        missed = now - self._checked
        self._checked = now
        if missed > STANDSTILL:
            for session in self._by_id.values():
                session.last_received = min(now, session.last_received + missed)

    def _close(self, session: Session, ending: Ending) -> None:
        del self._sessions[session.address]
        del self._by_id[session.client_id]
        heappush(self._free, session.index)
        session.index = -1
        self.events.append(Closed(session, ending))

    def _keep_alive(self, session: Session, now: float) -> None:
        self._send(session, PacketType.KEEP_ALIVE, KEEP_ALIVE_CONTENT.pack(session.index, self.max_clients), now)

    def _send(self, session: Session, kind: int, content: bytes, now: float) -> None:
        self._outbox.append((session.sealer.seal(kind, session.sequence, content), session.address))
        session.sequence += 1
        session.last_sent = now

    def _seal_outside(self, sealer: Sealer, content: bytes) -> bytes:
        """A challenge, or without content a denial: numbered apart from the packets of any connection."""
        kind = PacketType.CHALLENGE if content else PacketType.DENIED
        self._sequence += 1
        return sealer.seal(kind, self._sequence, content)

    def _ignore(self, reason: Ignored, source: tuple[str, int], now: float) -> None:
        self.ignored[reason] += 1
        if now >= self._log_from[reason]:
            self._log_from[reason] = now + LOG_INTERVAL
            count = self.ignored[reason]
            _log.info("ignored %s, the last from %s; %d such so far", reason.value, Address(*source), count)


__all__ = ["Closed", "Ending", "Ignored", "NetcodeServer", "Opened", "Payload", "Session"]
