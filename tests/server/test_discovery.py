"""Servers in the local network, here of one machine: heard of, kept up to date, and gone."""

import asyncio
import dataclasses
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.server.discovery import (
    MAX_NAME_BYTES,
    Announcer,
    Browser,
    DiscoveryError,
    Listing,
    ServerGone,
    ServerNearby,
    listing,
    properties,
)

HERE = ["127.0.0.1"]


def some_listing(name: str = "Ana's arena. No. 1") -> Listing:
    return Listing(name, "ricochet", 7777, os.urandom(32), 0x0123456789ABCDEF, "0.1.0", 2, 16, True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_servers_are_found_followed_and_gone() -> None:
    async def scene() -> None:
        first, second = some_listing(), some_listing()
        heard: list[object] = []
        async with await Browser.open(heard.append, interfaces=HERE) as browser:

            def of(announced: Listing) -> list[Listing]:
                return [found for found in browser.servers.values() if found.fingerprint == announced.fingerprint]

            one = await Announcer.open(first, interfaces=HERE, interval=0)
            async with await Announcer.open(second, interfaces=HERE):
                await until(lambda: of(first) and of(second))
                assert of(first) == [dataclasses.replace(first, hosts=("127.0.0.1",))]
                assert str(of(first)[0].invite).startswith("tickwire://127.0.0.1:7777?key=")
                one.update(dataclasses.replace(first, players=3))
                one.update(dataclasses.replace(first, players=4))
                await until(lambda: of(first)[0].players == 4)
                await one.close()
                await until(lambda: not of(first))
            await until(lambda: not of(second))
        ours = [event for event in heard if isinstance(event, ServerNearby) and event.server.port == 7777]
        (key,) = {event.key for event in ours if event.server.fingerprint == first.fingerprint}
        assert [event.server.players for event in ours if event.key == key][-1] == 4
        assert heard.count(ServerGone(key)) == 1

    asyncio.run(scene())


def test_closing_at_once_and_twice_is_harmless() -> None:
    async def scene() -> None:
        announcer = await Announcer.open(some_listing(), interfaces=HERE)
        browser = await Browser.open(lambda event: None, interfaces=HERE)
        for _ in range(2):
            await announcer.close()
            await browser.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scene())


def test_a_network_that_is_not_there_is_an_error_in_words() -> None:
    async def scene() -> None:
        with pytest.raises(DiscoveryError, match="the local network cannot be reached"):
            await Browser.open(lambda event: None, interfaces=["203.0.113.77"])

    asyncio.run(scene())


# What is said


@given(
    st.builds(
        Listing,
        st.text(max_size=100),
        st.text(max_size=20),
        st.integers(1, 65535),
        st.binary(min_size=32, max_size=32),
        st.integers(0, 2**64 - 1),
        st.text(max_size=20),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
        st.booleans(),
    )
)
def test_what_is_announced_fits_its_record_and_is_read_back(announced: Listing) -> None:
    said = properties(announced)
    assert max(len(f"{name}={value}".encode()) for name, value in said.items()) <= 255
    encoded: dict[bytes, bytes | None] = {name.encode(): value.encode() for name, value in said.items()}
    found = listing(
        encoded, ["169.254.1.1", "::1", "fe80::1%2", "2001:db8::1", "192.0.2.1", "127.0.0.1"], announced.port
    )
    assert found.hosts[:2] == ("192.0.2.1", "2001:db8::1")
    shown = found.name + found.game + found.version
    assert shown.isprintable()
    assert len(found.name.encode()) <= MAX_NAME_BYTES
    exact = dataclasses.replace(announced, name=found.name, game=found.game, version=found.version, hosts=found.hosts)
    assert found == exact


_KEYS = st.sampled_from([b"v", b"name", b"key", b"protocol", b"players", b"max", b"password"]) | st.binary(max_size=4)
_VALUES = st.none() | st.just(b"1") | st.just(b"A" * 43) | st.binary(max_size=60)


@given(st.dictionaries(_KEYS, _VALUES), st.integers(-1, 70_000))
def test_what_others_say_is_read_or_refused(said: dict[bytes, bytes | None], port: int) -> None:
    try:
        found = listing(said, ["192.0.2.1"], port)
    except ValueError:
        return
    assert str(found.invite).startswith("tickwire://192.0.2.1:")
    assert 0 <= found.players <= 1_000_000
    assert found.name.isprintable()
