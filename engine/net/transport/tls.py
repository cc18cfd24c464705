"""The TLS key of a server that no certificate authority vouches for: made once, kept in a folder, known by its hash."""

from __future__ import annotations

import datetime
import hashlib
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Identity:
    """A key and its certificate, as files."""

    key_file: Path
    certificate_file: Path
    fingerprint: bytes
    """SHA-256 of the key's SubjectPublicKeyInfo; what an `Invite` holds."""

    @classmethod
    def load(cls, folder: Path) -> Identity:
        """The identity kept in `folder`, made there if there is none. Raises `ValueError` if it is damaged."""
        key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
        if not certificate_file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _make(key_file, certificate_file)
        try:
            return cls.of(key_file, certificate_file)
        except ValueError:
            raise ValueError(f"{certificate_file} is damaged: delete it, and invite everyone anew") from None

    @classmethod
    def of(cls, key_file: Path, certificate_file: Path) -> Identity:
        """A key and certificate from elsewhere, such as an authority. Raises `OSError`; `ValueError` if it is none."""
        try:
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        except ValueError as error:
            raise ValueError(f"{certificate_file} is no certificate in PEM form: {error}") from error
        return cls(key_file, certificate_file, fingerprint_of(certificate))

    def context(self) -> ssl.SSLContext:
        """For serving with this identity."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate_file, self.key_file)
        return context


def fingerprint_of(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate's public key, as SubjectPublicKeyInfo."""
    key = certificate.public_key()
    return hashlib.sha256(
        key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).digest()


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
