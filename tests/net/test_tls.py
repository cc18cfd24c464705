"""A server's certificate, its own or an operator's: what is of no use is named with a cure, and invites survive it."""

import asyncio
import datetime
import ipaddress
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from engine.net.connection.address import Address
from engine.net.connection.invite import Invite
from engine.net.connection.issuer import Issuer
from engine.net.transport.host import listen
from engine.net.transport.tls import Identity, IdentityError, LiveContext
from engine.net.transport.token_service import NoTokenError, find_service, request_token, serve_tokens
from engine.net.transport.token_service import token_application as application_of
from engine.net.wire import Protocol

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
protocol = Protocol("hall", "1")
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """Signs certificates, as one that players' systems know."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, *names: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(named("Authority"))
            .issuer_name(named("Authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + 100 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names)]), critical=False)
        return cls(key, builder.sign(key, hashes.SHA256()))

    def write(
        self, folder: Path, *names: str, key: Key | None = None, days: float = 90, begins: float = -1
    ) -> tuple[Path, Path]:
        """A key and a certificate for these names, as files."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        found: list[x509.GeneralName] = []
        for name in names:
            try:
                found.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                found.append(x509.DNSName(name))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(named("server"))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + min(begins, days - 1) * DAY)
            .not_valid_after(NOW + days * DAY)
            .add_extension(x509.SubjectAlternativeName(found), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        key_file, certificate_file = folder / "key.pem", folder / "fullchain.pem"
        key_file.write_bytes(pem_of(key))
        key_file.chmod(0o600)
        certificate_file.write_bytes(pem_of(certificate) + pem_of(self.certificate))
        return key_file, certificate_file


def pem_of(what: x509.Certificate | Key) -> bytes:
    if isinstance(what, x509.Certificate):
        return what.public_bytes(serialization.Encoding.PEM)
    return what.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make()


# What is of no use


def damage(key_file: Path, certificate_file: Path, how: str, authority: Authority) -> None:
    content = certificate_file.read_bytes()
    match how:
        case "no certificate":
            certificate_file.unlink()
        case "no key":
            key_file.unlink()
        case "a folder":
            certificate_file.unlink()
            certificate_file.mkdir()
        case "noise":
            certificate_file.write_bytes(b"noise")
        case "der":
            certificate_file.write_bytes(
                x509.load_pem_x509_certificate(content).public_bytes(serialization.Encoding.DER)
            )
        case "another key":
            key_file.write_bytes(pem_of(ec.generate_private_key(ec.SECP256R1())))
        case "an rsa key":
            key_file.write_bytes(pem_of(rsa.generate_private_key(65537, 2048)))
        case "authority first":
            certificate_file.write_bytes(pem_of(authority.certificate) + content)
        case "not a key":
            key_file.write_bytes(content)
        case _:
            key = serialization.load_pem_private_key(key_file.read_bytes(), None)
            locked = serialization.BestAvailableEncryption(b"sesame")
            key_file.write_bytes(
                key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
            )


@pytest.mark.parametrize(
    ("how", "of_key", "words"),
    [
        ("no certificate", False, "No such file"),
        ("no key", True, "No such file"),
        ("a folder", False, "cannot be read"),
        ("noise", False, "no certificate in PEM form"),
        ("der", False, "openssl x509 -inform der"),
        ("another key", True, "not the key of the certificate"),
        ("an rsa key", True, "not the key|no private key"),
        ("authority first", True, "comes first"),
        ("not a key", True, "no private key in PEM form"),
        ("locked", True, "openssl pkey"),
    ],
)
def test_what_is_of_no_use_says_which_file_and_the_cure(
    tmp_path: Path, authority: Authority, how: str, of_key: bool, words: str
) -> None:
    files = authority.write(tmp_path, "play.example.org")
    damage(*files, how, authority)
    with pytest.raises(IdentityError, match=words) as error:
        Identity.of(*files)
    assert error.value.of_key is of_key


# What is known of one


@pytest.mark.parametrize(
    ("host", "vouched"),
    [
        ("play.example.org", True),
        ("PLAY.example.org.", True),
        ("eu.games.example.org", True),
        ("a.eu.games.example.org", False),
        ("games.example.org", False),
        ("example.org", False),
        ("203.0.113.9", True),
        ("203.0.113.8", False),
        ("2001:db8:0::9", True),
        ("*.games.example.org", True),
        ("", False),
    ],
)
def test_a_certificate_vouches_for_its_names(tmp_path: Path, authority: Authority, host: str, vouched: bool) -> None:
    files = authority.write(tmp_path, "play.example.org", "*.games.example.org", "203.0.113.9", "2001:db8::9")
    assert Identity.of(*files).vouches_for(host) is vouched


def test_one_that_a_server_made_itself_vouches_for_nothing(tmp_path: Path) -> None:
    made = Identity.load(tmp_path)
    assert made.self_signed
    assert not made.vouches_for("tickwire")
    assert made.concerns(NOW) == []
    assert Identity.of(made.key_file, made.certificate_file) == made


def test_one_that_nobody_else_signed_vouches_for_nothing(tmp_path: Path) -> None:
    alone = Authority.make("localhost")
    key_file, certificate_file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key_file.write_bytes(pem_of(alone.key))
    certificate_file.write_bytes(pem_of(alone.certificate))
    identity = Identity.of(key_file, certificate_file)
    assert identity.names == ("localhost",)
    assert not identity.vouches_for("localhost")


def test_what_may_not_be_meant_is_said(tmp_path: Path, authority: Authority) -> None:
    def concerns(days: float = 90, begins: float = -1) -> str:
        files = authority.write(tmp_path, "a.example", days=days, begins=begins)
        return " ".join(Identity.of(*files).concerns(NOW))

    assert concerns() == ""
    assert "expired on" in concerns(days=-2)
    assert "ends on" in concerns(days=3)
    assert "clock" in concerns(begins=5)
    key_file, certificate_file = authority.write(tmp_path, "a.example")
    content = certificate_file.read_bytes()
    certificate_file.write_bytes(content[: content.index(b"-----BEGIN", 10)])
    assert "fullchain.pem" in " ".join(Identity.of(key_file, certificate_file).concerns(NOW))


@pytest.mark.skipif(os.name != "posix", reason="permissions of files are those of POSIX")
def test_a_key_that_all_can_read_is_warned_of(tmp_path: Path, authority: Authority) -> None:
    key_file, certificate_file = authority.write(tmp_path, "a.example")
    key_file.chmod(0o644)
    assert "chmod o-r" in " ".join(Identity.of(key_file, certificate_file).concerns(NOW))


# Invites and what becomes of the certificate


def test_an_invite_that_trusts_authorities_survives_text() -> None:
    for room in ("", "k3f9"):
        invite = Invite("play.example.org", 7777, bytes(32), room, vouched=True)
        assert "ca=1" in str(invite)
        assert Invite.parse(str(invite)) == invite
    with pytest.raises(ValueError, match="nothing else"):
        Invite.parse(str(invite).replace("ca=1", "ca=2"))


def serve(identity: Identity, scene: Callable[[LiveContext, int], Awaitable[None]]) -> None:
    """Run a scene against a token service that shows an identity."""

    async def whole() -> None:
        listening = listen(Address("127.0.0.1", 0))
        live = LiveContext(identity)
        issuer = Issuer(protocol, bytes(32), [Address("127.0.0.1", 7777)])
        site = await serve_tokens(application_of(issuer), listening, live.context)
        try:
            async with asyncio.timeout(20):
                await scene(live, listening.getsockname()[1])
        finally:
            await site.close()

    asyncio.run(whole())


@pytest.fixture
def trusted(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that the player's system trusts."""
    file = tmp_path / "authority.pem"
    file.write_bytes(pem_of(authority.certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return authority


def test_a_renewed_certificate_with_the_same_key_is_not_even_noticed(tmp_path: Path, authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    before = Identity.of(*authority.write(tmp_path / "1", "localhost", key=key))
    after = Identity.of(*authority.write(tmp_path / "2", "localhost", key=key))

    async def scene(live: LiveContext, port: int) -> None:
        invite = Invite("localhost", port, before.fingerprint)
        await request_token(invite, protocol)
        live.show(after)
        await request_token(invite, protocol)
        assert after.chain != before.chain

    serve(before, scene)


def test_a_new_key_will_do_if_an_authority_vouches_for_it_and_the_invite_says_so(
    tmp_path: Path, trusted: Authority
) -> None:
    before = Identity.of(*trusted.write(tmp_path / "1", "localhost"))
    after = Identity.of(*trusted.write(tmp_path / "2", "localhost", key=rsa.generate_private_key(65537, 2048)))

    async def scene(live: LiveContext, port: int) -> None:
        live.show(after)
        invite = Invite("localhost", port, before.fingerprint, vouched=True)
        assert (await request_token(invite, protocol)).servers == (Address("127.0.0.1", 7777),)
        found = await find_service("localhost", port, before.fingerprint, vouched=True)
        assert found.invite.fingerprint == after.fingerprint
        assert found.address in ("127.0.0.1", "::1")
        with pytest.raises(NoTokenError, match="another key than the invite says: it is old"):
            await request_token(Invite("localhost", port, before.fingerprint), protocol)

    serve(before, scene)


@pytest.mark.parametrize(
    ("names", "days", "why"), [("other.example", 9, "localhost|[Hh]ostname"), ("localhost", -2, "expired")]
)
def test_an_authoritys_word_has_to_be_for_this_name_and_now(
    tmp_path: Path, trusted: Authority, names: str, days: int, why: str
) -> None:
    async def scene(live: LiveContext, port: int) -> None:
        with pytest.raises(NoTokenError, match=f"nobody vouches for it: .*({why})"):
            await request_token(Invite("localhost", port, bytes(32), vouched=True), protocol)

    serve(Identity.of(*trusted.write(tmp_path, names, days=days)), scene)


def test_an_authority_that_nobody_knows_counts_for_nothing(tmp_path: Path, trusted: Authority) -> None:
    stranger = Authority.make()
    identity = Identity.of(*stranger.write(tmp_path, "localhost"))

    async def scene(live: LiveContext, port: int) -> None:
        with pytest.raises(NoTokenError, match="nobody vouches for it"):
            await request_token(Invite("localhost", port, bytes(32), vouched=True), protocol)
        await request_token(Invite("localhost", port, identity.fingerprint, vouched=True), protocol)

    serve(identity, scene)


def test_an_expired_certificate_does_not_matter_to_who_knows_the_key(tmp_path: Path, authority: Authority) -> None:
    identity = Identity.of(*authority.write(tmp_path, "localhost", days=-5))

    async def scene(live: LiveContext, port: int) -> None:
        await request_token(Invite("localhost", port, identity.fingerprint, vouched=True), protocol)

    serve(identity, scene)


def test_nothing_is_asked_of_a_stranger(tmp_path: Path, trusted: Authority) -> None:
    """Whoever is in between learns no password."""
    asked: list[str] = []

    async def spy(request: web.Request) -> web.Response:
        asked.append(await request.text())
        return web.json_response({})

    async def whole() -> None:
        application = web.Application()
        application.router.add_route("*", "/token", spy)
        listening = listen(Address("127.0.0.1", 0))
        identity = Identity.of(*Authority.make().write(tmp_path, "localhost"))
        site = await serve_tokens(application, listening, identity.context())
        invite = Invite("localhost", listening.getsockname()[1], bytes(32), vouched=True)
        with pytest.raises(NoTokenError):
            await request_token(invite, protocol, secret="sesame")
        await site.close()

    asyncio.run(whole())
    assert asked == []


def test_a_context_that_changes_shows_one_certificate_at_a_time(tmp_path: Path, authority: Authority) -> None:
    """Whatever kind of key the client would rather see."""
    first = Identity.of(*authority.write(tmp_path / "1", "localhost"))
    second = Identity.of(*authority.write(tmp_path / "2", "localhost", key=rsa.generate_private_key(65537, 2048)))
    live = LiveContext(first)
    seen = [met(live)]
    live.show(second)
    seen.append(met(live))
    second.key_file.write_bytes(b"noise")
    with pytest.raises(IdentityError):
        live.show(second)
    seen.append(met(live))
    assert seen == [one.chain[0].public_bytes(serialization.Encoding.DER) for one in (first, second, second)]


def met(live: LiveContext) -> bytes | None:
    """The certificate that a client is shown, by a handshake in memory, without a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(back, there)
    server = live.context.wrap_bio(there, back, server_side=True)
    sides = [client, server]
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.getpeercert(binary_form=True)
