"""Who a server is to those who connect: a key and its certificate, and how an invite knows them again.

A server without a certificate makes an identity once and keeps it in a folder; no authority vouches for it, and invites
know it by the hash of its key. One with a certificate from an authority is known by the hash of its key as well: that
asks nothing of a player's machine, and holds through every renewal that keeps the key. For those that do not, an invite
can say that the authority's word for the host's name will do (`Invite.vouched`).
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.errors import TickwireError

SOON = datetime.timedelta(days=14)
"""So long before its end a certificate is worth a word: whoever renews them by machine has done it by then."""


class IdentityError(TickwireError, ValueError):
    """A certificate or key is of no use; the message says why, and what would be."""

    def __init__(self, words: str, *, of_key: bool = False) -> None:
        super().__init__(words)
        self.of_key = of_key
        """Whether it is the key that is wrong, not the certificate."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A key and its certificate, as files."""

    key_file: Path
    certificate_file: Path
    fingerprint: bytes
    """SHA-256 of the key's SubjectPublicKeyInfo; what an `Invite` holds."""
    chain: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    """The server's own certificate, then those of who signed it."""

    @classmethod
    def load(cls, folder: Path) -> Identity:
        """The identity kept in `folder`, made there if there is none.

        Raises `ValueError` if it is damaged, and `OSError` if it cannot be read or made.
        """
        key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
        if not certificate_file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _make(key_file, certificate_file)
        try:
            return cls.of(key_file, certificate_file)
        except IdentityError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
                raise cause from None
            raise ValueError(f"{certificate_file} is damaged: delete it, and invite everyone anew") from None

    @classmethod
    def of(cls, key_file: Path, certificate_file: Path) -> Identity:
        """A key and a certificate from elsewhere, such as an authority, in PEM form; below the latter, its chain.

        Raises `IdentityError` if they cannot be read, or do not fit.
        """
        content = _read(certificate_file, of_key=False)
        _read(key_file, of_key=True)
        try:
            chain = x509.load_pem_x509_certificates(content)
        except ValueError as error:
            raise IdentityError(
                "no certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----; from DER: "
                "openssl x509 -inform der -in FILE -out certificate.pem"
            ) from error
        found = cls(key_file, certificate_file, fingerprint_of(chain[0]), tuple(chain))
        found.context()
        return found

    def context(self) -> ssl.SSLContext:
        """For serving with this identity. Raises `IdentityError` if key and certificate do not fit."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        asked: list[bool] = []

        def no_password() -> str:  # else OpenSSL asks for it on the terminal, and waits
            asked.append(True)
            return ""

        try:
            context.load_cert_chain(self.certificate_file, self.key_file, no_password)
        except ssl.SSLError as error:
            if asked:
                cure = "openssl pkey -in FILE -out key.pem, and keep that to yourself"
                raise IdentityError(
                    f"a key with a password, which nobody is there to type: {cure}", of_key=True
                ) from error
            if error.reason == "KEY_VALUES_MISMATCH":
                raise IdentityError(
                    "not the key of the certificate: give the key that the certificate was asked for with; and the "
                    "server's own certificate comes first in its file, before those of who signed it",
                    of_key=True,
                ) from error
            raise IdentityError(
                "no private key in PEM form, which begins with -----BEGIN PRIVATE KEY-----", of_key=True
            ) from error
        except OSError as error:
            raise IdentityError(f"cannot be read: {error.strerror or error}") from error
        return context

    # What can be said of a certificate

    @property
    def end(self) -> datetime.datetime:
        """When it ends, by its own word."""
        return self.chain[0].not_valid_after_utc

    @property
    def names(self) -> tuple[str, ...]:
        """The host names and addresses it is for (RFC 5280, 4.2.1.6)."""
        try:
            found = self.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, ValueError):
            return ()
        return (*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress)))

    @property
    def self_signed(self) -> bool:
        """Whether no authority has signed it."""
        return self.chain[0].issuer == self.chain[0].subject

    def vouches_for(self, host: str) -> bool:
        """Whether an authority has signed it for this host name or address, by the rules of RFC 9525, 6.3."""
        return not self.self_signed and any(_covers(name, host) for name in self.names)

    def concerns(self, now: datetime.datetime) -> list[str]:
        """What is allowed, but may not be meant, as lines for people."""
        found: list[str] = []
        own = self.chain[0]
        if now > self.end:
            found.append(f"{self.certificate_file}: expired on {_day(self.end)}: renew it, and reload")
        elif now > self.end - SOON:
            found.append(f"{self.certificate_file}: ends on {_day(self.end)}: renew it, and reload")
        elif now < own.not_valid_before_utc:
            found.append(
                f"{self.certificate_file}: holds from {_day(own.not_valid_before_utc)} only: is the clock right?"
            )
        if not self.self_signed and len(self.chain) == 1:
            found.append(
                f"{self.certificate_file}: holds no chain: unless everyone knows {own.issuer.rfc4514_string()}, "
                "give the file that has the certificates of who signed it, too, such as fullchain.pem"
            )
        if os.name == "posix" and self.key_file.stat().st_mode & 0o004:
            found.append(f"{self.key_file}: everyone on this machine can read this key: chmod o-r")
        return found


class LiveContext:
    """A context for serving whose identity can be another for connections from now on."""

    def __init__(self, identity: Identity) -> None:
        self.context = identity.context()
        self._current = self.context
        # OpenSSL keeps a certificate for each kind of key, so loading another into the same context would not do.
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        """Asked at the beginning of each connection, whether or not the client gives a name."""
        connection.context = self._current

    def show(self, identity: Identity) -> None:
        """Be this one from now on. Raises `IdentityError`, and stays as before."""
        self._current = identity.context()


def fingerprint_of(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate's public key, as SubjectPublicKeyInfo."""
    key = certificate.public_key()
    return hashlib.sha256(
        key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def _read(path: Path, *, of_key: bool) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        cure = ""
        if isinstance(error, FileNotFoundError):
            cure = "; a path in a file is relative to that file's folder"
        elif isinstance(error, PermissionError):
            cure = "; let the account that runs the server read it"
        raise IdentityError(f"cannot be read: {error.strerror or error}{cure}", of_key=of_key) from error


def _covers(name: str, host: str) -> bool:
    name, host = name.lower(), host.lower().rstrip(".")
    try:
        return ipaddress.ip_address(host) == ipaddress.ip_address(name)
    except ValueError:
        label, _, rest = host.partition(".")
        return name == host or (name.startswith("*.") and bool(label) and bool(rest) and rest == name[2:])


def _day(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _make(key_file: Path, certificate_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tickwire")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        # RFC 5280, 4.1.2.5: the date that says there is no end. Whoever connects trusts the key, not the date.
        .not_valid_after(datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(secret)
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
