"""Commands come once a tick, whole and unchanged, over any network and from any client."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.connection.address import Address
from engine.net.replication.commands import AHEAD, MOST_COMMANDS, MOST_TICKS, REPEATED, Inbox, Outbox
from engine.net.transport.conditioner import Conditions, Link
from engine.net.wire.errors import EncodeError, SchemaError
from engine.net.wire.protocol import Protocol
from engine.net.wire.schema import Float32, MaxBytes, Quantized

WHERE = Address("192.0.2.1", 5)


@dataclass(slots=True)
class Steer:
    x: Annotated[float, Quantized(-1.0, 1.0, 1 / 64)] = 0.0
    fire: bool = False


@dataclass(slots=True)
class Aim:
    angle: Float32


class Tool(Enum):
    AXE = 1
    SPADE = 2


@dataclass(slots=True)
class Use:
    tool: Tool
    on: Annotated[str, MaxBytes(400)] | None


def protocol() -> Protocol:
    made = Protocol("field").command(Steer).command(Aim).command(Use)
    assert made.id
    return made


PROTOCOL = protocol()
floats = st.integers(-64, 64).map(lambda step: step / 64)
commands = st.one_of(
    st.builds(Steer, floats, st.booleans()),
    st.builds(Aim, st.floats(-8, 8, width=32)),
    st.builds(Use, st.sampled_from(Tool), st.none() | st.text(max_size=20)),
)
sets = st.lists(commands, max_size=4)


def sent(tick: int, wants: list[object], newest: int = 0) -> bytes:
    """A payload with the commands of one tick."""
    outbox = Outbox(PROTOCOL)
    outbox.note(tick, wants)
    return outbox.payload((newest, 0)).payload


@given(st.lists(sets, min_size=1, max_size=60), st.integers(1, 1 << 31))
def test_every_tick_has_its_own_commands(ticks: list[list[object]], first: int) -> None:
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL, first - 1)
    for tick, wants in enumerate(ticks, first):
        outbox.note(tick, wants)
        assert inbox.receive(outbox.payload().payload, tick - 0.5) == (0, 0, False)
        assert inbox.take(tick) == wants
    assert inbox.counts.taken == len(ticks)
    assert inbox.counts.missed == inbox.counts.malformed == 0


@given(st.integers(1, (1 << 32) - 1), st.integers(0, (1 << 16) - 1), st.booleans())
def test_acks_travel_along(newest: int, bits: int, wants_full: bool) -> None:
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL)
    assert inbox.receive(outbox.payload((newest, bits), wants_full).payload, 0.0) == (newest, bits, wants_full)
    outbox.note(1, [Steer()])
    assert inbox.receive(outbox.payload((newest, bits), wants_full).payload, 0.0) == (newest, bits, wants_full)
    assert inbox.take(1) == [Steer()]


@given(st.data())
def test_what_a_bad_network_does(data: st.DataObject) -> None:
    """A tick has the commands noted for it, or, if none of them came in time, those that the tick before had."""
    seed = data.draw(st.integers(0, 1 << 20))
    rng = random.Random(seed)
    link = Link(Conditions(latency=0.05, jitter=0.05, loss=0.2, duplicate=0.2), seed)
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL, 100)
    noted: dict[int, list[object]] = {}
    before: list[object] = []
    client = 100 + data.draw(st.integers(2, 9))
    missed = 0
    for server in range(101, 180):
        now = server / 60
        client += 1
        noted[client] = [Steer(rng.randrange(-64, 65) / 64)] if rng.random() < 0.9 else []
        outbox.note(client, noted[client])
        link.send(outbox.payload((client, 0)).payload, WHERE, now)
        for datagram, _ in link.arrivals(now):
            assert inbox.receive(datagram, server - 0.1) is not None
        taken = inbox.take(server)
        if inbox.counts.missed > missed or not inbox.counts.taken:
            missed = inbox.counts.missed
            assert taken == before or taken == []
        else:
            assert taken == noted[server]
        before = taken
    assert inbox.counts.malformed == 0


def test_lost_payloads_are_made_up_for_by_the_next() -> None:
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL)
    outbox.depth = 6
    payloads: list[bytes] = []
    for tick in range(1, 7):
        outbox.note(tick, [Steer(tick / 64)])
        payloads.append(outbox.payload().payload)
    inbox.receive(payloads[-1], 0.5)  # all others were lost
    assert [inbox.take(tick) for tick in range(1, 7)] == [[Steer(tick / 64)] for tick in range(1, 7)]


def test_what_the_server_has_is_not_sent_again() -> None:
    outbox = Outbox(PROTOCOL)
    outbox.depth = 20
    sizes: list[int] = []
    for tick in range(1, 21):
        outbox.note(tick, [Aim(float(tick))])
        sizes.append(len(outbox.payload().payload))
        outbox.heard(tick - 3)
    assert sizes[0] < sizes[1] < sizes[2]
    assert max(sizes[4:]) <= sizes[3]


def test_commands_that_stay_the_same_cost_a_bit() -> None:
    moving, still = Outbox(PROTOCOL), Outbox(PROTOCOL)
    for tick in range(1, 9):
        moving.note(tick, [Aim(float(tick))])
        still.note(tick, [Aim(1.0)])
    assert len(still.payload().payload) == 5 + 1 + 1 + 5
    assert len(moving.payload().payload) == 5 + 1 + 1 + 8 * 5


def test_ticks_not_sent_yet_are_sent_at_any_depth() -> None:
    """A client may send less often than it ticks."""
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL)
    outbox.depth = 1
    for tick in range(1, 31):
        outbox.note(tick, [Steer(tick / 64)])
        if tick % 3 == 0:
            inbox.receive(outbox.payload().payload, 0.0)
    assert [inbox.take(tick) for tick in range(1, 31)] == [[Steer(tick / 64)] for tick in range(1, 31)]


def test_long_commands_leave_room_for_fewer_ticks() -> None:
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL)
    for tick in range(1, 21):
        outbox.note(tick, [Use(Tool.AXE, str(tick) * 100)])
        payload = outbox.payload().payload
        assert len(payload) <= 600
        inbox.receive(payload, tick - 0.5)
        assert inbox.take(tick) == [Use(Tool.AXE, str(tick) * 100)]


def test_a_jump_of_the_clock_starts_anew() -> None:
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL)
    for tick in (1, 2, 3, 50, 51, 52, 20):
        outbox.note(tick, [Steer(tick / 64)])
        inbox.receive(outbox.payload().payload, 0.0)
    assert inbox.take(3) == [Steer(3 / 64)]
    assert inbox.take(20) == [Steer(20 / 64)]
    assert inbox.take(49) == [Steer(20 / 64)]
    assert inbox.take(51) == [Steer(51 / 64)]


# Missing commands


def test_a_player_whose_commands_are_missing_goes_on_for_a_while() -> None:
    inbox = Inbox(PROTOCOL, 10)
    assert inbox.take(11) == []
    assert inbox.counts.missed == 0  # none has come at all
    inbox.receive(sent(12, [Steer(0.5, True)]), 11.5)
    assert inbox.take(12) == [Steer(0.5, True)]
    for tick in range(13, 13 + REPEATED):
        assert inbox.take(tick) == [Steer(0.5, True)]
    assert inbox.take(13 + REPEATED) == []
    assert inbox.counts.missed == REPEATED + 1
    inbox.receive(sent(40, [Steer(0.5, True)]), 39.5)
    assert inbox.take(40) == [Steer(0.5, True)]


def test_commands_that_come_after_their_tick_are_dropped() -> None:
    inbox = Inbox(PROTOCOL, 10)
    inbox.receive(sent(11, [Steer(0.25)]), 10.5)
    assert inbox.take(11) == [Steer(0.25)]
    assert inbox.take(12) == [Steer(0.25)]
    inbox.receive(sent(12, [Steer(1.0)]), 12.2)
    assert inbox.take(13) == [Steer(0.25)]
    assert inbox.counts.late == 1
    assert inbox.waiting == 0


def test_commands_of_the_far_future_are_dropped() -> None:
    inbox = Inbox(PROTOCOL, 10)
    most = 10 + int(AHEAD * 60)
    inbox.receive(sent(most + 1, [Steer(0.25)]), 10.5)
    assert (inbox.counts.early, inbox.waiting) == (1, 0)
    inbox.receive(sent(most, [Steer(0.25)]), 10.5)
    assert (inbox.counts.early, inbox.waiting) == (1, 1)


# Cheats


@pytest.mark.parametrize("times", [10, 100])
def test_sending_more_gains_nothing(times: int) -> None:
    """The first commands for a tick count; whatever else is sent for it, as often as it may be."""
    honest, greedy = Inbox(PROTOCOL, 100), Inbox(PROTOCOL, 100)
    for tick in range(101, 161):
        honest.receive(sent(tick + 3, [Steer(0.5)]), tick - 0.5)
        for attempt in range(times):
            greedy.receive(sent(tick + 3, [Steer((32 + attempt % 32) / 64)]), tick - 0.5)
            greedy.receive(sent(tick - 1 - attempt % 8, [Steer(1.0)] * 9), tick - 0.5)
        assert greedy.take(tick) == honest.take(tick)
        assert greedy.waiting <= 3
    assert greedy.counts.taken == honest.counts.taken == 57
    assert greedy.counts.repeated == 60 * (2 * times - 1)


def test_one_tick_has_a_bounded_number_of_commands() -> None:
    outbox = Outbox(PROTOCOL)
    outbox.note(1, [Steer()] * MOST_COMMANDS)
    with pytest.raises(EncodeError, match="17 commands in one tick"):
        outbox.note(2, [Steer()] * (MOST_COMMANDS + 1))
    # What no Outbox makes: 16 sets of bits are 1 001 ... each; 17 of them by hand.
    bits = "".join("1" + "00" + "00000000" + "0" for _ in range(MOST_COMMANDS + 1))
    body = int(bits[::-1], 2).to_bytes((len(bits) + 7) // 8, "little")
    inbox = Inbox(PROTOCOL)
    inbox.receive(struct.pack("<BIB", 0x41, 1, len(body)) + body, 0.5)
    assert inbox.take(1) == []
    assert inbox.counts.malformed == 1


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_do_not_pass(number: float) -> None:
    with pytest.raises(EncodeError, match="finite"):
        Outbox(PROTOCOL).note(1, [Aim(number)])
    honest = bytearray(sent(1, [Aim(2.0)]))
    bits = int.from_bytes(honest[6:], "little")
    (two,), (bad,) = struct.unpack("<I", struct.pack("<f", 2.0)), struct.unpack("<I", struct.pack("<f", number))
    assert bits >> 3 & 0xFFFF_FFFF == two
    forged = (bits & ~(0xFFFF_FFFF << 3) | bad << 3).to_bytes(len(honest) - 6, "little")
    inbox = Inbox(PROTOCOL)
    inbox.receive(bytes(honest[:6]) + forged, 0.5)
    assert inbox.take(1) == []
    assert inbox.counts.malformed == 1


def test_malformed_commands_are_as_missing_ones() -> None:
    inbox = Inbox(PROTOCOL)
    inbox.receive(sent(1, [Steer(0.5)]), 0.5)
    assert inbox.take(1) == [Steer(0.5)]
    inbox.receive(struct.pack("<BIB", 0x41, 2, 1) + b"\x07", 1.5)  # a command of type 3 of 3
    assert inbox.take(2) == [Steer(0.5)]
    assert (inbox.counts.malformed, inbox.counts.missed) == (1, 1)


@given(st.lists(st.tuples(st.binary(max_size=80), st.floats(0, 1e6)), max_size=40))
def test_no_payload_raises_or_stays(payloads: list[tuple[bytes, float]]) -> None:
    inbox = Inbox(PROTOCOL)
    for tick, (payload, now_tick) in enumerate(payloads, 1):
        inbox.receive(payload, now_tick)
        assert all(isinstance(command, Steer | Aim | Use) for command in inbox.take(tick))
        inbox.pace()
        assert inbox.waiting <= 4 * AHEAD * 60


@given(sets, st.integers(0, 80), st.integers(1, 255), st.integers(1, 40))
def test_no_flipped_byte_raises(wants: list[object], where: int, flip: int, tick: int) -> None:
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL)
    for noted in range(max(1, tick - 5), tick + 1):
        outbox.note(noted, wants[: noted % 4])
    payload = bytearray(outbox.payload((7, 7)).payload)
    payload[where % len(payload)] ^= flip
    inbox.receive(bytes(payload), 0.0)
    for taken in range(1, 45):
        assert len(inbox.take(taken)) <= MOST_COMMANDS
    assert inbox.waiting <= MOST_TICKS


def test_a_flood_costs_bounded_memory() -> None:
    inbox = Inbox(PROTOCOL, 1000)
    rng = random.Random(1)
    for _ in range(5000):
        inbox.receive(sent(rng.randrange(1 << rng.randrange(1, 33)) or 1, [Steer()]), 1000.5)
        inbox.receive(sent(rng.randrange(1001, 1200), [Steer()]), 1000.5)
    assert inbox.waiting <= AHEAD * 60


def test_nobody_needs_to_take_a_spectators() -> None:
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL, 5)
    for tick in range(10, 2000):
        outbox.note(tick, [])
        assert inbox.receive(outbox.payload((tick, 1)).payload, tick - 3.5) == (tick, 1, False)
        assert inbox.waiting <= 3 * AHEAD * 60


# What a game's author may do wrong


def test_a_command_never_declared() -> None:
    @dataclass(slots=True)
    class Fly:
        up: bool

    with pytest.raises(SchemaError, match=r"declare it with .command\(Fly\)"):
        Outbox(PROTOCOL).note(1, [Fly(True)])


def test_a_command_too_long_for_a_tick() -> None:
    with pytest.raises(EncodeError, match="as a message"):
        Outbox(PROTOCOL).note(1, [Use(Tool.AXE, "x" * 300)])


# Pace


def test_the_pace_says_how_early_commands_came() -> None:
    inbox = Inbox(PROTOCOL, 100)
    assert inbox.pace() is None
    inbox.receive(sent(102, []), 100.5)
    pace = inbox.pace()
    assert pace is not None
    assert (pace.tick, pace.least, pace.mean, pace.most) == (102, 1.5, 1.5, 1.5)
    assert inbox.pace() is None
    for tick, now in ((103, 101.0), (104, 103.0), (105, 105.5), (106, 112.5)):
        inbox.receive(sent(tick, []), now)
    pace = inbox.pace()
    assert pace is not None
    assert (pace.tick, pace.least, pace.most) == (106, -6.5, 2.0)
    assert pace.mean == (2.0 + 1.0 - 0.5 - 6.5) / 4


def test_a_pace_comes_five_times_a_second() -> None:
    outbox, inbox = Outbox(PROTOCOL), Inbox(PROTOCOL, 0)
    at: list[int] = []
    for tick in range(1, 601):
        outbox.note(tick + 3, [])
        inbox.receive(outbox.payload().payload, tick + 0.5)
        inbox.take(tick + 1)
        if inbox.pace() is not None:
            at.append(tick)
    assert sum(tick <= 60 for tick in at) > 8
    assert 45 <= sum(tick > 60 for tick in at) <= 46
