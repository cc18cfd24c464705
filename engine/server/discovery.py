"""Servers in the local network: announced and found by DNS-SD over multicast DNS (RFC 6762, RFC 6763).

    announcer = await Announcer.open(Listing("Ana's arena", "ricochet", 7777, fingerprint, protocol.id))
    announcer.update(replace(listing, players=3))
    await announcer.close()

    browser = await Browser.open(scene.receive)       # gets ServerNearby and ServerGone
    browser.servers[key].invite

All of it runs on the loop it is opened on. What others announce is theirs to say: it is checked for its form, and that
a server is the one it says is for its key to show when a client connects.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from engine.errors import TickwireError
from engine.net.connection.invite import FINGERPRINT_BYTES, Invite

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

SERVICE = "_tickwire._udp.local."
VERSION = "1"
"""Of the properties below; a server with another is left out."""
MAX_SERVERS = 200
"""Servers that a browser keeps. Nobody in the same network can make it keep more."""
MAX_NAME_BYTES = 60
UPDATE_INTERVAL = 2.0
"""Seconds between announcements of changes, so that players coming and going do not fill the network."""
RESOLVE_TIMEOUT = 3.0
CLOSE_TIMEOUT = 3.0
"""Seconds, each."""

_log = logging.getLogger("tickwire.server")


class DiscoveryError(TickwireError):
    """The local network cannot be asked or told; the message says why. A server can do without."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A server, as it is listed."""

    name: str
    game: str
    """Its name for programs."""
    port: int
    fingerprint: bytes
    """As in an `Invite`."""
    protocol: int
    """The protocol id; a client with another cannot join."""
    version: str = ""
    players: int = 0
    max_players: int = 0
    password: bool = False
    hosts: tuple[str, ...] = ()
    """Its IP addresses, the best first. To be announced: that of the invite, if others can reach it; with none, all of
    this machine are, those of containers' networks too."""

    @property
    def invite(self) -> Invite:
        """What to join it with. Raises `InviteError` if there is no host."""
        return Invite(self.hosts[0] if self.hosts else "", self.port, self.fingerprint)

    @property
    def key(self) -> str:
        """What tells it from others: its port, and the start of its fingerprint."""
        return f"{self.fingerprint[:4].hex()}-{self.port}"


@dataclass(slots=True)
class ServerNearby:
    """A server was found, or what it says of itself changed."""

    key: str
    server: Listing


@dataclass(slots=True)
class ServerGone:
    """A server that was nearby is no more."""

    key: str


def properties(listing: Listing) -> dict[str, str]:
    """What is announced besides address and port, as the pairs of a TXT record; each has at most 255 bytes."""
    return {
        "v": VERSION,
        "name": _cut(listing.name),
        "game": _cut(listing.game),
        "version": _cut(listing.version),
        "protocol": f"{listing.protocol:016x}",
        "key": base64.urlsafe_b64encode(listing.fingerprint).rstrip(b"=").decode(),
        "players": str(listing.players),
        "max": str(listing.max_players),
        "password": str(int(listing.password)),
    }


def listing(said: Mapping[bytes, bytes | None], hosts: Iterable[str], port: int) -> Listing:
    """Read what `properties` wrote. Raises `ValueError` if it is not of that form, whatever it is."""
    texts = {name.decode(): (value or b"").decode() for name, value in said.items()}
    if texts.get("v") != VERSION:
        raise ValueError(f"version {texts.get('v')!r}, not {VERSION!r}")
    key = texts.get("key", "")
    fingerprint = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise ValueError(f"a key of {len(fingerprint)} bytes")
    if not 0 < port < 1 << 16:
        raise ValueError(f"port {port}")
    return Listing(
        _cut(texts.get("name", "")),
        _cut(texts.get("game", "")),
        port,
        fingerprint,
        int(texts.get("protocol", ""), 16) & (1 << 64) - 1,
        _cut(texts.get("version", "")),
        _count(texts.get("players", "0")),
        _count(texts.get("max", "0")),
        texts.get("password") == "1",
        tuple(sorted(hosts, key=_distance)),
    )


