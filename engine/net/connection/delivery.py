"""Messages to and from one peer, over payloads that may be lost, repeated or reordered.

A packet is an ack header (acks.py) and frames; one too long for a datagram is cut into fragments (fragments.py). One
without frames only acks, and wants no ack itself. A frame holds a message, or a part of one:

    u8:     bits 0..1  channel    bits 2, 3  first and last part, on reliable channels    bits 4..7  0
            or 32: padding, whose content is zeros; it measures the way, and is acked like a message
    u16:    the part's number, on reliable channels
    length: 7 bits a byte, lowest first, bit 7 set where another byte follows; 3 bytes at most, the shortest form only
    content

Loss is noticed by acks of later packets, or by a timeout; then reliable parts are queued again, nothing else is.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import TickwireError
from engine.net.connection.acks import (
    ACK_BITS,
    MAX_HEADER_BYTES,
    WINDOW,
    Arrivals,
    read_header,
    unwrap,
    write_header,
)
from engine.net.connection.budget import Budget
from engine.net.connection.channels import (
    FIRST,
    LAST,
    MAX_ORDERED_BYTES,
    MAX_UNORDERED_BYTES,
    Ordered,
    Outgoing,
    Unordered,
)
from engine.net.connection.estimate import ACK_DELAY, IDLE_ACK_DELAY, Estimate
from engine.net.connection.fragments import MAX_PACKET_BYTES, Assembly, fragment_sequence, split
from engine.net.connection.packet import SEAL_BYTES
from engine.net.wire.errors import EncodeError, ProtocolError
from engine.net.wire.protocol import Channel, Protocol

DATAGRAM_BYTES = 1200
"""The longest datagram sent: it passes every link that IPv6 passes, with room for tunnels."""
IP_UDP_BYTES = 48
"""What IPv6 and UDP add to a datagram; the budget counts it."""
PATIENCE = 0.1
"""Seconds an unreliable message may wait for the budget; then it is stale, and dropped."""
MAX_FRAMES = 128
"""Messages, or parts, in a packet: a peer must not make much work with few bytes."""
MAX_IN_FLIGHT = WINDOW // 2
MAX_BACK_OFF = 1.0
"""Seconds, on top of the round trip time, that repeated timeouts grow to."""
ACK_EVERY = 16
"""Packets that may arrive before an ack is sent without delay: half of what one ack reports."""
COMPANY = 0.05
"""Seconds that a message which may wait does so for a packet to travel in."""

PADDING = 32
"""The first byte of a frame that holds no message."""

_FRAME_ROOM = DATAGRAM_BYTES - SEAL_BYTES - MAX_HEADER_BYTES
_UNRELIABLE_BYTES = MAX_PACKET_BYTES - 4  # less the frame's own first bytes
_MOST = (_UNRELIABLE_BYTES, _UNRELIABLE_BYTES, MAX_ORDERED_BYTES, MAX_UNORDERED_BYTES)  # by channel
_MAX_WAITING = 512
_MAX_WAITING_BYTES = 1 << 18
_SEQUENCED = int(Channel.UNRELIABLE_SEQUENCED)  # plain, as they are compared for every frame
_ORDERED = int(Channel.RELIABLE_ORDERED)
_ALL = (1 << ACK_BITS) - 1


class BacklogError(TickwireError):
    """More reliable messages wait for a peer than it is allowed: it is too slow, or does not ack on purpose."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may cost, in bytes and bytes a second."""

    floor: float = 8_000.0
    """The rate never backs off below this."""
    start: float = 64_000.0
    ceiling: float = 256_000.0
    """The rate never grows above this."""
    backlog: int = 4 << 20
    """Reliable bytes not yet acked; over that the peer is given up."""


@dataclass(slots=True)
class Outcome:
    """What became of a tracked unreliable message: with `arrived` false, it is taken for lost."""

    ticket: int
    arrived: bool


class Encoded:
    """A message in its wire form, made once to be sent to many peers."""

    __slots__ = ("channel", "content", "frame")

    def __init__(self, channel: Channel, content: bytes, protocol: Protocol) -> None:
        """Raises `EncodeError` if its channel does not carry so many bytes."""
        if len(content) > _MOST[channel]:
            name = type(protocol.decode(content)).__name__
            raise EncodeError(f"{name} takes {len(content)} bytes; {channel.name} carries {_MOST[channel]}")
        self.channel = channel
        self.content = content
        self.frame = bytes((channel,)) + _length(len(content)) + content if channel < _ORDERED else b""
        """All of it, on an unreliable channel."""


