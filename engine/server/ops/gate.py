"""What stands between a socket and the pages: how many connections there may be, and how long they may take.

aiohttp waits for ever for a request to be complete. Here every connection has until its deadline to have said all of
its next request, and there are only so many: if there is one too many, the oldest that has said nothing yet must go.
So whoever dawdles, a byte a second over hundreds of connections, keeps nobody out, and costs the ticks on the same loop
next to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

MOST_CONNECTIONS = 64
FIRST_REQUEST = 5.0
"""Seconds from the connection to its first whole request."""
NEXT_REQUEST = 20.0
"""Seconds from one whole request, with what it takes to answer it, to the next."""
SWEEP = 1.0
BACKLOG = 16
"""Connections that the system holds for us: so many at most are accepted in one turn of the loop."""


class Gate:
    """Makes the protocols of one listening socket. `inner` makes aiohttp's."""

    def __init__(
        self,
        inner: Callable[[], asyncio.Protocol],
        *,
        most: int = MOST_CONNECTIONS,
        first: float = FIRST_REQUEST,
        following: float = NEXT_REQUEST,
    ) -> None:
        self.most = most
        self.first = first
        self.following = following
        self.refused = 0
        """Connections that were closed for being too slow or too many."""
        self.visits: dict[Any, Visit] = {}
        """Open connections by aiohttp's protocol, oldest first."""
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._sweeping: asyncio.TimerHandle | None = None

    def __call__(self) -> Visit:
        """The protocol of a new connection."""
        return Visit(self, self._inner())

    def entered(self, visit: Visit) -> None:
        """A connection is there."""
        while len(self.visits) >= self.most:
            oldest = next((each for each in self.visits.values() if not each.served), None)
            self.turn_out(oldest or visit)
            if oldest is None:
                return
        visit.deadline = self._loop.time() + self.first
        self.visits[visit.inner] = visit
        if self._sweeping is None:
            self._sweep()

    def asked(self, protocol: Any) -> None:
        """A whole request has come, over this protocol of aiohttp's."""
        visit = self.visits.get(protocol)
        if visit is not None:
            visit.served = True
            visit.deadline = self._loop.time() + self.following

    def stays(self, protocol: Any) -> None:
        """A connection has become a WebSocket, which sees to itself."""
        visit = self.visits.get(protocol)
        if visit is not None:
            visit.deadline = float("inf")

    def turn_out(self, visit: Visit) -> None:
        """End a connection without a word."""
        self.refused += 1
        self.visits.pop(visit.inner, None)
        visit.abort()

    def _sweep(self) -> None:
        now = self._loop.time()
        for visit in [each for each in self.visits.values() if each.deadline <= now]:
            self.turn_out(visit)
        pause = min(SWEEP, self.first / 2, self.following / 2)
        self._sweeping = self._loop.call_later(pause, self._sweep) if self.visits else None

    def close(self) -> None:
        """Sweep no more."""
        if self._sweeping is not None:
            self._sweeping.cancel()


class Visit(asyncio.Protocol):
    """One connection: hands everything on to aiohttp's protocol."""

    def __init__(self, gate: Gate, inner: asyncio.Protocol) -> None:
        self.inner = inner
        self.deadline = float("inf")
        self.served = False
        """Whether it ever had a whole request."""
        self._gate = gate
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.inner.connection_made(transport)
        self._gate.entered(self)

    def data_received(self, data: bytes) -> None:
        self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self.inner.eof_received()

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.visits.pop(self.inner, None)
        self.inner.connection_lost(exc)

    def abort(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()
