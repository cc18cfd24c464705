"""Server queries as server browsers and monitors send them: A2S_INFO, A2S_PLAYER and A2S_RULES, without I/O.

Format: https://developer.valvesoftware.com/wiki/Server_queries, of 2023. A request is ``FF FF FF FF``, a letter, and
what belongs to it; all numbers are little-endian. No packet of a game connection begins like that: the first byte of
one has its type in the low four bits, and none has 15. So both share a port: see `Udp.other`.

Rules, all of which someone who forges addresses would like broken:

- No question is answered before the asker has repeated a number sent to its address; until then the reply is no longer
  than the request. The numbers follow from the address and a key, so nothing is kept for anyone.
- An address gets so many replies a second, as do all together. Counting them takes the same memory however many ask.
"""

from __future__ import annotations

import enum
import hashlib
import math
import os
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

PREFIX = b"\xff\xff\xff\xff"
"""What a request, and a reply in one datagram, begins with."""
SPLIT_PREFIX = b"\xfe\xff\xff\xff"
MAX_DATAGRAM = 1232
"""Bytes of a reply's datagram, as for those of the game: it passes every link that IPv6 passes."""
MAX_PLAYERS = 255
"""Players in a list, and the highest number of them: a count is a byte."""
MAX_RULES = 255
MAX_TEXT = 128
"""Bytes of a text in a reply."""
CHALLENGE_LIFETIME = 30.0
"""Seconds that a challenge is good for, at least; at most twice that."""

_INFO_REQUEST = b"TSource Engine Query\0"
_NO_CHALLENGE = b"\xff\xff\xff\xff"
_PROTOCOL_VERSION = 17
_HAS_PORT, _HAS_KEYWORDS = 0x80, 0x20
_SPLIT = struct.Struct("<4sIBBH")
_SYSTEM = {"win32": b"w", "darwin": b"m"}.get(sys.platform, b"l")


@dataclass(frozen=True, slots=True)
class PlayerStatus:
    """A player, for those who ask from outside."""

    name: str
    score: int = 0
    seconds: float = 0.0
    """Since they joined."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a server tells of itself."""

    name: str
    game: str
    """For people: the game's title."""
    folder: str
    """For programs: the game's name."""
    map: str = ""
    version: str = ""
    players: tuple[PlayerStatus, ...] = ()
    """People, not bots."""
    max_players: int = 0
    bots: int = 0
    password: bool = False
    port: int = 0
    """Where the game is; 0 if it is where the query is."""
    keywords: tuple[str, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict[str, str])


class Outcome(enum.Enum):
    """What became of a request. The value is the sentence for people."""

    ANSWERED = "the answer was sent"
    CHALLENGED = "the asker must repeat a number first"
    MALFORMED = "it is no request"
    LIMITED = "there were too many, from one address or from all"


