"""A client or a server on UDP sockets, driven by asyncio.

    udp = Udp(server, scene.receive, local=[Address("0.0.0.0", 7777)])
    udp.open()
    ...
    udp.flush()     # at the end of every tick: what the tick sent goes out now
    udp.close()

Where the loop can watch a socket (`add_reader`: Linux, macOS, uvloop, and the selector loop on Windows), each wake
drains it, many datagrams at a time. Where it cannot (the Windows default), a task reads one after the other; asyncio's
datagram transport there stops reading for good when a datagram of ours finds nobody.

A server is opened on the addresses it listens at, one per family. A client has none: it opens a socket for the family
of each server it tries.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from engine.net.connection.address import Address
from engine.net.connection.events import Event
from engine.net.transport.capture import Capture
from engine.net.transport.conditioner import PERFECT, Conditions, Link

BUFFER_BYTES = 1 << 20
"""Asked of the system for each direction of a socket: a wake may come late under load."""
DRAIN = 256
"""Datagrams taken in one wake, before anything else on the loop gets its turn."""
MAX_DATAGRAM_BYTES = 2048 if os.name != "nt" else 1 << 16
"""Longer datagrams are cut short, and then refused; on Windows they would be an error instead."""
MAX_READ_ERRORS = 100
"""Errors in a row that a socket is allowed; one by one they come and go with a network."""
FLUSH_INTERVAL = 0.005
"""Seconds between flushes that arriving datagrams cause, so that many of them share one."""
LOOK_INTERVAL = 0.01
"""Seconds between looks at a socket that is too busy to be woken for each datagram; a flush is one, too."""
MANY = DRAIN // 2
"""So many at a time are worth being woken for, and might not fit the system's buffer until the next look."""

_log = logging.getLogger(__name__)


class Endpoint(Protocol):
    """What is driven: a `Client` or a `Server`."""

    def receive_datagram(self, datagram: bytes, source: tuple[str, int], now: float) -> None: ...
    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]: ...
    def next_event(self) -> Event | None: ...
    def next_timer(self) -> float | None: ...


@dataclass(slots=True)
class SocketOpened:
    """A socket is open, at this local address."""

    address: str


@dataclass(slots=True)
class SocketClosed:
    """A socket was closed; `problem` says why, where it was not on purpose."""

    address: str
    problem: str = ""


Sink = Callable[[Any], object]
"""Takes every event, in order: `Event`, `SocketOpened` and `SocketClosed`."""

OTHER_PREFIX = b"\xff\xff\xff\xff"
"""How datagrams of other protocols than ours begin, such as server queries; no packet of a connection does."""
Other = Callable[[bytes, tuple[str, int], float], Iterable[bytes]]
"""Takes such a datagram, its source and the time, and gives the datagrams to answer with."""


