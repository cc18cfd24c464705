"""Where a game's own files lie: in the namespace package `assets`, next to the engine, or where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from engine.assets.errors import AssetError


def packaged(game: str) -> Path:
    """The folder `assets/<game>` of an installed game, from a wheel as from a checkout.

    Raises `AssetError` if there is none, naming the places looked at.
    """
    looked: list[Path] = []
    for place in _places():
        folder = place / game
        if folder.is_dir():
            return folder
        looked.append(folder)
    raise AssetError(
        f"no assets of {game!r} in {' or '.join(map(str, looked))}; reinstall the game, "
        "or give the folder itself: Assets(Path(...))"
    )


def _places() -> list[Path]:
    beside_the_engine = Path(__file__).resolve().parents[2] / "assets"
    spec = find_spec("assets")
    named = [Path(place) for place in spec.submodule_search_locations or ()] if spec is not None else []
    return [beside_the_engine, *(place for place in named if place != beside_the_engine)]
