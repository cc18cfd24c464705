"""How a server is found: it is announced in the local network, and answers server browsers and monitors.

Both only while it is ready: a server that drains is unlisted first of all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine import __version__
from engine.net.connection.address import Address
from engine.net.connection.events import Event
from engine.net.multiplayer import multiplayer_of
from engine.net.transport.udp import Udp
from engine.server.discovery import Announcer, DiscoveryError, Listing
from engine.server.query import PlayerStatus, Query, Status

if TYPE_CHECKING:
    from engine.server.lifecycle import Service

log = logging.getLogger("tickwire.server")

FRESH = 1.0
"""Seconds that a status is good for."""
UPDATE = 5.0
"""Seconds between looks whether what is announced has changed."""


class Listed:
    """The entries of one server. Entered before it is ready, left when it closes."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._query = Query(self.status)
        self._status: tuple[float, Status] | None = None
        self._udp: Udp | None = None
        self._announcing: asyncio.Task[None] | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many queries there were, by what became of them."""
        return {outcome.name.lower(): count for outcome, count in self._query.counts.items()}

    def answer(self, datagram: bytes, source: tuple[str, int], now: float) -> Iterable[bytes]:
        """For `Udp`: what to send back to a query."""
        if not self._service.is_ready or not self._service.config.discovery.query:
            return ()
        return self._query.answer(datagram, source, now)

    def status(self) -> Status:
        """What the server tells of itself."""
        now = time.monotonic()
        if self._status is None or now - self._status[0] > FRESH:
            self._status = now, self._look()
        return self._status[1]

    def _look(self) -> Status:
        service = self._service
        config, game = service.config, service.game
        rooms = service.rooms()
        players = [player for room in rooms if room.listed for player in room.players if player.player >= 0]
        return Status(
            name=config.server.name,
            game=game.title,
            folder=game.name,
            map=config.rooms.arena or (game.arenas[0] if game.arenas else ""),
            version=__version__,
            players=tuple(PlayerStatus(player.name, 0, player.seconds) for player in players),
            max_players=config.server.max_players,
            password=bool(config.server.password),
            port=service.invite.port,
            keywords=tuple(word for word in (config.rooms.mode, f"{len(rooms)}rooms") if word),
            rules={"rooms": str(len(rooms)), "engine": f"tickwire {__version__}", "protocol": self._protocol_id()},
        )

    def _protocol_id(self) -> str:
        return f"{multiplayer_of(self._service.game).protocol.id:016x}"

    # In the local network

    async def __aenter__(self) -> Listed:
        service = self._service
        if len(service.workers) > 1:  # then no worker has the port that people know
            self._udp = Udp(_Nobody(), lambda event: None, local=[service.bound], other=self.answer)
            try:
                self._udp.open()
            except OSError as error:
                log.warning("queries are not answered: %s", error.strerror or error)
                self._udp = None
        self._announcing = asyncio.get_running_loop().create_task(self._announce())
        return self

    async def _announce(self) -> None:
        """Be announced while the server is ready and wants to be."""
        announcer: Announcer | None = None
        service = self._service
        try:
            while True:
                wanted = service.is_ready and service.config.discovery.lan and not _is_local(service.bound.host)
                if wanted and announcer is None:
                    announcer = await Announcer.open(self._listing())
                elif wanted and announcer is not None:
                    announcer.update(self._listing())
                elif announcer is not None:
                    await announcer.close()
                    announcer = None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(UPDATE):
                        await service.stage_changed.wait()
                        service.stage_changed.clear()
        except DiscoveryError as error:
            log.warning("the server is not announced: %s", error)
        except ImportError:
            log.info("the server is not announced: that takes zeroconf; pip install 'tickwire[server]'")
        finally:
            if announcer is not None:
                await announcer.close()

    def _listing(self) -> Listing:
        service, status = self._service, self.status()
        bound = service.bound.host
        return Listing(
            name=service.config.server.name,
            game=service.game.name,
            port=service.invite.port,
            fingerprint=service.invite.fingerprint,
            protocol=multiplayer_of(service.game).protocol.id,
            version=__version__,
            players=len(status.players),
            max_players=status.max_players,
            password=status.password,
            hosts=() if bound in ("0.0.0.0", "::") else (bound,),
        )

    async def __aexit__(self, *_: Any) -> None:
        if self._announcing is not None:
            self._announcing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._announcing
        if self._udp is not None:
            self._udp.close()


def _is_local(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


class _Nobody:
    """An endpoint for a socket that only answers queries."""

    def receive_datagram(self, datagram: bytes, source: tuple[str, int], now: float) -> None:
        pass

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        return []

    def next_event(self) -> Event | None:
        return None

    def next_timer(self) -> float | None:
        return None
