"""`tickwire netcheck`: what it says of servers that work, do not, or are something else."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.cli.netcheck import Finding, Verdict, check, judge
from engine.net.connection.address import Address
from engine.net.connection.invite import Invite
from engine.net.connection.issuer import Password
from engine.net.connection.probe import SIZES, Probe
from engine.net.connection.server import Server
from engine.net.connection.token import issue_token
from engine.net.transport.conditioner import Conditions, Link
from engine.net.transport.host import Host, HostError
from engine.net.wire import Channel, MaxBytes, Protocol


@dataclass(slots=True)
class Say:
    text: Annotated[str, MaxBytes(100)]


PROTOCOL = Protocol("hall", "1.2").message(Say, Channel.RELIABLE_ORDERED)
KEY = bytes(range(32))
SERVER = Address("192.0.2.1", 7777)
HERE = Address("198.51.100.7", 50000)


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(whole())


async def findings(target: object, **options: object) -> list[Finding]:
    return [finding async for finding in check(str(target), seconds=0.3, **options)]  # pyright: ignore[reportArgumentType]


def text_of(found: list[Finding]) -> str:
    assert all("\n" not in str(finding) for finding in found)
    return "\n".join(map(str, found))


def test_a_server_that_works_is_measured(tmp_path: Path) -> None:
    async def scene() -> None:
        events: list[object] = []
        async with await Host.open(PROTOCOL, events.append, host="127.0.0.1", port=0, folder=tmp_path) as host:
            host.broadcast(Say("not for a probe"))
            for target in (host.invite, f"127.0.0.1:{host.invite.port}"):
                found = await findings(target)
                said = text_of(found)
                assert not [finding for finding in found if finding.verdict is Verdict.BAD], said
                assert "the server runs hall 1.2" in said
                assert "64 slots" in said
                assert "round trip" in said
                assert "1200 bytes pass" in said
            assert str(host.invite) in said

    run(scene)


def test_a_capture_of_it_can_be_dissected(tmp_path: Path) -> None:
    async def scene() -> None:
        async with await Host.open(PROTOCOL, lambda event: None, host="127.0.0.1", port=0, folder=tmp_path) as host:
            said = text_of(await findings(host.invite, capture=tmp_path / "way.pcap"))
            assert "way.pcap.token" in said

    run(scene)
    done = CliRunner().invoke(main, ["dissect", f"{tmp_path}/way.pcap", "--token", f"{tmp_path}/way.pcap.token"])
    assert done.exit_code == 0
    for word in ("request", "challenge", "response #0", "keep-alive #0, slot 0 of 64", "padding", "disconnect"):
        assert word in done.output
    assert "malformed" not in done.output
    without = CliRunner().invoke(main, ["dissect", f"{tmp_path}/way.pcap"]).output
    assert "sealed" in without
    assert "padding" not in without


def test_a_password_is_asked_for_and_said_to_the_invited_only(tmp_path: Path) -> None:
    async def scene() -> None:
        async with await Host.open(
            PROTOCOL, lambda event: None, host="127.0.0.1", port=0, folder=tmp_path, door=Password("sesame")
        ) as host:
            assert "--password" in text_of(await findings(host.invite))
            assert "wrong" in text_of(await findings(host.invite, secret="seed"))
            assert "whose invite is given" in text_of(await findings(f"127.0.0.1:{host.invite.port}", secret="sesame"))
            assert "connected" in text_of(await findings(host.invite, secret="sesame"))
            other = Invite("127.0.0.1", host.invite.port, bytes(32))
            assert "another key" in text_of(await findings(other))

    run(scene)


def test_something_else_that_listens_is_named(tmp_path: Path) -> None:
    async def scene() -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            found = await findings(f"127.0.0.1:{port}")
        assert [finding.verdict for finding in found] == [Verdict.GOOD, Verdict.BAD]
        assert "cannot be reached" in str(found[1])
        assert "no server listens" in text_of(await findings(f"127.0.0.1:{port}"))

    run(scene)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("hall", "neither an invite nor an address"),
        ("127.0.0.1:0", "not 1 to 65535"),
        ("tickwire://127.0.0.1:7777", "key="),
        ("host.invalid:7777", "no host named host.invalid"),
        ("a" * 70 + ".invalid:7777", "no host named"),
    ],
)
def test_a_target_that_is_none_is_one_line(target: str, said: str) -> None:
    done = CliRunner().invoke(main, ["netcheck", target])
    assert done.exit_code == 1
    assert said in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    async def scene() -> None:
        async with await Host.open(PROTOCOL, lambda event: None, host="127.0.0.1", port=0, folder=tmp_path) as host:
            with pytest.raises(HostError, match=f"127.0.0.1:{host.invite.port}.*choose another port"):
                await Host.open(PROTOCOL, lambda event: None, host="127.0.0.1", port=host.invite.port, folder=tmp_path)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            with pytest.raises(HostError, match="UDP"):
                await Host.open(PROTOCOL, lambda event: None, host="127.0.0.1", port=port, folder=tmp_path)

    run(scene)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process alone")
def test_it_can_be_stopped() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        command = [sys.executable, "-m", "engine.cli.main", "netcheck", f"127.0.0.1:{mute.getsockname()[1]}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert "answers at TCP" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "stopped\n")


# -- on bad networks, in virtual time ---------------------------------------------------------------------------------


def probed(conditions: Conditions, *, longest: int = 2000, slots: int = 4) -> list[Finding]:
    """What is found out on links like this, which lose every datagram over `longest` bytes."""
    server = Server(PROTOCOL, KEY, [SERVER], 0.0, epoch=0.0, max_clients=slots)
    token = issue_token(protocol_id=PROTOCOL.id, private_key=KEY, client_id=1, servers=[SERVER], now=0.0, timeout=3)
    probe = Probe(token, 0.0, seconds=8.0)
    up, down = Link(conditions, "up"), Link(conditions, "down")
    events: list[object] = []
    now = 0.0
    while not probe.over and now < 60:
        now += 0.005
        for datagram, source in up.arrivals(now):
            server.receive_datagram(datagram, source, now)
        for datagram, source in down.arrivals(now):
            probe.receive_datagram(datagram, source, now)
        for datagram, _ in server.datagrams_to_send(now):
            down.send(datagram, SERVER, now)
        for datagram, _ in probe.datagrams_to_send(now):
            if len(datagram) <= longest:
                up.send(datagram, HERE, now)
        while (event := probe.next_event()) is not None:
            events.append(event)
    assert probe.over
    return judge(probe, events, SERVER.port)


def test_what_is_wrong_with_the_way_is_said() -> None:
    good = text_of(probed(Conditions(latency=0.02)))
    assert good.count("ok  ") == 5
    assert "round trip 40 ms" in good
    assert "far away" in text_of(probed(Conditions(latency=0.1)))
    assert "unsteady" in text_of(probed(Conditions(latency=0.06, jitter=0.06)))
    lossy = probed(Conditions(latency=0.02, loss=0.08))
    assert [finding.verdict for finding in lossy].count(Verdict.FAIR) == 2
    assert text_of(probed(Conditions(latency=0.02, loss=0.3))).count("BAD ") >= 2
    assert f"over {SIZES[-2]} bytes do not pass" in text_of(probed(Conditions(latency=0.02), longest=1100))
    # A request has 1078 bytes, so what lets fewer pass lets nobody in.
    assert "does not answer over UDP" in text_of(probed(Conditions(latency=0.02), longest=1000))
    assert "does not answer over UDP" in text_of(probed(Conditions(loss=1.0)))