_Sent = tuple[float, Sequence[tuple[Outgoing, int]], Sequence[int]]
"""When a packet was sent, the reliable parts in it, and the tickets of tracked messages."""
_Waiting = tuple[bytes, int, float]
"""The frame of an unreliable message, its ticket or 0, and since when it waits."""


class Delivery:
    """Both directions of the messages with one peer. `now` is in seconds, and never runs backwards."""

    def __init__(self, protocol: Protocol, now: float, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.estimate = Estimate()
        self.budget = Budget(self.limits.floor, self.limits.start, self.limits.ceiling)
        self.outcomes: deque[Outcome] = deque()
        """What became of tracked messages, oldest first."""
        self.due = math.inf
        """When `payloads_to_send` has something to do, even if nothing more arrives or is sent."""
        self.packets_sent = 0
        self.packets_received = 0
        self.packets_lost = 0
        self._protocol = protocol
        self._now = now
        self._next = 0  # the number of the next packet
        self._in_flight: dict[int, _Sent] = {}  # by number, oldest first
        self._given_up: dict[int, _Sent] = {}  # taken for lost, but may yet be acked
        self._last_ack: int = -1
        self._last_bits: int = 0
        self._newest_acked = -1
        self._timeouts = 0
        self._arrivals = Arrivals()
        self._ack_due = math.inf
        self._loss_due = math.inf
        self._owed_count = 0
        self._assembly = Assembly()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._tickets = 0
        self._ordered_out, self._unordered_out = Outgoing(), Outgoing()
        self._ordered_in, self._unordered_in = Ordered(), Unordered()
        self._sequenced: dict[type, int] = {}  # the newest packet that brought one of this type
        self._held_back = False  # whether acks may make room for what could not be sent

    # Sending

    @property
    def backlog(self) -> int:
        """Bytes of reliable messages that are not acked yet."""
        return self._ordered_out.bytes + self._unordered_out.bytes

    def send(self, message: object, *, track: bool = False) -> int:
        """Queue a message on the channel its type was declared with.

        With `track`, returns the ticket under which an `Outcome` will tell what became of it; unreliable channels only,
        since reliable messages always arrive.

        Raises `EncodeError` if the message does not fit its schema or channel, `SchemaError` if its type was not
        declared, `BacklogError` if the peer has not acked for too long to take it.
        """
        channel = self._protocol.channel(type(message))
        if track and channel >= _ORDERED:
            raise EncodeError(f"{type(message).__name__} goes over {channel.name}: it arrives, nothing is to track")
        return self.send_encoded(Encoded(channel, self._protocol.encode(message), self._protocol), track=track)

    def send_encoded(self, encoded: Encoded, *, track: bool = False, may_wait: bool = False) -> int:
        """Queue a message, as `send` does, but encoded already. Raises `BacklogError`.

        A reliable one that `may_wait` goes with the next packet, within `COMPANY` seconds.
        """
        channel = encoded.channel
        if channel >= _ORDERED:
            content = encoded.content
            if self.backlog + len(content) > self.limits.backlog:
                raise BacklogError(f"{self.backlog} bytes are not acked yet; the limit is {self.limits.backlog}")
            (self._ordered_out if channel == _ORDERED else self._unordered_out).add(content)
            self.due = min(self.due, self._now + COMPANY) if may_wait else self._now
            return 0
        ticket = 0
        if track:
            self._tickets += 1
            ticket = self._tickets
        frame = encoded.frame
        self._waiting.append((frame, ticket, self._now))
        self._waiting_bytes += len(frame)
        self.due = self._now
        while len(self._waiting) > _MAX_WAITING or self._waiting_bytes > _MAX_WAITING_BYTES:
            self._drop_oldest()
        return ticket

    def probe(self, size: int) -> int:
        """Queue padding that makes a datagram of nearly `size` bytes, if it goes alone; returns the ticket of its fate.

        Raises `ValueError` for a size of which no datagram is sent.
        """
        if not 64 <= size <= DATAGRAM_BYTES:
            raise ValueError(f"a datagram has 64 to {DATAGRAM_BYTES} bytes, not {size}")
        content = bytes(size - SEAL_BYTES - MAX_HEADER_BYTES - 3)
        self._tickets += 1
        frame = bytes((PADDING,)) + _length(len(content)) + content
        self._waiting.append((frame, self._tickets, self._now))
        self._waiting_bytes += len(frame)
        self.due = self._now
        return self._tickets

    def _drop_oldest(self) -> None:
        frame, ticket, _ = self._waiting.popleft()
        self._waiting_bytes -= len(frame)
        if ticket:
            self.outcomes.append(Outcome(ticket, False))

    def payloads_to_send(self, now: float) -> list[bytes]:
        """Do what is due at `now`, and hand over the payloads there are to send, each 1 to 1175 bytes long."""
        self._now = now
        if self._loss_due <= now:
            self._check_losses(now)
        payloads: list[bytes] = []
        waiting, budget = self._waiting, self.budget
        reliable = self._ordered_out.ready or self._unordered_out.ready
        pending = reliable or bool(waiting)
        if pending:
            budget.refill(now)
            if budget.round_until <= now:
                budget.adapt(self.estimate, now)
            if not reliable and len(waiting) == 1 and len(waiting[0][0]) <= _FRAME_ROOM and self._may_send:
                payloads.append(self._send_one(now))
                pending = False
            while pending and self._may_send:
                self._send_packet(now, payloads)
                pending = bool(waiting) or self._ordered_out.ready or self._unordered_out.ready
            self._held_back = pending or self._ordered_out.waiting or self._unordered_out.waiting
        while waiting and waiting[0][2] < now - PATIENCE:
            self._drop_oldest()
        if self._ack_due <= now:
            while self._arrivals.owed:
                payloads.append(self._header())
                self._next += 1
                self.budget.spend(len(payloads[-1]) + SEAL_BYTES + IP_UDP_BYTES)
        due = self._ack_due if self._ack_due < self._loss_due else self._loss_due
        if pending and len(self._in_flight) < MAX_IN_FLIGHT:
            due = min(due, self.budget.wait())
        self.due = due
        return payloads

    @property
    def _may_send(self) -> bool:
        return self.budget.bytes > 0 and len(self._in_flight) < MAX_IN_FLIGHT

    def _header(self) -> bytes:
        ack, bits = self._arrivals.ack()
        self._owed_count = 0
        if not self._arrivals.owed:
            self._ack_due = math.inf
        return write_header(self._next, ack, bits)

    def _send_one(self, now: float) -> bytes:
        """The usual packet, and the short way to it: one unreliable message, of which nothing is left to decide."""
        frame, ticket, _ = self._waiting.popleft()
        self._waiting_bytes = 0
        payload = self._header() + frame
        self.budget.bytes -= len(payload) + SEAL_BYTES + IP_UDP_BYTES
        self._in_flight[self._next] = (now, (), (ticket,) if ticket else ())
        if self._loss_due == math.inf:
            self._loss_due = now + self._timeout()
        self._next += 1
        self.packets_sent += 1
        return payload

    def _send_packet(self, now: float, payloads: list[bytes]) -> None:
        """One packet. Reliable parts and unreliable messages take turns at coming first, so neither starves."""
        parts: list[tuple[Outgoing, int]] = []
        tickets: list[int] = []
        frames: list[bytes] = []
        room = _FRAME_ROOM
        reliable = self._ordered_out.ready or self._unordered_out.ready
        if reliable and self.packets_sent & 1:
            room = self._fill_reliable(frames, parts, room)
        while self._waiting and len(frames) < MAX_FRAMES and (len(self._waiting[0][0]) <= room or not frames):
            frame, ticket, _ = self._waiting.popleft()
            self._waiting_bytes -= len(frame)
            frames.append(frame)
            room -= len(frame)
            if ticket:
                tickets.append(ticket)
        if reliable:
            self._fill_reliable(frames, parts, room)
        header = self._header()
        content = b"".join(frames)
        packet = [header + content] if len(content) <= _FRAME_ROOM else split(self._next, header, content)
        for payload in packet:
            self.budget.spend(len(payload) + SEAL_BYTES + IP_UDP_BYTES)
        payloads += packet
        self._in_flight[self._next] = (now, parts, tickets)
        if self._loss_due == math.inf:
            self._loss_due = now + self._timeout()
        self._next += 1
        self.packets_sent += 1

    def _fill_reliable(self, frames: list[bytes], parts: list[tuple[Outgoing, int]], room: int) -> int:
        """Frame the parts that are due and fit. Returns the room left."""
        channels = ((2, self._ordered_out), (3, self._unordered_out))
        for channel, outgoing in channels if self.packets_sent & 2 else channels[::-1]:
            while outgoing.ready:
                number, marks, content = outgoing.peek()
                frame = bytes((channel | marks, number & 0xFF, number >> 8 & 0xFF)) + _length(len(content))
                if len(frame) + len(content) > room or len(frames) >= MAX_FRAMES:
                    break
                frames.append(frame + content)
                room -= len(frame) + len(content)
                parts.append((outgoing, number))
                outgoing.sent()
        return room

    # What became of packets

    def _timeout(self) -> float:
        """Doubles with each timeout in a row, up to a bound: keep-alives go out ten times a second anyway."""
        once = self.estimate.timeout
        return max(once, min(once * (1 << min(self._timeouts, 4)), MAX_BACK_OFF + self.estimate.rtt))

    def _check_losses(self, now: float) -> None:
        late = now - self.estimate.reorder_delay
        timed_out = now - self._timeout()
        lost: list[int] = []
        for number, (at, _, _) in self._in_flight.items():
            if at > timed_out and (number >= self._newest_acked or at > late):
                break
            lost.append(number)
        if lost and lost[-1] > self._newest_acked:
            self._timeouts += 1
        for number in lost:
            at, parts, tickets = self._in_flight.pop(number)
            self.packets_lost += 1
            self.estimate.outcome(True)
            self.budget.lost()
            for outgoing, part in parts:
                outgoing.lost(part)
            self.outcomes.extend([Outcome(ticket, False) for ticket in tickets])
            self._given_up[number] = (at, parts, ())
        while self._given_up and (oldest := next(iter(self._given_up))) < self._next - WINDOW:
            del self._given_up[oldest]
        self._set_loss_due()

    def _set_loss_due(self) -> None:
        """Note when the oldest packet in flight is to be taken for lost, if nothing is heard of it."""
        if not self._in_flight:
            self._loss_due = math.inf
            return
        number, (at, _, _) = next(iter(self._in_flight.items()))
        wait = self._timeout()
        if number < self._newest_acked:
            wait = min(wait, self.estimate.reorder_delay)
        self._loss_due = at + wait

    def _take_acks(self, ack: int, bits: int, now: float) -> None:
        last = self._next - 1
        ack = unwrap(ack, last)
        if ack == self._last_ack and bits == self._last_bits:
            return
        shift = ack - self._last_ack
        fresh = bits & ~(self._last_bits << shift & _ALL) if 0 <= shift < ACK_BITS else bits
        self._last_ack, self._last_bits = ack, bits
        if not fresh:
            return
        if ack - (fresh & -fresh).bit_length() + 1 > last or ack - fresh.bit_length() + 1 < 0:
            raise ProtocolError(f"an ack of packet {ack} and {bits:032b} before it, of {self._next} sent")
        newest = -math.inf
        in_flight = self._in_flight
        while fresh:
            low = fresh & -fresh
            fresh ^= low
            number = ack - low.bit_length() + 1
            sent = in_flight.pop(number, None)
            if sent is not None:
                at, parts, tickets = sent
                self.estimate.outcome(False)
                self.budget.acked(now - at)
            else:
                sent = self._given_up.pop(number, None)
                if sent is None:
                    continue
                at, parts, tickets = sent
            if number > self._newest_acked:
                newest, self._newest_acked = at, number
            for outgoing, part in parts:
                outgoing.acked(part)
            if tickets:
                self.outcomes.extend([Outcome(ticket, True) for ticket in tickets])
        if newest > -math.inf:  # older ones may have been acked before, in headers that were lost
            self.estimate.sample(now - newest, now)
            self._timeouts = 0
        if in_flight and next(iter(in_flight)) < self._newest_acked:
            self._set_loss_due()
        # else it stays as it was, which may be early: the check it leads to sets it anew, and comes once a timeout
        if self._held_back:
            self.due = now  # there may be room for more now
        elif self._loss_due < self.due:
            self.due = self._loss_due

    # Receiving

    def receive(self, payload: bytes, now: float) -> list[object]:
        """The messages that a payload completes, in the order they are delivered.

        Raises `ProtocolError` if no correct peer sends this payload; the connection is then of no more use.
        """
        self._now = now
        if not payload:
            raise ProtocolError("an empty payload")
        if payload[0] & 1:
            number = self._arrivals.place(fragment_sequence(payload))
            if number is None:
                return []
            packet = self._assembly.add(payload, number)
            if packet is None:
                return []
            payload = packet
        sequence, ack, bits, at = read_header(payload)
        end = len(payload)
        arrivals = self._arrivals
        number = arrivals.next(sequence, at < end)
        if number is None:
            number = arrivals.place(sequence)
            if number is None:
                return []
            arrivals.add(number, at < end)
        self.packets_received += 1
        if ack & 0xFFFF != self._last_ack & 0xFFFF or bits != self._last_bits:
            self._take_acks(ack, bits, now)
        messages: list[object] = []
        if at < end:
            delay = IDLE_ACK_DELAY
            count = 0
            while at < end:
                count += 1
                if count > MAX_FRAMES:
                    raise ProtocolError(f"a packet of over {MAX_FRAMES} messages")
                head = payload[at]
                if head < _ORDERED:
                    at = self._read_unreliable(payload, at, number, messages)
                    continue
                if head & 2:
                    delay = min(delay, ACK_DELAY)
                elif head == PADDING:
                    delay = 0.0  # who measures the way wants to know now
                at = self._read_frame(payload, at, messages)
            self._owed_count += 1
            if self._owed_count >= ACK_EVERY:
                delay = 0.0
            if now + delay < self._ack_due:
                self._ack_due = now + delay
        if self._ack_due < self.due:
            self.due = self._ack_due
        return messages

    def _read_unreliable(self, payload: bytes, at: int, number: int, messages: list[object]) -> int:
        head = payload[at]
        size = payload[at + 1] if at + 1 < len(payload) else 0x80
        if size < 0x80:
            at += 2
        else:
            size, at = read_length(payload, at + 1)
        end = at + size
        if end > len(payload):
            raise ProtocolError("a frame is cut off")
        message = self._protocol.decode(payload[at:end], head)
        if head == _SEQUENCED:
            kind = type(message)
            if self._sequenced.get(kind, -1) > number:
                return end
            self._sequenced[kind] = number
        messages.append(message)
        return end

    def _read_frame(self, payload: bytes, at: int, messages: list[object]) -> int:
        head = payload[at]
        channel = head & 3
        marks = head & (FIRST | LAST)
        if head == PADDING:
            size, at = read_length(payload, at + 1)
            if payload.count(0, at, at + size) < size:
                raise ProtocolError("padding that is not zeros, or is cut off")
            return at + size
        if head > 15 or channel < _ORDERED:
            raise ProtocolError(f"a frame that begins with {head:#04x}")
        part = int.from_bytes(payload[at + 1 : at + 3], "little")
        at += 3
        size, at = read_length(payload, at)
        content = payload[at : at + size]
        at += size
        if at > len(payload):
            raise ProtocolError("a frame is cut off")
        if channel == _ORDERED:
            wholes = self._ordered_in.receive(part, marks, content)
            messages.extend([self._protocol.decode(whole, channel) for whole in wholes])
        else:
            wholes = self._unordered_in.receive(part, marks, content)
            messages.extend([self._protocol.decode(whole, channel) for whole in wholes])
        return at


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    if size < 0x4000:
        return bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14))


def read_length(payload: bytes, at: int) -> tuple[int, int]:
    """The length at `at`, and the offset after it. Raises `ProtocolError`."""
    size = 0
    for shift in (0, 7, 14):
        if at >= len(payload):
            raise ProtocolError("a frame is cut off")
        byte = payload[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            if not byte and shift:
                raise ProtocolError("a length that is not the shortest of its meaning")
            return size, at
    raise ProtocolError("a length of over 3 bytes")