class Query:
    """Answers queries about one server.

    `status` is asked for each answer. `per_address` and `overall` are replies a second, of which twice as many may come
    at once.
    """

    def __init__(
        self,
        status: Callable[[], Status],
        *,
        per_address: float = 5.0,
        overall: float = 200.0,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.counts = dict.fromkeys(Outcome, 0)
        """How many requests there were, by what became of them."""
        self._status = status
        self._key = entropy(32)
        self._addresses = _Rates(per_address, 2 * per_address, 4096)
        self._all = _Rates(overall, 2 * overall, 1)
        self._last_id = int.from_bytes(entropy(2), "little")

    def answer(self, datagram: bytes, source: tuple[str, int], now: float) -> list[bytes]:
        """The datagrams to send back; mostly one, or none. `now` is in seconds of any steady clock."""
        outcome, datagrams = self._answer(datagram, source, now)
        self.counts[outcome] += 1
        return datagrams

    def _answer(self, datagram: bytes, source: tuple[str, int], now: float) -> tuple[Outcome, list[bytes]]:
        kind = datagram[4:5]
        head = len(PREFIX) + (len(_INFO_REQUEST) if kind == b"T" else 1)
        given = datagram[head:]
        well_formed = (
            datagram[:4] == PREFIX
            and kind in (b"T", b"U", b"V")
            and (kind != b"T" or datagram[4:head] == _INFO_REQUEST)
            and (len(given) == 4 or (not given and kind == b"T"))
        )
        if not well_formed:
            return Outcome.MALFORMED, []
        if not (self._addresses.take(_network(source[0]), now) and self._all.take("", now)):
            return Outcome.LIMITED, []
        epoch = int(now // CHALLENGE_LIFETIME)
        if given not in (self._challenge(source, epoch), self._challenge(source, epoch - 1)):
            return Outcome.CHALLENGED, [PREFIX + b"A" + self._challenge(source, epoch)]
        status = self._status()
        if kind == b"T":
            reply = info_reply(status)
        elif kind == b"U":
            reply = players_reply(status.players)
        else:
            reply = rules_reply(status.rules)
        return Outcome.ANSWERED, self._datagrams(reply)

    def _challenge(self, source: tuple[str, int], epoch: int) -> bytes:
        digest = hashlib.blake2b(f"{source[0]} {source[1]} {epoch}".encode(), digest_size=4, key=self._key).digest()
        # these two stand for a challenge that one does not have
        return b"tick" if digest in (_NO_CHALLENGE, bytes(4)) else digest

    def _datagrams(self, reply: bytes) -> list[bytes]:
        """A reply as it is sent: whole, or in parts with the header of the Source engine."""
        reply = PREFIX + reply
        if len(reply) <= MAX_DATAGRAM:
            return [reply]
        self._last_id = (self._last_id + 1) & 0x7FFF  # higher bits would mean compression, to one reader or another
        room = MAX_DATAGRAM - _SPLIT.size
        parts = [reply[at : at + room] for at in range(0, len(reply), room)]
        return [
            _SPLIT.pack(SPLIT_PREFIX, self._last_id, len(parts), number, MAX_DATAGRAM) + part
            for number, part in enumerate(parts)
        ]


def info_reply(status: Status) -> bytes:
    """The answer to A2S_INFO, without prefix."""
    reply = bytes([ord("I"), _PROTOCOL_VERSION])
    reply += _text(status.name) + _text(status.map) + _text(status.folder) + _text(status.game)
    counts = (_byte(len(status.players) + status.bots), _byte(status.max_players), _byte(status.bots))
    reply += struct.pack("<HBBB", 0, *counts)  # the first is the number of an application on Steam
    reply += b"d" + _SYSTEM + bytes([status.password, 0]) + _text(status.version)
    has = _HAS_PORT * bool(status.port) | _HAS_KEYWORDS * bool(status.keywords)
    reply += bytes([has])
    if status.port:
        reply += struct.pack("<H", status.port)
    if status.keywords:
        reply += _text(",".join(status.keywords))
    return reply


def players_reply(players: Iterable[PlayerStatus]) -> bytes:
    """The answer to A2S_PLAYER, without prefix."""
    listed = [
        b"\0" + _text(player.name) + struct.pack("<if", _int32(player.score), _float(player.seconds))
        for player, _ in zip(players, range(MAX_PLAYERS), strict=False)
    ]
    return bytes([ord("D"), len(listed)]) + b"".join(listed)


def rules_reply(rules: Mapping[str, str]) -> bytes:
    """The answer to A2S_RULES, without prefix."""
    listed = [_text(name) + _text(value) for (name, value), _ in zip(rules.items(), range(MAX_RULES), strict=False)]
    return struct.pack("<BH", ord("E"), len(listed)) + b"".join(listed)


def _text(text: str) -> bytes:
    encoded = text.replace("\0", " ").encode(errors="replace")[:MAX_TEXT]
    return encoded.decode(errors="ignore").encode() + b"\0"


def _byte(number: int) -> int:
    return max(0, min(number, 255))


def _int32(number: int) -> int:
    return max(-(1 << 31), min(number, (1 << 31) - 1))


def _float(number: float) -> float:
    return number if math.isfinite(number) and 0 <= number < 1e9 else 0.0


def _network(host: str) -> str:
    """What one asker has of addresses: of IPv4 one, of IPv6 the 64 low bits."""
    if ":" not in host:
        return host
    head = host.partition("%")[0].partition("::")
    return ":".join(head[0].split(":")[:4])


class _Rates:
    """Token buckets, each shared by the names whose hashes, which differ from run to run, bring them to it."""

    def __init__(self, rate: float, burst: float, buckets: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = [burst] * buckets
        self._times = [0.0] * buckets

    def take(self, name: str, now: float) -> bool:
        """Whether there is one more for `name`."""
        at = hash(name) % len(self._tokens)
        tokens = min(self._burst, self._tokens[at] + (now - self._times[at]) * self._rate)
        self._times[at] = now
        self._tokens[at] = tokens
        if tokens < 1:
            return False
        self._tokens[at] = tokens - 1
        return True
