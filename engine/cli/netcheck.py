"""`tickwire netcheck`: what is between here and a server, step by step, and in words what is wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from engine.net.connection.events import Disconnected, Reason, Refusal, Refused
from engine.net.connection.invite import SCHEME, Invite
from engine.net.connection.probe import SIZES, Probe
from engine.net.connection.token import ConnectToken
from engine.net.transport.capture import Capture
from engine.net.transport.token_service import NoTokenError, Service, find_service, request_token_for
from engine.net.transport.udp import Udp

REACH_SECONDS = 3.0
"""How long a name, or a TCP connection, may take."""
SLOW = 0.15
"""Seconds of round trip that players feel."""
UNSTEADY = 0.02
"""Seconds of jitter that prediction has to hide."""
LOSSY = 0.02


class Verdict(Enum):
    """What a finding means for play."""

    GOOD = "ok  "
    FAIR = "note"
    BAD = "BAD "


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"{self.verdict.value}  {self.text}"


def run_netcheck(target: str, *, secret: str, seconds: float, capture: Path | None) -> int:
    """Print finding after finding; the exit code is 1 if one is bad."""

    async def report() -> bool:
        bad = False
        async for finding in check(target, secret=secret, seconds=seconds, capture=capture):
            print(finding, flush=True)
            bad = bad or finding.verdict is Verdict.BAD
        return bad

    try:
        return int(asyncio.run(report()))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


async def check(
    target: str, *, secret: str = "", seconds: float = 4.0, capture: Path | None = None
) -> AsyncIterator[Finding]:
    """Go the way a player's game goes: name, TCP, HTTPS, token, UDP; then measure. Ends where the way does."""
    try:
        host, port, fingerprint, vouched = _parse(target)
    except ValueError as wrong:
        yield Finding(Verdict.BAD, str(wrong))
        return
    reached = await _reach(host, port)
    yield reached
    if reached.verdict is Verdict.BAD:
        return
    try:
        service = await find_service(host, port, fingerprint, vouched=vouched)
    except NoTokenError as none:
        yield Finding(Verdict.BAD, f"the token service does not answer: {none}")
        return
    yield Finding(Verdict.GOOD, f"the server runs {service.build}")
    if fingerprint is None:
        yield Finding(
            Verdict.FAIR, f"its key was taken on trust; if it is the right server, its invite is {service.invite}"
        )
        if secret:
            yield Finding(Verdict.BAD, "a password is only said to a server whose invite is given: it may be another's")
            return
    try:
        token = await request_token_for(service.invite, service.build, name="netcheck", secret=secret)
    except NoTokenError as none:
        cure = "; give it with --password" if "password" in str(none) and not secret else ""
        yield Finding(Verdict.BAD, f"the server gives no connect token: {none}{cure}")
        return
    yield Finding(Verdict.GOOD, f"the server gave a connect token, for {', '.join(map(str, token.servers))}")
    async for finding in _measure(token, service, seconds, capture):
        yield finding


def _parse(target: str) -> tuple[str, int, bytes | None, bool]:
    if target.startswith(f"{SCHEME}:"):
        invite = Invite.parse(target)
        return invite.host, invite.port, invite.fingerprint, invite.vouched
    host, colon, port = target.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        raise ValueError(f"{target!r} is neither an invite nor an address with a port, as in 203.0.113.9:7777")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    invite = Invite(host, int(port), bytes(32))
    return invite.host, invite.port, None, False


