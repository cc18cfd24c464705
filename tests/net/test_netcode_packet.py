"""Sealed packets: the layout of the standard, the replay window, and nothing else gets in."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.packet import Opener, PacketType, Sealer

KEY = bytes(range(32))
ALL = frozenset(PacketType) - {PacketType.REQUEST}
TOP = (1 << 64) - 1


def pair() -> tuple[Sealer, Opener]:
    return Sealer(KEY, 7), Opener(KEY, 7, ALL)


def test_the_layout_is_that_of_the_standard() -> None:
    datagram = pair()[0].seal(PacketType.PAYLOAD, 1000, b"hello")
    assert datagram[:3].hex() == "25e803"
    associated = b"NETCODE 1.02\0" + bytes([7, 0, 0, 0, 0, 0, 0, 0, 0x25])
    assert ChaCha20Poly1305(KEY).decrypt(bytes(4) + (1000).to_bytes(8, "little"), datagram[3:], associated) == b"hello"


@given(st.integers(0, TOP), st.binary(min_size=1, max_size=1200))
def test_a_payload_gets_through_once(sequence: int, content: bytes) -> None:
    sealer, opener = pair()
    datagram = sealer.seal(PacketType.PAYLOAD, sequence, content)
    assert opener.open(datagram) == (PacketType.PAYLOAD, content)
    assert opener.open(datagram) is None


@given(st.integers(0, TOP), st.data())
def test_the_replay_window_agrees_with_a_set(start: int, data: st.DataObject) -> None:
    sealer, opener = pair()
    seen: set[int] = set()
    newest = 0
    steps = st.integers(-300, 300) | st.sampled_from([-256, -255, 255, 256, 1, 1 << 40])
    sequence = start
    for step in data.draw(st.lists(steps, max_size=40)):
        fresh = sequence not in seen and not (newest >= 256 and sequence <= newest - 256)
        got = opener.open(sealer.seal(PacketType.KEEP_ALIVE, sequence, bytes(8)))
        assert (got is not None) == fresh
        if fresh:
            seen.add(sequence)
            newest = max(newest, sequence)
        sequence = min(max(sequence + step, 0), TOP)


def test_the_last_sequence_numbers_are_neither_refused_nor_taken_twice() -> None:
    sealer, opener = pair()
    for sequence in range(TOP - 300, TOP + 1):
        assert opener.open(sealer.seal(PacketType.PAYLOAD, sequence, b"x"))
    for sequence in range(TOP - 300, TOP + 1):
        assert opener.open(sealer.seal(PacketType.PAYLOAD, sequence, b"x")) is None


def test_a_forged_packet_does_not_move_the_window() -> None:
    sealer, opener = pair()
    forged = bytearray(sealer.seal(PacketType.PAYLOAD, TOP, b"x"))
    forged[-1] ^= 1
    assert opener.open(bytes(forged)) is None
    assert opener.open(sealer.seal(PacketType.PAYLOAD, 0, b"x"))


@given(st.sampled_from(sorted(ALL)), st.integers(0, TOP), st.integers(0, 10_000), st.integers(0, 7))
def test_an_altered_packet_is_refused(kind: PacketType, sequence: int, at: int, bit: int) -> None:
    sealer, opener = pair()
    sizes = {PacketType.CHALLENGE: 308, PacketType.RESPONSE: 308, PacketType.KEEP_ALIVE: 8, PacketType.PAYLOAD: 50}
    datagram = sealer.seal(kind, sequence, bytes(sizes.get(kind, 0)))
    assert Opener(KEY, 7, ALL).open(datagram) is not None
    altered = bytearray(datagram)
    altered[at % len(altered)] ^= 1 << bit
    assert opener.open(bytes(altered)) is None
    for size in range(len(datagram)):
        assert opener.open(datagram[:size]) is None


@given(st.binary(max_size=1400))
def test_noise_is_refused(datagram: bytes) -> None:
    assert pair()[1].open(datagram) is None


@pytest.mark.parametrize(
    ("kind", "size"),
    [(1, 1), (2, 307), (3, 309), (4, 0), (4, 9), (5, 0), (5, 1201), (6, 1), (7, 0), (0, 10)],
)
def test_a_content_of_another_length_is_refused(kind: int, size: int) -> None:
    sealer, opener = pair()
    assert opener.open(sealer.seal(kind, 3, bytes(size))) is None


def test_only_the_allowed_types_are_opened() -> None:
    sealer = Sealer(KEY, 7)
    opener = Opener(KEY, 7, frozenset({PacketType.PAYLOAD}))
    assert opener.open(sealer.seal(PacketType.DISCONNECT, 1, b"")) is None
    assert opener.open(sealer.seal(PacketType.PAYLOAD, 2, b"x"))
    assert Opener(KEY, 8, ALL).open(sealer.seal(PacketType.PAYLOAD, 3, b"x")) is None