def _cut(text: str) -> str:
    """A text of one line, not too long."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown.encode(errors="replace")[:MAX_NAME_BYTES].decode(errors="ignore")


def _count(text: str) -> int:
    return min(int(text), 1_000_000) if len(text) < 10 and text.isascii() and text.isdigit() else 0


def _distance(host: str) -> int:
    """How likely an address is of no use to others."""
    ip = ipaddress.ip_address(host)
    return ip.is_loopback * 4 + ip.is_link_local * 2 + (ip.version == 6)


def _open(interfaces: Sequence[str] | None) -> AsyncZeroconf:
    try:
        from zeroconf import InterfaceChoice
        from zeroconf.asyncio import AsyncZeroconf
    except ImportError:
        raise DiscoveryError("finding servers nearby needs zeroconf: pip install 'tickwire[server]'") from None
    try:
        return AsyncZeroconf(interfaces=InterfaceChoice.All if interfaces is None else list(interfaces))
    except (OSError, RuntimeError) as error:
        raise DiscoveryError(f"the local network cannot be reached by multicast DNS: {error}") from error


class Announcer:
    """Tells the local network of one server. Made by `open`."""

    def __init__(self, zeroconf: AsyncZeroconf, listing: Listing) -> None:
        self._zeroconf = zeroconf
        self._listing = listing
        self._instance = _instance(listing)
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, listing: Listing, *, interfaces: Sequence[str] | None = None, interval: float = UPDATE_INTERVAL
    ) -> Announcer:
        """Begin to announce, on the interfaces with these addresses or on all; it takes a second to be heard of.

        Raises `DiscoveryError` if that is not possible here.
        """
        zeroconf = _open(interfaces)
        announcer = cls(zeroconf, listing)
        announcer._task = asyncio.get_running_loop().create_task(announcer._run(interfaces, interval))
        return announcer

    def update(self, listing: Listing) -> None:
        """Announce this from now on. Name, port and fingerprint are those of before; the rest may differ."""
        if listing != self._listing:
            self._listing = listing
            self._changed.set()

    async def _run(self, interfaces: Sequence[str] | None, interval: float) -> None:
        zeroconf: Any = self._zeroconf  # the types of what it returns say less than they know
        try:
            await (await zeroconf.async_register_service(self._service(interfaces)))
            while True:
                await self._changed.wait()
                self._changed.clear()
                await (await zeroconf.async_update_service(self._service(interfaces)))
                await asyncio.sleep(interval)
        except Exception as error:  # a server is worth more than being listed
            _log.warning("the server is no longer announced in the local network: %s", error or type(error).__name__)

    def _service(self, interfaces: Sequence[str] | None) -> AsyncServiceInfo:
        from zeroconf.asyncio import AsyncServiceInfo

        hosts = self._listing.hosts or interfaces or _own_addresses()
        return AsyncServiceInfo(
            SERVICE,
            f"{self._instance}.{SERVICE}",
            self._listing.port,
            properties=properties(self._listing),
            server=f"tickwire-{self._listing.key}.local.",
            parsed_addresses=[*hosts],
        )

    async def close(self) -> None:
        """Say that the server is gone, and stop."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await _close(self._zeroconf)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()


def _own_addresses() -> list[str]:
    """Those of this machine, of IPv4; loopback only if there is nothing else."""
    import ifaddr

    every = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    return [host for host in every if not ipaddress.ip_address(host).is_loopback] or every


def _instance(listing: Listing) -> str:
    """The name of an instance: for people, and unlike any other. It is one label of a domain name, of 63 bytes."""
    room = 63 - len(listing.key) - 3
    shown = _cut(listing.name).replace(".", " ").replace("\\", " ").encode()[:room].decode(errors="ignore").strip()
    return f"{shown} ({listing.key})" if shown else listing.key


async def _close(zeroconf: AsyncZeroconf) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await zeroconf.async_close()  # with farewells
    except (TimeoutError, OSError) as error:
        _log.warning("leaving the local network: %s", error or "no end in sight")


class Browser:
    """The servers that are announced in the local network. Made by `open`."""

    def __init__(self, zeroconf: AsyncZeroconf, sink: Callable[[object], object]) -> None:
        self.servers: dict[str, Listing] = {}
        """What there is now, by the key in the events. Not to be changed."""
        self._zeroconf = zeroconf
        self._sink = sink
        self._browser: AsyncServiceBrowser | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}  # of those that are asked, by key

    @classmethod
    async def open(cls, sink: Callable[[object], object], *, interfaces: Sequence[str] | None = None) -> Browser:
        """Begin to look, on the interfaces with these addresses or on all.

        `sink` gets `ServerNearby` and `ServerGone`. Raises `DiscoveryError` if looking is not possible here.
        """
        zeroconf = _open(interfaces)
        from zeroconf.asyncio import AsyncServiceBrowser

        browser = cls(zeroconf, sink)
        browser._browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[browser._noticed])
        return browser

    def _noticed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        """Called on the loop, with these names."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        if state_change.name == "Removed":
            self._gone(name)
        elif name in self.servers or len(self.servers) + len(self._tasks) < MAX_SERVERS:
            self._tasks[name] = asyncio.get_running_loop().create_task(self._resolve(name))

    async def _resolve(self, name: str) -> None:
        """Ask a service for its particulars."""
        from zeroconf import IPVersion
        from zeroconf.asyncio import AsyncServiceInfo

        try:
            service = AsyncServiceInfo(SERVICE, name)
            if not service.load_from_cache(self._zeroconf.zeroconf):
                await service.async_request(self._zeroconf.zeroconf, RESOLVE_TIMEOUT * 1000)
            hosts = service.parsed_scoped_addresses(IPVersion.All)
            found = listing(service.properties, hosts, service.port or 0)
        except (ValueError, OSError) as error:
            _log.debug("%s in the local network is no server: %s", name, error)
            self._gone(name)
            return
        finally:
            if self._tasks.get(name) is asyncio.current_task():
                del self._tasks[name]
        if found.hosts and self.servers.get(name) != found:
            self.servers[name] = found
            self._sink(ServerNearby(name, found))

    def _gone(self, name: str) -> None:
        if self.servers.pop(name, None) is not None:
            self._sink(ServerGone(name))

    async def close(self) -> None:
        """Stop looking."""
        browser, self._browser = self._browser, None
        if browser is None:
            return
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        await browser.async_cancel()
        await _close(self._zeroconf)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()