async def _reach(host: str, port: int) -> Finding:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(REACH_SECONDS):
            found = await loop.getaddrinfo(host, port)
    except TimeoutError:
        return Finding(Verdict.BAD, f"looking up {host} takes over {REACH_SECONDS:.0f} s: the name service is down")
    except (OSError, UnicodeError):
        return Finding(Verdict.BAD, f"there is no host named {host}: look for a typing error, or ask for a new invite")
    addresses = ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found))
    began = loop.time()
    try:
        async with asyncio.timeout(REACH_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return Finding(Verdict.BAD, f"{addresses} is up, but no server listens at TCP port {port}: is it running?")
    except TimeoutError:
        why = "the host is down, or a firewall drops what comes from here"
        return Finding(Verdict.BAD, f"{addresses} does not answer at TCP port {port} in {REACH_SECONDS:.0f} s: {why}")
    except OSError as error:
        return Finding(Verdict.BAD, f"{addresses} cannot be reached: {error.strerror or error}")
    took = loop.time() - began
    writer.close()
    return Finding(Verdict.GOOD, f"{addresses} answers at TCP port {port}, in {took * 1000:.0f} ms")


async def _measure(
    token: ConnectToken, service: Service, seconds: float, capture: Path | None
) -> AsyncIterator[Finding]:
    probe = Probe(token, asyncio.get_running_loop().time(), seconds=seconds)
    over = asyncio.Event()
    events: list[object] = []

    def sink(event: object) -> None:
        events.append(event)
        if isinstance(event, Disconnected | Refused):
            over.set()

    written = Capture(capture) if capture is not None else None
    udp = Udp(probe, sink, capture=written)
    try:
        udp.open()
        async with asyncio.timeout(seconds + 2 + len(token.servers) * (token.timeout + 1)):
            await over.wait()
    except TimeoutError:
        pass
    finally:
        udp.close()
        if written is not None and capture is not None:
            written.close()
            token_file = capture.with_name(f"{capture.name}.token")
            token_file.write_bytes(token.encode())
            yield Finding(Verdict.GOOD, f"captured: see it with `tickwire dissect {capture} --token {token_file}`")
    for finding in judge(probe, events, service.invite.port):
        yield finding


def judge(probe: Probe, events: list[object], port: int) -> list[Finding]:
    """What a probe that is over has found out."""
    ends = [event for event in events if isinstance(event, Disconnected | Refused)]
    match ends:
        case [Refused(reason=Refusal.NO_ANSWER | Refusal.TOKEN_EXPIRED)]:
            why = f"open, or forward, UDP port {port} too, on the router and in every firewall on the way"
            return [Finding(Verdict.BAD, f"TCP works, but {probe.server} does not answer over UDP: {why}")]
        case [Refused() as refused]:
            return [Finding(Verdict.BAD, f"not connected: {refused}")]
        case [Disconnected(reason=Reason.CLOSED)]:
            pass
        case [Disconnected() as gone]:
            return [Finding(Verdict.BAD, f"the connection broke off: {gone}")]
        case _:
            return [Finding(Verdict.BAD, f"{probe.server} could not be asked in time")]
    findings = [Finding(Verdict.GOOD, f"connected over UDP to {probe.server}, which has {probe.slots} slots")]
    findings.append(_round_trips(probe))
    for way, loss in (("to", probe.loss_up), ("from", probe.loss_down)):
        verdict = Verdict.GOOD if loss < LOSSY else Verdict.FAIR if loss < 0.15 else Verdict.BAD
        advice = "" if loss < LOSSY else "; on Wi-Fi, try a cable; else something on the way is overloaded"
        findings.append(Finding(verdict, f"{loss:.1%} of the datagrams {way} the server are lost{advice}"))
    if probe.longest == SIZES[-1]:
        findings.append(Finding(Verdict.GOOD, f"datagrams of {probe.longest} bytes pass, the longest a game sends"))
    else:
        cure = "a tunnel or VPN on the way has a small MTU: set it to 1280 at least"
        findings.append(
            Finding(Verdict.BAD, f"datagrams over {probe.longest} bytes do not pass, games send {SIZES[-1]}: {cure}")
        )
    return findings


def _round_trips(probe: Probe) -> Finding:
    estimate = probe.estimate
    if not estimate.samples:
        return Finding(Verdict.BAD, "no datagram was acknowledged: everything after the handshake is lost")
    least = estimate.minimum
    text = f"round trip {least * 1000:.0f} ms at the least, {estimate.rtt * 1000:.0f} on average, "
    text += f"jitter {estimate.deviation * 1000:.0f}"
    if least > SLOW:
        return Finding(Verdict.FAIR, f"{text}: far away, or a slow line; players will feel it")
    if estimate.deviation > UNSTEADY:
        return Finding(Verdict.FAIR, f"{text}: unsteady; is something else using the line?")
    return Finding(Verdict.GOOD, text)
