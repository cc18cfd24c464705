"""Assets: names to files, and loaded values kept by name and loader."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, TypeVar, cast

from engine.assets.errors import AssetError
from engine.assets.packaged import packaged

T = TypeVar("T")


class Assets:
    """Files below one or more roots, named by their path from there, with forward slashes::

        assets = Assets.of("ricochet")
        arena = assets.json("maps/foundry.json")

    The first root that has a name wins, so a folder of a player's own can come before the game's. Loading is safe
    from any thread, so it can be given to `Scene.work`. A resource of the world: what shows it takes pictures and
    sounds from there.
    """

    def __init__(self, *roots: Path | str) -> None:
        self.roots = tuple(Path(root) for root in roots) or (Path.cwd(),)
        self._kept: dict[tuple[str, Any], Any] = {}
        self._lock = Lock()

    @classmethod
    def of(cls, game: str, *folders: str) -> Assets:
        """The assets that came with a game, or only some folders of them. Raises `AssetError` if it has none."""
        root = packaged(game)
        return cls(*(root / folder for folder in folders)) if folders else cls(root)

    def find(self, name: str) -> Path | None:
        """The file of that name, or None. Raises `AssetError` if the name leads out of the roots."""
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or "\\" in name or ":" in name:
            raise AssetError(f"asset name {name!r} leads out of its folder; name a file below {self._where()}")
        for root in self.roots:
            path = root / parts
            try:
                if path.is_file():
                    return path
            except (OSError, ValueError):  # a name that no file can have
                continue
        return None

    def path(self, name: str) -> Path:
        """The file of that name. Raises `AssetError` if there is none, with the closest name there is."""
        path = self.find(name)
        if path is None:
            raise AssetError(f"no asset {name!r} in {self._where()}{self._suggestion(name)}")
        return path

    def load(self, name: str, loader: Callable[[Path], T]) -> T:
        """`loader(path)` of that name; done once and kept. Raises `AssetError` if there is no such file."""
        key = name, loader
        with self._lock:
            if key in self._kept:
                return cast(T, self._kept[key])
        value = loader(self.path(name))
        with self._lock:
            return cast(T, self._kept.setdefault(key, value))

    def bytes(self, name: str) -> bytes:
        """The file's content. Raises `AssetError`."""
        return self.load(name, _read)

    def text(self, name: str) -> str:
        """The file's content as UTF-8. Raises `AssetError`."""
        return self.load(name, _read_text)

    def json(self, name: str) -> Any:
        """The document in the file, the same object each time; do not change it. Raises `AssetError`."""
        return self.load(name, _read_json)

    def names(self, folder: str = "", suffix: str = "") -> list[str]:
        """All names below a folder that end in `suffix`, sorted."""
        return sorted({name for name in self._all(folder) if name.endswith(suffix)})

    def forget(self) -> None:
        """Forget what was loaded, so that changed files are read again."""
        with self._lock:
            self._kept.clear()

    def _all(self, folder: str) -> Iterator[str]:
        for root in self.roots:
            for path in (root / folder).rglob("*"):
                if path.is_file():
                    yield path.relative_to(root).as_posix()

    def _where(self) -> str:
        return " or ".join(str(root) for root in self.roots)

    def _suggestion(self, name: str) -> str:
        missing = [root for root in self.roots if not root.is_dir()]
        if len(missing) == len(self.roots):
            return "; there is no such folder"
        names = self.names()
        near = get_close_matches(name, names, 1, 0.6)
        by_end = {PurePosixPath(other).name: other for other in names}
        near = near or [by_end[end] for end in get_close_matches(PurePosixPath(name).name, list(by_end), 1, 0.6)]
        return f"; the closest name is {near[0]!r}" if near else "; no name there is like it"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AssetError(f"cannot read {path}: {error.strerror or error}; check its permissions") from None


def _read_text(path: Path) -> str:
    try:
        return _read(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise AssetError(f"{path} is no UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _read_json(path: Path) -> object:
    text = _read_text(path)
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = (
            f" line {error.lineno} column {error.colno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise AssetError(f"{path} is no JSON document;{where or ' it is nested too deeply'}") from None
