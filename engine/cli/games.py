"""Finding the game that a word on the command line means."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import sys
import traceback
from pathlib import Path
from types import ModuleType

import engine
from engine.app import AppError, Game

ENGINE = Path(engine.__file__).parent


def load_game(word: str) -> Game:
    """The `GAME` of a game in `games`, of a module, or of a Python file.

    Raises `AppError` if there is no such thing, or it has no `GAME`.
    """
    module = load_module(word)
    game = getattr(module, "GAME", None)
    if not isinstance(game, Game):
        raise AppError(f"{word} has no GAME; define `GAME = Game(name=..., rules=..., ...)` at its top level")
    return game


def load_installed(name: str) -> Game:
    """The game of that name in the `games` package: what a file from elsewhere may name, as loading runs code.

    Raises `AppError` if it is none.
    """
    known = installed()
    if name not in known:
        raise AppError(f"there is no installed game {name!r}, only {', '.join(known)}; for one of your own give --game")
    return load_game(name)


def load_module(word: str) -> ModuleType:
    """The module that `word` means: a file, a game in `games`, or a dotted name."""
    if word.endswith(".py"):
        return _from_file(Path(word))
    for name in (f"games.{word}.game", word):
        try:
            if importlib.util.find_spec(name) is not None:
                return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise AppError(f"{word} needs the module {error.name}, which is not installed") from error
        except (ImportError, ValueError) as error:
            raise AppError(f"{word} cannot be imported: {error}") from error
        except Exception as error:
            raise AppError(f"{word} cannot be imported: {_where(error)}") from error
    known = installed()
    near = difflib.get_close_matches(word, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}; or give the path of a .py file"
    raise AppError(f"there is no game {word!r}; {hint}")


def installed() -> list[str]:
    """The names of the games in the `games` package."""
    spec = importlib.util.find_spec("games")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return sorted(found.name for found in pkgutil.iter_modules(places) if found.ispkg)


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise AppError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise AppError(f"{error.filename}, line {error.lineno}: {error.msg}") from error
    except ModuleNotFoundError as error:
        raise AppError(f"{path} needs the module {error.name}, which is not installed") from error
    except Exception as error:
        raise AppError(f"{path} cannot be imported: {_where(error)}") from error
    return module


def _where(error: Exception) -> str:
    """What was raised, and which line brought it about: the last that is not the engine's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not Path(frame.filename).is_relative_to(ENGINE)] or frames
    return f"{own[-1].filename}, line {own[-1].lineno}: {type(error).__name__}: {error}"
