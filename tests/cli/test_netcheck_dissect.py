"""`tickwire dissect` and the captures it reads: written by the transport, or by others; whole, cut, or nonsense."""

import contextlib
import io
import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.main import main
from engine.net.connection.address import Address
from engine.net.connection.dissect import Dissector
from engine.net.transport.capture import Capture, CaptureError, read_capture
from engine.net.wire import Channel, MaxBytes, Protocol
from engine.testing.network import SERVER_ADDRESS, VirtualNetwork


@dataclass(slots=True)
class Say:
    text: Annotated[str, MaxBytes(100)]


@dataclass(slots=True)
class Map:
    content: Annotated[bytes, MaxBytes(20_000)]


PROTOCOL = Protocol("hall").message(Say, Channel.RELIABLE_ORDERED).message(Map)
A, B = Address("203.0.113.1", 5000), Address("203.0.113.2", 7777)
A6 = Address("2001:db8::1", 5000)


def conversation(protocol: Protocol | None) -> str:
    """A short one, dissected with the server's key as it goes by."""
    lines: list[str] = []
    with VirtualNetwork(PROTOCOL, seed=1) as network:
        client = network.join()
        dissector = Dissector(private_key=network._private_key, protocol=protocol)  # pyright: ignore[reportPrivateUsage]
        up, down = client.up.send, client.down.send

        def see_up(datagram: bytes, address: Address, now: float) -> None:
            lines.extend(dissector.lines(datagram, client.address, SERVER_ADDRESS))
            up(datagram, address, now)

        def see_down(datagram: bytes, address: Address, now: float) -> None:
            lines.extend(dissector.lines(datagram, SERVER_ADDRESS, client.address))
            down(datagram, address, now)

        client.up.send, client.down.send = see_up, see_down
        network.run(0.5)
        client.client.send(Say("hello"))
        network.server.send(1, Map(bytes(3000)))
        network.run(0.5)
        client.client.disconnect()
        network.run(0.2)
    return "\n".join(lines)


def test_with_the_servers_key_everything_is_seen() -> None:
    said = conversation(PROTOCOL)
    for words in (
        "timeout 10 s, user",
        "keep-alive #0, slot 0 of 64",
        "reliable ordered part 0, 6 bytes: Say(text='hello')",
        "fragment 2 of 3 of packet",
        "unreliable, 3002 bytes: Map(",
        "acks 0",
        "disconnect",
    ):
        assert words in said
    assert "malformed" not in said
    without = conversation(None)
    assert "reliable ordered part 0, 6 bytes" in without
    assert "hello" not in without


def test_what_cannot_be_opened_is_named_and_nothing_raises() -> None:
    dissector = Dissector()
    rng = random.Random(3)
    for size in (0, 1, 2, 17, 18, 100, 1078, 1300):
        for first in range(256):
            (line, *_) = dissector.lines(bytes([first]) + rng.randbytes(size) if size else b"", A, B)
            assert line


def test_a_capture_survives_both_families(tmp_path: Path) -> None:
    sent = [(b"one", A, B), (b"", B, A), (b"x" * 1225, A6, Address("::1", 9)), (b"mixed", A6, B)]
    with Capture(tmp_path / "c.pcap", clock=lambda: 1_700_000_000.25) as capture:
        for entry in sent:
            capture.write(*entry)
    with (tmp_path / "c.pcap").open("rb") as stream:
        read = list(read_capture(stream))
    assert [(one.datagram, one.source) for one in read] == [(datagram, source) for datagram, source, _ in sent]
    assert read[0].destination == B
    assert read[3].destination.host.endswith("203.0.113.2") or read[3].destination.host.startswith("::ffff")
    assert read[0].at == 1_700_000_000.25


def test_a_capture_is_bounded(tmp_path: Path) -> None:
    with Capture(tmp_path / "c.pcap", most=5000) as capture:
        for _ in range(100):
            capture.write(bytes(500), A, B)
    assert capture.written + capture.left_out == 100
    assert (tmp_path / "c.pcap").stat().st_size <= 5000


def written(path: Path, count: int = 3) -> bytes:
    with Capture(path) as capture:
        for number in range(count):
            capture.write(bytes([number]) * 30, A, B)
    return path.read_bytes()


def test_captures_of_others_are_read(tmp_path: Path) -> None:
    raw = written(tmp_path / "c.pcap", 1)
    packet = raw[24 + 16 :]
    for order in "<>":
        for link, before in ((1, 14), (0, 4), (113, 16), (276, 20)):
            whole = bytes(before) + packet
            head = struct.pack(f"{order}IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, link)
            record = struct.pack(f"{order}IIII", 5, 500_000_000, len(whole), len(whole))
            (one,) = read_capture(io.BytesIO(head + record + whole))
            assert (one.at, one.source, one.destination, one.datagram) == (5.5, A, B, bytes(30))


def test_a_capture_cut_anywhere_ends_there(tmp_path: Path) -> None:
    raw = written(tmp_path / "c.pcap")
    for end in range(24, len(raw)):
        assert len(list(read_capture(io.BytesIO(raw[:end])))) == (end - 24) // ((len(raw) - 24) // 3)
    with pytest.raises(CaptureError, match="no pcap"):
        list(read_capture(io.BytesIO(raw[:20])))


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_capture_or_refused(noise: bytes, headed: bool) -> None:
    head = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) if headed else b""
    with contextlib.suppress(CaptureError):
        list(read_capture(io.BytesIO(head + noise)))


def test_a_growing_file_is_followed(tmp_path: Path) -> None:
    raw = written(tmp_path / "c.pcap")
    stream = io.BytesIO(raw[:100])

    def more() -> bool:
        at = stream.tell()
        stream.seek(0, io.SEEK_END)
        grown = stream.tell()
        stream.write(raw[grown : grown + 7])
        stream.seek(at)
        return grown < len(raw)

    assert len(list(read_capture(stream, more=more))) == 3


def test_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    raw = written(path)
    key = tmp_path / "key"
    key.write_text("ab" * 32)
    done = CliRunner().invoke(main, ["dissect", "-", "--private-key", str(key)], input=raw)
    assert done.exit_code == 0
    assert done.output.count("203.0.113.1:5000 → 203.0.113.2:7777") == 3
    assert CliRunner().invoke(main, ["dissect", str(path), "--port", "1"]).output == ""
    key.write_text("short")
    for arguments, said in (
        (["dissect", str(key)], "no pcap"),
        (["dissect", str(tmp_path / "nothing")], "nothing"),
        (["dissect", str(path), "--private-key", str(key)], "64 hex digits"),
        (["dissect", str(path), "--token", str(key)], "2048"),
        (["dissect", str(path), "--protocol", "nowhere:X"], "nowhere"),
        (["dissect", str(path), "--protocol", "engine:X"], "no Protocol"),
    ):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 1
        assert said in done.output
        assert len(done.output.strip().splitlines()) == 1