class Udp:
    """The sockets of one endpoint. `now` for the endpoint is the time of the running loop.

    With `conditions`, every datagram passes a bad network on its way in and out: for trying a game on a machine of its
    own as if it were far away. `seed` decides what happens to which. To a `capture`, every datagram is written as it
    leaves or reaches the socket. Datagrams that begin with `OTHER_PREFIX` are for `other`, if there is one, and what it
    returns goes back at once.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        sink: Sink,
        *,
        local: Iterable[Address] = (),
        conditions: Conditions | None = None,
        seed: int | str = 0,
        capture: Capture | None = None,
        other: Other | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.unsent = 0
        """Datagrams the system did not take: its buffer was full, or there was no way to send them."""
        self.bytes_in = 0
        """Of datagrams, without what IP and UDP add."""
        self.bytes_out = 0
        self._sink = sink
        self._local = tuple(local)
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[int, socket.socket] = {}  # by family
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by family, where the loop cannot watch sockets
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._due = math.inf  # of the next flush: no earlier than the timer
        self._last_flush = 0.0
        self._last_wake = 0.0
        self._resting: list[socket.socket] = []  # not watched, but looked at with every flush
        self._unavailable: set[int] = set()
        self._seed = seed
        self._in = Link(conditions, f"{seed} in") if conditions else None
        self._out = Link(conditions, f"{seed} out") if conditions else None
        self._capture = capture
        self._other = other
        self._errors = 0
        self._closed = False

    def condition(self, conditions: Conditions | None) -> None:
        """From now on, pass a bad network on the way in and out; None for none.

        What is under way keeps its time.
        """
        for name in ("_in", "_out"):
            link: Link | None = getattr(self, name)
            if link is not None:
                link.conditions = conditions or PERFECT
            elif conditions is not None:
                setattr(self, name, Link(conditions, f"{self._seed} {name}"))

    @property
    def addresses(self) -> list[Address]:
        """Where the open sockets are bound, the port chosen by the system included."""
        return [_address(opened.getsockname()) for opened in self._sockets.values()]

    def open(self) -> None:
        """Bind the local addresses, and begin. Raises `OSError` naming the address that cannot be had."""
        try:
            for address in self._local:
                self._open(_family(address), address)
        except OSError:
            self.close()
            raise
        self.flush()

    def _open(self, family: int, address: Address) -> None:
        opened: socket.socket | None = None
        try:
            opened = socket.socket(family, socket.SOCK_DGRAM)
            opened.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                with contextlib.suppress(OSError):  # a wish: the system has limits of its own
                    opened.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
            opened.bind((address.host, address.port))
        except OSError as error:
            if opened is not None:
                opened.close()
            raise OSError(error.errno, f"cannot open UDP {address}: {error.strerror or error}") from error
        self._sockets[family] = opened
        try:
            self._loop.add_reader(opened.fileno(), self._readable, opened)
        except NotImplementedError:
            self._tasks[family] = self._loop.create_task(self._read(opened))
        self._sink(SocketOpened(str(_address(opened.getsockname()))))

    # In

    def _readable(self, opened: socket.socket) -> None:
        """The loop saw that something arrived.

        Where that happens often, a look at every flush is enough, since nobody hears of a datagram before; being woken
        for each would cost more than taking it in.
        """
        now = self._loop.time()
        taken = self._drain(opened, now)
        if 0 < taken < MANY and now - self._last_wake < FLUSH_INTERVAL and opened.fileno() >= 0:
            self._loop.remove_reader(opened.fileno())
            self._resting.append(opened)
        self._last_wake = now
        if not self._closed:
            self._arrived(now)

    def _arrived(self, now: float) -> None:
        """Datagrams arrived. What a client has to say to them can mostly wait for its own next flush."""
        if not self._local:
            self._hand_over()
            if self._closed:
                return
            due = self._next_timer(now)
            if now + FLUSH_INTERVAL < due < math.inf:
                if due < self._due:
                    self._set_timer(due)
                return
        self._flush_soon(now)

    def _look(self, now: float) -> None:
        """Take in what arrived at sockets that are not watched; those with nothing, or too much, are watched again."""
        for opened in self._resting[:]:
            taken = self._drain(opened, now)
            soon = now - self._last_wake < FLUSH_INTERVAL  # too soon after the last look for none to mean much
            if taken >= MANY or (not taken and not soon) or opened.fileno() < 0:
                self._resting.remove(opened)
                if opened.fileno() >= 0:
                    self._loop.add_reader(opened.fileno(), self._readable, opened)
        self._last_wake = now

    def _drain(self, opened: socket.socket, now: float) -> int:
        """Take in up to `DRAIN` datagrams; how many there were."""
        receive = self.endpoint.receive_datagram if self._other is None else self._receive
        link, capture = self._in, self._capture
        plain = link is None and capture is None and opened is self._sockets.get(socket.AF_INET)
        for taken in range(DRAIN):
            try:
                datagram, source = _receive(opened, MAX_DATAGRAM_BYTES)
            except (BlockingIOError, InterruptedError):
                return taken
            except OSError as error:
                if self._failed(opened, error):
                    return 0
                continue
            self._errors = 0
            self.bytes_in += len(datagram)
            if plain:
                receive(datagram, source, now)
                continue
            source = _address(source)
            if capture is not None:
                capture.write(datagram, source, _address(opened.getsockname()))
            if link is None:
                receive(datagram, source, now)
            else:
                link.send(datagram, source, now)
        return DRAIN

    async def _read(self, opened: socket.socket) -> None:
        """What `_drain` does, where the loop cannot call it."""
        while True:
            try:
                datagram, source = await self._loop.sock_recvfrom(opened, MAX_DATAGRAM_BYTES)
            except OSError as error:
                if self._failed(opened, error):
                    return
                continue
            self._errors = 0
            self.bytes_in += len(datagram)
            now = self._loop.time()
            if self._capture is not None:
                self._capture.write(datagram, _address(source), _address(opened.getsockname()))
            if self._in is None:
                self._receive(datagram, _address(source), now)
            else:
                self._in.send(datagram, _address(source), now)
            self._arrived(now)

    def _receive(self, datagram: bytes, source: tuple[str, int], now: float) -> None:
        """Let the endpoint have a datagram, or `other` if it is for that."""
        if self._other is None or datagram[:4] != OTHER_PREFIX:
            self.endpoint.receive_datagram(datagram, source, now)
            return
        try:
            answers = self._other(datagram, source, now)
        except Exception:
            _log.exception("no answer to a datagram of another protocol")
            return
        for answer in answers:
            if self._out is None:
                self._send(answer, Address(*source))
            else:
                self._out.send(answer, Address(*source), now)

    def _failed(self, opened: socket.socket, error: OSError) -> bool:
        """Whether an error in reading was one too many: then the socket is closed.

        A `ConnectionError` never is: an earlier datagram of ours found nobody, and the socket is as good as before.
        """
        if opened.fileno() < 0:  # closed meanwhile, on purpose
            return True
        self._errors += not isinstance(error, ConnectionError)
        if self._errors < MAX_READ_ERRORS:
            return False
        address = str(_address(opened.getsockname()))
        if opened.family not in self._tasks:
            self._loop.remove_reader(opened.fileno())
        opened.close()
        self._sockets = {family: other for family, other in self._sockets.items() if other is not opened}
        _log.warning("UDP %s failed: %s", address, error)
        self._sink(SocketClosed(address, str(error)))
        return True

    # Out

    def flush(self) -> None:
        """Send what there is to send, and hand over what happened. To be called whenever messages were queued."""
        if self._closed:
            return
        now = self._last_flush = self._loop.time()
        if self._resting:
            self._look(now)
        if self._in is not None:
            for datagram, source in self._in.arrivals(now):
                self._receive(datagram, source, now)
        datagrams = self.endpoint.datagrams_to_send(now)
        if self._out is None and self._capture is None and len(self._sockets) == 1:
            self._send_all(datagrams)
        else:
            for datagram, to in datagrams:
                if self._out is None:
                    self._send(datagram, to)
                else:
                    self._out.send(datagram, to, now)
        if self._out is not None:
            for datagram, to in self._out.arrivals(now):
                self._send(datagram, to)
        self._hand_over()
        if not self._closed:  # the sink may have
            self._set_timer(self._next_timer(now))

    def _hand_over(self) -> None:
        next_event, sink = self.endpoint.next_event, self._sink
        while (event := next_event()) is not None:
            sink(event)

    def _send_all(self, datagrams: list[tuple[bytes, Address]]) -> None:
        """`_send` for the usual case, of one socket with nothing in front of it."""
        ((family, opened),) = self._sockets.items()
        ipv6 = family is socket.AF_INET6
        send = opened.sendto
        for datagram, to in datagrams:
            if (":" in to[0]) is not ipv6:
                self._send(datagram, to)
                continue
            try:
                self.bytes_out += send(datagram, to)
            except OSError:
                self.unsent += 1

    def _send(self, datagram: bytes, to: Address) -> None:
        family = _family(to)
        opened = self._sockets.get(family)
        if opened is None:
            if not self._local:
                self._open_for_client(family)
            opened = self._sockets.get(family)
        try:
            if opened is not None:
                if self._capture is not None:
                    self._capture.write(datagram, _address(opened.getsockname()), to)
                self.bytes_out += opened.sendto(datagram, to)
                return
        except OSError:
            pass  # a full buffer, or no way there: the endpoint repeats what matters
        self.unsent += 1

    def _open_for_client(self, family: int) -> None:
        anywhere = Address("::" if family == socket.AF_INET6 else "0.0.0.0", 0)
        try:
            self._open(family, anywhere)
        except OSError as error:  # this machine may have no IPv6; the token's next server is tried in its time
            if family not in self._unavailable:
                self._unavailable.add(family)
                _log.warning("%s", error)
                self._sink(SocketClosed(str(anywhere), str(error)))

    def _flush_soon(self, now: float) -> None:
        """After datagrams arrived: a flush, at most one every `FLUSH_INTERVAL`."""
        due = self._last_flush + FLUSH_INTERVAL
        if due <= now:
            self.flush()
        elif self._due > due:
            self._set_timer(due)

    def _next_timer(self, now: float) -> float:
        """When a flush has something to do, even if nothing happens; infinite for never."""
        due = self.endpoint.next_timer()
        if due is None:
            due = math.inf
        if self._resting:
            due = min(due, now + LOOK_INTERVAL)
        for link in (self._in, self._out):
            if link is not None and (arrival := link.next_timer()) is not None:
                due = min(due, arrival)
        return max(due, now + FLUSH_INTERVAL / 5)

    def _set_timer(self, due: float) -> None:
        """Flush at `due`. Most timers are put off before they are due, so the loop's is only moved to be earlier."""
        self._due = due
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
            self._timer = None
        if due < math.inf:
            self._timer_at = due
            self._timer = self._loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._due <= self._timer_at:
            self.flush()
        else:  # put off meanwhile
            self._set_timer(self._due)

    def close(self) -> None:
        """Send what is left to say, such as farewells, and close every socket."""
        if self._closed:
            return
        self.flush()
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        addresses = self.addresses
        for family, opened in self._sockets.items():
            task = self._tasks.get(family)
            if task is not None:
                task.cancel()
            else:
                self._loop.remove_reader(opened.fileno())
            opened.close()
        self._resting.clear()
        self._sockets.clear()
        for address in addresses:
            self._sink(SocketClosed(str(address)))


_receive: Callable[[socket.socket, int], tuple[bytes, Address]] = socket.socket.recvfrom
"""A datagram and its source, which for IPv4 equals an `Address`, and for IPv6 has two more fields."""


def _family(address: Address) -> int:
    return socket.AF_INET6 if ":" in address.host else socket.AF_INET


def _address(name: tuple[Any, ...]) -> Address:
    """The address in a socket name; a link-local one keeps its scope, without which there is no way back."""
    host, port = str(name[0]), int(name[1])
    scope = int(name[3]) if len(name) > 3 else 0
    return Address(f"{host}%{scope}" if scope and "%" not in host else host, port)
