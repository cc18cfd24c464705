"""Saves that survive a crash at any moment, a full disk, and a damaged file.

    saves = Saves(Path("saves"))
    saves.write("room-k3f9", content)
    saved = saves.load("room-k3f9")     # the content, from the save before if the last one is damaged

What is in a save is the matter of whoever writes it; here it is bytes. Those of a room are made in
`engine.server.keeping`.

Files, for a save called NAME::

    NAME.save           the last one
    NAME.save.previous  the one before
    NAME.save.new       one that is being written

Layout, little-endian: magic ``TWSV`` | u32 version | u64 length of the content | SHA-256 of all other bytes | content.

A save is written to ``.new`` and flushed to the disk; then the last one becomes the previous one, and the new one the
last, each by a rename; then the folder is flushed. So at any moment the last one is whole, or the previous one is. One
that is damaged does not become the previous one.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import TickwireError

MAGIC = b"TWSV"
VERSION = 1
_HEADER = struct.Struct("<4sIQ")
_DIGEST_BYTES = 32
HEADER_BYTES = _HEADER.size + _DIGEST_BYTES
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_SUFFIX = ".save"

log = logging.getLogger("tickwire.server")


class SaveError(TickwireError):
    """Something cannot be saved or loaded; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What was loaded."""

    content: bytes
    path: Path
    """The file it is from."""
    problem: str
    """Why it is not the last save, in words; empty if it is."""


class Saves:
    """The saves in one folder, which only one process writes to.

    Its methods wait for the disk: on a loop, call them on another thread. Calls for different names may overlap.
    `step` is called before each step of writing with a word for it, for tests that end the process there.
    """

    def __init__(self, folder: Path, *, step: Callable[[str], object] = lambda _: None) -> None:
        self.folder = folder
        self._step = step

    def check(self) -> None:
        """See that saving is possible, making the folder. Raises `SaveError` if it is not."""
        probe = self.folder / ".probe"
        try:
            self._put(probe, bytes(4096))
            probe.unlink()
        except OSError as error:
            raise SaveError(f"cannot save in {self.folder}: {error.strerror or error}; set save.folder") from error

    def write(self, name: str, content: bytes) -> None:
        """Save `content` under `name`: letters, digits, ``.``, ``_`` and ``-``.

        When it returns, the content is on the disk. Raises `SaveError` if it is not; what was saved before still is.
        """
        last, previous, new = self._paths(name)
        try:
            self._put(new, seal(content))
            self._step("rotate")
            if _read(last) is not None:
                os.replace(last, previous)
            self._step("rename")
            os.replace(new, last)
            self._step("flush the folder")
            _flush_folder(self.folder)
            self._step("done")
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise SaveError(f"cannot save {last}: {error.strerror or error}; the save before is kept") from error

    def _put(self, path: Path, content: bytes) -> None:
        """Write a file and flush it to the disk."""
        self._step("make the folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._step("open")
        try:
            with open(path, "wb") as file:
                half = len(content) // 2
                self._step("write the first half")
                file.write(content[:half])
                file.flush()
                self._step("write the second half")
                file.write(content[half:])
                file.flush()
                self._step("flush the file")
                os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            raise

    def load(self, name: str) -> Saved | None:
        """The newest whole save called `name`; None if there never was one.

        Where that is not the last one, it says so, in the log too. Raises `SaveError` if there are files, but all of
        them are damaged; they are left for whoever wants to look at them.
        """
        problems: list[str] = []
        last, previous, _ = self._paths(name)
        for path in (last, previous):
            try:
                content = open_sealed(path.read_bytes())
            except FileNotFoundError:
                continue
            except ValueError as error:
                problems.append(f"{path} is damaged: {error}")
                continue
            except OSError as error:
                problems.append(f"{path} cannot be read: {error.strerror or error}")
                continue
            if path == last:
                return Saved(content, path, "")
            problem = f"{'; '.join(problems) or f'{last} is missing'}; taking {path.name}"
            log.warning("%s", problem)
            return Saved(content, path, problem)
        if not problems:
            return None
        raise SaveError(
            f"nothing saved as {name} can be used: {'; '.join(problems)}; move the files away to begin anew"
        )

    def names(self) -> list[str]:
        """What `load` may find something for, sorted."""
        endings = (_SUFFIX, f"{_SUFFIX}.previous")
        try:
            files = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SaveError(f"cannot look for saves in {self.folder}: {error.strerror or error}") from error
        names = {file.removesuffix(ending) for file in files for ending in endings if file.endswith(ending)}
        return sorted(name for name in names if _NAME.fullmatch(name))

    def remove(self, name: str) -> None:
        """Forget everything saved as `name`. Raises `SaveError` if that cannot be done."""
        last, previous, new = self._paths(name)
        try:
            for path in (previous, new, last):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise SaveError(f"cannot remove the save {last}: {error.strerror or error}") from error

    def _paths(self, name: str) -> tuple[Path, Path, Path]:
        if not _NAME.fullmatch(name):
            raise SaveError(f"a save called {name!r}: 1 to 100 letters, digits, '.', '_' or '-', not a '.' first")
        last = self.folder / f"{name}{_SUFFIX}"
        return last, last.with_name(f"{last.name}.previous"), last.with_name(f"{last.name}.new")


def seal(content: bytes) -> bytes:
    """A save file with this content."""
    header = _HEADER.pack(MAGIC, VERSION, len(content))
    return header + _digest(header, content) + content


def open_sealed(file: bytes) -> bytes:
    """The content of a save file. Raises `ValueError` saying what is wrong with it."""
    if len(file) < HEADER_BYTES:
        raise ValueError(f"it has {len(file)} bytes, too few for a save")
    header, digest, content = file[: _HEADER.size], file[_HEADER.size : HEADER_BYTES], file[HEADER_BYTES:]
    magic, version, length = _HEADER.unpack(header)
    if magic != MAGIC:
        raise ValueError("it is no save")
    if version > VERSION:
        raise ValueError(
            f"it is of version {version}, and this is for versions up to {VERSION}: was it made by a newer one?"
        )
    if length != len(content):
        raise ValueError(f"it should hold {length} bytes, but holds {len(content)}")
    if digest != _digest(header, content):
        raise ValueError("its checksum is wrong")
    return content


def _digest(header: bytes, content: bytes) -> bytes:
    digest = hashlib.sha256(header)
    digest.update(content)
    return digest.digest()


def _read(path: Path) -> bytes | None:
    """The content of a save file that is there and whole."""
    try:
        return open_sealed(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":  # there, a rename is not flushed this way, and a folder cannot be opened
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
