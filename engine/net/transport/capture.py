"""Datagrams on file, as they went over the socket: classic pcap, which Wireshark and tcpdump read and write, too.

Written with link type RAW: each record is an IP packet, whose IP and UDP headers are made up around the datagram. Read
from raw IP, Ethernet, BSD loopback and Linux "cooked" captures. Sources: draft-ietf-opsawg-pcap, RFC 791, 8200, 768.

    file:    magic 0xA1B2C3D4 u32 | version 2 u16, 4 u16 | 0 u32 | 0 u32 | longest packet u32 | link type u32
    record:  seconds u32 | microseconds u32 | bytes here u32 | bytes sent u32 | packet

The magic gives the byte order, and 0xA1B23C4D nanoseconds instead of microseconds.
"""

from __future__ import annotations

import ipaddress
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from engine.errors import TickwireError
from engine.net.connection.address import Address

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
RAW = 101
LONGEST = 1 << 16
LINK_HEADERS = {0: 4, 1: 14, 12: 0, RAW: 0, 108: 4, 113: 16, 228: 0, 229: 0, 276: 20}
"""Bytes before the IP header, by link type (https://www.tcpdump.org/linktypes.html)."""

_FILE = struct.Struct("=IHHIIII")
_RECORD = struct.Struct("=IIII")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_UDP = struct.Struct("!HHHH")
_PROTOCOL_UDP = 17


class CaptureError(TickwireError):
    """A file that is no capture this engine reads; the message says why."""


@dataclass(slots=True)
class Captured:
    """A datagram on file."""

    at: float
    """Unix time."""
    source: Address
    destination: Address
    datagram: bytes


class Capture:
    """A file that datagrams are written to, until it has `most` bytes; then they are only counted."""

    def __init__(self, path: Path, *, most: int = 64 << 20, clock: Callable[[], float] = time.time) -> None:
        """Raises `OSError` if the file cannot be made."""
        self.written = 0
        """Datagrams in the file."""
        self.left_out = 0
        """Datagrams that came when it was full."""
        self._room = most - _FILE.size
        self._clock = clock
        self._file = path.open("wb")
        self._file.write(_FILE.pack(MICROSECONDS, 2, 4, 0, 0, LONGEST, RAW))

    def write(self, datagram: bytes, source: Address, destination: Address) -> None:
        """Append a datagram. Where an end is known as "anywhere" only, its made-up header says so, too."""
        packet = _packet(datagram, source, destination)
        self._room -= _RECORD.size + len(packet)
        if self._room < 0:
            self.left_out += 1
            return
        now = self._clock()
        self._file.write(_RECORD.pack(int(now), int(now % 1 * 1e6), len(packet), len(packet)) + packet)
        self.written += 1

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _packet(datagram: bytes, source: Address, destination: Address) -> bytes:
    size = _UDP.size + len(datagram)
    udp = _UDP.pack(source.port, destination.port, size, 0) + datagram
    ends = [ipaddress.ip_address(end.host.partition("%")[0]) for end in (source, destination)]
    if any(end.version == 6 for end in ends):
        packed = [end.packed if end.version == 6 else bytes(10) + b"\xff\xff" + end.packed for end in ends]
        return _IPV6.pack(6 << 28, size, _PROTOCOL_UDP, 64, *packed) + udp
    header = [0x45, 0, _IPV4.size + size, 0, 0, 64, _PROTOCOL_UDP, 0, *(end.packed for end in ends)]
    words = sum(struct.unpack("!10H", _IPV4.pack(*header)))
    words = (words & 0xFFFF) + (words >> 16)
    header[7] = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF
    return _IPV4.pack(*header) + udp


def read_capture(stream: BinaryIO, *, more: Callable[[], bool] = lambda: False) -> Iterator[Captured]:
    """The UDP datagrams in a capture, oldest first; other packets, and parts of packets, are passed over.

    At the end of the stream, `more()` says whether to try again, for a file that is still being written. A record cut
    off by the end is the end. Raises `CaptureError` if it is no capture.
    """
    head = _read(stream, _FILE.size, more)
    for order in "<>":
        if len(head) == _FILE.size:
            magic, _, _, _, _, _, link = struct.unpack(order + _FILE.format[1:], head)
            if magic in (MICROSECONDS, NANOSECONDS):
                break
    else:
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            raise CaptureError("a pcapng capture; save it as pcap: `editcap -F pcap old.pcapng new.pcap`")
        raise CaptureError("no pcap capture")
    skip = LINK_HEADERS.get(link & 0xFFFF)
    if skip is None:
        raise CaptureError(f"a capture of link type {link & 0xFFFF}; known are {', '.join(map(str, LINK_HEADERS))}")
    record = struct.Struct(order + _RECORD.format[1:])
    unit = 1e-6 if magic == MICROSECONDS else 1e-9
    while len(head := _read(stream, record.size, more)) == record.size:
        seconds, fraction, size, _ = record.unpack(head)
        if size > 4 * LONGEST:
            raise CaptureError(f"a packet of {size} bytes: the capture is damaged")
        packet = _read(stream, size, more)
        if len(packet) < size:
            return
        found = _unpack(packet[skip:])
        if found is not None:
            yield Captured(seconds + fraction * unit, *found)


def _read(stream: BinaryIO, size: int, more: Callable[[], bool]) -> bytes:
    whole = stream.read(size)
    while len(whole) < size and more():
        whole += stream.read(size - len(whole))
    return whole


def _unpack(packet: bytes) -> tuple[Address, Address, bytes] | None:
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= _IPV4.size:
        _, _, _, _, fragment, _, protocol, _, *ends = _IPV4.unpack_from(packet)
        at = (packet[0] & 15) * 4
        if fragment & 0x3FFF:  # a part of a packet, of which the system sees the rest
            return None
    elif version == 6 and len(packet) >= _IPV6.size:
        _, _, protocol, _, *ends = _IPV6.unpack_from(packet)
        at = _IPV6.size
    else:
        return None
    if protocol != _PROTOCOL_UDP or len(packet) < at + _UDP.size:
        return None
    source, destination, size, _ = _UDP.unpack_from(packet, at)
    if size < _UDP.size or len(packet) < at + size:
        return None
    hosts = [str(ipaddress.ip_address(end)) for end in ends]
    return Address(hosts[0], source), Address(hosts[1], destination), packet[at + _UDP.size : at + size]
