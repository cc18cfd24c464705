"""The certificate a server shows: the operator's where the configuration names one, else one that it made itself."""

from __future__ import annotations

import datetime
from pathlib import Path

from engine.errors import TickwireError
from engine.net.transport.tls import Identity, IdentityError
from engine.server.schema import Config


class FolderError(TickwireError):
    """The key that the server made itself cannot be kept, or is damaged; the message says which file, and why."""


def identity_of(config: Config, folder: Path) -> Identity:
    """What the server is known by. One that it made itself is kept in `folder`.

    Raises `ConfigError` if the operator's certificate or key is of no use, `FolderError` if the server's own is not.
    """
    own = own_identity(config)
    if own is not None:
        return own
    try:
        return Identity.load(folder)
    except OSError as error:
        where = error.filename or folder
        raise FolderError(f"the TLS key cannot be read or kept: {where}: {error.strerror or error}") from error
    except ValueError as error:
        raise FolderError(str(error)) from error


def own_identity(config: Config) -> Identity | None:
    """The operator's, if the configuration names one. Raises `ConfigError` if it is of no use."""
    tls = config.tls
    if tls.certificate is None or tls.key is None:
        return None
    try:
        return Identity.of(tls.key, tls.certificate)
    except IdentityError as error:
        raise config.problem("tls.key" if error.of_key else "tls.certificate", str(error)) from error


def concerns_of(identity: Identity, config: Config, now: datetime.datetime) -> list[str]:
    """What an operator should know of a certificate of theirs, as lines for people."""
    if config.tls.certificate is None:
        return []
    found = identity.concerns(now)
    public = config.server.public
    if public and not identity.self_signed and not identity.vouches_for(public):
        names = ", ".join(identity.names) or "no name at all"
        found.append(
            f"{identity.certificate_file}: is for {names}, and not for {public}, which invites lead to: they will "
            "hold only as long as the key stays the same"
        )
    elif not public and not identity.self_signed:
        found.append(
            f"{identity.certificate_file}: is for {', '.join(identity.names) or 'no name at all'}, but invites lead to "
            "an address: set server.public to the name"
        )
    return found
