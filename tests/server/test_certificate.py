"""A server with its operator's certificate: checked at start, read again on a reload, and what becomes of invites."""

import asyncio
import datetime
import logging
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.errors import TickwireError
from engine.net.connection.invite import Invite
from engine.net.transport.tls import Identity
from engine.net.transport.token_service import NoTokenError, find_service
from engine.server.config import load
from engine.server.lifecycle import Service, Stage
from games import tag

NOW = datetime.datetime.now(datetime.UTC)
PATIENCE = 30.0
AUTHORITY = ec.generate_private_key(ec.SECP256R1())


def write_certificate(folder: Path, name: str, key: ec.EllipticCurvePrivateKey | None = None, days: float = 90) -> None:
    """`key.pem`, and `fullchain.pem` for a name, signed by an authority."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")]), x509.Name([]), key.public_key()
    )
    certificate = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=200))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .sign(AUTHORITY, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    (folder / "key.pem").chmod(0o600)
    (folder / "fullchain.pem").write_bytes(2 * certificate.public_bytes(pem))


CONFIG = """[server]
public = "{public}"
bind = "127.0.0.1:0"
[tls]
certificate = "fullchain.pem"
key = "key.pem"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "server.toml"
    path.write_text(CONFIG.format(public="localhost"))
    return path


class Running:
    """A server, and what it announced."""

    def __init__(self, file: Path) -> None:
        self.announced: list[str] = []
        self.service = Service(
            tag.GAME, load(file), folder=file.parent, read=lambda: load(file), announce=self.announced.append
        )

    async def __aenter__(self) -> "Running":
        self.task = asyncio.create_task(self.service.run())
        async with asyncio.timeout(PATIENCE):
            while self.service.stage is not Stage.READY and not self.task.done():
                await asyncio.sleep(0.005)
        if self.task.done():
            await self.task
        return self

    async def __aexit__(self, *_: object) -> None:
        self.service.stop()
        await self.task

    @property
    def invite(self) -> Invite:
        return Invite.parse(self.announced[-1])


async def leads_there(invite: Invite) -> bool:
    try:
        await find_service(invite.host, invite.port, invite.fingerprint)
    except NoTokenError:
        return False
    return True


# At start


@pytest.mark.parametrize(
    ("file_name", "content", "said"),
    [
        ("fullchain.pem", None, r"server.toml:5: tls.certificate = .*cannot be read: No such file"),
        ("fullchain.pem", b"noise", r"server.toml:5: tls.certificate = .*no certificate in PEM form"),
        ("key.pem", None, r"server.toml:6: tls.key = .*cannot be read: No such file"),
        ("key.pem", b"noise", r"server.toml:6: tls.key = .*no private key in PEM form"),
    ],
)
def test_what_is_of_no_use_is_named_with_file_and_line(
    file: Path, file_name: str, content: bytes | None, said: str
) -> None:
    write_certificate(file.parent, "localhost")
    (file.parent / file_name).unlink()
    if content is not None:
        (file.parent / file_name).write_bytes(content)
    service = Service(tag.GAME, load(file), folder=file.parent)
    for start in (lambda: asyncio.run(service.run()), service.check):
        with pytest.raises(TickwireError, match=said):
            start()


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="who may read what, by POSIX; root may all")
def test_a_key_that_may_not_be_read_is_named(file: Path) -> None:
    write_certificate(file.parent, "localhost")
    (file.parent / "key.pem").chmod(0)
    with pytest.raises(TickwireError, match=r"tls.key.*Permission denied.*let the account"):
        Service(tag.GAME, load(file)).check()


def test_a_key_of_another_certificate_is_named_by_where_it_was_given(file: Path, tmp_path: Path) -> None:
    write_certificate(tmp_path, "localhost")
    write_certificate(tmp_path / "other", "localhost")
    given = load(file, options={"tls.key": tmp_path / "other" / "key.pem"})
    with pytest.raises(TickwireError, match=r"--tls-key .*not the key of the certificate"):
        Service(tag.GAME, given).check()


def test_a_check_makes_no_key_of_its_own(tmp_path: Path) -> None:
    assert Service(tag.GAME, load(), folder=tmp_path).check() == []
    assert list(tmp_path.iterdir()) == []


def test_an_expired_one_is_a_warning(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_certificate(file.parent, "localhost", days=-3)
    (warning,) = Service(tag.GAME, load(file)).check()
    assert "expired on" in warning

    async def scene() -> None:
        async with Running(file) as running:
            assert await leads_there(running.invite)

    asyncio.run(scene())
    assert "expired on" in caplog.text


@pytest.mark.parametrize(("public", "said"), [("other.example", "not for other.example"), ("", "server.public")])
def test_one_that_does_not_cover_the_name_in_invites_is_warned_of(file: Path, public: str, said: str) -> None:
    write_certificate(file.parent, "localhost")
    file.write_text(CONFIG.format(public=public))
    (warning,) = Service(tag.GAME, load(file)).check()
    assert said in warning


# Invites


def test_invites_by_a_name_that_is_vouched_for_say_so(file: Path) -> None:
    async def scene(public: str) -> Invite:
        file.write_text(CONFIG.format(public=public))
        async with Running(file) as running:
            return running.invite

    write_certificate(file.parent, "localhost")
    assert asyncio.run(scene("localhost")).vouched
    assert not asyncio.run(scene("127.0.0.1")).vouched
    Identity.load(file.parent / "made")
    (file.parent / "fullchain.pem").write_bytes((file.parent / "made" / "certificate.pem").read_bytes())
    (file.parent / "key.pem").write_bytes((file.parent / "made" / "key.pem").read_bytes())
    assert not asyncio.run(scene("localhost")).vouched


def test_a_reload_shows_the_renewed_certificate_to_who_comes_then(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    write_certificate(file.parent, "localhost", key)

    async def scene() -> None:
        async with Running(file) as running:
            first = running.invite
            running.service.reload()
            assert running.announced == [str(first)]

            write_certificate(file.parent, "localhost", key, days=40)
            running.service.reload()
            assert running.announced == [str(first)], "the same key, so the invite is the same"

            write_certificate(file.parent, "localhost")
            running.service.reload()
            second = running.invite
            assert second.vouched
            assert second.fingerprint != first.fingerprint
            assert await leads_there(second)
            assert not await leads_there(first), "by its key; by the authority's word it does, if that is known"
            assert "as before, by the name localhost" in caplog.text

            (file.parent / "key.pem").write_bytes(b"noise")
            running.service.reload()
            assert await leads_there(second)
            assert "the configuration stays as it was" in caplog.text

    with caplog.at_level(logging.INFO):
        asyncio.run(scene())


def test_a_reload_can_bring_the_first_certificate_and_take_it_back(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = '[server]\npublic = "localhost"\nbind = "127.0.0.1:0"\n'
    with_certificate = file.read_text()
    write_certificate(file.parent, "localhost")
    file.write_text(own)

    async def scene() -> None:
        async with Running(file) as running:
            made = running.invite
            file.write_text(with_certificate)
            running.service.reload()
            assert running.invite.vouched
            assert await leads_there(running.invite)
            assert "hold no more" in caplog.text
            file.write_text(own)
            running.service.reload()
            assert running.invite == made
            assert await leads_there(made)

    asyncio.run(scene())
