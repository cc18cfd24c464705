"""Connect tokens, addresses and challenges: what the standard says they look like, and what is refused."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.address import Address, pack_address, unpack_address
from engine.net.connection.token import (
    TOKEN_BYTES,
    Challenges,
    ConnectToken,
    issue_token,
    open_private,
)
from engine.net.wire import ProtocolError

KEY = bytes(range(32))
V4 = Address("203.0.113.9", 7777)
V6 = Address("2001:db8::1:2", 40000)

ports = st.integers(1, 65535)
addresses = st.builds(
    Address, st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)), st.integers(0, 65535)
)


def issue(**changes: object) -> ConnectToken:
    given = {"protocol_id": 7, "private_key": KEY, "client_id": 99, "servers": [V4, V6], "now": 1000.9}
    return issue_token(**{**given, **changes})  # pyright: ignore[reportArgumentType]


@given(st.lists(addresses, min_size=1, max_size=32), st.integers(0, (1 << 64) - 1), st.binary(max_size=256))
def test_a_token_survives_both_ways(servers: list[Address], client_id: int, user: bytes) -> None:
    token = issue(servers=servers, client_id=client_id, user=user, timeout=-1)
    encoded = token.encode()
    assert len(encoded) == TOKEN_BYTES
    assert ConnectToken.decode(encoded) == token
    private = open_private(token.sealed, 7, token.expires, token.nonce, KEY)
    assert private.client_id == client_id
    assert private.servers == token.servers == tuple(servers)
    assert private.timeout == token.timeout == -1
    assert private.user == user.ljust(256, b"\0")
    assert (private.client_to_server, private.server_to_client) == (token.client_to_server, token.server_to_client)


def test_the_public_layout_is_that_of_the_standard() -> None:
    token = issue(timeout=5, lifetime=45)
    encoded = token.encode()
    assert encoded[:13] == b"NETCODE 1.02\0"
    assert [int.from_bytes(encoded[at : at + 8], "little") for at in (13, 21, 29)] == [7, 1000, 1045]
    assert encoded[37:61] == token.nonce
    assert encoded[61:1085] == token.sealed
    assert encoded[1085:1093].hex() == "0500000002000000"
    assert encoded[1093:1100].hex() == "01cb007109611e"
    assert encoded[1100:1119].hex() == "020120b80d00000000000000000100" + "0200" + "409c"
    assert encoded[1119:1151] == token.client_to_server
    assert encoded[1151:1183] == token.server_to_client
    assert not any(encoded[1183:])


def test_internal_addresses_are_what_the_server_sees() -> None:
    token = issue(internal_servers=[Address("10.0.0.1", 1)])
    assert token.servers == (V4, V6)
    assert open_private(token.sealed, 7, token.expires, token.nonce, KEY).servers == (Address("10.0.0.1", 1),)


@pytest.mark.parametrize(
    "change",
    [
        {"protocol_id": 1 << 64},
        {"private_key": b"short"},
        {"client_id": -1},
        {"servers": []},
        {"servers": [V4] * 33},
        {"internal_servers": []},
        {"lifetime": 0},
        {"timeout": 1 << 31},
        {"user": bytes(257)},
    ],
)
def test_an_argument_out_of_bounds_is_named(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        issue(**change)


@given(st.integers(0, 1023), st.integers(0, 7))
def test_an_altered_private_part_is_refused(at: int, bit: int) -> None:
    token = issue()
    altered = bytearray(token.sealed)
    altered[at] ^= 1 << bit
    with pytest.raises(ProtocolError):
        open_private(bytes(altered), 7, token.expires, token.nonce, KEY)


def test_everything_around_the_private_part_is_authenticated() -> None:
    token = issue()
    for protocol_id, expires, nonce, key in (
        (8, token.expires, token.nonce, KEY),
        (7, token.expires + 1, token.nonce, KEY),
        (7, token.expires, bytes(24), KEY),
        (7, token.expires, token.nonce, bytes(32)),
    ):
        with pytest.raises(ProtocolError):
            open_private(token.sealed, protocol_id, expires, nonce, key)


@given(st.binary(max_size=200), st.integers(0, 2048))
def test_any_bytes_decode_to_a_token_or_protocol_error(noise: bytes, at: int) -> None:
    encoded = bytearray(issue().encode())
    encoded[at : at + len(noise)] = noise
    for attempt in (bytes(encoded[:TOKEN_BYTES]), bytes(encoded), noise):
        try:
            token = ConnectToken.decode(attempt)
        except ProtocolError:
            continue
        assert ConnectToken.decode(token.encode()) == token


def test_a_token_cut_anywhere_is_refused() -> None:
    encoded = issue().encode()
    for size in range(TOKEN_BYTES):
        with pytest.raises(ProtocolError):
            ConnectToken.decode(encoded[:size])


def test_a_token_that_expires_before_it_is_made_is_refused() -> None:
    with pytest.raises(ProtocolError, match="expires"):
        ConnectToken.decode(replace(issue(), created=2000).encode())


@given(addresses)
def test_addresses_survive_text_and_bytes(address: Address) -> None:
    packed = pack_address(address)
    assert unpack_address(b"?" + packed + b"!", 1) == (address, 1 + len(packed))
    if address.port:
        assert Address.parse(str(address)) == address


@given(st.binary(max_size=24), st.integers(0, 24))
def test_any_bytes_are_an_address_or_protocol_error(encoded: bytes, at: int) -> None:
    try:
        address, end = unpack_address(encoded, at)
    except ProtocolError:
        return
    assert pack_address(address) == encoded[at:end]


@pytest.mark.parametrize(
    "text", ["1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "[1.2.3.4]:5", "::1:5", "host:5", ":5", "", "[::1]:x"]
)
def test_a_bad_address_says_why(text: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        Address.parse(text)


def test_a_challenge_opens_only_where_it_was_made() -> None:
    ours, other = Challenges(os.urandom), Challenges(os.urandom)
    user = bytes(range(256))
    numbers = [ours.seal(5, user)[0] for _ in range(3)]
    assert numbers == [0, 1, 2]
    number, sealed = ours.seal(5, user)
    assert len(sealed) == 300
    assert ours.open(number, sealed) == (5, user)
    for challenges, sequence, token in ((other, number, sealed), (ours, 0, sealed), (ours, number, bytes(300))):
        with pytest.raises(ProtocolError):
            challenges.open(sequence, token)
